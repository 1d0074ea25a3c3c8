"""Parts of words and lines of words: geometry, and drawn blocks for characters."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from extractor.sources.pages.scan.engine import Character
from extractor.sources.pages.scan.words import InkWord, cut_column, cut_word, group_lines, split_numbers


def make_word(text: str, box: tuple[float, float, float, float], confidences: list[float] | None = None) -> InkWord:
    """Characters evenly over the box."""
    sure = confidences or [0.9] * len(text)
    return InkWord(tuple(Character(sign, sure[n], (n + 0.5) / len(text)) for n, sign in enumerate(text)), box)


def test_numbers_stand_as_words_of_their_own_with_their_part_of_the_box() -> None:
    parts = split_numbers(make_word("收到12件", (0, 0, 100, 20)))
    assert [part.text for part in parts] == ["收到", "12", "件"]
    assert [part.box for part in parts] == [(0, 0, 40, 20), (40, 0, 80, 20), (80, 0, 100, 20)]


def test_a_number_with_its_point_and_percent_sign_stays_whole() -> None:
    assert [part.text for part in split_numbers(make_word("占96.5%。", (0, 0, 90, 20)))] == ["占", "96.5%", "。"]


def test_no_part_begins_or_ends_with_white_space() -> None:
    assert [part.text for part in split_numbers(make_word("共 12 件", (0, 0, 60, 20)))] == ["共", "12", "件"]
    assert cut_word(make_word(" 7 ", (0, 0, 30, 20)), 0, 3).text == "7"


def test_confidence_is_that_of_the_weakest_letter_and_marks_do_not_count() -> None:
    assert make_word("（12", (0, 0, 30, 20), [0.2, 0.95, 0.6]).confidence == 0.6


def test_lines_are_made_from_top_to_bottom_and_each_from_left_to_right() -> None:
    words = [
        make_word("c", (10, 42, 20, 62)),
        make_word("b", (50, 9, 60, 31)),
        make_word("a", (10, 12, 20, 32)),
        make_word("d", (50, 38, 60, 58)),
    ]
    assert [[word.text for word in line] for line in group_lines(words)] == [["a", "b"], ["c", "d"]]


def draw_column(heights: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Blocks from and to such rows, all 30 wide, and the region around them."""
    image = np.full((300, 100, 3), 255, np.uint8)
    for top, bottom in heights:
        cv2.rectangle(image, (32, top), (58, bottom), (0, 0, 0), -1)
    return image, np.array([[30, 20], [62, 20], [62, 260], [30, 260]], dtype=np.float32)


def test_a_column_is_cut_into_its_characters_each_whole() -> None:
    # The second one is of two strokes with a gap, as 二 is.
    image, region = draw_column([(30, 58), (75, 80), (95, 100), (115, 142), (160, 187)])
    parts = cut_column(image, region)
    assert [part[0][1] for part in parts] == pytest.approx([30, 75, 115, 160], abs=4)
    assert [part[2][1] for part in parts] == pytest.approx([58, 100, 142, 187], abs=4)


def test_one_narrow_digit_is_no_column() -> None:
    image = np.full((100, 60, 3), 255, np.uint8)
    cv2.line(image, (25, 20), (25, 52), (0, 0, 0), 3)
    region = np.array([[18, 14], [33, 14], [33, 58], [18, 58]], dtype=np.float32)
    assert len(cut_column(image, region)) == 1
