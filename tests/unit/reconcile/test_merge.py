"""Any number of readings: one says what is printed by its rank, others confirm or contradict it."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.flags import make_flag
from extractor.model import Candidate, CellState, Flag, Reading, Span, Unit, Value
from extractor.reconcile import (
    Merged,
    compare_readings,
    join_flags,
    merge_generations,
    merge_readings,
    order_readings,
)
from extractor.reconcile.merge import MOST_LOSING

CELL = "applications.granted.total"
PLACE = (Span(3, 5),)
CERTAIN = (CellState.VALUE, CellState.NA_MARK, CellState.BLANK, CellState.ROW_ABSENT)


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


# ---------------------------------------------------------------- a second reading


def found(
    state: CellState,
    value: Value | None = None,
    *,
    unit: Unit | None = None,
    spans: tuple[Span, ...] = PLACE,
    reader: str = "template",
) -> Candidate:
    raw = None if value is None else str(value)
    return Candidate(state, value, unit, raw, spans if state is not CellState.ROW_ABSENT else (), reader)


def two_readings(first: Candidate, *second: Candidate) -> list[Reading]:
    return [Reading("template", {}, {CELL: (first,)}), Reading("llm", {}, {CELL: second})]


def merged_of(first: Candidate, *second: Candidate) -> Merged:
    return merge_readings(two_readings(first, *second))[CELL]


def differences(first: Candidate, *second: Candidate) -> list[Flag]:
    return list(compare_readings(merge_readings(two_readings(first, *second))))


@pytest.mark.parametrize("state", [CellState.VALUE, CellState.NA_MARK, CellState.BLANK, CellState.ROW_ABSENT])
def test_a_reading_of_the_same_confirms_and_is_no_losing_one(state: CellState) -> None:
    value = 3 if state is CellState.VALUE else None
    printed, losing, confirmed_by = merged_of(found(state, value), found(state, value, reader="llm"))
    assert (printed.reader, losing, confirmed_by) == ("template", (), ("llm",))
    assert differences(found(state, value), found(state, value, reader="llm")) == []


@pytest.mark.parametrize("state", [CellState.POSITION_UNKNOWN, CellState.NOT_READ, CellState.UNPARSABLE])
def test_that_two_cannot_read_a_cell_confirms_nothing(state: CellState) -> None:
    assert merged_of(found(state), found(state, reader="llm")).confirmed_by == ()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(found(CellState.VALUE, 3), found(CellState.VALUE, 4, reader="llm"), id="numbers"),
        pytest.param(found(CellState.VALUE, 0), found(CellState.BLANK, reader="llm"), id="0 and blank"),
        pytest.param(found(CellState.BLANK), found(CellState.VALUE, 0, reader="llm"), id="blank and 0"),
        pytest.param(found(CellState.NA_MARK), found(CellState.VALUE, 0, reader="llm"), id="a mark and 0"),
        pytest.param(found(CellState.VALUE, 3), found(CellState.ROW_ABSENT, reader="llm"), id="no such row"),
        pytest.param(found(CellState.ROW_ABSENT), found(CellState.VALUE, 3, reader="llm"), id="a row after all"),
        pytest.param(
            found(CellState.VALUE, 3, unit="wan"), found(CellState.VALUE, 3, unit="yuan", reader="llm"), id="units"
        ),
    ],
)
def test_what_two_readings_are_sure_of_and_read_differently_is_flagged(first: Candidate, second: Candidate) -> None:
    (flag,) = differences(first, second)
    assert (flag.code, flag.fields) == ("reader-disagreement", (CELL,))
    assert "template: " in flag.message.en
    assert "llm: " in flag.message.en
    assert merged_of(first, second).confirmed_by == ()


def test_the_printed_value_stays_that_of_the_first_reading() -> None:
    printed, losing, _ = merged_of(found(CellState.VALUE, 3), found(CellState.VALUE, 4, reader="llm"))
    assert (printed.value, printed.reader) == (3, "template")
    assert [(one.value, one.reader) for one in losing] == [(4, "llm")]


def test_both_places_are_shown() -> None:
    second = found(CellState.VALUE, 4, spans=(Span(8, 9), Span(20, 21)), reader="llm")
    (flag,) = differences(found(CellState.VALUE, 3), second)
    assert flag.spans == (Span(3, 5), Span(8, 9))


@pytest.mark.parametrize(
    ("unit", "other"), [(None, None), ("wan", None), (None, "wan"), ("wan", "wan"), ("unknown", "unknown")]
)
def test_units_count_only_where_both_name_one(unit: Unit | None, other: Unit | None) -> None:
    first, second = found(CellState.VALUE, 3, unit=unit), found(CellState.VALUE, 3, unit=other, reader="llm")
    assert merged_of(first, second).confirmed_by == ("llm",)
    assert differences(first, second) == []


def test_decimals_are_compared_as_numbers() -> None:
    first = found(CellState.VALUE, Decimal("2.50"))
    assert merged_of(first, found(CellState.VALUE, Decimal("2.5"), reader="llm")).confirmed_by == ("llm",)
    assert len(differences(first, found(CellState.VALUE, Decimal("2.51"), reader="llm"))) == 1


def test_words_are_compared_without_spaces_and_punctuation() -> None:
    first = found(CellState.VALUE, "某某市 水务局")
    assert merged_of(first, found(CellState.VALUE, "某某市水务局", reader="llm")).confirmed_by == ("llm",)
    assert len(differences(first, found(CellState.VALUE, "某某市林业局", reader="llm"))) == 1


@pytest.mark.parametrize("state", [CellState.NOT_READ, CellState.ROW_ABSENT, CellState.UNPARSABLE])
@pytest.mark.parametrize("second", [CellState.VALUE, CellState.BLANK, CellState.NA_MARK])
def test_a_cell_that_the_first_did_not_find_is_taken_from_the_second(state: CellState, second: CellState) -> None:
    printed, losing, confirmed_by = merged_of(found(state), found(second, 3, reader="llm"))
    assert (printed.state, printed.reader) == (second, "llm")
    assert [one.state for one in losing] == [state]
    assert confirmed_by == ()


def test_it_is_not_taken_without_a_place_in_the_source() -> None:
    printed = merged_of(found(CellState.NOT_READ), found(CellState.VALUE, 3, spans=(), reader="llm")).printed
    assert printed.state is CellState.NOT_READ


def test_it_is_not_taken_from_what_the_second_only_proposes() -> None:
    """Its own state says that it could not read the cell; what stands behind that is for a person."""
    second = (found(CellState.NOT_READ, reader="llm"), found(CellState.VALUE, 3, reader="llm"))
    printed, losing, confirmed_by = merged_of(found(CellState.NOT_READ), *second)
    assert printed.state is CellState.NOT_READ
    assert [one.value for one in losing] == [None, 3]
    assert confirmed_by == ()


@pytest.mark.parametrize("second", CERTAIN)
def test_a_position_that_is_lost_is_lost_for_every_reader(second: CellState) -> None:
    printed = merged_of(found(CellState.POSITION_UNKNOWN), found(second, 3, reader="llm")).printed
    assert printed.state is CellState.POSITION_UNKNOWN


@pytest.mark.parametrize("state", [CellState.POSITION_UNKNOWN, CellState.NOT_READ, CellState.UNPARSABLE])
def test_one_that_is_not_sure_of_a_cell_disagrees_with_nobody(state: CellState) -> None:
    assert differences(found(state), found(CellState.VALUE, 3, reader="llm")) == []
    assert differences(found(CellState.VALUE, 3), found(state, reader="llm")) == []


def test_what_a_reading_proposes_for_a_cell_that_it_could_not_place_can_contradict_and_not_confirm() -> None:
    first = found(CellState.VALUE, 3)
    unplaced = found(CellState.NOT_READ, reader="llm")
    other, same = (found(CellState.VALUE, value, spans=(), reader="llm") for value in (4, 3))
    assert [flag.code for flag in differences(first, unplaced, other)] == ["reader-disagreement"]
    assert differences(first, unplaced, same) == []
    assert merged_of(first, unplaced, same).confirmed_by == ()


def test_of_very_many_losing_candidates_some_are_kept() -> None:
    many = [found(CellState.VALUE, number, reader="llm") for number in range(2 * MOST_LOSING)]
    assert len(merged_of(found(CellState.VALUE, 3), *many).losing) == MOST_LOSING


# ---------------------------------------------------------------- findings of both


def join(first: Candidate, second: Candidate, *flags: tuple[str, Flag]) -> list[Flag]:
    readings = [
        Reading("template", {}, {CELL: (first,)}, tuple(flag for who, flag in flags if who == "template")),
        Reading("llm", {}, {CELL: (second,)}, tuple(flag for who, flag in flags if who == "llm")),
    ]
    return join_flags(readings, merge_readings(readings))


OWN_FAILURES = ["position-unknown", "glued-digits", "not-grounded", "row-without-cells"]


@pytest.mark.parametrize("code", OWN_FAILURES)
def test_that_one_could_not_read_a_cell_says_nothing_where_the_other_did(code: str) -> None:
    flag = make_flag(code, fields=[CELL], raw="3")
    sure, open_ = found(CellState.VALUE, 3), found(CellState.NOT_READ, reader="llm")
    assert join(sure, open_, ("llm", flag)) == []
    read_by_model = found(CellState.VALUE, 3, reader="llm")
    assert join(found(CellState.NOT_READ), read_by_model, ("template", flag)) == []


@pytest.mark.parametrize("code", OWN_FAILURES)
def test_it_stays_where_nobody_read_the_cell(code: str) -> None:
    flag = make_flag(code, fields=[CELL], raw="3")
    lost = found(CellState.POSITION_UNKNOWN)
    assert join(lost, found(CellState.NOT_READ, reader="llm"), ("llm", flag)) == [flag]


@pytest.mark.parametrize("code", OWN_FAILURES)
def test_a_doubt_about_a_cell_that_the_doubter_itself_read_stays(code: str) -> None:
    """The row in front may have lost its cells to this one: 3 is read, and doubted."""
    flag = make_flag(code, fields=[CELL], raw="3")
    sure = found(CellState.VALUE, 3)
    assert join(sure, found(CellState.VALUE, 3, reader="llm"), ("template", flag)) == [flag]


@pytest.mark.parametrize("code", ["unit-differs", "row-repeated", "row-out-of-order", "cut-off", "not-a-count"])
def test_a_finding_about_what_is_printed_stays_whoever_read_the_cell(code: str) -> None:
    flag = make_flag(code, fields=[CELL], raw="3")
    sure = found(CellState.VALUE, 3)
    assert join(sure, found(CellState.NOT_READ, reader="llm"), ("llm", flag)) == [flag]
    read_by_model = found(CellState.VALUE, 3, reader="llm")
    assert join(found(CellState.NOT_READ), read_by_model, ("template", flag)) == [flag]


def test_what_both_say_of_the_same_fields_is_said_once() -> None:
    flag = make_flag("unit-differs", fields=[CELL], raw="3元")
    same = make_flag("unit-differs", fields=[CELL], raw="3")
    other = make_flag("not-a-count", fields=[CELL], raw="3")
    sure, also = found(CellState.VALUE, 3), found(CellState.VALUE, 3, reader="llm")
    assert join(sure, also, ("template", flag), ("llm", same), ("llm", other)) == [flag, other]


def test_findings_without_fields_are_all_kept() -> None:
    flags = [make_flag("server-unavailable", part=part, problem="down") for part in ("表", "正文")]
    sure, also = found(CellState.VALUE, 3), found(CellState.VALUE, 3, reader="llm")
    assert join(sure, also, *(("llm", flag) for flag in flags)) == flags


# ---------------------------------------------------------------- more readings than two

READERS = ("llm", "person", "template", "vision")
CANDIDATES = st.one_of(
    st.builds(found, st.just(CellState.VALUE), st.integers(0, 2)),
    st.builds(found, st.sampled_from([state for state in CellState if state is not CellState.VALUE])),
)


def readings_of(said: dict[str, list[Candidate]]) -> list[Reading]:
    """One reading a reader; each says the given candidates about one cell."""
    return [
        Reading(
            reader,
            {"applications": "2019" if reader == "vision" else "absent"},
            {CELL: tuple(found(one.state, one.value, spans=one.spans, reader=reader) for one in candidates)},
            flags=(make_flag("unit-differs", fields=[CELL], raw=reader),),
        )
        for reader, candidates in said.items()
    ]


@given(st.dictionaries(st.sampled_from(READERS), st.lists(CANDIDATES, min_size=1, max_size=3), min_size=1))
def test_the_order_in_which_readings_come_changes_nothing(said: dict[str, list[Candidate]]) -> None:
    outcomes = set()
    for order in permutations(readings_of(said)):
        readings = order_readings(order)
        merged = merge_readings(readings)
        parts = (merged, list(compare_readings(merged)), join_flags(readings, merged), merge_generations(readings))
        outcomes.add(repr(parts))
    assert len(outcomes) == 1


@given(st.dictionaries(st.sampled_from(READERS), st.lists(CANDIDATES, min_size=1, max_size=3), min_size=1))
def test_nothing_that_was_read_is_lost(said: dict[str, list[Candidate]]) -> None:
    readings = order_readings(readings_of(said))
    printed, losing, confirmed_by = merge_readings(readings)[CELL]
    kept = [printed, *losing]
    for reading in readings:
        for candidate in reading.candidates[CELL]:
            assert candidate in kept or reading.reader in confirmed_by


def test_a_person_comes_before_the_rules_and_the_rules_before_models() -> None:
    readings = [reading(name, narrative__reviews=(value,)) for value, name in enumerate(READERS)]
    assert [one.reader for one in order_readings(readings)] == ["person", "template", "llm", "vision"]


def test_two_readings_of_one_reader_are_refused() -> None:
    with pytest.raises(ValueError, match="each reader may read a document once: llm, llm"):
        order_readings([reading("llm", narrative__reviews=(1,)), reading("llm", narrative__reviews=(2,))])


def test_all_who_read_the_same_confirm_and_all_who_do_not_are_named_once() -> None:
    said = {
        "template": [found(CellState.VALUE, 3)],
        "llm": [found(CellState.VALUE, 3)],
        "person": [found(CellState.VALUE, 3)],
        "vision": [found(CellState.VALUE, 8)],
    }
    merged = merge_readings(order_readings(readings_of(said)))
    assert merged[CELL].printed.reader == "person"
    assert merged[CELL].confirmed_by == ("template", "llm")
    (flag,) = compare_readings(merged)
    assert flag.message.en.endswith("person: 3 / vision: 8")


def test_one_that_confirms_does_not_contradict_by_what_it_also_saw() -> None:
    """A row that is printed twice: the second reader's first word counts."""
    twice = [found(CellState.VALUE, 3), found(CellState.VALUE, 4)]
    merged = merge_readings(order_readings(readings_of({"template": twice[:1], "llm": twice})))
    assert merged[CELL].confirmed_by == ("llm",)
    assert list(compare_readings(merged)) == []
