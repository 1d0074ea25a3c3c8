"""Characters and lattices -> the tables of a page.

Lives here: which cell a character stands in, and what a cell then holds. Does not live here: the lattices
(vector_tables) and the ink that no text explains (left_ink). Called by text_layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from extractor.model import UNREAD, Box
from extractor.sources.pages.characters import Character
from extractor.sources.pages.left_ink import LeftInk
from extractor.sources.pages.shapes import Line, PageCell, PageTable, Word
from extractor.sources.pages.text_lines import join_boxes, set_lines, stack_label
from extractor.sources.pages.vector_tables import Lattice

# Characters nearer than this share of their size belong to one word.
_TOUCH = 0.2
_SAME_BASELINE = 0.1

#: Number of a lattice and of one of its cells.
CellKey = tuple[int, int]


class Division(NamedTuple):
    """The characters of a page by cell. `straddled`: cells of which a word sticks out."""

    outside: tuple[Character, ...]
    by_cell: dict[CellKey, list[Character]]
    straddled: frozenset[CellKey]


def divide_characters(characters: Sequence[Character], lattices: Sequence[Lattice]) -> Division:
    """Give each character to the cell its middle stands in, before any words are made."""
    finders = [_CellFinder(lattice) for lattice in lattices]
    places = [_find_place(character, finders) for character in characters]
    by_cell: dict[CellKey, list[Character]] = {}
    for character, place in zip(characters, places, strict=True):
        if place is not None:
            by_cell.setdefault(place, []).append(character)
    straddled = {
        place
        for (before, after), ends in zip(pairwise(characters), pairwise(places), strict=True)
        if ends[0] != ends[1] and _touch(before, after)
        for place in ends
        if place is not None
    }
    outside = [character for character, place in zip(characters, places, strict=True) if place is None]
    return Division(tuple(outside), by_cell, frozenset(straddled))


class _CellFinder:
    """Finds the cell of a lattice at a point."""

    def __init__(self, lattice: Lattice) -> None:
        self._lattice = lattice
        self._owner = np.zeros((len(lattice.rows) - 1, len(lattice.columns) - 1), dtype=np.int64)
        for index, cell in enumerate(lattice.cells):
            self._owner[cell.row : cell.row + cell.row_span, cell.column : cell.column + cell.column_span] = index

    def find(self, x: float, y: float) -> int | None:
        left, top, right, bottom = self._lattice.box
        if not (left <= x < right and top <= y < bottom):
            return None
        row = int(np.searchsorted(self._lattice.rows, y, side="right")) - 1
        column = int(np.searchsorted(self._lattice.columns, x, side="right")) - 1
        return int(self._owner[row, column])


def _find_place(character: Character, finders: Sequence[_CellFinder]) -> CellKey | None:
    if character.direction == "slanted":
        return None  # a watermark belongs to no cell
    for number, finder in enumerate(finders):
        cell = finder.find(*character.centre)
        if cell is not None:
            return number, cell
    return None


def _touch(before: Character, after: Character) -> bool:
    """Whether two characters follow each other in one word, as far as the text layer tells."""
    return (
        before.order == after.order
        and not after.after_space
        and before.direction == after.direction == "right"
        and abs(before.origin[1] - after.origin[1]) < _SAME_BASELINE * before.size
        and -before.size < after.box[0] - before.box[2] < _TOUCH * before.size
    )


def fill_table(number: int, lattice: Lattice, division: Division, ink: LeftInk) -> PageTable:
    """The table with what its cells hold. A cell with ink that no text explains holds UNREAD (too)."""
    cells = []
    for index, slots in enumerate(lattice.cells):
        box = lattice.box_of(slots)
        characters = division.by_cell.get((number, index), [])
        lines = stack_label(set_lines(characters))
        unread = ink.find_in_cell(box, has_text=bool(characters))
        if unread is not None:
            lines = _add_unread(lines, unread)
        is_doubtful = slots.is_forced or (number, index) in division.straddled
        place = (slots.row, slots.column, slots.row_span, slots.column_span)
        cells.append(PageCell(*place, box, lines, "structure" if is_doubtful else None))
    return PageTable(lattice.box, lattice.columns, lattice.rows, tuple(cells))


def _add_unread(lines: Sequence[Line], box: Box) -> tuple[Line, ...]:
    """Mark unread ink in the line that it stands in, else in one of its own."""
    word = Word(UNREAD, box)
    middle = (box[1] + box[3]) / 2
    for index, line in enumerate(lines):
        if line.box[1] <= middle <= line.box[3]:
            words = tuple(sorted((*line.words, word), key=lambda each: each.box[0]))
            return (*lines[:index], Line(words, join_boxes((line.box, box))), *lines[index + 1 :])
    return tuple(sorted((*lines, Line((word,), box)), key=lambda line: (line.box[1], line.box[0])))
