"""From samples to a certificate: the losses, the order of the tests, who is fitted on, what may govern."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from extractor.confidence.certificate import Versions, dump_certificate
from extractor.confidence.features import FEATURES
from extractor.confidence.scorer import Scorer
from extractor.errors import SettingsError
from extractor.evaluation.calibration import Plan, Sample, Target, calibrate
from extractor.evaluation.calibration.calibrate import leave_out_sources, split_samples
from extractor.evaluation.calibration.certify import order_samples, rank_samples, try_hard_rules, try_thresholds
from extractor.evaluation.calibration.dataset import FieldSample

TARGET = Target(0.1, 0.1)
VERSIONS = Versions(extractor="1", forms="f", features="x", readers="template")
FAILED = FEATURES.index("equations_failed")
#: The more equations of a field fail, the likelier it is wrong: 0.0005, 0.0067, 0.12 and so on.
SCORER = Scorer(
    features=FEATURES,
    means=(0.0,) * len(FEATURES),
    scales=(1.0,) * len(FEATURES),
    weights=tuple(2.6 if place == FAILED else 0.0 for place in range(len(FEATURES))),
    intercept=-7.6,
    documents={"real": 1},
    training_hash="0" * 64,
)


def make_field(
    failed: int = 0, *, is_wrong: bool = False, is_open: bool = True, is_accepted: bool = False
) -> FieldSample:
    features = tuple(float(failed) if place == FAILED else 0.0 for place in range(len(FEATURES)))
    return FieldSample("applications.granted.total", features, is_wrong, is_accepted, is_open, True, bool(failed))


def make_sample(name: int, fields: Sequence[FieldSample], **changes: object) -> Sample:
    sample = Sample(f"id{name}", f"source{name}", f"d{name}", "real", "text, rows", tuple(fields), 10, 4)
    return replace(sample, **changes)  # type: ignore[arg-type]


def draw_samples(count: int, seed: int, first: int = 0) -> list[Sample]:
    """Documents in which a field is wrong about as often as the scorer says, every eighth field doubtful."""
    rng = random.Random(seed)
    samples = []
    for number in range(first, first + count):
        failed = [rng.choice([0] * 7 + [3]) for _ in range(20)]
        fields = [make_field(times, is_wrong=rng.random() < (0.4 if times else 0.001)) for times in failed]
        samples.append(make_sample(number, fields))
    return samples


# ---------------------------------------------------------------- losses


def test_the_loss_counts_accepted_wrong_values_up_to_the_cap() -> None:
    wrong = make_field(is_wrong=True)
    samples = [make_sample(0, [wrong] * 3), make_sample(1, [wrong]), make_sample(2, [make_field()])]
    losses = {cap: try_thresholds(samples, SCORER, [0.01], Target(0.1, 0.1, cap))[0].losses for cap in (1, 2, 4)}
    assert losses == {1: 2, 2: 1.5, 4: 1}


def test_only_open_fields_up_to_the_threshold_are_accepted() -> None:
    fields = [
        make_field(0),
        make_field(2, is_wrong=True),  # above the threshold
        make_field(0, is_wrong=True, is_open=False),  # a finding about the reading names it
        make_field(1),  # a failed equation alone may be overruled
    ]
    (test,) = try_thresholds([make_sample(0, fields)], SCORER, [0.01], Target(0.1, 0.1))
    assert (test.losses, test.accepted, test.values) == (0, 2, 4)
    assert (test.accepted_printed, test.printed, test.accepted_nonzero, test.nonzero) == (2, 10, 1, 4)


def test_the_hard_rules_accept_what_they_accepted() -> None:
    fields = [make_field(9, is_accepted=True), make_field(0, is_wrong=True)]
    test = try_hard_rules([make_sample(0, fields)] * 1, Target(0.1, 0.1))
    assert (test.threshold, test.losses, test.accepted) == (None, 0, 1)
    with pytest.raises(ValueError, match="no threshold"):
        test.as_tested()


def test_a_document_that_could_not_be_read_counts_and_loses_nothing() -> None:
    samples = [make_sample(number, []) for number in range(45)]
    assert try_hard_rules(samples, Target(0.05, 0.1)).test.is_certified
    assert not try_hard_rules(samples[1:], Target(0.05, 0.1)).test.is_certified


# ---------------------------------------------------------------- thresholds in turn


def test_testing_goes_from_the_strictest_on_and_stops_at_the_first_that_fails() -> None:
    clean = [make_sample(number, [make_field()]) for number in range(60)]
    lossy = [make_sample(number, [make_field(), make_field(1, is_wrong=True)]) for number in range(60)]
    target = Target(0.05, 0.1)
    assert [test.threshold for test in try_thresholds(clean, SCORER, [0.5, 0.001, 0.01], target)] == [0.001, 0.01, 0.5]
    tests = try_thresholds(lossy, SCORER, [0.5, 0.001, 0.01], target)
    assert [(test.threshold, test.test.is_certified) for test in tests] == [(0.001, True), (0.01, False)]
    assert (tests[1].lossy, tests[1].needed, tests[1].needed_now > 60) == (60, 45, True)


@pytest.mark.parametrize("thresholds", [[0.1, 0.2, 0.3, 0.4], [0.0], [1.0]])
def test_too_many_thresholds_and_those_that_are_no_chance_are_refused(thresholds: list[float]) -> None:
    with pytest.raises(ValueError, match="at most 3"):
        try_thresholds([make_sample(0, [])], SCORER, thresholds, Target())


def test_the_order_of_documents_is_that_of_their_ids_and_not_that_of_the_files() -> None:
    samples = [make_sample(number, []) for number in range(30)]
    shuffled = random.Random(1).sample(samples, 30)
    assert order_samples(shuffled) == order_samples(samples) != samples


# ---------------------------------------------------------------- who is fitted on


def test_half_of_the_documents_is_fitted_on_and_sources_are_not_divided() -> None:
    samples = [make_sample(number, [], source=f"s{number // 3}") for number in range(30)]
    to_fit, to_test = split_samples(samples)
    assert len(to_fit) == len(to_test) == 15
    assert {one.source for one in to_fit}.isdisjoint(one.source for one in to_test)
    again, _ = split_samples(samples[::-1])
    assert {one.id for one in again} == {one.id for one in to_fit}


def test_training_documents_that_print_what_a_gold_document_prints_are_left_out() -> None:
    gold = [make_sample(0, []), make_sample(1, [])]
    train = [make_sample(1, []), make_sample(2, [], source="source0"), make_sample(3, [])]
    assert [one.id for one in leave_out_sources(train, gold)] == ["id3"]


def test_with_nothing_left_to_fit_on_calibration_says_what_is_missing() -> None:
    with pytest.raises(SettingsError, match="0 documents to fit on and 1 others"):
        calibrate([make_sample(0, [])], None, Plan(), VERSIONS)


# ---------------------------------------------------------------- the certificate


def test_enough_real_documents_give_a_certificate_that_may_govern() -> None:
    found = calibrate(draw_samples(120, 1), draw_samples(120, 2, first=10_000), Plan(TARGET, (0.01, 0.9)), VERSIONS)
    certificate = found.certificate
    assert certificate.may_govern
    assert certificate.threshold == 0.01
    assert [one.is_certified for one in certificate.tested] == [True, False]
    assert certificate.documents == {"real": 120}
    assert found.ranking.separates


@pytest.mark.parametrize("kind", ["generated", "re-set", "corrupted"])
@pytest.mark.parametrize("side", ["gold", "train"])
def test_a_single_document_of_another_kind_keeps_it_from_governing(kind: str, side: str) -> None:
    sides = {"gold": draw_samples(120, 1), "train": draw_samples(120, 2, first=10_000)}
    sides[side][0] = replace(sides[side][0], kind=kind)  # type: ignore[arg-type]
    found = calibrate(sides["gold"], sides["train"], Plan(TARGET, (0.01,)), VERSIONS)
    assert found.certificate.threshold == 0.01
    assert not found.certificate.may_govern
    assert found.certificate.rests_on_other == (f"{kind} documents",)


def test_simulated_replies_keep_it_from_governing() -> None:
    gold, train = draw_samples(120, 1), draw_samples(120, 2, first=10_000)
    found = calibrate(gold, train, Plan(TARGET, (0.01,)), VERSIONS, ("simulated",))
    assert not found.certificate.may_govern


def test_too_few_documents_certify_nothing_and_say_how_many_would() -> None:
    found = calibrate(draw_samples(120, 1), draw_samples(120, 2, first=10_000), Plan(), VERSIONS)
    assert found.certificate.ranks
    assert found.certificate.threshold is None
    assert len(found.thresholds) == 1
    assert found.thresholds[0].needed == 598


def test_without_wrong_fields_there_is_no_ranking_and_no_threshold_is_tested() -> None:
    clean = [make_sample(number, [make_field(is_accepted=True)]) for number in range(700)]
    found = calibrate(clean[:600], clean[600:], Plan(), VERSIONS)
    assert (found.certificate.ranks, found.certificate.tested, found.certificate.threshold) == (False, (), None)
    assert found.hard_rules.test.is_certified
    assert not found.certificate.may_govern


def test_where_nothing_tells_wrong_from_right_there_is_no_ranking() -> None:
    """Labels that say wrong at random: the fit goes through, and held-out documents show that it is worth nothing."""
    rng = random.Random(3)
    noisy = [
        make_sample(number, [make_field(rng.choice([0, 3]), is_wrong=rng.random() < 0.1) for _ in range(20)])
        for number in range(150)
    ]
    found = calibrate(noisy[:75], noisy[75:], Plan(), VERSIONS)
    assert found.fit.strength is not None
    assert not found.ranking.separates
    assert not found.certificate.ranks
    assert found.thresholds == ()


def test_a_few_wrong_labels_make_the_chances_higher_and_never_the_certificate_looser() -> None:
    """Label noise is loss: what a label wrongly calls wrong can only keep a threshold from being certified."""
    gold, train = draw_samples(120, 1), draw_samples(120, 2, first=10_000)
    rng = random.Random(4)
    noisy = [
        replace(
            one, fields=tuple(field._replace(is_wrong=field.is_wrong or rng.random() < 0.02) for field in one.fields)
        )
        for one in gold
    ]
    plan = Plan(TARGET, (0.01,))
    assert calibrate(gold, train, plan, VERSIONS).certificate.threshold == 0.01
    found = calibrate(noisy, train, plan, VERSIONS)
    assert found.certificate.threshold is None
    assert found.thresholds[0].lossy > 30


def test_the_order_of_files_and_of_fields_changes_nothing() -> None:
    gold, train = draw_samples(60, 1), draw_samples(120, 2, first=10_000)
    plan = Plan(Target(0.2, 0.2), (0.01, 0.2))
    before = calibrate(gold, train, plan, VERSIONS)
    rng = random.Random(5)
    after = calibrate(rng.sample(gold, 60), rng.sample(train, 120), plan, VERSIONS)
    assert dump_certificate(after.certificate) == dump_certificate(before.certificate)
    assert before.certificate.tested


def test_ranking_can_be_asked_for_the_fields_that_a_threshold_decides() -> None:
    sample = make_sample(0, [make_field(0), make_field(3, is_wrong=True, is_open=False)])
    assert [field.is_wrong for field in rank_samples([sample], SCORER)] == [False, True]
    assert [field.is_wrong for field in rank_samples([sample], SCORER, is_open_only=True)] == [False]
