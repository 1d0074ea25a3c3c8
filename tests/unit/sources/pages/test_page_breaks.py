"""Tables that a page break cut become one grid with their true columns."""

from __future__ import annotations

from press import line, page, table

from extractor.model import Grid
from extractor.sources.base import Linear
from extractor.sources.pages.compose import compose_pages
from extractor.sources.pages.shapes import PageContent, PageTable

EDGES = [80.0, 110.0, 160.0, 300.0, 360.0, 420.0, 520.0]


def shown(linear: Linear, grid: Grid) -> list[tuple[int, int, int, int, str]]:
    return [(*cell[2:], linear.text[cell.start : cell.end]) for cell in grid.cells]


def compose(upper: PageTable, lower: PageTable, between: PageContent | None = None) -> Linear:
    pages = [page(1, [], [upper], foot="- 1 -"), *([between] if between else [])]
    return compose_pages([*pages, page(len(pages) + 1, [], [lower], foot=f"- {len(pages) + 1} -")])


def move(printed: PageTable, by: float, scale: float = 1.0) -> PageTable:
    def shift(x: float) -> float:
        return x * scale + by

    cells = tuple(
        cell._replace(box=(shift(cell.box[0]), cell.box[1], shift(cell.box[2]), cell.box[3])) for cell in printed.cells
    )
    columns = tuple(shift(x) for x in printed.columns)
    return PageTable((columns[0], printed.box[1], columns[-1], printed.box[3]), columns, printed.rows, cells)


HEAD = ["", "", "", "自然人", "其他", "总计"]
UPPER = table(
    [HEAD, ["三、本年度办理结果", "（四）无", "1.本机关不掌握相关政府信息", "7", "1", "8"]],
    EDGES,
    merged={(0, 0): (1, 3)},
)
LOWER = table(
    [
        ["", "法提供", "2.没有现成信息需要另行制作", "1", "0", "1"],
        ["", "", "3.补正后申请内容仍不明确", "2", "0", "2"],
        ["", "（七）总计", "", "10", "1", "11"],
    ],
    EDGES,
    merged={(0, 0): (3, 1), (0, 1): (2, 1), (2, 1): (1, 2)},
)


def test_a_label_over_the_break_is_one_cell() -> None:
    """Corpus 001, pages 4 and 5."""
    linear = compose(UPPER, LOWER)
    (grid,) = linear.grids
    assert (grid.width, grid.kind, grid.is_padded) == (6, "matrix", False)
    cells = {(row, column): (down, across, text) for row, column, down, across, text in shown(linear, grid)}
    assert cells[1, 1] == (3, 1, "（四）无法提供")
    assert cells[1, 0] == (1, 1, "三、本年度办理结果")
    assert cells[2, 0] == (3, 1, "")
    assert cells[2, 2] == (1, 1, "2.没有现成信息需要另行制作")
    assert cells[4, 1] == (1, 2, "（七）总计")
    assert [cells[row, 5][2] for row in range(5)] == ["总计", "8", "1", "2", "11"]
    places = linear.paper.cells if linear.paper else {}
    assert {key[1:] for key in places} == set(cells)
    assert (places[0, 1, 5].page, places[0, 2, 5].page) == (1, 2)


def test_another_margin_and_another_scale() -> None:
    for lower in (move(LOWER, 25), move(LOWER, -20), move(LOWER, 3, 1.02), move(LOWER, 2, 0.985)):
        assert len(compose(UPPER, lower).grids) == 1


def test_other_columns_are_another_table() -> None:
    edges = [80.0, 130.0, 200.0, 260.0, 330.0, 400.0, 520.0]
    other = table([["", "法提供", "2.没有现成信息需要另行制作", "1", "0", "1"], ["", "", "甲", "2", "0", "2"]], edges)
    assert len(compose(UPPER, other).grids) == 2
    moved = [*EDGES[:2], EDGES[2] + 20, *EDGES[3:]]
    assert len(compose(UPPER, LOWER._replace(columns=tuple(moved))).grids) == 2
    assert len(compose(UPPER, move(LOWER, -40, 0.9)).grids) == 2
    assert len(compose(UPPER, move(LOWER, 90)).grids) == 2


def test_fewer_columns_where_cells_are_merged() -> None:
    wide = table([["行政处罚", "12"], ["行政强制", "0"]], [80.0, 300.0, 520.0])
    linear = compose(UPPER, wide)
    assert [cell[:4] for cell in shown(linear, linear.grids[0])][-4:] == [
        (2, 0, 1, 3),
        (2, 3, 1, 3),
        (3, 0, 1, 3),
        (3, 3, 1, 3),
    ]
    linear = compose(wide, UPPER)
    assert [cell[:4] for cell in shown(linear, linear.grids[0])][:2] == [(0, 0, 1, 3), (0, 3, 1, 3)]
    assert linear.grids[0].width == 6


def test_a_left_column_that_one_page_lost() -> None:
    bare = table(
        [["法提供", "2.没有现成信息需要另行制作", "1", "0", "1"], ["", "3.补正后申请内容仍不明确", "2", "0", "2"]],
        EDGES[1:],
        merged={(0, 0): (2, 1)},
    )
    linear = compose(UPPER, bare)
    (grid,) = linear.grids
    assert (2, 5, 1, 1, "1") in shown(linear, grid)
    assert (1, 1, 3, 1, "（四）无法提供") in shown(linear, grid)


def test_anything_between_keeps_two_tables() -> None:
    text = page(2, [line("四、政府信息公开行政复议、行政诉讼情况", 80, 300)])
    assert len(compose(UPPER, LOWER, text).grids) == 2
    assert len(compose(UPPER, LOWER, page(2)).grids) == 1  # an empty page, a blank back
    below = page(1, [line("注：以上为全市数据。", 80, 400)], [UPPER])
    assert len(compose_pages([below, page(2, [], [LOWER])]).grids) == 2
    assert len(compose_pages([page(1, [], [UPPER, LOWER])]).grids) == 2


def test_a_table_over_three_pages() -> None:
    linear = compose_pages([page(n, [], [t], foot=str(n)) for n, t in enumerate((UPPER, LOWER, LOWER), start=1)])
    assert len(linear.grids) == 1
    assert max(cell.row for cell in linear.grids[0].cells) == 7


COUNTS = ["1", "0", "1"]
NONE = ["", "", ""]


def rows_of(upper: list[str], lower: list[str]) -> list[list[str]]:
    """The last rows of a table whose last row above and first row below the break are given."""
    above = table([HEAD, upper], EDGES, merged={(0, 0): (1, 3), (1, 0): (1, 2)})
    below = table([lower, ["", "", "2.重复申请", "4", "5", "9"]], EDGES, merged={(0, 0): (1, 2), (1, 0): (1, 2)})
    linear = compose(above, below)
    (grid,) = linear.grids
    height = max(cell.row for cell in grid.cells)
    assert {cell.row_span for cell in grid.cells} == {1}
    return [[text for row, *_, text in shown(linear, grid) if row == number] for number in range(1, height)]


def test_a_row_that_the_break_cut_is_one_row() -> None:
    first, second = "5.要求行政机关确认或重新出", "具已获取信息"
    joined = [["", first + second, *COUNTS]]
    assert rows_of(["", "", first, *COUNTS], ["", "", second, *NONE]) == joined
    assert rows_of(["", "", first, *NONE], ["", "", second, *COUNTS]) == joined


def test_rows_that_may_be_two_stay_two() -> None:
    first, second = "5.要求行政机关确认或重新出", "具已获取信息"
    for upper, lower in (
        (["", "", first, *COUNTS], ["", "", second, *COUNTS]),  # numbers on both sides
        (["", "", first, "1", "", ""], ["", "", second, "", "0", "1"]),
        (["", "", "3.其他", *NONE], ["", "", "法律行政法规禁止公开", *COUNTS]),  # a row of its own
        (["", "", "（七）总", *NONE], ["", "", "额", *COUNTS]),  # no label of the form
        (["（五）不予处理", "", first, *COUNTS], ["（六）其他处理", "", second, *NONE]),  # of two groups
    ):
        assert len(rows_of(upper, lower)) == 2


def test_a_label_that_is_a_row_and_a_group_is_joined_only_as_one_row() -> None:
    """（六）其他处理 is a row of the older form and a group of the newer one."""
    first, second = ["（六）其", "", "", *COUNTS], ["他处理", "", "", *COUNTS]
    spans = {(1, 0): (1, 3)}
    above = table([HEAD, first], EDGES, merged={(0, 0): (1, 3), **spans})
    cells = []
    for counts in (NONE, COUNTS):
        linear = compose(above, table([[*second[:3], *counts]], EDGES, merged={(0, 0): (1, 3)}))
        cells.append([text for row, *_, text in shown(linear, linear.grids[0]) if row > 0])
    assert cells == [["（六）其他处理", *COUNTS], ["（六）其", *COUNTS, "他处理", *COUNTS]]


def test_a_header_printed_again_stays_in_the_grid() -> None:
    again = table([HEAD, ["", "", "2.重复申请", *COUNTS]], EDGES, merged={(0, 0): (1, 3), (1, 0): (1, 2)})
    linear = compose(UPPER, again)
    (grid,) = linear.grids
    assert [text for row, *_, text in shown(linear, grid) if row == 2] == ["", "自然人", "其他", "总计"]
