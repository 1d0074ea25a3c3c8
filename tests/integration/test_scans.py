"""Scans the whole way: a picture of a page becomes a Document, and damage never makes a wrong number without doubt."""

from __future__ import annotations

import re
from collections.abc import Iterator

import cv2
import pytest
from ruled_page import COLUMNS, HEIGHT, LABELS, NUMBERS, ROWS, SCALE, SCRIBBLE, STAMPED_BLANK, WIDTH, draw_page

from extractor.model import Document, Grid, Page
from extractor.settings import Settings
from extractor.sources import load_document
from extractor.sources.pages.raster import Picture
from extractor.sources.pages.scan.reader import read_scan_page
from extractor.sources.pages.shapes import PageContent
from extractor.sources.pages.workers import close_workers


@pytest.fixture(scope="module", autouse=True)
def no_workers_are_left() -> Iterator[None]:
    yield
    close_workers()


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Document:
    path = tmp_path_factory.mktemp("scan") / "page.png"
    cv2.imwrite(str(path), draw_page())
    return load_document(path, Settings(page_workers=1))


def read_grid(document: Document) -> dict[tuple[int, int], str]:
    (grid,) = [block for block in document.blocks if isinstance(block, Grid)]
    return {(cell.row, cell.column): document.text[cell.start : cell.end] for cell in grid.cells}


def test_a_scanned_table_is_a_matrix_with_its_numbers_and_blanks(document: Document) -> None:
    texts = read_grid(document)
    for row, (label, numbers) in enumerate(zip(LABELS, NUMBERS, strict=True)):
        assert texts[row, 1] == label
        for column, number in enumerate(numbers, start=2):
            if (row, column) != SCRIBBLE:
                assert texts[row, column] == number, (row, column)
    assert texts[SCRIBBLE] != ""
    assert texts[STAMPED_BLANK] == ""


def test_every_word_of_the_text_has_its_place_and_confidence(document: Document) -> None:
    assert document.paper is not None
    assert [page.read_by for page in document.paper.pages] == ["ocr"]
    for word in document.paper.words:
        left, top, right, bottom = word.box
        page = document.paper.pages[word.page - 1]
        assert 0 <= left < right <= page.width
        assert 0 <= top < bottom <= page.height
        assert word.confidence is not None
    spans = [range(word.start, word.end) for word in document.paper.words]
    covered = {position for span in spans for position in span}
    digits = {found.start() for found in re.finditer(r"[0-9]", document.text)}
    assert digits <= covered


def number_cells(content: PageContent) -> Iterator[tuple[str, str, bool]]:
    """Of every drawn number or blank: printed, read in the cell at its place, whether there is a doubt."""
    cells = [cell for table in content.tables for cell in table.cells]
    for row, numbers in enumerate(NUMBERS):
        for column, printed in enumerate(numbers, start=2):
            x, y = (COLUMNS[column] + COLUMNS[column + 1]) / 2, (ROWS[row] + ROWS[row + 1]) / 2
            here = [cell for cell in cells if cell.box[0] < x < cell.box[2] and cell.box[1] < y < cell.box[3]]
            if here and (row, column) != SCRIBBLE:
                words = [word for line in here[0].lines for word in line.words]
                is_doubted = bool(here[0].doubt or any(word.doubt for word in words))
                yield printed, "".join(word.text for word in words), is_doubted


@pytest.mark.parametrize(("blur", "noise"), [(2.6, 14.0), (1.0, 45.0)], ids=["blur", "noise"])
def test_damage_brings_doubts_and_no_wrong_number_without_one(blur: float, noise: float) -> None:
    picture = Picture(draw_page(blur, noise, seed=7), SCALE)
    content = read_scan_page(picture, Page(1, WIDTH, HEIGHT, "pt"))
    seen = list(number_cells(content))
    assert len(seen) >= 30
    assert [(printed, read) for printed, read, is_doubted in seen if read != printed and not is_doubted] == []
    assert any(is_doubted for *_, is_doubted in seen)
