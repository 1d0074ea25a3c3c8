"""Running text of a page outside its tables: lines in reading order, their numbers looked at again where unsure.

Lives here: words into lines, the second look at lines with digits. Called by reader.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from extractor.model import Doubt
from extractor.sources.pages.scan.engine import Image, Reading, read_crops
from extractor.sources.pages.scan.ink import Sheet
from extractor.sources.pages.scan.second_look import SECOND, cut_view, fold
from extractor.sources.pages.scan.words import InkWord, bound, group_lines, split_numbers

_NUMBER = re.compile(r"[-−–—~～]?[0-9]+(?:[.,][0-9]+)*")
# A line is looked at again when a digit of it is less sure than that; letters are in doubt below.
_SURE_DIGIT, _FAIR_LETTER = 0.97, 0.5
_MORE_MARGIN = 0.15
# How high a line is beside its words: more where the page is bent.
_MOST_OF_A_WORD = 1.8


class RunningText(NamedTuple):
    """Lines from top to bottom, each of words from left to right; and how many lines were looked at again."""

    lines: list[list[InkWord]]
    looked_again: int


def read_running_text(sheet: Sheet, words: Sequence[InkWord]) -> list[list[InkWord]]:
    """Lines from top to bottom, each of words from left to right; numbers stand as words of their own."""
    again = [index for index, word in enumerate(words) if _has_unsure_digit(word)]
    readings = read_crops([_crop_again(sheet, words[index]) for index in again])
    second = dict(zip(again, readings, strict=True))
    looked = [part for index, word in enumerate(words) for part in _judge(word, second.get(index))]
    return [_doubt_jumbled(line) for line in group_lines(looked)]


def _doubt_jumbled(line: list[InkWord]) -> list[InkWord]:
    """The words of a line that is far higher than they are may be those of several: their order is unknown."""
    heights = sorted(word.box[3] - word.box[1] for word in line)
    _, top, _, bottom = bound(line)
    is_jumbled = bottom - top > _MOST_OF_A_WORD * heights[len(heights) // 2]
    return [word._replace(doubt=word.doubt or "structure") for word in line] if is_jumbled else line


def _has_unsure_digit(word: InkWord) -> bool:
    return any(character.text.isdigit() and character.confidence < _SURE_DIGIT for character in word.characters)


def _crop_again(sheet: Sheet, word: InkWord) -> Image:
    # The engine's regions have a margin already; above and below stand other lines.
    return cut_view(sheet.image, word.box, _MORE_MARGIN * (word.box[3] - word.box[1]), SECOND.blur)


def _judge(word: InkWord, again: Reading | None) -> list[InkWord]:
    parts = split_numbers(word)
    if again is None:
        return [part._replace(doubt=_doubt_letters(part)) for part in parts]
    said, seen = _NUMBER.findall(fold(word.text)), _NUMBER.findall(fold(again.text))
    numbers = [part for part in parts if any(character.text.isdigit() for character in part.characters)]
    doubts: dict[int, Doubt | None] = {}
    for index, part in enumerate(numbers):
        same = len(seen) == len(said) == len(numbers) and said[index] == seen[index]
        doubts[id(part)] = None if same else "looks_differ"
    return [part._replace(doubt=doubts.get(id(part), _doubt_letters(part))) for part in parts]


def _doubt_letters(part: InkWord) -> Doubt | None:
    return "unsure" if part.confidence < _FAIR_LETTER else None
