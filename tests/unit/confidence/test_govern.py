"""What a certificate may decide: nothing that doubts the reading, and all that doubts the number alone."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.confidence.decide import SOFT_CODES, decide_fields
from extractor.confidence.features import FEATURES, measure_features
from extractor.confidence.govern import govern_record
from extractor.flags import CATALOGUE
from extractor.model import CellState, Record, Span
from extractor.pipeline import process_document
from tests.unit.confidence.certificates import THRESHOLD, make_certificate
from tests.unit.confidence.records import A, B, field, flag, record
from tests.unit.readers.llm.scripted import load, numbers, print_form

HARD_CODES = sorted(set(CATALOGUE) - SOFT_CODES)
CHANCES = st.floats(1e-12, 1 - 1e-12)


def decide(before: Record, p_wrong: float, **changes: Any) -> str:
    return govern_record(before, make_certificate(p_wrong, **changes)).fields[A].decision


# ---------------------------------------------------------------- findings


@given(code=st.sampled_from(HARD_CODES), also=st.lists(st.sampled_from(sorted(CATALOGUE))), p_wrong=CHANCES)
def test_a_finding_about_the_reading_is_never_overruled(code: str, also: list[str], p_wrong: float) -> None:
    doubted = record({A: field(decision="review")}, tuple(flag(one, A) for one in (code, *also)))
    assert decide(doubted, p_wrong) == "review"


@given(codes=st.sets(st.sampled_from(sorted(SOFT_CODES))), p_wrong=CHANCES)
def test_findings_about_the_number_leave_the_word_to_the_threshold(codes: set[str], p_wrong: float) -> None:
    doubted = record({A: field(decision="review" if codes else "accepted")}, tuple(flag(one, A) for one in codes))
    assert decide(doubted, p_wrong) == ("accepted" if _says(doubted, p_wrong) <= THRESHOLD else "review")


def _says(before: Record, p_wrong: float) -> float:
    return make_certificate(p_wrong).scorer.p_wrong(measure_features(before)[A])


def test_a_code_is_hard_until_it_is_called_soft() -> None:
    """A new code lands here by itself; whoever softens one changes this list, too."""
    assert sorted(SOFT_CODES) == [
        "equation-failed",
        "error-not-located",
        "narrative-differs",
        "narrative-parts-differ",
        "narrative-share-differs",
        "source-inconsistent",
        "value-suspected",
    ]


# ---------------------------------------------------------------- states and places


@given(state=st.sampled_from(CellState), has_span=st.booleans(), p_wrong=CHANCES)
def test_what_is_not_known_or_not_shown_is_never_accepted(state: CellState, has_span: bool, p_wrong: float) -> None:
    one = field(state=state, spans=(Span(1, 2),) if has_span else (), decision="review")
    accepted = govern_record(record({A: one}), make_certificate(p_wrong)).fields[A].decision == "accepted"
    assert not accepted or decide_fields({A: one}, ()) == {A: "accepted"}  # type: ignore[dict-item]


def test_a_hard_finding_of_another_field_is_no_matter() -> None:
    after = govern_record(record({A: field(), B: field()}, (flag("unit-differs", B),)), make_certificate(0.01))
    assert (after.fields[A].decision, after.fields[B].decision) == ("accepted", "review")


# ---------------------------------------------------------------- the threshold


def test_the_threshold_itself_is_accepted_and_the_next_number_is_not() -> None:
    before = record({A: field()})
    (p_wrong,) = {make_certificate(THRESHOLD).scorer.p_wrong(values) for values in measure_features(before).values()}
    tested = [{**make_certificate().tested[0].model_dump(), "threshold": p_wrong}]
    assert decide(before, THRESHOLD, tested=tested, threshold=p_wrong) == "accepted"
    lower = math.nextafter(p_wrong, 0)
    tested[0]["threshold"] = lower
    assert decide(before, THRESHOLD, tested=tested, threshold=lower) == "review"


@pytest.mark.parametrize(
    "changes", [{"threshold": None}, {"ranks": False}, {"documents": {"re-set": 120}}, {"replies": ["simulated"]}]
)
def test_without_leave_to_govern_the_chances_are_told_and_decide_nothing(changes: dict[str, Any]) -> None:
    before = record({A: field(decision="review"), B: field()}, (flag("equation-failed", A),))
    after = govern_record(before, make_certificate(0.02, **changes))
    assert {name: one.decision for name, one in after.fields.items()} == {A: "review", B: "accepted"}
    assert [round(one.p_wrong or 0, 9) for one in after.fields.values()] == [0.02, 0.02]


# ---------------------------------------------------------------- the whole way


def misprinted() -> Record:
    printed = numbers()
    printed[A] = str(int(printed[A]) + 1)
    return process_document(print_form("tab_rows", printed))


def test_a_report_that_does_not_add_up_is_accepted_as_printed_when_the_chance_is_small() -> None:
    before = misprinted()
    assert before.fields[A].decision == "review"
    assert {one.code for one in before.flags if A in one.fields} <= SOFT_CODES
    after = govern_record(before, make_certificate(0.01))
    assert after.fields[A].decision == "accepted"
    assert (after.fields[A].value, after.flags, after.status) == (before.fields[A].value, before.flags, before.status)
    unsure = govern_record(before, make_certificate(0.01, weights={"equations_failed": 4.0}))
    assert unsure.fields[A].decision == "review"
    assert unsure.fields["review_litigation.review.total"].decision == "accepted"


def test_nothing_but_chance_and_decision_changes() -> None:
    before = misprinted()
    after = govern_record(before, make_certificate(0.01))
    stripped = {"p_wrong", "decision"}
    assert after.model_dump(exclude={"fields": {"__all__": stripped}}) == before.model_dump(
        exclude={"fields": {"__all__": stripped}}
    )
    assert before == misprinted()  # and the record itself is as it was


def test_the_pipeline_governs_by_the_certificate_that_it_is_given() -> None:
    document = print_form("tab_rows")
    certificate = make_certificate(0.5)
    record_ = process_document(document, (), certificate)
    assert record_ == govern_record(process_document(document), certificate)
    assert {one.decision for one in record_.fields.values()} == {"review"}
    assert all(one.p_wrong is None for one in process_document(document).fields.values())


def test_fields_of_an_uncertain_state_have_no_chance() -> None:
    lost = load("某市民政局2023年政府信息公开工作年度报告\n一、总体情况\n")
    after = process_document(lost, (), make_certificate(0.01))
    assert set(measure_features(after)) == {name for name, one in after.fields.items() if one.p_wrong is not None}
    open_ = record({A: field(state=CellState.UNPARSABLE, decision="review")})
    assert govern_record(open_, make_certificate()).fields == open_.fields


def test_the_scorer_is_asked_in_the_order_of_its_features() -> None:
    before = record({A: field(), B: field(None, state=CellState.BLANK)})
    after = govern_record(before, make_certificate(0.01, weights={"is_blank": 3.0}))
    assert after.fields[B].p_wrong == pytest.approx(1 / (1 + 99 * math.exp(-3)))
    assert after.fields[A].p_wrong == pytest.approx(0.01)
    assert FEATURES.index("is_blank") != 0
