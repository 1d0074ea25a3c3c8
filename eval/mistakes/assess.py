"""How well chances of error rank what a reader got wrong, on documents and on mistakes that were not fitted on.

Lives here: who is fitted on and who is ranked, and the baselines. Does not live here: the regression
(extractor.evaluation.calibration.fit), the figures of a ranking (extractor.evaluation.ranking).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from eval.mistakes.collect import Trial
from extractor.confidence.features import FEATURES
from extractor.confidence.scorer import Scorer
from extractor.evaluation.calibration.certify import rank_samples
from extractor.evaluation.calibration.fit import STRENGTHS, fit_scorer
from extractor.evaluation.ranking import Discrimination, RankedField, discriminate

FOLDS = 5
#: Where a kind of mistake is left out as well, halves: a fit for each kind and half is enough to wait for.
HALVES = 2
#: Below so many wrong fields, or documents that hold any, a class of mistakes is given no figure.
FEWEST = 10
EQUATIONS = frozenset(name for name in FEATURES if name.startswith("equations_"))
AGREEMENT = frozenset({"other_reader_agrees", "other_reader_differs", "has_one_reader"})
#: What the scorer may look at: everything, and the same regression on less.
VIEWS: Mapping[str, frozenset[str]] = {
    "all features": frozenset(FEATURES),
    "equations only": EQUATIONS,
    "agreement only": AGREEMENT,
}


class Chance(NamedTuple):
    """A field of a trial with the chance that a scorer gave it which saw neither its document nor, maybe, its class."""

    place: str
    mistake: str
    section: str
    is_open: bool
    field: RankedField


def rank_by_document(trials: Sequence[Trial], view: str, strength: float) -> list[Chance]:
    """Five times fitted on four fifths of the documents, ranked is the last fifth."""
    shown = [_show(one, view) for one in trials]
    found: list[Chance] = []
    for fold in range(FOLDS):
        scorer = _fit([one for one in shown if _place_of(one, FOLDS) != fold], strength)
        found += _rank([one for one in shown if _place_of(one, FOLDS) == fold], scorer)
    return found


def rank_by_mistake(trials: Sequence[Trial], view: str, strength: float) -> list[Chance]:
    """The same, and the kind of mistake that is ranked is left out of the fit, wherever it is made.

    Where no document has two kinds, other kinds are other documents, and nothing need be halved.
    """
    shown = [_show(one, view) for one in trials]
    found: list[Chance] = []
    for mistake in dict.fromkeys(one.mistake for one in shown):
        others = [one for one in shown if one.mistake != mistake]
        own = [one for one in shown if one.mistake == mistake]
        if {one.sample.id for one in own}.isdisjoint(one.sample.id for one in others):
            found += _rank(own, _fit(others, strength))
            continue
        for half in range(HALVES):
            scorer = _fit([one for one in others if _place_of(one, HALVES) != half], strength)
            found += _rank([one for one in own if _place_of(one, HALVES) == half], scorer)
    return found


def choose_strength(trials: Sequence[Trial]) -> float:
    """The strength of the penalty, by cross-validation on the first four fifths; used for all fits of the study."""
    fit = fit_scorer([one.sample for one in trials if _place_of(one, FOLDS) != 0])
    return fit.strength or STRENGTHS[0]


def describe(chances: Sequence[Chance], *, is_open_only: bool, resamples: int) -> Discrimination:
    """The figures of some chances, with intervals over documents."""
    return discriminate(select_fields(chances, is_open_only=is_open_only), resamples=resamples)


def select_fields(chances: Sequence[Chance], *, is_open_only: bool) -> list[RankedField]:
    """All fields, or only those that a threshold decides."""
    return [one.field for one in chances if one.is_open or not is_open_only]


def _fit(trials: Sequence[Trial], strength: float) -> Scorer:
    fit = fit_scorer([one.sample for one in trials], strengths=(strength,))
    assert fit.strength is not None, "too few wrong fields to fit: chances of different fits could not be compared"
    return fit.scorer


def _rank(trials: Sequence[Trial], scorer: Scorer) -> Iterator[Chance]:
    for trial in trials:
        fields = rank_samples([trial.sample], scorer)
        for sample, field in zip(trial.sample.fields, fields, strict=True):
            section = sample.field_id.partition(".")[0]
            yield Chance(trial.place, trial.mistake, section, sample.is_open, field)


def _show(trial: Trial, view: str) -> Trial:
    """The trial with all other features at 0: a column that never varies gets no weight."""
    if view == "all features":
        return trial
    fields = [field._replace(features=_mask(field.features, VIEWS[view])) for field in trial.sample.fields]
    return trial._replace(sample=replace(trial.sample, fields=tuple(fields)))


@lru_cache(maxsize=100_000)
def _mask(features: tuple[float, ...], shown: frozenset[str]) -> tuple[float, ...]:
    return tuple(value if name in shown else 0.0 for name, value in zip(FEATURES, features, strict=True))


def _place_of(trial: Trial, parts: int) -> int:
    """The part that a document is in, by a hash of its name."""
    return _hash_name(trial.sample.id) % parts


@lru_cache(maxsize=10_000)
def _hash_name(name: str) -> int:
    return int(hashlib.sha256(name.encode()).hexdigest(), 16)
