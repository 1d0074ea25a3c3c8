"""A report -> its clean pages: a PDF, and where every value of the tables stands.

Lives here: the order of a report on its pages. Does not live here: text on a page (lettering), the geometry of tables
(ruling), what is printed (profiles), damage.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import pymupdf

from eval.corruption.report import Report, ValueBox, write_facts
from eval.scans.lettering import Lettering, break_lines, measure
from eval.scans.looks import Look
from eval.scans.ruling import Geometry, Part, lay_out, line_places, place_lines, value_place
from extractor.forms import TABLE_SECTIONS
from extractor.model import Box
from tests import flatten

_HEADER_ROWS = 3


class Printed(NamedTuple):
    """Where a cell of the form stands: its page (from 0), the box of its ink (None: blank), and its rules."""

    page: int
    ink: Box | None
    cell: Box


class Rule(NamedTuple):
    """A rule of a table."""

    page: int
    x0: float
    y0: float
    x1: float
    y1: float


class Inked(NamedTuple):
    """A printed line and where it stands."""

    page: int
    text: str
    box: Box


@dataclass
class Drawn:
    """A clean report.

    Attributes:
        texts: every printed line.
        signature: page, x and y of the middle of agency and date.
    """

    pdf: bytes = b""
    pages: int = 0
    values: dict[str, Printed] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    texts: list[Inked] = field(default_factory=list)
    signature: tuple[int, float, float] = (0, 0.0, 0.0)


def draw_form(report: Report, look: Look) -> Drawn:
    """Draw all pages."""
    return _Press(look).print(report)


class _Press:
    """Fills page after page from top to bottom."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._width, self._height = look.paper
        self._document = pymupdf.open()
        self._drawn = Drawn()
        self._sheets: list[Lettering] = []
        self._shades: list[tuple[int, Box]] = []
        self._y = 0.0
        self._turn_page()

    def print(self, report: Report) -> Drawn:
        for part in report.parts:
            if part.section == "header":
                self._write_title(str(part.items[0]))
                self._write_paragraph(write_facts(str(part.items[1]), report.stated))
                continue
            if part.section == "end":
                self._write_signature([str(item) for item in part.items])
                continue
            if part.section == "applications" and self._look.own_page:
                self._turn_page()
            self._write_heading(part.heading, is_before_table=part.section in TABLE_SECTIONS)
            for item in part.items:
                if isinstance(item, str):
                    self._write_paragraph(write_facts(item, report.stated))
                else:
                    self._draw_table(item, part.section)
        return self._finish()

    def _finish(self) -> Drawn:
        look = self._look
        for number, sheet in enumerate(self._sheets, start=1):
            text = look.page_number.format(n=number)
            width = measure(text, 9, look.digits)
            self._write(number - 1, (self._width - width) / 2, self._height - 22, text, 9)
            self._draw_shapes(number - 1)
            sheet.finish(self._document[number - 1])
        self._document.subset_fonts()
        self._drawn.pdf = self._document.tobytes(garbage=3, deflate=True, no_new_id=True)
        self._drawn.pages = len(self._sheets)
        self._document.close()
        return self._drawn

    def _write(self, page: int, x: float, baseline: float, text: str, size: float, *, is_bold: bool = False) -> Box:
        """Write a line on a page (-1: the last one)."""
        box = self._sheets[page].write(x, baseline, text, size, is_bold=is_bold)
        self._drawn.texts.append(Inked(page % len(self._sheets), text, box))
        return box

    # ------------------------------------------------------------ running text

    def _turn_page(self) -> None:
        page = self._document.new_page(width=self._width, height=self._height)
        self._sheets.append(Lettering(page.rect, self._look.digits))
        self._y = self._look.top

    @property
    def _bottom(self) -> float:
        return self._height - self._look.top

    def _advance(self, height: float) -> float:
        """Take so much of the page, of a new one if need be; returns y of the lower edge."""
        if self._y + height > self._bottom:
            self._turn_page()
        self._y += height
        return self._y

    def _write_title(self, text: str) -> None:
        size = self._look.body_size * 1.5
        for line in break_lines(text, self._width - 2 * self._look.margin, size, self._look.digits):
            y = self._advance(size * 1.5)
            width = measure(line, size, self._look.digits)
            self._write(-1, (self._width - width) / 2, y - size * 0.4, line, size, is_bold=True)
        self._y += self._look.leading * 0.5

    def _write_heading(self, text: str, *, is_before_table: bool) -> None:
        look = self._look
        if is_before_table and self._y + look.leading + 3 * look.row_height > self._bottom:
            self._turn_page()
        y = self._advance(look.leading * 1.25)
        x = look.margin + 2 * look.body_size
        self._write(-1, x, y - look.leading * 0.35, text, look.body_size, is_bold=True)

    def _write_paragraph(self, text: str) -> None:
        look = self._look
        width = self._width - 2 * look.margin
        for line in break_lines(f"\u3000\u3000{text}", width, look.body_size, look.digits):
            y = self._advance(look.leading)
            indent = 2 * look.body_size if line.startswith("\u3000\u3000") else 0.0
            self._write(-1, look.margin + indent, y - look.leading * 0.3, line.strip(), look.body_size)

    def _write_signature(self, lines: list[str]) -> None:
        look = self._look
        self._y += look.leading
        if self._y + len(lines) * look.leading > self._bottom:
            self._turn_page()
        for line in lines:
            width = measure(line, look.body_size, look.digits)
            x = self._width - look.margin - 2 * look.body_size - width
            y = self._advance(look.leading)
            self._write(-1, x, y - look.leading * 0.3, line, look.body_size)
            self._drawn.signature = (len(self._sheets) - 1, x + width / 2, y - look.leading)

    # ------------------------------------------------------------ tables

    def _draw_table(self, table: flatten.Table, section: str) -> None:
        look = self._look
        geometry = lay_out(table, section, look.margin, self._width - 2 * look.margin, look)
        header = _HEADER_ROWS if section == "applications" and look.repeats_header else 0
        parts = self._divide(geometry, header)
        for item in geometry.placed:
            left, right = geometry.columns[item.column], geometry.columns[item.column + item.box.columns]
            for part, top, bottom, lines in place_lines(item, parts, is_split=look.splits_labels):
                self._draw_box(part, item.box, (left, top, right, bottom), lines, item.row)
        self._y += look.leading * 0.3

    def _divide(self, geometry: Geometry, header: int) -> list[Part]:
        """Give the rows to pages."""
        parts: list[Part] = []
        edges = [self._y]
        first = 0
        for row, height in enumerate(geometry.heights):
            if edges[-1] + height > self._bottom and len(edges) > 1:
                parts.append(Part(len(self._sheets) - 1, first, tuple(edges)))
                self._turn_page()
                edges, first = [self._y], row
                if header:
                    edges = [self._repeat_header(geometry, header)]
            edges.append(edges[-1] + height)
        parts.append(Part(len(self._sheets) - 1, first, tuple(edges)))
        self._y = edges[-1]
        return parts

    def _repeat_header(self, geometry: Geometry, header: int) -> float:
        edges = [self._y]
        for height in geometry.heights[:header]:
            edges.append(edges[-1] + height)
        part = Part(len(self._sheets) - 1, 0, tuple(edges))
        for item in geometry.placed:
            if item.row < header:
                left, right = geometry.columns[item.column], geometry.columns[item.column + item.box.columns]
                top, bottom = edges[item.row], edges[item.row + item.box.rows]
                self._draw_box(part, item.box, (left, top, right, bottom), list(item.lines), item.row)
        return edges[-1]

    def _draw_box(self, part: Part, box: flatten.Box, edges: Box, lines: list[str], row: int) -> None:
        look = self._look
        is_caption = not isinstance(box, ValueBox) and (box.columns == 4 or (row == 0 and box.columns > 3))
        if look.shade and is_caption:
            self._shades.append((part.page, edges))
        self._note_rules(part, edges)
        if isinstance(box, ValueBox):
            ink = None
            if box.text:
                x, baseline, size = value_place(box.text, edges, look)
                ink = self._write(part.page, x, baseline, box.text, size)
            self._drawn.values[box.field_id] = Printed(part.page, ink, edges)
            return
        is_centred = look.centres_labels or is_caption or box.rows > 1
        for x, baseline, line in line_places(lines, edges, look, is_centred=is_centred):
            self._write(part.page, x, baseline, line, look.label_size)

    def _note_rules(self, part: Part, edges: Box) -> None:
        left, top, right, bottom = edges
        sides = [(left, top, left, bottom), (right, top, right, bottom)]
        if self._look.closes_breaks or top != part.rows[0] or part.first == 0:
            sides.append((left, top, right, top))
        if self._look.closes_breaks or bottom != part.rows[-1] or bottom <= self._bottom - 2 * self._look.row_height:
            sides.append((left, bottom, right, bottom))
        self._drawn.rules += [Rule(part.page, *side) for side in sides]

    def _draw_shapes(self, number: int) -> None:
        """Shades and rules of a page, under its text."""
        shape = self._document[number].new_shape()
        for page, box in self._shades:
            if page == number:
                shape.draw_rect(pymupdf.Rect(box))
        shape.finish(color=None, fill=self._look.shade)
        for rule in dict.fromkeys(rule for rule in self._drawn.rules if rule.page == number):
            shape.draw_line((rule.x0, rule.y0), (rule.x1, rule.y1))
        shape.finish(color=(self._look.rule_gray,) * 3, width=self._look.rule_width)
        shape.commit()
