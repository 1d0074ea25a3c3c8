"""Cohen's kappa."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from extractor.review.agreement import measure_kappa

LETTERS = st.sampled_from("abc")


@given(st.lists(st.tuples(LETTERS, LETTERS), min_size=1, max_size=30))
def test_it_is_the_known_coefficient(pairs: list[tuple[str, str]]) -> None:
    kappa = measure_kappa(pairs)
    if kappa is None:
        assert len({letter for pair in pairs for letter in pair}) == 1
    else:
        first, second = zip(*pairs, strict=True)
        assert kappa == pytest.approx(cohen_kappa_score(first, second))


def test_nothing_says_nothing() -> None:
    assert measure_kappa([]) is None
    assert measure_kappa([("a", "a")] * 9) is None
