"""Pages become the text that a browser would show, and their tables true geometry."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parsing import parse_html

from extractor.model import Grid
from extractor.sources.base import Linear


def read(page: str) -> Linear:
    return parse_html(page.encode(), "a.html")


def texts(linear: Linear, grid: Grid) -> list[str]:
    return [linear.text[cell.start : cell.end] for cell in grid.cells]


def places(grid: Grid) -> list[tuple[int, int, int, int]]:
    return [(cell.row, cell.column, cell.row_span, cell.column_span) for cell in grid.cells]


def slots(grid: Grid) -> dict[tuple[int, int], int]:
    """Which cell is in each slot; fails when one slot has two."""
    found: dict[tuple[int, int], int] = {}
    for number, cell in enumerate(grid.cells):
        for row in range(cell.row, cell.row + cell.row_span):
            for column in range(cell.column, cell.column + cell.column_span):
                assert (row, column) not in found
                assert column < grid.width
                found[row, column] = number
    return found


# ---------------------------------------------------------------- text


def test_one_line_a_block_and_inline_text_joined() -> None:
    page = "<title>T</title><h1>报告</h1><div>一、<b>总体</b>\n <i>情况</i>  <p>甲<br>乙</p>丙</div>"
    assert read(page).text == "报告\n一、总体 情况\n甲\n乙\n丙\n"


def test_entities_are_resolved_and_nbsp_kept() -> None:
    assert read("<p>a&nbsp;&lt;b&gt; &amp;&#20013;&ensp;</p>").text == "a\xa0<b> &中\u2002\n"


@pytest.mark.parametrize(
    "page",
    [
        "<p>是<script>x</script><style>x</style><template><p>x</p></template><noscript>x</noscript></p>",
        "<p>是<!-- x --><!--[if !supportMisalignedColumns]--><!--[endif]--><![if !x]><![endif]></p>",
        "<head><title>x</title></head><p>是<svg><title>x</title></svg><iframe>x</iframe></p>",
        "<head><noscript><img src=x></noscript><title>x</title></head><p>是</p>",
        "<p><ruby>是<rp>(</rp><rt>shi</rt><rp>)</rp></ruby></p>",
    ],
)
def test_what_is_never_shown_vanishes_unflagged(page: str) -> None:
    assert read(page) == Linear("是\n")


def test_bracketed_titles_are_text() -> None:
    assert read("<p>印发<中华人民共和国格式>的通知</p>").text == "印发<中华人民共和国格式>的通知\n"


def test_title_stands_in_for_an_empty_body() -> None:
    assert read("<title>年 报</title><body><img src=1.jpg>").text == "年 报\n"
    assert read("<body><img src=1.jpg>").text == ""


def test_preformatted_text_keeps_lines() -> None:
    assert read("<pre>a  b\n c</pre><p style='white-space: pre-wrap'>d\r\ne</p>").text == "a  b\n c\nd\ne\n"


def test_plain_lines_around_a_pasted_table_stay_lines() -> None:
    page = "首页\r\n一、总体情况\n  正文\n<table><tr><td>a<td>1<tr><td>b<td>2</table>\n二、主动公开"
    assert read(page).text == "首页\n一、总体情况\n正文\na\t1\nb\t2\n二、主动公开\n"


def test_blocks_by_display_and_empty_lines() -> None:
    assert read("<span style='display:block'>a</span><span>b</span><br><br><br>c<p><br></p>").text == "a\nb\n\nc\n\n"


# ---------------------------------------------------------------- hidden text


@pytest.mark.parametrize(
    "attributes",
    [
        "hidden",
        "style='display:none'",
        'style="color:red; DISPLAY : none !important"',
        "style='visibility:hidden'",
        "style='font-size:0'",
        "style='font-size: 0.1px;'",
        "style='position:absolute; left:-9999px'",
        "style='text-indent:-999em'",
        "style='opacity:0'",
        "style='height:0;overflow:hidden'",
    ],
)
@pytest.mark.parametrize("tag", ["p", "span", "div"])
def test_hidden_text_is_left_out_and_counted(tag: str, attributes: str) -> None:
    linear = read(f"<p>前</p><{tag} {attributes}>隐 <b>藏\xa0\n字</b><script>x</script></{tag}><p>后</p>")
    assert linear.text == "前\n后\n"
    (flag,) = linear.notices
    assert flag.code == "hidden-text"
    assert flag.message.en.startswith("3 ")


@pytest.mark.parametrize(
    "attributes",
    [
        "aria-hidden=true",
        "style='font-size:10.5pt; opacity:0.9'",
        "style='display:inline;visibility:visible'",
        "style='left:-9999px'",
        "style='position:absolute;left:-5px'",
        "style='text-indent:2em;mso-x:none'",
        "style='overflow:hidden;height:20px'",
        "style='border-left:-9999px;min-width:0'",
    ],
)
def test_what_only_looks_like_hiding_is_read(attributes: str) -> None:
    assert read(f"<p {attributes}>字</p>") == Linear("字\n")


def test_size_and_visibility_can_be_set_anew_inside() -> None:
    sized = "<div style='font-size:0'>x<p style='font-size:14px'>甲</p></div>"
    linear = read(f"{sized}<p style='visibility:hidden'>y<b style='visibility:visible'>乙</b></p>")
    assert linear.text == "甲\n乙\n"
    assert linear.notices[0].message.en.startswith("2 ")
    assert read("<div style='font-size:0'><b style='font-size:2em'>x</b></div>").text == ""


def test_hidden_element_without_text_is_no_finding() -> None:
    assert read("<p>a<span hidden> &nbsp;</span></p>").notices == ()


def test_undisplayed_cells_take_no_slot_and_invisible_ones_do() -> None:
    linear = read(
        "<table><tr><td>a<td style='display:none'>x<td style='visibility:hidden'>y<td>1<tr><td>b<td><td>2</table>"
    )
    assert texts(linear, linear.grids[0]) == ["a", "", "1", "b", "", "2"]
    assert linear.notices[0].message.en.startswith("2 ")


# ---------------------------------------------------------------- tables


def test_table_is_written_row_by_row_with_true_places() -> None:
    linear = read(
        "<p>前</p><table><caption>表</caption>"
        "<thead><tr><th rowspan=2>行<th colspan=2>法人</tr><tr><th>企业<th>其他</tr></thead>"
        "<tbody><tr><td> 一、<br>新收 </td><td>&nbsp;</td><td>12</td></tr></tbody></table><p>后</p>"
    )
    assert linear.text == "前\n表\n行\t法人\n企业\t其他\n一、\n新收\t\xa0\t12\n后\n"
    (grid,) = linear.grids
    assert (grid.index, grid.kind, grid.width, grid.is_padded) == (0, "matrix", 3, False)
    assert texts(linear, grid) == ["行", "法人", "企业", "其他", "一、\n新收", "", "12"]
    assert places(grid) == [
        (0, 0, 2, 1),
        (0, 1, 1, 2),
        (1, 1, 1, 1),
        (1, 2, 1, 1),
        (2, 0, 1, 1),
        (2, 1, 1, 1),
        (2, 2, 1, 1),
    ]
    assert linear.text[grid.start : grid.end] == "行\t法人\n企业\t其他\n一、\n新收\t\xa0\t12"
    assert all(cell.start == cell.end for cell in grid.cells if cell.row == 2 and cell.column == 1)


def test_foot_comes_last_wherever_it_stands() -> None:
    linear = read("<table><tfoot><tr><td>计<td>3</tfoot><tr><td>a<td>1<tr><td>b<td>2<thead><tr><th>h<th>n</table>")
    assert linear.text == "h\tn\na\t1\nb\t2\n计\t3\n"


def test_row_span_zero_reaches_to_the_end_of_its_group() -> None:
    (grid,) = read("<table><tbody><tr><td rowspan=0>a<td>1<tr><td>2<tr><td>3<tbody><tr><td>b<td>4</table>").grids
    assert places(grid) == [(0, 0, 3, 1), (0, 1, 1, 1), (1, 1, 1, 1), (2, 1, 1, 1), (3, 0, 1, 1), (3, 1, 1, 1)]


@pytest.mark.parametrize(
    ("span", "width"), [("1000", 3), ("99999999999", 3), ("3px", 3), ("0", 1), ("-2", 1), ("x", 1), ("", 1)]
)
def test_senseless_spans_are_cut_to_the_table(span: str, width: int) -> None:
    (grid,) = read(
        f"<table><tr><td colspan='{span}' rowspan='{span}'>头<tr><td>a<td>1<td>2<tr><td>b<td>3<td>4</table>"
    ).grids
    assert grid.cells[0].column_span == width
    assert grid.cells[0].row_span <= 3
    slots(grid)


def test_many_huge_spans_take_no_memory() -> None:
    row = "<tr>" + "<td colspan=1000 rowspan=65000>1</td>" * 200 + "</tr>"
    assert all(grid.width <= 1000 for grid in read(f"<table>{row * 50}</table>").grids)
    assert read("<table><tr>" + "<td colspan=60>1</td>" * 5000 + "<tr><td>2</table>").grids == ()


def test_overlapping_spans_never_share_a_slot() -> None:
    (grid,) = read("<table><tr><td>a<td rowspan=2>b<td>c<tr><td colspan=2>d<td>e</table>").grids
    assert places(grid) == [(0, 0, 1, 1), (0, 1, 2, 1), (0, 2, 1, 1), (1, 0, 1, 1), (1, 2, 1, 1)]


ROWS = [[f"{number}.项"] + [str(number * 7 + column) for column in range(7)] for number in range(25)]


def write_rows(row: str, cell: str, end_cell: str = "</td>", end_row: str = "</tr>") -> str:
    return "".join(row + "".join(f"{cell}{text}{end_cell}" for text in texts) + end_row for texts in ROWS)


@pytest.mark.parametrize(
    "table",
    [
        f"<table>{write_rows('<tr>', '<td>')}</table>",
        f"<table>{write_rows('<tr>', '<td>', '', '')}",
        f"<table border=1 width=100%>{write_rows('<tr class=a height=>', '<td width=10 align=center>')}",
        f"<table>{write_rows('<tr><div>', '<td>', '</td>', '</div></tr>')}</table>",
        f"<table>{write_rows('<tr>', '<td><p><span>', '</p></span></td>')}</table>",
        f"<table><form>{write_rows('<tr>', '<td><o:p>', '</o:p>')}</form></table>",
        f"<div><table>{write_rows('</td><tr>', '<td><font>', '</td>', '')}</div></table>",
    ],
)
def test_broken_markup_keeps_every_row(table: str) -> None:
    linear = read(f"<p>前{table}")
    (grid,) = linear.grids
    assert texts(linear, grid) == [text for row in ROWS for text in row]
    assert grid.width == 8
    assert linear.text.startswith("前\n0.项\t0")


def test_layout_tables_become_lines_and_the_data_in_them_grids() -> None:
    data = f"<table>{write_rows('<tr>', '<td>')}</table>"
    page = f"<table><tr><td>导航<td>首页</tr><tr><td>左栏<td><p>一、总体情况</p>{data}<p>二、其他</p>{data}</table>"
    linear = read(page)
    assert linear.text.startswith("导航\n首页\n左栏\n一、总体情况\n0.项\t0\t1")
    assert [grid.index for grid in linear.grids] == [0, 1]
    assert [len(grid.cells) for grid in linear.grids] == [200, 200]
    assert linear.grids[0].end < linear.grids[1].start


@pytest.mark.parametrize(
    "table",
    [
        "<table><tr><td>只有一格</table>",
        "<table><tr><td colspan=3>一列<tr><td>二</table>",
        f"<table><tr><td>左<td><p>{'正文，' * 30}</p><p>{'正文。' * 40}</p></table>",
    ],
)
def test_tables_that_only_arrange_are_no_grids(table: str) -> None:
    linear = read(table)
    assert linear.grids == ()
    assert "\t" not in linear.text


def test_long_notes_in_a_table_of_numbers_keep_it_a_grid() -> None:
    (grid,) = read(f"<table>{write_rows('<tr>', '<td>')}<tr><td colspan=8>{'说明，' * 100}</table>").grids
    assert len(grid.cells) == 201


def test_small_table_in_a_cell_becomes_its_text() -> None:
    inner = "<table><tr><td>x<td>y<tr><td>z<td>w</table>"
    linear = read(f"<table>{write_rows('<tr>', '<td>')}<tr><td>末{inner}<td>1</table>")
    (grid,) = linear.grids
    assert texts(linear, grid)[-2:] == ["末\nx\ty\nz\tw", "1"]


def test_deep_nesting_does_not_recurse() -> None:
    assert read("<div>" * 10_000 + "底").text == "底\n"
    assert read("<span style='color:red'>" * 10_000 + "底").text == "底\n"
    assert read("<div hidden>" + "<div>" * 10_000 + "底").text == ""
    assert "底" in read("<table><tr><td>1<td>" * 2_000 + "底").text


# ---------------------------------------------------------------- charset


def test_charset_is_that_of_the_bytes() -> None:
    page = "<html><meta charset=utf-8><p>政府信息公开工作年度报告，本机关</p>"
    for charset in ("gbk", "utf-16", "utf-8-sig"):
        assert parse_html(page.encode(charset), "a").text == "政府信息公开工作年度报告，本机关\n"


def test_lost_bytes_are_flagged_in_the_text_that_is_kept() -> None:
    raw = b"<p title='\xff'>" + "政府信息公开</p><p>的报".encode() + b"\xff\xfe\xff</p>"
    linear = parse_html(raw, "a")
    (flag,) = linear.notices
    assert flag.message.en.endswith(": 2")
    (span,) = flag.spans
    assert linear.text[span.start : span.end] == "\ufffd" * 3


# ---------------------------------------------------------------- properties

cells_strategy = st.lists(
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 6), st.sampled_from(["", "0", "12", "一、", "a<br>b"])), max_size=6
    ),
    min_size=1,
    max_size=8,
)


@given(cells_strategy)
def test_random_spans_fill_each_slot_at_most_once(rows: list[list[tuple[int, int, str]]]) -> None:
    """And every cell's interval holds its text, in reading order."""
    page = "<table>"
    for row in rows:
        page += "<tr>" + "".join(f"<td rowspan={down} colspan={right}>{text}</td>" for down, right, text in row)
    linear = read(page + "</table><p>后")
    for grid in linear.grids:
        slots(grid)
        assert texts(linear, grid) == [text.replace("<br>", "\n") for row in rows for _, _, text in row]
        assert [(c.row, c.column) for c in grid.cells] == sorted((c.row, c.column) for c in grid.cells)
        assert all(left.end <= right.start for left, right in pairwise(grid.cells))
        assert all(grid.start <= cell.start <= cell.end <= grid.end for cell in grid.cells)
        assert all(cell.row + cell.row_span <= len(rows) for cell in grid.cells)


FULL_PAGE = (
    "<!DOCTYPE html><html><head><meta charset=utf-8><title>年报</title></head><body><table><tr><td>导航<td>"
    f"<p>一、总体情况</p><!--[if x]-->{write_rows('<tr>', '<td rowspan=1>')}<table>"
    f"{write_rows('<tr>', '<td colspan=1 style=font-size:12pt>')}</table><span hidden>x</span></table></body></html>"
).encode()


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32))
def test_mutated_pages_always_parse(seed: int) -> None:
    chance = random.Random(seed)
    raw = bytearray(FULL_PAGE)
    for _ in range(chance.randrange(1, 40)):
        at = chance.randrange(len(raw))
        piece = chance.choice(
            [b"", b"<", b">", b"</td>", b"<table>", b"\xff", b"\x00", b"<!--", b'"', b"<svg>", b"</table>"]
        )
        raw[at : at + chance.randrange(30)] = piece
    linear = parse_html(bytes(raw), "a")
    position = 0
    for grid in linear.grids:
        slots(grid)
        assert position <= grid.start <= grid.end <= len(linear.text)
        position = grid.end
