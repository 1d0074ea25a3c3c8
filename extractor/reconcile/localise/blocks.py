"""Slips of whole rows: two rows exchanged, or a run of rows one line too high or too low.

Lives here: both hypotheses. They leave every row whole, so they are tried only where no row's own equation fails.
Does not live here: slips within a row (rows). Called by stages.

Costs are those of rows; a lost row is one thing that stands nowhere in print. Two rows that do not stand beside each
other are two things: among so many pairs some nearly always fits by chance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from extractor.reconcile.localise.explanations import Explanation
from extractor.reconcile.localise.geometry import Line, lines_of
from extractor.reconcile.localise.problem import Exact, Problem
from extractor.reconcile.localise.rows import cost_of_slip

# The evaluable equations that a cell shares with other rows, each with the cell's sign.
Across = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A problem row by row.

    Attributes:
        cells: the values of each row; none where one of them is missing.
        is_surplus: whether a row may stand in print without being there: zeros, or a neighbour's cells again.
        across: for each cell of each row.
    """

    problem: Problem
    lines: tuple[Line, ...]
    cells: tuple[tuple[Exact, ...], ...]
    is_surplus: tuple[bool, ...]
    across: tuple[tuple[Across, ...], ...]


def explain_by_moved_rows(problem: Problem) -> Iterator[Explanation]:
    """Every explanation by rows moved as wholes; none where a row's own equation fails."""
    lines = lines_of(problem.system)
    if any(line.equation in problem.failed for line in lines):
        return
    yield from _exchange_rows(problem, lines)
    yield from _offset_blocks(problem, lines)


# ---------------------------------------------------------------- rows exchanged


def _exchange_rows(problem: Problem, lines: tuple[Line, ...]) -> Iterator[Explanation]:
    known = [line for line in lines if all(field in problem.values for field in line.fields)]
    for one, other in combinations(known, 2):
        if not _could_settle_first(problem, one, other):
            continue
        pairs = list(zip(one.fields, other.fields, strict=True))
        proposed = {field: problem.values[twin] for pair in pairs for field, twin in (pair, pair[::-1])}
        things = 1 if lines.index(other) - lines.index(one) == 1 else 2
        explanation = problem.explain("rows-exchanged", proposed, things * cost_of_slip(problem, proposed, {}))
        if explanation:
            yield explanation


def _could_settle_first(problem: Problem, one: Line, other: Line) -> bool:
    """Whether the exchange settles the first failed equation: a quick no for nearly every pair."""
    terms = problem.system.terms[problem.failed[0]]
    change: Exact = 0
    for field, twin in zip(one.fields, other.fields, strict=True):
        change += (terms.get(field, 0) - terms.get(twin, 0)) * (problem.values[twin] - problem.values[field])
    return problem.residuals[problem.failed[0]] + change == 0


# ---------------------------------------------------------------- blocks off by one


def _offset_blocks(problem: Problem, lines: tuple[Line, ...]) -> Iterator[Explanation]:
    sheet = _lay_out(problem, lines)
    for lost in range(len(lines)):
        for step in (1, -1):
            if sheet.cells[lost]:
                yield from _offset_from(sheet, lost, step)


def _lay_out(problem: Problem, lines: tuple[Line, ...]) -> Sheet:
    cells = tuple(
        tuple(problem.values[field] for field in line.fields)
        if all(field in problem.values for field in line.fields)
        else ()
        for line in lines
    )
    around = tuple(zip(((), *cells), cells, (*cells[1:], ()), strict=False))
    return Sheet(
        problem,
        lines,
        cells,
        tuple(not any(row) or row in (before, after) for before, row, after in around),
        tuple(tuple(_find_across(problem, line, field) for field in line.fields) for line in lines),
    )


def _find_across(problem: Problem, line: Line, field: str) -> Across:
    shared = (equation for equation in problem.equations_of(field) if equation != line.equation)
    return tuple((equation, problem.system.terms[equation][field]) for equation in shared)


def _offset_from(sheet: Sheet, lost: int, step: int) -> Iterator[Explanation]:
    """Rows from `lost` on, in the direction of `step`, printed one line too near to it: the row `lost` is missing.

    The block ends where a line too many stands in print. A block of the lost row alone is a row that zeros or its
    neighbour's cells have replaced.
    """
    residuals = dict(sheet.problem.residuals)
    _replace(sheet, lost, (0,) * len(sheet.cells[lost]), residuals)
    moved: dict[str, Exact] = {}
    surplus = lost
    while 0 <= surplus < len(sheet.lines) and sheet.cells[surplus]:
        if surplus != lost:
            nearer = sheet.cells[surplus - step]
            moved.update(zip(sheet.lines[surplus].fields, nearer, strict=True))
            _replace(sheet, surplus, nearer, residuals)
        # The block of the lost row alone is the same in both directions.
        if sheet.is_surplus[surplus] and (surplus != lost or step == 1):
            solved = _solve(sheet, lost, residuals)
            if solved and _is_telling(sheet, surplus, solved):
                proposed = moved | solved
                cost = cost_of_slip(sheet.problem, proposed, solved)
                explanation = sheet.problem.explain("block-offset", proposed, cost)
                if explanation:
                    yield explanation
        surplus += step


def _replace(sheet: Sheet, index: int, cells: tuple[Exact, ...], residuals: dict[str, Exact]) -> None:
    """Keep the residuals of the columns in step with other cells in one row."""
    for across, printed, cell in zip(sheet.across[index], sheet.cells[index], cells, strict=True):
        if printed != cell:
            for equation, sign in across:
                residuals[equation] += sign * (cell - printed)


def _solve(sheet: Sheet, index: int, residuals: dict[str, Exact]) -> dict[str, Exact]:
    """The lost row as the columns want it, 0 standing in it; empty where that is below 0 or no column says."""
    solved: dict[str, Exact] = {}
    for field, across in zip(sheet.lines[index].fields, sheet.across[index], strict=True):
        wanted = {-sign * residuals[equation] for equation, sign in across}
        if len(wanted) != 1 or (value := wanted.pop()) < 0:
            return {}
        solved[field] = value
    return solved


def _is_telling(sheet: Sheet, surplus: int, solved: dict[str, Exact]) -> bool:
    """Whether a made-up row settles more equations than it has numbers, or a line printed twice speaks for the slip."""
    return any(sheet.cells[surplus]) or sum(map(bool, solved.values())) < len(sheet.problem.failed)
