"""What each rate counts: its cases among all fields, and which of them are events.

Lives here: the definitions, one beside the other, each with its explanation. Does not live here: adding them up
(metrics). Called by metrics alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from extractor.evaluation.outcomes import FieldOutcome
from extractor.model import CellState, Value


class Case(NamedTuple):
    """All of a field that any rate asks for. Fields are many, cases few.

    Attributes:
        verdict: that of the field; `unread` for every field of a document that has no record.
        prints, says: what kind of number the label prints and the record gives as printed; None for no number.
        agrees: whether the record's value is the label's, printed or not.
    """

    is_table: bool
    verdict: str
    is_accepted: bool
    expected: CellState | None
    found: CellState | None
    prints: Literal["zero", "number"] | None
    says: Literal["zero", "number"] | None
    agrees: bool

    @property
    def is_right(self) -> bool:
        """As labelled."""
        return self.verdict == "right"

    @property
    def is_cell(self) -> bool:
        """A labelled table cell."""
        return self.is_table and self.verdict != "invented"

    @property
    def is_recorded(self) -> bool:
        """A table cell of the record."""
        return self.is_table and self.found is not None

    @property
    def is_fact(self) -> bool:
        """A fact of header or narrative."""
        return not self.is_table


class Definition(NamedTuple):
    """A rate over fields: what it means, its cases, and which of them are events."""

    text: str
    is_case: Callable[[Case], bool]
    is_event: Callable[[Case], bool]


_CELLS: dict[str, Definition] = {
    "cells_right": Definition(
        "labelled table cells with the state and value of the label", lambda c: c.is_cell, lambda c: c.is_right
    ),
    "all_zero_guess": Definition(
        "labelled table cells that a program gets right that reads nothing and says 0: the baseline of cells_right",
        lambda c: c.is_cell,
        lambda c: c.prints == "zero",
    ),
    "cells_wrong": Definition(
        "labelled table cells that the record gives with another state or value",
        lambda c: c.is_cell,
        lambda c: c.verdict == "wrong",
    ),
    "cells_open": Definition(
        "labelled table cells that the record leaves open: refused, or only implied by equations",
        lambda c: c.is_cell,
        lambda c: c.verdict == "open",
    ),
    "missing": Definition(
        "labelled table cells that the record of a document that was read does not have",
        lambda c: c.is_cell,
        lambda c: c.verdict == "missing",
    ),
    "unread_cells": Definition(
        "labelled table cells of documents that could not be read at all; every other rate over labelled cells keeps "
        "them in its n, and none calls them right",
        lambda c: c.is_cell,
        lambda c: c.verdict == "unread",
    ),
    "invented": Definition(
        "table cells of the record that the label does not have",
        lambda c: c.is_recorded,
        lambda c: c.verdict == "invented",
    ),
    "nonzero_recall": Definition(
        "printed numbers other than 0 that the record gives right, accepted or not",
        lambda c: c.is_cell and c.prints == "number",
        lambda c: c.is_right,
    ),
    "nonzero_precision": Definition(
        "numbers other than 0 that the record gives as printed, which are right",
        lambda c: c.is_table and c.says == "number",
        lambda c: c.is_right,
    ),
    "blank_as_zero": Definition(
        "blank cells that the record gives as 0",
        lambda c: c.is_cell and c.expected is CellState.BLANK,
        lambda c: c.says == "zero",
    ),
    "zero_as_blank": Definition(
        "printed zeros that the record gives as blank",
        lambda c: c.is_cell and c.prints == "zero",
        lambda c: c.found is CellState.BLANK,
    ),
    "accepted_wrong": Definition(
        "accepted table cells that are not right: must be none; worth something only beside accepted_nonzero",
        lambda c: c.is_recorded and c.is_accepted,
        lambda c: not c.is_right,
    ),
    "accepted_printed": Definition(
        "printed numbers that are right and accepted",
        lambda c: c.is_cell and c.prints is not None,
        lambda c: c.is_right and c.is_accepted,
    ),
    "accepted_nonzero": Definition(
        "printed numbers other than 0 that are right and accepted",
        lambda c: c.is_cell and c.prints == "number",
        lambda c: c.is_right and c.is_accepted,
    ),
    "residual_error": Definition(
        "of the table cells that nobody is sent to (accepted, or missing from the record of a document that was "
        "read): those that are not right",
        lambda c: c.is_table and (c.is_accepted or c.verdict == "missing"),
        lambda c: not c.is_right,
    ),
    "flag_recall": Definition(
        "table cells of the record that are not right (wrong, open or invented) and in review; a missing cell has no "
        "field that could be, and counts in residual_error instead",
        lambda c: c.is_recorded and not c.is_right,
        lambda c: not c.is_accepted,
    ),
    "flag_precision": Definition(
        "table cells in review that are not right",
        lambda c: c.is_recorded and not c.is_accepted,
        lambda c: not c.is_right,
    ),
    "review_load": Definition(
        "table cells of the record that are in review", lambda c: c.is_recorded, lambda c: not c.is_accepted
    ),
    "inferred_agreeing": Definition(
        "cells implied by equations that have the label's number: agreement, not accuracy, as nobody read them",
        lambda c: c.is_table and c.found is CellState.INFERRED_BY_EQUATION,
        lambda c: c.agrees,
    ),
}
#: Rates over facts of header and narrative, by id.
FACT_RATES: dict[str, Definition] = {
    "facts_right": Definition(
        "labelled facts that are right; one that the text does not state is right when it is left out",
        lambda c: c.is_fact,
        lambda c: c.is_right,
    ),
    "facts_absent_guess": Definition(
        "labelled facts that a program gets right that reads nothing and says nothing: the baseline of facts_right",
        lambda c: c.is_fact,
        lambda c: c.expected is None,
    ),
    "facts_stated_right": Definition(
        "facts that the text states, which are right",
        lambda c: c.is_fact and c.expected is not None,
        lambda c: c.is_right,
    ),
    "facts_accepted_wrong": Definition(
        "accepted facts that are not right: must be none",
        lambda c: c.is_fact and c.is_accepted,
        lambda c: not c.is_right,
    ),
    "facts_accepted": Definition(
        "facts that the text states, which are right and accepted",
        lambda c: c.is_fact and c.expected is not None,
        lambda c: c.is_right and c.is_accepted,
    ),
}
#: Rates over fields, by id: those of table cells, then those of facts.
FIELD_RATES = _CELLS | FACT_RATES
#: Rates over documents, by id.
DOCUMENT_RATES: dict[str, str] = {
    "documents_unread": "documents that could not be read at all",
    "documents_exact": "documents with labelled table cells, every one of which is right",
    "documents_accepted_wrong": "documents with any table cell or fact that is accepted and not right",
}


def make_case(field: FieldOutcome, is_unread: bool) -> Case:
    """What the rates look at in one field; `is_unread`: its document has no record."""
    return Case(
        is_table=field.is_table,
        verdict="unread" if is_unread else field.verdict,
        is_accepted=field.is_accepted,
        expected=field.expected,
        found=field.found,
        prints=_sort_number(field.expected, field.printed),
        says=_sort_number(field.found, field.said),
        agrees=field.said is not None and field.said == field.printed,
    )


def _sort_number(state: CellState | None, value: Value | None) -> Literal["zero", "number"] | None:
    if state is not CellState.VALUE:
        return None
    return "zero" if value == 0 else "number"
