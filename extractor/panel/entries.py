"""records.jsonl as a stream of entries: of each document only what the panel needs.

Lives here: the lines, what is taken from them, and what is said of a broken one. Does not live here: grouping
(series). A line of a record is some hundred kilobytes; an entry is about one. Called by build and duplicates.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, ValidationError, create_model

from extractor.errors import SettingsError
from extractor.forms import TABLE_SECTIONS
from extractor.model import CellState, Decision, DocumentIdentity, Number, Origin, Status, Value
from extractor.panel.relations import DISCLOSURE, load_panel_fields
from extractor.pipeline import VERSIONS

Basis = Literal["accepted", "review", "inferred", "suggested"]
BASES: tuple[Basis, ...] = ("accepted", "review", "inferred", "suggested")
"""What an amount rests on, the strongest first."""

_SHAPE = VERSIONS["record"]
_AGENCY, _YEAR = "header.agency_name", "header.report_year"
_MOST_DIGITS = 18  # of a number that came as text
_FIRST_YEAR, _LAST_YEAR = 1000, 9999  # what else stands for a year was misread
_MAKE_ANEW = "Make it anew with `extractor run … --out`."


class Cell(NamedTuple):
    """One cell of one document.

    Attributes:
        state: what is known about it.
        decision: whether it was accepted.
        amount: its number: as printed, inferred, or the one that is suggested. None: there is none, or several.
        basis: what `amount` rests on.
        suggested: the one number that is suggested beside a printed one.
        run: digits of several cells, where the cell is part of such a run (section 二 only).
    """

    state: CellState
    decision: Decision
    amount: int | None
    basis: Basis | None
    suggested: int | None = None
    run: str | None = None


class Entry(NamedTuple):
    """One document of the run.

    Attributes:
        line, offset: where its record stands in the file; the line counts from 1, the offset in bytes.
        sites: names or hosts of the sites where it was found.
        agency, year: as read; None where they were not.
        key_basis: the weaker of the decisions on both.
        generation: form of each table.
        cells: parallel to load_panel_fields(); None where the document's form has no such cell.
    """

    line: int
    offset: int
    document: str | None
    path: str
    status: Status
    sites: tuple[str, ...]
    agency: str | None
    year: int | None
    key_basis: Basis
    generation: dict[str, str]
    cells: tuple[Cell | None, ...]


# ---------------------------------------------------------------- the part of a record that is read


class _Candidate(BaseModel):
    state: CellState
    raw: str | None


class _Suggestion(BaseModel):
    value: Number
    ties: int = 1


class _Printed(BaseModel):
    state: CellState
    value: Value | None
    decision: Decision
    candidates: tuple[_Candidate, ...]
    suggestions: tuple[_Suggestion, ...]


class _Head(BaseModel):
    document: DocumentIdentity
    status: Status
    origins: tuple[Origin, ...]
    generation: dict[str, str]
    versions: dict[str, str]


@cache
def _slim_record() -> type[Any]:
    """A record of which all other fields are skipped while it is parsed, at a quarter of the cost."""
    names = (_AGENCY, _YEAR, *load_panel_fields())
    wanted: dict[str, Any] = {f"f{i}": (_Printed | None, Field(None, alias=name)) for i, name in enumerate(names)}
    return create_model("_SlimRecord", __base__=_Head, fields=(create_model("_SlimFields", **wanted), ...))


# ---------------------------------------------------------------- reading


def read_entries(path: Path, on_progress: Callable[[int, int], None]) -> Iterator[Entry]:
    """Every record of a run, in the order of the file.

    Args:
        path: records.jsonl.
        on_progress: called behind every record with the bytes read and the bytes of the file.

    Raises:
        SettingsError: there is no such file, a line is no record, or it is of a shape that is not known.
    """
    model, known = _slim_record(), _KnownCells()
    try:
        total = path.stat().st_size
        with path.open("rb") as file:
            offset = 0
            for line, text in enumerate(file, start=1):
                if text.strip():
                    yield _build_entry(_parse(model, text, path, line), line, offset, known)
                offset += len(text)
                on_progress(offset, total)
    except OSError as error:
        raise SettingsError(
            f"{path}: cannot be read ({error.strerror}). Give the folder that `extractor run` wrote with --out."
        ) from error


def _parse(model: type[Any], text: bytes, path: Path, line: int) -> Any:
    try:
        record = model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))
        problem = f"{place}: {first['msg']}" if place else first["msg"]
        raise SettingsError(f"{path}, line {line}: not a whole record ({problem}). {_MAKE_ANEW}") from None
    shape = record.versions.get("record")
    if shape != _SHAPE:
        said = f"shape {shape}" if shape else "no shape (versions.record)"
        raise SettingsError(
            f"{path}, line {line}: the record has {said}, and this program reads shape {_SHAPE}. {_MAKE_ANEW}"
        )
    return record


def _build_entry(record: Any, line: int, offset: int, known: _KnownCells) -> Entry:
    agency, year, *cells = record.fields.__dict__.values()
    decisions = {item.decision for item in (agency, year) if item}
    return Entry(
        line,
        offset,
        record.document.id,
        record.document.path,
        record.status,
        tuple(dict.fromkeys(filter(None, map(_site_of, record.origins)))),
        agency.value if agency and isinstance(agency.value, str) else None,
        _whole_year(year.value) if year else None,
        "review" if "review" in decisions else "accepted",
        known.share_generation({name: record.generation.get(name, "absent") for name in TABLE_SECTIONS}),
        tuple(known.share(name, item) for name, item in zip(load_panel_fields(), cells, strict=True)),
    )


def _site_of(origin: Origin) -> str | None:
    return origin.site or (urlsplit(origin.url).hostname if origin.url and "://" in origin.url else None)


def _whole(value: Value | None) -> int | None:
    """A value as the whole number that it is. A year may come as text."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS else None
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else None
    return value


def _whole_year(value: Value | None) -> int | None:
    year = _whole(value)
    return year if year is not None and _FIRST_YEAR <= year <= _LAST_YEAR else None


class _KnownCells:
    """Each different cell and generation once: nearly all of them are an accepted 0 in one of two forms."""

    def __init__(self) -> None:
        self._cells: dict[Cell, Cell] = {}
        self._generations: dict[tuple[str, ...], dict[str, str]] = {}

    def share(self, field_id: str, item: _Printed | None) -> Cell | None:
        if item is None:
            return None
        cell = _build_cell(item, may_be_run=field_id.startswith(DISCLOSURE))
        return self._cells.setdefault(cell, cell)

    def share_generation(self, generation: dict[str, str]) -> dict[str, str]:
        return self._generations.setdefault(tuple(generation.values()), generation)


def _build_cell(item: _Printed, *, may_be_run: bool) -> Cell:
    suggestions = {_whole(suggestion.value) for suggestion in item.suggestions if suggestion.ties == 1}
    suggested = suggestions.pop() if len(suggestions) == 1 == len(item.suggestions) else None
    amount = None if isinstance(item.value, str) else _whole(item.value)
    if amount is not None and item.state is CellState.VALUE:
        return Cell(item.state, item.decision, amount, item.decision, suggested)
    if amount is not None and item.state is CellState.INFERRED_BY_EQUATION:
        return Cell(item.state, item.decision, amount, "inferred", suggested)
    run = _find_run(item) if may_be_run else None
    basis: Basis | None = None if suggested is None else "suggested"
    return Cell(item.state, item.decision, suggested, basis, suggested, run)


def _find_run(item: _Printed) -> str | None:
    """The digits of several cells that stand together: all that is printed for the cell, without a value of its own."""
    if item.state is not CellState.UNPARSABLE:
        return None
    printed = {candidate.raw for candidate in item.candidates if candidate.state is CellState.UNPARSABLE}
    raw = unicodedata.normalize("NFKC", printed.pop() or "").strip() if len(printed) == 1 else ""
    return raw if raw.isascii() and raw.isdigit() else None


def choose_weakest(*bases: Basis) -> Basis:
    """The weakest of some."""
    return max(bases, key=BASES.index)
