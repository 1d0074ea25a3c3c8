"""The same question put to solvers of integer programs: for eval/bench/localise.py.

Lives here: the smallest weighted set of cells after whose change every equation holds, as a mixed-integer program, and
all such sets by cuts. Two solvers, both with one thread: HiGHS within this process, and CBC by PuLP, which starts a
process for every solution. Does not live here: the comparison (localise_speed).

The program is the one of Fellegi and Holt for balance edits, made as tight as is known to us: integer changes; a
change is no larger than the residuals together, and takes no value below 0; a failed equation needs a changed cell;
an equation that holds is never left with one changed cell alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import highspy
import pulp

from extractor.reconcile.system import System

#: Sets of one cost that are looked for.
MOST_TIES = 5


@dataclass(frozen=True)
class Program:
    """The integer program of one table.

    Attributes:
        fields: the cells, in the form's order; the other attributes count in it.
        weights: cost of changing each.
        values: what each holds.
        lower, upper: bounds of the change of each.
        balances: for each equation the cells with their signs, and what the changes must add up to.
    """

    fields: tuple[str, ...]
    weights: tuple[int, ...]
    values: tuple[int, ...]
    lower: tuple[int, ...]
    upper: tuple[int, ...]
    balances: tuple[tuple[tuple[tuple[int, int], ...], int], ...]


class Minimal(NamedTuple):
    """One smallest set of cells, and the values that would settle every equation."""

    cost: int
    proposed: Mapping[str, int]


Solver = Callable[[Program], list[Minimal]]


def pose_program(system: System, values: Mapping[str, int], weights: Mapping[str, int]) -> Program:
    """The program of a table all of whose cells are known."""
    fields = tuple(system.of_field)
    number = {field_id: index for index, field_id in enumerate(fields)}
    residuals = {equation: int(residual) for equation, residual in system.residuals(values).items()}
    most = sum(map(abs, residuals.values()))
    return Program(
        fields=fields,
        weights=tuple(weights[field_id] for field_id in fields),
        values=tuple(values[field_id] for field_id in fields),
        lower=tuple(-min(values[field_id], most) for field_id in fields),
        upper=(most,) * len(fields),
        balances=tuple(
            (tuple((number[field_id], sign) for field_id, sign in system.terms[equation].items()), -residual)
            for equation, residual in residuals.items()
        ),
    )


def solve_with_highs(program: Program) -> list[Minimal]:
    """All smallest sets, at most MOST_TIES."""
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    model.setOptionValue("threads", 1)
    model.setOptionValue("mip_rel_gap", 0.0)
    changed = [model.addBinary(obj=weight) for weight in program.weights]
    bounds = zip(program.lower, program.upper, strict=True)
    deltas = [model.addIntegral(lb=low, ub=high) for low, high in bounds]
    for i, delta in enumerate(deltas):
        model.addConstr(delta - program.upper[i] * changed[i] <= 0)
        model.addConstr(delta - program.lower[i] * changed[i] >= 0)
    for terms, amount in program.balances:
        model.addConstr(model.qsum(sign * deltas[i] for i, sign in terms) == amount)
        if amount:
            model.addConstr(model.qsum(changed[i] for i, _ in terms) >= 1)
            continue
        for one, _ in terms:
            model.addConstr(model.qsum(changed[i] for i, _ in terms if i != one) - changed[one] >= 0)

    def solve() -> list[int] | None:
        model.minimize()
        if model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        solution = model.getSolution().col_value
        return [round(solution[delta.index]) for delta in deltas]

    def cut(support: list[int]) -> None:
        model.addConstr(model.qsum(changed[i] for i in support) <= len(support) - 1)

    return list(_enumerate(program, solve, cut))


def solve_with_cbc(program: Program) -> list[Minimal]:
    """All smallest sets, at most MOST_TIES. Every solution is a run of CBC's own program over a file."""
    size = range(len(program.fields))
    model = pulp.LpProblem("smallest_change", pulp.LpMinimize)
    changed = [model.add_variable(f"z{i}", cat="Binary") for i in size]
    deltas = [model.add_variable(f"d{i}", program.lower[i], program.upper[i], cat="Integer") for i in size]
    model += pulp.lpSum(weight * is_changed for weight, is_changed in zip(program.weights, changed, strict=True))
    for i, delta in enumerate(deltas):
        model += delta <= program.upper[i] * changed[i]
        model += delta >= program.lower[i] * changed[i]
    for terms, amount in program.balances:
        model += pulp.lpSum(sign * deltas[i] for i, sign in terms) == amount
        if amount:
            model += pulp.lpSum(changed[i] for i, _ in terms) >= 1
            continue
        for one, _ in terms:
            model += pulp.lpSum(changed[i] for i, _ in terms if i != one) >= changed[one]
    solver = pulp.PULP_CBC_CMD(msg=False, threads=1, gapRel=0)

    def solve() -> list[int] | None:
        if model.solve(solver) != pulp.LpStatusOptimal:
            return None
        return [round(delta.value() or 0) for delta in deltas]

    def cut(support: list[int]) -> None:
        nonlocal model
        model += pulp.lpSum(changed[i] for i in support) <= len(support) - 1

    return list(_enumerate(program, solve, cut))


def _enumerate(
    program: Program, solve: Callable[[], list[int] | None], cut: Callable[[list[int]], None]
) -> Iterator[Minimal]:
    """Solve, forbid the set that was found, and so on while the cost stays the same."""
    least = None
    for _ in range(MOST_TIES):
        deltas = solve()
        if deltas is None:
            return
        support = [index for index, delta in enumerate(deltas) if delta]
        cost = sum(program.weights[index] for index in support)
        if least is not None and cost > least:
            return
        least = cost
        yield Minimal(cost, {program.fields[index]: program.values[index] + deltas[index] for index in support})
        cut(support)


SOLVERS: Mapping[str, Solver] = {"HiGHS": solve_with_highs, "CBC": solve_with_cbc}
