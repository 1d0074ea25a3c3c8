"""Cohen's kappa: how far two people agree beyond chance.

Lives here: the coefficient. Does not live here: what is compared (extractor.evaluation.agreement: two labels; the
store's double looks: two words on a field).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def measure_kappa(pairs: Iterable[tuple[T, T]]) -> float | None:
    """Cohen's kappa (Cohen 1960, A coefficient of agreement for nominal scales).

    Args:
        pairs: what the first and the second said of one thing; each different saying is a category.

    Returns:
        1 for full agreement, 0 for that of chance; None where chance alone would agree everywhere, or nothing is given.
    """
    said = list(pairs)
    total = len(said)
    first, second = Counter(one for one, _ in said), Counter(other for _, other in said)
    by_chance = sum(first[name] * second[name] for name in first)  # of total squared
    if by_chance == total * total:
        return None
    alike = sum(one == other for one, other in said)
    return (alike * total - by_chance) / (total * total - by_chance)
