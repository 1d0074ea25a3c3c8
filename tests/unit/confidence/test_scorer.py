"""The scorer: the sum that a reader of the file can check, at any size, and what it refuses to load."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from extractor.confidence.scorer import Scorer

SIZES = st.floats(-1e6, 1e6)


def scorer(**changes: Any) -> Scorer:
    given: dict[str, Any] = {
        "features": ("a", "b"),
        "means": (1.0, 0.5),
        "scales": (2.0, 0.25),
        "weights": (0.5, -1.5),
        "intercept": -2.0,
        "documents": {"real": 3},
        "training_hash": "0" * 64,
    }
    return Scorer(**given | changes)


def test_the_chance_is_the_logistic_of_the_weighted_standardised_features() -> None:
    # (3 - 1) / 2 * 0.5 + (1 - 0.5) / 0.25 * -1.5 - 2 = -4.5
    assert math.isclose(scorer().p_wrong((3, True)), 1 / (1 + math.exp(4.5)), rel_tol=1e-12)
    assert scorer(intercept=0.0).p_wrong((1.0, 0.5)) == 0.5  # at the means


@given(a=SIZES, b=SIZES, intercept=SIZES)
def test_it_is_a_chance_whatever_the_size(a: float, b: float, intercept: float) -> None:
    assert 0 <= scorer(intercept=intercept).p_wrong((a, b)) <= 1


def test_both_ends_are_reached_without_overflow() -> None:
    assert scorer(weights=(0.0, 0.0), intercept=-5000.0).p_wrong((0, 0)) == 0
    assert scorer(weights=(0.0, 0.0), intercept=5000.0).p_wrong((0, 0)) == 1
    tiny = scorer(weights=(0.0, 0.0), intercept=-700.0).p_wrong((0, 0))
    assert math.isclose(tiny, math.exp(-700), rel_tol=1e-12)


@given(low=st.floats(-50, 50), more=st.floats(0, 50), weight=st.floats(0.01, 10))
def test_more_of_what_speaks_for_an_error_never_lowers_it(low: float, more: float, weight: float) -> None:
    one = scorer(weights=(weight, 0.0))
    assert one.p_wrong((low, 0)) <= one.p_wrong((low + more, 0))


def test_it_survives_the_file() -> None:
    again = Scorer.model_validate_json(scorer().model_dump_json())
    assert again == scorer()
    assert again.p_wrong((3, 1)) == scorer().p_wrong((3, 1))


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": (1.0,)},
        {"means": (1.0, 2.0, 3.0)},
        {"scales": (1.0,)},
        {"scales": (1.0, 0.0)},
        {"weights": (1.0, math.nan)},
        {"intercept": math.inf},
        {"documents": {"real": -1}},
        {"training_hash": "abc"},
        {"surprise": 1},
    ],
)
def test_what_cannot_be_a_fit_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        scorer(**changes)


def test_features_of_another_number_are_refused() -> None:
    with pytest.raises(ValueError, match="1 values for 2 features"):
        scorer().p_wrong((1.0,))
