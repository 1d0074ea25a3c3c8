"""Fitting a scorer: logistic regression over the features of fields that are known to be right or wrong.

Lives here: the regression and the choice of its strength. Does not live here: using the scorer (extractor.confidence),
what it is worth (extractor.evaluation.ranking), thresholds (certify). Needs numpy and scikit-learn.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from extractor.confidence.features import FEATURES
from extractor.confidence.scorer import Scorer
from extractor.evaluation.calibration.dataset import Sample, count_by

#: Wrong fields, and sources of documents that hold any, below which no regression is fitted.
FEWEST_WRONG = 10
FEWEST_SOURCES = 10
#: Inverse strengths of the L2 penalty, from strong to weak, of which cross-validation chooses.
STRENGTHS = (0.00001, 0.0001, 0.001, 0.01, 0.1, 1.0)
_FOLDS = 5
# Numbers are kept to so many digits, so that another machine's way of summing gives the same file.
_DIGITS = 9

Floats = NDArray[np.float64]


class _Rows(NamedTuple):
    """Fields alike in one document are one row; `counts` says how many they are."""

    features: Floats
    is_wrong: NDArray[np.bool_]
    counts: Floats
    sources: NDArray[np.str_]

    def take(self, part: NDArray[np.int64]) -> _Rows:
        return _Rows(self.features[part], self.is_wrong[part], self.counts[part], self.sources[part])


class Fit(NamedTuple):
    """A fitted scorer.

    Attributes:
        strength: the chosen C of the regression; None where nothing could be fitted and p_wrong is one number.
        fields, wrong, sources_wrong: what it rests on; the last is sources of documents that hold any wrong field.
    """

    scorer: Scorer
    strength: float | None
    fields: int
    wrong: int
    sources_wrong: int


def fit_scorer(samples: Sequence[Sample], strengths: Sequence[float] = STRENGTHS) -> Fit:
    """Fit the chance that a value is wrong.

    L2-penalised logistic regression over standardised features. The strength of the penalty is the one with the least
    log loss on left-out documents; documents of one source are left out together, and a tie goes to the stronger
    penalty. Wrong fields are rare, and are not given more weight than others: that would make every chance too high.
    The same documents give the same scorer, in whatever order they come.

    With too few wrong fields there is nothing to learn from: the chance is then the same for every field.

    Args:
        samples: labelled documents, in any order.
        strengths: inverse strengths to choose from, from strong to weak.
    """
    # The matrices are small: threads would wait for each other, and sum in another order on another machine.
    with threadpool_limits(limits=1):
        return _fit_samples(samples, strengths)


def _fit_samples(samples: Sequence[Sample], strengths: Sequence[float]) -> Fit:
    rows = _stack_rows(samples)
    fields, wrong = int(rows.counts.sum()), int(rows.counts[rows.is_wrong].sum())
    sources_wrong = len(set(rows.sources[rows.is_wrong].tolist()))
    if wrong < FEWEST_WRONG or sources_wrong < FEWEST_SOURCES:
        share = (wrong + 0.5) / (fields + 1)
        return Fit(_make_scorer(samples, None, log(share / (1 - share))), None, fields, wrong, sources_wrong)
    strength = strengths[0] if len(strengths) == 1 else _choose_strength(rows, strengths)
    scaler, model = _fit_rows(rows, strength)
    scorer = _make_scorer(samples, (scaler, model.coef_[0]), float(model.intercept_[0]))
    return Fit(scorer, strength, fields, wrong, sources_wrong)


def _stack_rows(samples: Sequence[Sample]) -> _Rows:
    counts: Counter[tuple[str, str, tuple[float, ...], bool]] = Counter()
    for sample in samples:
        counts.update((sample.source, sample.id, field.features, field.is_wrong) for field in sample.fields)
    ordered = sorted(counts)  # so that the order of files plays no part, down to the last digit
    return _Rows(
        np.array([features for _, _, features, _ in ordered], dtype=float).reshape(-1, len(FEATURES)),
        np.array([is_wrong for *_, is_wrong in ordered], dtype=bool),
        np.array([counts[key] for key in ordered], dtype=float),
        np.array([source for source, *_ in ordered], dtype=str),
    )


def _choose_strength(rows: _Rows, strengths: Sequence[float]) -> float:
    folds = list(GroupKFold(_FOLDS).split(rows.features, rows.is_wrong, rows.sources))
    losses = {strength: sum(_left_out_loss(rows, fold, strength) for fold in folds) for strength in strengths}
    return min(strengths, key=lambda strength: (losses[strength], strength))


def _left_out_loss(rows: _Rows, fold: tuple[NDArray[np.int64], NDArray[np.int64]], strength: float) -> float:
    kept, left_out = rows.take(fold[0]), rows.take(fold[1])
    if kept.is_wrong.all() or not kept.is_wrong.any():
        return 0.0  # all wrong fields are of the sources left out: no strength can tell
    scaler, model = _fit_rows(kept, strength)
    chances = model.predict_proba(scaler.transform(left_out.features))[:, 1]
    loss = log_loss(left_out.is_wrong, chances, labels=[False, True], sample_weight=left_out.counts, normalize=False)
    return float(loss)


def _fit_rows(rows: _Rows, strength: float) -> tuple[StandardScaler, LogisticRegression]:
    scaler = StandardScaler().fit(rows.features, sample_weight=rows.counts)
    model = LogisticRegression(C=strength, solver="newton-cholesky", tol=1e-8, max_iter=500)
    model.fit(scaler.transform(rows.features), rows.is_wrong, sample_weight=rows.counts)
    return scaler, model


def _make_scorer(samples: Sequence[Sample], fitted: tuple[StandardScaler, Floats] | None, intercept: float) -> Scorer:
    count = len(FEATURES)
    means, scales, weights = (
        (fitted[0].mean_, fitted[0].scale_, fitted[1]) if fitted else (np.zeros(count), np.ones(count), np.zeros(count))
    )
    return Scorer(
        features=FEATURES,
        means=_round(means),
        scales=_round(scales),
        weights=_round(weights),
        intercept=_round([intercept])[0],
        documents=count_by(list({sample.id: sample for sample in samples}.values()), "kind"),
        training_hash=hash_samples(samples),
    )


def hash_samples(samples: Sequence[Sample]) -> str:
    """sha256 of the documents and what was found of their fields, in no matter what order."""
    digest = hashlib.sha256()
    for sample in sorted(samples, key=lambda sample: sample.id):
        digest.update(repr((sample.id, sample.kind, sample.fields)).encode())
    return digest.hexdigest()


def _round(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(float(f"{value:.{_DIGITS}g}") for value in values)
