"""How far a rate may be off: 95 % intervals with the document as the unit.

Lives here: the bootstrap over whole documents, and the exact interval where it says nothing. Does not live here: what
is counted (metrics, ranking). Called by both of them. Needs numpy and scipy (extra `evaluation`).

The cells of a document are right or wrong together, so that documents are drawn, never cells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import NDArray
from scipy.stats import DegenerateDataWarning, binomtest, bootstrap

LEVEL = 0.95
#: Numbers held at a time while documents are drawn: some 30 MB.
_BLOCK = 4_000_000

Floats = NDArray[np.float64]
Numbers = NDArray[np.number]
Interval = tuple[float, float]


def interval_shares(counts: Numbers, sizes: Numbers, *, resamples: int, seed: int) -> list[Interval | None]:
    """A 95 % interval for each of several rates over the same documents.

    The percentile bootstrap of the ratio of sums (Efron 1979; a cluster bootstrap, as whole documents are drawn): the
    same draws serve all rates, and draws without a single case of a rate are left out of that rate's interval.

    Where nothing or everything is an event, each draw gives the same rate. Then the interval is that of Clopper and
    Pearson (1934), and it is about DOCUMENTS, those with at least one case: the share of them that hold any event
    (where there is none), or one less the share of them that hold any exception (where there is no other). As long as
    these documents are of about one size, the rate itself lies in it too.

    With very few documents that hold events the percentile interval is too narrow: one in a hundred gives an upper
    bound near 3 %, where the exact one for documents is 5.4 %.

    Args:
        counts: events; shape (rates, documents).
        sizes: cases, of which the events are a part; the same shape.
        resamples: draws of as many documents as there are; 0 for no intervals.
        seed: of the draws. The order of the documents does not matter.

    Returns:
        For each rate the bounds, as shares; None where fewer than two documents hold a case.
    """
    if resamples == 0 or counts.shape[-1] < 2:
        return [None] * len(counts)
    order = np.lexsort(np.concatenate([counts, sizes]))  # so that names and order of the documents play no part
    counts, sizes = counts[:, order], sizes[:, order]
    holders = (sizes > 0).sum(axis=1)
    events, cases = counts.sum(axis=1), sizes.sum(axis=1)
    is_drawn = (events > 0) & (events < cases) & (holders > 1)
    drawn = iter(_draw_shares(counts[is_drawn], sizes[is_drawn], resamples, seed) if is_drawn.any() else ())
    return [
        next(drawn) if is_mixed else _bound_extreme(number == 0, int(documents))
        for is_mixed, number, documents in zip(is_drawn, events, holders, strict=True)
    ]


def draw_documents(
    samples: tuple[Numbers, ...], statistic: Callable[..., Floats], *, resamples: int, seed: int, width: int
) -> list[Interval | None]:
    """Percentile intervals of statistics over documents that are drawn anew with replacement.

    Args:
        samples: arrays whose last axis is the documents; each is drawn alike.
        statistic: of such arrays, drawn, and `axis`; shape (statistics, draws), nan where a draw has none.
        resamples, seed: number of draws, and what they start from.
        width: numbers that the statistic holds for one draw, so that memory stays bounded.

    Returns:
        For each statistic its bounds; None where hardly a draw has any.
    """
    with catch_warnings():
        simplefilter("ignore", DegenerateDataWarning)  # of draws without a case, which are left out below
        result = bootstrap(
            samples,
            statistic,
            n_resamples=resamples,
            batch=max(1, _BLOCK // width),
            vectorized=True,
            paired=True,
            axis=-1,
            method="percentile",
            rng=np.random.default_rng(seed),
        )
    return [_cut_tails(values) for values in np.atleast_2d(result.bootstrap_distribution)]


def bound_documents(events: int, documents: int) -> Interval:
    """The exact 95 % interval (Clopper and Pearson 1934) of a share of documents."""
    low, high = binomtest(events, documents).proportion_ci(confidence_level=LEVEL, method="exact")
    return float(low), float(high)


def _bound_extreme(is_none: bool, documents: int) -> Interval | None:
    """The interval where no case is an event, or each one is."""
    if documents < 2:
        return None
    low, high = bound_documents(0, documents)
    return (low, high) if is_none else (1 - high, 1 - low)


def _draw_shares(counts: Numbers, sizes: Numbers, resamples: int, seed: int) -> list[Interval | None]:
    return draw_documents((counts, sizes), _divide_sums, resamples=resamples, seed=seed, width=2 * counts.size)


def _divide_sums(counts: Numbers, sizes: Numbers, axis: int) -> Floats:
    with np.errstate(invalid="ignore"):  # a draw may hold no case of a rare kind
        return cast(Floats, counts.sum(axis=axis) / sizes.sum(axis=axis))


def _cut_tails(values: Floats) -> Interval | None:
    values = values[~np.isnan(values)]
    if values.size < 2:
        return None
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
