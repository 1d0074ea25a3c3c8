"""Edges of a grid -> cells: which slots are one cell.

Two neighbouring slots are one cell where no rule keeps them apart. Every slot is in exactly one cell, every cell is a
rectangle. Lives here: that and nothing else. Does not live here: ink (grid). Called by rules.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from extractor.sources.pages.scan.grid import PRESENT, Floats

# Where cells run into each other through a hole in the rules, weaker and weaker ink closes it.
_WEAKER = (0.45, 0.35, 0.25, 0.15)


@dataclass(frozen=True, slots=True)
class Slots:
    """The grid as it is cut into cells: `owner[row, column]` is the number of the cell, `is_forced` per cell."""

    owner: npt.NDArray[np.int64]
    boxes: tuple[tuple[int, int, int, int], ...]
    is_forced: tuple[bool, ...]


def cut_cells(row_ink: Floats, column_ink: Floats) -> Slots:
    """Which slots are one cell.

    Args:
        row_ink: ink on the horizontal edges (row lines, columns).
        column_ink: ink on the vertical edges (column lines, rows).

    Returns:
        Every slot in exactly one cell, every cell a rectangle (top, left, bottom, right; half-open). Where the rules
        leave a hole through which two cells run into each other, the likeliest edges close it; where none does, the
        cells are cut by force.
    """
    rows, columns = column_ink.shape[1], row_ink.shape[1]
    owner = np.full((rows, columns), -1, dtype=np.int64)
    boxes: list[tuple[int, int, int, int]] = []
    forced: list[bool] = []
    for row in range(rows):
        for column in range(columns):
            if owner[row, column] >= 0:
                continue
            region, is_forced = _grow_region(row, column, row_ink, column_ink, owner)
            for box in _cut_rectangles(region):
                owner[box[0] : box[2], box[1] : box[3]] = len(boxes)
                boxes.append(box)
                forced.append(is_forced)
    return Slots(owner, tuple(boxes), tuple(forced))


def find_separating_lines(row_ink: Floats, column_ink: Floats) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which row and column lines keep anything apart: on their two sides are different regions, somewhere.

    A line of ink that rules do not hold at both ends (strokes of text in line, a scratch) keeps nothing apart.
    """
    rows, columns = column_ink.shape[1], row_ink.shape[1]
    owner = np.full((rows, columns), -1, dtype=np.int64)
    open_rows, open_columns = row_ink < PRESENT, column_ink < PRESENT
    count = 0
    for row, column in np.ndindex(rows, columns):
        if owner[row, column] < 0:
            for slot in _flood(row, column, open_rows, open_columns, owner):
                owner[slot] = count
            count += 1
    is_row, is_column = np.ones(rows + 1, dtype=bool), np.ones(columns + 1, dtype=bool)
    is_row[1:-1] = (owner[1:] != owner[:-1]).any(axis=1)
    is_column[1:-1] = (owner[:, 1:] != owner[:, :-1]).any(axis=0)
    return is_row, is_column


def _grow_region(
    row: int, column: int, row_ink: Floats, column_ink: Floats, owner: npt.NDArray[np.int64]
) -> tuple[set[tuple[int, int]], bool]:
    region: set[tuple[int, int]] = set()
    for threshold in (PRESENT, *_WEAKER):
        region = _flood(row, column, row_ink < threshold, column_ink < threshold, owner)
        if _is_rectangle(region):
            return region, threshold != PRESENT
    return region, True


def _flood(
    row: int,
    column: int,
    open_rows: npt.NDArray[np.bool_],
    open_columns: npt.NDArray[np.bool_],
    owner: npt.NDArray[np.int64],
) -> set[tuple[int, int]]:
    rows, columns = owner.shape
    seen = {(row, column)}
    queue = [(row, column)]
    while queue:
        y, x = queue.pop()
        for near_y, near_x, is_open in (
            (y - 1, x, open_rows[y, x]),
            (y + 1, x, open_rows[y + 1, x]),
            (y, x - 1, open_columns[x, y]),
            (y, x + 1, open_columns[x + 1, y]),
        ):
            inside = 0 <= near_y < rows and 0 <= near_x < columns
            if is_open and inside and (near_y, near_x) not in seen and owner[near_y, near_x] < 0:
                seen.add((near_y, near_x))
                queue.append((near_y, near_x))
    return seen


def _is_rectangle(region: set[tuple[int, int]]) -> bool:
    top, left, bottom, right = _bound(region)
    return len(region) == (bottom - top) * (right - left)


def _bound(region: set[tuple[int, int]]) -> tuple[int, int, int, int]:
    ys, xs = [y for y, _ in region], [x for _, x in region]
    return min(ys), min(xs), max(ys) + 1, max(xs) + 1


def _cut_rectangles(region: set[tuple[int, int]]) -> list[tuple[int, int, int, int]]:
    """Rectangles that fill the region: runs along the rows, as long as possible downwards."""
    left_over = set(region)
    boxes = []
    while left_over:
        top, left = min(left_over)
        right = left
        while (top, right) in left_over:
            right += 1
        bottom = top + 1
        while _has_run(left_over, bottom, left, right):
            bottom += 1
        boxes.append((top, left, bottom, right))
        left_over -= {(y, x) for y in range(top, bottom) for x in range(left, right)}
    return boxes


def _has_run(slots: set[tuple[int, int]], row: int, left: int, right: int) -> bool:
    inside = all((row, x) in slots for x in range(left, right))
    return inside and (row, left - 1) not in slots and (row, right) not in slots
