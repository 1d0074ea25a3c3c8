"""Scores that rank: figures as the libraries have them, intervals over documents, and no verdict on too little."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import auc, brier_score_loss, roc_auc_score

from extractor.evaluation.outcomes import DocumentOutcome, FieldOutcome
from extractor.evaluation.ranking import (
    FEWEST_DOCUMENTS,
    FEWEST_WRONG,
    RankedField,
    bin_reliability,
    discriminate,
    rank_fields,
    trace_risk,
)
from extractor.model import CellState

CHANCES = st.sampled_from([0.01, 0.05, 0.3, 0.3000001, 0.9])


@st.composite
def ranked(draw: st.DrawFn) -> list[RankedField]:
    """Fields with ties, at least one right and one wrong."""
    some = draw(st.lists(st.tuples(CHANCES, st.booleans()), max_size=30))
    pairs = [*some, (draw(CHANCES), True), (draw(CHANCES), False)]
    return [RankedField(p, is_wrong, f"d{number % 4}") for number, (p, is_wrong) in enumerate(pairs)]


def make_fields(effect: float, *, documents: int = 40, wrong: int = 20, seed: int = 0) -> list[RankedField]:
    """Ten fields a document, one of them wrong in the first `wrong`; its chance is higher by `effect`."""
    rng = Random(seed)
    return [
        RankedField(
            min(0.99, rng.uniform(0, 0.5) + effect * (cell == 0 and number < wrong)),
            cell == 0 and number < wrong,
            f"d{number}",
        )
        for number in range(documents)
        for cell in range(10)
    ]


@settings(deadline=None)
@given(ranked())
def test_figures_are_those_of_the_library(fields: list[RankedField]) -> None:
    found = discriminate(fields, resamples=0)
    p, wrong = [field.p_wrong for field in fields], [field.is_wrong for field in fields]
    share = sum(wrong) / len(wrong)
    auroc, brier = roc_auc_score(wrong, p), brier_score_loss(wrong, p)
    assert found.auroc.value == pytest.approx(auroc)
    assert found.brier.value == pytest.approx(brier)
    assert found.brier_skill.value == pytest.approx(1 - brier / (share * (1 - share)))
    # The closed form of Traub et al. (2024): what AUROC leaves of the wrong ones, and half the square of their share.
    assert found.augrc.value == pytest.approx((1 - auroc) * share * (1 - share) + share**2 / 2)


@settings(deadline=None)
@given(ranked())
def test_draws_compute_the_same_figures(fields: list[RankedField]) -> None:
    """Where all documents are alike, every draw is the sample again, so that both bounds are the figure itself."""
    copies = [field._replace(document=f"copy {number}") for number in range(3) for field in fields]
    found = discriminate(copies, resamples=20)
    for estimate in (found.auroc, found.augrc, found.brier, found.brier_skill):
        assert (estimate.low, estimate.high) == pytest.approx((estimate.value, estimate.value))


@settings(deadline=None)
@given(ranked(), st.randoms(use_true_random=False))
def test_the_order_of_fields_does_not_matter(fields: list[RankedField], rng: Random) -> None:
    shuffled = list(fields)
    rng.shuffle(shuffled)
    one, other = discriminate(fields, resamples=30), discriminate(shuffled, resamples=30)
    for name in ("auroc", "augrc", "brier", "brier_skill"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), nan_ok=True)


def test_a_real_order_separates() -> None:
    found = discriminate(make_fields(0.4))
    assert found.separates
    assert found.verdict == "the scores separate right from wrong"
    assert (found.fields, found.wrong, found.documents, found.documents_wrong) == (400, 20, 40, 20)
    assert found.auroc.low is not None
    assert 0.5 < found.auroc.low < (found.auroc.value or 0) < (found.auroc.high or 0) <= 1


def test_chance_seldom_separates() -> None:
    """Of the lower bounds of 95 % intervals one in forty is above the truth."""
    found = [discriminate(make_fields(0.0, seed=seed), resamples=300) for seed in range(40)]
    assert sum(one.separates for one in found) <= 4
    assert {one.verdict for one in found if not one.separates} == {
        "the scores do not separate right from wrong: no ranking"
    }


def test_an_order_turned_round_does_not_separate() -> None:
    fields = [field._replace(p_wrong=1 - field.p_wrong) for field in make_fields(0.4)]
    found = discriminate(fields)
    assert (found.auroc.high or 1) < 0.5
    assert not found.separates


@pytest.mark.parametrize("wrong", [1, FEWEST_DOCUMENTS - 1])
def test_too_few_wrong_documents_tell_nothing_however_well_they_rank(wrong: int) -> None:
    found = discriminate(make_fields(0.49, wrong=wrong))
    assert (found.auroc.value or 0) > 0.9
    assert not found.separates
    assert f"{wrong} in {wrong} documents" in found.verdict
    assert discriminate(make_fields(0.49, wrong=max(FEWEST_DOCUMENTS, FEWEST_WRONG))).separates


def test_many_wrong_fields_of_few_documents_tell_nothing_either() -> None:
    fields = [field._replace(document=f"d{number % 3}") for number, field in enumerate(make_fields(0.49))]
    found = discriminate(fields)
    assert (found.wrong, found.documents_wrong, found.separates) == (20, 3, False)
    assert found.auroc.low is not None
    assert found.auroc.low > 0.5


def test_without_a_wrong_field_there_is_no_order() -> None:
    found = discriminate(make_fields(0.4, wrong=0), resamples=50)
    assert found.auroc == (None, None, None)
    assert found.brier_skill == (None, None, None)
    assert found.augrc.value == 0
    assert not found.separates


def test_no_fields_at_all() -> None:
    found = discriminate([])
    assert (found.fields, found.auroc.value, found.augrc.value, found.separates) == (0, None, None, False)
    assert trace_risk([]) == ()
    assert bin_reliability([]) == ()


@settings(deadline=None)
@given(ranked())
def test_risk_curve_accepts_ties_together_and_ends_with_everything(fields: list[RankedField]) -> None:
    curve = trace_risk(fields)
    assert [point.threshold for point in curve] == sorted({field.p_wrong for field in fields})
    for point in curve:
        accepted = [field.is_wrong for field in fields if field.p_wrong <= point.threshold]
        assert point.coverage == pytest.approx(len(accepted) / len(fields))
        assert point.risk == pytest.approx(sum(accepted) / len(accepted))
        assert point.generalised_risk == pytest.approx(sum(accepted) / len(fields))
    area = auc([0, *(point.coverage for point in curve)], [0, *(point.generalised_risk for point in curve)])
    assert discriminate(fields, resamples=0).augrc.value == pytest.approx(area)


@settings(deadline=None)
@given(ranked(), st.integers(1, 12))
def test_bins_are_those_of_the_library_with_counts(fields: list[RankedField], bins: int) -> None:
    found = bin_reliability(fields, bins)
    wrong, p = [field.is_wrong for field in fields], [field.p_wrong for field in fields]
    shares, means = calibration_curve(wrong, p, n_bins=bins, strategy="quantile")
    assert [one.share_wrong for one in found] == pytest.approx(list(shares))
    assert [one.mean_p_wrong for one in found] == pytest.approx(list(means))
    assert sum(one.fields for one in found) == len(fields)
    assert sum(one.wrong for one in found) == sum(wrong)


def test_only_fields_with_a_chance_take_part() -> None:
    def field(verdict: str, p_wrong: float | None) -> FieldOutcome:
        return FieldOutcome("applications.x", "applications", verdict, True, None, None, CellState.VALUE, 1, p_wrong)  # type: ignore[arg-type]

    fields = (field("right", 0.1), field("open", None), field("invented", 0.4), field("wrong", 0.2))
    document = DocumentOutcome("a", "real", "a", "", "2021", "succeeded", fields)
    assert rank_fields([document]) == ((0.1, False, "a"), (0.4, True, "a"), (0.2, True, "a"))
    with pytest.raises(ValueError, match="never pooled"):
        rank_fields([document, replace(document, kind="corrupted")])
