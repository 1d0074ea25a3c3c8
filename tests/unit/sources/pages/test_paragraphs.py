"""Lines that one paragraph was broken into become one; in doubt the line end stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from press import LEFT, PITCH, SIZE, SQUARES, TOP, column, line, page, prose

from extractor.sources.pages.compose import compose_pages
from extractor.sources.pages.shapes import Line

TEXT = "本年度共收到政府信息公开申请一百二十件均在法定期限内予以答复没有发生行政复议和行政诉讼案件"
FULL = TEXT[:SQUARES]


def text_of(lines: list[Line]) -> str:
    return compose_pages([page(1, lines)]).text


def body(*lines: tuple[float, str]) -> list[Line]:
    """Two plain paragraphs that show the margins, then lines with indents in squares."""
    start = prose([TEXT * 2] * 2)
    y = start[-1].box[1]
    return start + [line(text, LEFT + SIZE * indent, y + PITCH * (n + 1)) for n, (indent, text) in enumerate(lines)]


def last_lines(*lines: tuple[float, str]) -> list[str]:
    return text_of(body(*lines)).splitlines()[2:]


def test_paragraphs_are_one_line_each() -> None:
    paragraphs = ["一、总体情况", TEXT * 2 + "。", TEXT + "。", TEXT[:30]]
    assert text_of(prose(paragraphs)).splitlines() == paragraphs


def test_paragraphs_go_on_overleaf_around_furniture() -> None:
    lines = prose([TEXT * 3 + "。", TEXT])
    pages = [
        page(1, lines[:3], foot="- 1 -"),
        page(
            2,
            [line(line_.words[0].text, line_.box[0], TOP + PITCH * n) for n, line_ in enumerate(lines[3:])],
            foot="- 2 -",
        ),
    ]
    assert compose_pages(pages).text.splitlines() == [TEXT * 3 + "。", TEXT]


def test_a_failed_page_between_ends_the_paragraph() -> None:
    upper, lower = body((0, FULL)), [line("件。", LEFT, TOP)]
    failed = replace(page(2), page=replace(page(2).page, read_by="failed"))
    assert compose_pages([page(1, upper), page(2, lower)]).text.endswith(FULL + "件。\n")
    assert compose_pages([page(1, upper), failed, page(3, lower)]).text.endswith(FULL + "\n件。\n")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([(0, FULL), (0, "件。")], [FULL + "件。"]),
        ([(0, FULL), (2, "新的一段。")], [FULL, "新的一段。"]),
        ([(0, FULL[:-3]), (0, "新的一行。")], [FULL[:-3], "新的一行。"]),
        # what begins the next line would not have fitted: a word, an opening bracket with what is in it
        ([(0, FULL[:-4]), (0, "http://www.a.gov.cn。")], [FULL[:-4] + "http://www.a.gov.cn。"]),
        ([(0, FULL[:-1]), (0, "《条例》。")], [FULL[:-1] + "《条例》。"]),
        # headings and items
        ([(0, FULL), (0, "二、主动公开政府信息情况")], [FULL, "二、主动公开政府信息情况"]),
        ([(0, FULL[:-1] + "。"), (0, "（二）依申请公开。")], [FULL[:-1] + "。", "（二）依申请公开。"]),
        ([(0, FULL), (0, "（二）项规定的。")], [FULL + "（二）项规定的。"]),
        # two numbers, or one: nobody knows
        ([(0, FULL[:-2] + "2024"), (0, "15件。")], [FULL[:-2] + "2024", "15件。"]),
        ([(0, FULL[:-2] + "2024"), (0, "年")], [FULL[:-2] + "2024年"]),
        ([(0, FULL[:-2] + "open"), (0, "data。")], [FULL[:-2] + "open data。"]),
    ],
)
def test_the_end_of_a_line(lines: list[tuple[float, str]], expected: list[str]) -> None:
    assert last_lines(*lines) == expected


def test_other_letters_and_other_distances_are_other_paragraphs() -> None:
    start = body((0, FULL))
    y = start[-1].box[3]
    assert text_of([*start, line("小字", LEFT, y + 10)]).splitlines()[2:] == [FULL + "小字"]
    assert text_of([*start, line("脚注用小号字", LEFT, y + 10, SIZE / 2)]).splitlines()[2:] == [FULL, "脚注用小号字"]
    assert text_of([*start, line("远处", LEFT, y + 60)]).splitlines()[2:] == [FULL, "远处"]


def test_a_title_over_two_lines_stays_two_lines() -> None:
    title = [line("某某市人民政府办公室", 200, 20, 22), line("2024年政府信息公开工作年度报告", 130, 50, 22)]
    assert text_of([*title, *prose([TEXT * 2])]).splitlines()[:2] == [
        "某某市人民政府办公室",
        "2024年政府信息公开工作年度报告",
    ]


def test_text_without_margins_stays_as_printed() -> None:
    lines = ["主动公开", "依申请公开", "总计"]
    assert text_of(column(lines)).splitlines() == lines


def test_a_page_with_one_line_borrows_the_margins() -> None:
    """Corpus 001, page 5: one line of text below a table."""
    texts = [TEXT * 2 + "。", "对照" + TEXT]
    before, lines = prose(texts[:1]), prose(texts[1:])
    second = page(2, [line(lines[0].words[0].text, LEFT + 2 * SIZE, 700)])
    rest = [line(item.words[0].text, LEFT, TOP + PITCH * place) for place, item in enumerate(lines[1:])]
    assert compose_pages([page(1, before), second, page(3, rest)]).text.splitlines() == texts


def test_a_page_of_short_lines_borrows_the_margins() -> None:
    items = ["甲乙丙丁戊己庚辛壬癸子丑寅卯", "子丑寅卯辰巳午未申酉戌亥甲乙"]
    assert compose_pages([page(1, prose([TEXT * 3])), page(2, column(items))]).text.splitlines() == [TEXT * 3, *items]
