"""Slips of whole rows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from extractor.reconcile.localise import Explanation, locate_errors
from extractor.reconcile.localise.blocks import explain_by_moved_rows
from extractor.reconcile.localise.problem import pose_problem
from extractor.reconcile.system import System

Build = Callable[..., dict[str, int]]
Z = (0,) * 7


def mend(values: dict[str, int], explanation: Explanation) -> dict[str, int]:
    return values | {change.field: int(change.proposed) for change in explanation.changes}


def explain(system: System, values: dict[str, int]) -> list[Explanation]:
    problem = pose_problem(system, values, {})
    assert problem
    return list(explain_by_moved_rows(problem))


def test_exchanged_rows_are_exchanged_back(system: System, table: Build) -> None:
    values = table(carried_out=(128, 20, 0, 0, 0, 0, 148), results_total=(12, 0, 0, 0, 0, 0, 12))
    location = locate_errors(system, values, {})
    assert location
    assert location.outcome == "located"
    assert location.explanations[0].method == "rows-exchanged"
    assert mend(values, location.explanations[0]) == table()


def test_a_line_printed_twice_over_the_totals_is_taken_out(system: System, table: Build) -> None:
    """The last result stands twice, so that the total of the results is printed as what is carried out."""
    last = (7, 0, 0, 0, 0, 0, 7)
    whole = table(other_result__other=last, granted=(83, 11, 0, 0, 0, 0, 94))
    values = table(
        other_result__other=last,
        granted=(83, 11, 0, 0, 0, 0, 94),
        results_total=last,
        carried_out=(128, 20, 0, 0, 0, 0, 148),
    )
    location = locate_errors(system, values, {})
    assert location
    assert location.outcome == "located"
    assert location.explanations[0].method == "block-offset"
    assert mend(values, location.explanations[0]) == whole


def test_a_lost_line_of_zeros_before_the_totals_is_put_back(system: System, table: Build) -> None:
    """Totals one line too high: results' total on the last result's line, zeros at the end."""
    values = table(other_result__other=(128, 20, 0, 0, 0, 0, 148), results_total=(12, 0, 0, 0, 0, 0, 12), carried_out=Z)
    found = explain(system, values)
    assert table() in [mend(values, one) for one in found]


def test_rows_are_left_alone_where_a_row_does_not_add_up(system: System, table: Build) -> None:
    assert explain(system, table(granted=(90, 12, 0, 0, 0, 0, 101))) == []


@pytest.mark.parametrize("columns", [("natural_person", "total"), ("business", "total")])
def test_a_made_up_row_needs_more_equations_than_it_has_numbers(
    system: System, table: Build, columns: tuple[str, str]
) -> None:
    """Five lost in one column: any row of zeros could hold just them, which says nothing about any of these rows."""
    values = table()
    for column in columns:
        values[f"applications.granted.{column}"] -= 5
    assert explain(system, values) == []
