"""Edges whose rule is worn, or has worn off, closed where words tell that two cells stand there.

A rule that is plain to see on other parts of its line goes on where it is worn, when on both sides of it stands print
that keeps clear of it. Print that lies across the line says the opposite, and where a side is empty nothing is known:
the form joins cells, and empty ones look alike joined or not.

Lives here: that decision. Does not live here: ink (grid), cells (slots), the alignment of the numbers, which is looked
at afterwards (structure). Called by rules.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from extractor.model import Box
from extractor.sources.pages.scan.grid import PRESENT, Floats, GridLine
from extractor.sources.pages.shapes import Word

#: A line with rules on this share of its length is a rule everywhere, joined cells aside.
_RULED = 0.3
#: Print lies across a line when it goes that far beyond it, in parts of its height.
_ACROSS = 0.3
_HAN = re.compile("[\u3400-\u9fff]")


class _Slot(NamedTuple):
    """A place of the grid between two neighbouring lines each way."""

    row: int
    column: int


class _Print:
    """Which words stand in which slot, and which lie across a line."""

    def __init__(self, rows: Sequence[GridLine], columns: Sequence[GridLine], words: Sequence[Word]) -> None:
        self.numbers: dict[_Slot, list[Box]] = defaultdict(list)
        self.labels: dict[_Slot, list[Box]] = defaultdict(list)
        self._rows, self._columns = rows, columns
        for word in words:
            x, y = (word.box[0] + word.box[2]) / 2, (word.box[1] + word.box[3]) / 2
            row, column = _find_slot(rows, x, y), _find_slot(columns, y, x)
            if row is not None and column is not None:
                kind = self.labels if _HAN.search(word.text) else self.numbers
                kind[_Slot(row, column)].append(word.box)
        # A label stands in all the slots of its row that it reaches into.
        for slot, boxes in list(self.labels.items()):
            for box in boxes:
                for column in self._reach(box, slot):
                    if column != slot.column:
                        self.labels[_Slot(slot.row, column)].append(box)

    def _reach(self, box: Box, slot: _Slot) -> range:
        y, clear = (box[1] + box[3]) / 2, _ACROSS * (box[3] - box[1])
        first = _find_slot(self._columns, y, box[0] + clear)
        last = _find_slot(self._columns, y, box[2] - clear)
        return range(slot.column if first is None else first, (slot.column if last is None else last) + 1)

    def at(self, slot: _Slot) -> list[Box]:
        """All that stands in a slot."""
        return self.numbers.get(slot, []) + self.labels.get(slot, [])

    def is_number(self, slot: _Slot) -> bool:
        """Whether one number stands there and nothing else."""
        return len(self.numbers.get(slot, ())) == 1 and slot not in self.labels

    def keeps_clear(self, slot: _Slot, line: GridLine, axis: int) -> bool:
        """Whether what stands in a slot keeps clear of a line (axis 0: a vertical one, 1: a horizontal one)."""
        boxes = self.at(slot)
        return bool(boxes) and not any(_lies_across(box, line, axis) for box in boxes)


def _find_slot(lines: Sequence[GridLine], along: float, across: float) -> int | None:
    places = [float(line.at(along)) for line in lines]
    number = int(np.searchsorted(places, across)) - 1
    return number if 0 <= number < len(lines) - 1 else None


def _lies_across(box: Box, line: GridLine, axis: int) -> bool:
    clear = _ACROSS * (box[3] - box[1])
    place = float(line.at((box[1 - axis] + box[3 - axis]) / 2))
    return box[axis] + clear < place < box[axis + 2] - clear


def close_worn_edges(
    rows: Sequence[GridLine], columns: Sequence[GridLine], row_ink: Floats, column_ink: Floats, words: Sequence[Word]
) -> tuple[Floats, Floats]:
    """The ink on the edges, with 1 where a rule has worn off between two cells.

    Args:
        rows, columns: the lines of the grid.
        row_ink, column_ink: ink on their edges, see grid.measure_edges.
        words: of the page, boxes in px of the straight image.
    """
    found = _Print(rows, columns, words)
    row_ink, column_ink = row_ink.copy(), column_ink.copy()
    is_row, is_column = _list_ruled(row_ink, columns), _list_ruled(column_ink, rows)
    for line, row in np.argwhere((column_ink < 1.0) & is_column[:, None]):
        if 0 < line < len(columns) - 1:
            sides = _Slot(int(row), int(line) - 1), _Slot(int(row), int(line))
            if all(found.keeps_clear(slot, columns[line], 0) for slot in sides):
                column_ink[line, row] = 1.0
    for line, column in np.argwhere((row_ink < 1.0) & is_row[:, None]):
        if 0 < line < len(rows) - 1 and _stand_apart(found, rows[line], int(line), int(column)):
            row_ink[line, column] = 1.0
    return row_ink, column_ink


def _list_ruled(ink: Floats, crossing: Sequence[GridLine]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    lengths = np.diff([line.middle for line in crossing])
    return np.asarray(((ink >= PRESENT) * lengths).sum(axis=1) >= _RULED * lengths.sum())


def _stand_apart(found: _Print, line: GridLine, row: int, column: int) -> bool:
    """Whether two rows stand above and below an edge: numbers on both sides, or labels with numbers right of them."""
    above, below = _Slot(row - 1, column), _Slot(row, column)
    if not (found.keeps_clear(above, line, 1) and found.keeps_clear(below, line, 1)):
        return False
    if found.is_number(below):
        return True  # whatever is above: a number, or the heading of the column
    return all(_has_number_beside(found, slot) for slot in (above, below))


def _has_number_beside(found: _Print, slot: _Slot) -> bool:
    """Whether the next print right of a label is a number."""
    boxes = found.labels.get(slot)
    if not boxes:
        return False
    column = slot.column
    while _Slot(slot.row, column) in found.labels and set(found.labels[_Slot(slot.row, column)]) & set(boxes):
        column += 1
    return found.is_number(_Slot(slot.row, column))
