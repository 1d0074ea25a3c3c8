"""Labels: what a document prints, cell by cell, as a person read it.

Lives here: the label format (eval/README.md) and its loader. Does not live here: any comparison.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from extractor.errors import SettingsError
from extractor.forms import load_forms
from extractor.model import CellState


class LabelledCell(NamedTuple):
    """What one cell prints: its state, and the number where it is a value."""

    state: CellState
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """One labelled document.

    Attributes:
        file: path of the document, relative to the folder that the labels belong to.
        generation: per table section.
        cells: by field id.
        facts: header and narrative facts by field id; None where the text does not state one.
        is_inferred: sections whose cells were split from glued digits, not read.
    """

    file: str
    generation: Mapping[str, str]
    cells: Mapping[str, LabelledCell]
    facts: Mapping[str, object]
    is_inferred: frozenset[str]


def load_label(path: Path) -> Label:
    """Read one label file.

    Raises:
        SettingsError: naming the file and what is wrong in it.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        cells = dict(_read_cells(data))
        facts = {
            f"{part}.{name}": value
            for part in ("header", "narrative")
            for name, value in data.get(part, {}).items()
            if name not in ("quotes", "page_date")
        }
        basis = data.get("basis", {})
        inferred = frozenset(section for section, how in basis.items() if how != "read")
        return Label(data["file"], data["generation"], cells, facts, inferred)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{path}: not a label file ({error!r}). See eval/README.md for the format.") from error


def _read_cells(data: Mapping[str, Any]) -> Iterator[tuple[str, LabelledCell]]:
    for section_id, generation in data["generation"].items():
        section = load_forms().section(section_id, generation)
        for name, printed in data.get(section_id, {}).items():
            if name == "row_tokens" or section is None:
                continue
            if not isinstance(printed, list):
                yield f"{section_id}.{name}", _read_cell(printed)
                continue
            columns = section.rows_by_id[name].columns
            for column, item in zip(columns, printed, strict=True):
                yield section.field_id(name, column.id), _read_cell(item)


def _read_cell(item: object) -> LabelledCell:
    if isinstance(item, dict):
        return LabelledCell(CellState.VALUE, float(item["value"]))
    if isinstance(item, str):
        return LabelledCell(CellState(item.partition(":")[0]))
    return LabelledCell(CellState.VALUE, float(item))  # type: ignore[arg-type]
