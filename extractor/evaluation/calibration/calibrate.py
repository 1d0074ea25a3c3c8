"""Calibration from end to end: samples in, certificate and account out.

Lives here: who is fitted on and who is certified on, whether the scores may rank, and the certificate. Does not live
here: reading documents (dataset), the regression (fit), the tests (certify), what people are told (cli).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from extractor.confidence.certificate import Certificate, Versions
from extractor.errors import SettingsError
from extractor.evaluation.calibration.certify import (
    RuleTest,
    Target,
    hash_name,
    rank_samples,
    try_hard_rules,
    try_thresholds,
)
from extractor.evaluation.calibration.dataset import Sample, count_by
from extractor.evaluation.calibration.fit import Fit, fit_scorer
from extractor.evaluation.ranking import Discrimination, ReliabilityBin, bin_reliability, discriminate

#: Thresholds of p(wrong) that are tested where none are named, and why these: docs/calibration.md.
THRESHOLDS = (0.001, 0.003, 0.01)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is fixed before anything is seen: the target and the thresholds."""

    target: Target = field(default_factory=Target)
    thresholds: tuple[float, ...] = THRESHOLDS


@dataclass(frozen=True, slots=True)
class Calibration:
    """All that came out.

    Attributes:
        certificate: the file.
        fit: the scorer and what it rests on.
        test: documents that were certified on.
        left_out: documents that were named for the fit and print what one of `test` prints.
        ranking, ranking_open: how p(wrong) ranks the fields of `test`: all, and those that a threshold decides.
        reliability: p(wrong) against what is so, over all fields of `test`.
        hard_rules: what the hard rules alone accept.
        thresholds: those tested, in order; none where p(wrong) does not separate right from wrong.
    """

    certificate: Certificate
    fit: Fit
    test: tuple[Sample, ...]
    left_out: int
    ranking: Discrimination
    ranking_open: Discrimination
    reliability: tuple[ReliabilityBin, ...]
    hard_rules: RuleTest
    thresholds: tuple[RuleTest, ...]


def calibrate(
    gold: Sequence[Sample],
    train: Sequence[Sample] | None,
    plan: Plan,
    versions: Versions,
    replies: tuple[str, ...] = (),
) -> Calibration:
    """Fit a scorer and find the loosest threshold that the documents support.

    Args:
        gold: labelled documents; all are certified on where `train` is given, else half of them.
        train: documents to fit on.
        plan: fixed before.
        versions: of the readings, for which alone the certificate will stand.
        replies: kinds of a model's replies in the readings.

    Raises:
        SettingsError: no document is left to fit or to certify on.
    """
    to_fit, to_test = split_samples(gold) if train is None else (leave_out_sources(train, gold), list(gold))
    if not to_fit or not to_test:
        raise SettingsError(
            f"{len(to_fit)} documents to fit on and {len(to_test)} others to certify on: both are needed. "
            "Name more labelled documents, or others with --train. Documents that print the same are not divided."
        )
    fit = fit_scorer(to_fit)
    fields = rank_samples(to_test, fit.scorer)
    ranking = discriminate(fields)
    ranks = fit.strength is not None and ranking.separates
    tests = try_thresholds(to_test, fit.scorer, plan.thresholds, plan.target) if ranks else []
    certificate = Certificate(
        scorer=fit.scorer,
        alpha=plan.target.alpha,
        delta=plan.target.delta,
        cap=plan.target.cap,
        tested=tuple(test.as_tested() for test in tests),
        threshold=max((test.threshold for test in tests if test.threshold and test.test.is_certified), default=None),
        documents=count_by(to_test, "kind"),
        layouts=count_by(to_test, "layout"),
        replies=replies,
        stands_for=versions,
        ranks=ranks,
    )
    return Calibration(
        certificate=certificate,
        fit=fit,
        test=tuple(to_test),
        left_out=0 if train is None else len(train) - len(to_fit),
        ranking=ranking,
        ranking_open=discriminate(rank_samples(to_test, fit.scorer, is_open_only=True)),
        reliability=bin_reliability(fields) if ranks else (),
        hard_rules=try_hard_rules(to_test, plan.target),
        thresholds=tuple(tests),
    )


def split_samples(samples: Sequence[Sample]) -> tuple[list[Sample], list[Sample]]:
    """Documents to fit on and documents to certify on: half each, by a hash, those of one source together."""
    sources = sorted({sample.source for sample in samples}, key=lambda source: hash_name("split", source))
    to_fit = set(sources[: len(sources) // 2])
    return [one for one in samples if one.source in to_fit], [one for one in samples if one.source not in to_fit]


def leave_out_sources(samples: Sequence[Sample], others: Sequence[Sample]) -> list[Sample]:
    """Documents that have neither bytes nor printed figures in common with any of the others."""
    ids, sources = {other.id for other in others}, {other.source for other in others}
    return [sample for sample in samples if sample.id not in ids and sample.source not in sources]
