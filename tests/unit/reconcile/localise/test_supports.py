"""The exact search for few cells, against brute force."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, product

import flatten
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.reconcile.localise import MOST_TIES, Explanation, locate_errors
from extractor.reconcile.localise.problem import Problem, pose_problem
from extractor.reconcile.localise.supports import WorkLimitReachedError, explain_by_fewest_cells
from extractor.reconcile.system import System, load_system

Build = Callable[..., dict[str, int]]
Mended = dict[str, int]


def pose(system: System, values: Mapping[str, int], weights: Mapping[str, int] | None = None) -> Problem:
    problem = pose_problem(system, values, weights or {})
    assert problem
    return problem


def changes_of(explanation: Explanation) -> Mended:
    return {change.field: int(change.proposed) for change in explanation.changes}


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("two-cells", {"granted.business": 4, "carried_in.research": 8}),
        ("two-cells", {"granted.natural_person": 95, "granted.business": 15}),
        ("three-cells", {"granted.business": 4, "carried_in.research": 8, "results_total.total": 9}),
    ],
)
def test_scattered_cells_are_located(system: System, table: Build, method: str, changes: Mended) -> None:
    values = table() | {f"applications.{name}": value for name, value in changes.items()}
    location = locate_errors(system, values, {})
    assert location
    assert location.outcome == "located"
    assert location.explanations[0].method == method
    assert changes_of(location.explanations[0]) == {
        f"applications.{name}": table()[f"applications.{name}"] for name in changes
    }


def test_lighter_cells_win_over_as_many_heavier_ones(system: System, table: Build) -> None:
    """Two rows off by as much in opposite ways: any column could be it, and a doubted one is."""
    values = table()
    values["applications.granted.natural_person"] += 5
    values["applications.refused.internal_affairs.natural_person"] -= 5
    rows = ("granted", "refused.internal_affairs")
    assert len(explain_by_fewest_cells(pose(system, values))) > 1
    doubted = {f"applications.{row}.total": 1 for row in rows}
    (explanation,) = explain_by_fewest_cells(pose(system, values, doubted))
    assert (set(changes_of(explanation)), explanation.cost) == (doubted.keys(), 2)


def test_sets_above_the_ceiling_are_of_no_interest(system: System, table: Build) -> None:
    values = table() | {"applications.granted.business": 4, "applications.carried_in.research": 8}
    assert explain_by_fewest_cells(pose(system, values), ceiling=3) == ()
    assert len(explain_by_fewest_cells(pose(system, values), ceiling=4)) == 1


def test_the_work_limit_is_a_count(system: System, table: Build) -> None:
    values = table() | {"applications.granted.business": 4, "applications.carried_in.research": 8}
    with pytest.raises(WorkLimitReachedError):
        explain_by_fewest_cells(pose(system, values), most_nodes=2)


def brute_pairs(system: System, values: Mended) -> Iterator[Mended]:
    """Every pair of cells that settles a whole table, by trying all.

    Two cells of such a table share one equation at most, so that each has one of its own that says its change.
    """
    residuals = system.residuals(values)

    def change(cell: str, other: str) -> int:
        own = next(name for name in system.of_field[cell] if name not in system.of_field[other])
        return -system.terms[own][cell] * int(residuals[own])

    for one, other in combinations(values, 2):
        if not any(residuals[name] for cell in (one, other) for name in system.of_field[cell]):
            continue
        mended = {one: values[one] + change(one, other), other: values[other] + change(other, one)}
        if min(mended.values()) >= 0 and all(mended[cell] != values[cell] for cell in mended):
            failed = {name for name, residual in residuals.items() if residual}
            touched = failed.union(*(system.of_field[cell] for cell in mended))
            if not any(system.residual(name, values | mended) for name in touched):
                yield mended


@pytest.mark.parametrize("kind", ["anywhere", "in a row", "in a column"])
@pytest.mark.parametrize("other_change", [-5, 4])
@pytest.mark.parametrize("seed", range(2))
def test_pairs_are_those_of_brute_force(system: System, kind: str, other_change: int, seed: int) -> None:
    rng = random.Random(f"{kind}{seed}")
    values = {name: value for name, value in flatten.make_values("2021", seed).items() if name in system.of_field}
    cells = list(values)
    row = 7 * rng.randrange(25)
    pool = {"anywhere": cells, "in a row": cells[row : row + 7], "in a column": cells[rng.randrange(7) :: 7]}[kind]
    one, other = rng.sample(pool, 2)
    values[other] = values[other] + other_change if values[other] + other_change >= 0 else values[other] + 9
    values[one] += 5
    expected = list(brute_pairs(system, values))
    found = [changes_of(explanation) for explanation in explain_by_fewest_cells(pose(system, values))]
    assert expected
    assert len(found) == min(len(expected), MOST_TIES)
    assert all(one in expected for one in found)


@settings(max_examples=80, deadline=None)
@given(
    cells=st.lists(st.integers(0, 2), min_size=5, max_size=5),
    weights=st.lists(st.sampled_from([2, 3, 9]), min_size=5, max_size=5),
)
def test_dependent_cells_are_those_of_brute_force(cells: list[int], weights: list[int]) -> None:
    """One equation over five cells: changes of a pair are not determined, and all that are cheapest count."""
    system = load_system("review_litigation", "2021")
    assert system
    names = list(system.terms["E4[review]"])
    values = dict(zip(names, cells, strict=True))
    costs = dict(zip(names, weights, strict=True))
    problem = pose_problem(system, values, costs)
    if problem is None:
        return
    brute: dict[tuple[tuple[str, int], ...], int] = {}
    for size in (1, 2):
        for chosen in combinations(names, size):
            for proposed in product(range(12), repeat=size):
                mended = dict(zip(chosen, proposed, strict=True))
                if all(mended[cell] != values[cell] for cell in chosen) and not system.residual(
                    "E4[review]", values | mended
                ):
                    brute[tuple(mended.items())] = sum(costs[cell] for cell in chosen)
    least = min(brute.values())
    expected = {changes for changes, cost in brute.items() if cost == least}
    found = explain_by_fewest_cells(problem)
    if len(found[0].changes) > 2 or found[0].cost < least:
        return  # three light cells are cheaper
    pairs = {tuple(changes_of(one).items()) for one in found if len(one.changes) <= 2}
    assert found[0].cost == least
    assert pairs <= expected
    assert len(found) >= min(len(expected), MOST_TIES)
