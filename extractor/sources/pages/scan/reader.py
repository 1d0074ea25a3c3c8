"""One picture of a page -> what the page holds: the order of the steps of reading ink.

    straighten -> first pass over the page -> ruled tables -> words into cells -> looks at cells -> lines -> page units

Lives here: the order, running text, the way back to the page's own units. Does not live here: any step itself. Called
by extractor.sources.pages.tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from extractor.model import UNREAD, Box, Page
from extractor.sources.pages.raster import Picture
from extractor.sources.pages.scan.cell_reader import ReadCell, read_cells
from extractor.sources.pages.scan.cells import place_words
from extractor.sources.pages.scan.ink import PixelBox, Sheet, is_only_stamp, measure_sheet
from extractor.sources.pages.scan.rules import RuledTable, find_ruled_tables
from extractor.sources.pages.scan.running_text import read_running_text
from extractor.sources.pages.scan.structure import doubt_structure
from extractor.sources.pages.scan.upright import Straight, straighten
from extractor.sources.pages.scan.words import InkWord, find_ink_words
from extractor.sources.pages.shapes import Line, PageCell, PageContent, PageTable, Word

# Where nothing on the page tells how high a line is: parts of the page's width.
_LINE_OF_WIDTH = 1 / 60


class ScanReading(NamedTuple):
    """A page as read, and how often ink was looked at: cells in all, cells looked at again."""

    content: PageContent
    cells: int
    looked_again: int


def read_scan_page(picture: Picture, page: Page) -> PageContent:
    """Reads a page from its picture.

    Args:
        picture: the page as a viewer shows it.
        page: number, size and unit; turn and read_by are filled in.
    """
    return measure_scan_page(picture, page).content


def measure_scan_page(picture: Picture, page: Page) -> ScanReading:
    """The same, with what it took."""
    straight = straighten(picture.image)
    words = find_ink_words(straight.image)
    sheet = measure_sheet(straight.image, _measure_line_height(words, straight))
    back = _WayBack(straight, picture.scale)
    seen = [Word(word.text, word.box, word.confidence) for word in words]
    tables: list[PageTable] = []
    looked_again = 0
    for ruled in find_ruled_tables(_without_stamps(straight, sheet), seen):
        boxes = [cell.box for cell in ruled.cells]
        placed, words = place_words(words, boxes)
        reading = read_cells(sheet, boxes, [cell.column for cell in ruled.cells], placed)
        looked_again += reading.looked_again
        tables.append(_to_table(ruled, reading.cells, doubt_structure(ruled, seen), back))
    words = [word for word in words if not is_only_stamp(sheet, word.box)]
    lines = [_to_line(line, back) for line in read_running_text(sheet, words)]
    facts = replace(page, turn=straight.turn, read_by="ocr" if lines or tables else "nothing")
    content = PageContent(facts, tuple(lines), tuple(tables))
    return ScanReading(content, sum(len(table.cells) for table in tables), looked_again)


def _without_stamps(straight: Straight, sheet: Sheet) -> Straight:
    """What the rules are looked for in: the rim of a stamp must not pass for a rule, nor hide one."""
    return straight._replace(gray=np.bitwise_not(sheet.dark)) if sheet.stamp.any() else straight


def _measure_line_height(words: Sequence[InkWord], straight: Straight) -> float:
    heights = [word.box[3] - word.box[1] for word in words if word.characters]
    return float(np.median(heights)) if heights else straight.image.shape[1] * _LINE_OF_WIDTH


class _WayBack:
    """From pixels of the straight page to the units of the page."""

    def __init__(self, straight: Straight, scale: float) -> None:
        self._matrix = np.asarray(straight.to_original, dtype=np.float64)
        self._scale = scale
        self._lies = straight.turn in (90, 270)

    def _map(self, points: Sequence[tuple[float, float]]) -> npt.NDArray[np.float64]:
        homogeneous = np.column_stack([np.asarray(points, dtype=np.float64), np.ones(len(points))]) @ self._matrix.T
        return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:] / self._scale, dtype=np.float64)

    def box(self, box: PixelBox) -> Box:
        left, top, right, bottom = box
        corners = self._map([(left, top), (right, top), (right, bottom), (left, bottom)])
        (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        return round(x0, 2), round(y0, 2), round(x1, 2), round(y1, 2)

    def columns(self, edges: Sequence[float], box: PixelBox) -> tuple[float, ...]:
        """Edges across the straight page, at the middle of the table; they run down a page that lies on its side."""
        mapped = self._map([(edge, (box[1] + box[3]) / 2) for edge in edges])
        return tuple(round(float(value), 2) for value in mapped[:, 1 if self._lies else 0])

    def rows(self, edges: Sequence[float], box: PixelBox) -> tuple[float, ...]:
        """Edges down the straight page, at the middle of the table; they run across a page that lies on its side."""
        mapped = self._map([((box[0] + box[2]) / 2, edge) for edge in edges])
        return tuple(round(float(value), 2) for value in mapped[:, 0 if self._lies else 1])


def _to_table(ruled: RuledTable, cells: Sequence[ReadCell], in_doubt: frozenset[int], back: _WayBack) -> PageTable:
    return PageTable(
        back.box(ruled.box),
        back.columns(ruled.columns, ruled.box),
        back.rows(ruled.rows, ruled.box),
        tuple(
            PageCell(
                place.row,
                place.column,
                place.row_span,
                place.column_span,
                back.box(place.box),
                tuple(_to_line(line, back) for line in cell.lines),
                "structure" if number in in_doubt else cell.doubt,
            )
            for number, (place, cell) in enumerate(zip(ruled.cells, cells, strict=True))
        ),
    )


def _to_line(words: Sequence[InkWord], back: _WayBack) -> Line:
    placed = tuple(
        Word(word.text or UNREAD, back.box(word.box), round(word.confidence, 4), word.doubt) for word in words
    )
    boxes = [word.box for word in placed]
    around = (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))
    return Line(placed, around)
