"""What is accepted without a person: only what is certain, grounded and undoubted."""

from __future__ import annotations

import pytest

from extractor.confidence import decide_fields
from extractor.flags import make_flag
from extractor.model import Candidate, CellState, Span

SPAN = (Span(3, 4),)
CERTAIN = {CellState.VALUE, CellState.NA_MARK, CellState.BLANK, CellState.ROW_ABSENT}
FIELD = "applications.granted.total"


def decide(candidate: Candidate, *flags: object) -> str:
    return decide_fields({FIELD: candidate}, flags)[FIELD]  # type: ignore[arg-type]


@pytest.mark.parametrize("state", list(CellState))
def test_only_certain_states_are_accepted(state: CellState) -> None:
    assert decide(Candidate(state=state, value=1, spans=SPAN)) == ("accepted" if state in CERTAIN else "review")


@pytest.mark.parametrize("state", list(CellState))
def test_nothing_is_accepted_without_a_place_in_the_source_but_a_row_that_is_not_there(state: CellState) -> None:
    expected = "accepted" if state is CellState.ROW_ABSENT else "review"
    assert decide(Candidate(state=state, value=1)) == expected


@pytest.mark.parametrize("state", sorted(CERTAIN))
@pytest.mark.parametrize("code", ["unit-differs", "sections-out-of-order"])
def test_any_flag_that_names_a_field_sends_it_to_review(state: CellState, code: str) -> None:
    """Whatever the flag's severity."""
    flag = make_flag(code, fields=(FIELD,), raw="5元")
    assert decide(Candidate(state=state, value=1, spans=SPAN), flag) == "review"


def test_a_failed_equation_sends_all_its_fields_to_review() -> None:
    flag = make_flag("equation-failed", fields=("a", "b"), id="E1", left=1, right=2)
    printed = {name: Candidate(state=CellState.VALUE, value=1, spans=SPAN) for name in ("a", "b", "c")}
    assert decide_fields(printed, [flag]) == {"a": "review", "b": "review", "c": "accepted"}


def test_a_flag_that_names_no_field_or_others_changes_nothing() -> None:
    value = Candidate(state=CellState.VALUE, value=1, spans=SPAN)
    assert decide(value, make_flag("sections-out-of-order")) == "accepted"
    assert decide(value, make_flag("row-repeated", fields=("applications.granted.business",))) == "accepted"


def test_zero_is_a_value_like_any_other() -> None:
    assert decide(Candidate(state=CellState.VALUE, value=0, spans=SPAN)) == "accepted"
