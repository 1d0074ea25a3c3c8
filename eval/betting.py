"""How often do tests of "the mean loss is at most alpha" certify? python -m eval.betting [--sets 500] [--quick].

Simulated losses of documents; nothing else is simulated, and nothing here is about reports. Validity: with a mean of
exactly alpha, or a little above, at most a share of delta of the sets may be certified. Power: with a smaller mean, the
more the better. Compared are the bet of `extractor calibrate` (extractor.evaluation.calibration.betting), two bets that
do not aim at the number of documents, the exact binomial test and the Hoeffding-Bentkus bound. Exits with 1 when the
first of them certifies more often than delta allows.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from math import e, log
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import binom, binomtest

from extractor.evaluation.calibration.betting import bet_on_mean, count_needed

ALPHA, DELTA = 0.005, 0.05
#: Shares of the largest admissible bet, and of the starting capital: most of it on the largest bet.
MIXTURE = {1.0: 0.8, 0.9: 0.05, 0.75: 0.05, 0.5: 0.05, 0.25: 0.05}

Losses = np.ndarray


class Scenario(NamedTuple):
    """Losses of documents: `size` with a chance that gives them this mean, else 0."""

    mean: float
    size: float
    documents: int

    def draw(self, rng: np.random.Generator) -> Losses:
        return self.size * (rng.random(self.documents) < self.mean / self.size)


def aimed(losses: Losses) -> bool:
    """The bet of `extractor calibrate`."""
    return bet_on_mean(losses.tolist(), ALPHA, DELTA).is_certified


def mixed(losses: Losses) -> bool:
    """The starting capital divided over bets that never change."""
    bets = np.array(list(MIXTURE)) / (1 - ALPHA)
    capital = np.cumprod(1 + bets[:, None] * (ALPHA - losses), axis=1)
    return bool((np.array(list(MIXTURE.values())) @ capital).max() >= 1 / DELTA)


def adaptive(losses: Losses) -> bool:
    """The bet that would have grown best on what was seen so far (aGRAPA of Waudby-Smith & Ramdas)."""
    seen = np.arange(1, len(losses) + 1)
    means = (0.5 * ALPHA + np.cumsum(losses)) / (1 + seen)
    spreads = (0.25 * ALPHA + np.cumsum((losses - means) ** 2)) / (1 + seen)
    gains = ALPHA - means
    bets = np.concatenate([[1.0], (gains / (spreads + gains**2))[:-1]]).clip(0, 0.9 / (1 - ALPHA))
    return bool(np.cumsum(np.log1p(bets * (ALPHA - losses))).max() >= log(1 / DELTA))


def exact_binomial(losses: Losses) -> bool | None:
    """Clopper and Pearson's test, for losses of 0 and 1 only."""
    if not np.isin(losses, (0, 1)).all():
        return None
    return bool(binomtest(int(losses.sum()), len(losses), ALPHA, alternative="less").pvalue <= DELTA)


def hoeffding_bentkus(losses: Losses) -> bool:
    """The bound of Bates, Angelopoulos, Lei, Malik & Jordan (2021)."""
    count, mean = len(losses), min(float(losses.mean()), ALPHA)
    divergence = (mean * log(mean / ALPHA) if mean else 0.0) + (1 - mean) * log((1 - mean) / (1 - ALPHA))
    bentkus = e * binom.cdf(np.ceil(losses.sum() - 1e-9), count, ALPHA)
    return bool(min(np.exp(-count * divergence), bentkus) <= DELTA)


METHODS: dict[str, Callable[[Losses], bool | None]] = {
    function.__name__: function for function in (aimed, mixed, adaptive, exact_binomial, hoeffding_bentkus)
}


def count_certified(scenario: Scenario, sets: int) -> dict[str, int | None]:
    """How many of so many simulated sets each method certifies; None where it does not apply."""
    rng = np.random.default_rng([int(part * 1e6) for part in scenario])
    drawn = [scenario.draw(rng) for _ in range(sets)]
    found = {name: [method(losses) for losses in drawn] for name, method in METHODS.items()}
    return {name: None if None in said else sum(map(bool, said)) for name, said in found.items()}


def find_least(method: Callable[[Losses], bool | None], losses: int) -> int:
    """The least number of documents that is certified with so many losses of 1, all of them at the beginning."""
    low, high = losses, 8 * count_needed(ALPHA, DELTA, losses)
    while high - low > 1:
        middle = (low + high) // 2
        data = np.zeros(middle)
        data[:losses] = 1
        low, high = (low, middle) if method(data) else (middle, high)
    return high


def plan_scenarios(is_quick: bool) -> Iterator[Scenario]:
    """Means from none to a little above alpha; losses of 1, of a fifth, and of a twentieth."""
    counts = (600,) if is_quick else (600, 1000, 2000)
    shares = (0.1, 1.0) if is_quick else (0.1, 0.2, 0.5, 1.0, 1.1)
    for size in (1.0, 0.2, 0.05):
        for count in counts:
            for share in shares:
                yield Scenario(share * ALPHA, size, count)


def main() -> int:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=500)
    parser.add_argument("--quick", action="store_true", help="a few scenarios with 300 sets")
    arguments = parser.parse_args()
    sets = 300 if arguments.quick else arguments.sets
    console = Console(width=120)
    needed = Table("losses of 1", *METHODS, box=None, title=f"documents needed, alpha {ALPHA}, delta {DELTA}")
    for losses in range(4):
        needed.add_row(str(losses), *(str(find_least(method, losses)) for method in METHODS.values()))
    console.print(needed)
    title = f"certified of {sets} simulated sets"
    table = Table("mean / alpha", "size of a loss", "documents", *METHODS, box=None, title=title)
    # Chance alone may lift a share of delta to this, once in a thousand scenarios.
    most = int(binom.ppf(0.999, sets, DELTA))
    is_valid = True
    for scenario in track(list(plan_scenarios(arguments.quick)), console=Console(stderr=True)):
        counts = count_certified(scenario, sets)
        is_valid &= scenario.mean < ALPHA or (counts["aimed"] or 0) <= most
        shown = ("-" if count is None else str(count) for count in counts.values())
        table.add_row(f"{scenario.mean / ALPHA:g}", f"{scenario.size:g}", str(scenario.documents), *shown)
    console.print(table)
    console.print(f"at a mean of alpha and above, at most {DELTA:.0%} may be certified (by chance up to {most})")
    return 0 if is_valid else 1


if __name__ == "__main__":
    raise SystemExit(main())
