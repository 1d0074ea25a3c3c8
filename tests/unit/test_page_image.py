"""The picture of a page: every box in its place and colour, whichever way the page was scanned."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace

import pytest
from PIL import Image, ImageChops

from extractor.console.page_image import draw_page, list_marks, list_pages
from extractor.model import Document, Page, Record
from extractor.pipeline import process_document
from tests.unit.readers.llm.scripted import numbers
from tests.unit.reconcile.inked import cell_box, change_words, ink_over, print_form

SCALE = 2
WIDTH, HEIGHT = 420, 1600
PAGE = Page(1, WIDTH, HEIGHT, "px", read_by="ocr")
GREEN, AMBER, RED, BLUE, PURPLE = (0, 140, 60), (230, 140, 0), (210, 20, 40), (110, 130, 160), (160, 0, 190)
GRANTED = "applications.granted"


def read(**changes: str) -> tuple[Record, Document]:
    document = ink_over(print_form(numbers(**changes)), pages=(PAGE,))
    return process_document(document), document


def white(width: int = WIDTH * SCALE, height: int = HEIGHT * SCALE) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(file, "PNG")
    return file.getvalue()


def draw(record: Record, document: Document, page: Page = PAGE) -> Image.Image:
    is_aside = page.turn in (90, 270)
    size = (HEIGHT, WIDTH) if is_aside else (WIDTH, HEIGHT)
    shown = replace(page, width=size[0], height=size[1])
    return Image.open(io.BytesIO(draw_page(white(size[0] * SCALE, size[1] * SCALE), shown, record, document)))


def border_of(image: Image.Image, record: Record, name: str) -> tuple[int, ...]:
    """The colour of the middle of the left side of a field's cell."""
    (span,) = record.fields[name].spans
    assert span.table is not None
    assert span.row is not None
    assert span.cell is not None
    left, top, _, bottom = cell_box(span.table, span.row, span.cell)
    return image.getpixel((int(left * SCALE) + 1, int((top + bottom) / 2 * SCALE)))  # type: ignore[return-value]


def test_every_field_has_its_colour() -> None:
    record, document = read(**{f"{GRANTED}.business": "", f"{GRANTED}.research": "若干"})
    document = change_words(document, record.fields[f"{GRANTED}.other_org"].spans, doubt="unsure")
    record = process_document(document)
    image = draw(record, document)
    assert border_of(image, record, "applications.carried_in.total") == GREEN
    assert border_of(image, record, f"{GRANTED}.other_org") == AMBER
    assert border_of(image, record, f"{GRANTED}.research") == PURPLE


def test_an_empty_cell_has_a_thin_frame_and_nothing_else() -> None:
    record, document = read(proactive_disclosure__penalties__decisions="")
    image = draw(record, document)
    assert border_of(image, record, "proactive_disclosure.penalties.decisions") == BLUE
    kinds = Counter(mark.kind for mark in list_marks(record, document, 1))
    assert kinds["empty"] == 1
    assert kinds.keys() == {"empty", "read"}


def test_the_cells_of_a_sum_that_fails_are_red() -> None:
    record, document = read(**{f"{GRANTED}.total": "7777"})
    image = draw(record, document)
    assert border_of(image, record, f"{GRANTED}.total") == RED
    assert border_of(image, record, "applications.carried_in.total") == GREEN


def test_a_number_that_no_field_took_is_shown_as_unread() -> None:
    """The label of its row is not known."""
    _, document = read()
    view = document.view.replace("8.属于行政查询事项", "某某某某某某某某某某")
    document = replace(document, view=view)
    record = process_document(document)
    unread = [mark for mark in list_marks(record, document, 1) if mark.kind == "unread"]
    assert len(unread) == 7


def test_the_value_stands_beside_its_ink_and_not_on_it() -> None:
    record, document = read()
    (span,) = record.fields["proactive_disclosure.penalties.decisions"].spans
    assert span.table is not None
    assert span.row is not None
    assert span.cell is not None
    left, top, right, bottom = cell_box(span.table, span.row, span.cell)
    ink = (left + 8, top + 4, left + 14, top + 14)
    narrow = change_words(document, (span,), box=ink)
    with_room, without = (draw(process_document(one), one) for one in (narrow, document))
    changed = ImageChops.difference(with_room, without).getbbox()
    assert changed is not None
    assert changed[0] > ink[2] * SCALE
    assert changed[2] < right * SCALE
    assert changed[1] > top * SCALE
    assert changed[3] < bottom * SCALE


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_that_lies_on_its_side_comes_out_upright(turn: int) -> None:
    """The same page, its boxes counted on the sheet as it was scanned."""
    record, document = read(**{f"{GRANTED}.total": "7777"})
    lying = lay_down(document, turn)
    upright = draw(record, document)
    turned = draw(process_document(lying), lying, replace(PAGE, turn=turn))
    assert turned.size == upright.size
    page = (0, 0, WIDTH * SCALE, HEIGHT * SCALE)
    assert ImageChops.difference(turned.crop(page), upright.crop(page)).getbbox() is None


def lay_down(document: Document, turn: int) -> Document:
    """The boxes of a page that must be turned clockwise by `turn` to be upright."""

    def lay(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        left, top, right, bottom = box
        if turn == 90:
            return top, WIDTH - right, bottom, WIDTH - left
        if turn == 180:
            return WIDTH - right, HEIGHT - bottom, WIDTH - left, HEIGHT - top
        return HEIGHT - bottom, left, HEIGHT - top, right

    assert document.paper is not None
    words = tuple(word._replace(box=lay(word.box)) for word in document.paper.words)
    cells = {key: cell._replace(box=lay(cell.box)) for key, cell in document.paper.cells.items()}
    return replace(document, paper=replace(document.paper, words=words, cells=cells))


def test_the_legend_stands_below_the_page() -> None:
    record, document = read()
    image = draw(record, document)
    assert image.width == WIDTH * SCALE
    legend = image.crop((0, HEIGHT * SCALE, image.width, image.height))
    colours = {colour for _, colour in legend.getcolors(100_000) or ()}
    assert colours >= {GREEN, AMBER, RED, BLUE, PURPLE}


def test_pages_with_tables_are_those_to_draw() -> None:
    record, document = read()
    assert list_pages(record) == [1]
    assert document.paper is not None
    words = tuple(
        word._replace(page=2) if word.start in {span.start for span in record.fields["header.title"].spans} else word
        for word in document.paper.words
    )
    paper = replace(document.paper, pages=(PAGE, replace(PAGE, number=2)), words=words)
    assert list_pages(process_document(replace(document, paper=paper))) == [1]
    bare = process_document(replace(document, paper=replace(paper, cells={}), blocks=document.blocks[:1]))
    assert list_pages(bare) == [1, 2]
