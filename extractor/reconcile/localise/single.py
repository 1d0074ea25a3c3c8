"""One wrong cell: the cell whose equations are exactly those that fail, all by the same amount.

Lives here: the single-cell signature. In the table of applications every cell has its own set of equations, so
that with all of them evaluable one wrong cell is always found. Called by stages.
"""

from __future__ import annotations

from collections.abc import Iterator

from extractor.reconcile.localise.explanations import Explanation
from extractor.reconcile.localise.problem import Exact, Problem


def explain_by_one_cell(problem: Problem) -> Iterator[Explanation]:
    """Every cell that alone settles all equations, in the order of the first equation that fails."""
    for field in problem.system.terms[problem.failed[0]]:
        delta = _shared_delta(problem, field)
        if delta is not None:
            new = problem.values[field] + delta
            explanation = problem.explain("single-cell", {field: new}, problem.weight(field))
            if explanation:
                yield explanation


def _shared_delta(problem: Problem, field: str) -> Exact | None:
    """The amount that all failed equations ask of a cell; None where they do not agree or a sound one minds."""
    if tuple(problem.equations_of(field)) != problem.failed:
        return None
    # Signs are 1 or -1, so that multiplying is dividing.
    deltas = {-problem.system.terms[equation][field] * problem.residuals[equation] for equation in problem.failed}
    return deltas.pop() if len(deltas) == 1 else None
