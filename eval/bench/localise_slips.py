"""What goes wrong with a table, each a small function that spoils one: for eval/bench/localise.py.

Lives here: the making of errors. Does not live here: which of them are measured, and their drawing (localise_errors).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from random import Random

from extractor.forms import Section

_RESULTS_TOTAL = "results_total"


@dataclass
class Sheet:
    """A table while it is spoiled. Cells are row by row; the last column is the total."""

    section: Section
    cells: list[list[int | None]]

    @cached_property
    def results(self) -> list[int]:
        """Which rows are results, the total of the results left out."""
        return [index for index, row in enumerate(self.section.rows) if row.is_result]

    @cached_property
    def results_total(self) -> int:
        """Which row is the total of the results."""
        return list(self.section.rows_by_id).index(_RESULTS_TOTAL)

    def places(self, least: int = 0) -> list[tuple[int, int]]:
        """Row and column of the cells that hold at least so much."""
        rows = enumerate(self.cells)
        return [(r, c) for r, row in rows for c, value in enumerate(row) if value is not None and value >= least]


Spoil = Callable[[Random, Sheet], None]


# ---------------------------------------------------------------- cells


def _another(rng: Random, value: int | None) -> int:
    """Another count, as a reader might see it: near the true one, or 0 for something, or something for 0."""
    value = value or 0
    choices = [value + rng.randint(1, 9), max(0, value - rng.randint(1, 9)), 0 if value else rng.randint(1, 30)]
    return rng.choice([choice for choice in choices if choice != value])


def alter_cells(count: int) -> Spoil:
    """So many different cells, each with another number."""

    def spoil(rng: Random, sheet: Sheet) -> None:
        for r, c in rng.sample(sheet.places(), count):
            sheet.cells[r][c] = _another(rng, sheet.cells[r][c])

    return spoil


def swap_digits(rng: Random, sheet: Sheet) -> None:
    """Two neighbouring digits of one number."""
    for r, c in rng.sample(places := sheet.places(10), len(places)):
        digits = str(sheet.cells[r][c])
        swapped = [digits[:i] + b + a + digits[i + 2 :] for i, (a, b) in enumerate(pairwise(digits)) if a != b]
        if numbers := [text for text in swapped if not text.startswith("0")]:
            sheet.cells[r][c] = int(rng.choice(numbers))
            return


def drop_digit(rng: Random, sheet: Sheet) -> None:
    """One digit of a number of several."""
    if places := sheet.places(10):
        r, c = rng.choice(places)
        digits = str(sheet.cells[r][c])
        at = rng.randrange(len(digits))
        sheet.cells[r][c] = int(digits[:at] + digits[at + 1 :])


def swap_in_row(rng: Random, sheet: Sheet) -> None:
    """Two neighbouring cells of one row, the total among them."""
    row = rng.choice(sheet.cells)
    c = rng.randrange(len(row) - 1)
    row[c], row[c + 1] = row[c + 1], row[c]


def swap_in_column(rng: Random, sheet: Sheet) -> None:
    """A cell and the one below it."""
    r, c = rng.randrange(len(sheet.cells) - 1), rng.randrange(len(sheet.cells[0]))
    above, below = sheet.cells[r], sheet.cells[r + 1]
    above[c], below[c] = below[c], above[c]


def compensate_in_row(rng: Random, sheet: Sheet) -> None:
    """So much less in one cell, so much more in another one of the row; the total stays."""
    if places := [(r, c) for r, c in sheet.places(1) if c < len(sheet.cells[r]) - 1]:
        r, c = rng.choice(places)
        row = sheet.cells[r]
        other = rng.choice([i for i in range(len(row) - 1) if i != c])
        moved = rng.randint(1, row[c] or 0)
        row[c], row[other] = (row[c] or 0) - moved, (row[other] or 0) + moved


def alter_with_row_total(rng: Random, sheet: Sheet) -> None:
    """A cell, and its row's total to fit."""
    row = rng.choice(sheet.cells)
    column = rng.randrange(len(row) - 1)
    _add(row, column, _another(rng, row[column]) - (row[column] or 0))


def _add(row: list[int | None], column: int, more: int) -> None:
    for c in (column, -1):
        row[c] = (row[c] or 0) + more


def fabricate(rng: Random, sheet: Sheet) -> None:
    """A cell and every total above it to fit, as one who balances the books: six cells."""
    column, more = rng.randrange(len(sheet.cells[0]) - 1), rng.randint(1, 30)
    for r in (0, rng.choice(sheet.results), sheet.results_total):
        _add(sheet.cells[r], column, more)


# ---------------------------------------------------------------- rows and columns


def shift_row(rng: Random, sheet: Sheet) -> None:
    """All cells of a row by one column, one of them lost and 0 at the other end."""
    row = rng.choice(sheet.cells)
    row[:] = [0, *row[:-1]] if rng.random() < 0.5 else [*row[1:], 0]


def pack_row(rng: Random, sheet: Sheet) -> None:
    """The zeros of a row dropped, the rest pushed left, the total with it."""
    row = rng.choice(sheet.cells)
    row[:] = _pack(row)


def pack_row_keep_total(rng: Random, sheet: Sheet) -> None:
    """The same, and the total in its place."""
    row = rng.choice(sheet.cells)
    row[:-1] = _pack(row[:-1])


def _pack(cells: list[int | None]) -> list[int | None]:
    kept = [cell for cell in cells if cell]
    return kept + [0] * (len(cells) - len(kept))


def lose_row(rng: Random, sheet: Sheet) -> None:
    """A result row is not seen and said to be 0."""
    row = sheet.cells[rng.choice(sheet.results)]
    row[:] = [0] * len(row)


def swap_result_rows(rng: Random, sheet: Sheet) -> None:
    """Two result rows."""
    _swap_rows(sheet, *rng.sample(sheet.results, 2))


def swap_new_and_carried_in(_rng: Random, sheet: Sheet) -> None:
    """The first two rows."""
    _swap_rows(sheet, 0, 1)


def swap_any_rows(rng: Random, sheet: Sheet) -> None:
    """Two rows; in section 四 these are groups."""
    _swap_rows(sheet, *rng.sample(range(len(sheet.cells)), 2))


def _swap_rows(sheet: Sheet, one: int, other: int) -> None:
    sheet.cells[one], sheet.cells[other] = sheet.cells[other], sheet.cells[one]


def swap_columns(rng: Random, sheet: Sheet) -> None:
    """Two columns in every row, the total not among them."""
    one, other = rng.sample(range(len(sheet.cells[0]) - 1), 2)
    for row in sheet.cells:
        row[one], row[other] = row[other], row[one]


def move_block_in_results(rng: Random, sheet: Sheet) -> None:
    """Several result rows by one row: one of them lost, 0 at the other end."""
    first, last = sorted(rng.sample(sheet.results, 2))
    _move_rows(rng, sheet, first, last)


def move_block_through_totals(rng: Random, sheet: Sheet) -> None:
    """All rows from a result row to the end of the table by one row."""
    _move_rows(rng, sheet, rng.choice(sheet.results), len(sheet.cells) - 1)


def _move_rows(rng: Random, sheet: Sheet, first: int, last: int) -> None:
    block = sheet.cells[first : last + 1]
    empty: list[int | None] = [0] * len(block[0])
    sheet.cells[first : last + 1] = [*block[1:], empty] if rng.random() < 0.5 else [empty, *block[:-1]]


# ---------------------------------------------------------------- blanks


def blank_totals(_rng: Random, sheet: Sheet) -> None:
    """No total is printed on the result rows."""
    for r in sheet.results:
        sheet.cells[r][-1] = None


def blank_zeros(_rng: Random, sheet: Sheet) -> None:
    """What would be 0 is left blank."""
    for row in sheet.cells:
        row[:] = [cell or None for cell in row]


def fill_blanks(_rng: Random, sheet: Sheet) -> None:
    """Every blank cell read as 0."""
    for row in sheet.cells:
        row[:] = [cell or 0 for cell in row]
