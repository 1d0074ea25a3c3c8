"""Is the mean of bounded losses at most alpha? A bet against it, and how many documents such a statement needs.

Lives here: the test of one mean, and nothing about documents, thresholds or scores (those: certify). Needs scipy.

The test (Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting", 2024). A player starts with
a capital of 1 and bets, before each loss L in [0, 1] is looked at, the amount b on L being small:

    capital *= 1 + b * (alpha - L)

If the mean of L is above alpha, whatever came before, each factor is at most 1 on average, so the game is at best
fair. By Ville's inequality the chance that the capital ever reaches 1 / delta is then at most delta. Seeing it there is
the evidence that the mean is at most alpha.

The range of the bet. The capital must not become negative, because Ville's inequality is about what is not negative.
The factor falls in L; it is smallest at L = 1, namely 1 - b * (1 - alpha). That is not below 0 just where
b <= 1 / (1 - alpha). A bet below 0 would be on large losses, which is not what is asked. So 0 <= b <= 1 / (1 - alpha).
At the upper end a loss of 0 multiplies the capital by 1 + alpha / (1 - alpha) = 1 / (1 - alpha), and a loss of 1 ends
the game. n losses of 0 give (1 - alpha) ** -n: ln(1 / delta) / -ln(1 - alpha) of them are needed, and no bet needs
fewer.

The bet. How many documents there are is known before a loss is seen, so the player can aim. With r losses still to
come he asks: how many of them, at most, may be 1 so that playing on brings 1 / delta? That is the largest k with

    P(Bin(r, alpha) <= k) <= delta * capital

(a game that pays 1 / delta in these cases and nothing else costs just that much). Its bet is how much the price of the
game differs between a next loss of 0 and of 1:

    b = (P(Bin(r-1, alpha) <= k) - P(Bin(r-1, alpha) <= k-1)) / P(Bin(r, alpha) <= k)

By P(r, k) = (1 - alpha) P(r-1, k) + alpha P(r-1, k-1) the factors are P(r-1, k) / P(r, k) for a loss of 0 and
P(r-1, k-1) / P(r, k) for a loss of 1; neither is negative, so b is in range. For losses of 0 and 1 the capital reaches
1 / delta wherever the exact binomial test (Clopper & Pearson, 1934) certifies, in whatever order they come: aiming
costs nothing. (It may get there a document or two earlier, from the remainder that a test by whole numbers leaves.)
For fractions it is still a fair game, played with what is left after each loss. How it compares with bets that do not
aim: python -m eval.betting, and docs/calibration.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log, log1p
from typing import NamedTuple

from scipy.special import bdtr, bdtri, bdtrik


class MeanTest(NamedTuple):
    """How the game ended.

    Attributes:
        capital: at the end; 1 at the start. Where the goal was reached, the play stopped there.
        goal: 1 / delta.
    """

    capital: float
    goal: float

    @property
    def is_certified(self) -> bool:
        """Whether the mean is at most alpha, but for a chance of delta."""
        return self.capital >= self.goal


def bet_on_mean(losses: Sequence[float], alpha: float, delta: float) -> MeanTest:
    """Play against "the mean is above alpha".

    Args:
        losses: each in [0, 1], in an order that was fixed before any of them was known.
        alpha, delta: each in (0, 1).

    Raises:
        ValueError: one of these is out of its range.
    """
    _check_shares(alpha=alpha, delta=delta)
    if any(not 0 <= loss <= 1 for loss in losses):
        raise ValueError("a loss is not in [0, 1]")
    capital, goal = 1.0, 1 / delta
    for played, loss in enumerate(losses):
        if capital >= goal or capital == 0:
            break
        capital *= 1 + aim_bet(capital, len(losses) - played, alpha, delta) * (alpha - loss)
    return MeanTest(capital, goal)


def aim_bet(capital: float, remaining: int, alpha: float, delta: float) -> float:
    """The bet on the next of `remaining` losses. See the top of this file.

    Where not even losses of 0 alone would reach the goal, it is the largest one there is.
    """
    largest = 1 / (1 - alpha)
    most = _most_losses(remaining, alpha, delta * capital)
    if most < 1:  # with none to spare the price of a loss of 1 is everything
        return largest
    if most >= remaining:
        return 0.0
    dearer, cheaper = bdtr(most, remaining - 1, alpha), bdtr(most - 1, remaining - 1, alpha)
    return min(float((dearer - cheaper) / bdtr(most, remaining, alpha)), largest)


def count_needed(alpha: float, delta: float, losses: float = 0) -> int:
    """How many documents certify alpha when their losses sum up to this; exact for losses of 0 and 1.

    Raises:
        ValueError: alpha or delta is not in (0, 1), or the losses are below 0.
    """
    _check_shares(alpha=alpha, delta=delta)
    if losses < 0:
        raise ValueError("losses are below 0")
    whole = ceil(losses)
    enough = ceil(log(delta) / log1p(-alpha)) + whole
    while bdtr(whole, enough, alpha) > delta:
        enough *= 2
    too_few = whole
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        if bdtr(whole, middle, alpha) > delta:
            too_few = middle
        else:
            enough = middle
    return enough


def bound_mean(losses: float, documents: int, delta: float) -> float:
    """The least alpha that would have been certified, of losses of 0 and 1 (Clopper & Pearson); 1 where none would.

    A fraction that is left of the losses counts as one more.
    """
    whole = ceil(losses)
    return 1.0 if whole >= documents else float(bdtri(whole, documents, delta))


def _most_losses(remaining: int, alpha: float, price: float) -> int:
    """The largest k with P(Bin(remaining, alpha) <= k) <= price; -1 where there is none."""
    if price >= 1:
        return remaining
    most = int(bdtrik(price, remaining, alpha))  # the inverse is continuous, and good to rounding only
    while most >= 0 and bdtr(most, remaining, alpha) > price:
        most -= 1
    while bdtr(most + 1, remaining, alpha) <= price:
        most += 1
    return most


def _check_shares(**shares: float) -> None:
    for name, share in shares.items():
        if not 0 < share < 1:
            raise ValueError(f"{name} is {share}, not between 0 and 1")
