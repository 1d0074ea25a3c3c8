"""The bet against "the mean loss is above alpha": it is never certified too often, and loses nothing to exact tests."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from extractor.evaluation.calibration.betting import aim_bet, bet_on_mean, bound_mean, count_needed

ALPHA, DELTA = 0.05, 0.1
#: By chance alone 300 sets at a rate of 0.1 hold more certified ones than this once in a thousand times.
SETS = 300
MOST = int(binom.ppf(0.999, SETS, DELTA))


def count_certified(mean: float, size: float, documents: int) -> int:
    rng = random.Random(f"{mean}/{size}/{documents}")
    drawn = ([size * (rng.random() < mean / size) for _ in range(documents)] for _ in range(SETS))
    return sum(bet_on_mean(losses, ALPHA, DELTA).is_certified for losses in drawn)


@pytest.mark.parametrize("size", [1.0, 0.5, 0.1])
@pytest.mark.parametrize("documents", [45, 60, 120])
@pytest.mark.parametrize("share", [1.0, 1.1])
def test_at_alpha_and_above_hardly_anything_is_certified(size: float, documents: int, share: float) -> None:
    assert count_certified(share * ALPHA, size, documents) <= MOST


@pytest.mark.parametrize("size", [1.0, 0.5, 0.1])
def test_far_below_alpha_most_is_certified(size: float) -> None:
    assert count_certified(0.1 * ALPHA, size, 200) > 0.9 * SETS


def test_losses_that_depend_on_those_before_are_not_certified_too_often() -> None:
    """Nothing is asked of losses but that each is alpha on average, whatever came before."""
    certified = 0
    for seed in range(SETS):
        rng, losses = random.Random(seed), [0.0]
        while len(losses) < 80:
            size = 1.0 if losses[-1] else 0.2
            losses.append(size * (rng.random() < ALPHA / size))
        certified += bet_on_mean(losses[1:], ALPHA, DELTA).is_certified
    assert certified <= MOST


@pytest.mark.parametrize("loss", [1.0, 0.05])
def test_a_mean_of_alpha_itself_is_never_certified_where_it_does_not_vary(loss: float) -> None:
    assert not bet_on_mean([loss] * 500, ALPHA, DELTA).is_certified


def test_without_a_loss_598_documents_certify_half_a_percent_at_95_percent() -> None:
    assert bet_on_mean([0.0] * 598, 0.005, 0.05).is_certified
    assert not bet_on_mean([0.0] * 597, 0.005, 0.05).is_certified
    assert [count_needed(0.005, 0.05, losses) for losses in range(4)] == [598, 947, 1258, 1549]


@given(st.floats(0.001, 0.5), st.floats(0.001, 0.5), st.integers(0, 20))
def test_so_many_documents_are_needed_and_one_less_is_not_enough(alpha: float, delta: float, losses: int) -> None:
    needed = count_needed(alpha, delta, losses)
    rounding = 1e-9
    assert binom.cdf(losses, needed, alpha) <= delta * (1 + rounding)
    assert binom.cdf(losses, needed - 1, alpha) > delta * (1 - rounding)


@given(st.integers(1, 150), st.integers(0, 6), st.randoms(use_true_random=False))
def test_what_the_exact_binomial_test_certifies_is_certified_in_any_order(
    documents: int, lossy: int, rng: random.Random
) -> None:
    losses = [1.0] * min(lossy, documents) + [0.0] * max(0, documents - lossy)
    rng.shuffle(losses)
    exact = binomtest(int(sum(losses)), documents, ALPHA, alternative="less").pvalue <= DELTA
    assert bet_on_mean(losses, ALPHA, DELTA).is_certified >= exact


@given(st.floats(0.01, 25), st.integers(1, 2000), st.floats(0.001, 0.5), st.floats(0.001, 0.5))
def test_a_bet_never_loses_more_than_there_is(capital: float, remaining: int, alpha: float, delta: float) -> None:
    bet = aim_bet(min(capital, 1 / delta), remaining, alpha, delta)
    assert 0 <= bet <= 1 / (1 - alpha)


@given(st.lists(st.floats(0, 1), max_size=60), st.integers(0, 59), st.floats(0, 1))
def test_the_capital_is_never_below_nothing_and_a_larger_loss_at_the_end_never_helps(
    losses: list[float], place: int, larger: float
) -> None:
    before = bet_on_mean(losses, ALPHA, DELTA)
    assert before.capital >= 0
    if losses:
        worse = [*losses[:-1], max(losses[-1], larger)]
        assert bet_on_mean(worse, ALPHA, DELTA).capital <= before.capital


def test_the_bound_is_the_least_alpha_that_is_certified() -> None:
    bound = bound_mean(2, 100, DELTA)
    losses = [0.0, 1.0] * 2 + [0.0] * 96
    assert bet_on_mean(losses, bound * 1.001, DELTA).is_certified
    assert binom.cdf(2, 100, bound) == pytest.approx(DELTA)
    assert bound_mean(0, 8, 0.05) == pytest.approx(0.3123, abs=1e-4)
    assert bound_mean(3, 3, 0.05) == bound_mean(0, 0, 0.05) == 1


def test_no_document_certifies_nothing() -> None:
    test = bet_on_mean([], 0.5, 0.5)
    assert (test.capital, test.goal, test.is_certified) == (1, 2, False)


@pytest.mark.parametrize(
    ("losses", "alpha", "delta"), [([1.1], 0.1, 0.1), ([-0.1], 0.1, 0.1), ([0], 0, 0.1), ([0], 0.1, 1)]
)
def test_what_is_out_of_range_is_refused(losses: list[float], alpha: float, delta: float) -> None:
    with pytest.raises(ValueError, match="not"):
        bet_on_mean(losses, alpha, delta)


def test_a_negative_sum_of_losses_needs_no_documents() -> None:
    with pytest.raises(ValueError, match="below 0"):
        count_needed(0.1, 0.1, -1)
