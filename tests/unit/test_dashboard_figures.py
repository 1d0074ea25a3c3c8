"""The figures of the dashboard: exact intervals, round scales, and what was done and found in a store."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest

from extractor.review.answers import Answer
from extractor.review.desk import Desk
from extractor.review.figures import Rate, bound_share, draw_up_figures
from extractor.settings import Settings
from extractor.store.store import Store
from extractor.web.pages.pictures import Part, choose_ticks, draw_bar
from tests.e2e.documents import file_document, write_page


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [
        (0, 598, 0.0, 0.0061497),
        (2, 150, 0.0016188, 0.0473330),
        (150, 150, 0.9757074, 1.0),
        (5, 10, 0.1870860, 0.8129140),
    ],
)
def test_interval_is_that_of_clopper_and_pearson(count: int, n: int, low: float, high: float) -> None:
    assert bound_share(count, n) == (pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6))


@pytest.mark.parametrize("most", [0, 1, 4, 5, 6, 9, 26, 51, 99, 101, 999, 12_345, 98_765_432])
def test_a_scale_holds_the_largest_value_in_few_round_steps(most: int) -> None:
    ticks = choose_ticks(most)
    assert ticks[0] == 0
    assert ticks[-1] >= most
    assert len(ticks) <= 7
    assert len({later - earlier for earlier, later in itertools.pairwise(ticks)}) == 1


def test_a_bar_is_as_long_as_its_share() -> None:
    drawn = draw_bar([Part("a", 1), Part("b<", 3)], 4)
    assert 'class="a" x="0.00" y="0" width="25.00"' in drawn
    assert 'class="b&lt;" x="25.00" y="0" width="75.00"' in drawn


def test_what_was_decided_is_counted_until_it_is_taken_back(tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "store.sqlite")) as store:
        filed = file_document(store, tmp_path, "a.html", write_page("某县教育局"))
        desk = Desk(store, Settings())
        task = desk.claim(filed.items[0].id, "wang")
        decided = desk.decide(
            task.item.id, task.item.version, "wang", [Answer(task.item.fields[0], "corrected", text="9")]
        )
        with store.read() as books:
            figures = draw_up_figures(books, datetime.now(UTC), 7)
        assert [(one.name, one.looks, one.fields) for one in figures.people] == [("wang", 1, 1)]
        assert [looks for _, looks in figures.days] == [0, 0, 0, 0, 0, 0, 1]
        assert {reason.code: (reason.changed, reason.n) for reason in figures.reasons} == {
            "equation-failed": (1, 1),
            "value-suspected": (1, 1),
        }
        assert figures.looks_per_document == 1
        assert (figures.audit, figures.agreement, figures.spent) == (None, (), ())
        desk.undo(decided.review_id, "wang", "reviewer")
        with store.read() as books:
            figures = draw_up_figures(books, datetime.now(UTC), 7)
        assert figures.reasons == ()
        assert dict(figures.by_reason)["equation-failed"] >= 1


def test_a_share_of_nothing_is_nothing() -> None:
    assert Rate(0, 0).share is None
    assert Rate(1, 4).share == 0.25
