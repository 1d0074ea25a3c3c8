"""The second look: ink read once more from another image of it, and what two looks together are worth.

Lives here: the crops of the second look, comparing looks, the doubt that remains. Does not live here: which cells are
looked at twice (cell_reader).

One model looks twice, so the second image must differ where the model errs. Tried on 193 synthetic cells at six
damages: the first pass (margin 0.3 of the height, sharp) read `3050` as `3060`, `454` as `154`, `3001` as `300`, each
sure above 0.95. Binarised, stretched, enlarged or inverted crops repeat such errors or make more of their own. Margins
of 0.45 and 0.6 with a blur of about one pixel repeated one of them, unsure (0.62), and read most right; SECOND lies
between the two. The levels of confidence below were set by hand on such pages, not fitted, and are no probabilities.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from extractor.model import Doubt
from extractor.sources.pages.scan.engine import Character, Image, read_crops
from extractor.sources.pages.scan.glyphs import Verdict
from extractor.sources.pages.scan.ink import CellInk, PixelBox

# What two agreeing looks must be sure of, the better and the worse one: where the shapes of the digits agree with them
# (glyphs), and where they cannot be compared.
_SURE_WITH_SHAPES, _SURE_ALONE = (0.8, 0.5), (0.97, 0.9)
_SURE = 0.9
# Marks that the engine reads where a digit stands.
LOOK_ALIKES = str.maketrans(
    {"I": "1", "l": "1", "|": "1", "!": "1", "丨": "1", "O": "0", "o": "0", "〇": "0", "。": "0"}
)


class View(NamedTuple):
    """How ink is shown to the engine: the margin around it in parts of its height, and the blur in pixels (sigma)."""

    margin: float
    blur: float


#: Of the second look, and of the look that stands in for a first one that was spoilt (much like the first pass).
SECOND, INSTEAD_OF_FIRST = View(0.5, 0.9), View(0.3, 0.0)


class Look(NamedTuple):
    """One reading of the ink of a cell or line: its characters and the box of the ink."""

    characters: tuple[Character, ...]
    box: PixelBox

    @property
    def text(self) -> str:
        """The characters in order, without white space."""
        return fold("".join(character.text for character in self.characters))

    @property
    def confidence(self) -> float:
        """That of the least certain character."""
        return min((character.confidence for character in self.characters), default=0.0)


def fold(text: str) -> str:
    """As looks are compared: of one width, without white space."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def choose_look(first: Look, second: Look) -> tuple[Look, bool]:
    """The better of two looks, and whether they say the same."""
    better = first if first.confidence >= second.confidence else second
    if first.text == second.text:
        return better, bool(better.characters)
    if first.text.translate(LOOK_ALIKES) == second.text.translate(LOOK_ALIKES):
        # The same shapes: a digit where one of the looks says the digit, and is sure of it.
        digits = first if first.text.isdigit() else second
        if digits.text.isdigit() and digits.confidence >= _SURE:
            return digits, True
    return better, False


def doubt_looks(first: Look, second: Look, verdict: Verdict) -> Doubt | None:
    """What doubt two looks that say the same leave, given what the shapes of the digits say."""
    if verdict == "differs":
        return "looks_differ"
    better, worse = _SURE_WITH_SHAPES if verdict == "agrees" else _SURE_ALONE
    confidences = sorted((first.confidence, second.confidence))
    return None if confidences[1] >= better and confidences[0] >= worse else "unsure"


class Sight(NamedTuple):
    """What to look at: the ink of a cell, and where the first pass saw words in it (None: nowhere)."""

    ink: CellInk
    seen: PixelBox | None


def look_at_ink(sights: Sequence[Sight], line_height: float, view: View) -> list[list[Look]]:
    """Reads the print inside cells, line by line: for every cell its lines from top to bottom."""
    crops: list[Image] = []
    boxes: list[list[PixelBox]] = []
    for sight in sights:
        lines = _find_ink_lines(sight, line_height)
        boxes.append(lines)
        crops += [_make_crop(sight.ink, line, line_height, view) for line in lines]
    readings = iter(read_crops(crops))
    return [[Look(next(readings).characters, box) for box in lines] for lines in boxes]


def _find_ink_lines(sight: Sight, line_height: float) -> list[PixelBox]:
    """Boxes of the printed lines of a cell, in pixels of the page."""
    left, top = sight.ink.origin
    mask = sight.ink.mask > 0
    rows = np.flatnonzero(mask.any(axis=1))
    if not rows.size:
        return [] if sight.seen is None else [_shrink(sight.seen)]
    breaks = [0, *(index + 1 for index, (a, b) in enumerate(pairwise(rows.tolist())) if b > a + 1), len(rows)]
    lines: list[tuple[int, int]] = []
    for start, end in ((int(rows[a]), int(rows[b - 1]) + 1) for a, b in pairwise(breaks)):
        # Parts of one line (dots, broken strokes) stand within the height of a line.
        if lines and end - lines[-1][0] <= line_height:
            lines[-1] = (lines[-1][0], end)
        else:
            lines.append((start, end))
    boxes: list[PixelBox] = []
    for start, end in lines:
        columns = np.flatnonzero(mask[start:end].any(axis=0))
        boxes.append((left + int(columns[0]), top + start, left + int(columns[-1]) + 1, top + end))
    if len(boxes) == 1 and sight.seen is not None:
        boxes = [_widen(boxes[0], sight.seen)]
    return boxes


def _shrink(seen: PixelBox) -> PixelBox:
    """Where the print is within a region of the first pass, which has a margin."""
    inward = 0.2 * (seen[3] - seen[1])
    return seen[0] + inward, seen[1] + inward, seen[2] - inward, seen[3] - inward


def _widen(box: PixelBox, seen: PixelBox) -> PixelBox:
    """The ink, and what the first pass saw beyond it: faint strokes may be lost to the ink test."""
    print_box = _shrink(seen)
    return (
        min(box[0], print_box[0]),
        min(box[1], print_box[1]),
        max(box[2], print_box[2]),
        max(box[3], print_box[3]),
    )


def _make_crop(ink: CellInk, box: PixelBox, line_height: float, view: View) -> Image:
    left, top = ink.origin
    inside = (box[0] - left, box[1] - top, box[2] - left, box[3] - top)
    return cut_view(ink.picture, inside, view.margin * max(box[3] - box[1], 0.5 * line_height), view.blur)


def cut_view(picture: Image, box: PixelBox, margin: float, blur: float) -> Image:
    """A part of a picture (box and margin in pixels), in the paper's colour where it goes beyond; BGR both."""
    height, width = picture.shape[:2]
    left, top, right, bottom = (round(value) for value in box)
    out = round(margin)
    part = picture[max(0, top - out) : bottom + out, max(0, left - out) : right + out]
    missing = (max(0, out - top), max(0, bottom + out - height), max(0, out - left), max(0, right + out - width))
    paper = np.median(picture.reshape(-1, 3), axis=0).tolist()
    view = cv2.copyMakeBorder(part, *missing, cv2.BORDER_CONSTANT, value=paper)
    return np.asarray(cv2.GaussianBlur(view, (0, 0), blur) if blur else view, np.uint8)


def bound_looks(looks: Sequence[Look]) -> PixelBox:
    """The box around all looks at one cell."""
    boxes = [look.box for look in looks]
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )
