"""Damaged documents as a folder: documents, and their labels in the format of eval/gold.

Lives here: writing. The folder is what `extractor eval FOLDER` takes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from eval.corruption.make import Corrupted
from extractor.evaluation.labels import Label, LabelledCell
from extractor.forms import load_forms
from extractor.model import CellState


def write_folder(out: Path, documents: Iterable[Corrupted]) -> int:
    """Write documents to `out/docs` and labels to `out/labels`.

    Returns:
        How many.
    """
    for name in ("docs", "labels"):
        (out / name).mkdir(parents=True, exist_ok=True)
    count = 0
    for document in documents:
        (out / "docs" / document.name).write_bytes(document.raw)
        text = json.dumps(write_label(document.label, f"docs/{document.name}"), ensure_ascii=False, indent=1)
        (out / "labels" / f"{document.label.name}.json").write_text(f"{text}\n", encoding="utf-8")
        count += 1
    return count


def write_label(label: Label, file: str) -> dict[str, Any]:
    """A label as its file holds it.

    Args:
        file: path of the document, relative to a folder above the label.
    """
    data: dict[str, Any] = {
        "file": file,
        "kind": label.kind,
        "generation": dict(label.generation),
        "layout": label.layout,
        "damage": label.damage,
        "severity": label.severity,
    }
    for part in ("header", "narrative"):
        facts = {name.partition(".")[2]: value for name, value in label.facts.items() if name.startswith(f"{part}.")}
        data[part] = {name: _write_number(value) for name, value in facts.items()}
    for section_id, generation in label.generation.items():
        section = load_forms().section(section_id, generation)
        assert section is not None
        data[section_id] = {}
        for row in section.rows:
            fields = {column.id: section.field_id(row.id, column.id) for column in row.columns}
            data[section_id][row.id] = [_write_cell(label.cells[field_id]) for field_id in fields.values()]
    return data


def _write_cell(cell: LabelledCell) -> object:
    if cell.state is not CellState.VALUE:
        return f"{cell.state}:{cell.raw}" if cell.raw else str(cell.state)
    number = _write_number(cell.value)
    return {"value": number, "raw": cell.raw} if cell.raw else number


def _write_number(value: object) -> object:
    """A number as JSON writes it; a decimal only where its digits come back as they were."""
    if not isinstance(value, Decimal):
        return value
    number = float(value)
    if Decimal(str(number)) != value:
        raise ValueError(f"{value} has more digits than a JSON number keeps")
    return number
