"""Labels: what a document prints, cell by cell, as a person read it.

Lives here: a label as an evaluation sees it, its loader, and finding labels with their documents. Does not live here:
the format (label_file), any comparison (outcomes), making drafts (draft), checking a folder of labels (check). Called
by all of evaluation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from extractor.errors import SettingsError
from extractor.evaluation.label_file import (
    KINDS,
    DocumentKind,
    LabelFile,
    Table,
    describe_faults,
    parse_json,
)
from extractor.evaluation.label_values import LabelledCell, read_cell
from extractor.forms import Section, load_forms

__all__ = [
    "KINDS",
    "DocumentKind",
    "Label",
    "LabelledCell",
    "LabelledFile",
    "find_document",
    "find_labels",
    "load_label",
    "read_cell",
    "read_label",
]

#: What a table may be that has no cells of the national form.
NO_FORM = ("absent", "pre2019")
# What a label says of the text that is no fact of its own.
_NO_FACTS = {"quotes", "page_date"}


@dataclass(frozen=True, slots=True)
class Label:
    """One labelled document.

    Attributes:
        name: of the label's file, without its ending; names the document in every output.
        file: path of the document, relative to any folder above the label.
        kind: where the document comes from.
        generation: per table section.
        cells: by field id.
        facts: header and narrative facts by field id; None where the text does not state one. A fact that is not here
            is not labelled, and not judged.
        is_inferred: sections whose cells were split from glued digits, not read.
        layout: how the cells were flattened, where the maker of the document knows; else empty.
        damage: for a corrupted document what was done to it; else empty.
        severity: of the damage, 1 (mild) to 3; 0 where there is none.
        source: the label whose figures a re-set or damaged document has; else empty.
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
    source: str = ""


class LabelledFile(NamedTuple):
    """A label and the document that it is of; None where no folder above the label holds it."""

    label: Label
    path: Path
    document: Path | None


def load_label(path: Path) -> Label:
    """Read one label file.

    Raises:
        SettingsError: naming the file and what is wrong in it, or that it is a draft still.
    """
    try:
        data = parse_json(path.read_text(encoding="utf-8-sig"))
        if isinstance(data, dict) and (data.get("draft") or data.get("to_check")):
            raise SettingsError(
                f"{path}: a draft still. Compare it with its document, fill in what is open, take `draft` and "
                f"`to_check` away, and look at it with extractor label --check (docs/label.md)."
            )
        return read_label(data, path.stem)
    except ValidationError as error:
        first = describe_faults(error)[0]
        raise _refuse(path, f"{first.place}: {first.problem}") from error
    except (OSError, ValueError) as error:
        raise _refuse(path, error) from error


def _refuse(path: Path, problem: object) -> SettingsError:
    return SettingsError(
        f"{path}: not a label file ({problem}). See docs/label.md for the format; extractor label --check tells all."
    )


def read_label(data: Mapping[str, Any], name: str) -> Label:
    """A label from its JSON, numbers with a point as Decimal.

    Raises:
        ValueError: it does not have the format.
    """
    return build_label(LabelFile.model_validate(data), name)


def build_label(file: LabelFile, name: str) -> Label:
    """A label from its file.

    Raises:
        ValueError: a form that there is not, a row that the form does not have, or of another width.
    """
    return Label(
        name=name,
        file=file.file,
        kind=file.kind,
        generation=file.generation,
        cells=dict(_read_cells(file)),
        facts={
            f"{part}.{fact}": value
            for part, facts in (("header", file.header), ("narrative", file.narrative))
            for fact, value in facts.model_dump(exclude_unset=True, exclude=_NO_FACTS).items()
        },
        is_inferred=frozenset(section for section, how in file.basis.items() if how != "read"),
        layout=file.layout,
        damage=file.damage,
        severity=file.severity,
        source=file.source,
    )


def find_labels(places: Iterable[Path]) -> Iterator[LabelledFile]:
    """Every label of some files and folders (with all below them), in the order of their paths.

    JSON files of other kinds (indexes, baselines) are passed over where they stand in a folder; files that are no JSON
    at all are not: they may be labels with a slip.

    Raises:
        SettingsError: a place that is not there, a folder without a label, a label that cannot be read, a draft.
    """
    for path in list_label_paths(places):
        label = load_label(path)
        yield LabelledFile(label, path, find_document(path, label.file))


def list_label_paths(places: Iterable[Path]) -> Iterator[Path]:
    """The files of labels, drafts among them. See find_labels."""
    for place in places:
        paths = [place] if place.is_file() else [path for path in sorted(place.rglob("*.json")) if _is_label(path)]
        if not paths:
            problem = "holds no label" if place.is_dir() else "is not there"
            raise SettingsError(f"{place}: {problem}. Name label files (*.json), or folders that hold them.")
        yield from paths


def find_document(label_path: Path, file: str) -> Path | None:
    """The labelled document: relative to any folder above the label, the nearest first."""
    return next((parent / file for parent in label_path.resolve().parents if _is_file(parent / file)), None)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long for any file
        return False


def _is_label(path: Path) -> bool:
    """One of the two keys is enough: a label whose other key has a slip must be refused, not passed over."""
    try:
        data = parse_json(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return True
    return isinstance(data, dict) and not data.keys().isdisjoint({"file", "generation"})


def _read_cells(file: LabelFile) -> Iterator[tuple[str, LabelledCell]]:
    for section_id, generation in file.generation.items():
        section = load_forms().section(section_id, generation)
        if section:
            yield from _read_table(section, file.tables[section_id])
        elif generation not in NO_FORM:
            raise ValueError(f"generation.{section_id}: there is no form {generation!r}")


def _read_table(section: Section, table: Table) -> Iterator[tuple[str, LabelledCell]]:
    for name, printed in table.entries.items():
        row = section.rows_by_id.get(name)
        if isinstance(printed, LabelledCell):
            yield f"{section.id}.{name}", printed
        elif row is None:
            raise ValueError(f"{section.id}.{name}: the form has no such row")
        elif len(printed) != len(row.columns):
            raise ValueError(f"{section.id}.{name}: {len(printed)} cells, the row has {len(row.columns)}")
        else:
            yield from (
                (section.field_id(name, column.id), cell) for column, cell in zip(row.columns, printed, strict=True)
            )
