"""Tables by their rules: every slot in one cell, however the rules are drawn."""

from __future__ import annotations

import flatten
import paper
import pymupdf
import pytest

from extractor.sources.pages.shapes import PageTable

RULES = (paper.thin_rectangle, paper.dashes, paper.loose_dashes, paper.doubled, paper.short)
B = flatten.Box


def read_tables(raw: bytes) -> list[PageTable]:
    return list(paper.read_one(raw).tables)


def assert_every_slot_has_one_cell(table: PageTable) -> None:
    slots = [
        (row, column)
        for cell in table.cells
        for row in range(cell.row, cell.row + cell.row_span)
        for column in range(cell.column, cell.column + cell.column_span)
    ]
    width, height = len(table.columns) - 1, len(table.rows) - 1
    assert sorted(slots) == [(row, column) for row in range(height) for column in range(width)]


FORMS = [("2019", paper.stroke, slice(None)), ("2021", paper.stroke, slice(None))]
FORMS += [("2021", rule, slice(1, 2)) for rule in RULES]


@pytest.mark.parametrize(("generation", "rule", "tables"), FORMS)
def test_the_form_comes_back_with_its_merged_cells(generation: str, rule: paper.Rule, tables: slice) -> None:
    printed = flatten.as_printed(flatten.make_values(generation, 3))
    for _, table in flatten.build_tables(generation, printed)[tables]:
        sheet = paper.Sheet()
        parts = sheet.draw_table(table, paper.COLUMNS[sum(box.columns for box in table[0])], rule)
        (found,) = read_tables(sheet.finish())
        assert_every_slot_has_one_cell(found)
        places = {(cell.row, cell.column): cell for cell in found.cells}
        for row, column, box in paper.place_cells(table):
            cell = places.pop((row, column))
            assert (cell.row_span, cell.column_span, cell.doubt) == (box.rows, box.columns, None)
            assert "".join(paper.line_texts(cell.lines)).replace(" ", "") == box.text
            (place,) = [place for _, other, place in parts if other is box]
            assert cell.box == pytest.approx(tuple(place), abs=0.8)
        assert not places


def test_a_table_cut_by_the_page_break_has_closed_edges_on_both_pages() -> None:
    sheet = paper.Sheet(bottom=130)
    rows = [[B("三、", rows=6), B("甲"), B("1")], *([B(text), B(str(n))] for n, text in enumerate("乙丙丁戊己"))]
    sheet.draw_table(rows, (40, 100, 60), is_open=True)
    first, second = (page.tables[0] for page in paper.read(sheet.finish()))
    assert paper.cell_texts(first)[:2] == [["三、", "甲", "1"], ["乙", "0"]]
    assert sum(len(row) for row in paper.cell_texts(first) + paper.cell_texts(second)) == 2 * 6 + 2
    assert paper.cell_texts(second)[0][0] == ""
    assert paper.cell_texts(second)[-1] == ["己", "4"]
    assert first.columns == pytest.approx(second.columns, abs=0.1)


def test_outer_rules_at_the_sides_may_be_missing() -> None:
    sheet = paper.Sheet()
    shape = sheet.page.new_shape()
    for y in (100, 120, 140):
        paper.stroke(shape, pymupdf.Point(50, y), pymupdf.Point(350, y))
    for x in (150, 250):
        paper.stroke(shape, pymupdf.Point(x, 100), pymupdf.Point(x, 140))
    shape.commit()
    for x, y, text in ((60, 115, "甲"), (160, 115, "1"), (260, 115, "2"), (60, 135, "乙"), (260, 135, "4")):
        sheet.put((x, y), text)
    (table,) = read_tables(sheet.finish())
    assert table.columns == pytest.approx((50, 150, 250, 350), abs=0.5)
    assert paper.cell_texts(table) == [["甲", "1", "2"], ["乙", "", "4"]]


def test_a_line_under_a_text_and_a_frame_around_the_page_make_no_cells() -> None:
    sheet = paper.Sheet()
    places = sheet.grid([["甲", "12", "3"], ["乙", "4", "5"]])
    shape = sheet.page.new_shape()
    cell = places[1]
    paper.stroke(shape, pymupdf.Point(cell.x0 + 2, cell.y1 - 4), pymupdf.Point(cell.x0 + 14, cell.y1 - 4))
    for start, end in (((20, 20), (575, 20)), ((575, 20), (575, 820)), ((20, 820), (575, 820)), ((20, 20), (20, 820))):
        paper.stroke(shape, pymupdf.Point(start), pymupdf.Point(end))
    shape.commit()
    (table,) = read_tables(sheet.finish())
    assert paper.cell_texts(table) == [["甲", "12", "3"], ["乙", "4", "5"]]


def test_a_table_in_a_cell_of_a_table_that_only_arranges_is_the_table() -> None:
    sheet = paper.Sheet()
    shape = sheet.page.new_shape()
    for start, end in (((30, 30), (570, 30)), ((30, 400), (570, 400)), ((30, 30), (30, 400)), ((570, 30), (570, 400)),
                       ((580, 30), (580, 400)), ((570, 30), (580, 30)), ((570, 400), (580, 400))):  # fmt: skip
        paper.stroke(shape, pymupdf.Point(start), pymupdf.Point(end))
    shape.commit()
    sheet.grid([["甲", "12", "3"], ["乙", "4", "5"]])
    (table,) = read_tables(sheet.finish())
    assert paper.cell_texts(table) == [["甲", "12", "3"], ["乙", "4", "5"]]


def test_thick_rules_of_a_small_table_are_no_ink_of_its_cells() -> None:
    def thick(shape: pymupdf.Shape, start: pymupdf.Point, end: pymupdf.Point) -> None:
        shape.draw_line(start, end)
        shape.finish(width=2.6)

    sheet = paper.Sheet()
    sheet.grid([["甲", "", "3"]], rule=thick)
    (table,) = read_tables(sheet.finish())
    assert paper.cell_texts(table) == [["甲", "", "3"]]


def test_white_rules_do_not_show_and_make_no_table() -> None:
    def white(shape: pymupdf.Shape, start: pymupdf.Point, end: pymupdf.Point) -> None:
        shape.draw_line(start, end)
        shape.finish(color=(1, 1, 1), width=0.5)

    sheet = paper.Sheet()
    sheet.grid([["甲", "12"], ["乙", "4"]], rule=white)
    content = paper.read_one(sheet.finish())
    assert content.tables == ()
    assert paper.line_texts(content.lines) == ["甲 12", "乙 4"]


def test_text_without_rules_is_no_table() -> None:
    sheet = paper.Sheet()
    for y in (100, 120):
        for x in (60, 160, 260):
            sheet.put((x, y), str(x))
    content = paper.read_one(sheet.finish())
    assert content.tables == ()
    assert paper.line_texts(content.lines) == ["60 160 260"] * 2


def test_rules_that_enclose_no_rectangle_are_doubted() -> None:
    sheet = paper.Sheet()
    shape = sheet.page.new_shape()
    for start, end in (
        ((50, 100), (350, 100)), ((50, 140), (350, 140)), ((50, 100), (50, 140)), ((350, 100), (350, 140)),
        ((150, 100), (150, 140)), ((250, 120), (250, 140)), ((50, 120), (150, 120)), ((250, 120), (350, 120)),
    ):  # fmt: skip
        paper.stroke(shape, pymupdf.Point(start), pymupdf.Point(end))
    shape.commit()
    for x, y, text in ((60, 115, "甲"), (160, 115, "1"), (260, 115, "2"), (60, 135, "乙"), (160, 135, "3")):
        sheet.put((x, y), text)
    (table,) = read_tables(sheet.finish())
    assert_every_slot_has_one_cell(table)
    doubts = {"".join(paper.line_texts(cell.lines)): cell.doubt for cell in table.cells}
    assert doubts["甲"] is None
    assert doubts["3"] == "structure"
