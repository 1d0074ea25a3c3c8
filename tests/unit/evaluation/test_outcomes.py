"""One record against one label: every verdict, and what may be accepted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.evaluation.labels import Label, LabelledCell
from extractor.evaluation.outcomes import FieldOutcome, judge_fields, list_unjudged
from extractor.flags import make_flag
from extractor.model import CellState, DocumentIdentity, Flag, Record, RecordField, Status, Value

CELL = "applications.granted.total"


def field(state: CellState, value: Value | None = None, raw: str | None = None, decision: str = "accepted") -> Any:
    return RecordField(state=state, value=value, raw=raw, spans=(), reader="template", decision=decision)  # type: ignore[arg-type]


def record(fields: dict[str, RecordField], flags: tuple[Flag, ...] = ()) -> Record:
    identity = DocumentIdentity(id=None, path="x.txt")
    return Record(document=identity, status=Status.SUCCEEDED, origins=(), fields=fields, flags=flags)


def label(cells: dict[str, LabelledCell] | None = None, facts: dict[str, object] | None = None) -> Label:
    generation = {"applications": "2021"}
    return Label("x", "x.txt", "real", generation, cells or {}, facts or {})


def judge_cell(found: RecordField | None, printed: LabelledCell) -> FieldOutcome:
    fields = {CELL: found} if found else {}
    (outcome,) = judge_fields(record(fields), label({CELL: printed}))
    return outcome


@pytest.mark.parametrize(
    ("found", "printed", "verdict"),
    [
        (field(CellState.VALUE, 4), LabelledCell(CellState.VALUE, 4), "right"),
        (field(CellState.VALUE, Decimal("4.50")), LabelledCell(CellState.VALUE, Decimal("4.5")), "right"),
        (field(CellState.VALUE, 5), LabelledCell(CellState.VALUE, 4), "wrong"),
        (field(CellState.BLANK), LabelledCell(CellState.BLANK), "right"),
        (field(CellState.VALUE, 0), LabelledCell(CellState.BLANK), "wrong"),
        (field(CellState.BLANK), LabelledCell(CellState.VALUE, 0), "wrong"),
        (field(CellState.NA_MARK, raw="/"), LabelledCell(CellState.BLANK), "wrong"),
        (field(CellState.ROW_ABSENT), LabelledCell(CellState.VALUE, 4), "wrong"),
        (field(CellState.POSITION_UNKNOWN), LabelledCell(CellState.VALUE, 4), "open"),
        (field(CellState.POSITION_UNKNOWN), LabelledCell(CellState.POSITION_UNKNOWN), "right"),
        (field(CellState.INFERRED_BY_EQUATION, 4), LabelledCell(CellState.VALUE, 4), "open"),
        (None, LabelledCell(CellState.VALUE, 4), "missing"),
        (field(CellState.VALUE, 8, "8件"), LabelledCell(CellState.VALUE, 8, "8件(撤销1件)"), "wrong"),
        (field(CellState.VALUE, 8, "8 件（撤销１件）"), LabelledCell(CellState.VALUE, 8, "8件(撤销1件)"), "right"),
    ],
)
def test_verdict_on_a_cell(found: RecordField | None, printed: LabelledCell, verdict: str) -> None:
    assert judge_cell(found, printed).verdict == verdict


def test_wrong_and_accepted_is_told_from_wrong_and_in_review() -> None:
    four = LabelledCell(CellState.VALUE, 4)
    assert judge_cell(field(CellState.VALUE, 5), four).is_wrong_and_accepted
    assert not judge_cell(field(CellState.VALUE, 5, decision="review"), four).is_wrong_and_accepted
    assert not judge_cell(field(CellState.VALUE, 4), four).is_wrong_and_accepted


@pytest.mark.parametrize(
    ("found", "stated", "verdict"),
    [
        (field(CellState.VALUE, 12), 12, "right"),
        (field(CellState.VALUE, 13), 12, "wrong"),
        (None, 12, "missing"),
        (None, None, "right"),
        (field(CellState.VALUE, 0), None, "wrong"),
        (field(CellState.VALUE, "2024-01-16"), "2024-01-16", "right"),
    ],
)
def test_verdict_on_a_fact(found: RecordField | None, stated: object, verdict: str) -> None:
    fields = {"narrative.website_items": found} if found else {}
    (outcome,) = judge_fields(record(fields), label(facts={"narrative.website_items": stated}))
    assert (outcome.verdict, outcome.is_table, outcome.expected is None) == (verdict, False, stated is None)


def test_without_a_record_everything_is_missing_even_what_the_text_does_not_state() -> None:
    known = label({CELL: LabelledCell(CellState.BLANK)}, {"header.title": "x", "header.website": None})
    outcomes = list(judge_fields(None, known))
    assert {(outcome.verdict, outcome.is_accepted) for outcome in outcomes} == {("missing", False)}
    assert len(outcomes) == 3


def test_cell_that_the_label_does_not_have_is_invented() -> None:
    found = record({"applications.other_result.merged.total": field(CellState.VALUE, 1)})
    (outcome,) = judge_fields(found, label())
    assert (outcome.verdict, outcome.expected, outcome.is_wrong_and_accepted) == ("invented", None, True)


def test_accepted_field_that_no_label_judges_is_listed() -> None:
    """A fact without a key in the label, a table without a label; quotes and what is in review are left out."""
    names = ("narrative.reviews", "header.title", "narrative.problems.1", "narrative.measures.2")
    found = {name: field(CellState.VALUE, 1) for name in (*names, CELL, "review_litigation.review.total")}
    found["narrative.litigations"] = field(CellState.VALUE, 1, decision="review")
    known = label({CELL: LabelledCell(CellState.VALUE, 1)}, {"header.title": None})
    assert list(list_unjudged(record(found), known)) == ["narrative.reviews", "review_litigation.review.total"]


def test_codes_of_the_findings_that_name_a_field_are_kept_once() -> None:
    flags = (make_flag("cut-off", fields=[CELL]), make_flag("cut-off", fields=[CELL]), make_flag("row-repeated"))
    found = record({CELL: field(CellState.VALUE, 4, decision="review")}, flags)
    (outcome,) = judge_fields(found, label({CELL: LabelledCell(CellState.VALUE, 4)}))
    assert outcome.flags == ("cut-off",)


@given(st.integers(-5, 5), st.integers(-5, 5), st.booleans())
def test_only_the_printed_number_is_right(printed: int, said: int, is_accepted: bool) -> None:
    decision = "accepted" if is_accepted else "review"
    outcome = judge_cell(field(CellState.VALUE, said, decision=decision), LabelledCell(CellState.VALUE, printed))
    assert (outcome.verdict == "right") is (printed == said)
    assert outcome.is_wrong_and_accepted is (is_accepted and printed != said)
    assert outcome.is_nonzero is (printed != 0)
