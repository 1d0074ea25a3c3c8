"""Whether the digits of a page look like what the text layer says they are.

A font in a PDF has its own table from glyphs to code points, and where that table is wrong the page shows a 3 while the
text says 8: no sum need notice. Lives here: comparing each digit glyph in the picture with the digits of usual fonts.
Does not live here: reading digits (that is the OCR engine's work); a shape that resembles nothing raises no alarm.
Called by text_layer.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
import numpy.typing as npt
import pymupdf

from extractor.sources.pages.characters import Character
from extractor.sources.pages.frame import Frame

_Shape = npt.NDArray[np.float32]

_DIGITS = "0123456789"
# Serif, sans serif, typewriter, slanted and Chinese: what pymupdf carries itself.
_FONTS = ("helv", "hebo", "heit", "tiro", "tibo", "tiit", "cour", "cobo", "china-s", "china-ss")
_WIDTH, _HEIGHT = 20, 28
_FEWEST_PIXELS = 9  # in height; below, shapes blur
_SAMPLES = 3
_INK = 0.4
_NEIGHBOURS = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
# Correlations: what a shape has in common with the digit that it resembles most, and how much less with the claimed.
_ALIKE = 0.7
_MARGIN = 0.2
# The margin where the closed loops of the shape speak against the claimed digit too, and the loops that digits have.
_LOOP_MARGIN = 0.05
_LOOPS: tuple[frozenset[int], ...] = tuple(
    map(frozenset, ((1,), (0,), (0,), (0,), (0, 1), (0,), (1,), (0,), (2,), (1,)))
)


def has_false_digits(characters: Iterable[Character], frame: Frame) -> bool:
    """Whether some digit glyph clearly has the shape of another digit."""
    samples: dict[tuple[str, int, str], list[Character]] = {}
    for character in characters:
        if character.text in _DIGITS and character.direction == "right":
            samples.setdefault((character.font, character.glyph, character.text), []).append(character)
    return any(_contradicts(text, found, frame) for (_, _, text), found in samples.items())


def _contradicts(text: str, found: list[Character], frame: Frame) -> bool:
    """Whether most of the largest samples of a glyph resemble another digit."""
    largest = sorted(found, key=lambda each: -each.size)[:_SAMPLES]
    shapes = [shape for each in largest if (shape := _cut_shape(each, frame)) is not None]
    return bool(shapes) and 2 * sum(_is_other(shape, int(text)) for shape in shapes) > len(shapes)


def _cut_shape(character: Character, frame: Frame) -> _Shape | None:
    area = frame.image[frame.pixels(character.box)]
    return _normalise(_measure_ink(area)) if area.size else None


def _measure_ink(area: npt.NDArray[np.uint8]) -> _Shape:
    """How far each pixel is from what is around, 0 to 1."""
    around = np.median(np.concatenate([area[0], area[-1]]), axis=0)
    ink = np.abs(area.astype(np.float32) - around.astype(np.float32)).max(axis=2)
    return np.asarray(ink / max(float(ink.max()), 1.0), dtype=np.float32)


def _normalise(ink: _Shape) -> _Shape | None:
    """The inked part in a frame of one size, in its own proportions; None where it is too small."""
    dark = ink > _INK
    down, across = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    if not len(down) or down[-1] - down[0] + 1 < _FEWEST_PIXELS:
        return None
    cut = ink[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
    width = min(_WIDTH, max(1, round(cut.shape[1] * _HEIGHT / cut.shape[0])))
    shape = np.zeros((_HEIGHT, _WIDTH), dtype=np.float32)
    left = (_WIDTH - width) // 2
    shape[:, left : left + width] = _cover(cut.shape[0], _HEIGHT) @ cut @ _cover(cut.shape[1], width).T
    return np.asarray(_blur(_HEIGHT) @ shape @ _blur(_WIDTH).T, dtype=np.float32)


@cache
def _cover(old: int, new: int) -> _Shape:
    """Shares (new, old) by which each of `new` pixels in a row covers the `old` ones: each takes the mean of them."""
    ends = np.arange(new + 1) * (old / new)
    pixels = np.arange(old)
    shared = np.minimum(ends[1:, None], pixels + 1) - np.maximum(ends[:-1, None], pixels)
    return np.asarray(np.maximum(shared, 0) * (new / old), dtype=np.float32)


@cache
def _blur(length: int) -> _Shape:
    """Weights (length, length) of each pixel's neighbours, two on either side, mirrored at the ends."""
    mirrored = np.pad(np.eye(length, dtype=np.float32), ((2, 2), (0, 0)), mode="reflect")
    return np.asarray(sum(weight * mirrored[at : at + length] for at, weight in enumerate(_NEIGHBOURS)), np.float32)


def _is_other(shape: _Shape, digit: int) -> bool:
    likeness = rate_likeness(shape)
    best = int(likeness.argmax())
    if best == digit or likeness[best] < _ALIKE:
        return False
    loops = _count_loops(shape)
    is_against = loops in _LOOPS[best] and loops not in _LOOPS[digit]
    return bool(likeness[best] - likeness[digit] >= (_LOOP_MARGIN if is_against else _MARGIN))


def _count_loops(shape: _Shape) -> int:
    """Areas that ink encloses on all sides."""
    paper = np.pad(shape < _INK, 1, constant_values=True)
    left = set(zip(*np.nonzero(paper), strict=True))
    areas = 0
    while left:
        areas += 1
        reached = [left.pop()]
        while reached:
            row, column = reached.pop()
            around = {(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)} & left
            left -= around
            reached.extend(around)
    return areas - 1


def rate_likeness(shape: _Shape) -> npt.NDArray[np.float64]:
    """Correlation with each of the ten digits, in the font where it is highest."""
    flat = shape.ravel() - shape.mean()
    flat /= max(float(np.linalg.norm(flat)), 1e-6)
    return np.asarray((_load_models() @ flat).max(axis=0), dtype=np.float64)


@cache
def _load_models() -> npt.NDArray[np.float32]:
    """Shapes of the digits in usual fonts: (fonts, 10, pixels), mean 0 and norm 1."""
    models = np.zeros((len(_FONTS), len(_DIGITS), _HEIGHT * _WIDTH), dtype=np.float32)
    size = 40
    with pymupdf.open() as document:
        page = document.new_page(width=2 * size * len(_DIGITS), height=2 * size * len(_FONTS))
        for row, font in enumerate(_FONTS):
            for text in _DIGITS:
                place = (2 * size * int(text) + size / 2, 2 * size * row + 1.5 * size)
                page.insert_text(place, text, fontsize=size, fontname=font)
        picture = page.get_pixmap()
        image = np.frombuffer(picture.samples, dtype=np.uint8).reshape(picture.h, picture.w, picture.n)
        for row in range(len(_FONTS)):
            for digit in range(len(_DIGITS)):
                cut = image[2 * size * row : 2 * size * (row + 1), 2 * size * digit : 2 * size * (digit + 1)]
                shape = _normalise(_measure_ink(cut))
                if shape is None:
                    raise AssertionError(f"no digit {digit} in {_FONTS[row]}")
                flat = shape.ravel() - shape.mean()
                models[row, digit] = flat / np.linalg.norm(flat)
    return models
