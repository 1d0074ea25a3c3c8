"""The form on paper: a page of ink, and the Document that an OCR engine might make of it. Only for tests.

What stands on the page (`printed`) and what the engine says stands there (`read`) are given apart, so that a test can
plant a misread digit, a cell that nobody could read, or a faint one. The page is drawn and turned into a picture; where
its cells are is known from drawing it. It is synthetic, and no measure of how well anything reads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import flatten
import numpy as np
import pymupdf

from extractor.forms import Section, load_forms
from extractor.model import Box, Cell, CellPlace, Document, Doubt, Grid, Heading, InkedText, Page, Paper, Paragraph
from extractor.sources.view import fold_view

#: Stands for ink that nobody could read.
UNREAD = "〓"

_WIDTH, _HEIGHT = 595.0, 842.0
_LEFT, _RIGHT = 40.0, 555.0
_ROW, _LINE = 15.0, 16.0
_SIZE = 5.5
#: Share of the table's width that the columns of labels take.
_SHARES = {"proactive_disclosure": (4, 2, 2, 2), "applications": (2, 3, 6, *(2,) * 7), "review_litigation": (1,) * 15}
_TITLE = "某某市民政局2023年政府信息公开工作年度报告"


@dataclass(frozen=True)
class PlacedCell:
    """A cell of a table as drawn: its place in the grid, its box on the page, and its ink."""

    cell: Cell
    box: Box
    text: str
    is_value: bool


@dataclass(frozen=True)
class PlacedTable:
    """A table as drawn: the section, the page, and the cells in reading order."""

    section: str
    page: int
    cells: tuple[PlacedCell, ...]


class Sheet:
    """The three tables of the form, drawn on a page; with `parts`, some of them only.

    Attributes:
        raw: a PDF that holds the page as a picture.
        tables: as drawn.
        dpi: dots an inch of the picture, and of those that are cut out of it.
    """

    def __init__(
        self,
        printed: Mapping[str, str],
        *,
        parts: Sequence[str] = tuple(_SHARES),
        generation: str = "2021",
        dpi: int = 80,
    ) -> None:
        self.printed = dict(printed)
        self.generation = generation
        self.dpi = dpi
        tables = dict(zip(_SHARES, flatten.build_tables(generation, printed), strict=True))
        self.titles = {section: title for section, (title, _) in tables.items()}
        self.tables = tuple(_place({name: tables[name][1] for name in parts}))
        self.raw = _scan(_draw(self.titles, self.tables), dpi)

    # ------------------------------------------------------------ what an engine makes of it

    def document(
        self, read: Mapping[str, str] | None = None, doubts: Mapping[str, Doubt] | None = None, by: str = "ocr"
    ) -> Document:
        """The document of an engine that reads the cells as printed, but for those in `read`.

        Args:
            read: by field id, another text; "" for an empty cell.
            doubts: by field id.
            by: how the page was read.
        """
        return _Reading(self, {**self.printed, **(read or {})}, doubts or {}, by).document

    def render(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """The page as pixels, one channel."""
        with pymupdf.open(stream=self.raw, filetype="pdf") as opened:
            pixmap = opened[0].get_pixmap(dpi=self.dpi, colorspace=pymupdf.csGRAY, alpha=False)
            return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.stride)[:, : pixmap.width]

    def crop(self, document: Document, page: int, boxes: Sequence[Box]) -> list[bytes]:
        """Pictures of some boxes, cut in this process."""
        whole, scale = self.render(), self.dpi / 72
        edges = [[round(edge * scale) for edge in box] for box in boxes]
        return [cv2.imencode(".png", whole[y:bottom, x:right])[1].tobytes() for x, y, right, bottom in edges]

    # ------------------------------------------------------------ what stands where

    @cached_property
    def fields(self) -> dict[tuple[str, int, int], str]:
        """Field id by section, grid row and grid column of the cell that holds it."""
        found: dict[tuple[str, int, int], str] = {}
        for table in self.tables:
            section = load_forms().generations[self.generation].sections[table.section]
            cells = [placed.cell for placed in table.cells if placed.is_value]
            for cell, item in zip(cells, section.fields, strict=True):
                found[table.section, cell.row, cell.column] = item.id
        return found

    def rows_within(self, section: Section, top: float, bottom: float) -> list[str]:
        """Ids of the rows whose cells are wholly between two heights, with a little to spare."""
        (table,) = [table for table in self.tables if table.section == section.id]
        boxes: dict[str, list[Box]] = {}
        for placed in table.cells:
            if placed.is_value:
                field_id = self.fields[section.id, placed.cell.row, placed.cell.column]
                row_id = field_id.removeprefix(f"{section.id}.").rpartition(".")[0]
                boxes.setdefault(row_id, []).append(placed.box)
        return [
            row.id for row in section.rows if all(top <= box[1] + 1 and box[3] - 1 <= bottom for box in boxes[row.id])
        ]


# ---------------------------------------------------------------- drawing


def _place(tables: Mapping[str, flatten.Table]) -> Iterator[PlacedTable]:
    y = 3 * _LINE
    for section, table in tables.items():
        shares = _SHARES[section]
        edges = [_LEFT + (_RIGHT - _LEFT) * sum(shares[:i]) / sum(shares) for i in range(len(shares) + 1)]
        y += 2 * _LINE
        cells = []
        for r, row in enumerate(flatten.expand(table)):
            for c, box in enumerate(row):
                if box is not None:
                    area = (edges[c], y + r * _ROW, edges[c + box.columns], y + (r + box.rows) * _ROW)
                    cells.append(PlacedCell(Cell(0, 0, r, c, box.rows, box.columns), area, box.text, box.is_value))
        yield PlacedTable(section, 1, tuple(cells))
        y += len(table) * _ROW


def _draw(titles: Mapping[str, str], tables: Sequence[PlacedTable]) -> pymupdf.Document:
    document = pymupdf.open()
    page = document.new_page(width=_WIDTH, height=_HEIGHT)
    font = pymupdf.Font("china-s")
    writer = pymupdf.TextWriter(page.rect)
    writer.append((_LEFT, 2 * _LINE), _TITLE, font=font, fontsize=12)
    for table in tables:
        top = min(placed.box[1] for placed in table.cells)
        writer.append((_LEFT, top - 5), titles[table.section], font=font, fontsize=9)
        for placed in table.cells:
            page.draw_rect(pymupdf.Rect(placed.box), width=0.6)
            left, _, right, bottom = placed.box
            size = min(_SIZE, _SIZE * (right - left - 2) / max(font.text_length(placed.text, _SIZE), 1))
            writer.append((left + 1, bottom - 5), placed.text or " ", font=font, fontsize=size)
    writer.write_text(page)
    return document


def _scan(document: pymupdf.Document, dpi: int) -> bytes:
    """The page as a picture on a page."""
    picture = document[0].get_pixmap(dpi=dpi, alpha=False).tobytes("png")
    scan = pymupdf.open()
    scan.new_page(width=_WIDTH, height=_HEIGHT).insert_image(pymupdf.Rect(0, 0, _WIDTH, _HEIGHT), stream=picture)
    return bytes(scan.tobytes(no_new_id=True, deflate=True))


# ---------------------------------------------------------------- the document


class _Reading:
    """Writes the linear text, and remembers where on paper everything stands."""

    def __init__(self, sheet: Sheet, said: Mapping[str, str], doubts: Mapping[str, Doubt], by: str) -> None:
        self.sheet = sheet
        self.said = said
        self.doubts = doubts
        self.by = by
        self.text = ""
        self.words: list[InkedText] = []
        self.places: dict[tuple[int, int, int], CellPlace] = {}
        blocks: list[Heading | Paragraph | Grid] = []
        self._write(_TITLE, (_LEFT, _LINE, _RIGHT, 2 * _LINE))
        blocks.append(Paragraph(0, len(self.text)))
        for index, table in enumerate(sheet.tables):
            self.text += "\n"
            start = len(self.text)
            top = min(placed.box[1] for placed in table.cells)
            self._write(sheet.titles[table.section], (_LEFT, top - _LINE, _RIGHT, top))
            blocks.append(Heading(table.section, start, len(self.text)))
            blocks.append(self._write_table(index, table))
        self.text += "\n无。\n"
        page = Page(1, _WIDTH, _HEIGHT, "pt", read_by=by)  # type: ignore[arg-type]
        self.document = Document(
            id=hashlib.sha256(sheet.raw).hexdigest(),
            path="sheet.pdf",
            media_type="application/pdf",
            text=self.text,
            view=fold_view(self.text),
            blocks=tuple(blocks),
            raw=sheet.raw,
            paper=Paper((page,), tuple(self.words), self.places),
        )

    def _write(self, text: str, box: Box, doubt: Doubt | None = None) -> tuple[int, int]:
        start = len(self.text)
        self.text += text
        if text:
            confidence = 0.99 if self.by == "ocr" else None
            self.words.append(InkedText(start, len(self.text), 1, box, confidence, doubt))
        return start, len(self.text)

    def _write_table(self, index: int, table: PlacedTable) -> Grid:
        cells, row = [], None
        for placed in table.cells:
            self.text += "\n" if placed.cell.row != row else "\t"
            row = placed.cell.row
            key = (table.section, placed.cell.row, placed.cell.column)
            field_id = self.sheet.fields.get(key) if placed.is_value else None
            text = self.said[field_id] if field_id else placed.text
            doubt = self.doubts.get(field_id) if field_id else None
            start, end = self._write(text, placed.box, doubt)
            cells.append(placed.cell._replace(start=start, end=end))
            self.places[index, placed.cell.row, placed.cell.column] = CellPlace(1, placed.box, doubt)
        width = max(cell.column + cell.column_span for cell in cells)
        return Grid(index, cells[0].start, cells[-1].end, "matrix", width, False, tuple(cells))
