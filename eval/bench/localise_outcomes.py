"""What becomes of one injected error: for eval/bench/localise.py.

Lives here: the verdict on what the equations say, alone or behind grounding, given what is printed. Does not live
here: the errors (localise_errors), the loop over them (localise).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from eval.bench.localise_errors import Injected
from eval.bench.localise_tables import Cells, Table
from extractor.chunks import split_chunks
from extractor.forms import load_forms
from extractor.grounding import align_rows
from extractor.model import Candidate, CellState, Chunk, Document, EquationResult
from extractor.reconcile import Merged, evaluate_equations
from extractor.reconcile.localise import DEFAULT_WEIGHT, Explanation, Location, locate_errors
from extractor.reconcile.system import load_system
from extractor.settings import Settings
from extractor.sources import read_document
from tests import flatten

#: Layouts in which every cell keeps its place: only there can a row be put to its columns.
LAYOUTS = ("tab_cells", "tab_rows", "markdown", "html_page")
_PLACED = ("placed", "blank")


class Outcome(StrEnum):
    """How an error ended. The order is that of the picture: from best to worst."""

    LOCATED = "located"
    """One explanation: exactly the wrong cells, with the printed values."""
    CELLS = "cells only"
    """One explanation: exactly the wrong cells, with other values."""
    TIED = "tied with the truth"
    """Several explanations, the truth is among those shown."""
    REGION = "region, truth inside"
    """No explanation, or several without the truth; every wrong cell lies in the region."""
    BESIDE = "region, truth outside"
    """The same, and a wrong cell lies outside."""
    WRONG = "unique but wrong"
    """One explanation that names other cells."""
    SILENT = "not detected"
    """Every equation holds."""


class GroundedOutcome(StrEnum):
    """The same with ordered grounding in front."""

    LOCATED = "located"
    """Every wrong cell is in a refused row or named by the one explanation, and no right row is refused."""
    TOO_MUCH = "located, right rows refused too"
    """The same, and rows without a wrong cell were refused."""
    IN_PART = "in part"
    """Something was refused or fails, and a wrong cell is in none of it."""
    SILENT = "not detected"
    """Nothing was refused and every equation holds."""


# ---------------------------------------------------------------- equations alone


def locate(table: Table, read: Mapping[str, int]) -> Location | None:
    """What the equations say of the cells that were read, none of them more doubtful than another."""
    system = load_system(table.section.id, table.generation)
    assert system is not None
    return locate_errors(system, read, dict.fromkeys(read, DEFAULT_WEIGHT))


def find_failed(table: Table, read: Mapping[str, int]) -> list[EquationResult]:
    """The equations that fail as a record is judged, those of which only a bound is broken among them."""
    merged = {name: Merged(Candidate(CellState.VALUE, value), ()) for name, value in read.items()}
    results = evaluate_equations(merged, {table.section.id: table.generation})
    return [result for result in results if result.result == "fail"]


def judge(injected: Injected, location: Location | None) -> Outcome:
    """Compare what was found with what is wrong."""
    wrong = injected.wrong
    explanations = location.explanations if location else ()
    proposals = [propose(explanation) for explanation in explanations]
    if location and location.outcome == "located":
        if proposals[0] == wrong:
            return Outcome.LOCATED
        return Outcome.CELLS if proposals[0].keys() == wrong.keys() else Outcome.WRONG
    if wrong in proposals:
        return Outcome.TIED
    failed = find_failed(injected.truth, injected.truth.read(injected.read))
    if not failed:
        return Outcome.SILENT
    region = location.region if location else [name for result in failed for name in result.fields]
    return Outcome.REGION if wrong.keys() <= set(region) else Outcome.BESIDE


def propose(explanation: Explanation) -> dict[str, object]:
    """Field id -> proposed value."""
    return {change.field: change.proposed for change in explanation.changes}


# ---------------------------------------------------------------- with grounding


class Source(NamedTuple):
    """A document that prints one table, and where the table stands."""

    document: Document
    chunk: Chunk


class Grounded(NamedTuple):
    """What grounding makes of a reply: rows that it refuses, and the cells of the others."""

    refused: frozenset[str]
    read: dict[str, int]


@lru_cache(maxsize=64)
def make_source(table: Table, layout: str) -> Source:
    """Print a table in a layout; the other tables of the report hold zeros."""
    form = load_forms().generations[table.generation]
    printed = {item.id: "0" for section in form.sections.values() for item in section.fields}
    printed |= {name: "" if value is None else str(value) for name, value in table.name(table.cells).items()}
    raw = flatten.LAYOUTS[layout](flatten.build_tables(table.generation, printed))
    document = read_document(raw, layout, Settings())
    chunks = (chunk for chunk in split_chunks(document) if chunk.section == table.section.id)
    return Source(document, next(chunk for chunk in chunks if chunk.table or chunk.runs))


def ground(source: Source, table: Table, reply: Cells) -> Grounded:
    """Take the cells that were read for a model's reply, and align it with the source."""
    section = table.section
    rows = {
        row.id: tuple(None if cell is None else str(cell) for cell in cells)
        for row, cells in zip(section.rows, reply, strict=True)
    }
    aligned = align_rows(source.document, source.chunk, section, rows)
    refused = frozenset(row_id for row_id, row in aligned.items() if row.outcome not in _PLACED)
    read = {name: value for name, value in table.read(reply).items() if _row_of(name) not in refused}
    return Grounded(refused, read)


def judge_grounded(injected: Injected, grounded: Grounded) -> GroundedOutcome:
    """Compare what was refused, or found by the equations in what was not, with what is wrong."""
    if not grounded.refused and not find_failed(injected.truth, grounded.read):
        return GroundedOutcome.SILENT
    location = locate(injected.truth, grounded.read)
    named = set(propose(location.explanations[0])) if location and location.outcome == "located" else set()
    if any(_row_of(name) not in grounded.refused and name not in named for name in injected.wrong):
        return GroundedOutcome.IN_PART
    is_too_much = grounded.refused > rows_of(injected.wrong) or not named <= injected.wrong.keys()
    return GroundedOutcome.TOO_MUCH if is_too_much else GroundedOutcome.LOCATED


def rows_of(fields: Iterable[str]) -> set[str]:
    """The rows that fields stand in."""
    return {_row_of(name) for name in fields}


def _row_of(field_id: str) -> str:
    """The row of section.row.column; a row's id may hold a dot itself."""
    return field_id.partition(".")[2].rpartition(".")[0]
