"""The official form drawn on paper: small PDF files with rules, labels and values. Only for tests.

A `Sheet` is written from top to bottom like a page in a typewriter; a table that does not fit goes on overleaf, as
Word does it. `draw_report` draws a whole report. What is to go wrong on a page is done to `Sheet.page` itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import flatten
import pymupdf

from extractor.settings import Settings
from extractor.sources.pages.raster import render_page
from extractor.sources.pages.shapes import Line, PageContent, PageTable
from extractor.sources.pages.text_layer import Unfit, read_text_page

WIDTH, HEIGHT = 595.0, 842.0
MARGIN, BOTTOM = 50.0, 780.0
SIZE = 8.0
PADDING = 2.0

#: Draws one rule from one point to another.
Rule = Callable[[pymupdf.Shape, pymupdf.Point, pymupdf.Point], None]


def stroke(shape: pymupdf.Shape, start: pymupdf.Point, end: pymupdf.Point) -> None:
    """A line of half a point."""
    shape.draw_line(start, end)
    shape.finish(width=0.5)


def thin_rectangle(shape: pymupdf.Shape, start: pymupdf.Point, end: pymupdf.Point) -> None:
    """A filled rectangle, as Word and LibreOffice export rules."""
    shape.draw_rect(pymupdf.Rect(start.x - 0.25, start.y - 0.25, end.x + 0.25, end.y + 0.25))
    shape.finish(color=None, fill=(0, 0, 0))


def dashes(shape: pymupdf.Shape, start: pymupdf.Point, end: pymupdf.Point) -> None:
    """A dashed line."""
    shape.draw_line(start, end)
    shape.finish(width=0.5, dashes="[3 2] 0")


def loose_dashes(shape: pymupdf.Shape, start: pymupdf.Point, end: pymupdf.Point) -> None:
    """Dashes that are lines of their own."""
    length = abs(end - start)
    step = (end - start) / length
    for at in range(0, int(length), 4):
        shape.draw_line(start + step * at, start + step * min(at + 2.5, length))
        shape.finish(width=0.5)


def doubled(shape: pymupdf.Shape, start: pymupdf.Point, end: pymupdf.Point) -> None:
    """Two lines side by side."""
    aside = (0.0, 1.0) if abs(end.x - start.x) > abs(end.y - start.y) else (1.0, 0.0)
    for side in (-1, 1):
        shift = pymupdf.Point(aside) * side
        shape.draw_line(start + shift, end + shift)
        shape.finish(width=0.4)


def short(shape: pymupdf.Shape, start: pymupdf.Point, end: pymupdf.Point) -> None:
    """A line that ends just before the rules it should meet."""
    step = (end - start) / abs(end - start) * 0.8
    stroke(shape, start + step, end - step)


class Sheet:
    """A PDF under way. `page` is the page under the pen and `y` where the pen stands."""

    def __init__(self, width: float = WIDTH, height: float = HEIGHT, bottom: float = BOTTOM) -> None:
        self.file = pymupdf.open()
        self.size = (width, height)
        self.bottom = bottom
        self.turn_over()

    def turn_over(self) -> None:
        """Begin the next page."""
        self.page = self.file.new_page(width=self.size[0], height=self.size[1])
        self.y = MARGIN

    def write(self, text: str, size: float = 10.5) -> None:
        """Running text, broken into lines."""
        room = int((self.size[0] - 2 * MARGIN) / size)
        for at in range(0, len(text), room):
            if self.y + 2 * size > self.bottom:
                self.turn_over()
            self.y += 1.6 * size
            self.put((MARGIN, self.y), text[at : at + room], size)

    def put(self, point: tuple[float, float], text: str, size: float = SIZE, **style: Any) -> None:
        """Text with its baseline at a point; `style` as for pymupdf.Shape.insert_text."""
        shape = self.page.new_shape()
        put_text(shape, point, text, size, **style)
        shape.commit()

    def draw_table(
        self, table: flatten.Table, widths: Sequence[float] = (), rule: Rule = stroke, *, is_open: bool = False
    ) -> list[tuple[int, flatten.Box, pymupdf.Rect]]:
        """Draw a table with its merged cells.

        Args:
            table: the cells.
            widths: of the columns in points; equal ones when left out.
            rule: how rules are drawn.
            is_open: whether the outer rules are left out where the page breaks, as Word does.

        Returns:
            Page index, cell and place of each part of a cell.
        """
        cells = list(place_cells(table))
        count = max(column + box.columns for _, column, box in cells)
        edges = [MARGIN]
        for width in widths or [(self.size[0] - 2 * MARGIN) / count] * count:
            edges.append(edges[-1] + width)
        heights = [_need_height(cells, row, edges) for row in range(len(table))]
        drawn, row = [], 0
        self.y += 4
        while row < len(table):
            end, y = row, self.y
            while end < len(table) and y + heights[end] <= self.bottom:
                y += heights[end]
                end += 1
            if end == row:
                self.turn_over()
                continue
            drawn += self._draw_rows(cells, (row, end), (edges, heights), rule, is_open)
            row = end
            self.y = y
        return drawn

    def _draw_rows(
        self,
        cells: list[tuple[int, int, flatten.Box]],
        rows: tuple[int, int],
        sizes: tuple[list[float], list[float]],
        rule: Rule,
        is_open: bool,
    ) -> list[tuple[int, flatten.Box, pymupdf.Rect]]:
        (first, end), (edges, heights) = rows, sizes
        tops = [self.y]
        for height in heights[first:end]:
            tops.append(tops[-1] + height)
        parts = []
        shape = self.page.new_shape()  # one for all: each commit adds a content stream
        for row, column, box in cells:
            top, bottom = max(row, first), min(row + box.rows, end)
            if top < bottom:
                place = pymupdf.Rect(
                    edges[column], tops[top - first], edges[column + box.columns], tops[bottom - first]
                )
                parts.append((self.page.number, box, place))
                is_cut = (is_open and top == first and first > 0, is_open and bottom == end and end < len(heights))
                _draw_frame(shape, place, rule, is_cut)
                if row >= first:
                    _fill(shape, box.text, place)
        shape.commit()
        return parts

    def grid(self, texts: Sequence[Sequence[str]], rule: Rule = stroke) -> list[pymupdf.Rect]:
        """Draw a table without merged cells; returns the places of its cells, row by row."""
        parts = self.draw_table([[flatten.Box(text) for text in row] for row in texts], rule=rule)
        return [place for _, _, place in parts]

    def finish(self) -> bytes:
        """The file."""
        return bytes(self.file.tobytes())


def place_cells(table: flatten.Table) -> Iterator[tuple[int, int, flatten.Box]]:
    """Row, column and cell, merged cells once."""
    for row, line in enumerate(flatten.expand(table)):
        for column, box in enumerate(line):
            if box is not None:
                yield row, column, box


def put_text(shape: pymupdf.Shape, point: tuple[float, float], text: str, size: float = SIZE, **style: Any) -> None:
    """Chinese in one font and the rest in another, as real reports have it."""
    x, y = point
    for is_ascii, chars in groupby(text, str.isascii):
        part = "".join(chars)
        font = "helv" if is_ascii else "china-s"
        shape.insert_text((x, y), part, fontsize=size, fontname=font, **style)
        x += pymupdf.get_text_length(part, font, size)


def _fill(shape: pymupdf.Shape, text: str, place: pymupdf.Rect) -> None:
    lines = _wrap(text, place.width)
    y = (place.y0 + place.y1) / 2 - len(lines) * SIZE * 1.2 / 2 + SIZE
    for line in lines:
        put_text(shape, (place.x0 + PADDING, y), line)
        y += SIZE * 1.2


def _wrap(text: str, width: float) -> list[str]:
    lines, line = [], ""
    for char in text:
        if char == "\n" or _measure(line + char) > width - 2 * PADDING:
            lines.append(line)
            line = ""
        line += char.strip("\n")
    return [*lines, line]


def _measure(text: str) -> float:
    return sum(SIZE * (0.6 if char.isascii() else 1.0) for char in text)


def _need_height(cells: list[tuple[int, int, flatten.Box]], row: int, edges: list[float]) -> float:
    lines = [
        len(_wrap(box.text, edges[column + box.columns] - edges[column]))
        for at, column, box in cells
        if at == row and box.rows == 1
    ]
    return SIZE * 1.2 * max(lines, default=1) + 6


def _draw_frame(shape: pymupdf.Shape, place: pymupdf.Rect, rule: Rule, is_cut: tuple[bool, bool]) -> None:
    if not is_cut[0]:
        rule(shape, place.tl, place.tr)
    if not is_cut[1]:
        rule(shape, place.bl, place.br)
    rule(shape, place.tl, place.bl)
    rule(shape, place.tr, place.br)


#: Widths of the columns of the three tables of the form of 2021 and 2019.
COLUMNS: dict[int, Sequence[float]] = {
    4: (150, 115, 115, 115),
    10: (25, 70, 140, 37, 37, 37, 37, 37, 37, 38),
    15: (33,) * 15,
}


def draw_report(
    tables: list[tuple[str, flatten.Table]],
    rule: Rule = stroke,
    *,
    prose: flatten.Prose = flatten.PROSE,
    is_open: bool = False,
) -> bytes:
    """A whole report as a PDF with a text layer.

    Args:
        tables: headings and tables, as flatten.build_tables makes them.
        rule: how rules are drawn.
        prose: the text around the tables.
        is_open: whether the outer rules are left out where the page breaks.
    """
    sheet = Sheet()
    for text in prose.before:
        sheet.write(text)
    for heading, table in tables:
        sheet.write(heading)
        sheet.draw_table(table, COLUMNS[sum(box.columns for box in table[0])], rule, is_open=is_open)
    for text in prose.after:
        sheet.write(text)
    return sheet.finish()


def read(raw: bytes, dpi: float = 150.0) -> list[PageContent | Unfit]:
    """Each page of a PDF by its text layer, in this process."""
    settings = Settings()
    with pymupdf.open(stream=raw) as file:
        return [read_text_page(page, page.number + 1, render_page(page, dpi, settings)) for page in file]


def read_one(raw: bytes, dpi: float = 150.0) -> PageContent:
    """The only page of a PDF, which has a good text layer."""
    (content,) = read(raw, dpi)
    assert isinstance(content, PageContent), content
    return content


def line_texts(lines: Iterable[Line]) -> list[str]:
    """Lines as text, words apart by one space."""
    return [" ".join(word.text for word in line.words) for line in lines]


def cell_texts(table: PageTable) -> list[list[str]]:
    """The cells of a table by row, lines apart by bars."""
    rows: list[list[str]] = [[] for _ in table.rows[1:]]
    for cell in table.cells:
        rows[cell.row].append("|".join(line_texts(cell.lines)))
    return rows
