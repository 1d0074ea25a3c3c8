"""Ink in the picture of a page that neither its text, its rules nor its shades explain.

Lives here: where such ink is, in a cell or in pictures. Does not live here: what follows from it (text_layer). A digit
drawn as a path, a stamp, a pasted picture: none of them is in the text layer, and none may be taken for an empty cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from extractor.model import Box
from extractor.sources.pages.characters import Character
from extractor.sources.pages.frame import Frame
from extractor.sources.pages.vector_rules import Drawings, Fill, Rule

# Differences of colour, 0 to 255.
_CONTRAST = 40
_DARKER = 60
_LIGHT = 150
# In points, and square points.
_EDGE = 0.75
_LEAST_INK = 0.6
_LEAST_EXTRA_INK = 1.5
_LEAST_SHADE = 200.0
# Glyphs reach out of their boxes by this share of their size.
_OVERHANG = 0.15
# A rule by itself explains its ink only when it is longer than any stroke of a digit.
_LONG_RULE = 24.0

_Mask = npt.NDArray[np.bool_]


class LeftInk:
    """The picture of a page with all that is explained blotted out."""

    def __init__(
        self, frame: Frame, characters: Sequence[Character], drawings: Drawings, table_rules: Sequence[Rule]
    ) -> None:
        self._frame = frame
        self._open = np.ones(frame.image.shape[:2], dtype=bool)
        for rule in table_rules:
            self._blot(rule.box, _EDGE)
        for rule in drawings.rules:
            if rule.end - rule.start > _LONG_RULE:
                self._blot(rule.box, _EDGE)
        for fill in drawings.fills:
            self._blot_shade(fill)
        for character in characters:
            self._blot(character.box, _OVERHANG * character.size)
        self._brightness = _brightest(frame.image)

    def _blot(self, box: Box, margin: float) -> None:
        self._open[self._frame.pixels(box, margin)] = False

    def _blot_shade(self, fill: Fill) -> None:
        """What shows of a shade, and its edges, where colours blend. A small dark area may be part of a digit."""
        left, top, right, bottom = fill.box
        if min(fill.color) < _LIGHT and (right - left) * (bottom - top) < _LEAST_SHADE:
            return
        for edge in _list_edges(fill.box):
            self._blot(edge, _EDGE)
        place = self._frame.pixels(fill.box)
        low = tuple(max(part - _CONTRAST, 0) for part in fill.color)
        high = tuple(min(part + _CONTRAST, 255) for part in fill.color)
        if self._open[place].size:
            self._open[place] &= ~_is_within(self._frame.image[place], low, high)

    def find_in_cell(self, box: Box, *, has_text: bool) -> Box | None:
        """The box around unexplained ink in a cell; None where there is none.

        Args:
            box: the rules around the cell, in upright points.
            has_text: whether the cell holds text; then specks beside it do not count.
        """
        rows, columns = self._frame.pixels(box, -_EDGE)
        area, is_open = self._frame.image[rows, columns], self._open[rows, columns]
        if not is_open.any():
            return None
        ink = is_open & _differs(area, np.median(area[is_open], axis=0))
        least = _LEAST_EXTRA_INK if has_text else _LEAST_INK
        if np.count_nonzero(ink) < max(3.0, least * self._frame.scale**2):
            return None
        down, across = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        left, top = columns.start, rows.start
        found = (left + across[0], top + down[0], left + across[-1] + 1, top + down[-1] + 1)
        x0, y0, x1, y1 = (float(value) / self._frame.scale for value in found)
        return x0, y0, x1, y1

    def measure_dark(self, boxes: Sequence[Box]) -> tuple[float, float]:
        """Unexplained ink inside the boxes, and their area, in square points. Overlapping boxes count once.

        Ink is what is darker than most of the area in all colours: faint grey is, the red of a seal is not.
        """
        inside = np.zeros_like(self._open)
        for box in boxes:
            inside[self._frame.pixels(box)] = True
        if not inside.any():
            return 0.0, 0.0
        usual = float(np.median(self._brightness[inside]))
        dark = inside & self._open & (self._brightness < usual - _DARKER)
        square = self._frame.scale**2
        return np.count_nonzero(dark) / square, np.count_nonzero(inside) / square

    def measure_share(self) -> float:
        """Share of the dark ink of the page that nothing explains; 0 for a page without dark ink."""
        dark = self._brightness < 255 - _DARKER
        total = np.count_nonzero(dark)
        return np.count_nonzero(dark & self._open) / total if total else 0.0


def has_ink(frame: Frame) -> bool:
    """Whether anything at all is on the page."""
    channels = (frame.image[:, :, channel] for channel in range(3))
    return any(int(channel.max()) - int(channel.min()) >= _CONTRAST for channel in channels)


def _is_within(area: npt.NDArray[np.uint8], low: Sequence[int], high: Sequence[int]) -> _Mask:
    """Where all three channels are between two colours, both included."""
    within = np.ones(area.shape[:2], dtype=bool)
    for channel, (least, most) in enumerate(zip(low, high, strict=True)):
        within &= (area[:, :, channel] >= least) & (area[:, :, channel] <= most)
    return within


def _differs(area: npt.NDArray[np.uint8], color: npt.ArrayLike) -> _Mask:
    return np.asarray(_brightest(np.abs(area.astype(np.int16) - np.asarray(color, dtype=np.int16))) > _CONTRAST)


def _brightest(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The largest of the three channels; the maximum over the last axis would be ten times as slow."""
    return np.asarray(np.maximum(np.maximum(image[:, :, 0], image[:, :, 1]), image[:, :, 2]))


def _list_edges(box: Box) -> tuple[Box, ...]:
    left, top, right, bottom = box
    return (
        (left, top, right, top),
        (left, bottom, right, bottom),
        (left, top, left, bottom),
        (right, top, right, bottom),
    )
