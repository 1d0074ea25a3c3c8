"""The engine as wrapped: loaded from the package alone, nothing left out, places of the single characters."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from extractor.errors import MissingProgram
from extractor.sources.pages.scan.engine import check_models, cut_region, find_words, read_crops, recognise


def draw_line(text: str, size: tuple[int, int] = (60, 260)) -> np.ndarray:
    image = np.full((*size, 3), 255, np.uint8)
    cv2.putText(image, text, (20, 42), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (0, 0, 0), 2, cv2.LINE_AA)
    return image


def test_models_that_are_not_in_the_package_are_named_and_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(MissingProgram, match=r"PP-OCRv6_det_small\.onnx.*nothing is downloaded") as caught:
        check_models(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert not any(tmp_path.iterdir())


def test_crops_are_read_in_the_order_given_though_batched_by_width() -> None:
    crops = [draw_line("20459"), draw_line("7", (60, 60)), draw_line("831", (60, 120))]
    assert [text for text, _ in recognise(crops)] == ["20459", "7", "831"]
    assert recognise([]) == []


def test_a_crop_without_text_reads_as_nothing() -> None:
    assert recognise([np.full((48, 96, 3), 255, np.uint8)]) == [("", 0.0)]


def test_confidence_is_the_least_of_the_characters_and_middles_run_from_left_to_right() -> None:
    reading = read_crops([draw_line("20459")])[0]
    assert reading.confidence == min(character.confidence for character in reading.characters)
    middles = [character.middle for character in reading.characters]
    assert middles == sorted(middles)
    # Drawn from x = 20 of 260, each digit some 22 pixels wide.
    assert middles == pytest.approx([(20 + 22 * (n + 0.5)) / 260 for n in range(5)], abs=0.05)


def test_words_are_found_with_their_corners() -> None:
    image = np.full((300, 500, 3), 255, np.uint8)
    image[100:160, 150:410] = draw_line("20459")
    words = find_words(image)
    assert [word.reading.text for word in words] == ["20459"]
    (left, top), (right, bottom) = words[0].quad.min(axis=0), words[0].quad.max(axis=0)
    assert (left, top, right, bottom) == pytest.approx((170, 117, 281, 143), abs=12)
    cut = cut_region(image, words[0].quad)
    assert cut.shape[:2] == pytest.approx((bottom - top, right - left), abs=2)


def test_an_empty_page_has_no_words() -> None:
    assert find_words(np.full((300, 400, 3), 255, np.uint8)) == []
