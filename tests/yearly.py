"""Reports of several agencies and years as files, and the panel over them read back. Only for tests."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import flatten
import pyarrow.parquet as pq

from extractor.forms import load_forms
from extractor.panel import PanelSummary, build_panel


def report_values(
    generation: str = "2021", *, carried_in: int = 0, carried_out: int = 0, **cells: int
) -> dict[str, str]:
    """A balanced report of one natural person's applications; `cells` by the end of the field id, `__` for a dot."""
    values = {item.id: 0 for s in load_forms().generations[generation].sections.values() for item in s.fields}
    rows = {"carried_in": carried_in, "carried_out": carried_out, "granted": 9, "results_total": 9}
    rows["new_received"] = 9 + carried_out - carried_in
    for row, number in rows.items():
        values |= {f"applications.{row}.natural_person": number, f"applications.{row}.total": number}
    for name, number in cells.items():
        (field_id,) = [field_id for field_id in values if field_id.endswith("." + name.replace("__", "."))]
        values[field_id] = number
    return flatten.as_printed(values)


def write_report(
    path: Path, agency: str, year: int, values: Mapping[str, str], *, form: str = "2021", layout: str = "tab_cells"
) -> None:
    """One report as a file."""
    text = flatten.LAYOUTS[layout](flatten.build_tables(form, values)).decode()
    path.parent.mkdir(parents=True, exist_ok=True)
    text = text.replace("2024年1月16日", f"{year + 1}年1月16日").replace("2023年", f"{year}年")
    path.write_text(text.replace("某某市民政局", agency), encoding="utf-8")


@dataclass
class Panel:
    """What one panel wrote."""

    out: Path
    summary: PanelSummary
    rows: list[dict[str, Any]] = field(default_factory=list)
    flags: list[dict[str, str]] = field(default_factory=list)

    def flags_of(self, code: str) -> list[dict[str, str]]:
        return [flag for flag in self.flags if flag["code"] == code]

    def row(self, name: str) -> dict[str, Any]:
        (row,) = [row for row in self.rows if row["path"].endswith(name)]
        return row


def read_panel(out: Path, aliases: Mapping[str, str] | None = None) -> Panel:
    """Build the panel of a folder of outputs and read its files back."""
    summary = build_panel(out, aliases or {}, lambda _done, _total: None)
    flags = (out / "panel_flags.csv").read_bytes().decode("utf-8-sig")
    rows = pq.read_table(out / "panel.parquet").to_pylist()
    return Panel(out, summary, rows, list(csv.DictReader(io.StringIO(flags, newline=""))))
