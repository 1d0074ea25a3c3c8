"""The choice among explanations."""

from __future__ import annotations

from extractor.reconcile.localise import MOST_TIES, Change, Explanation
from extractor.reconcile.localise.explanations import choose_cheapest


def explain(method: str, field: str, cost: int) -> Explanation:
    return Explanation(method, (Change(field, 1, 2),), cost)


def test_the_same_table_found_twice_is_one_explanation_of_the_first_name() -> None:
    assert choose_cheapest([explain("first", "a", 2), explain("second", "a", 2)]) == (explain("first", "a", 2),)


def test_the_cheaper_hypothesis_of_the_same_table_counts() -> None:
    found = [explain("dear", "a", 4), explain("cheap", "a", 2), explain("other", "b", 3)]
    assert choose_cheapest(found) == (explain("cheap", "a", 2),)


def test_no_more_than_the_most_ties_are_kept() -> None:
    assert choose_cheapest([explain("one", f"{place}", 2) for place in range(9)]) == tuple(
        explain("one", f"{place}", 2) for place in range(MOST_TIES)
    )
    assert choose_cheapest([]) == ()
