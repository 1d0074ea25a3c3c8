"""One drawn page, recognised once: cells, blanks, stamps, unreadable ink, vertical labels, places on the page."""

from __future__ import annotations

import numpy as np
import pytest
from ruled_page import (
    COLUMNS,
    HEIGHT,
    LABELS,
    NUMBERS,
    ROWS,
    SCALE,
    SCRIBBLE,
    STAMPED_BLANK,
    STAMPED_NUMBER,
    VERTICAL,
    WIDTH,
    draw_page,
)

from extractor.model import UNREAD, Page
from extractor.sources.pages.raster import Picture
from extractor.sources.pages.scan.reader import read_scan_page
from extractor.sources.pages.shapes import PageCell, PageContent


@pytest.fixture(scope="module")
def content() -> PageContent:
    return read_scan_page(Picture(draw_page(), SCALE), Page(3, WIDTH, HEIGHT, "pt"))


def text_of(cell: PageCell) -> str:
    return "".join(word.text for line in cell.lines for word in line.words)


def find_cell(content: PageContent, row: int, column: int) -> PageCell:
    (table,) = content.tables
    return next(cell for cell in table.cells if cell.column == column and cell.row <= row < cell.row + cell.row_span)


def test_every_number_is_read_or_its_cell_is_empty(content: PageContent) -> None:
    for row, numbers in enumerate(NUMBERS):
        for column, number in enumerate(numbers, start=2):
            if (row, column) != SCRIBBLE:
                assert text_of(find_cell(content, row, column)) == number, (row, column)


def test_plain_numbers_are_without_doubt(content: PageContent) -> None:
    words = [word for cell in content.tables[0].cells for line in cell.lines for word in line.words]
    sure = [word for word in words if word.text.isdigit() and word.doubt is None]
    printed = sum(bool(number) for numbers in NUMBERS for number in numbers)
    assert len(sure) >= 0.9 * printed
    assert all(word.confidence is not None and word.confidence > 0.5 for word in sure)


def test_a_blank_cell_has_no_lines_and_no_doubt_though_a_stamp_lies_on_it(content: PageContent) -> None:
    for row, column in [(1, 4), (3, 6), STAMPED_BLANK]:
        cell = find_cell(content, row, column)
        assert (cell.lines, cell.doubt) == ((), None)


def test_ink_that_nobody_can_read_is_never_a_blank_nor_a_plain_number(content: PageContent) -> None:
    cell = find_cell(content, *SCRIBBLE)
    words = [word for line in cell.lines for word in line.words]
    assert words
    assert all(word.text == UNREAD or word.doubt is not None for word in words)


def test_a_number_under_a_stamp_is_read(content: PageContent) -> None:
    assert text_of(find_cell(content, *STAMPED_NUMBER)) == "531"


def test_labels_and_the_vertical_label_are_in_reading_order(content: PageContent) -> None:
    assert [text_of(find_cell(content, row, 1)) for row in range(6)] == LABELS
    assert text_of(find_cell(content, 0, 0)) == VERTICAL


def test_running_text_is_in_lines_and_its_numbers_stand_alone(content: PageContent) -> None:
    lines = ["".join(word.text for word in line.words) for line in content.lines]
    assert lines[0] == "三、收到和处理政府信息公开申请情况共2035件"
    assert lines[1].startswith("注：本表由某某县民政局填报")
    assert [word.text for word in content.lines[0].words if word.text.isdigit()] == ["2035"]


def test_boxes_are_in_units_of_the_page(content: PageContent) -> None:
    (table,) = content.tables
    assert table.columns == pytest.approx(COLUMNS, abs=1.5)
    assert table.rows == pytest.approx(ROWS, abs=1.5)
    cell = find_cell(content, 0, 2)
    assert cell.box == pytest.approx((150, 70, 190, 100), abs=1.5)
    left, top, right, bottom = cell.lines[0].words[0].box
    assert (left, top, right, bottom) == pytest.approx((164, 81, 176, 89), abs=2)
    assert (content.page.number, content.page.read_by, content.page.turn) == (3, "ocr", 0)


def test_an_empty_page_is_read_by_nothing() -> None:
    blank = np.full((400, 300, 3), 250, np.uint8)
    content = read_scan_page(Picture(blank, 1.0), Page(1, 300, 400, "px"))
    assert content == PageContent(Page(1, 300, 400, "px", read_by="nothing"))
