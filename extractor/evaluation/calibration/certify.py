"""Which threshold of p(wrong) a sample of labelled documents supports: Learn then Test.

Lives here: losses of documents, the test of one rule of acceptance, and the order of the tests. Does not live here: the
test of a mean (betting), the scorer (fit), the file (extractor.confidence.certificate).

Angelopoulos, Bates, Candès, Jordan & Lei, "Learn then Test: Calibrating Predictive Algorithms to Achieve Risk Control"
(2021; Annals of Applied Statistics 2025). At most three thresholds are fixed before a loss is seen, and tested from the
strictest on, each at delta; the first that fails ends it. So the chance that any threshold is certified although its
mean loss is above alpha is at most delta, without a correction for their number (fixed-sequence testing). A looser
threshold accepts all that a stricter one accepts and can only lose more, so that nothing is missed by stopping.

The document is the unit, and its loss is min(1, accepted wrong values / cap). With cap 1 alpha bounds the share of
documents with any accepted wrong value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from extractor.confidence.certificate import TestedThreshold
from extractor.confidence.scorer import Scorer
from extractor.evaluation.calibration.betting import MeanTest, bet_on_mean, bound_mean, count_needed
from extractor.evaluation.calibration.dataset import FieldSample, Sample
from extractor.evaluation.ranking import RankedField

MOST_THRESHOLDS = 3


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be certified: with probability 1 - delta a mean loss of at most alpha, losses capped as said above."""

    alpha: float = 0.005
    delta: float = 0.05
    cap: int = 1


@dataclass(frozen=True, slots=True)
class RuleTest:
    """One rule of acceptance and what the sample says about it.

    Attributes:
        threshold: of p(wrong); None for the hard rules alone.
        losses: sum over documents; `lossy` is how many documents have any.
        test: how the bet against it ended; None where it was not played.
        values, accepted: fields of which the record claims to know what is printed; accepted ones.
        printed, accepted_printed: labelled numbers of the tables; those accepted and right.
        nonzero, accepted_nonzero: the same of those other than 0.
        needed, needed_now: how many documents would certify the target without a loss, and with those seen.
        bound: least alpha that so many documents with such losses support.
    """

    threshold: float | None
    documents: int
    losses: float
    lossy: int
    test: MeanTest
    values: int
    accepted: int
    printed: int
    accepted_printed: int
    nonzero: int
    accepted_nonzero: int
    needed: int
    needed_now: int
    bound: float

    def as_tested(self) -> TestedThreshold:
        """What of it the certificate keeps.

        Raises:
            ValueError: it is about the hard rules alone, or about no document.
        """
        if self.threshold is None:
            raise ValueError("the hard rules have no threshold")
        return TestedThreshold(
            threshold=self.threshold,
            documents=self.documents,
            mean_loss=self.losses / self.documents,
            e_value=self.test.capital,
            # Markov's inequality: what a fair game pays bounds the chance of being paid so much.
            p_value=min(1.0, 1 / self.test.capital) if self.test.capital else 1.0,
            is_certified=self.test.is_certified,
            accepted=self.accepted,
            values=self.values,
        )


def try_thresholds(
    samples: Sequence[Sample], scorer: Scorer, thresholds: Sequence[float], target: Target
) -> list[RuleTest]:
    """Test thresholds from the strictest on, up to the first that is not certified.

    Args:
        samples: documents that the scorer was not fitted on, in any order.
        thresholds: fixed before any of these documents was looked at.

    Raises:
        ValueError: more than MOST_THRESHOLDS of them, or one of them not in (0, 1).
    """
    if len(thresholds) > MOST_THRESHOLDS or not all(0 < one < 1 for one in thresholds):
        raise ValueError(f"thresholds must be at most {MOST_THRESHOLDS}, each between 0 and 1")
    tests: list[RuleTest] = []
    for threshold in sorted(set(thresholds)):
        tests.append(_test_rule(samples, scorer, threshold, target))
        if not tests[-1].test.is_certified:
            break
    return tests


def try_hard_rules(samples: Sequence[Sample], target: Target) -> RuleTest:
    """The same for what the hard rules accept. It stands by itself, and in no sequence with thresholds."""
    return _test_rule(samples, None, None, target)


def order_samples(samples: Sequence[Sample]) -> list[Sample]:
    """The order in which losses are bet on: that of a hash of the documents' ids, which no loss has a part in."""
    return sorted(samples, key=lambda sample: hash_name("order", sample.id))


def hash_name(purpose: str, name: str) -> str:
    """A number for a document that has nothing to do with what is in it; another one for another purpose."""
    return hashlib.sha256(f"{purpose}/{name}".encode()).hexdigest()


def rank_samples(samples: Sequence[Sample], scorer: Scorer, *, is_open_only: bool = False) -> list[RankedField]:
    """The fields with their chances, for extractor.evaluation.ranking.

    Args:
        is_open_only: leave out what is in review whatever its chance: only these fields a threshold decides.
    """
    chances = {features: scorer.p_wrong(features) for features in _list_features(samples)}
    return [
        RankedField(chances[field.features], field.is_wrong, sample.id)
        for sample in samples
        for field in sample.fields
        if field.is_open or not is_open_only
    ]


def _list_features(samples: Sequence[Sample]) -> set[tuple[float, ...]]:
    """Each only once: most fields of a document have the features of another one."""
    return {field.features for sample in samples for field in sample.fields}


def _test_rule(samples: Sequence[Sample], scorer: Scorer | None, threshold: float | None, target: Target) -> RuleTest:
    ordered = order_samples(samples)
    accepted = [list(_accept(sample, scorer, threshold)) for sample in ordered]
    losses = [min(1.0, sum(field.is_wrong for field in fields) / target.cap) for fields in accepted]
    total, taken = sum(losses), [field for fields in accepted for field in fields]
    return RuleTest(
        threshold=threshold,
        documents=len(ordered),
        losses=total,
        lossy=sum(loss > 0 for loss in losses),
        test=bet_on_mean(losses, target.alpha, target.delta),
        values=sum(len(sample.fields) for sample in ordered),
        accepted=len(taken),
        printed=sum(sample.printed for sample in ordered),
        accepted_printed=sum(field.is_printed and not field.is_wrong for field in taken),
        nonzero=sum(sample.nonzero for sample in ordered),
        accepted_nonzero=sum(field.is_nonzero and not field.is_wrong for field in taken),
        needed=count_needed(target.alpha, target.delta),
        needed_now=count_needed(target.alpha, target.delta, total),
        bound=bound_mean(total, len(ordered), target.delta),
    )


def _accept(sample: Sample, scorer: Scorer | None, threshold: float | None) -> Iterator[FieldSample]:
    """What is accepted: the rule of extractor.confidence.govern, or that of the hard rules."""
    for field in sample.fields:
        if scorer is None or threshold is None:
            if field.is_accepted:
                yield field
        elif field.is_open and scorer.p_wrong(field.features) <= threshold:
            yield field
