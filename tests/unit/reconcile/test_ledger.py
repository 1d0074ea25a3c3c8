"""The ledger leaves nothing out: every section and row has an outcome, and one that failed is not hidden."""

from __future__ import annotations

import pytest

from extractor.forms import TABLE_SECTIONS, load_forms
from extractor.model import Candidate, CellState, Outcome
from extractor.reconcile import Merged, keep_ledger

GENERATION = dict.fromkeys(TABLE_SECTIONS, "2021")
A, P, R = "applications", "proactive_disclosure", "review_litigation"


def cell(state: CellState = CellState.VALUE) -> Merged:
    return Merged(Candidate(state, 3 if state is CellState.VALUE else None), ())


def all_cells(state: CellState = CellState.VALUE) -> dict[str, Merged]:
    sections = load_forms().generations["2021"].sections.values()
    return {item.id: cell(state) for section in sections for item in section.fields}


def rows_of(generation: str) -> set[str]:
    sections = load_forms().generations[generation].sections.values()
    return {f"{section.id}.{row.id}" for section in sections for row in section.rows}


def with_row(row: str, *states: CellState) -> dict[str, Merged]:
    """All cells values, but those of one row."""
    cells = all_cells()
    names = [name for name in cells if name.rpartition(".")[0] == row]
    return cells | {name: cell(states[place % len(states)]) for place, name in enumerate(names)}


def test_every_section_and_every_row_of_its_table_has_an_outcome() -> None:
    ledger = keep_ledger(all_cells(), GENERATION, [])
    assert set(ledger) == {*TABLE_SECTIONS, *rows_of("2021"), "header", "narrative"}
    assert {ledger[name] for name in (*TABLE_SECTIONS, *rows_of("2021"))} == {"read"}


def test_rows_are_those_of_the_generation_that_was_decided() -> None:
    ledger = keep_ledger({}, dict.fromkeys(TABLE_SECTIONS, "2019"), [])
    assert rows_of("2019") <= set(ledger)
    assert not rows_of("2021") - rows_of("2019") & set(ledger)


def test_cells_that_nobody_speaks_of_have_failed() -> None:
    """A table that was found, and of which no reading has a field."""
    ledger = keep_ledger({}, GENERATION, [])
    assert {ledger[name] for name in (*TABLE_SECTIONS, *rows_of("2021"))} == {"failed"}


@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        ((CellState.VALUE,), "read"),
        ((CellState.NA_MARK,), "read"),
        ((CellState.VALUE, CellState.BLANK), "read"),
        ((CellState.BLANK,), "blank"),
        ((CellState.BLANK, CellState.ROW_ABSENT), "blank"),
        ((CellState.ROW_ABSENT,), "absent"),
        ((CellState.VALUE, CellState.NOT_READ), "failed"),
        ((CellState.VALUE, CellState.UNPARSABLE), "failed"),
        ((CellState.BLANK, CellState.POSITION_UNKNOWN), "failed"),
    ],
)
def test_a_row_ends_as_its_cells_do(states: tuple[CellState, ...], outcome: Outcome) -> None:
    ledger = keep_ledger(with_row(f"{A}.granted", *states), GENERATION, [])
    assert ledger[f"{A}.granted"] == outcome
    assert ledger[f"{A}.carried_in"] == "read"
    assert ledger[A] == ("failed" if outcome == "failed" else "read")
    assert ledger[P] == "read"


@pytest.mark.parametrize(
    ("state", "outcome"), [(CellState.BLANK, "blank"), (CellState.ROW_ABSENT, "absent"), (CellState.NOT_READ, "failed")]
)
def test_a_section_of_rows_of_one_kind_is_of_that_kind(state: CellState, outcome: Outcome) -> None:
    assert {keep_ledger(all_cells(state), GENERATION, [])[section] for section in TABLE_SECTIONS} == {outcome}


@pytest.mark.parametrize("generation", [{}, dict.fromkeys(TABLE_SECTIONS, "absent"), {A: "pre2019"}])
def test_a_table_that_is_not_there_is_absent_and_has_no_rows(generation: dict[str, str]) -> None:
    ledger = keep_ledger({}, generation, [])
    assert set(ledger) == {*TABLE_SECTIONS, "header", "narrative"}
    assert set(ledger.values()) == {"absent"}


@pytest.mark.parametrize("part", ["header", "narrative", "indicators"])
@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        ((CellState.VALUE, CellState.VALUE), "read"),
        ((CellState.VALUE, CellState.UNPARSABLE), "failed"),
    ],
)
def test_facts_end_as_the_worst_of_them(part: str, states: tuple[CellState, ...], outcome: Outcome) -> None:
    facts = {f"{part}.{number}": cell(state) for number, state in enumerate(states)}
    assert keep_ledger(facts, {}, [])[part] == outcome


# ---------------------------------------------------------------- what exists and was not read


@pytest.mark.parametrize("section", TABLE_SECTIONS)
def test_a_section_that_was_not_read_has_failed(section: str) -> None:
    ledger = keep_ledger({}, {}, [section])
    assert {name for name, outcome in ledger.items() if outcome == "failed"} == {section}


@pytest.mark.parametrize("part", ["header", "narrative"])
def test_facts_that_could_not_be_asked_for_have_failed(part: str) -> None:
    assert keep_ledger({f"{part}.title": cell()}, {}, [part])[part] == "failed"


def test_a_field_that_was_not_read_fails_its_row_and_section() -> None:
    ledger = keep_ledger(all_cells(), GENERATION, [f"{A}.granted.total"])
    assert {name for name, outcome in ledger.items() if outcome == "failed"} == {A, f"{A}.granted"}


def test_anything_else_that_was_not_read_has_an_entry_of_its_own() -> None:
    ledger = keep_ledger(all_cells(), GENERATION, ["indicator_table", "4711"])
    assert {name for name, outcome in ledger.items() if outcome == "failed"} == {"indicator_table", "4711"}
