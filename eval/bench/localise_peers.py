"""The search beside integer programs over the same tables: for eval/bench/localise.py.

Lives here: the comparison of time and of what is found. Does not live here: the programs (localise_milp) and the
tables (localise_figures).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TypeVar

from eval.bench.localise_errors import Injected
from eval.bench.localise_milp import SOLVERS, Minimal, pose_program
from eval.bench.localise_outcomes import judge, locate, propose
from extractor.reconcile.localise import DEFAULT_WEIGHT, MOST_TIES, Location
from extractor.reconcile.system import load_system

T = TypeVar("T")

#: Larger sets than these the search does not look for.
LARGEST_SET = 3


@dataclass
class Comparison:
    """One solver beside the search over the same tables.

    Attributes:
        search, solver: seconds of each table; the solver's with all ties.
        sets: how the solver's smallest sets stand to the truth.
        outcomes: how the search ended.
        small: tables whose smallest sets have at most LARGEST_SET cells.
        same: those of them for which the search names the same sets.
        by_slip: those for which it names a slip of a row or block, which costs less than any set.
    """

    search: list[float] = field(default_factory=list)
    solver: list[float] = field(default_factory=list)
    sets: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    small: int = 0
    same: int = 0
    by_slip: int = 0


def compare(cases: Sequence[Injected], solver: str) -> Comparison:
    """Put the same tables to the search and to one solver."""
    found = Comparison()
    for case in cases:
        table, read = case.truth, case.truth.read(case.read)
        system = load_system(table.section.id, table.generation)
        assert system is not None
        program = pose_program(system, read, dict.fromkeys(read, DEFAULT_WEIGHT))
        location, seconds = _time(lambda table=table, read=read: locate(table, read))
        found.search.append(seconds)
        sets, seconds = _time(lambda program=program: SOLVERS[solver](program))
        found.solver.append(seconds)
        found.outcomes[judge(case, location)] += 1
        found.sets[judge_sets(case, sets)] += 1
        if len(sets[0].proposed) <= LARGEST_SET:
            found.small += 1
            found.same += is_same(location, sets)
            found.by_slip += bool(location and location.explanations and location.explanations[0].cost < sets[0].cost)
    return found


def _time(run: Callable[[], T]) -> tuple[T, float]:
    start = perf_counter()
    return run(), perf_counter() - start


def judge_sets(case: Injected, sets: Sequence[Minimal]) -> str:
    """How smallest sets of cells stand to the truth."""
    is_among = any(one.proposed == case.wrong for one in sets)
    if len(sets) == 1:
        return "unique, right" if is_among else "unique but wrong"
    return "tied with the truth" if is_among else "tied without"


def is_same(location: Location | None, sets: Sequence[Minimal]) -> bool:
    """Whether the search names the same sets; of more than MOST_TIES, sets of the same cost."""
    explanations = location.explanations if location else ()
    if any(one.cost != sets[0].cost for one in explanations):
        return False
    supports = {frozenset(propose(one)) for one in explanations}
    return supports == {frozenset(one.proposed) for one in sets} or len(explanations) == len(sets) == MOST_TIES
