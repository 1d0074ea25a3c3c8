"""Equations confronted with values: a missing term is never 0, and only bounds may then be broken."""

from __future__ import annotations

from decimal import Decimal

import flatten
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.forms import load_forms
from extractor.model import Candidate, CellState, EquationResult, Span, Value
from extractor.reconcile import Merged, evaluate_equations

G = {"review_litigation": "2021"}
R = "review_litigation.review"
PARTS = ("upheld", "corrected", "other_result", "pending")


def cell(value: Value | None, state: CellState = CellState.VALUE) -> Merged:
    return Merged(Candidate(state=state, value=value, raw=str(value), spans=(Span(1, 2),)), ())


def review(*parts: Value | None, total: Value | None) -> dict[str, Merged]:
    """行政复议's cells; None is a cell that is not there."""
    named = zip((*PARTS, "total"), (*parts, total), strict=True)
    return {f"{R}.{name}": cell(value) for name, value in named if value is not None}


def evaluate(merged: dict[str, Merged], *assumed: str) -> EquationResult:
    """E4[review]."""
    results = evaluate_equations(merged, G, frozenset(assumed))
    return next(result for result in results if result.id == "E4[review]")


def test_an_equation_that_holds_passes_with_residual_zero() -> None:
    result = evaluate(review(1, 2, 0, 3, total=6))
    assert (result.result, result.residual, result.verdict) == ("pass", 0, None)
    assert result.fields == tuple(f"{R}.{name}" for name in (*PARTS, "total"))


@pytest.mark.parametrize(("total", "residual"), [(5, 1), (7, -1), (0, 6)])
def test_an_equation_that_does_not_hold_fails_with_left_minus_right(total: int, residual: int) -> None:
    result = evaluate(review(1, 2, 0, 3, total=total))
    assert (result.result, result.residual) == ("fail", residual)


@pytest.mark.parametrize(
    "state",
    [state for state in CellState if state is not CellState.VALUE],
)
def test_a_term_that_is_no_value_makes_it_not_evaluable_even_where_zero_would_do(state: CellState) -> None:
    """0 + 0 + ? + 0 = 0 is not known to hold, whatever stands in the cell."""
    merged = review(0, 0, 0, 0, total=0) | {f"{R}.other_result": cell(0, state)}
    result = evaluate(merged)
    assert (result.result, result.residual) == ("not_evaluable", None)


def test_a_missing_term_is_never_zero() -> None:
    assert evaluate(review(1, 2, None, 3, total=6)).result == "not_evaluable"
    assert evaluate(review(1, 2, 0, 3, total=None)).result == "not_evaluable"
    assert evaluate(review(None, None, None, None, total=None)).result == "not_evaluable"
    assert evaluate({}).result == "not_evaluable"


def test_known_parts_over_a_known_whole_break_the_bound() -> None:
    result = evaluate(review(5, None, 0, 3, total=6))
    assert (result.result, result.residual) == ("fail", 2)


def test_a_known_left_side_under_known_parts_of_the_right_breaks_the_bound() -> None:
    """一 + 二 = (七) + 四: the sum cannot be smaller than one of the right terms."""
    names = {"new_received": 1, "carried_in": 1, "results_total": 3}
    merged = {f"applications.{name}.total": cell(value) for name, value in names.items()}
    results = evaluate_equations(merged, {"applications": "2021"})
    broken = next(result for result in results if result.id == "E1[total]")
    assert (broken.result, broken.residual) == ("fail", -1)


@pytest.mark.parametrize("merged", [review(5, None, 0, 1, total=6), review(None, None, None, 9, total=None)])
def test_a_bound_that_is_not_broken_says_nothing(merged: dict[str, Merged]) -> None:
    assert evaluate(merged).result == "not_evaluable"


def test_parts_missing_on_both_sides_say_nothing_however_large_the_rest() -> None:
    names = {"new_received": 1, "results_total": 100}
    merged = {f"applications.{name}.total": cell(value) for name, value in names.items()}
    results = evaluate_equations(merged, {"applications": "2021"})
    assert next(result for result in results if result.id == "E1[total]").result == "not_evaluable"


def test_decimals_are_added_exactly() -> None:
    passing = review(Decimal("0.1"), Decimal("0.2"), 0, 0, total=Decimal("0.3"))
    assert evaluate(passing).result == "pass"
    result = evaluate(review(Decimal("0.1"), 0, 0, 0, total=0))
    assert (result.result, result.residual) == ("fail", Decimal("0.1"))


def test_text_is_no_amount() -> None:
    assert evaluate(review("1", 0, 0, 0, total=1)).result == "not_evaluable"


def test_only_tables_that_the_document_has_are_evaluated() -> None:
    assert evaluate_equations({}, {"applications": "absent", "review_litigation": "pre2019"}) == ()
    assert len(evaluate_equations({}, {"proactive_disclosure": "2021"})) == 0
    assert len(evaluate_equations({}, {"applications": "2021", "review_litigation": "2019"})) == 42
    assert len(evaluate_equations({}, {"applications": "2019", "review_litigation": "2021"})) == 40


@pytest.mark.parametrize("generation", ["2021", "2019"])
def test_a_balanced_report_passes_all_its_equations(generation: str) -> None:
    merged = {name: cell(value) for name, value in flatten.make_values(generation, 4).items()}
    results = evaluate_equations(merged, dict.fromkeys(load_forms().generations[generation].sections, generation))
    assert {result.result for result in results} == {"pass"}
    assert {result.residual for result in results} == {0}


_FIELDS = [item.id for item in load_forms().generations["2021"].sections["applications"].fields]


@given(st.sampled_from(_FIELDS), st.integers(1, 50))
def test_any_single_wrong_cell_of_section_three_fails_exactly_its_own_equations(name: str, error: int) -> None:
    values = flatten.make_values("2021", 4)
    merged = {key: cell(value) for key, value in values.items()} | {name: cell(values[name] + error)}
    results = evaluate_equations(merged, {"applications": "2021", "review_litigation": "2021"})
    failed = {result.id for result in results if result.result == "fail"}
    assert failed == {result.id for result in results if name in result.fields}
    assert len(failed) >= 2
    assert {abs(result.residual or 0) for result in results if result.id in failed} == {error}


def test_an_equation_from_which_values_were_inferred_says_nothing_about_them() -> None:
    inferred = {
        name: cell(one.printed.value, CellState.INFERRED_BY_EQUATION)
        for name, one in review(1, 2, 0, 3, total=6).items()
    }
    assert evaluate(inferred, "E4[review]").result == "assumed"
    assert evaluate(inferred).result == "not_evaluable"
