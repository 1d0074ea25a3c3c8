"""A run of digits in section 二 that the neighbouring year decides.

Lives here: the ways to split a run, and those that fit X2 (TEMPLATE section 11). Section 二 has no equation of its
own, so within one report nothing separates `693665`. A split leaves no cell empty: that is the hypothesis `no_blanks`.
Does not live here: any change of a record. Called by build.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from extractor.model import CellState
from extractor.panel.entries import Basis, choose_weakest
from extractor.panel.relations import SPLIT_COLUMNS, Relation, load_relations
from extractor.panel.series import Year

Row = tuple[int | None, int | None, int]
"""Issued, repealed, in force. The earlier year's first two may be unknown: X2 does not need them."""

_MOST_DIGITS = 12  # of one number; the readers take longer ones for several cells


class Side(NamedTuple):
    """What one year may say of a row.

    Attributes:
        run: the digits, where the row is a run; None where its cells are read.
        splits: every way to read the row; of cells that are read, the one.
        basis: what the cells rest on; None for a run.
    """

    run: str | None
    splits: tuple[Row, ...]
    basis: Basis | None


class SplitFound(NamedTuple):
    """The one way to split that X2 leaves between two years.

    Attributes:
        sides: the earlier and the later year.
        in_force: of the earlier year.
        before: what is left of the earlier year's row; more than one where only `in_force` is decided.
        after: the later year's row.
        tried: pairs of a stock and a row that were possible.
    """

    relation: Relation
    sides: tuple[Side, Side]
    in_force: int
    before: tuple[Row, ...]
    after: Row
    tried: int


def split_run(run: str) -> Iterator[Row]:
    """Every way to read digits as three numbers without a leading zero, in the order of their lengths."""
    if len(run) > len(SPLIT_COLUMNS) * _MOST_DIGITS:
        return
    for first, second in combinations(range(1, len(run)), 2):
        parts = run[:first], run[first:second], run[second:]
        if all((part == "0" or part[0] != "0") and len(part) <= _MOST_DIGITS for part in parts):
            yield int(parts[0]), int(parts[1]), int(parts[2])


def find_splits(pairs: Sequence[tuple[Year, Year]]) -> list[tuple[Year, Year, SplitFound]]:
    """Rows of which X2 leaves one reading where more were possible.

    Where the years before and behind a row leave different readings of it, X2 does not hold in one of them, and
    neither is taken.

    Args:
        pairs: neighbouring years of one agency, in order.
    """
    found = [(before, after, item) for before, after in pairs for item in _find_between(before, after)]
    said: dict[tuple[str, int], set[int]] = {}
    for before, after, item in found:
        said.setdefault((item.relation.id, before.year), set()).add(item.in_force)
        said.setdefault((item.relation.id, after.year), set()).add(item.after[2])
    return [
        (before, after, item)
        for before, after, item in found
        if all(len(said[item.relation.id, year.year]) == 1 for year in (before, after))
    ]


def _find_between(before: Year, after: Year) -> Iterator[SplitFound]:
    for relation in load_relations():
        if relation.family != "X2":
            continue
        earlier, later = _find_side(before, relation, is_later=False), _find_side(after, relation, is_later=True)
        if earlier is None or later is None or not (earlier.run or later.run):
            continue
        stocks = {split[2] for split in earlier.splits}
        fitting = [split for split in later.splits if _stock_before(split) in stocks]
        tried = len(stocks) * len(later.splits)
        if len(fitting) == 1 < tried:
            in_force = _stock_before(fitting[0])
            left = tuple(split for split in earlier.splits if split[2] == in_force)
            yield SplitFound(relation, (earlier, later), in_force, left, fitting[0], tried)


def _stock_before(split: Row) -> int:
    """What X2 asks of the earlier year; of the later year all three numbers are known."""
    issued, repealed, in_force = split
    return in_force - (issued or 0) + (repealed or 0)


def _find_side(year: Year, relation: Relation, *, is_later: bool) -> Side | None:
    in_force = relation.before[0][0]
    prefix = in_force.removesuffix(SPLIT_COLUMNS[2])
    field_ids = [prefix + column for column in SPLIT_COLUMNS]
    run = _find_run(year, field_ids)
    if run is not None:
        return Side(run, tuple(split_run(run)), None)
    terms = [year.term(field_id) for field_id in field_ids]
    needed = terms if is_later else terms[2:]
    if any(term.amount is None or term.basis is None or term.basis == "suggested" for term in needed):
        return None
    amounts = tuple(term.amount for term in terms)
    basis = choose_weakest(*(term.basis for term in needed if term.basis))
    return Side(None, ((amounts[0], amounts[1], amounts[2] or 0),), basis)


def _find_run(year: Year, field_ids: list[str]) -> str | None:
    """The run that the row is in every document that has it; None where they differ or a cell is read."""
    runs = {cell.run for field_id in field_ids for _, cell in year.cells(field_id)}
    states = {cell.state for field_id in field_ids for _, cell in year.cells(field_id)}
    return runs.pop() if len(runs) == 1 and states == {CellState.UNPARSABLE} else None
