"""Words into cells: geometry only, no image."""

from __future__ import annotations

from extractor.sources.pages.scan.cells import place_words
from extractor.sources.pages.scan.engine import Character
from extractor.sources.pages.scan.words import InkWord

# Two rows of three cells, each 100 wide and 40 high.
CELLS = [(x, y, x + 100.0, y + 40.0) for y in (0.0, 40.0) for x in (0.0, 100.0, 200.0)]


def make_word(text: str, box: tuple[float, float, float, float]) -> InkWord:
    """Characters evenly over the box."""
    return InkWord(tuple(Character(sign, 0.9, (n + 0.5) / len(text)) for n, sign in enumerate(text)), box)


def texts(words: list[InkWord]) -> list[str]:
    return [word.text for word in words]


def test_a_word_goes_to_the_cell_it_stands_in_though_its_region_touches_the_next() -> None:
    placed, outside = place_words([make_word("3119", (30, 5, 104, 35))], CELLS)
    assert texts(placed[0].words) == ["3119"]
    assert not any(cell.is_cut for cell in placed)
    assert outside == []


def test_a_word_over_two_cells_is_cut_at_its_characters() -> None:
    placed, _ = place_words([make_word("12 34", (40, 8, 160, 32))], CELLS)
    assert [texts(cell.words) for cell in placed[:3]] == [["12"], ["34"], []]
    assert [cell.is_cut for cell in placed[:3]] == [True, True, False]
    left, right = placed[0].words[0].box, placed[1].words[0].box
    assert left[2] <= right[0]


def test_a_word_over_two_rows_is_given_up_and_its_cells_marked() -> None:
    placed, _ = place_words([make_word("8", (40, 5, 60, 75))], CELLS)
    assert [cell.is_cut for cell in placed] == [True, False, False, True, False, False]
    assert not any(cell.words for cell in placed)


def test_a_narrow_digit_beside_a_rule_is_not_lost() -> None:
    placed, outside = place_words([make_word("1", (97, 8, 107, 32))], CELLS)
    assert sum(len(cell.words) for cell in placed) == 1
    assert outside == []


def test_a_word_outside_all_cells_stays_outside() -> None:
    word = make_word("第四部分", (20, 120, 180, 150))
    assert place_words([word], CELLS)[1] == [word]
