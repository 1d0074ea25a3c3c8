"""Plain text of any flattening: which cells the text itself still separates, and whether their places survived."""

from __future__ import annotations

from itertools import pairwise

import flatten
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.model import Block, Grid, Heading, Paragraph
from extractor.settings import Settings
from extractor.sources import read_document
from extractor.sources.text import number_grids, split_blocks
from extractor.sources.view import fold_view


def blocks(text: str) -> list[Block]:
    view = fold_view(text)
    return list(split_blocks(view, 0, len(view)))


def grids(text: str) -> list[Grid]:
    return [block for block in blocks(text) if isinstance(block, Grid)]


def rows(text: str, grid: Grid) -> list[list[str]]:
    found: dict[int, list[str]] = {}
    for cell in grid.cells:
        assert cell.column == len(found.setdefault(cell.row, []))
        found[cell.row].append(text[cell.start : cell.end])
    return list(found.values())


def only_grid(text: str) -> tuple[Grid, list[list[str]]]:
    (grid,) = grids(text)
    return grid, rows(text, grid)


def paragraphs(text: str) -> list[str]:
    """Running text; the outer bars of a table may lie in it."""
    return [text[block.start : block.end].strip("| \t\n") for block in blocks(text) if isinstance(block, Paragraph)]


# ---------------------------------------------------------------- tabs, one cell a line

TAB_CELLS = "\t信息内容\n\t本年制发件数\n\t本年废止件数\n\n\t规章\n\t1\n\t\n\n\t规范性文件\n\t2\n\t3\n"


def test_a_tab_opens_a_cell_and_a_blank_line_ends_a_row() -> None:
    grid, found = only_grid(TAB_CELLS)
    assert (grid.kind, grid.is_padded) == ("rows", False)
    assert found == [["信息内容", "本年制发件数", "本年废止件数"], ["规章", "1", ""], ["规范性文件", "2", "3"]]


def test_an_empty_cell_has_its_place_in_the_text() -> None:
    (grid,) = grids(TAB_CELLS)
    empty = grid.cells[5]
    assert empty.start == empty.end
    assert TAB_CELLS[empty.start - 1] == "\t"


def test_a_cell_may_hold_line_breaks() -> None:
    text = "\t结果维持\n\t总\n计\n\t未经复议\n直接起诉\n\n\t0\n\t1\n\t2\n"
    assert only_grid(text)[1] == [["结果维持", "总\n计", "未经复议\n直接起诉"], ["0", "1", "2"]]


def test_blank_lines_in_front_of_a_label_belong_to_its_cell() -> None:
    """A label that empty paragraphs centre in its merged cell."""
    text = "\t四、结转\n\t0\n\t0\n\n\t\n\n\n\n\n三、本年度办理结果\n\t（一）予以公开\n\t1\n\t2\n\n"
    assert only_grid(text)[1] == [["四、结转", "0", "0"], ["三、本年度办理结果", "（一）予以公开", "1", "2"]]


def test_merged_cells_are_empty_ones_in_their_row() -> None:
    text = "\t甲\n\t乙\n\n\t\n\t\n\t企业\n\n\t1\n\t2\n\t3\n"
    assert only_grid(text)[1] == [["甲", "乙"], ["", "", "企业"], ["1", "2", "3"]]


def test_windows_line_ends_and_spaces_on_blank_lines_make_no_difference() -> None:
    expected = [["信息内容", "本年制发件数", "本年废止件数"], ["规章", "1", ""], ["规范性文件", "2", "3"]]
    for text in (TAB_CELLS.replace("\n", "\r\n"), TAB_CELLS.replace("\n\n", "\n \u3000\n")):
        assert only_grid(text)[1] == expected


def test_text_before_and_behind_a_tab_table_stays_running_text() -> None:
    text = f"前面的话。\n\n{TAB_CELLS}\n后面的话，有 12 件。\n又一段。"
    assert only_grid(text)[1][-1] == ["规范性文件", "2", "3"]
    assert paragraphs(text) == ["前面的话。", "后面的话，有 12 件。\n又一段。"]


def test_text_between_two_tab_tables_separates_them() -> None:
    text = f"{TAB_CELLS}\n中间的话。\n\n{TAB_CELLS}"
    first, second = grids(text)
    assert rows(text, first) == rows(text, second)
    assert paragraphs(text) == ["中间的话。"]


# ---------------------------------------------------------------- tabs, one row a line


def test_tabs_between_cells_make_a_line_a_row() -> None:
    text = "信息内容\t本年制发件数\t本年废止件数\n规章\t\t1\n规范性文件\t2\t3\n"
    grid, found = only_grid(text)
    assert (grid.kind, grid.is_padded) == ("rows", False)
    assert found == [["信息内容", "本年制发件数", "本年废止件数"], ["规章", "", "1"], ["规范性文件", "2", "3"]]


def test_running_text_between_tab_rows_separates_grids() -> None:
    text = "甲\t1\t2\n乙\t3\t4\n说明文字。\n丙\t5\t6\n丁\t7\t8\n"
    assert [rows(text, grid) for grid in grids(text)] == [
        [["甲", "1", "2"], ["乙", "3", "4"]],
        [["丙", "5", "6"], ["丁", "7", "8"]],
    ]
    assert paragraphs(text) == ["说明文字。"]


def test_tab_rows_of_one_width_with_empty_cells_at_their_ends_only_may_have_lost_cells() -> None:
    text = "规章\t1\t\t\n规范性文件\t2\t3\t\n行政许可\t4\t\t\n"
    assert only_grid(text)[0].is_padded is True
    assert only_grid(text.replace("规章\t1\t\t", "规章\t\t1\t"))[0].is_padded is False


@pytest.mark.parametrize("text", ["一段\t话\t里\t三个制表符。", "没有表格。", "甲|乙|丙", "甲 乙 丙\n1 2 3"])
def test_too_few_separators_make_no_grid(text: str) -> None:
    assert grids(text) == []
    assert paragraphs(text) == [text]


# ---------------------------------------------------------------- bars

PADDED = (
    "信息内容 |\n本年制发件数 |\n本年废止件数 |\n现行有效件数 |\n"
    "规章 |\n|||\n规范性文件 |\n4 |\n0 |\n7 |\n行政许可 |\n0 |\n||\n"
)


def test_rows_filled_up_at_their_end_are_padded() -> None:
    grid, found = only_grid(PADDED)
    assert (grid.kind, grid.is_padded) == ("rows", True)
    assert found == [
        ["信息内容", "本年制发件数", "本年废止件数", "现行有效件数"],
        ["规章", "", "", ""],
        ["规范性文件", "4", "0", "7"],
        ["行政许可", "0", "", ""],
    ]


def test_padded_rows_on_one_line_each() -> None:
    text = "甲 | 本年 | 上年 | 总计 |\n规章 | 1 |||\n文件 | 4 | 0 | 7 |\n"
    grid, found = only_grid(text)
    assert grid.is_padded is True
    assert found == [["甲", "本年", "上年", "总计"], ["规章", "1", "", ""], ["文件", "4", "0", "7"]]


def test_padded_rows_with_leading_bars() -> None:
    text = "|甲|本年|上年|总计|\n|规章|1|||\n|文件|4|0|7|\n|许可|5|||\n"
    grid, found = only_grid(text)
    assert grid.is_padded is True
    assert found[1:] == [["规章", "1", "", ""], ["文件", "4", "0", "7"], ["许可", "5", "", ""]]


def test_an_empty_cell_between_numbers_shows_that_places_survived() -> None:
    text = "| 甲 | 本年 | 上年 | 总计 |\n|---|---|---|---|\n| 规章 | | 1 | |\n| 文件 | 4 | 0 | 7 |\n"
    grid, found = only_grid(text)
    assert (grid.kind, grid.is_padded) == ("rows", False)
    assert found == [["甲", "本年", "上年", "总计"], ["规章", "", "1", ""], ["文件", "4", "0", "7"]]


@pytest.mark.parametrize("rule", ["|---|---|---|---|", "|:--|:-:|--:|---|", "---|---|---|---", "| - | - | - | - |"])
def test_delimiter_rows_are_no_rows_wherever_they_stand(rule: str) -> None:
    text = f"| 甲 | 乙 | 丙 | 丁 |\n{rule}\n| 规章 | | 1 | 2 |\n{rule}\n| 文件 | 4 | 0 | 7 |\n"
    assert only_grid(text)[1] == [["甲", "乙", "丙", "丁"], ["规章", "", "1", "2"], ["文件", "4", "0", "7"]]


def test_a_row_of_dashes_for_nothing_is_no_delimiter_row() -> None:
    """Cells of one dash are what an agency prints for "does not apply"."""
    text = "| 甲 | 乙 | 丙 |\n|---|---|---|\n| 规章 | - | - |\n| 文件 | - | 7 |\n"
    assert only_grid(text)[1][1:] == [["规章", "-", "-"], ["文件", "-", "7"]]


def test_a_line_with_one_filled_cell_between_empty_ones_is_a_row() -> None:
    """Most rows of a sparse Markdown table hold a label and nothing else."""
    (grid,) = grids("| 规章 | | | |\n| 规范性文件 | | | |\n| 行政许可 | | 7 | |\n")
    assert (grid.kind, [cell.row for cell in grid.cells]) == ("rows", [0] * 4 + [1] * 4 + [2] * 4)


def test_an_escaped_bar_is_no_border() -> None:
    text = "| 甲 | 乙 |\n|---|---|\n| 一\\|二 | 1 |\n| 三 | 2 |\n"
    assert only_grid(text)[1][1] == ["一\\|二", "1"]


def test_one_cell_a_line_without_filling_is_a_stream() -> None:
    text = "甲\n|\n本年\n|\n上年\n|\n规章\n|\n1\n|\n\n|\n2\n|\n文件\n|\n3\n|\n4\n|\n"
    grid, found = only_grid(text)
    assert (grid.kind, grid.is_padded) == ("stream", False)
    assert found == [["甲", "本年", "上年", "规章", "1", "", "2", "文件", "3", "4"]]


def test_a_stream_whose_first_cell_has_its_bar_on_the_next_line() -> None:
    text = "说明。\n甲\n|\n乙\n|\n1\n|\n2\n|\n"
    assert only_grid(text)[1] == [["甲", "乙", "1", "2"]]
    assert paragraphs(text) == ["说明。"]


def test_a_stream_may_end_in_a_short_cell_without_a_bar_but_not_in_a_sentence() -> None:
    text = "甲 |\n乙 |\n1 |\n2 |\n3"
    assert only_grid(text)[1] == [["甲", "乙", "1", "2", "3"]]
    text = "甲 |\n乙 |\n1 |\n2 |\n五、存在的问题。有待改进。"
    assert only_grid(text)[1] == [["甲", "乙", "1", "2"]]
    assert paragraphs(text) == ["五、存在的问题。有待改进。"]


@pytest.mark.parametrize(
    ("stream", "is_padded"),
    [("规章 |\n1 |\n2 |\n", False), ("规章 |\n1 |\n|\n", True), ("规章 |\n|\n2 |\n", False)],
)
def test_a_stream_hides_dropped_cells_when_no_number_follows_an_empty_one(stream: str, is_padded: bool) -> None:
    text = f"甲 |\n乙 |\n丙 |\n丁 |\n{stream}说明文字 |\n"
    grid, _ = only_grid(text)
    assert (grid.kind, grid.is_padded) == ("stream", is_padded)


def test_text_before_and_behind_a_bar_table_stays_running_text() -> None:
    table = "| 甲 | 乙 |\n|---|---|\n| 规章 | 1 |\n| 文件 | 2 |\n"
    text = f"前面的话。\n\n{table}\n后面的话。"
    assert only_grid(text)[1] == [["甲", "乙"], ["规章", "1"], ["文件", "2"]]
    assert paragraphs(text) == ["前面的话。", "后面的话。"]


def test_a_heading_separates_grids() -> None:
    table = "甲\t1\t2\n乙\t3\t4\n"
    text = f"一、总体情况\n{table}二、主动公开政府信息情况\n{table}"
    kinds = [type(block) for block in blocks(text)]
    assert kinds == [Heading, Grid, Heading, Grid]


def test_a_heading_is_no_cell_of_the_table_below_it() -> None:
    """A bar in front of the first cell opens it; what stands on the line above is the heading."""
    text = "甲。\n一、总体情况\n|\n乙\n|\n丙\n|\n1\n|\n2\n|\n"
    assert [type(block) for block in blocks(text)] == [Paragraph, Heading, Grid]
    assert [text for text in only_grid(text)[1][0] if text] == ["乙", "丙", "1", "2"]


def test_grids_are_numbered_in_reading_order() -> None:
    text = f"{TAB_CELLS}\n话。\n\n{TAB_CELLS}"
    numbered = number_grids(blocks(text))
    assert [block.index for block in numbered if isinstance(block, Grid)] == [0, 1]
    assert [(block.start, block.end) for block in numbered] == [(block.start, block.end) for block in blocks(text)]


# ---------------------------------------------------------------- whole reports

PADDED_LAYOUTS = {"pipe_rows_padded", "pipe_cells_padded", "pipe_cells_dropped"}
GRIDLESS_LAYOUTS = {"bare_lines", "paragraphs", "spaced_rows", "one_line", "ruled", "glued"}
TEXT_LAYOUTS = {
    name: flatten.LAYOUTS[name](
        flatten.build_tables("2021", flatten.as_printed(flatten.make_values("2021", 3)))
    ).decode()
    for name in flatten.LAYOUTS
    if name not in ("word", "html_page")
}


@pytest.mark.parametrize("layout", sorted(TEXT_LAYOUTS))
def test_each_table_of_a_report_is_one_grid_where_the_layout_separates_cells(layout: str) -> None:
    """In tab rows a row of a single cell has no tab: it separates the four parts of section 二."""
    expected = 0 if layout in GRIDLESS_LAYOUTS else 6 if layout == "tab_rows" else 3
    assert len(grids(TEXT_LAYOUTS[layout])) == expected


@pytest.mark.parametrize("layout", sorted(set(TEXT_LAYOUTS) - GRIDLESS_LAYOUTS))
def test_only_layouts_that_fill_rows_up_are_padded(layout: str) -> None:
    """Section 二 in Markdown has no empty cell but at row ends: nothing tells it from a filled-up table."""
    padded = [grid.is_padded for grid in grids(TEXT_LAYOUTS[layout])]
    expected = [True, False, False] if layout == "markdown" else [layout in PADDED_LAYOUTS] * len(padded)
    assert padded == expected


def check_blocks(text: str, found: list[Block] | tuple[Block, ...]) -> None:
    """What holds for any text."""
    for block in found:
        assert 0 <= block.start <= block.end <= len(text)
        assert block.start < block.end or isinstance(block, Grid)  # a table may hold empty cells only
    for before, after in pairwise(found):
        assert before.end <= after.start
    position = 0
    for block in found:  # nothing that is printed is lost between the blocks
        assert text[position : block.start].strip(" \t\n\r\x00|:-") == ""
        position = block.end
    for grid in (block for block in found if isinstance(block, Grid)):
        places = [(cell.row, cell.column) for cell in grid.cells]
        assert places == sorted(set(places))
        for cell in grid.cells:
            assert grid.start <= cell.start <= cell.end <= grid.end
            assert text[cell.start : cell.end] == text[cell.start : cell.end].strip(" \t\n\x00")
        for left, right in pairwise(grid.cells):
            assert left.end <= right.start


@pytest.mark.parametrize("layout", sorted(TEXT_LAYOUTS))
def test_blocks_of_a_report_cover_all_that_is_printed(layout: str) -> None:
    view = fold_view(TEXT_LAYOUTS[layout])
    check_blocks(view, list(split_blocks(view, 0, len(view))))


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A report with slices deleted, doubled, swapped or replaced by separators."""
    text = TEXT_LAYOUTS[draw(st.sampled_from(sorted(TEXT_LAYOUTS)))]
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, max(len(text) - 1, 0)))
        end = min(len(text), start + draw(st.integers(1, 400)))
        piece = draw(st.sampled_from(["", "", "|", "\t", "\n", "\n\n", " ", "||", text[start:end] * 2]))
        text = text[:start] + piece + text[end:]
    return text


@settings(max_examples=150, deadline=None)
@given(mutated())
def test_blocks_never_overlap_and_cells_lie_in_their_grid(text: str) -> None:
    view = fold_view(text)
    check_blocks(view, list(split_blocks(view, 0, len(view))))


@settings(max_examples=300, deadline=None)
@given(st.text("甲规章总计0123|\t\n -:。一、\x00", max_size=120))
def test_any_text_of_separators_splits_into_sound_blocks(text: str) -> None:
    check_blocks(text, list(split_blocks(text, 0, len(text))))


@settings(max_examples=60, deadline=None)
@given(mutated())
def test_a_documents_blocks_are_those_of_its_view(text: str) -> None:
    document = read_document(f"报告 {text}".encode(), "a.txt", Settings())
    check_blocks(document.view, document.blocks)
    indexes = [block.index for block in document.blocks if isinstance(block, Grid)]
    assert indexes == list(range(len(indexes)))
