"""The second opinion on the cells of a ruled table: by the words alone.

Numbers of one column stand under each other, those of one row beside each other, and each stands in its cell like all
others (at its middle, or at one side). Where the cells that the rules gave do not agree, the cells concerned are named.

Lives here: that comparison. Does not live here: rules (rules), what a doubt does to a cell (reader). Called by
extractor.sources.pages.scan.reader.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from extractor.sources.pages.scan.rules import RuledCell, RuledTable
from extractor.sources.pages.shapes import Word

_NUMBER = re.compile(r"[0-9０-９][0-9０-９.,．，]*[0-9０-９]?")
_FEWEST = 6


class _Number(NamedTuple):
    word: Word
    cell: int

    @property
    def height(self) -> float:
        return self.word.box[3] - self.word.box[1]


@dataclass(frozen=True, slots=True)
class _Filled:
    """The cells of a table with the words whose middle lies in them."""

    cells: Sequence[RuledCell]
    words: tuple[tuple[Word, ...], ...]

    def is_number(self, index: int) -> bool:
        return bool(self.words[index]) and all(_NUMBER.fullmatch(word.text) for word in self.words[index])

    def list_numbers(self) -> list[_Number]:
        return [_Number(self.words[n][0], n) for n in range(len(self.cells)) if self.is_number(n)]


def doubt_structure(table: RuledTable, words: Sequence[Word]) -> frozenset[int]:
    """Indexes of the cells (in `table.cells`) that may be wrong: in doubt by their rules, or by the words.

    Args:
        table: by its rules.
        words: of the page or of the table, boxes in px of the straight image, best before they are cut at rules.
    """
    filled = _fill_cells(table, words)
    unsure = {number for number, cell in enumerate(table.cells) if not cell.is_sure}
    return frozenset(
        unsure.union(
            _find_straddling(table, words),
            _find_several_numbers(filled),
            _find_stretched_numbers(filled),
            _find_odd_spans(filled),
            _find_several_labels(table, filled),
            _find_misplaced(filled, 0),
            _find_misplaced(filled, 1),
            _find_slivers(table, filled),
        )
    )


def _fill_cells(table: RuledTable, words: Sequence[Word]) -> _Filled:
    inside: list[list[Word]] = [[] for _ in table.cells]
    for word in words:
        middle = (word.box[0] + word.box[2]) / 2, (word.box[1] + word.box[3]) / 2
        for number, cell in enumerate(table.cells):
            if cell.box[0] <= middle[0] < cell.box[2] and cell.box[1] <= middle[1] < cell.box[3]:
                inside[number].append(word)
                break
    return _Filled(table.cells, tuple(tuple(each) for each in inside))


def _find_straddling(table: RuledTable, words: Sequence[Word]) -> Iterable[int]:
    """Cells that share a word: a good part of it lies in each."""
    for word in words:
        left, top, right, bottom = word.box
        height = max(1.0, min(bottom - top, right - left))
        shared = [
            number
            for number, cell in enumerate(table.cells)
            if min(right, cell.box[2]) - max(left, cell.box[0]) > min(0.4 * height, 0.4 * (right - left))
            and min(bottom, cell.box[3]) - max(top, cell.box[1]) > min(0.4 * height, 0.4 * (bottom - top))
        ]
        if len(shared) > 1:
            yield from shared


def _find_several_numbers(filled: _Filled) -> Iterable[int]:
    """Cells with more than one number and nothing else: a lost rule joins cells."""
    return (n for n in range(len(filled.cells)) if len(filled.words[n]) > 1 and filled.is_number(n))


def _find_stretched_numbers(filled: _Filled) -> Iterable[int]:
    """Numbers far wider than their digits: two numbers read as one."""
    for word, cell in filled.list_numbers():
        width, height = word.box[2] - word.box[0], word.box[3] - word.box[1]
        if width > (0.8 * len(word.text) + 1.0) * height:
            yield cell


def _find_odd_spans(filled: _Filled) -> Iterable[int]:
    """Cells over several columns or rows among number cells, without words or with a number, that no other is like.

    Where the form joins columns, it joins them in the heading above as well.
    """
    number_columns = _find_number_columns(filled)
    like = Counter((cell.column, cell.column_span) for cell in filled.cells)
    for number, cell in enumerate(filled.cells):
        is_plain = not filled.words[number] or filled.is_number(number)
        covered = range(cell.column, cell.column + cell.column_span)
        if not is_plain or not number_columns.intersection(covered):
            continue
        if cell.row_span > 1 or (cell.column_span > 1 and like[cell.column, cell.column_span] == 1):
            yield number


def _find_number_columns(filled: _Filled) -> set[int]:
    """Columns whose own cells hold more numbers than anything else."""
    numbers: Counter[int] = Counter()
    others: Counter[int] = Counter()
    for number, cell in enumerate(filled.cells):
        if cell.column_span == 1 and filled.words[number]:
            (numbers if filled.is_number(number) else others)[cell.column] += 1
    return {column for column, count in numbers.items() if count > others[column]}


def _find_several_labels(table: RuledTable, filled: _Filled) -> Iterable[int]:
    """Cells over several rows with exactly one line of words in each of them, or with a number beside: labels of rows.

    The name of a group of rows has their labels beside it.
    """
    numbers = {(cell.row, cell.column) for n, cell in enumerate(filled.cells) if filled.is_number(n)}
    for number, cell in enumerate(filled.cells):
        if cell.row_span < 2 or filled.is_number(number):
            continue
        rows = range(cell.row, cell.row + cell.row_span)
        if filled.words[number] and any((row, cell.column + cell.column_span) in numbers for row in rows):
            yield number
            continue
        middles = [(word.box[1] + word.box[3]) / 2 for word in filled.words[number]]
        edges = table.rows[cell.row : cell.row + cell.row_span + 1]
        lines = [sum(top <= middle < bottom for middle in middles) for top, bottom in pairwise(edges)]
        if all(count == 1 for count in lines):
            yield number


def _find_misplaced(filled: _Filled, axis: int) -> Iterable[int]:
    """Numbers that do not stand in their cells as nearly all others do (axis 0: across, 1: down)."""
    numbers = filled.list_numbers()
    if len(numbers) < _FEWEST:
        return
    height = float(np.median([number.height for number in numbers]))
    boxes = np.array([number.word.box for number in numbers])[:, [axis, axis + 2]]
    rooms = np.array([filled.cells[number.cell].box for number in numbers])[:, [axis, axis + 2]]
    # From the middle, from the left or top, from the right or bottom: as the table has it.
    anchors = np.stack([(boxes - rooms).mean(axis=1), boxes[:, 0] - rooms[:, 0], boxes[:, 1] - rooms[:, 1]])
    offs = np.abs(anchors - np.median(anchors, axis=1, keepdims=True))
    spreads = np.percentile(offs, 80, axis=1)
    if spreads.min() > 0.35 * height:
        return  # these numbers have no common place
    yield from (number.cell for number, off in zip(numbers, offs[spreads.argmin()], strict=True) if off > 0.8 * height)


def _find_slivers(table: RuledTable, filled: _Filled) -> Iterable[int]:
    """Narrow columns and low rows without any word, and what borders on them: a scratch taken for a rule."""
    columns = [range(cell.column, cell.column + cell.column_span) for cell in table.cells]
    rows = [range(cell.row, cell.row + cell.row_span) for cell in table.cells]
    for edges, slots_of in ((table.columns, columns), (table.rows, rows)):
        widths = np.diff(edges)
        for slot in np.flatnonzero(widths < 0.6 * np.median(widths)).tolist():
            own = [number for number, slots in enumerate(slots_of) if slots == range(slot, slot + 1)]
            if own and not any(filled.words[number] for number in own):
                yield from own
                yield from (n for n, slots in enumerate(slots_of) if slot - 1 in slots or slot + 1 in slots)
