"""The chance that a value is wrong: logistic regression over the features, in plain Python.

Lives here: the numbers of a fitted scorer and what they say of one field. Does not live here: fitting
(extractor.evaluation.calibration, which needs scikit-learn; this does not), the features themselves (features).
Called by govern.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from operator import mul
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Finite = Annotated[float, Field(allow_inf_nan=False)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
#: Documents by kind (`real`, `re-set`, `generated`, `corrupted`).
Counts = dict[str, Annotated[int, Field(ge=0)]]


class Scorer(BaseModel):
    """A fitted logistic regression over standardised features.

    Attributes:
        features: names in the order of `weights`.
        means, scales: a feature is reduced by its mean and divided by its scale, which is never 0.
        weights, intercept: of the logarithm of the odds that the value is wrong.
        documents: what it was fitted on, by kind.
        training_hash: sha256, hexadecimal, of what it was fitted on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: tuple[str, ...]
    means: tuple[Finite, ...]
    scales: tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...]
    weights: tuple[Finite, ...]
    intercept: Finite
    documents: Counts
    training_hash: Digest

    @model_validator(mode="after")
    def _check_lengths(self) -> Scorer:
        for name in ("means", "scales", "weights"):
            count = len(getattr(self, name))
            if count != len(self.features):
                raise ValueError(f"{count} {name} for {len(self.features)} features")
        return self

    def p_wrong(self, values: Sequence[float]) -> float:
        """The chance, 0 to 1, that a value with these features is not what is printed.

        Raises:
            ValueError: not as many values as features.
        """
        offset, slopes = self._line
        if len(values) != len(slopes):
            raise ValueError(f"{len(values)} values for {len(slopes)} features")
        return _logistic(offset + sum(map(mul, slopes, values)))

    @cached_property
    def _line(self) -> tuple[float, tuple[float, ...]]:
        """Means and scales worked into the weights, once for all fields."""
        slopes = tuple(weight / scale for weight, scale in zip(self.weights, self.scales, strict=True))
        return self.intercept - math.fsum(map(mul, slopes, self.means)), slopes


def _logistic(logit: float) -> float:
    """1 / (1 + e^-logit), without overflow at either end."""
    if logit >= 0:
        return 1 / (1 + math.exp(-logit))
    odds = math.exp(logit)
    return odds / (1 + odds)
