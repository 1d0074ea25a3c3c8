"""The text against the tables: flagged only where no reading of the phrase fits."""

from __future__ import annotations

from decimal import Decimal

import pytest

from extractor.model import Candidate, CellState, Span, Value
from extractor.reconcile import Merged, compare_narrative
from extractor.reconcile.narrative import COMPARISONS

A, R = "applications", "review_litigation"
TABLE = {
    f"{A}.new_received.total": 70,
    f"{A}.carried_in.total": 4,
    f"{A}.results_total.total": 71,
    f"{R}.review.total": 26,
    f"{R}.litigation_direct.total": 12,
    f"{R}.litigation_after_review.total": 8,
}


def merged(fact: str, stated: Value, **changes: Merged) -> dict[str, Merged]:
    cells = {name: cell(value, i) for i, (name, value) in enumerate(TABLE.items())}
    return {**cells, f"narrative.{fact}": cell(stated, 90), **changes}


def cell(value: Value | None, at: int = 0, state: CellState = CellState.VALUE) -> Merged:
    return Merged(Candidate(state=state, value=value, spans=(Span(at, at + 1),)), ())


FITS = {
    "applications_received": (70, 74),
    "applications_answered": (71,),
    "reviews": (26,),
    "litigations": (20, 12, 8, 46),
}
DIFFERS = {
    "applications_received": (69, 4, 71, 0),
    "applications_answered": (70, 74, 0),
    "reviews": (20, 46, 0),
    "litigations": (26, 34, 38, 0),
}


def test_every_comparison_has_its_cases() -> None:
    assert {comparison.fact for comparison in COMPARISONS} == set(FITS) == set(DIFFERS)


@pytest.mark.parametrize(("fact", "stated"), [(fact, value) for fact, values in FITS.items() for value in values])
def test_every_reading_that_real_reports_use_fits(fact: str, stated: int) -> None:
    """收到 N 件 is the new ones, or together with those carried in; 诉讼 N 件 one kind, both, or 复议 too."""
    assert compare_narrative(merged(fact, stated)) == ()


@pytest.mark.parametrize(("fact", "stated"), [(fact, value) for fact, values in DIFFERS.items() for value in values])
def test_what_fits_no_reading_is_flagged_with_the_fact_and_its_cells(fact: str, stated: int) -> None:
    (flag,) = compare_narrative(merged(fact, stated))
    readings = next(comparison.readings for comparison in COMPARISONS if comparison.fact == fact)
    cells = list(dict.fromkeys(term for terms in readings for term in terms))
    assert (flag.code, flag.severity) == ("narrative-differs", "warning")
    assert flag.fields == (f"narrative.{fact}", *cells)
    assert flag.spans[0] == Span(90, 91)
    assert len(flag.spans) == 1 + len(cells)


def test_the_message_names_what_is_stated_and_every_sum_that_it_may_be() -> None:
    (flag,) = compare_narrative(merged("applications_received", 5))
    assert "5" in flag.message.en
    assert "70 / 74" in flag.message.en
    assert "70 / 74" in flag.message.zh


@pytest.mark.parametrize("fact", sorted(FITS))
@pytest.mark.parametrize(
    "state", [CellState.BLANK, CellState.POSITION_UNKNOWN, CellState.UNPARSABLE, CellState.NA_MARK]
)
def test_cells_that_are_no_values_say_nothing(fact: str, state: CellState) -> None:
    cells = {name: cell(None, state=state) for name in TABLE}
    assert compare_narrative({**cells, f"narrative.{fact}": cell(5)}) == ()


@pytest.mark.parametrize("fact", sorted(FITS))
def test_tables_that_are_not_there_say_nothing(fact: str) -> None:
    assert compare_narrative({f"narrative.{fact}": cell(5)}) == ()


def test_a_comparison_of_which_one_reading_cannot_be_evaluated_says_nothing() -> None:
    """5 may be the new ones with an unread number of those carried in."""
    unread = {f"{A}.carried_in.total": cell(None, state=CellState.POSITION_UNKNOWN)}
    assert compare_narrative(merged("applications_received", 75, **unread)) == ()


@pytest.mark.parametrize("fact", sorted(FITS))
def test_a_fact_that_is_not_stated_is_not_compared(fact: str) -> None:
    cells = {name: cell(value) for name, value in TABLE.items()}
    assert compare_narrative(cells) == ()
    assert compare_narrative({**cells, f"narrative.{fact}": cell(5, state=CellState.UNPARSABLE)}) == ()
    assert compare_narrative({**cells, f"narrative.{fact}": cell(Decimal("5.5"))}) == ()


def test_several_facts_give_a_flag_each() -> None:
    flags = compare_narrative({**merged("reviews", 1), "narrative.litigations": cell(1)})
    assert [flag.fields[0] for flag in flags] == ["narrative.reviews", "narrative.litigations"]


# ---------------------------------------------------------------- who found the number in the text


def fact_of(stated: Value, reader: str, confirmed_by: tuple[str, ...] = ()) -> Merged:
    candidate = Candidate(state=CellState.VALUE, value=stated, spans=(Span(90, 91),), reader=reader)
    return Merged(candidate, (), confirmed_by)


def test_a_number_that_the_model_alone_found_says_nothing_against_the_table() -> None:
    """It may be a part, or another year's: it flags itself, and the cells stay accepted."""
    (flag,) = compare_narrative({**merged("reviews", 5), "narrative.reviews": fact_of(5, "llm")})
    assert flag.fields == ("narrative.reviews",)


@pytest.mark.parametrize(("reader", "confirmed_by"), [("template", ()), ("template", ("llm",)), ("llm", ("template",))])
def test_a_number_that_a_rule_found_too_does(reader: str, confirmed_by: tuple[str, ...]) -> None:
    (flag,) = compare_narrative({**merged("reviews", 5), "narrative.reviews": fact_of(5, reader, confirmed_by)})
    assert flag.fields == ("narrative.reviews", f"{R}.review.total")


def test_a_number_of_the_model_that_fits_is_no_finding() -> None:
    assert compare_narrative({**merged("reviews", 26), "narrative.reviews": fact_of(26, "llm")}) == ()
