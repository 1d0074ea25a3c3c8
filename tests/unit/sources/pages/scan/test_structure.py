"""The second opinion on cells: words against rules. Geometry only, no image."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from extractor.sources.pages.scan.rules import RuledCell, RuledTable
from extractor.sources.pages.scan.structure import doubt_structure
from extractor.sources.pages.shapes import Word

SURE = (1.0, 1.0, 1.0, 1.0)
WIDE, HIGH, TEXT = 100.0, 40.0, 20.0


def make_table(places: Sequence[tuple[int, int, int, int]], xs: Sequence[float], ys: Sequence[float]) -> RuledTable:
    cells = tuple(
        RuledCell(row, column, down, across, (xs[column], ys[row], xs[column + across], ys[row + down]), SURE, 1.0)
        for row, column, down, across in sorted(places)
    )
    return RuledTable((xs[0], ys[0], xs[-1], ys[-1]), tuple(xs), tuple(ys), cells)


def make_grid(rows: int, columns: int) -> RuledTable:
    places = [(row, column, 1, 1) for row in range(rows) for column in range(columns)]
    return make_table(places, [n * WIDE for n in range(columns + 1)], [n * HIGH for n in range(rows + 1)])


def put(text: str, row: float, column: float) -> Word:
    """In the middle of a slot; halves stand between two."""
    x, y, half = (column + 0.5) * WIDE, (row + 0.5) * HIGH, len(text) * TEXT * (0.25 if text.isdigit() else 0.5)
    return Word(text, (x - half, y - TEXT / 2, x + half, y + TEXT / 2), 0.99)


def fill(rows: int, columns: int) -> list[Word]:
    """Labels in the first column, numbers in the others."""
    labels = [put("总计", row, 0) for row in range(rows)]
    return labels + [put(str(7 * row * column), row, column) for row in range(rows) for column in range(1, columns)]


def join(table: RuledTable, *indexes: int) -> RuledTable:
    """The table with some cells made one, as if the rules between them were lost."""
    joined = [table.cells[index] for index in indexes]
    first = joined[0]
    down = max(cell.row + cell.row_span for cell in joined) - first.row
    across = max(cell.column + cell.column_span for cell in joined) - first.column
    rest = [cell[:4] for number, cell in enumerate(table.cells) if number not in indexes]
    return make_table([*rest, (first.row, first.column, down, across)], table.columns, table.rows)


def find(table: RuledTable, row: int, column: int) -> int:
    return next(number for number, cell in enumerate(table.cells) if cell[:2] == (row, column))


def test_a_clean_table_is_not_doubted() -> None:
    assert doubt_structure(make_grid(5, 5), fill(5, 5)) == frozenset()


def test_blanks_and_numbers_of_any_length_are_not_doubted() -> None:
    words = [word for word in fill(6, 5) if word.text not in {"7", "14"}]
    words[8] = put("984361", 1, 2)
    assert doubt_structure(make_grid(6, 5), words) == frozenset()


def test_numbers_at_the_right_of_their_cells_are_not_doubted() -> None:
    words = fill(6, 5)
    moved = [
        word._replace(box=(word.box[0] + shift, word.box[1], word.box[2] + shift, word.box[3]))
        for word in words
        for shift in [0.0 if word.text == "总计" else (word.box[0] // WIDE + 1) * WIDE - 5 - word.box[2]]
    ]
    assert doubt_structure(make_grid(6, 5), moved) == frozenset()


def test_a_cell_with_a_doubtful_border_is_doubted() -> None:
    table = make_grid(2, 2)
    doubtful = table.cells[1]._replace(borders=(0.6, 1.0, 1.0, 1.0))
    cells = (table.cells[0], doubtful, *table.cells[2:])
    assert doubt_structure(table._replace(cells=cells), fill(2, 2)) == {1}


@pytest.mark.parametrize("offset", [1, 5])
def test_a_lost_rule_between_two_numbers(offset: int) -> None:
    table = make_grid(5, 5)
    joined = join(table, 12, 12 + offset)
    assert find(joined, 2, 2) in doubt_structure(joined, fill(5, 5))


@pytest.mark.parametrize("offset", [1, 5])
def test_a_lost_rule_between_a_number_and_a_blank(offset: int) -> None:
    table = make_grid(5, 5)
    joined = join(table, 12, 12 + offset)
    words = [word for word in fill(5, 5) if word.text != "28" or word.box[0] > 3 * WIDE]
    assert find(joined, 2, 2) in doubt_structure(joined, words)


def test_two_numbers_read_as_one_word() -> None:
    joined = join(make_grid(5, 5), 12, 13)
    words = [word for word in fill(5, 5) if (word.box[1] // HIGH, word.box[0] // WIDE) not in {(2, 2), (2, 3)}]
    words.append(Word("2842", (240, 90, 370, 110), 0.99))
    assert find(joined, 2, 2) in doubt_structure(joined, words)


def test_a_word_across_a_rule() -> None:
    words = [*fill(5, 5)[:-1], put("1234", 2, 2.5)]
    assert {12, 13} <= doubt_structure(make_grid(5, 5), words)


def test_a_lost_rule_between_two_labels() -> None:
    joined = join(make_grid(5, 5), 5, 10)
    assert find(joined, 1, 0) in doubt_structure(joined, fill(5, 5))


@pytest.mark.parametrize("labels", [["国家秘密", "禁止公开", "安全稳定"], []])
def test_a_label_over_several_rows_is_that_of_a_group_where_their_labels_stand_beside_it(labels: list[str]) -> None:
    joined = join(make_grid(5, 5), 5, 10, 15)
    words = [word for word in fill(5, 5) if not (word.box[0] < 2 * WIDE and HIGH < word.box[1] < 4 * HIGH)]
    words += [put(label, row, 1) for row, label in enumerate(labels, start=1)]
    words += [] if labels else [put(str(row), row, 1) for row in range(1, 4)]
    doubted = doubt_structure(joined, [*words, put("不予公开", 2, 0)])
    assert doubted == (frozenset() if labels else {find(joined, 1, 0)})


def test_a_heading_over_columns_and_its_value_are_not_doubted() -> None:
    table = join(make_grid(5, 4), 1, 2, 3)
    table = join(table, find(table, 1, 1), find(table, 1, 2), find(table, 1, 3))
    words = [*fill(5, 4)[:5], put("本年收费金额", 0, 2), put("447228", 1, 2)]
    words += [put("0", row, column) for row in range(2, 5) for column in range(1, 4)]
    assert doubt_structure(table, words) == frozenset()


def test_a_scratch_taken_for_a_rule() -> None:
    xs = [0.0, 100.0, 200.0, 300.0, 330.0, 400.0]
    table = make_table([(r, c, 1, 1) for r in range(5) for c in range(5)], xs, [n * HIGH for n in range(6)])
    words = [put("总计", row, 0) for row in range(5)]
    words += [put("0", row, column) for row in range(5) for column in (1, 2)]
    words += [Word("0", (360, row * HIGH + 10, 370, row * HIGH + 30), 0.99) for row in range(5)]
    doubted = doubt_structure(table, words)
    assert {find(table, row, column) for row in range(5) for column in (3, 4)} <= doubted


def test_a_number_off_its_usual_place() -> None:
    table = make_grid(5, 5)
    words = [put("5", 2, 2.3) if word == put("28", 2, 2) else word for word in fill(5, 5)]
    assert 12 in doubt_structure(table, words)
