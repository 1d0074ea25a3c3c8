"""Shapes of digits compared with the others of the page: drawn digits, no recognition."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from extractor.sources.pages.scan.glyphs import Shape, Shapes, compare_shapes, cut_symbols, has_bar_before, learn_shapes
from extractor.sources.pages.scan.ink import CellInk


def draw(text: str, seed: int) -> CellInk:
    """Ink of a number as find_cell_ink hands it over, with noise of its own."""
    dark = np.zeros((40, 40 + 16 * len(text)), np.uint8)
    for place, digit in enumerate(text):
        cv2.putText(dark, digit, (20 + 18 * place, 30), cv2.FONT_HERSHEY_COMPLEX, 0.7, 220, 1, cv2.LINE_AA)
    grain = np.random.default_rng(seed).normal(0, 12, dark.shape)
    dark = np.clip(cv2.GaussianBlur(dark, (0, 0), 0.7) + grain, 0, 255).astype(np.uint8)
    mask = np.asarray(cv2.GaussianBlur(dark, (0, 0), 0.8) > 55, np.uint8)
    height, width = dark.shape
    return CellInk("print", (0, 0, width, height), np.zeros((height, width, 3), np.uint8), dark, mask, (0, 0), False)


def learn(digits: str, times: int = 4) -> Shapes:
    samples: list[tuple[str, Shape]] = []
    for seed in range(times):
        for digit in digits:
            samples += [(digit, symbol) for symbol in cut_symbols(draw(digit, seed), 1)]
    return learn_shapes(samples)


def test_digits_agree_with_their_like() -> None:
    shapes = learn("0123456789")
    for seed, text in enumerate(["559", "1288", "0", "7", "3460"]):
        assert compare_shapes(text, cut_symbols(draw(text, 100 + seed), len(text)), shapes) == "agrees"


def test_a_wrong_reading_stands_out() -> None:
    shapes = learn("0123456789")
    printed = cut_symbols(draw("559", 100), 3)
    assert compare_shapes("539", printed, shapes) == "differs"
    assert compare_shapes("6", cut_symbols(draw("0", 101), 1), shapes) == "differs"


def test_one_misread_sample_does_not_spoil_the_mean() -> None:
    good = [("3", symbol) for seed in range(4) for symbol in cut_symbols(draw("3", seed), 1)]
    five = [("5", symbol) for seed in range(4) for symbol in cut_symbols(draw("5", seed), 1)]
    misread = [("3", symbol) for symbol in cut_symbols(draw("5", 9), 1)]
    shapes = learn_shapes([*good, *five, *misread])
    assert compare_shapes("3", cut_symbols(draw("5", 9), 1), shapes) == "differs"
    assert compare_shapes("3", cut_symbols(draw("3", 8), 1), shapes) == "agrees"


def test_a_digit_that_is_rare_on_the_page_cannot_be_told() -> None:
    shapes = learn("012")
    assert compare_shapes("7", cut_symbols(draw("7", 100), 1), shapes) != "agrees"
    assert learn("7", times=2).means == {}


def test_other_numbers_of_symbols_than_characters_cannot_be_compared() -> None:
    shapes = learn("0123456789")
    assert compare_shapes("5", cut_symbols(draw("55", 100), 2), shapes) == "unknown"


def test_a_stroke_for_not_applicable_is_no_1_even_where_1_is_rare() -> None:
    shapes = learn("0")
    assert compare_shapes("1", cut_symbols(draw("/", 100), 1), shapes) == "differs"
    assert compare_shapes("1", cut_symbols(draw("1", 100), 1), shapes) == "unknown"


@pytest.mark.parametrize(
    ("text", "is_minus"), [("-8", True), ("-11", True), ("8", False), ("18", False), ("4.5", False)]
)
def test_a_bar_in_front_of_digits_is_a_minus(text: str, is_minus: bool) -> None:
    for seed in range(5):
        assert has_bar_before(draw(text, seed)) == is_minus


def test_a_bar_below_the_digits_is_none() -> None:
    ink = draw(" 8", 0)
    ink.mask[34:36, 14:24] = 1
    assert not has_bar_before(ink)
