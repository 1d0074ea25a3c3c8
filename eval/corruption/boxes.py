"""Cutting tables of merged boxes: taking rows out, putting rows in, cutting a table in two.

Lives here: what keeps the merged cells of a table in step with its rows. Does not live here: why a table is cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from eval.corruption.report import ValueBox
from tests.flatten import Box, Table


class Reach(NamedTuple):
    """A merged box that begins above a row and reaches into it."""

    row: int
    index: int
    column: int


def value_rows(table: Table) -> list[int]:
    """The rows that print cells of the form."""
    return [r for r, row in enumerate(table) if any(isinstance(box, ValueBox) for box in row)]


def name_row(row: Sequence[Box]) -> str:
    """The row of the form, as `section.row`, whose cells a row of boxes prints; "" for none."""
    return next((box.field_id.rpartition(".")[0] for box in row if isinstance(box, ValueBox)), "")


def table_width(table: Table) -> int:
    """Grid columns."""
    return sum(box.columns for box in table[0])


def find_reaching(table: Table, row: int) -> list[Reach]:
    """The boxes above that reach into a row, from left to right."""
    free_from: dict[int, int] = {}
    found: list[Reach] = []
    for r, boxes in enumerate(table[:row]):
        column = 0
        for index, box in enumerate(boxes):
            while free_from.get(column, 0) > r:
                column += 1
            if r + box.rows > row:
                found.append(Reach(r, index, column))
            for covered in range(column, column + box.columns):
                free_from[covered] = r + box.rows
            column += box.columns
    return sorted(found, key=lambda reach: reach.column)


def insert_row(table: Table, row: int, boxes: list[Box]) -> Table:
    """A table with one more row in front of `row`; what reaches over the place grows."""
    grown = {(reach.row, reach.index) for reach in find_reaching(table, row)}
    above = _resize(table[:row], grown, 1)
    return [*above, boxes, *table[row:]]


def repeat_row(table: Table, row: int) -> Table:
    """A table with a copy behind a row; merged boxes that reach into the row reach into the copy."""
    grown = {(reach.row, reach.index) for reach in find_reaching(table, row)}
    grown |= {(row, index) for index, box in enumerate(table[row]) if box.rows > 1}
    copy = [box for box in table[row] if box.rows == 1]
    return [*_resize(table[: row + 1], grown, 1), copy, *table[row + 1 :]]


def remove_row(table: Table, row: int) -> Table:
    """A table without a row; what begins in it and reaches further begins in the next one."""
    shrunk = {(reach.row, reach.index) for reach in find_reaching(table, row)}
    above = _resize(table[:row], shrunk, -1)
    left = [replace(box, rows=box.rows - 1) for box in table[row] if box.rows > 1]
    below = [list(boxes) for boxes in table[row + 1 :]]
    if left and below:
        below[0] = [*left, *below[0]]
    return [*above, *below]


def split_table(table: Table, row: int, repeats_labels: bool) -> tuple[Table, Table]:
    """Cut a table in front of a row.

    Args:
        repeats_labels: whether what is cut through keeps its text in the lower piece.
    """
    reaching = find_reaching(table, row)
    upper = [list(boxes) for boxes in table[:row]]
    again: list[Box] = []
    for reach in reaching:
        box = upper[reach.row][reach.index]
        upper[reach.row][reach.index] = replace(box, rows=row - reach.row)
        again.append(replace(box, rows=box.rows - (row - reach.row), text=box.text if repeats_labels else ""))
    lower = [list(boxes) for boxes in table[row:]]
    lower[0] = [*again, *lower[0]]
    return upper, lower


def _resize(rows: Table, places: set[tuple[int, int]], by: int) -> Table:
    return [
        [replace(box, rows=box.rows + by) if (r, index) in places else box for index, box in enumerate(boxes)]
        for r, boxes in enumerate(rows)
    ]
