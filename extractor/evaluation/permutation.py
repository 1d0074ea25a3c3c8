"""Whether paired differences between two versions are more than chance.

Lives here: the sign-flip test and the correction for asking several questions. Does not live here: what is asked
(questions). Called by questions. Needs numpy and scipy (extra `evaluation`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import permutation_test

_BLOCK = 2_000_000  # numbers held at a time


def flip_signs(differences: Sequence[int], *, permutations: int, seed: int) -> float:
    """Two-sided p of a sum of differences, one a document, when each could as well have the other sign.

    A permutation test over whole documents (Fisher 1935): if it made no difference which version is which, the sign of
    each document's difference would be a toss. Documents that do not differ have no sign and are left out. Exact where
    the signs have no more than `permutations` arrangements, else drawn at random.

    Args:
        differences: by document; their order plays no part.
        permutations: most arrangements that are tried.
        seed: of the random ones.
    """
    values = np.array(sorted(value for value in differences if value), dtype=np.int64)
    if len(values) < 2:  # either sign of a single one is as likely as the other
        return 1.0
    result = permutation_test(
        (values,),
        np.sum,
        permutation_type="samples",
        vectorized=True,
        n_resamples=permutations,
        batch=max(1, _BLOCK // len(values)),
        rng=np.random.default_rng(seed),
    )
    return float(result.pvalue)


def reach_p(differing: int, permutations: int) -> float:
    """The smallest p that so many differing documents can have: all of one sign, and both tails."""
    return min(1.0, 2 / min(1 << differing, permutations + 1))


def adjust_holm(p_values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The p of several questions, each made so large that a level holds for all of them together (Holm 1979).

    Args:
        p_values: of the questions alone.
        weights: how much of the level each may use, against the others.
    """
    adjusted = [0.0] * len(p_values)
    order = sorted(range(len(p_values)), key=lambda index: p_values[index] / weights[index])
    highest, left = 0.0, sum(weights)
    for index in order:
        highest = max(highest, min(1.0, p_values[index] * left / weights[index]))
        adjusted[index] = highest
        left -= weights[index]
    return adjusted
