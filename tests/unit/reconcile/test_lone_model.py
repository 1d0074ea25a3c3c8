"""What a model reads alone: taken where something else vouches for it, doubted where nothing does."""

from __future__ import annotations

import pytest

from extractor.model import Candidate, CellState, EquationOutcome, EquationResult, Span, Value
from extractor.reconcile import Merged, doubt_lone_model

A, P, R = "applications.granted.total", "proactive_disclosure.licences.decisions", "review_litigation.review.total"
OTHER = "applications.granted.business"
PLACE = (Span(3, 4),)


def entry(
    value: Value | None = 3,
    state: CellState = CellState.VALUE,
    *,
    reader: str = "llm",
    spans: tuple[Span, ...] = PLACE,
    confirmed_by: tuple[str, ...] = (),
) -> Merged:
    return Merged(Candidate(state, value, None, str(value), spans, reader), (), confirmed_by)


def equation(result: EquationOutcome, *fields: str) -> EquationResult:
    return EquationResult("E", result, 0, fields)


def doubted(field_id: str, printed: Merged, *equations: EquationResult) -> bool:
    flags = doubt_lone_model({field_id: printed}, equations)
    assert [(flag.code, flag.fields) for flag in flags] in ([], [("model-alone", (field_id,))])
    return bool(flags)


# ---------------------------------------------------------------- equations


def test_a_value_in_equations_that_all_hold_is_not_doubted() -> None:
    assert not doubted(A, entry(), equation("pass", A, OTHER), equation("pass", A))


@pytest.mark.parametrize("result", ["fail", "not_evaluable"])
def test_one_equation_that_fails_or_cannot_be_evaluated_leaves_it_doubted(result: EquationOutcome) -> None:
    assert doubted(A, entry(), equation("pass", A, OTHER), equation(result, A))
    assert doubted(A, entry(), equation(result, A), equation("pass", A, OTHER))


def test_a_value_in_no_equation_is_doubted() -> None:
    assert doubted(A, entry())
    assert doubted(A, entry(), equation("pass", OTHER))
    assert doubted(A, entry(0))


@pytest.mark.parametrize("state", [CellState.BLANK, CellState.NA_MARK])
def test_what_is_no_number_stands_in_no_equation_that_holds(state: CellState) -> None:
    assert doubted(A, entry(None, state), equation("not_evaluable", A))


# ---------------------------------------------------------------- tables with few equations


@pytest.mark.parametrize("field_id", [P, R])
@pytest.mark.parametrize("value", [1, -1, 138])
def test_a_number_of_sections_two_and_four_is_doubted_even_where_a_row_sum_holds(field_id: str, value: int) -> None:
    """The sum of a row holds as well where all of the row is another row's."""
    assert doubted(field_id, entry(value), equation("pass", field_id))


@pytest.mark.parametrize("field_id", [P, R])
@pytest.mark.parametrize(
    "printed", [entry(0), entry(None, CellState.BLANK), entry(None, CellState.NA_MARK)], ids=["0", "blank", "mark"]
)
def test_there_a_zero_or_nothing_in_a_certain_place_is_not_doubted(field_id: str, printed: Merged) -> None:
    assert not doubted(field_id, printed)


def test_a_zero_of_an_indicator_table_is_doubted() -> None:
    """Nothing shows under which heading it stands: 行政复议数|件||0 prints nothing for the year."""
    assert doubted("indicators.2.this_year", entry(0))


def test_a_number_of_an_indicator_table_is_doubted() -> None:
    assert doubted("indicators.2.this_year", entry(86))


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    "field_id", ["narrative.problems.1", "narrative.measures.12", "indicators.1.label", "indicators.1.unit"]
)
def test_a_quote_is_what_it_says_whoever_found_it(field_id: str) -> None:
    assert not doubted(field_id, entry("更新不够及时"))


def test_a_number_where_a_unit_should_stand_is_doubted() -> None:
    """主动公开信息数||86|340: the unit is not printed, and 86 is the year's number."""
    assert doubted("indicators.1.unit", entry("86"))


@pytest.mark.parametrize("field_id", ["header.title", "header.report_year", "narrative.reviews"])
def test_other_facts_are_doubted(field_id: str) -> None:
    """The words are printed; whether they are the title, the model alone says."""
    assert doubted(field_id, entry("某某市水务局"))
    assert doubted(field_id, entry(0))


# ---------------------------------------------------------------- who read it, and where


def test_what_another_reader_read_the_same_is_not_doubted() -> None:
    assert not doubted(A, entry(confirmed_by=("template",)))


def test_what_another_reader_read_is_not_looked_at() -> None:
    assert not doubted(A, entry(reader="template"))


@pytest.mark.parametrize("field_id", [A, P])
def test_what_has_no_place_in_the_source_is_doubted(field_id: str) -> None:
    assert doubted(field_id, entry(0, spans=()), equation("pass", field_id))


@pytest.mark.parametrize("state", [CellState.ROW_ABSENT, CellState.NOT_READ, CellState.UNPARSABLE])
@pytest.mark.parametrize("field_id", [A, P])
def test_what_was_not_read_is_doubted(field_id: str, state: CellState) -> None:
    assert doubted(field_id, entry(None, state), equation("pass", field_id))


def test_one_flag_names_all_fields_with_their_first_places() -> None:
    merged = {A: entry(), OTHER: entry(spans=(Span(7, 8), Span(9, 10))), P: entry(0)}
    (flag,) = doubt_lone_model(merged, ())
    assert (flag.fields, flag.spans) == ((A, OTHER), (Span(3, 4), Span(7, 8)))


# ---------------------------------------------------------------- the image model


@pytest.mark.parametrize("field_id", [A, P, R])
@pytest.mark.parametrize(
    "state", [CellState.VALUE, CellState.BLANK, CellState.NA_MARK, CellState.UNPARSABLE], ids=lambda state: state.value
)
@pytest.mark.parametrize("value", [0, 138])
def test_what_an_image_model_alone_saw_is_always_doubted(field_id: str, state: CellState, value: int) -> None:
    """Also a 0 in a certain place, and also where every equation holds with it."""
    printed = entry(value if state is CellState.VALUE else None, state, reader="vision")
    assert doubted(field_id, printed, equation("pass", field_id, OTHER))


def test_what_another_model_read_alike_is_not() -> None:
    """The text of the OCR, and the image: two ways from the ink."""
    assert not doubted(P, entry(138, confirmed_by=("vision",)))
