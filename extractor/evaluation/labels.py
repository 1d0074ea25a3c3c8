"""Labels: what a document prints, cell by cell, as a person read it.

Lives here: the label format (docs/label.md), its loader, and finding labels with their documents. Does not live here:
any comparison (outcomes), making drafts (draft), checking a folder of labels (check). Called by all of evaluation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from extractor.errors import SettingsError
from extractor.forms import load_forms
from extractor.model import CellState, Number, Value

#: Where a document comes from; kinds are counted apart. `real`: as found. `re-set`: a real report's figures in a file
#: made for the purpose. `generated`: made-up figures. `corrupted`: damaged on purpose, whatever it was before.
DocumentKind = Literal["real", "re-set", "generated", "corrupted"]
KINDS: tuple[DocumentKind, ...] = get_args(DocumentKind)

# What a label says of the text that is no fact of its own.
_NO_FACTS = ("quotes", "page_date")


class LabelledCell(NamedTuple):
    """What one cell prints: its state, the number where it is a value, and the token where it is more than that."""

    state: CellState
    value: Value | None = None
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """One labelled document.

    Attributes:
        name: of the label's file, without its ending; names the document in every output.
        file: path of the document, relative to any folder above the label.
        kind: where the document comes from.
        generation: per table section.
        cells: by field id.
        facts: header and narrative facts by field id; None where the text does not state one.
        is_inferred: sections whose cells were split from glued digits, not read.
        layout: how the cells were flattened, where the maker of the document knows; else empty.
        damage: for a corrupted document what was done to it; else empty.
        severity: of the damage, 1 (mild) to 3; 0 where there is none.
    """

    name: str
    file: str
    kind: DocumentKind
    generation: Mapping[str, str]
    cells: Mapping[str, LabelledCell]
    facts: Mapping[str, object] = field(default_factory=dict)
    is_inferred: frozenset[str] = frozenset()
    layout: str = ""
    damage: str = ""
    severity: int = 0


class LabelledFile(NamedTuple):
    """A label and the document that it is of; None where no folder above the label holds it."""

    label: Label
    path: Path
    document: Path | None


def load_label(path: Path) -> Label:
    """Read one label file.

    Raises:
        SettingsError: naming the file and what is wrong in it.
    """
    try:
        return read_label(json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal), path.stem)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(f"{path}: not a label file ({error!r}). See docs/label.md for the format.") from error


def read_label(data: Mapping[str, Any], name: str) -> Label:
    """A label from its JSON, numbers with a point as Decimal.

    Raises:
        ValueError, KeyError, TypeError: it does not have the format.
    """
    kind = data.get("kind", "real")
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}, not one of {', '.join(KINDS)}")
    return Label(
        name=name,
        file=data["file"],
        kind=kind,
        generation=data["generation"],
        cells=dict(_read_cells(data)),
        facts={
            f"{part}.{fact}": value
            for part in ("header", "narrative")
            for fact, value in data.get(part, {}).items()
            if fact not in _NO_FACTS
        },
        is_inferred=frozenset(section for section, how in data.get("basis", {}).items() if how != "read"),
        layout=data.get("layout", ""),
        damage=data.get("damage", ""),
        severity=data.get("severity", 0),
    )


def find_labels(places: Iterable[Path]) -> Iterator[LabelledFile]:
    """Every label of some files and folders (with all below them), in the order of their paths.

    JSON files that hold no label (indexes, baselines) are passed over where they stand in a folder.

    Raises:
        SettingsError: a place that is not there, a folder without a label, a label that cannot be read.
    """
    for place in places:
        paths = [place] if place.is_file() else [path for path in sorted(place.rglob("*.json")) if _is_label(path)]
        if not paths:
            problem = "holds no label" if place.is_dir() else "is not there"
            raise SettingsError(f"{place}: {problem}. Name label files (*.json), or folders that hold them.")
        for path in paths:
            label = load_label(path)
            yield LabelledFile(label, path, find_document(path, label.file))


def find_document(label_path: Path, file: str) -> Path | None:
    """The labelled document: relative to any folder above the label, the nearest first."""
    return next((parent / file for parent in label_path.resolve().parents if (parent / file).is_file()), None)


def _is_label(path: Path) -> bool:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and {"file", "generation"} <= data.keys()


def _read_cells(data: Mapping[str, Any]) -> Iterator[tuple[str, LabelledCell]]:
    for section_id, generation in data["generation"].items():
        section = load_forms().section(section_id, generation)
        for name, printed in data.get(section_id, {}).items():
            if name == "row_tokens" or section is None:
                continue
            if not isinstance(printed, list):
                yield f"{section_id}.{name}", read_cell(printed)
                continue
            columns = section.rows_by_id[name].columns
            for column, item in zip(columns, printed, strict=True):
                yield section.field_id(name, column.id), read_cell(item)


def read_cell(item: object) -> LabelledCell:
    """A cell as labels write it: 4, "blank", "na_mark:/", {"value": 8, "raw": "8件"}.

    Raises:
        ValueError, TypeError, KeyError: none of these.
    """
    if isinstance(item, dict):
        return LabelledCell(CellState.VALUE, _read_number(item["value"]), str(item["raw"]))
    if isinstance(item, str):
        state, _, raw = item.partition(":")
        return LabelledCell(CellState(state), raw=raw or None)
    return LabelledCell(CellState.VALUE, _read_number(item))


def _read_number(item: object) -> Number:
    if isinstance(item, bool) or not isinstance(item, int | float | Decimal):
        raise TypeError(f"{item!r} is no number")
    return Decimal(str(item)) if isinstance(item, float) else item
