"""Slips within one row."""

from __future__ import annotations

from collections.abc import Callable

from extractor.reconcile.localise import DEFAULT_WEIGHT, Explanation, Location, locate_errors
from extractor.reconcile.system import System

Build = Callable[..., dict[str, int]]
ZEROS = (0, 0, 0, 0)


def located(location: Location | None) -> Explanation:
    """The one explanation."""
    assert location
    assert location.outcome == "located"
    return location.explanations[0]


def mend(values: dict[str, int], explanation: Explanation) -> dict[str, int]:
    return values | {change.field: int(change.proposed) for change in explanation.changes}


def test_a_row_pushed_to_the_left_gets_its_total_back(system: System, table: Build) -> None:
    values = table(granted=(90, 11, 101, 0, 0, 0, 0))
    explanation = located(locate_errors(system, values, {}))
    assert explanation.method == "row-replaced"
    assert [(change.printed, change.proposed) for change in explanation.changes] == [(101, 0), (0, 101)]
    assert mend(values, explanation) == table()


def test_swapped_neighbours_are_swapped_back(system: System, table: Build) -> None:
    values = table(granted=(11, 90, *ZEROS, 101))
    explanation = located(locate_errors(system, values, {}))
    assert (explanation.method, explanation.cost) == ("neighbours-swapped", DEFAULT_WEIGHT)
    assert mend(values, explanation) == table()


def test_a_slip_costs_its_heaviest_cell(system: System, table: Build) -> None:
    values = table(granted=(11, 90, *ZEROS, 101))
    weights = {"applications.granted.natural_person": 4, "applications.granted.business": 1}
    assert located(locate_errors(system, values, weights)).cost == 4


def test_a_small_amount_that_many_rows_could_give_is_a_tie(system: System, table: Build) -> None:
    """Nine too many natural persons and nine businesses too few: the row is 9 and 0, but two others would do."""
    location = locate_errors(system, table(unable__not_held=(9, 0, *ZEROS, 9)), {})
    assert location
    assert location.outcome == "tied"
    assert [(one.method, len(one.changes), one.cost) for one in location.explanations] == [
        ("row-replaced", 2, 2 * DEFAULT_WEIGHT),
        ("two-cells", 2, 2 * DEFAULT_WEIGHT),
        ("two-cells", 2, 2 * DEFAULT_WEIGHT),
    ]
    assert {change.field.split(".")[-2] for one in location.explanations for change in one.changes} == {
        "granted",
        "internal_affairs",
        "not_held",
    }


def test_a_small_amount_is_located_where_one_row_of_twenty_could_give_it(system: System, table: Build) -> None:
    whole = {"granted": (128, 11, *ZEROS, 139), "refused__internal_affairs": (0, 0, *ZEROS, 0)}
    values = table(unable__not_held=(9, 0, *ZEROS, 9), **whole)
    explanation = located(locate_errors(system, values, {}))
    assert explanation.method == "row-replaced"
    assert mend(values, explanation) == table(**whole)


def test_a_row_shifted_to_the_right_gets_its_lost_total_from_its_sum(system: System, table: Build) -> None:
    values = table(granted=(0, 90, 11, 0, 0, 0, 0))
    explanation = located(locate_errors(system, values, {}))
    assert (explanation.method, explanation.cost) == ("row-shifted", 2 * DEFAULT_WEIGHT)
    assert mend(values, explanation) == table()


def test_a_row_shifted_to_the_left_gets_its_lost_first_cell_from_its_sum(system: System, table: Build) -> None:
    values = table(granted=(11, 0, 0, 0, 0, 101, 0))
    explanation = located(locate_errors(system, values, {}))
    assert explanation.method == "row-shifted"
    assert mend(values, explanation) == table()


def test_beside_missing_cells_nothing_is_located(system: System, table: Build) -> None:
    """The columns of scientific bodies are blank: an error there would not show, whatever fits elsewhere."""
    values = {name: value for name, value in table(granted=(11, 90, *ZEROS, 101)).items() if ".research" not in name}
    location = locate_errors(system, values, {})
    assert location
    assert (location.outcome, location.explanations) == ("few-equations", ())
