"""The regression: chances that are true on other documents, whatever the order of the files."""

from __future__ import annotations

import random

import pytest

from extractor.confidence.features import FEATURES
from extractor.evaluation.calibration.dataset import FieldSample, Sample
from extractor.evaluation.calibration.fit import FEWEST_WRONG, STRENGTHS, fit_scorer

FAILED, AGREES = FEATURES.index("equations_failed"), FEATURES.index("other_reader_agrees")


def draw_samples(count: int, seed: int) -> list[Sample]:
    """Of 30 fields a tenth fails an equation and is wrong at 30 %, the others at 0.5 %."""
    rng = random.Random(seed)
    return [draw_sample(rng, f"{seed}-{number}") for number in range(count)]


def draw_sample(rng: random.Random, name: str) -> Sample:
    fields = []
    for _ in range(30):
        failed, agrees = float(rng.random() < 0.1), float(rng.random() < 0.5)
        features = tuple({FAILED: failed, AGREES: agrees}.get(place, 0.0) for place in range(len(FEATURES)))
        is_wrong = rng.random() < (0.3 if failed else 0.005)
        fields.append(FieldSample("x.y", features, is_wrong, False, True, True, False))
    return Sample(name, name, name, "generated", "text", tuple(fields), 30, 0)


def features(failed: float, agrees: float) -> tuple[float, ...]:
    return tuple({FAILED: failed, AGREES: agrees}.get(place, 0.0) for place in range(len(FEATURES)))


def test_chances_are_as_frequent_as_they_say_though_wrong_fields_are_rare() -> None:
    fit = fit_scorer(draw_samples(400, 1))
    assert fit.scorer.p_wrong(features(1, 0)) == pytest.approx(0.3, abs=0.05)
    assert fit.scorer.p_wrong(features(0, 0)) == pytest.approx(0.005, abs=0.003)
    # What says nothing changes nothing.
    assert fit.scorer.p_wrong(features(1, 1)) == pytest.approx(fit.scorer.p_wrong(features(1, 0)), rel=0.2)


def test_a_feature_that_never_varies_gets_no_weight() -> None:
    scorer = fit_scorer(draw_samples(100, 1)).scorer
    assert scorer.weights[FAILED] > 0.5
    assert all(weight == 0 for place, weight in enumerate(scorer.weights) if place not in (FAILED, AGREES))
    assert scorer.documents == {"generated": 100}


def test_the_order_of_documents_and_fields_does_not_show() -> None:
    samples = draw_samples(80, 2)
    rng = random.Random(1)
    assert fit_scorer(rng.sample(samples, 80)) == fit_scorer(samples)


def test_other_documents_give_another_training_hash() -> None:
    samples = draw_samples(60, 2)
    assert fit_scorer(samples).scorer.training_hash != fit_scorer(samples[1:]).scorer.training_hash


def test_too_few_wrong_fields_give_the_same_chance_to_all() -> None:
    samples = draw_samples(80, 3)
    kept, wrong = [], 0
    for sample in samples:
        fields = []
        for field in sample.fields:
            wrong += field.is_wrong
            fields.append(field._replace(is_wrong=field.is_wrong and wrong < FEWEST_WRONG))
        kept.append(Sample(sample.id, sample.source, "", "real", "", tuple(fields), 0, 0))
    fit = fit_scorer(kept)
    assert (fit.strength, fit.wrong) == (None, FEWEST_WRONG - 1)
    assert fit.scorer.p_wrong(features(1, 0)) == fit.scorer.p_wrong(features(0, 1)) == pytest.approx(9.5 / 2401)


def test_wrong_fields_of_one_source_are_one_experience() -> None:
    samples = draw_samples(80, 3)
    same = [Sample(one.id, "one", one.name, one.kind, one.layout, one.fields, 0, 0) for one in samples]
    assert fit_scorer(samples).strength in STRENGTHS
    assert fit_scorer(same).strength is None


def test_no_document_and_no_field_are_no_error() -> None:
    assert fit_scorer([]).scorer.p_wrong(features(0, 0)) == pytest.approx(0.5)


def test_the_strength_is_chosen_on_documents_that_were_left_out() -> None:
    """Noise that is particular to each document: the weakest penalty fits it best, and serves no other one."""
    rng = random.Random(7)
    samples = []
    for number in range(40):
        fields = []
        for _ in range(30):
            values = tuple(rng.gauss(0, 1) for _ in FEATURES)
            fields.append(FieldSample("x.y", values, rng.random() < 0.05, False, True, True, False))
        samples.append(Sample(str(number), str(number), "", "real", "", tuple(fields), 0, 0))
    strength = fit_scorer(samples).strength
    assert strength is not None
    assert strength < STRENGTHS[-2]  # the weakest two fit the noise best
