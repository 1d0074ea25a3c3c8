"""Ruled tables on the image of a page: long strokes that cross, their grid, its cells.

    strokes of both directions -> those that meet -> grid lines -> ink on the edges, worn ones closed by the words
    between them -> slots that are one cell

Lives here: the order, tables that lost a rule at their rim, how sure each cell is. Does not live here: the steps
(strokes, meetings, grid, worn, slots), the second opinion (structure). Called by extractor.sources.pages.scan.reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from extractor.model import Box
from extractor.sources.pages.scan.grid import (
    PRESENT,
    Floats,
    GridLine,
    find_scratches,
    gather_lines,
    measure_edges,
    measure_quality,
    rate_edge,
    weaken_false_rules,
)
from extractor.sources.pages.scan.meetings import group_strokes
from extractor.sources.pages.scan.slots import Slots, cut_cells, find_separating_lines
from extractor.sources.pages.scan.strokes import (
    Gray,
    Stroke,
    find_ridges,
    measure_text_height,
    trace_level_strokes,
    trace_strokes,
)
from extractor.sources.pages.scan.upright import Straight
from extractor.sources.pages.scan.worn import close_worn_edges
from extractor.sources.pages.shapes import Word

# Of the contrast of most rules; a grey hairline inside a black frame has more.
_LEAST_OF_USUAL = 0.1
# Px in characters of the page's usual height.
_LEAST_ROW_RULE, _LEAST_COLUMN_RULE, _LEAST_LEVEL_RULE = 2.0, 1.2, 3.3
_LONG_RULE = 3.0
_TOUCH = 0.35
_SAME_LINE = 0.5


class RuledCell(NamedTuple):
    """One cell of a ruled table.

    Attributes:
        box: px of the straight image, on the middle of the rules.
        borders: how sure it is (0 to 1) that there is a rule: left, top, right, bottom.
        whole: how sure it is (0 to 1) that no rule runs through the cell.
    """

    row: int
    column: int
    row_span: int
    column_span: int
    box: Box
    borders: tuple[float, float, float, float]
    whole: float

    @property
    def is_sure(self) -> bool:
        """Whether every border is plain to see, and no trace of another one."""
        return min(*self.borders, self.whole) >= 1.0


class RuledTable(NamedTuple):
    """A table by its rules. Each slot of the grid belongs to exactly one cell; cells in reading order.

    Attributes:
        box: px of the straight image.
        columns, rows: px of the edges, one more than there are columns or rows.
    """

    box: Box
    columns: tuple[float, ...]
    rows: tuple[float, ...]
    cells: tuple[RuledCell, ...]


class _Sheet(NamedTuple):
    gray: Gray
    turned: Gray
    text_height: float
    words: Sequence[Word]


def find_ruled_tables(straight: Straight, words: Sequence[Word]) -> list[RuledTable]:
    """Ruled tables of a straight page, from top to bottom.

    Args:
        straight: the page.
        words: on it, boxes in px of the straight image; they tell where a worn rule goes on.
    """
    text_height = measure_text_height(straight.gray)
    sheet = _Sheet(straight.gray, np.asarray(cv2.transpose(straight.gray)), text_height, words)
    rows = _trace_rules(sheet.gray, _LEAST_ROW_RULE, text_height)
    columns = _trace_rules(sheet.turned, _LEAST_COLUMN_RULE, text_height)
    tables = []
    for row_strokes, column_strokes in group_strokes(rows, columns, text_height * _TOUCH):
        table = _build_table(row_strokes, column_strokes, sheet)
        if table is not None:
            tables.append(table)
    return sorted(tables, key=lambda table: (table.box[1], table.box[0]))


def _trace_rules(gray: Gray, least: float, text_height: float) -> list[Stroke]:
    ridges = find_ridges(gray, text_height)
    return _drop_shine_through(
        [
            *trace_strokes(ridges, least * text_height, text_height),
            *trace_level_strokes(ridges, _LEAST_LEVEL_RULE * text_height, text_height),
        ]
    )


def _drop_shine_through(strokes: list[Stroke]) -> list[Stroke]:
    """The strokes without those of the other side of the paper, which are next to nothing beside most of the length."""
    if not strokes:
        return []
    by_contrast = sorted(strokes, key=lambda stroke: stroke.contrast)
    reached = np.cumsum([stroke.length for stroke in by_contrast])
    usual = by_contrast[int(np.searchsorted(reached, reached[-1] / 2))].contrast
    return [stroke for stroke in strokes if stroke.contrast >= _LEAST_OF_USUAL * usual]


def _build_table(row_strokes: list[Stroke], column_strokes: list[Stroke], sheet: _Sheet) -> RuledTable | None:
    text_height = sheet.text_height
    rows = gather_lines(row_strokes, text_height * _SAME_LINE)
    columns = gather_lines(column_strokes, text_height * _SAME_LINE)
    rows, columns = (
        _add_hidden(rows, column_strokes, sheet.gray, text_height),
        _add_hidden(columns, row_strokes, sheet.turned, text_height),
    )
    rows, columns = _close_rims(rows, columns, column_strokes, row_strokes, text_height)
    while len(rows) >= 2 and len(columns) >= 2:
        row_ink = measure_edges(rows, columns, sheet.gray, text_height)
        column_ink = measure_edges(columns, rows, sheet.turned, text_height)
        quality = measure_quality(row_ink, column_ink)
        row_ink = weaken_false_rules(row_ink, columns, text_height, quality)
        column_ink = weaken_false_rules(column_ink, rows, text_height, quality)
        outer = _find_false_rim(row_ink, column_ink), _find_false_rim(column_ink, row_ink)
        if outer != (None, None):
            rows = [line for number, line in enumerate(rows) if number != outer[0]]
            columns = [line for number, line in enumerate(columns) if number != outer[1]]
            continue
        row_ink, column_ink = close_worn_edges(rows, columns, row_ink, column_ink, sheet.words)
        is_row, is_column = find_separating_lines(row_ink, column_ink)
        is_row &= ~find_scratches(rows, row_ink, columns)
        is_column &= ~find_scratches(columns, column_ink, rows)
        if is_row.all() and is_column.all():
            return _describe_table(rows, columns, row_ink, column_ink, cut_cells(row_ink, column_ink))
        rows = [line for line, is_used in zip(rows, is_row, strict=True) if is_used]
        columns = [line for line, is_used in zip(columns, is_column, strict=True) if is_used]
    return None


def _add_hidden(lines: list[GridLine], crossing: list[Stroke], gray: Gray, text_height: float) -> list[GridLine]:
    """The lines, and those that text written on them hides: where at least two crossing rules end, there is one."""
    long = [each for each in crossing if each.length >= _LONG_RULE * text_height and each.cover >= 0.8]
    ends = sorted((end, each.across) for each in long for end in (each.start, each.end))
    known = [line.middle for line in lines]
    hidden = []
    while ends:
        near = [each for each in ends if each[0] < ends[0][0] + text_height / 3]
        ends = ends[len(near) :]
        place = float(np.median([end for end, _ in near]))
        is_new = known[0] < place < known[-1] and all(abs(place - at) >= _SAME_LINE * text_height for at in known)
        if len(near) < 2 or not is_new:
            continue
        first, last = min(along for _, along in near), max(along for _, along in near)
        reach = round(text_height / 4)
        low = max(0, round(place) - reach)
        strip = gray[low : round(place) + reach + 1, max(0, int(first)) : int(last) + 1]
        if strip.size:
            darkest = low + int(strip.mean(axis=1).argmin())
            hidden.append(GridLine(np.array([first, last + 1]), np.array([darkest, darkest], dtype=np.float64)))
    return sorted([*lines, *hidden], key=lambda line: line.middle)


def _close_rims(
    rows: list[GridLine],
    columns: list[GridLine],
    column_strokes: list[Stroke],
    row_strokes: list[Stroke],
    text_height: float,
) -> tuple[list[GridLine], list[GridLine]]:
    """A table that is cut at a page break has no rule there: it ends where the rules that cross it end."""
    closed_rows = [*_find_closings(rows, columns, column_strokes, text_height), *rows]
    closed_columns = [*_find_closings(columns, rows, row_strokes, text_height), *columns]
    return sorted(closed_rows, key=lambda line: line.middle), sorted(closed_columns, key=lambda line: line.middle)


def _find_closings(
    lines: list[GridLine], crossing: list[GridLine], strokes: list[Stroke], text_height: float
) -> list[GridLine]:
    low, high = lines[0].middle, lines[-1].middle
    near, far = 0.5 * text_height, 0.7 * text_height
    solid = [each for each in strokes if each.cover >= 0.8 and each.length >= 1.5 * text_height]
    found = []
    for beyond in (
        [(each.start, each.across) for each in solid if each.start < low - far and each.end > low - near],
        [(each.end, each.across) for each in solid if each.end > high + far and each.start < high + near],
    ):
        # The two outermost rules must reach there; a character beyond the table goes on from one of them by chance.
        ends = [
            max(
                (end for end, place in beyond if abs(place - rim.middle) < near),
                key=lambda end: abs(end - low),
                default=None,
            )
            for rim in (crossing[0], crossing[-1])
        ]
        if ends[0] is not None and ends[1] is not None and abs(ends[0] - ends[1]) < text_height:
            found.append(GridLine(np.array([0.0]), np.array([(ends[0] + ends[1]) / 2]), is_closing=True))
    return found


def _find_false_rim(ink: Floats, crossing_ink: Floats) -> int | None:
    """The number of an outermost line that hardly is a rule, or to which no two rules lead."""
    for line, slot in ((0, 0), (len(ink) - 1, -1)):
        is_led_to = (crossing_ink[:, slot] >= PRESENT).sum() >= 2
        if (ink[line] >= PRESENT).mean() < 0.3 or not is_led_to:
            return line
    return None


def _describe_table(
    rows: list[GridLine], columns: list[GridLine], row_ink: Floats, column_ink: Floats, slots: Slots
) -> RuledTable | None:
    if len(slots.boxes) < 2:
        return None
    middle_x, middle_y = columns[len(columns) // 2].middle, rows[len(rows) // 2].middle
    xs = tuple(float(line.at(middle_y)) for line in columns)
    ys = tuple(float(line.at(middle_x)) for line in rows)
    rating = _Rating(row_ink, column_ink, measure_quality(row_ink, column_ink))
    cells = []
    for (top, left, bottom, right), is_forced in zip(slots.boxes, slots.is_forced, strict=True):
        middle_y, middle_x = (ys[top] + ys[bottom]) / 2, (xs[left] + xs[right]) / 2
        box = (
            float(columns[left].at(middle_y)),
            float(rows[top].at(middle_x)),
            float(columns[right].at(middle_y)),
            float(rows[bottom].at(middle_x)),
        )
        borders = rating.rate_borders(top, left, bottom, right)
        whole = 0.0 if is_forced else rating.rate_inside(top, left, bottom, right)
        cells.append(RuledCell(top, left, bottom - top, right - left, box, borders, whole))
    cells.sort(key=lambda cell: (cell.row, cell.column))
    return RuledTable((xs[0], ys[0], xs[-1], ys[-1]), xs, ys, tuple(cells))


class _Rating(NamedTuple):
    row_ink: Floats
    column_ink: Floats
    quality: float

    def rate_borders(self, top: int, left: int, bottom: int, right: int) -> tuple[float, float, float, float]:
        return (
            self._rate_side(self.column_ink, left, slice(top, bottom)),
            self._rate_side(self.row_ink, top, slice(left, right)),
            self._rate_side(self.column_ink, right, slice(top, bottom)),
            self._rate_side(self.row_ink, bottom, slice(left, right)),
        )

    def _rate_side(self, ink: Floats, line: int, part: slice) -> float:
        # Beyond the rim of the table is no other cell, so the rim needs no ink.
        if line in (0, len(ink) - 1):
            return 1.0
        return min(rate_edge(float(each), self.quality, is_rule=True) for each in ink[line, part])

    def rate_inside(self, top: int, left: int, bottom: int, right: int) -> float:
        inside = [*self.row_ink[top + 1 : bottom, left:right].flat, *self.column_ink[left + 1 : right, top:bottom].flat]
        return min((rate_edge(float(each), self.quality, is_rule=False) for each in inside), default=1.0)
