"""How labels are compared: what is folded away, and what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.forms import drop_note, fold_label, split_ordinal

ORDINALS = [
    "1.",
    "1、",
    "1．",
    "12.",
    "1)",
    "1）",
    "(1)",
    "（1）",
    "一、",
    "二.",
    "十一、",
    "（一）",
    "(一)",
    "（一）、",
    "(一) ",
    "一）",
    "①",
    "⑩",
    "⑴",
    "⒈",
    "㈠",
    "三、（一）",
    "（三）1.",
    "（六）、2、",
]


@pytest.mark.parametrize("ordinal", ORDINALS)
def test_any_ordinal_in_front_of_a_label_is_folded_away(ordinal: str) -> None:
    assert fold_label(f"{ordinal}属于国家秘密") == "属于国家秘密"


@pytest.mark.parametrize(
    ("label", "folded"),
    [
        ("3.其他", "其他"),
        ("其他", "其他"),
        ("一、本年新收", "本年新收"),
        ("2.其他法律、行政法规禁止公开", "其他法律行政法规禁止公开"),
        ("3.危及“三安全一稳定”", "危及三安全一稳定"),
        ("本年增/减", "本年增/减"),
        ("本年收费金额(单位:万元)", "本年收费金额单位万元"),
        ("总\n计", "总计"),
        ("总 计   ", "总计"),
        ("科\x00研\t机构", "科研机构"),
        ("**行政许可**", "行政许可"),
        ("| 规章 |", "规章"),
        ("第二十条第(一)项", "第二十条第一项"),
        ("", ""),
        ("、。", ""),
    ],
)
def test_space_residue_and_punctuation_are_folded_away(label: str, folded: str) -> None:
    assert fold_label(label) == folded


@pytest.mark.parametrize(
    "label", ["一般申请", "三安全一稳定", "十项", "12件", "2021年", "二十条", "第一项", "三类内部事务信息"]
)
def test_a_number_that_belongs_to_the_words_is_no_ordinal(label: str) -> None:
    assert fold_label(label) == label
    assert split_ordinal(label) == ("", label)


@pytest.mark.parametrize(
    ("label", "ordinal", "rest"),
    [
        ("1.属于国家秘密", "1.", "属于国家秘密"),
        ("（七）总计", "（七）", "总计"),
        ("一、本年新收", "一、", "本年新收"),
        ("3.其他", "3.", "其他"),
        ("其他", "", "其他"),
        ("(一)予以公开", "(一)", "予以公开"),
        ("1、总体", "1、", "总体"),
        ("⒈总体", "⒈", "总体"),
        ("①②总体", "①②", "总体"),
        ("", "", ""),
    ],
)
def test_a_label_splits_into_its_ordinal_and_the_rest(label: str, ordinal: str, rest: str) -> None:
    assert split_ordinal(label) == (ordinal, rest)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("规范性文件(指本机关制发的文件)", "规范性文件"),
        ("规范性文件（指本机关制发的文件）", "规范性文件"),
        (" 上一年项目数量 (指2018年事项数) ", "上一年项目数量 "),
        ("部分公开(区分处理的)(注)", "部分公开(区分处理的)"),
        ("(一)予以公开", "(一)予以公开"),
        ("本年增减(指(某)数)", "本年增减(指(某)数)"),
        ("总计", "总计"),
        ("", ""),
    ],
)
def test_one_note_in_parentheses_at_the_end_is_dropped(text: str, kept: str) -> None:
    assert drop_note(text) == kept


@given(st.text())
def test_a_folded_label_has_no_space_and_no_residue(text: str) -> None:
    folded = fold_label(text)
    assert not any(char.isspace() or char == "\x00" for char in folded)


@given(st.text())
def test_an_ordinal_and_the_rest_are_the_label(text: str) -> None:
    assert "".join(split_ordinal(text)) == text
