"""The whole localisation: every outcome, and what holds for all tables."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal

import flatten
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.reconcile.localise import DEFAULT_WEIGHT, MOST_TIES, Change, Location, locate_errors
from extractor.reconcile.system import System, load_system

Build = Callable[..., dict[str, int]]
G = "applications.granted"
SYSTEMS = {generation: load_system("applications", generation) for generation in ("2021", "2019")}


def balanced(generation: str, seed: int) -> dict[str, int]:
    """Section 三 of a made-up report."""
    values = flatten.make_values(generation, seed)
    return {name: value for name, value in values.items() if name.startswith("applications.")}


def spoil(rng: random.Random, values: dict[str, int], count: int, missing: int = 0) -> dict[str, int]:
    """So many cells altered, so many taken away."""
    spoilt = dict(values)
    for name in rng.sample(list(values), count):
        spoilt[name] = rng.choice([0, 1, 2, values[name] + 1, values[name] * 10])
    for name in rng.sample(list(values), missing):
        del spoilt[name]
    return spoilt


# ---------------------------------------------------------------- outcomes


def test_a_table_that_balances_has_no_location(system: System, table: Build) -> None:
    assert locate_errors(system, table(), {}) is None
    assert locate_errors(system, {}, {}) is None


def test_one_wrong_cell_is_located_with_its_true_value(system: System, table: Build) -> None:
    location = locate_errors(system, table(granted=(9, 11, 0, 0, 0, 0, 101)), {})
    assert location
    assert location.outcome == "located"
    (explanation,) = location.explanations
    assert explanation.method == "single-cell"
    assert explanation.changes == (Change(f"{G}.natural_person", 9, 90),)
    assert explanation.cost == DEFAULT_WEIGHT
    assert location.ties == 1
    assert location.region == (f"{G}.natural_person",)
    assert location.equations == ("E2[natural_person]", "E3[granted]")


def test_a_printed_decimal_is_kept_as_printed_and_a_count_is_proposed(system: System, table: Build) -> None:
    location = locate_errors(system, table() | {f"{G}.natural_person": Decimal("9.0")}, {})
    assert location
    assert location.explanations[0].changes == (Change(f"{G}.natural_person", Decimal("9.0"), 90),)
    assert type(location.explanations[0].changes[0].proposed) is int


def test_a_cell_that_would_fall_below_zero_is_no_explanation(system: System, table: Build) -> None:
    """The column of scientific bodies and the row of what was granted both ask for -1 where they cross."""
    values = table(granted=(90, 11, 0, 0, 0, 0, 100), other_result__other=(0, 0, 1, 0, 0, 0, 1))
    location = locate_errors(system, values, {})
    assert location
    assert location.equations == ("E2[research]", "E3[granted]")
    assert location.explanations
    assert all(len(explanation.changes) > 1 for explanation in location.explanations)


def test_section_four_names_the_groups_that_fail_and_no_cell() -> None:
    four = load_system("review_litigation", "2021")
    assert four
    values = {item.id: 0 for item in four.section.fields} | {"review_litigation.review.total": 3}
    location = locate_errors(four, values, {})
    group = tuple(item.id for item in four.section.fields if ".review." in item.id)
    assert location == Location("few-equations", (), 0, group, ("E4[review]",))


def lone_row(*cells: int) -> dict[str, int]:
    """A row of which nothing is known but that it must add up."""
    columns = ("natural_person", "business", "research", "public_welfare", "legal_service", "other_org", "total")
    return {f"{G}.{column}": cell for column, cell in zip(columns, cells, strict=True)}


def test_one_equation_alone_does_not_locate_even_where_one_cell_is_left(system: System) -> None:
    """Only the total could mend it alone: each part would fall below 0. That is no evidence against the parts."""
    location = locate_errors(system, lone_row(1, 1, 1, 0, 0, 0, 1), {})
    assert location
    assert (location.outcome, location.equations, location.explanations) == ("few-equations", ("E3[granted]",), ())
    assert location.region == tuple(lone_row(0, 0, 0, 0, 0, 0, 0))


def test_cells_that_explain_alike_are_tied(system: System) -> None:
    location = locate_errors(system, lone_row(3, 0, 0, 0, 0, 0, 1), {})
    assert location
    assert (location.outcome, location.ties) == ("tied", 2)
    assert location.region == (f"{G}.natural_person", f"{G}.total")


def test_a_doubted_cell_breaks_a_tie_where_two_equations_fail(system: System, table: Build) -> None:
    """Two rows off by as much in opposite ways: the column that it happened in is open."""
    values = table()
    values[f"{G}.natural_person"] += 5
    values["applications.refused.internal_affairs.natural_person"] -= 5
    tied = locate_errors(system, values, {})
    assert tied
    assert tied.outcome == "tied"
    doubted = {f"{G}.natural_person": 1, "applications.refused.internal_affairs.natural_person": 1}
    location = locate_errors(system, values, doubted)
    assert location
    assert (location.outcome, location.region) == ("located", tuple(doubted))


def test_more_than_five_ties_say_so_and_name_the_failed_equations(system: System, table: Build) -> None:
    """Without the totals no row tells where in its column five are missing."""
    values = {name: value for name, value in table().items() if not name.endswith(".total")}
    values[f"{G}.natural_person"] -= 5
    location = locate_errors(system, values, {})
    assert location
    assert (location.outcome, location.ties) == ("tied", MOST_TIES)
    assert len(location.explanations) == MOST_TIES
    assert set(location.region) == set(system.terms["E2[natural_person]"])


def test_more_than_three_cells_are_not_explained(system: System, table: Build) -> None:
    values = table()
    for row, column in (
        ("granted", "business"),
        ("carried_in", "research"),
        ("unable.not_held", "other_org"),
        ("carried_out", "natural_person"),
    ):
        values[f"applications.{row}.{column}"] += 7
    location = locate_errors(system, values, {})
    assert location
    assert (location.outcome, location.explanations, location.ties) == ("too-many-cells", (), 0)
    assert set(location.region) == {name for equation in location.equations for name in system.terms[equation]}
    assert list(location.region) == [item.id for item in system.section.fields if item.id in location.region]


def test_a_search_that_is_given_up_says_nothing(system: System, table: Build) -> None:
    values = table()
    values[f"{G}.business"] += 7
    values["applications.carried_in.research"] += 2
    location = locate_errors(system, values, {}, most_nodes=1)
    assert location
    assert (location.outcome, location.explanations, location.ties) == ("work-limit", (), 0)


# ---------------------------------------------------------------- what holds for all tables


@pytest.mark.parametrize("generation", SYSTEMS)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), data=st.data())
def test_any_one_altered_cell_is_located_with_the_true_value(generation: str, seed: int, data: st.DataObject) -> None:
    values = balanced(generation, seed)
    name = data.draw(st.sampled_from(sorted(values)))
    wrong = data.draw(st.integers(0, 5000).filter(lambda number: number != values[name]))
    location = locate_errors(SYSTEMS[generation], values | {name: wrong}, {})
    assert location
    assert location.outcome == "located"
    assert location.explanations[0].changes == (Change(name, wrong, values[name]),)


@pytest.mark.parametrize("generation", SYSTEMS)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 4), missing=st.integers(0, 12), is_cut_off=st.booleans())
def test_every_explanation_satisfies_every_evaluable_equation(
    generation: str, seed: int, count: int, missing: int, is_cut_off: bool
) -> None:
    system, rng = SYSTEMS[generation], random.Random(seed)
    values = spoil(rng, balanced(generation, seed), count, 0 if is_cut_off else missing)
    if is_cut_off:
        values = {name: value for name, value in values.items() if ".carried_out." not in name}
    weights = {name: rng.choice([1, 2, 4]) for name in values}
    location = locate_errors(system, values, weights)
    if location is None:
        assert not any(system.residuals(values).values())
        return
    assert location.equations == tuple(name for name, residual in system.residuals(values).items() if residual)
    assert location.ties == len(location.explanations)
    assert len({explanation.changes for explanation in location.explanations}) == location.ties
    for explanation in location.explanations:
        assert explanation.changes
        for change in explanation.changes:
            assert change.printed == values[change.field] != change.proposed
            assert change.proposed >= 0
            assert change.field in location.region
        mended = values | {change.field: change.proposed for change in explanation.changes}
        assert not any(system.residuals(mended).values())


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 4), missing=st.integers(0, 8))
def test_the_order_of_the_values_changes_nothing(seed: int, count: int, missing: int) -> None:
    values = spoil(random.Random(seed), balanced("2021", seed), count, missing)
    shuffled = list(values.items())
    random.Random(seed + 1).shuffle(shuffled)
    weights = {name: 1 + len(name) % 3 for name in values}
    expected = locate_errors(SYSTEMS["2021"], values, weights)
    assert locate_errors(SYSTEMS["2021"], dict(shuffled), dict(reversed(weights.items()))) == expected


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), missing=st.integers(0, 175))
def test_missing_cells_alone_are_no_error(seed: int, missing: int) -> None:
    values = spoil(random.Random(seed), balanced("2021", seed), 0, missing)
    assert locate_errors(SYSTEMS["2021"], values, {}) is None
