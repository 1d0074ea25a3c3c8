"""Whether the chances that a certificate gives tell wrong fields from right ones, and whether they are true chances.

Lives here: discrimination (AUROC, AUGRC, Brier), the risk-coverage curve, reliability bins. Does not live here: making
such chances (extractor.confidence), fitting them or choosing thresholds (calibration). Called by the report and by
calibration. Needs numpy, scipy, scikit-learn (extra `evaluation`).

A field counts as wrong when it is not as labelled. Only fields that have a chance take part: those whose state is
certain. The others are never accepted, whatever their chance would be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from sklearn.metrics import auc, brier_score_loss, roc_auc_score

from extractor.evaluation.intervals import Floats, Interval, draw_documents
from extractor.evaluation.outcomes import DocumentOutcome

#: Wrong fields, and documents that hold any, below which nothing is said about the order of fields.
FEWEST_WRONG = 10
FEWEST_DOCUMENTS = 10


class RankedField(NamedTuple):
    """One field with its chance to be wrong (0 to 1), whether it is, and the document that it is of."""

    p_wrong: float
    is_wrong: bool
    document: str


class Estimate(NamedTuple):
    """A figure and its 95 % interval over documents; all None where it is not defined."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Discrimination:
    """How well the chances rank.

    Attributes:
        fields, wrong, documents, documents_wrong: what it rests on; the last is documents with any wrong field.
        auroc: chance that a wrong field has a higher p_wrong than a right one, ties half; 0.5 is no order at all.
        augrc: area under the generalised risk-coverage curve: the mean share of fields that are accepted and wrong,
            over all coverages; 0 is best, half the share of wrong fields is no order at all.
        brier: mean squared distance of p_wrong from what happened.
        brier_skill: 1 less Brier over that of the base rate said for every field; 0 and below is no skill.
        separates: whether AUROC's lower bound is above 0.5, on enough wrong fields in enough documents.
        verdict: the same in words.
    """

    fields: int
    wrong: int
    documents: int
    documents_wrong: int
    auroc: Estimate
    augrc: Estimate
    brier: Estimate
    brier_skill: Estimate
    separates: bool
    verdict: str


class RiskPoint(NamedTuple):
    """What would be accepted at one threshold.

    Attributes:
        threshold: highest p_wrong that is accepted.
        coverage: share of all fields that are accepted.
        risk: share of the accepted ones that are wrong.
        generalised_risk: share of all fields that are accepted and wrong.
    """

    threshold: float
    coverage: float
    risk: float
    generalised_risk: float


class ReliabilityBin(NamedTuple):
    """Fields with about one p_wrong: how many, their mean p_wrong, and how many are wrong."""

    fields: int
    wrong: int
    mean_p_wrong: float

    @property
    def share_wrong(self) -> float:
        """What the mean should be."""
        return self.wrong / self.fields


def rank_fields(documents: Sequence[DocumentOutcome]) -> tuple[RankedField, ...]:
    """The fields of some documents that have a chance to be wrong, facts included.

    Raises:
        ValueError: documents of several kinds, which are never pooled.
    """
    if len({document.kind for document in documents}) > 1:
        raise ValueError("documents of several kinds are never pooled: rank each kind for itself")
    return tuple(
        RankedField(field.p_wrong, field.verdict != "right", document.name)
        for document in documents
        for field in document.fields
        if field.p_wrong is not None
    )


def discriminate(fields: Sequence[RankedField], *, resamples: int = 2000, seed: int = 0) -> Discrimination:
    """How well the chances rank, with percentile bootstrap intervals over whole documents.

    The generalised risk is that of Traub et al. (2024), "Overcoming Common Flaws in the Evaluation of Selective
    Classification Systems". Fields of one chance are accepted together.

    Args:
        fields: in any order.
        resamples: draws of documents; 0 for no intervals (then nothing separates).
        seed: of the draws.
    """
    p, is_wrong = _split(fields)
    names = sorted({field.document for field in fields})
    wrong = int(is_wrong.sum())
    documents_wrong = len({field.document for field in fields if field.is_wrong})
    values = [None if np.isnan(value) else float(value) for value in _describe(p, is_wrong)]
    drawn = _draw(fields, names, resamples, seed) if resamples and len(names) > 1 else [None] * len(values)
    auroc, augrc, brier, skill = (
        Estimate(value, *(bounds or (None, None)) if value is not None else (None, None))
        for value, bounds in zip(values, drawn, strict=True)
    )
    verdict = _judge(auroc, wrong, documents_wrong)
    return Discrimination(
        len(fields),
        wrong,
        len(names),
        documents_wrong,
        auroc,
        augrc,
        brier,
        skill,
        verdict is None,
        verdict or "the scores separate right from wrong",
    )


def trace_risk(fields: Sequence[RankedField]) -> tuple[RiskPoint, ...]:
    """The risk-coverage curve: one point for each chance that occurs, from the least fields accepted to all."""
    p, is_wrong = _split(fields)
    thresholds, position = np.unique(p, return_inverse=True)
    accepted = np.bincount(position, minlength=len(thresholds)).cumsum()
    mistakes = np.bincount(position, weights=is_wrong, minlength=len(thresholds)).cumsum()
    return tuple(
        RiskPoint(float(threshold), int(count) / len(p), float(bad / count), float(bad / len(p)))
        for threshold, count, bad in zip(thresholds, accepted, mistakes, strict=True)
    )


def bin_reliability(fields: Sequence[RankedField], bins: int = 10) -> tuple[ReliabilityBin, ...]:
    """Reliability in bins of about as many fields each, by rising chance.

    The bins are those of sklearn.calibration.calibration_curve (strategy "quantile"), which keeps the counts to itself:
    without them nobody sees how little a bin may rest on. Fields of one chance stay in one bin, so that there may be
    fewer bins than asked for.
    """
    p, is_wrong = _split(fields)
    if not len(p):
        return ()
    edges = np.quantile(p, np.linspace(0, 1, bins + 1)[1:-1])
    place = np.searchsorted(edges, p)
    return tuple(
        ReliabilityBin(int(inside.sum()), int(is_wrong[inside].sum()), float(p[inside].mean()))
        for inside in (place == number for number in np.unique(place))
    )


def _split(fields: Sequence[RankedField]) -> tuple[Floats, Floats]:
    """Chances, and 1 for each wrong field."""
    return np.array([field.p_wrong for field in fields]), np.array([float(field.is_wrong) for field in fields])


def _describe(p: Floats, is_wrong: Floats) -> tuple[float, float, float, float]:
    """AUROC, AUGRC, Brier and its skill over all fields; nan where undefined."""
    if not len(p):
        return (np.nan,) * 4
    share = is_wrong.mean()
    points = _area_points(p, is_wrong)
    auroc = roc_auc_score(is_wrong, p) if 0 < share < 1 else np.nan
    brier = brier_score_loss(is_wrong, p, pos_label=1)
    skill = 1 - brier / (share * (1 - share)) if 0 < share < 1 else np.nan
    return auroc, auc(*points), brier, skill


def _area_points(p: Floats, is_wrong: Floats) -> tuple[Floats, Floats]:
    """Coverage and generalised risk, from nothing accepted on."""
    _, position = np.unique(p, return_inverse=True)
    accepted = np.bincount(position).cumsum()
    mistakes = np.bincount(position, weights=is_wrong).cumsum()
    return np.concatenate([[0], accepted]) / len(p), np.concatenate([[0], mistakes]) / len(p)


def _draw(fields: Sequence[RankedField], names: Sequence[str], resamples: int, seed: int) -> list[Interval | None]:
    """Intervals of the four figures. All are sums over documents, or over what stands in front of each wrong field.

    scikit-learn would sort all fields anew in each draw, which takes twenty times as long.
    """
    p, is_wrong = _split(fields)
    levels, level = np.unique(p, return_inverse=True)
    column = np.searchsorted(names, [field.document for field in fields])
    shape = (len(levels), len(names))
    wrong_at = coo_array((is_wrong, (level, column)), shape).tocsr()
    right_at = coo_array((1 - is_wrong, (level, column)), shape).tocsr()
    distance = np.bincount(column, weights=(p - is_wrong) ** 2, minlength=len(names))

    def describe(drawn: NDArray[np.int64], axis: int) -> Floats:
        weights = np.stack([np.bincount(row, minlength=len(names)) for row in drawn], axis=1)  # documents x draws
        wrong, right = wrong_at @ weights, right_at @ weights  # chances x draws
        total_wrong, total_right = wrong.sum(axis=0), right.sum(axis=0)
        total = total_wrong + total_right
        # Right fields with a higher chance than a wrong one: they are accepted after it.
        behind = (wrong * (total_right - right.cumsum(axis=0) + right / 2)).sum(axis=0)
        brier = distance @ weights / total
        with np.errstate(invalid="ignore", divide="ignore"):  # a draw may hold no wrong field
            pairs = total_wrong * total_right
            auroc = np.where(pairs > 0, 1 - behind / pairs, np.nan)
            skill = np.where(pairs > 0, 1 - brier * total**2 / pairs, np.nan)
        return np.stack([auroc, behind / total**2 + (total_wrong / total) ** 2 / 2, brier, skill])

    documents = np.arange(len(names))
    return draw_documents((documents,), describe, resamples=resamples, seed=seed, width=len(levels) + len(names))


def _judge(auroc: Estimate, wrong: int, documents_wrong: int) -> str | None:
    """Why the scores are no ranking; None where they are one."""
    if wrong < FEWEST_WRONG or documents_wrong < FEWEST_DOCUMENTS:
        return (
            f"too few wrong fields to tell whether the scores separate right from wrong ({wrong} in {documents_wrong} "
            f"documents; {FEWEST_WRONG} in {FEWEST_DOCUMENTS} are needed): no ranking"
        )
    if auroc.low is None or auroc.low <= 0.5:
        return "the scores do not separate right from wrong: no ranking"
    return None
