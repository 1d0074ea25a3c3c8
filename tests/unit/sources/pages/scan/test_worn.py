"""Worn edges between words: what is closed, and what stays open. Lines and boxes only, no image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from extractor.model import Box
from extractor.sources.pages.scan.grid import Floats, GridLine
from extractor.sources.pages.scan.worn import close_worn_edges
from extractor.sources.pages.shapes import Word

WIDE, HIGH, TEXT = 100.0, 40.0, 20.0
ROWS, COLUMNS = 6, 5


def line(place: float) -> GridLine:
    return GridLine(np.array([0.0, 1000.0]), np.array([place, place]))


LINES = [line(n * HIGH) for n in range(ROWS + 1)], [line(n * WIDE) for n in range(COLUMNS + 1)]


def put(text: str, row: float, column: float, width: float | None = None) -> Word:
    """In the middle of a slot; halves stand between two."""
    x, y, half = (column + 0.5) * WIDE, (row + 0.5) * HIGH, (width or 12.0 * len(text)) / 2
    box: Box = (x - half, y - TEXT / 2, x + half, y + TEXT / 2)
    return Word(text, box, 0.99)


def fill(without: Sequence[tuple[int, int]] = ()) -> list[Word]:
    """A heading over each column, a label in front of each row, numbers."""
    words = [put("机构", 0, column) for column in range(1, COLUMNS)] + [put("重复", row, 0) for row in range(1, ROWS)]
    words += [put("0", row, column) for row in range(1, ROWS) for column in range(1, COLUMNS)]
    return [word for word in words if (int(word.box[1] // HIGH), int(word.box[0] // WIDE)) not in without]


def close(
    words: Sequence[Word], row_ink: Floats | None = None, column_ink: Floats | None = None
) -> tuple[Floats, Floats]:
    whole = np.ones((ROWS + 1, COLUMNS)), np.ones((COLUMNS + 1, ROWS))
    given = (whole[0] if row_ink is None else row_ink), (whole[1] if column_ink is None else column_ink)
    return close_worn_edges(*LINES, *given, words)


def wear(shape: tuple[int, int], *edges: tuple[int, int], ink: float = 0.2) -> Floats:
    worn = np.ones(shape)
    for edge in edges:
        worn[edge] = ink
    return worn


def wear_column(*edges: tuple[int, int], ink: float = 0.2) -> Floats:
    return wear((COLUMNS + 1, ROWS), *edges, ink=ink)


def wear_row(*edges: tuple[int, int], ink: float = 0.2) -> Floats:
    return wear((ROWS + 1, COLUMNS), *edges, ink=ink)


@pytest.mark.parametrize("edge", [(2, 3), (1, 2), (3, 0)], ids=["numbers", "label and number", "headings"])
@pytest.mark.parametrize("ink", [0.0, 0.7])
def test_a_worn_rule_between_two_words_beside_each_other_is_closed(edge: tuple[int, int], ink: float) -> None:
    _, closed = close(fill(), column_ink=wear_column(edge, ink=ink))
    assert closed[edge] == 1.0


@pytest.mark.parametrize("edge", [(3, 2), (1, 2), (3, 0)], ids=["numbers", "heading and number", "labels"])
def test_a_worn_rule_between_two_words_above_each_other_is_closed(edge: tuple[int, int]) -> None:
    closed, _ = close(fill(), row_ink=wear_row(edge))
    assert closed[edge] == 1.0


def test_where_a_side_is_empty_nothing_is_known() -> None:
    words = fill(without=[(3, 2)])
    for edge in ((2, 3), (3, 3)):
        assert close(words, column_ink=wear_column(edge))[1][edge] == 0.2
    for edge in ((3, 2), (4, 2)):
        assert close(words, row_ink=wear_row(edge))[0][edge] == 0.2


def test_a_word_across_the_line_keeps_it_open() -> None:
    words = [*fill(without=[(0, 1), (0, 2)]), put("法人或其他组织", 0, 1.5, width=150)]
    assert close(words, column_ink=wear_column((2, 0)))[1][2, 0] == 0.2
    words = [*fill(without=[(2, 0), (3, 0)]), put("不予处理", 2.5, 0)]
    assert close(words, row_ink=wear_row((3, 0)))[0][3, 0] == 0.2


def test_lines_of_one_label_are_not_torn_apart() -> None:
    """The name of a group of rows stands in front of their labels, not of numbers."""
    words = [word for word in fill() if word.box[0] > 2 * WIDE]
    words += [put("不予", 2, 0), put("公开", 3, 0), *(put("重复", row, 1) for row in range(1, ROWS))]
    assert close(words, row_ink=wear_row((3, 0)))[0][3, 0] == 0.2
    assert close(words, row_ink=wear_row((3, 1)))[0][3, 1] == 1.0


def test_a_line_that_hardly_is_one_anywhere_closes_nothing() -> None:
    scratch = wear_column(*((2, row) for row in range(ROWS) if row != 4))
    assert close(fill(), column_ink=scratch)[1] == pytest.approx(scratch)
