"""Looks at cells with first looks planted by hand: what is drawn is known, what the first pass said is made up."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from extractor.model import UNREAD
from extractor.sources.pages.scan.cell_reader import ReadCell, read_cells
from extractor.sources.pages.scan.cells import CellWords
from extractor.sources.pages.scan.engine import Character
from extractor.sources.pages.scan.ink import PixelBox, measure_sheet
from extractor.sources.pages.scan.words import InkWord

LINE_HEIGHT = 28.0
SIZE = 60


def draw_row(numbers: list[str]) -> tuple[np.ndarray, list[PixelBox]]:
    """One row of square cells with their numbers, and the cells."""
    image = np.full((SIZE + 80, SIZE * len(numbers) + 80, 3), 255, np.uint8)
    boxes: list[PixelBox] = []
    for place, number in enumerate(numbers):
        left = 40 + SIZE * place
        cv2.rectangle(image, (left, 40), (left + SIZE, 40 + SIZE), (0, 0, 0), 2)
        cv2.putText(image, number, (left + 12, 78), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (20, 20, 20), 2, cv2.LINE_AA)
        boxes.append((left, 40.0, left + SIZE, 40.0 + SIZE))
    return image, boxes


def see(text: str, box: PixelBox, confidence: float = 0.99) -> CellWords:
    """As if the first pass had read `text` there."""
    if not text:
        return CellWords()
    left, top, _, bottom = box
    characters = tuple(Character(sign, confidence, (n + 0.5) / len(text)) for n, sign in enumerate(text))
    return CellWords([InkWord(characters, (left + 8, top + 14, left + 16 + 16 * len(text), bottom - 16))])


def read(printed: list[str], seen: list[str], image: np.ndarray | None = None) -> list[ReadCell]:
    drawn, boxes = draw_row(printed)
    sheet = measure_sheet(drawn if image is None else image, LINE_HEIGHT)
    placed = [see(text, box) for text, box in zip(seen, boxes, strict=True)]
    return read_cells(sheet, boxes, list(range(len(boxes))), placed).cells


def words_of(cell: ReadCell) -> list[tuple[str, str | None]]:
    return [(word.text, word.doubt) for line in cell.lines for word in line]


def test_a_first_look_that_the_ink_contradicts_is_in_doubt() -> None:
    wrong, right = read(["35", "46"], ["85", "46"])
    assert [doubt for _, doubt in words_of(wrong)] == ["looks_differ"]
    assert words_of(right) == [("46", None)]


def test_a_digit_that_the_first_pass_lost_is_noticed() -> None:
    (cell,) = read(["13"], ["1"])
    assert [doubt for _, doubt in words_of(cell)] == ["looks_differ"]


def test_a_letter_that_looks_like_a_digit_becomes_the_digit_that_is_printed() -> None:
    (cell,) = read(["10"], ["1O"])
    assert words_of(cell) == [("10", None)]


def test_ink_that_the_first_pass_did_not_see_is_read_and_stays_in_doubt() -> None:
    (cell,) = read(["72"], [""])
    assert [(text, bool(doubt)) for text, doubt in words_of(cell)] == [("72", True)]


def test_zeros_that_look_alike_need_no_second_look_and_one_that_does_not_is_in_doubt() -> None:
    printed = ["0", "0", "0", "0", "0", "0", "0", "6", "6", "6", "6"]
    seen = ["0", "0", "0", "0", "0", "0", "0", "6", "6", "6", "0"]
    cells = read(printed, seen)
    assert [words_of(cell) for cell in cells[:7]] == [[("0", None)]] * 7
    assert words_of(cells[-1]) == [("0", "looks_differ")]


def test_ink_that_is_no_character_is_neither_a_blank_nor_without_doubt() -> None:
    image, boxes = draw_row([""])
    left, top, _, _ = (round(edge) for edge in boxes[0])
    cv2.ellipse(image, (left + 30, top + 30), (20, 6), 20, 0, 360, (60, 60, 60), -1)
    (cell,) = read([""], [""], image)
    assert [(text == UNREAD or doubt is not None) for text, doubt in words_of(cell)] == [True]


@pytest.mark.parametrize(("traces", "is_doubted"), [(1, False), (3, True)])
def test_where_many_empty_cells_show_traces_none_is_called_empty(traces: int, is_doubted: bool) -> None:
    printed = ["0"] * 4 + [""] * 8
    image, boxes = draw_row(printed)
    for box in boxes[4 : 4 + traces]:
        cv2.circle(image, (round(box[0]) + 30, round(box[1]) + 30), 4, (205, 205, 205), -1)
    cells = read(printed, printed, image)
    assert [cell.doubt for cell in cells[4 : 4 + traces]] == ["faint"] * traces
    assert [cell.doubt for cell in cells[4 + traces :]] == ["faint" if is_doubted else None] * (8 - traces)
