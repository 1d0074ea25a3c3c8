"""Words into the cells of a table: which word stands in which cell, and which words had to be cut for it.

Lives here: geometry in pixels of the straight page. Does not live here: rules (rules), trust (second_look), ink (ink).
Called by reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from extractor.sources.pages.scan.ink import PixelBox
from extractor.sources.pages.scan.words import InkWord, cut_word

# A word reaches into a cell when it covers that many of the word's own heights (across) or parts of its height (down).
_REACH_ACROSS = 0.45
_REACH_DOWN = 0.4


@dataclass(slots=True)
class CellWords:
    """What the first pass saw in a cell. `is_cut`: words of several cells were one region, so its reading is weak."""

    words: list[InkWord] = field(default_factory=list)
    is_cut: bool = False


def place_words(words: Sequence[InkWord], cells: Sequence[PixelBox]) -> tuple[list[CellWords], list[InkWord]]:
    """Puts words into cells; all boxes in pixels.

    A word over several cells of a row is cut at its characters; one over several rows is given up, and its cells are
    marked to be read singly.

    Returns:
        What stands in each cell (as `cells` are ordered), and the words that stand in none.
    """
    placed = [CellWords() for _ in cells]
    outside: list[InkWord] = []
    for word in words:
        touched = [number for number, cell in enumerate(cells) if _reaches_into(word, cell)]
        if not touched:
            outside.append(word)
        elif len(touched) == 1:
            placed[touched[0]].words.append(word)
        elif _is_over_rows(word, [cells[number] for number in touched]):
            for number in touched:
                placed[number].is_cut = True
        else:
            _share_out(word, touched, cells, placed)
    return placed, outside


def _reaches_into(word: InkWord, cell: PixelBox) -> bool:
    left, top, right, bottom = word.box
    across = min(right, cell[2]) - max(left, cell[0])
    down = min(bottom, cell[3]) - max(top, cell[1])
    height = bottom - top
    return across > min(_REACH_ACROSS * height, 0.5 * (right - left)) and down > _REACH_DOWN * height


def _is_over_rows(word: InkWord, cells: Sequence[PixelBox]) -> bool:
    return any(
        min(one[2], other[2]) - max(one[0], other[0]) > 0.5 * min(one[2] - one[0], other[2] - other[0])
        for number, one in enumerate(cells)
        for other in cells[number + 1 :]
    )


def _share_out(word: InkWord, touched: Sequence[int], cells: Sequence[PixelBox], placed: list[CellWords]) -> None:
    left, _, right, _ = word.box
    owners = []
    for character in word.characters:
        x = left + character.middle * (right - left)
        owners.append(min(touched, key=lambda number: max(cells[number][0] - x, x - cells[number][2], 0.0)))
    for number in touched:
        placed[number].is_cut = True
        mine = [index for index, owner in enumerate(owners) if owner == number]
        part = cut_word(word, mine[0], mine[-1] + 1) if mine else None
        if part is not None and part.characters:
            placed[number].words.append(part)
