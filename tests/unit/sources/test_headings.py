"""Section headings: whatever their ordinal, never in an enumeration, a sub-heading or a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.forms import load_forms
from extractor.sources.headings import find_headings
from extractor.sources.view import fold_view

FIXTURES = Path(__file__).parents[3] / "fixtures"
SECTIONS = (
    "overview",
    "proactive_disclosure",
    "applications",
    "review_litigation",
    "problems_improvements",
    "other_matters",
)
INTRO = (
    "本报告由总体情况、主动公开政府信息情况、收到和处理政府信息公开申请情况、政府信息公开行政复议、行政诉讼情况、"
    "存在的主要问题及改进情况、其他需要报告的事项等六个部分组成。"
)


def find(text: str) -> list[tuple[str, str]]:
    """Each heading: its section and what is printed."""
    view = fold_view(text)
    return [(heading.section, text[heading.start : heading.end]) for heading in find_headings(view, 0, len(view))]


def sections(text: str) -> list[str]:
    return [section for section, _ in find(text)]


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("00*.txt")), ids=lambda path: path.name[:3])
def test_the_sample_reports_have_each_of_their_headings_once_and_in_order(path: Path) -> None:
    text = path.read_bytes().decode()
    printed = SECTIONS if "其他需要报告的事项" in text else SECTIONS[:-1]  # one of them has five sections
    assert sections(text) == list(printed)


@pytest.mark.parametrize(
    ("line", "section"),
    [
        ("一、总体情况", "overview"),
        ("1、 总体情况", "overview"),
        ("1．总体情况", "overview"),
        ("一.总体情况", "overview"),
        ("一 、总体情况", "overview"),
        ("第一部分 总体情况", "overview"),
        ("第一部分、总体情况", "overview"),
        ("  一、总体情况  ", "overview"),
        ("# 一、总体情况", "overview"),
        ("**一、总体情况**", "overview"),
        ("一、总\u200b体情况", "overview"),
        ("一、總體情況", "overview"),
        ("一、总体情况：", "overview"),
        ("二、主动公开政府信息情况", "proactive_disclosure"),
        ("三三、收到和处理政府信息公开申请情况", "applications"),
        ("三、收到和处理信息公开申请情况", "applications"),
        ("四、政府信息公开行政复议、行政诉讼情况", "review_litigation"),
        ("四、政府信息公开行政复议行政诉讼情况", "review_litigation"),
        ("四、政府信息公开行政复议和行政诉讼情况", "review_litigation"),
        ("5、存在的主要问题及改进情况", "problems_improvements"),
        ("5、 存在的主要问题及改进情况", "problems_improvements"),
        ("五、存在的问题及改进措施", "problems_improvements"),
        ("六、其他需要报告的事项", "other_matters"),
        ("6.其它需要报告的事项", "other_matters"),
    ],
)
def test_a_heading_with_any_ordinal_and_any_known_wording(line: str, section: str) -> None:
    text = f"某局报告\n{line}\n本年工作如下。"
    assert sections(text) == [section]


@pytest.mark.parametrize(
    ("line", "section"),
    [
        ("二、主动公开政府信息的情况统计", "proactive_disclosure"),
        ("三、收到和处理政府信息公开申情况", "applications"),
        ("五、存在主要问题及其改进情况", "problems_improvements"),
    ],
)
def test_a_numbered_line_that_is_nearly_an_official_heading_is_one(line: str, section: str) -> None:
    assert sections(f"甲\n{line}\n乙") == [section]


@pytest.mark.parametrize(
    ("line", "section"),
    [
        ("总体情况", "overview"),
        ("主动公开政府信息情况", "proactive_disclosure"),
        ("收到和处理政府信息公开申请情况", "applications"),
        ("政府信息公开行政复议、行政诉讼情况", "review_litigation"),
        ("其他需要报告的事项", "other_matters"),
    ],
)
def test_an_official_name_alone_on_its_line_is_a_heading_without_ordinal(line: str, section: str) -> None:
    """Word numbers such headings itself, and its numbers are no text."""
    assert find(f"甲\n{line}\n乙") == [(section, line)]


@pytest.mark.parametrize("line", ["概述", "基本情况", "其他事项", "主动公开情况"])
def test_a_short_unofficial_name_needs_an_ordinal(line: str) -> None:
    assert find(f"甲\n{line}\n乙") == []
    assert len(find(f"甲\n一、{line}\n乙")) == 1


@pytest.mark.parametrize(
    "text",
    [
        INTRO,
        f"某局报告\n{INTRO}\n根据条例制作。",
        INTRO.replace("、", "，"),
        INTRO.replace("等六个部分", "共六个部分"),
        "本报告包括：一、总体情况；二、主动公开政府信息情况；三、收到和处理政府信息公开申请情况；等部分。",
    ],
)
def test_an_enumeration_of_the_sections_has_no_headings(text: str) -> None:
    assert find(text) == []


@pytest.mark.parametrize(
    "line",
    [
        "（一）主动公开情况。2023年，我局主动公开信息40条。",
        "（一）主动公开情况",
        "(二)依申请公开情况",
        "（一）总体情况",
        "（三）政府信息公开行政复议、行政诉讼情况。无。",
        "现将总体情况报告如下。",
        "详见总体情况",
        "我局主动公开政府信息情况良好。",
        "一、组织领导有力",
    ],
)
def test_sub_headings_and_sentences_are_no_headings(line: str) -> None:
    assert find(f"甲\n{line}\n乙") == []


def test_a_heading_inside_a_line_needs_a_chinese_ordinal() -> None:
    """A report on one line."""
    text = "切实提升工作质效。二、主动公开政府信息情况 第二十条第（一）项 信息内容"
    assert find(text) == [("proactive_disclosure", "二、主动公开政府信息情况")]
    assert find("切实提升工作质效。主动公开政府信息情况 第二十条第（一）项") == []
    assert find("切实提升工作质效。2、主动公开政府信息情况 第二十条第（一）项") == []


def test_a_whole_report_on_one_line_has_its_six_headings_after_the_introduction() -> None:
    names = [names[:2] for names in load_forms().section_names.values()]
    text = INTRO + "".join(f"{ordinal}、{name} 内容。" for ordinal, name in names)
    assert find(text) == [(s, f"{o}、{n}") for s, (o, n) in zip(SECTIONS, names, strict=True)]


def test_the_interval_covers_the_ordinal_and_the_name_not_the_rest_of_the_line() -> None:
    text = "甲\n一、总体情况 2023年，我局\n乙"
    assert find(text) == [("overview", "一、总体情况")]


def test_a_heading_torn_by_residue_is_found_whole() -> None:
    text = "甲\n[bookmark: _GoBack]一、总体[bookmark: x]情况\n乙"
    ((section, printed),) = find(text)
    assert section == "overview"
    assert printed == "一、总体[bookmark: x]情况"


def test_only_the_asked_interval_is_searched() -> None:
    view = "一、总体情况\n二、主动公开政府信息情况\n"
    (heading,) = find_headings(view, 7, len(view))
    assert (heading.section, heading.start) == ("proactive_disclosure", 7)
    assert find_headings(view, 0, 5) == []
    assert find_headings("", 0, 0) == []


_NAMES = [name for names in load_forms().section_names.values() for name in names[1:]]


@given(
    st.lists(
        st.one_of(
            st.sampled_from(_NAMES),
            st.sampled_from(["一、", "2、", "三三、", "\n", "。", "|", "\t", " "]),
            st.text(max_size=4),
        ),
        max_size=14,
    )
)
def test_headings_stand_in_order_and_do_not_overlap(parts: list[str]) -> None:
    view = fold_view("".join(parts))
    position = 0
    for heading in find_headings(view, 0, len(view)):
        assert position <= heading.start < heading.end <= len(view)
        assert heading.section in SECTIONS
        position = heading.end
