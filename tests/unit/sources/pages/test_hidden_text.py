"""Text that leaves no ink is not read, however it is hidden; text that does is."""

from __future__ import annotations

import paper
import pymupdf
import pytest

from extractor.model import UNREAD
from extractor.sources.pages.shapes import PageContent
from extractor.sources.pages.text_layer import Unfit

ROWS = [["规章", "本年制发件数"], ["行政许可", ""], ["行政处罚", "7"]]
OPEN = 3  # the empty cell


def draw() -> tuple[paper.Sheet, pymupdf.Rect]:
    """A sheet with a table, and the place of its empty cell."""
    sheet = paper.Sheet()
    return sheet, sheet.grid(ROWS)[OPEN]


def paint_picture(page: pymupdf.Page, place: pymupdf.Rect, grey: int = 255) -> None:
    pixels = pymupdf.Pixmap(pymupdf.csRGB, pymupdf.IRect(0, 0, 8, 8))
    pixels.clear_with(grey)
    page.insert_image(place, pixmap=pixels, keep_proportion=False)


def inside(place: pymupdf.Rect) -> pymupdf.Rect:
    return pymupdf.Rect(place.x0 + 1, place.y0 + 1, place.x1 - 1, place.y1 - 1)


def cover_with_picture(sheet: paper.Sheet, place: pymupdf.Rect) -> None:
    sheet.put((place.x0 + 4, place.y1 - 5), "99")
    paint_picture(sheet.page, inside(place))


def cover_with_white(sheet: paper.Sheet, place: pymupdf.Rect) -> None:
    sheet.put((place.x0 + 4, place.y1 - 5), "99")
    sheet.page.draw_rect(inside(place), color=None, fill=(1, 1, 1))


HIDDEN = {
    "painted with nothing": lambda sheet, place: sheet.put((place.x0 + 4, place.y1 - 5), "99", render_mode=3),
    "white on white": lambda sheet, place: sheet.put((place.x0 + 4, place.y1 - 5), "99", color=(1, 1, 1)),
    "nearly transparent": lambda sheet, place: sheet.put((place.x0 + 4, place.y1 - 5), "99", fill_opacity=0.02),
    "of no size": lambda sheet, place: sheet.put((place.x0 + 4, place.y1 - 5), "99", 0.4),
    "off the page": lambda sheet, place: sheet.put((700, 100), "99"),
    "under a white picture": cover_with_picture,
    "under a white rectangle": cover_with_white,
}


@pytest.mark.parametrize("hide", HIDDEN.values(), ids=HIDDEN)
def test_hidden_text_is_left_out_and_counted(hide: object) -> None:
    sheet, place = draw()
    hide(sheet, place)
    content = paper.read_one(sheet.finish())
    assert content.hidden_chars == 2
    assert paper.cell_texts(content.tables[0]) == ROWS
    assert content.lines == ()


def test_white_on_a_shade_is_seen() -> None:
    sheet = paper.Sheet()
    sheet.page.draw_rect((100, 53, 545, 70), color=None, fill=(0.1, 0.2, 0.5))
    places = sheet.grid([["", ""], ["甲", "1"]])
    sheet.put((places[1].x0 + 4, places[1].y1 - 5), "45", color=(1, 1, 1))
    content = paper.read_one(sheet.finish())
    assert paper.cell_texts(content.tables[0]) == [["", "45"], ["甲", "1"]]
    assert content.hidden_chars == 0


def test_what_is_printed_over_a_whited_out_number_counts_alone() -> None:
    sheet, place = draw()
    cover_with_white(sheet, place)
    sheet.put((place.x0 + 4, place.y1 - 5), "12")
    content = paper.read_one(sheet.finish())
    assert paper.cell_texts(content.tables[0])[1] == ["行政许可", "12"]
    assert content.hidden_chars == 2


def test_hidden_text_over_printed_text_spoils_nothing() -> None:
    sheet, place = draw()
    sheet.put((place.x0 + 4, place.y1 - 5), "12")
    sheet.put((place.x0 + 4, place.y1 - 5), "99", render_mode=3)
    content = paper.read_one(sheet.finish())
    assert paper.cell_texts(content.tables[0])[1] == ["行政许可", "12"]
    assert content.hidden_chars == 2


def test_bold_by_printing_twice_is_one_text() -> None:
    sheet, place = draw()
    for shift in (0, 0.3):
        sheet.put((place.x0 + 4 + shift, place.y1 - 5), "1288")
    assert paper.cell_texts(paper.read_one(sheet.finish()).tables[0])[1] == ["行政许可", "1288"]


def test_two_numbers_printed_over_each_other_are_unread() -> None:
    sheet, place = draw()
    sheet.put((place.x0 + 4, place.y1 - 5), "12")
    sheet.put((place.x0 + 4, place.y1 - 5), "17")
    assert paper.cell_texts(paper.read_one(sheet.finish()).tables[0])[1] == ["行政许可", "1" + UNREAD]


def scan_of(sheet: paper.Sheet) -> pymupdf.Document:
    """The page as a picture that fills a page of a new file."""
    scan = pymupdf.open()
    page = scan.new_page(width=paper.WIDTH, height=paper.HEIGHT)
    page.insert_image(page.rect, pixmap=sheet.page.get_pixmap(dpi=100))
    return scan


def test_a_scan_with_the_text_of_an_ocr_engine_under_it_is_read_as_a_picture() -> None:
    sheet, _ = draw()
    scan = scan_of(sheet)
    scan[0].insert_text((60, 65), "规章 1", fontname="china-s", render_mode=3)
    assert paper.read(scan.tobytes()) == [Unfit("hidden text layer")]


def test_a_scan_is_read_as_a_picture() -> None:
    sheet, _ = draw()
    assert paper.read(scan_of(sheet).tobytes()) == [Unfit("no text layer")]


def test_an_empty_page_is_read_as_empty() -> None:
    sheet = paper.Sheet()
    sheet.put((100, 100), "看不见", render_mode=3)
    (content,) = paper.read(sheet.finish())
    assert isinstance(content, PageContent)
    assert (content.page.read_by, content.hidden_chars, content.lines, content.tables) == ("nothing", 3, (), ())
