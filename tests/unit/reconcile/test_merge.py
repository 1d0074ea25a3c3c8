"""Several readings: the first that has a field says what is printed, and nothing is lost."""

from __future__ import annotations

from extractor.model import Candidate, CellState, Reading, Value
from extractor.reconcile import merge_readings


def candidate(value: Value, reader: str) -> Candidate:
    return Candidate(state=CellState.VALUE, value=value, raw=str(value), reader=reader)


def reading(reader: str, **fields: tuple[Value, ...]) -> Reading:
    candidates = {
        name.replace("__", "."): tuple(candidate(value, reader) for value in values) for name, values in fields.items()
    }
    return Reading(reader, {}, candidates)


def test_the_first_candidate_of_the_first_reading_is_printed() -> None:
    merged = merge_readings([reading("template", narrative__reviews=(1, 2)), reading("llm", narrative__reviews=(3,))])
    printed, losing, _ = merged["narrative.reviews"]
    assert (printed.value, printed.reader) == (1, "template")
    assert [(one.value, one.reader) for one in losing] == [(2, "template"), (3, "llm")]


def test_a_field_that_only_a_later_reading_has_is_kept() -> None:
    merged = merge_readings([reading("template", header__title=("甲",)), reading("llm", narrative__reviews=(3,))])
    assert merged["narrative.reviews"].printed.reader == "llm"
    assert merged["narrative.reviews"].losing == ()


def test_the_order_is_header_then_tables_then_narrative_and_within_them_that_of_the_readings() -> None:
    fields = {
        "narrative__reviews": (1,),
        "review_litigation__review__total": (1,),
        "applications__new_received__total": (1,),
        "applications__granted__total": (1,),
        "proactive_disclosure__licences__decisions": (1,),
        "header__title": ("甲",),
    }
    assert list(merge_readings([reading("template", **fields)])) == [
        "header.title",
        "proactive_disclosure.licences.decisions",
        "applications.new_received.total",
        "applications.granted.total",
        "review_litigation.review.total",
        "narrative.reviews",
    ]


def test_no_reading_gives_no_field() -> None:
    assert merge_readings([]) == {}
    assert merge_readings([Reading("template", {}, {})]) == {}
