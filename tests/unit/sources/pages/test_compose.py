"""Pages become one text in which everything has its place."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import paper
import pytest
from hypothesis import given
from hypothesis import strategies as st
from press import LEFT, SIZE, column, line, page, prose, table, word

from extractor.flags import make_flag
from extractor.model import UNREAD, CellState, InkedText
from extractor.readers.cells import read_cell
from extractor.sources.base import Linear
from extractor.sources.pages.compose import compose_pages
from extractor.sources.pages.furniture import find_furniture
from extractor.sources.pages.shapes import Line, PageCell, PageContent, PageTable, Word
from extractor.sources.view import fold_view

EDGES = [80.0, 200.0, 320.0, 520.0]


def one_cell(text: str, width: float = 120.0, size: float = 8.0, y: float = 103.0) -> str:
    """The text of a cell whose lines are given, each set from the cell's left edge."""
    box = (80.0, 100.0, 80.0 + width, 160.0)
    lines = tuple(line(part, 82, y + place * size, size) for place, part in enumerate(text.split("\n")))
    other = (80.0 + width, 100.0, 520.0, 160.0)
    cells = [PageCell(0, 0, 1, 1, box, lines), PageCell(0, 1, 1, 1, other)]
    printed = PageTable((80, 100, 520, 160), (80, 80 + width, 520), (100, 160), tuple(cells))
    linear = compose_pages([page(1, [], [printed])])
    cell = linear.grids[0].cells[0]
    return linear.text[cell.start : cell.end]


def test_lines_and_tables_in_the_order_of_the_page() -> None:
    printed = table([["规章", "1", ""], ["行政规范性文件", "", "5"]], EDGES, y=200)
    linear = compose_pages([page(1, [line("上", 80, 100), line("下", 80, 400)], [printed])])
    assert linear.text == "上\n规章\t1\t\n行政规范性文件\t\t5\n下\n"
    (grid,) = linear.grids
    assert (grid.start, grid.end, grid.index, grid.width) == (2, linear.text.index("\n下"), 0, 3)
    assert [linear.text[cell.start : cell.end] for cell in grid.cells] == ["规章", "1", "", "行政规范性文件", "", "5"]


def test_empty_cells_have_a_place_and_cells_their_doubt() -> None:
    printed = table([["规章", "1", ""], ["费用", "2", "3"]], EDGES)
    cells = tuple(
        cell._replace(doubt="faint" if not cell.lines else "structure" if cell.column == 1 else None)
        for cell in printed.cells
    )
    paper = compose_pages([page(1, [], [printed._replace(cells=cells)])]).paper
    assert paper is not None
    assert {key: (place.box, place.doubt) for key, place in paper.cells.items()} == {
        (0, cell.row, cell.column): (cell.box, cell.doubt) for cell in cells
    }
    assert paper.cells[0, 0, 2].doubt == "faint"


def test_words_keep_their_box_confidence_and_doubt() -> None:
    doubtful = Word("12", (100, 100, 116, 116), 0.5, "looks_differ")
    printed = Line((word("共", 80, 100), doubtful, word("件", 118, 100)), (80, 100, 134, 116))
    linear = compose_pages([page(1, [printed])])
    assert linear.text == "共12件\n"
    assert linear.paper is not None
    assert linear.paper.words[1] == InkedText(1, 3, 1, (100, 100, 116, 116), 0.5, "looks_differ")


def test_notices_once_each_and_hidden_text_summed() -> None:
    flag = make_flag("ocr-unconfirmed")
    other = make_flag("page-not-read", page=2, problem="x")
    pages = [page(1, notices=(flag,), hidden_chars=3), page(2, notices=(flag, other), hidden_chars=4)]
    notices = compose_pages(pages).notices
    assert [notice.code for notice in notices] == ["hidden-text", "ocr-unconfirmed", "page-not-read"]
    assert "7" in notices[0].message.en


def test_no_pages_and_empty_pages() -> None:
    assert compose_pages([]).text == ""
    linear = compose_pages([page(1), page(2)])
    assert (linear.text, linear.grids) == ("", ())
    assert linear.paper is not None
    assert [shown.number for shown in linear.paper.pages] == [1, 2]


# ---------------------------------------------------------------- tables that hold no data


def test_a_frame_around_the_text_is_no_table() -> None:
    box = (60.0, 60.0, 540.0, 700.0)
    text = "本年度共收到政府信息公开申请一百二十件均在法定期限内予以答复没有发生行政复议案件"
    cell = PageCell(0, 0, 1, 1, box, tuple(prose([text * 2, text])))
    linear = compose_pages([page(1, [], [PageTable(box, (60, 540), (60, 700), (cell,))])])
    assert (linear.grids, linear.text) == ((), f"{text * 2}\n{text}\n")
    assert linear.paper is not None
    assert not linear.paper.cells
    assert "".join(linear.text[found.start : found.end] for found in linear.paper.words) == text * 3


def test_a_table_that_only_arranges_is_text_cell_by_cell() -> None:
    article = "本年度主动公开政府信息情况良好。" * 20
    printed = table([["概述", article, ""], ["", "", ""]], EDGES)
    linear = compose_pages([page(1, [], [printed])])
    assert linear.grids == ()
    assert linear.text == f"概述\n{article}\n"


# ---------------------------------------------------------------- text in cells


@pytest.mark.parametrize(
    ("lines", "width", "text"),
    [
        ("第二十条第\n（一）项", 48, "第二十条第（一）项"),
        ("本年收费金额（单位：万\n元）", 96, "本年收费金额（单位：万元）"),
        ("三\n、\n本\n年\n度", 14, "三、本年度"),
        ("规章\n行政规范性文件", 120, "规章\n行政规范性文件"),
        ("1234\n5", 20, "1234\n5"),
        ("0\n件", 12, "0\n件"),
        ("二\n十", 12, "二\n十"),
        ("12\n34", 60, "12\n34"),
    ],
)
def test_lines_of_a_cell(lines: str, width: float, text: str) -> None:
    assert one_cell(lines, width) == text


@pytest.mark.parametrize("lines", ["1234\n5", "96171.\n6", "1,\n234", "二\n十", "-\n5", "1\n2\n3", f"12\n{UNREAD}"])
def test_a_number_over_two_lines_is_read_as_none(lines: str) -> None:
    assert read_cell(fold_view(one_cell(lines, 24))).state is CellState.UNPARSABLE


@pytest.mark.parametrize("texts", [("1", "2"), ("３", "4"), ("12", UNREAD), ("1", ".5"), ("1", "，234"), (UNREAD, "0")])
def test_words_side_by_side_never_make_a_number(texts: tuple[str, str]) -> None:
    """Whatever stands between two words, they are not the number that they would be without it."""
    for gap in (0.0, 1.0, 6.0, 40.0):
        first = word(texts[0], 82, 103, 8)
        second = word(texts[1], first.box[2] + gap, 103, 8)
        cell = PageCell(0, 0, 1, 1, (80, 100, 200, 120), (Line((first, second), (82, 103, second.box[2], 111)),))
        rest = PageCell(0, 1, 1, 1, (200, 100, 520, 120))
        linear = compose_pages(
            [page(1, [], [PageTable((80, 100, 520, 120), (80, 200, 520), (100, 120), (cell, rest))])]
        )
        found = linear.grids[0].cells[0]
        assert read_cell(fold_view(linear.text[found.start : found.end])).state is CellState.UNPARSABLE


# ---------------------------------------------------------------- anything at all

texts = st.text("年政府公开0123456789.,-%（）一二〓abcXYZ", min_size=1, max_size=12)
coordinates = st.floats(0, 780, width=16)


@st.composite
def random_lines(draw: st.DrawFn) -> Line:
    y = draw(coordinates)
    words = [word(text, draw(coordinates), y) for text in draw(st.lists(texts, min_size=1, max_size=3))]
    words.sort(key=lambda item: item.box[0])
    return Line(tuple(words), (words[0].box[0], y, max(item.box[2] for item in words), y + SIZE))


@st.composite
def random_tables(draw: st.DrawFn) -> PageTable:
    height, width = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    rows = [[draw(st.one_of(st.just(""), texts)) for _ in range(width)] for _ in range(height)]
    edges = [80.0 + draw(st.sampled_from([0, 0, 0, 7, 60])) + 110 * place for place in range(width + 1)]
    return table(rows, edges, y=draw(st.floats(50, 600)))


@st.composite
def random_pages(draw: st.DrawFn) -> list[PageContent]:
    contents = []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        lines = sorted(draw(st.lists(random_lines(), max_size=6)), key=lambda item: item.box[1])
        tables = draw(st.lists(random_tables(), max_size=2))
        content = page(
            number, lines, sorted(tables, key=lambda item: item.box[1]), foot=draw(st.sampled_from(["", "1", "- 2 -"]))
        )
        is_failed = draw(st.integers(0, 9)) == 0
        contents.append(replace(content, page=replace(content.page, read_by="failed")) if is_failed else content)
    return contents


def words_of(contents: list[PageContent]) -> list[Word]:
    furniture = find_furniture(contents)
    kept = [
        item
        for content, numbers in zip(contents, furniture, strict=True)
        for place, item in enumerate(content.lines)
        if place not in numbers
    ]
    kept += [item for content in contents for one in content.tables for cell in one.cells for item in cell.lines]
    return [item for printed in kept for item in printed.words]


def check_places(linear: Linear) -> None:
    assert linear.paper is not None
    for before, after in pairwise(linear.paper.words):
        assert before.end <= after.start
    outside = set(range(len(linear.text)))
    for found in linear.paper.words:
        outside -= set(range(found.start, found.end))
    assert "".join(linear.text[at] for at in sorted(outside)).strip(" \t\n") == ""
    keys = set()
    for index, grid in enumerate(linear.grids):
        assert (grid.index, grid.kind, grid.is_padded) == (index, "matrix", False)
        slots = set()
        for cell in grid.cells:
            assert grid.start <= cell.start <= cell.end <= grid.end
            keys.add((index, cell.row, cell.column))
            covered = {
                (row, place)
                for row in range(cell.row, cell.row + cell.row_span)
                for place in range(cell.column, cell.column + cell.column_span)
            }
            assert not covered & slots
            slots |= covered
        assert max(place for _, place in slots) < grid.width
        assert list(grid.cells) == sorted(grid.cells, key=lambda cell: (cell.row, cell.column))
    assert set(linear.paper.cells) == keys
    for first, second in pairwise(linear.grids):
        assert first.end < second.start


@given(random_pages())
def test_everything_has_its_place(contents: list[PageContent]) -> None:
    linear = compose_pages(contents)
    check_places(linear)
    assert linear.paper is not None
    written = sorted((linear.text[found.start : found.end], found.box) for found in linear.paper.words)
    assert written == sorted((item.text, item.box) for item in words_of(contents))
    assert compose_pages(contents) == linear


def test_text_in_columns_keeps_its_gaps() -> None:
    linear = compose_pages([page(1, [Line((word("联系人", LEFT, 80), word("电话", 300, 80)), (LEFT, 80, 332, 96))])])
    assert linear.text == "联系人 电话\n"
    assert compose_pages([page(1, column(["open data 2024 年"]))]).text == "open data 2024年\n"


def test_a_real_report(corpus: Path) -> None:
    """Corpus 001: two tables over page breaks, paragraphs over page breaks, a page number on each page."""
    reads = paper.read((corpus / "docs/001_huaian_city_2024.pdf").read_bytes(), dpi=100)
    pages = [read for read in reads if isinstance(read, PageContent)]
    assert [len(numbers) for numbers in find_furniture(pages)] == [1] * 6
    linear = compose_pages(pages)
    check_places(linear)
    assert [(grid.width, grid.cells[-1].row + 1) for grid in linear.grids] == [(4, 14), (10, 28), (15, 4)]
    grid = linear.grids[1]
    texts = [linear.text[cell.start : cell.end] for cell in grid.cells]
    assert "（四）无法提供" in texts
    assert not [text for text in texts if "\n" in text]
    first, last = linear.grids[0].start, linear.grids[-1].end
    around = [*linear.text[:first].splitlines(), *linear.text[last:].strip().splitlines()]
    assert [line_[:8] for line_ in around] == [
        *("淮安市人民政府", "2024年政府信", "本报告由淮安市人", "一、总体情况", "2024年，我市"),
        *("（一）主动公开情", "（二）依申请公开", "（三）政府信息管", "（四）政府信息公", "（五）政府信息公"),
        *(
            "二、主动公开政府",
            "五、存在的主要问",
            "对照上级新要求和",
            "针对存在问题，下",
            "六、其他需要报告",
            "2024年，市政",
        ),
    ]
    assert "将栏目不更新、政策解读" in linear.text  # over the break of pages 2 and 3
