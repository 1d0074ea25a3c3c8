"""Finding labels in running text: what belongs to a label, and what only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.forms import TABLE_SECTIONS, find_labels, load_forms
from extractor.sources.view import fold_view

A = "applications"


def labels(text: str, section: str = A) -> list[tuple[str, str]]:
    """Each hit as printed, and what it folds to."""
    view = fold_view(text)
    return [(text[hit.start : hit.end], hit.folded) for hit in find_labels(view, 0, len(view), section)]


def between(text: str, section: str = A) -> list[str]:
    """What stands before, between and behind the hits."""
    view = fold_view(text)
    position, parts = 0, []
    for hit in find_labels(view, 0, len(view), section):
        parts.append(text[position : hit.start])
        position = hit.end
    return [*parts, text[position:]]


def test_a_labels_own_ordinal_is_no_digit_of_the_cells_before_it() -> None:
    """Seven zeros, then the `2.` of the next label."""
    text = "00000002.其他法律行政法规禁止公开0000000"
    assert labels(text) == [("2.其他法律行政法规禁止公开", "其他法律行政法规禁止公开")]
    assert between(text) == ["0000000", "0000000"]


@pytest.mark.parametrize("digits", ["270020130", "1", "12222222"])
def test_digits_glued_to_an_ordinal_stay_where_they_are(digits: str) -> None:
    """8. is the ordinal of 属于行政查询事项; the digits before it are not, even where they end in it."""
    assert between(f"{digits}8.属于行政查询事项{digits}") == [digits, digits]


def test_a_digit_that_is_not_the_labels_own_ordinal_stays_outside() -> None:
    assert between("09.属于国家秘密0") == ["09.", "0"]


@pytest.mark.parametrize("ordinal", ["(一)", "（一）", "一、", "( 一 )", "（一）、", "(\n一)"])
def test_bracketed_and_chinese_ordinals_belong_to_the_label(ordinal: str) -> None:
    assert between(f"0{ordinal}予以公开5") == ["0", "5"]


def test_labels_in_spaced_text() -> None:
    text = "自然人 商业企业 科研机构 社会公益组织 法律服务机构 其他 总计 一、本年新收政府信息公开申请数量 1 0 0 0 0 0 1"
    assert [folded for _, folded in labels(text)] == [
        "自然人",
        "商业企业",
        "科研机构",
        "社会公益组织",
        "法律服务机构",
        "其他",
        "总计",
        "本年新收政府信息公开申请数量",
    ]
    assert between(text)[-1] == " 1 0 0 0 0 0 1"


def test_line_breaks_spaces_and_residue_inside_a_label_do_not_matter() -> None:
    text = "0 5.要求行政机关确认\n或重 新出\u200b具已获\r\n取信息\n0"
    assert [folded for _, folded in labels(text)] == ["要求行政机关确认或重新出具已获取信息"]
    assert between(text) == ["0 ", "\n0"]


def test_the_longest_label_wins() -> None:
    text = "（二）部分公开（区分处理的，只计这一情形，不计其他情形）3"
    assert labels(text) == [(text[:-1], "部分公开区分处理的只计这一情形不计其他情形")]
    text = "行政规范性文件 4"
    assert [folded for _, folded in labels(text, "proactive_disclosure")] == ["行政规范性文件"]


def test_a_closing_bracket_or_quote_whose_opening_is_in_the_label_belongs_to_it() -> None:
    assert between("3.危及“三安全一稳定”0") == ["", "0"]
    assert between("本年收费金额（单位：万元）12", "proactive_disclosure") == ["", "12"]
    assert between("总计)0", "review_litigation") == ["", ")0"]


@pytest.mark.parametrize(
    "text",
    ["其他事项", "其他需要报告的事项", "总计划", "总计算", "其他县区", "规章制度", "部门规章库"],
)
def test_a_short_label_inside_a_longer_word_is_none(text: str) -> None:
    section = "proactive_disclosure" if "规章" in text else A
    assert labels(text, section) == []


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("其他", ["其他"]),
        ("其他 0", ["其他"]),
        ("其他0", ["其他"]),
        ("其他总计", ["其他", "总计"]),
        ("法律服务机构其他总计一、本年新收政府信息公开申请数量0", None),
        ("0000000（七）总计0000000", ["总计"]),
        ("3.其他0000000（七）总计", ["其他", "总计"]),
    ],
)
def test_a_short_label_counts_before_a_digit_a_space_or_the_next_label(text: str, folded: list[str] | None) -> None:
    expected = folded or ["法律服务机构", "其他", "总计", "本年新收政府信息公开申请数量"]
    assert [name for _, name in labels(text)] == expected


def test_an_ambiguous_label_shows_whether_its_ordinal_is_printed() -> None:
    """其他 is a column; 3.其他 is a row."""
    view = "其他 0 3.其他 0"
    assert [hit.has_ordinal for hit in find_labels(view, 0, len(view), A)] == [False, True]


def test_only_the_asked_interval_and_section_are_searched() -> None:
    view = "自然人 行政许可 结果维持 自然人"
    assert len(find_labels(view, 0, len(view), A)) == 2
    assert [(hit.start, hit.end) for hit in find_labels(view, 3, len(view), A)] == [(14, 17)]
    assert [hit.folded for hit in find_labels(view, 0, len(view), "proactive_disclosure")] == ["行政许可"]
    assert [hit.folded for hit in find_labels(view, 0, len(view), "review_litigation")] == ["结果维持"]
    assert find_labels("自然", 0, 2, A) == []
    assert find_labels("", 0, 0, A) == []


_WORDS = sorted(load_forms().label_index)


@given(
    st.lists(
        st.one_of(st.sampled_from(_WORDS), st.text("0123456789 \n|、.()（）一二其他总计", max_size=6)), max_size=12
    ),
    st.sampled_from(TABLE_SECTIONS),
)
def test_hits_stand_in_order_do_not_overlap_and_name_the_section(parts: list[str], section: str) -> None:
    view = fold_view("".join(parts))
    position = 0
    for hit in find_labels(view, 0, len(view), section):
        assert position <= hit.start < hit.end <= len(view)
        assert hit.refs
        assert {ref.section for ref in hit.refs} == {section}
        position = hit.end
