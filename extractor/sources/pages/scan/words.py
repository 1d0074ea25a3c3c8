"""Words of ink in pixels: the first pass over a page, parts of words, and lines of them.

Lives here: what the engine found as words with boxes, columns of characters one below the other, cutting a word at its
characters, putting words into lines. Does not live here: tables (cells), trust (second_look). Called by reader, cells.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from extractor.model import Doubt
from extractor.sources.pages.scan.engine import Character, Image, Quad, Reading, cut_region, find_regions, read_crops
from extractor.sources.pages.scan.ink import PixelBox

# A region that much higher than wide holds characters below one another, unless it is one narrow digit.
_UPRIGHT = 1.6
_NUMBERS = re.compile(r"[0-9０-９][0-9０-９.,．，%％]*|[^0-9０-９]+")


class InkWord(NamedTuple):
    """Characters that stand together; `box` in pixels of the straight page. No characters: ink without a reading."""

    characters: tuple[Character, ...]
    box: PixelBox
    doubt: Doubt | None = None

    @property
    def text(self) -> str:
        """The characters in order."""
        return "".join(character.text for character in self.characters)

    @property
    def confidence(self) -> float:
        """That of the least certain letter or digit; of the least certain mark where there are only marks."""
        letters = [character.confidence for character in self.characters if character.text.isalnum()]
        return min(letters or [character.confidence for character in self.characters] or [0.0])

    @property
    def middle(self) -> tuple[float, float]:
        """Of the box: x, y."""
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2


def find_ink_words(image: Image) -> list[InkWord]:
    """First pass over a straight page: every region of text, each column of characters cut into its characters."""
    quads = [part for quad in find_regions(image) for part in cut_column(image, quad)]
    readings = read_crops([cut_region(image, quad) for quad in quads])
    return [_to_word(reading, quad) for reading, quad in zip(readings, quads, strict=True)]


def _to_word(reading: Reading, quad: Quad) -> InkWord:
    left, top = (float(value) for value in quad.min(axis=0))
    right, bottom = (float(value) for value in quad.max(axis=0))
    return InkWord(reading.characters, (left, top, right, bottom))


def cut_column(image: Image, quad: Quad) -> list[Quad]:
    """The regions of the characters of a column, from top to bottom; the region itself where it is no column."""
    crop = cut_region(image, quad)
    height, width = crop.shape[:2]
    if height < _UPRIGHT * width:
        return [quad]
    gray = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    _, mask = cv2.threshold(gray, 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    pieces = _find_pieces(np.flatnonzero(mask.any(axis=1)), width)
    if len(pieces) < 2:
        return [quad]
    down_left, down_right = (quad[3] - quad[0]) / height, (quad[2] - quad[1]) / height
    margin = 0.06 * width
    return [
        np.array(
            [
                quad[0] + down_left * max(0, top - margin),
                quad[1] + down_right * max(0, top - margin),
                quad[1] + down_right * min(height, bottom + margin),
                quad[0] + down_left * min(height, bottom + margin),
            ],
            dtype=np.float32,
        )
        for top, bottom in pieces
    ]


def _find_pieces(rows: np.ndarray[tuple[int], np.dtype[np.intp]], width: int) -> list[tuple[int, int]]:
    """Runs of inked rows, joined while they make up at most one character as high as the column is wide."""
    if not rows.size:
        return []
    breaks = np.flatnonzero(np.diff(rows) > 1)
    runs = list(zip(rows[np.r_[0, breaks + 1]].tolist(), (rows[np.r_[breaks, -1]] + 1).tolist(), strict=True))
    pieces = [runs[0]]
    for top, bottom in runs[1:]:
        if bottom - pieces[-1][0] <= width:
            pieces[-1] = (pieces[-1][0], bottom)
        else:
            pieces.append((top, bottom))
    return pieces


def cut_word(word: InkWord, first: int, last: int) -> InkWord:
    """Characters `first` to `last` (half-open) of a word that runs from left to right, with their part of its box."""
    left, top, right, bottom = word.box
    middles = [character.middle for character in word.characters]
    edges = [0.0, *((a + b) / 2 for a, b in pairwise(middles)), 1.0]
    characters = word.characters[first:last]
    while characters and characters[0].text.isspace():
        characters, first = characters[1:], first + 1
    while characters and characters[-1].text.isspace():
        characters, last = characters[:-1], last - 1
    width = right - left
    return InkWord(characters, (left + edges[first] * width, top, left + edges[last] * width, bottom), word.doubt)


def split_numbers(word: InkWord) -> list[InkWord]:
    """The word's numbers and what stands between them, each as a word: a doubt about one is not one about all."""
    parts = [cut_word(word, found.start(), found.end()) for found in _NUMBERS.finditer(word.text)]
    return [part for part in parts if part.characters] or [word]


def group_lines(words: Sequence[InkWord]) -> list[list[InkWord]]:
    """Words into printed lines from top to bottom, the words of a line from left to right."""
    lines: list[list[InkWord]] = []
    for word in sorted(words, key=lambda word: (word.middle[1], word.box[0])):
        if lines and _is_beside(lines[-1], word):
            lines[-1].append(word)
        else:
            lines.append([word])
    return [sorted(line, key=lambda word: word.box[0]) for line in lines]


def _is_beside(line: Sequence[InkWord], word: InkWord) -> bool:
    """Whether the middle of each stands within the other, so that two lines set close are not taken for one."""
    top = sum(other.box[1] for other in line) / len(line)
    bottom = sum(other.box[3] for other in line) / len(line)
    return top < word.middle[1] < bottom and word.box[1] < (top + bottom) / 2 < word.box[3]


def bound(words: Sequence[InkWord]) -> PixelBox:
    """The box around words."""
    return (
        min(word.box[0] for word in words),
        min(word.box[1] for word in words),
        max(word.box[2] for word in words),
        max(word.box[3] for word in words),
    )
