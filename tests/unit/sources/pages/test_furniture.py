"""Page numbers and running heads go; whatever may be a value stays."""

from __future__ import annotations

import pytest
from press import HEIGHT, column, line, page, prose, table

from extractor.sources.pages.furniture import find_furniture
from extractor.sources.pages.shapes import PageContent
from extractor.sources.pages.spacing import line_text

BODY = ["本机关坚持以习近平新时代中国特色社会主义思想为指导全面贯彻落实各项要求。" * 4]


def removed(*pages: PageContent) -> list[list[str]]:
    return [
        [line_text(content.lines[number]) for number in sorted(numbers)]
        for content, numbers in zip(pages, find_furniture(pages), strict=True)
    ]


@pytest.mark.parametrize(
    "foot",
    [
        "- 4 -",
        "—4—",
        "－ 4 －",
        "第4页",
        "第 4 页 共 6 页",
        "第4页，共6页",
        "4/6",
        "共6页 第4页",
        "Page 4 of 6",
        "·4·",
        "-iv-",
    ],
)
def test_a_page_number_that_says_so(foot: str) -> None:
    assert removed(page(4, prose(BODY), foot=foot)) == [[line_text(line(foot))]]


@pytest.mark.parametrize("foot", ["6/4", "4 件", "第四季度", "2024年1月20日", "共6页", "4.5", "-"])
def test_no_page_number(foot: str) -> None:
    assert removed(page(4, prose(BODY), foot=foot)) == [[]]


def test_a_bare_number_counts_the_pages() -> None:
    pages = [page(number, [*prose(BODY), *column([str(number + 2)], y=750)]) for number in (1, 2, 3)]
    beside = [line("3", 80, HEIGHT - 40), line("0", 300, HEIGHT - 42)]
    assert removed(*pages) == [["3"], ["4"], ["5"]]
    assert removed(page(3, [*prose(BODY), *beside])) == [[]]


def test_a_bare_number_on_the_only_page_stands_apart() -> None:
    assert removed(page(1, prose(BODY), foot="1")) == [["1"]]
    close = [line("总计", 80, 730), line("12", 290, 748)]
    assert removed(page(1, [*prose(BODY), *close])) == [[]]


def test_a_bare_number_in_the_middle_of_a_page_is_text() -> None:
    assert removed(page(1, [line("1", 290, 400)]), page(2, [line("2", 290, 400)])) == [[], []]


def test_numbers_below_a_table_but_never_in_it() -> None:
    low = table([["总计", "1"]], [80, 300, 520], y=720)
    assert removed(page(1, [], [low], foot="- 1 -")) == [["- 1 -"]]
    assert removed(page(1, [], [low]), page(2, [], [low])) == [[], []]


def test_a_line_between_two_tables_at_the_foot_is_no_furniture() -> None:
    tables = [table([["甲", "1"]], [80, 300, 520], y=700), table([["乙", "2"]], [80, 300, 520], y=765)]
    assert removed(page(4, [line("- 4 -", 290, 740)], tables)) == [[]]


def test_running_heads_repeat() -> None:
    pages = [page(number, prose(BODY), head="某某市人民政府年度报告") for number in (1, 2)]
    assert removed(*pages) == [["某某市人民政府年度报告"]] * 2
    assert removed(pages[0]) == [[]]


def test_heads_of_odd_and_even_pages() -> None:
    heads = ["政府信息公开", "某某市水利局"] * 3
    pages = [page(number, prose(BODY), head=head) for number, head in enumerate(heads, start=1)]
    assert removed(*pages) == [[head] for head in heads]


def test_a_head_with_a_number_that_changes() -> None:
    pages = [page(number, prose(BODY), foot=f"http://a.gov.cn/2024/1/5.html {number}/3") for number in (1, 2, 3)]
    assert [len(found) for found in removed(*pages)] == [1, 1, 1]


def test_a_head_that_recognition_spells_differently() -> None:
    heads = ["某某市水利局政府信息公开年度报告", "某某市水利局政府倍息公开年度报告"]
    assert removed(*(page(number, prose(BODY), head=head) for number, head in enumerate(heads, 1))) == [
        [h] for h in heads
    ]


def test_rows_of_a_table_without_rules_stay() -> None:
    rows = [page(number, [*prose(BODY), line(f"总计 {number} 0 1", 80, 750)]) for number in (1, 2)]
    changing = [
        page(number, [*prose(BODY), line(f"办件总数 {number} {number + 3} {number + 5}", 80, 750)]) for number in (1, 2)
    ]
    assert removed(*rows) == [[], []]
    assert removed(*changing) == [[], []]


def test_the_same_words_at_another_height_stay() -> None:
    pages = [page(1, [line("某某市年度报告", 200, 100)]), page(2, [line("某某市年度报告", 200, 40)])]
    assert removed(*pages) == [[], []]


def test_a_page_that_was_copied_twice_keeps_its_text() -> None:
    pages = [page(number, prose(BODY, y=60), foot=f"- {number} -") for number in (1, 2)]
    assert removed(*pages) == [["- 1 -"], ["- 2 -"]]


def test_two_lines_of_running_head() -> None:
    heads = [line("某某市人民政府", 250, 30, 10), line("政府信息公开工作年度报告", 230, 42, 10)]
    pages = [page(number, [*heads, *prose(BODY)]) for number in (1, 2)]
    assert [len(found) for found in removed(*pages)] == [2, 2]
