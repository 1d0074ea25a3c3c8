"""Quotes and numbers of running text: found where they stand, whole, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.grounding import AlignedCell, align_number, align_quote
from extractor.model import Document, Span
from extractor.settings import Settings
from extractor.sources import read_document

TEXT = (
    "某某市民政局2023年政府信息公开工作年度报告\n一、总体情况\n"
    "2023年，我局通过“某某政府”网站主动公开政府信息1,640条，其中政策解\n读 18 篇；共收到申请二十三件。\n"
    "办理各类留言53条,收到好差评评价近7万条,办结率100%。办理各类留言53条。\n"
    "進一步加強公開。第三方评估一次，共138条，公开三 件。全文[bookmark: x]２８ 件。较上年-8件，增长12.5%。\n"
)


def read(text: str) -> Document:
    return read_document(text.encode(), "a.txt", Settings())


DOCUMENT = read(TEXT)


def quote(wanted: str, document: Document = DOCUMENT) -> AlignedCell:
    found = align_quote(document, 0, len(document.text), wanted)
    if found.span:
        assert document.text[found.span.start : found.span.end] == found.raw
    return found


@pytest.mark.parametrize("wanted", ["办结率100%", " 主动公开政府信息1,640条，", "加強公開"])
def test_the_same_characters_are_exact(wanted: str) -> None:
    found = quote(wanted)
    assert (found.alignment, found.raw) == ("exact", wanted.strip())


@pytest.mark.parametrize(
    ("wanted", "raw"),
    [
        ("其中政策解读18篇", "其中政策解\n读 18 篇"),
        ('通过"某某政府"网站主动公开政府信息1，640条', "通过“某某政府”网站主动公开政府信息1,640条"),
        ("进一步加强公开。", "進一步加強公開。"),
        ("全文28件", "全文[bookmark: x]２８ 件"),
    ],
)
def test_space_residue_width_script_and_punctuation_are_folded(wanted: str, raw: str) -> None:
    found = quote(wanted)
    assert (found.alignment, found.raw) == ("normalised", raw)


@pytest.mark.parametrize(
    "wanted", ["公开信息99条", "", "条", "  ", "38条，公开三", "38 条", "政府信息1,64", "640条，其中", "评价近7万条件"]
)
def test_what_is_not_there_or_cuts_a_number_is_not_found(wanted: str) -> None:
    assert quote(wanted) == AlignedCell("not_found")


def test_the_first_occurrence_counts_and_the_interval_is_kept_to() -> None:
    first = quote("办理各类留言53条")
    assert first.span
    later = align_quote(DOCUMENT, first.span.end, len(TEXT), "办理各类留言53条")
    assert later.span
    assert later.span.start > first.span.start
    assert align_quote(DOCUMENT, 0, first.span.end - 1, "办理各类留言53条").alignment == "not_found"
    assert align_quote(DOCUMENT, 0, first.span.end - 1, "办理各类留言 53条").alignment == "not_found"


def test_an_occurrence_that_cuts_a_number_is_passed_over() -> None:
    document = read("报告：共138条信息。另有38条信息。")
    found = quote("38条信息", document)
    assert found.span is not None
    assert found.span.start == document.text.rindex("38")


def number(inside: str, wanted: str) -> AlignedCell:
    start = DOCUMENT.text.index(inside)
    found = align_number(DOCUMENT, Span(start, start + len(inside)), wanted)
    if found.span:
        assert DOCUMENT.text[found.span.start : found.span.end] == found.raw
    return found


@pytest.mark.parametrize(
    ("inside", "wanted", "raw", "alignment"),
    [
        ("主动公开政府信息1,640条", "1,640", "1,640", "exact"),
        ("主动公开政府信息1,640条", "1640", "1,640", "normalised"),
        ("主动公开政府信息1,640条", "1640条", "1,640条", "normalised"),
        ("读 18 篇", "18篇", "18 篇", "normalised"),
        ("共收到申请二十三件", "二十三", "二十三", "exact"),
        ("第三方评估一次，共138条，公开三 件", "三", "三", "exact"),
        ("第三方评估一次，共138条", "一", "一", "exact"),
        ("收到好差评评价近7万条", "7万", "7万", "exact"),
        ("办结率100%", "100%", "100%", "exact"),
        ("２８ 件", "28", "２８", "normalised"),
        ("较上年-8件", "-8", "-8", "exact"),
        ("增长12.5%", "12.5%", "12.5%", "exact"),
    ],
)
def test_a_whole_number_of_the_quote_is_found(inside: str, wanted: str, raw: str, alignment: str) -> None:
    found = number(inside, wanted)
    assert (found.raw, found.alignment) == (raw, alignment)


@pytest.mark.parametrize(
    ("inside", "wanted"),
    [
        ("主动公开政府信息1,640条", "640"),
        ("主动公开政府信息1,640条", "1"),
        ("主动公开政府信息1,640条", "1640件"),
        ("640条", "640"),
        ("38条", "38"),
        ("共收到申请二十三件", "三"),
        ("共收到申请二十三件", "23"),
        ("二十三件", "十三"),
        ("進一步加強公開", "一"),
        ("第三方评估", "三"),
        ("收到好差评评价近7万条", "7"),
        ("办结率100%", "100"),
        ("较上年-8件", "8"),
        ("增长12.5%", "5%"),
        ("办理各类留言53条", "99"),
        ("办理各类留言53条", ""),
        ("办理各类留言53条", "各类"),
        ("办理各类留言5", "53"),
    ],
)
def test_a_part_of_a_number_or_another_number_is_not_found(inside: str, wanted: str) -> None:
    assert number(inside, wanted).alignment == "not_found"


def test_a_numeral_inside_another_word_is_passed_over() -> None:
    found = number("第三方评估一次，共138条，公开三 件", "三")
    assert found.span is not None
    assert found.span.start == TEXT.index("三 件")


def test_of_several_numbers_the_first_whole_one_counts() -> None:
    document = read("报告：共138条，其中38条、38条。")
    found = align_number(document, Span(0, len(document.text)), "38")
    assert found.span == Span(document.text.index("中38") + 1, document.text.index("中38") + 3)


@settings(deadline=None)
@given(
    st.text("报告12,.3万一条 \n“”(（\u200b\x00-", max_size=40),
    st.text("12,.3万一条 “(-", max_size=6),
    st.integers(0, 40),
)
def test_any_quote_of_any_text_is_where_it_is_said_to_be(text: str, wanted: str, start: int) -> None:
    document = read("报告" + text)
    limit = len(document.text)
    start = min(start, limit)
    found = align_quote(document, start, limit, wanted)
    if found.span is None:
        assert found == AlignedCell("not_found")
        return
    assert start <= found.span.start < found.span.end <= limit
    assert document.text[found.span.start : found.span.end] == found.raw
    inner = align_number(document, found.span, wanted)
    assert inner.span is None or found.span.start <= inner.span.start < inner.span.end <= found.span.end
