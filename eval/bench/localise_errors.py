"""The classes of error that are measured: for eval/bench/localise.py.

Lives here: their names, and the drawing of one error. Does not live here: the tables (localise_tables), how an error
is made (localise_slips), and what is found out about it (localise_outcomes).
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from eval.bench import localise_slips as slips
from eval.bench.localise_tables import Cells, Table

#: Draws on one table before another one is taken.
MOST_DRAWS = 200


class ErrorClass(NamedTuple):
    """One class of error.

    Attributes:
        section: the table that it happens to.
        spoil: makes the error; None where the class is about tables without one.
        prepare: what is done to the printed table first.
    """

    name: str
    section: str
    spoil: slips.Spoil | None
    prepare: slips.Spoil | None = None


def _list_classes() -> Iterator[ErrorClass]:
    three, four = "applications", "review_litigation"
    for name, spoil in {
        "one cell altered": slips.alter_cells(1),
        "digits swapped": slips.swap_digits,
        "digit dropped": slips.drop_digit,
        "row shifted": slips.shift_row,
        "row left-packed, total kept": slips.pack_row_keep_total,
        "row left-packed, total misplaced": slips.pack_row,
        "neighbours in a row swapped": slips.swap_in_row,
        "neighbours in a column swapped": slips.swap_in_column,
        "result row read as 0": slips.lose_row,
        "block off by one, inside results": slips.move_block_in_results,
        "block off by one, through totals": slips.move_block_through_totals,
        "compensating pair in a row": slips.compensate_in_row,
        "cell and its row total": slips.alter_with_row_total,
        "2 cells altered": slips.alter_cells(2),
        "3 cells altered": slips.alter_cells(3),
        "5 cells altered": slips.alter_cells(5),
        "10 cells altered": slips.alter_cells(10),
        "two result rows swapped": slips.swap_result_rows,
        "新收 and 上年结转 swapped": slips.swap_new_and_carried_in,
        "two columns swapped": slips.swap_columns,
        "consistent fabrication": slips.fabricate,
    }.items():
        yield ErrorClass(name, three, spoil)
    yield ErrorClass("blank totals read as 0", three, slips.fill_blanks, slips.blank_totals)
    yield ErrorClass("blank zeros read as 0", three, slips.fill_blanks, slips.blank_zeros)
    yield ErrorClass("四: one cell altered", four, slips.alter_cells(1))
    yield ErrorClass("四: neighbours swapped", four, slips.swap_in_row)
    yield ErrorClass("四: two groups swapped", four, slips.swap_any_rows)
    yield ErrorClass("no error", three, None)
    yield ErrorClass("no error, blank totals", three, None, slips.blank_totals)
    yield ErrorClass("no error, blank zeros", three, None, slips.blank_zeros)
    yield ErrorClass("四: no error", four, None)


CLASSES = tuple(_list_classes())


class Injected(NamedTuple):
    """A table as printed, and what was read of it."""

    truth: Table
    read: Cells

    @property
    def wrong(self) -> dict[str, int | None]:
        """Field id -> what is printed, of the cells that were read otherwise."""
        read = self.truth.name(self.read)
        return {
            field_id: value for field_id, value in self.truth.name(self.truth.cells).items() if read[field_id] != value
        }


def inject(rng: Random, table: Table, error: ErrorClass) -> Injected | None:
    """Make one error of a class.

    Returns:
        None where none was found that changes the table: two equal rows, say, can not be swapped.
    """
    truth = table._replace(cells=_apply(rng, table, error.prepare)) if error.prepare else table
    if error.spoil is None:
        return Injected(truth, truth.cells)
    for _ in range(MOST_DRAWS):
        read = _apply(rng, truth, error.spoil)
        if read != truth.cells:
            return Injected(truth, read)
    return None


def _apply(rng: Random, table: Table, spoil: slips.Spoil) -> Cells:
    sheet = slips.Sheet(table.section, [list(row) for row in table.cells])
    spoil(rng, sheet)
    return tuple(map(tuple, sheet.cells))
