"""Intervals over documents: they cover what they should, and say nothing where nothing can be said."""

from __future__ import annotations

import numpy as np
import pytest

from extractor.evaluation.intervals import Floats, Interval, bound_documents, interval_shares


def interval(counts: object, sizes: object, *, resamples: int = 500, seed: int = 0) -> Interval | None:
    """The interval of one rate."""
    (found,) = interval_shares(np.array([counts]), np.array([sizes]), resamples=resamples, seed=seed)
    return found


def make_clusters(rng: np.random.Generator, documents: int, cells: int) -> Floats:
    """Events by document when a document's cells are right or wrong together; 0.3 of them on the whole."""
    return rng.binomial(cells, rng.beta(0.6, 1.4, size=documents)).astype(float)


def test_bootstrap_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    runs, documents, cells = 150, 80, 50
    found = [
        interval(make_clusters(rng, documents, cells), [cells] * documents, resamples=400, seed=run)
        for run in range(runs)
    ]
    covered = sum(bounds is not None and bounds[0] <= 0.3 <= bounds[1] for bounds in found)
    assert 0.90 <= covered / runs <= 0.985


def test_documents_are_the_unit_not_cells() -> None:
    """A hundred cells that stand and fall together are worth one."""
    alone = interval([0, 1] * 20, [1] * 40)
    together = interval([0, 100] * 20, [100] * 40)
    assert alone == together


@pytest.mark.parametrize(("documents", "most"), [(598, 0.00615), (300, 0.01222), (17, 0.19506)])
def test_zero_events_are_bounded_by_documents_exactly(documents: int, most: float) -> None:
    found = interval([0] * documents, [190] * documents)
    assert found == pytest.approx((0, most), abs=1e-5)
    assert found == bound_documents(0, documents)


def test_all_events_are_bounded_from_below() -> None:
    found = interval([190] * 17, [190] * 17)
    assert found == pytest.approx((1 - 0.19506, 1), abs=1e-5)


def test_documents_without_a_case_do_not_tighten_the_exact_bound() -> None:
    """Blank read as zero, say, in two documents with blanks of a hundred."""
    assert interval([0] * 100, [3, 3] + [0] * 98) == bound_documents(0, 2)


@pytest.mark.parametrize(
    ("counts", "sizes"),
    [([1], [3]), ([0], [3]), ([1, 0, 0], [3, 0, 0]), ([0, 0, 0], [3, 0, 0]), ([0, 0], [0, 0])],
)
def test_fewer_than_two_documents_say_nothing(counts: list[int], sizes: list[int]) -> None:
    assert interval(counts, sizes) is None


def test_no_resamples_no_intervals() -> None:
    assert interval([1, 2], [3, 3], resamples=0) is None


def test_draws_without_a_case_are_left_out() -> None:
    """Where two of fifty documents hold a case, every seventh draw has none at all."""
    found = interval([1, 0] + [0] * 48, [2, 1] + [0] * 48)
    assert found is not None
    assert 0 <= found[0] < found[1] <= 0.5


def test_rates_share_their_draws_and_the_seed_settles_them() -> None:
    rng = np.random.default_rng(1)
    counts = np.stack([make_clusters(rng, 30, 20), make_clusters(rng, 30, 20), np.zeros(30)])
    sizes = np.full((3, 30), 20.0)
    both = interval_shares(counts, sizes, resamples=300, seed=3)
    assert both == interval_shares(counts, sizes, resamples=300, seed=3)
    assert both != interval_shares(counts, sizes, resamples=300, seed=4)
    twice = interval_shares(counts[[0, 0]], sizes[[0, 0]], resamples=300, seed=3)
    assert twice[0] == twice[1]
