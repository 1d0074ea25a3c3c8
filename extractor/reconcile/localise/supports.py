"""The exact search: every set of at most three cells whose change settles all equations, and the cheapest of them.

Lives here: weighted minimal change in the sense of Fellegi and Holt (1976, "A Systematic Approach to Automatic Edit
and Imputation"), for balance edits: branch on the failing equation with the fewest cells, take one of them as wrong,
and eliminate its unknown change from the other equations by a Gauss step. A cell once tried is fixed as right in the
branches after it, so that each set comes once. Does not live here: hypotheses about how cells went wrong (rows,
blocks). Called by stages.

Complete wherever all equations are evaluable. Cells that are missing can leave cells with dependent equations, whose
changes are then not determined; of such sets those with one free cell are found, each with its smallest changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

from extractor.reconcile.localise.explanations import MOST_TIES, Explanation, choose_cheapest
from extractor.reconcile.localise.problem import Exact, Problem

#: Larger sets are too seldom the only ones of their size to be worth a search.
MOST_CELLS = 3
#: Points of the search tree that are visited at most: a limit that no machine's speed changes.
MOST_NODES = 5_000

_METHODS = ("", "single-cell", "two-cells", "three-cells")


class WorkLimitReachedError(Exception):
    """The search was given up; what it found until then may not be the cheapest."""


class Reduced(NamedTuple):
    """An equation over the changes of cells not yet taken: sum of coefficient * change = wanted."""

    coefficients: Mapping[str, int]
    wanted: Exact


class Node(NamedTuple):
    """A point of the search: what is to hold, the cells taken (each with its equation), those fixed as right."""

    equations: tuple[Reduced, ...]
    taken: tuple[tuple[str, Reduced], ...] = ()
    fixed: frozenset[str] = frozenset()
    cost: int = 0


def explain_by_fewest_cells(
    problem: Problem, ceiling: int | None = None, most_nodes: int = MOST_NODES
) -> tuple[Explanation, ...]:
    """The sets of at most MOST_CELLS cells of least total weight, at most MOST_TIES of them.

    Args:
        ceiling: sets that cost more are of no interest.
        most_nodes: the work limit.

    Raises:
        WorkLimitReachedError: when the search is not over by then.
    """
    search = _Search(problem, ceiling, most_nodes)
    residuals = problem.residuals.items()
    search.visit(Node(tuple(Reduced(problem.system.terms[name], -residual) for name, residual in residuals)))
    return choose_cheapest(search.found)


class _Search:
    """The state of one search: what was found, what it may still cost, how many nodes are left."""

    def __init__(self, problem: Problem, ceiling: int | None, most_nodes: int) -> None:
        self.found: list[Explanation] = []
        self._problem = problem
        self._ceiling = ceiling
        self._nodes_left = most_nodes
        self._rank = {field: (problem.weight(field), place) for place, field in enumerate(problem.values)}

    def visit(self, node: Node) -> None:
        """Everything below one node."""
        self._nodes_left -= 1
        if self._nodes_left < 0:
            raise WorkLimitReachedError
        failing = [equation for equation in node.equations if equation.wanted]
        cells_left = MOST_CELLS - len(node.taken)
        if not failing:
            self._keep(node, cells_left)
            return
        choices = [_open_cells(equation, node.fixed) for equation in failing]
        if cells_left < _count_disjoint(choices):
            return
        best = min(range(len(failing)), key=lambda place: len(choices[place]))
        fixed = set(node.fixed)
        for cell in sorted(choices[best], key=self._rank.__getitem__):
            cost = node.cost + self._problem.weight(cell)
            if not self._is_too_dear(cost) and (cells_left > 1 or _settles_all(node.equations, failing[best], cell)):
                self.visit(_take(node, failing[best], cell, frozenset(fixed), cost))
            fixed.add(cell)

    def _is_too_dear(self, cost: int) -> bool:
        return self._ceiling is not None and cost > self._ceiling

    def _keep(self, node: Node, cells_left: int) -> None:
        """The set of cells taken, if its values are counts; else with one more cell that its equations leave free."""
        proposed = self._proposed(_solve(node.taken, {}))
        if all(value == self._problem.values[cell] for cell, value in proposed.items()):
            return  # nothing taken, or nothing changed
        if any(value == self._problem.values[cell] for cell, value in proposed.items()):
            return  # a smaller set, which has a branch of its own
        if self._add(proposed, node.cost) or not cells_left:
            return
        for cell in self._free_cells(node):
            cost = node.cost + self._problem.weight(cell)
            if not self._is_too_dear(cost):
                for change in self._feasible_changes(node, cell):
                    self._add(self._proposed(_solve(node.taken, {cell: change})), cost)

    def _add(self, proposed: Mapping[str, Exact], cost: int) -> bool:
        explanation = self._problem.explain(_METHODS[len(proposed)], proposed, cost)
        if explanation is None or len(explanation.changes) < len(proposed):
            return False
        self.found.append(explanation)
        # With enough ties at this cost only cheaper sets can change the outcome.
        is_full = len(choose_cheapest(self.found)) == MOST_TIES
        self._ceiling = min(one.cost for one in self.found) - is_full
        return True

    def _proposed(self, changes: Mapping[str, Exact]) -> dict[str, Exact]:
        return {cell: self._problem.values[cell] + change for cell, change in changes.items()}

    def _free_cells(self, node: Node) -> list[str]:
        """Cells that stand with the taken ones, and in no equation beside those."""
        near = {cell for _, equation in node.taken for cell in equation.coefficients}
        bound = {cell for equation in node.equations for cell in equation.coefficients}
        taken = {cell for cell, _ in node.taken}
        return sorted(near - bound - taken - node.fixed, key=self._rank.__getitem__)

    def _feasible_changes(self, node: Node, free: str) -> Iterable[int]:
        """The smallest changes of a free cell that leave no taken cell below 0, where no change leaves one there."""
        base, moved = _solve(node.taken, {}), _solve(node.taken, {free: 1})
        low, high = Fraction(-self._problem.values[free]), None
        for cell, change in base.items():
            rate = moved[cell] - change
            room = Fraction(self._problem.values[cell] + change)
            if rate > 0:
                low = max(low, -room / rate)
            elif rate < 0:
                high = -room / rate if high is None else min(high, -room / rate)
            elif room < 0:
                return ()
        if low > 0:
            first, last = ceil(low), ceil(low) + MOST_TIES
            return range(first, (last if high is None else min(last, floor(high))) + 1)
        if high is not None and high < 0:
            first, last = floor(high), floor(high) - MOST_TIES
            return range(first, max(last, ceil(low)) - 1, -1)
        return ()


def _open_cells(equation: Reduced, fixed: frozenset[str]) -> list[str]:
    return [cell for cell in equation.coefficients if cell not in fixed]


def _count_disjoint(choices: list[list[str]]) -> int:
    """At least so many cells are needed: failing equations that share no open cell; too many if one has none at all."""
    if not all(choices):
        return MOST_CELLS + 1
    used: set[str] = set()
    count = 0
    for cells in sorted(choices, key=len):
        if used.isdisjoint(cells):
            used.update(cells)
            count += 1
    return count


def _settles_all(equations: Iterable[Reduced], pivot: Reduced, cell: str) -> bool:
    """Whether the change that one equation wants of a cell is the one that every other equation wants."""
    own = pivot.coefficients[cell]
    return all(equation.coefficients.get(cell, 0) * pivot.wanted == equation.wanted * own for equation in equations)


def _take(node: Node, pivot: Reduced, cell: str, fixed: frozenset[str], cost: int) -> Node:
    """Take a cell as wrong: its change is eliminated by the pivot equation, which is used up."""
    equations = tuple(
        _eliminate(equation, pivot, cell) if cell in equation.coefficients else equation
        for equation in node.equations
        if equation is not pivot
    )
    return Node(equations, (*node.taken, (cell, pivot)), fixed, cost)


def _eliminate(equation: Reduced, pivot: Reduced, cell: str) -> Reduced:
    """Combine two equations so that the cell's coefficient becomes 0."""
    keep, less = pivot.coefficients[cell], equation.coefficients[cell]
    coefficients = dict(equation.coefficients)
    if keep in (1, -1):  # nearly always: then nothing has to be multiplied out
        keep, less = 1, keep * less
    else:
        coefficients = {field: keep * coefficient for field, coefficient in coefficients.items()}
    for field, coefficient in pivot.coefficients.items():
        combined = coefficients.get(field, 0) - less * coefficient
        if combined:
            coefficients[field] = combined
        else:
            del coefficients[field]
    return Reduced(coefficients, keep * equation.wanted - less * pivot.wanted)


def _solve(taken: Iterable[tuple[str, Reduced]], free: Mapping[str, Exact]) -> dict[str, Exact]:
    """The changes of the taken cells, last taken first, given those of free cells; all other cells are right."""
    changes: dict[str, Exact] = dict(free)
    for cell, equation in reversed(tuple(taken)):
        rest = sum(equation.coefficients.get(other, 0) * change for other, change in changes.items())
        change = Fraction(equation.wanted - rest) / equation.coefficients[cell]
        changes[cell] = int(change) if change.denominator == 1 else change
    return changes
