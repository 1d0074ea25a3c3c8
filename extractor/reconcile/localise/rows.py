"""Slips within one row: its numbers stand in other columns of the row.

Lives here: re-placement of the non-zero numbers, swapped neighbours, a shift by one column. Each touches one row
only, so a row is tried only where it can settle every failed equation, and against the exact amount that each of
its columns asks for. Does not live here: slips of whole rows (blocks). Called by stages.

A slip costs the heaviest weight among the cells that it changes: it is one thing, however many cells it moves. Numbers
that stand nowhere in print and are solved from an equation are one thing more. A slip whose fit may well be chance
costs both of its cells, as any two changed cells do, so that it is no better than those.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, pairwise

from extractor.reconcile.localise.explanations import Explanation
from extractor.reconcile.localise.geometry import Line, lines_of
from extractor.reconcile.localise.problem import Exact, Problem, is_count

#: Amounts from here on do not fit by chance.
LEAST_TELLING = 10
#: A smaller one does where at least one in so many of the other rows in question could give it as well, by some change
#: of two cells.
ROWS_TO_TELL = 10

Proposed = dict[str, Exact]


def explain_by_row_slips(problem: Problem) -> Iterator[Explanation]:
    """Every explanation by one slip within one row, in the form's order of rows."""
    asked_of = {line: asked for line in lines_of(problem.system) if (asked := _find_asked(problem, line)) is not None}
    fits_by_chance = _fits_by_chance(problem, asked_of)
    for line, asked in asked_of.items():
        known = tuple(field for field in line.fields if field in problem.values)
        for method, proposed, solved in _suppose(problem, line, known):
            if all(proposed.get(field, problem.values[field]) == value for field, value in asked.items()):
                cost = cost_of_slip(problem, proposed, solved, things=2 if fits_by_chance else 1)
                explanation = problem.explain(method, proposed, cost)
                if explanation:
                    yield explanation


def cost_of_slip(problem: Problem, proposed: Proposed, solved: Proposed, things: int = 1) -> int:
    """What a slip costs (see above).

    Args:
        solved: the part of `proposed` that stands nowhere in print.
        things: how many of the changed cells count.
    """
    changed = (problem.weight(field) for field, value in proposed.items() if value != problem.values[field])
    made_up = (problem.weight(field) for field, value in solved.items() if value)
    return sum(sorted(changed, reverse=True)[:things]) + max(made_up, default=0)


def _fits_by_chance(problem: Problem, asked_of: Mapping[Line, Proposed]) -> bool:
    """Whether what is asked is a small amount between two cells, and enough rows could give it.

    Of pairs of cells in a row that are wrong by other causes 5 in 100 would be taken for slips without this rule.
    """
    fitting = 0
    for asked in asked_of.values():
        amounts = [value - problem.values[field] for field, value in asked.items()]
        if sum(map(bool, amounts)) != 2 or not all(-LEAST_TELLING < amount < LEAST_TELLING for amount in amounts):
            return False
        fitting += all(map(is_count, asked.values()))
    return fitting > 1 and ROWS_TO_TELL * (fitting - 1) >= len(asked_of) - 1


def _find_asked(problem: Problem, line: Line) -> Proposed | None:
    """The value that the columns' equations ask of each known cell of a row; None where the row cannot settle all.

    A cell that stands in no evaluable equation of a column is not in the answer: it is free.
    """
    mended = {line.equation}
    asked: Proposed = {}
    for field in line.fields:
        if field not in problem.values:
            continue
        for equation in problem.equations_of(field):
            if equation == line.equation:
                continue
            mended.add(equation)
            value = problem.values[field] - problem.system.terms[equation][field] * problem.residuals[equation]
            if asked.setdefault(field, value) != value:
                return None
    return asked if mended.issuperset(problem.failed) else None


def _suppose(problem: Problem, line: Line, known: tuple[str, ...]) -> Iterator[tuple[str, Proposed, Proposed]]:
    """Method, the row as it would be, and which of its numbers stand nowhere in print."""
    for proposed in _replace_numbers(problem, known):
        yield "row-replaced", proposed, {}
    for left, right in pairwise(line.fields):
        if left in problem.values and right in problem.values:
            yield "neighbours-swapped", {left: problem.values[right], right: problem.values[left]}, {}
    if line.equation in problem.residuals:
        for fields in (line.fields, line.fields[::-1]):
            yield from _shift_back(problem, line, fields)


def _replace_numbers(problem: Problem, known: tuple[str, ...]) -> Iterator[Proposed]:
    """The row's non-zero numbers, order kept, in every other choice of its known cells; 0 in the rest."""
    numbers = [problem.values[field] for field in known if problem.values[field]]
    for places in combinations(known, len(numbers)):
        proposed: Proposed = dict.fromkeys(known, 0)
        proposed.update(zip(places, numbers, strict=True))
        yield proposed


def _shift_back(problem: Problem, line: Line, fields: tuple[str, ...]) -> Iterator[tuple[str, Proposed, Proposed]]:
    """The row with every number one cell nearer to the front; the last cell's was lost and is solved.

    The front cell's own number is given up: only where it is 0, or the neighbour's printed twice.
    """
    front = problem.values[fields[0]]
    if front and front != problem.values[fields[1]]:
        return
    proposed = {field: problem.values[behind] for field, behind in pairwise(fields)}
    signs = problem.system.terms[line.equation]
    lost = fields[-1]
    solved: Proposed = {lost: -signs[lost] * sum(signs[field] * value for field, value in proposed.items())}
    yield "row-shifted", proposed | solved, solved
