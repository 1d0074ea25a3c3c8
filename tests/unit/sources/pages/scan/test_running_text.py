"""Numbers of running text are looked at again where a digit is unsure; first looks are planted by hand."""

from __future__ import annotations

import cv2
import numpy as np

from extractor.sources.pages.scan.engine import Character
from extractor.sources.pages.scan.ink import measure_sheet
from extractor.sources.pages.scan.running_text import read_running_text
from extractor.sources.pages.scan.words import InkWord


def read(printed: str, seen: str, confidence: float) -> list[tuple[str, str | None]]:
    image = np.full((90, 360, 3), 255, np.uint8)
    cv2.putText(image, printed, (40, 55), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (20, 20, 20), 2, cv2.LINE_AA)
    width = cv2.getTextSize(printed, cv2.FONT_HERSHEY_SIMPLEX, 0.9, 2)[0][0]
    characters = tuple(Character(sign, confidence, (n + 0.5) / len(seen)) for n, sign in enumerate(seen))
    word = InkWord(characters, (34.0, 26.0, 46.0 + width, 64.0))
    lines = read_running_text(measure_sheet(image, 28.0), [word])
    return [(word.text, word.doubt) for line in lines for word in line]


def test_an_unsure_number_that_reads_the_same_again_is_without_doubt() -> None:
    assert read("No.2035", "No.2035", 0.8) == [("No.", None), ("2035", None)]


def test_an_unsure_number_that_reads_otherwise_is_in_doubt_and_the_text_beside_it_is_not() -> None:
    assert read("No.2035", "No.2835", 0.8) == [("No.", None), ("2835", "looks_differ")]


def test_sure_numbers_are_not_looked_at_again() -> None:
    assert read("No.2035", "No.2835", 0.99) == [("No.", None), ("2835", None)]


def test_a_minus_that_only_one_look_saw_is_a_doubt() -> None:
    assert read("-20.35", "20.35", 0.8) == [("20.35", "looks_differ")]
