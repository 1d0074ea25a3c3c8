"""Header, running text and older reports by a model: only what stands in the text, where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest

from extractor.llm.calls import (
    BudgetReached,
    Call,
    CallError,
    ReplyInvalid,
    ReplyRefused,
    ReplyTruncated,
    ServerUnavailable,
)
from extractor.llm.wire import HeaderFacts
from extractor.model import Candidate, CellState, Reading
from extractor.readers.policy import Asks
from tests.unit.readers.llm.scripted import Json, ScriptedAsker, load, read_asks, shown_in

REPORT = """某某市水务局2023年政府信息公开工作年度报告
本报告所列数据的统计期限自2023年1月1日起至2023年12月31日止。联系电话：0000－1234567，网址：http://example.test。
一、总体情况
全年主动公开政府信息1,280条，其中网站公开1２00条。共收到政府信息公开申请九件，办结 9 件。
复议3件（上年13件）。全年收取信息处理费 7万元。
五、存在的主要问题及改进情况
一是公开意识有待加强。二是更新不够及时。下一步将加强
培训。
六、其他需要报告的事项
无。
某某市水务局
二〇二四年一月十六日
"""
NOTHING: Mapping[str, object] = {"facts": [], "problems": [], "measures": []}


def said(**header: str | None) -> Json:
    return dict.fromkeys(HeaderFacts.model_fields) | header


def stated(*facts: tuple[str, str, str]) -> Json:
    return NOTHING | {"facts": [{"fact": name, "number": number, "quote": quote} for name, number, quote in facts]}


def read(answer: Json | Exception, text: str = REPORT, **asked: bool) -> Reading:
    reading, _ = read_asks(load(text), Asks(**asked), lambda call: answer)
    return reading


def read_header(**header: str | None) -> Reading:
    return read(said(**header), header=True)


def read_facts(*facts: tuple[str, str, str]) -> Reading:
    return read(stated(*facts), narrative=True)


def one(reading: Reading, name: str) -> Candidate:
    (candidate,) = reading.candidates[name]
    return candidate


# ---------------------------------------------------------------- header


@pytest.mark.parametrize(
    ("name", "printed", "value"),
    [
        ("title", "某某市水务局2023年政府信息公开工作年度报告", "某某市水务局2023年政府信息公开工作年度报告"),
        ("agency_name", "某某市水务局", "某某市水务局"),
        ("report_year", "2023", 2023),
        ("report_year", "2023年", 2023),
        ("published_on", "二〇二四年一月十六日", "2024-01-16"),
        ("contact_phone", "0000－1234567", "0000－1234567"),
        ("period_start", "2023年1月1日", "2023-01-01"),
        ("period_end", "2023年12月31日", "2023-12-31"),
        ("website", "http://example.test", "http://example.test"),
    ],
)
def test_a_header_fact_is_the_text_as_printed_and_years_and_dates_as_such(
    name: str, printed: str, value: object
) -> None:
    candidate = one(read_header(**{name: printed}), f"header.{name}")
    assert (candidate.state, candidate.value, candidate.raw) == (CellState.VALUE, value, printed)
    assert candidate.alignment == "exact"
    span = candidate.spans[0]
    assert REPORT[span.start : span.end] == printed


def test_width_and_space_may_differ_from_the_source() -> None:
    candidate = one(read_header(contact_phone="0000-1234567"), "header.contact_phone")
    assert (candidate.value, candidate.raw, candidate.alignment) == ("0000－1234567", "0000－1234567", "normalised")


@pytest.mark.parametrize(
    ("name", "words"), [("published_on", "某某市水务局"), ("report_year", "总体情况"), ("period_end", "2023年12月")]
)
def test_words_that_are_no_date_or_year_are_unparsable(name: str, words: str) -> None:
    candidate = one(read_header(**{name: words}), f"header.{name}")
    assert (candidate.state, candidate.value) == (CellState.UNPARSABLE, None)


def test_a_header_fact_that_is_not_printed_is_no_candidate_and_is_told() -> None:
    reading = read_header(agency_name="某某市林业局", title="某某市水务局2023年政府信息公开工作年度报告")
    assert set(reading.candidates) == {"header.title"}
    (flag,) = reading.flags
    assert flag.code == "not-grounded"
    assert "某某市林业局" in flag.message.zh


def test_a_header_fact_that_is_not_said_is_no_candidate() -> None:
    reading = read_header(title=" ", agency_name=None)
    assert (reading.candidates, reading.flags) == ({}, ())


# ---------------------------------------------------------------- numbers of the running text


@pytest.mark.parametrize(
    ("name", "number", "quote", "value", "raw"),
    [
        ("proactive_items_total", "1,280", "全年主动公开政府信息1,280条", 1280, "1,280"),
        ("proactive_items_total", "1280", "主动公开政府信息1280条", None, None),
        ("website_items", "1200", "网站公开1200条", 1200, "1２00"),
        ("applications_received", "九", "共收到政府信息公开申请九件", 9, "九"),
        ("applications_answered", "9", "办结9件", 9, "9"),
        ("reviews", "3", "复议3件", 3, "3"),
    ],
)
def test_a_number_is_read_where_it_stands_in_its_quote(
    name: str, number: str, quote: str, value: int | None, raw: str | None
) -> None:
    """The quote word for word but for width and space; 1280 is not how 1,280 is written in the quote."""
    reading = read_facts((name, number, quote))
    if value is None:
        assert reading.candidates == {}
        return
    candidate = one(reading, f"narrative.{name}")
    assert (candidate.state, candidate.value, candidate.raw) == (CellState.VALUE, value, raw)
    assert REPORT[candidate.spans[0].start : candidate.spans[0].end] == raw


@pytest.mark.parametrize(
    ("number", "quote"),
    [
        pytest.param("4", "复议4件", id="no such quote"),
        pytest.param("3", "行政复议3件", id="a word too many in the quote"),
        pytest.param("9", "复议3件", id="printed elsewhere, not in the quote"),
        pytest.param("1", "上年13件", id="a part of a longer number"),
        pytest.param("3", "上年1", id="a quote that ends inside a number"),
        pytest.param("", "复议3件", id="no number"),
        pytest.param("3", "", id="no quote"),
    ],
)
def test_a_number_that_its_quote_does_not_show_is_no_candidate(number: str, quote: str) -> None:
    reading = read_facts(("reviews", number, quote))
    assert reading.candidates == {}
    assert [flag.code for flag in reading.flags] == ["not-grounded"]


def test_several_numbers_for_one_fact_are_kept_and_flagged() -> None:
    reading = read_facts(("reviews", "3", "复议3件"), ("reviews", "13", "上年13件"))
    assert [candidate.value for candidate in reading.candidates["narrative.reviews"]] == [3, 13]
    (flag,) = reading.flags
    assert (flag.code, flag.fields) == ("narrative-several-values", ("narrative.reviews",))
    assert "3 / 13" in flag.message.en


def test_one_number_stated_twice_is_one_candidate() -> None:
    text = REPORT.replace("无。", "本年发生复议3件。")
    reading = read(stated(("reviews", "3", "复议3件（上年"), ("reviews", "3", "发生复议3件")), text, narrative=True)
    candidate = one(reading, "narrative.reviews")
    assert candidate.value == 3
    assert reading.flags == ()


FEE = "narrative.information_processing_fee_yuan"


@pytest.mark.parametrize(
    ("number", "value", "unit", "codes"),
    [("7万", 70_000, "yuan", []), ("7万元", 7, "wan", ["unit-differs"]), ("7", None, None, ["not-grounded"])],
)
def test_a_fee_in_ten_thousands_is_that_or_flagged(
    number: str, value: int | None, unit: str | None, codes: list[str]
) -> None:
    """Printed is 7万元: 7 is a part of that number, as 1 is of 13."""
    reading = read_facts(("information_processing_fee_yuan", number, "全年收取信息处理费 7万元"))
    found = [(candidate.value, candidate.unit) for candidate in reading.candidates.get(FEE, ())]
    assert found == ([] if value is None else [(value, unit)])
    assert [flag.code for flag in reading.flags] == codes


def test_a_fee_in_yuan_has_its_unit() -> None:
    text = REPORT.replace("7万元", "12.50元")
    answer = stated(("information_processing_fee_yuan", "12.50", "信息处理费 12.50元"))
    candidate = one(read(answer, text, narrative=True), FEE)
    assert (candidate.value, candidate.unit) == (Decimal("12.50"), "yuan")


def test_an_invented_fact_is_told_with_what_was_said() -> None:
    (flag,) = read_facts(("litigations", "77", "行政诉讼77件")).flags
    assert "77" in flag.message.zh


# ---------------------------------------------------------------- problems and measures


def test_problems_and_measures_are_quotes_in_order_of_print() -> None:
    answer = NOTHING | {
        "problems": ["更新不够及时", "公开意识有待加强"],
        "measures": ["下一步将加强培训"],
    }
    reading = read(answer, narrative=True)
    values = {name: candidates[0].value for name, candidates in reading.candidates.items()}
    assert values == {
        "narrative.problems.1": "公开意识有待加强",
        "narrative.problems.2": "更新不够及时",
        "narrative.measures.1": "下一步将加强培训",
    }
    measure = one(reading, "narrative.measures.1")
    assert measure.raw == "下一步将加强\n培训"
    assert measure.alignment == "normalised"
    assert reading.flags == ()


def test_a_quote_that_is_not_printed_is_left_out_and_told() -> None:
    reading = read(NOTHING | {"problems": ["公开意识很强很强", "更新不够及时"]}, narrative=True)
    assert list(reading.candidates) == ["narrative.problems.1"]
    assert [flag.code for flag in reading.flags] == ["not-grounded"]


def test_the_same_quote_twice_is_one() -> None:
    reading = read(NOTHING | {"problems": ["更新不够及时", "更新不够及时"]}, narrative=True)
    assert list(reading.candidates) == ["narrative.problems.1"]


def test_no_more_than_eight_of_them_are_taken() -> None:
    points = [f"第{number}个方面的工作有待加强" for number in range(12)]
    text = REPORT.replace("一是公开意识有待加强。", "。".join(points) + "。")
    reading = read(NOTHING | {"problems": points}, text, narrative=True)
    assert len(reading.candidates) == 8


# ---------------------------------------------------------------- calls that fail


def test_a_long_text_is_asked_in_parts_and_the_facts_of_all_count() -> None:
    filler = "".join(f"第{number}类主动公开信息若干，合计{number}份。" for number in range(60))
    text = REPORT.replace("复议3件", f"{filler}复议3件")

    def answer(call: Call) -> Json:
        quotes = (("reviews", "3", "复议3件"), ("applications_received", "九", "申请九件"))
        return stated(*(fact for fact in quotes if fact[2] in shown_in(call)))

    reading, asker = read_asks(load(text), Asks(narrative=True), answer, chunk_tokens=200)
    assert len(asker.calls) > 2
    assert {name: candidates[0].value for name, candidates in reading.candidates.items()} == {
        "narrative.reviews": 3,
        "narrative.applications_received": 9,
    }


def test_a_reply_that_was_cut_off_is_asked_for_in_halves_of_the_text() -> None:
    def answer(call: Call) -> Json | Exception:
        return ReplyTruncated("cut") if shown_in(call).count("\n") > 1 else NOTHING

    reading, asker = read_asks(load(REPORT), Asks(narrative=True), answer)
    whole = shown_in(asker.calls[0])
    answered = [shown_in(call) for call in asker.calls if shown_in(call).count("\n") <= 1]
    assert len(answered) > 1
    assert sorted("\n".join(answered).split("\n")) == sorted(whole.split("\n"))
    assert reading.flags == ()


def test_a_single_sentence_whose_reply_is_cut_off_is_given_up() -> None:
    reading = read(ReplyTruncated("cut"), narrative=True)
    assert {flag.code for flag in reading.flags} == {"reply-truncated"}
    assert set(reading.unread) == {"narrative"}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ReplyInvalid("no"), "reply-invalid"),
        (ReplyRefused("no"), "reply-refused"),
        (ServerUnavailable("down"), "server-unavailable"),
        (BudgetReached("enough", "document"), "budget-reached"),
        (CallError("400"), "call-failed"),
    ],
)
@pytest.mark.parametrize(("asked", "unread"), [("narrative", "narrative"), ("header", "header")])
def test_a_call_without_a_reply_has_a_flag_and_leaves_its_part_unread(
    error: CallError, code: str, asked: str, unread: str
) -> None:
    reading = read(error, **{asked: True})
    assert [flag.code for flag in reading.flags] == [code]
    assert reading.unread == (unread,)


# ---------------------------------------------------------------- older reports

OLDER = """2012年政府信息公开工作年度报告
全年主动公开信息数为86条。
指标名称	计量单位	2012年度	历年累计
主动公开信息数	条	86	340
其中：1.网站公开	条		331
行政复议数	件		0
投诉数	件	1	1
"""
ROWS = [
    ["主动公开信息数", "条", "86", "340"],
    ["其中：1.网站公开", "条", None, "331"],
    ["行政复议数", "件", None, "0"],
    ["投诉数", "件", "1", "1"],
]


def read_older(rows: list[list[str | None]], text: str = OLDER) -> tuple[Reading, ScriptedAsker]:
    answer = NOTHING | {"indicators": rows}
    return read_asks(load(text), Asks(narrative=True, is_older=True), lambda call: answer)


def values(reading: Reading) -> dict[str, object]:
    return {name.removeprefix("indicators."): found[0].value for name, found in reading.candidates.items()}


def test_the_indicator_table_is_read_row_by_row() -> None:
    reading, asker = read_older(ROWS)
    assert asker.tasks == ["older_report"]
    assert values(reading) == {
        "1.label": "主动公开信息数",
        "1.unit": "条",
        "1.this_year": 86,
        "1.cumulative": 340,
        "2.label": "其中：1.网站公开",
        "2.unit": "条",
        "2.cumulative": 331,
        "3.label": "行政复议数",
        "3.unit": "件",
        "3.cumulative": 0,
        "4.label": "投诉数",
        "4.unit": "件",
        "4.this_year": 1,
        "4.cumulative": 1,
    }
    assert (reading.flags, reading.unread) == ((), ())


def test_a_row_is_looked_for_behind_the_one_in_front_of_it() -> None:
    """The running text uses the same words, and 86 stands twice."""
    reading, _ = read_older(ROWS)
    starts = [found[0].spans[0].start for name, found in reading.candidates.items() if name.endswith(".label")]
    assert starts == sorted(starts)
    assert starts[0] == OLDER.index("主动公开信息数\t")


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(["投诉数", "件", "2", "1"], id="another number"),
        pytest.param(["投诉数", "件", "1", "340"], id="a number of another row"),
        pytest.param(["投诉数", "起", "1", "1"], id="another unit"),
        pytest.param(["举报数", "件", "1", "1"], id="another label"),
        pytest.param(["数", "件", "1", "1"], id="a label too short to be found"),
    ],
)
def test_a_row_with_a_cell_that_does_not_follow_is_not_taken(row: list[str | None]) -> None:
    reading, _ = read_older([ROWS[0], row])
    assert {name[0] for name in values(reading)} == {"1"}
    assert "not-grounded" in {flag.code for flag in reading.flags}
    assert set(reading.unread) == {"indicators"}


def test_a_row_that_the_reply_passes_over_is_told() -> None:
    reading, _ = read_older([ROWS[0], ROWS[3]])
    assert [flag.code for flag in reading.flags] == ["unclaimed-numbers"]
    assert set(reading.unread) == {"indicators"}


def test_a_part_of_a_label_is_no_label() -> None:
    """1.网站公开 and 公开信息数 are printed, but not as the names of rows."""
    reading, _ = read_older([["公开信息数", "条", "86", "340"], ["1.网站公开", "条", None, "331"]])
    assert reading.candidates == {}


@pytest.mark.parametrize("rows", [ROWS[:2], ROWS[1:]], ids=["behind the last one", "in front of the first one"])
def test_rows_that_the_reply_leaves_out_at_either_end_are_told(rows: list[list[str | None]]) -> None:
    """A model that stops early must not make a table of two rows out of one of four."""
    reading, _ = read_older(rows)
    assert [flag.code for flag in reading.flags] == ["unclaimed-numbers"]
    assert set(reading.unread) == {"indicators"}
