"""The form as if a scan of it had been read: a web page's text and tables, with a place and ink under all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import flatten

from extractor.model import CellPlace, Document, Doubt, Grid, InkedText, Page, Paper, Span
from extractor.settings import Settings
from extractor.sources import read_document

CELL_WIDTH, CELL_HEIGHT = 40.0, 20.0
ALL_BY_OCR = (Page(1, 600, 2000, "px", read_by="ocr"),)


def print_form(printed: Mapping[str, str]) -> Document:
    """The form of 2021 with true tables, `printed` giving the text of each field."""
    return read_document(flatten.html_page(flatten.build_tables("2021", printed)), "scan", Settings())


def ink_over(
    document: Document,
    confidence: float | None = 0.99,
    doubt: Doubt | None = None,
    pages: tuple[Page, ...] = ALL_BY_OCR,
) -> Document:
    """Everything on page 1: each cell's text is one word in its cell, each other line one word of its own."""
    cells: dict[tuple[int, int, int], CellPlace] = {}
    words: list[InkedText] = []
    for block in document.blocks:
        if isinstance(block, Grid):
            for cell in block.cells:
                place = cell_box(block.index, cell.row, cell.column)
                cells[block.index, cell.row, cell.column] = CellPlace(1, place)
                if cell.start < cell.end:
                    words.append(InkedText(cell.start, cell.end, 1, place, confidence, doubt))
        else:
            words += _ink_lines(document, block.start, block.end, confidence)
    return replace(document, paper=Paper(pages, tuple(sorted(words)), cells))


def _ink_lines(document: Document, start: int, end: int, confidence: float | None) -> list[InkedText]:
    words = []
    for line in document.text[start:end].split("\n"):
        if line.strip():
            words.append(InkedText(start, start + len(line), 1, (10.0, float(start), 500.0, start + 9.0), confidence))
        start += len(line) + 1
    return words


def cell_box(table: int, row: int, column: int) -> tuple[float, float, float, float]:
    left, top = column * CELL_WIDTH, table * 700 + row * CELL_HEIGHT
    return left, top, left + CELL_WIDTH, top + CELL_HEIGHT


def change_words(document: Document, spans: tuple[Span, ...], **changes: object) -> Document:
    """Other ink under these spans: confidence, doubt."""
    assert document.paper is not None
    at = {span.start for span in spans if span.start < span.end}
    assert at
    words = [word._replace(**changes) if word.start in at else word for word in document.paper.words]  # type: ignore[arg-type]
    return replace(document, paper=replace(document.paper, words=tuple(words)))


def doubt_cell(document: Document, span: Span, doubt: Doubt, beside: int = 0) -> Document:
    """Doubt a cell; `beside`: one so many columns away."""
    assert document.paper is not None
    assert span.table is not None
    assert span.row is not None
    assert span.cell is not None
    key = span.table, span.row, span.cell + beside
    cells = {**document.paper.cells, key: document.paper.cells[key]._replace(doubt=doubt)}
    return replace(document, paper=replace(document.paper, cells=cells))
