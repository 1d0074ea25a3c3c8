"""What two looks at the same ink are worth."""

from __future__ import annotations

import pytest

from extractor.model import Doubt
from extractor.sources.pages.scan.engine import Character
from extractor.sources.pages.scan.glyphs import Verdict
from extractor.sources.pages.scan.second_look import Look, choose_look, doubt_looks


def make_look(text: str, confidence: float) -> Look:
    return Look(tuple(Character(sign, confidence, 0.5) for sign in text), (0, 0, 10, 10))


def test_the_same_text_agrees_whatever_its_width_and_spaces() -> None:
    look, agree = choose_look(make_look("１２", 0.8), make_look("1 2", 0.99))
    assert (look.text, agree) == ("12", True)


def test_a_look_alike_is_the_digit_only_where_a_look_is_sure_of_the_digit() -> None:
    assert choose_look(make_look("I", 0.99), make_look("1", 0.95)) == (make_look("1", 0.95), True)
    look, agree = choose_look(make_look("I", 0.99), make_look("1", 0.6))
    assert (look.text, agree) == ("I", False)
    look, agree = choose_look(make_look("O", 0.9), make_look("o", 0.9))
    assert not agree
    assert look.text in ("O", "o")


def test_looks_that_differ_never_agree_and_the_surer_one_is_kept() -> None:
    look, agree = choose_look(make_look("559", 0.9), make_look("539", 0.99))
    assert (look.text, agree) == ("539", False)


def test_two_looks_that_read_nothing_do_not_agree() -> None:
    assert not choose_look(make_look("", 0.0), make_look("", 0.0))[1]


@pytest.mark.parametrize(
    ("first", "second", "verdict", "doubt"),
    [
        (0.99, 0.95, "unknown", None),
        (0.99, 0.80, "unknown", "unsure"),
        (0.94, 0.94, "unknown", "unsure"),
        (0.82, 0.60, "agrees", None),
        (0.75, 0.75, "agrees", "unsure"),
        (0.95, 0.30, "agrees", "unsure"),
        (0.99, 0.99, "differs", "looks_differ"),
    ],
)
def test_doubt_depends_on_both_looks_and_on_the_shapes(
    first: float, second: float, verdict: Verdict, doubt: Doubt | None
) -> None:
    assert doubt_looks(make_look("5", first), make_look("5", second), verdict) == doubt
    assert doubt_looks(make_look("5", second), make_look("5", first), verdict) == doubt
