"""The numbers that a cell may hold: one, or, where its digits run together with its neighbours', several.

Lives here: what is possible by the digits of one row. Does not live here: what the equations decide about them (that
is the state `inferred_by_equation`, by splits). Called by narrative.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from extractor.forms import Section, load_forms
from extractor.model import CellState
from extractor.reconcile.merge import Merged
from extractor.reconcile.open_rows import OpenRow, find_open_rows
from extractor.reconcile.runs import Run

_NUMBERS = frozenset({CellState.VALUE, CellState.INFERRED_BY_EQUATION})


def list_possible(merged: Mapping[str, Merged], field_id: str) -> frozenset[int]:
    """The numbers that a cell may hold.

    Printed and inferred ones count alike: an inferred value is a split of printed digits that the equations chose,
    and the text is another witness, which may confirm or contradict it. Of a run of digits every number is possible
    that stands at the cell's place in some split of it.

    Returns:
        One number; several for a run of digits; none where nothing is known, or the cell holds no whole number.
    """
    entry = merged.get(field_id)
    if entry is None:
        return frozenset()
    if entry.printed.state in _NUMBERS:
        return frozenset((entry.printed.value,)) if isinstance(entry.printed.value, int) else frozenset()
    rows = _find_glued(merged, field_id) if entry.printed.state is CellState.UNPARSABLE else ()
    return frozenset(number for row in rows for number in _cut_at(Run(row), row.fields.index(field_id)))


def show_printed(merged: Mapping[str, Merged], field_id: str) -> str:
    """What is printed for a cell that is no single number: the run of digits that holds it."""
    return " ".join(token.raw or "" for row in _find_glued(merged, field_id) for token in row.tokens)


def _find_glued(merged: Mapping[str, Merged], field_id: str) -> list[OpenRow]:
    form = _find_form(merged, field_id.partition(".")[0])
    rows = find_open_rows(merged, form, CellState.UNPARSABLE) if form else []
    return [row for row in rows if field_id in row.fields]


def _find_form(merged: Mapping[str, Merged], section: str) -> Section | None:
    """The document's form of a table: the one all of whose cells are among its fields."""
    forms = [form.sections[section] for form in load_forms().national if section in form.sections]
    return next((form for form in forms if all(item.id in merged for item in form.fields)), None)


def _cut_at(run: Run, place: int) -> Iterator[int]:
    """The whole numbers at a place (from 0) of a run, over all splits."""
    starts = {0}
    for cell, column in enumerate(run.row.columns[: place + 1]):
        pieces = [
            (end, value)
            for start in starts
            for end, value in (run.numbers_from(column, start) if start < len(run.text) else ())
            if run.leads_on(cell + 1, end)
        ]
        if cell == place:
            yield from (value for _, value in pieces if isinstance(value, int))
        starts = {end for end, _ in pieces}
