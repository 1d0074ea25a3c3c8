"""How a page leans, and how a flat page was seen by a camera: from its rules, else from its lines of text.

Lives here: slopes of long strokes, the skew of text, the matrix that sets a page straight. Does not live here: quarter
turns (direction), the outline of a photographed sheet (outline), resampling (upright).

Rules of one direction that are parallel on paper meet in one point of a photo, so that their slope changes evenly over
the page: two such directions give the perspective (Hartley, Zisserman: Multiple View Geometry, 2003, chapter 8).
The skew of text is the angle under which the profile of its lines is sharpest (Postl, US patent 4,723,297, 1988).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from extractor.sources.pages.scan.strokes import Gray, Stroke, find_ridges, trace_strokes

Matrix = npt.NDArray[np.float64]

_GREATEST_SKEW = math.radians(8)
_LEAST_SKEW = math.radians(0.06)  # less does not hurt, and the page stays as it is
# Rules of one printed page differ by less than that from the slope that they should have.
_AGREEMENT = 0.004
_LEAST_RULES = 15.0  # characters of rules, in all
_LEAST_CONVERGENCE = 0.004  # radians from one end of the page to the other


class _Slopes(NamedTuple):
    """Slope of one direction: `level + change * (place - middle)`, where place is measured across the direction."""

    level: float
    change: float
    middle: float
    weight: float
    spread: tuple[float, float]

    def at(self, place: float) -> float:
        return self.level + self.change * (place - self.middle)


def find_straightening(gray: Gray, text_height: float) -> Matrix | None:
    """The 3 x 3 matrix from px of the page to px of the straight page (may lie partly outside); None: it is straight.

    A page with too little to go by is taken for straight.
    """
    height, width = gray.shape
    least = 4 * text_height
    rows = _fit_slopes(trace_strokes(find_ridges(gray, text_height), least, text_height), width / 2, text_height)
    turned = np.asarray(cv2.transpose(gray), dtype=np.uint8)
    columns = _fit_slopes(trace_strokes(find_ridges(turned, text_height), least, text_height), height / 2, text_height)
    if rows is not None and columns is not None and _is_seen_aslant(rows, columns, width, height):
        return _find_homography(rows, columns, width, height)
    found = [(slopes.level * sign, slopes.weight) for slopes, sign in ((rows, 1), (columns, -1)) if slopes is not None]
    angle = float(np.average([each[0] for each in found], weights=[each[1] for each in found])) if found else None
    if angle is None or sum(weight for _, weight in found) < _LEAST_RULES * text_height:
        angle = _measure_text_skew(gray, text_height)
    angle = math.atan(angle)
    return _rotate_about_middle(angle, width, height) if abs(angle) >= _LEAST_SKEW else None


def _fit_slopes(strokes: Sequence[Stroke], at: float, text_height: float) -> _Slopes | None:
    """The slope of the rules of one direction, without strokes that lean otherwise."""
    near = [stroke for stroke in strokes if abs(stroke.slope) <= math.tan(_GREATEST_SKEW) and stroke.cover >= 0.6]
    if not near:
        return None
    slope = np.array([stroke.slope for stroke in near])
    place = np.array([stroke.across + stroke.slope * (at - (stroke.start + stroke.end) / 2) for stroke in near])
    length = np.array([stroke.length for stroke in near])
    usual = _find_usual_slope(slope, length)
    keep = np.abs(slope - usual) < 0.03
    level, change, middle = usual, 0.0, float(np.average(place, weights=length))
    for _ in range(4):
        if length[keep].sum() < 8 * text_height:
            return None
        middle = float(np.average(place[keep], weights=length[keep]))
        level, change = _fit_line(place[keep] - middle, slope[keep], length[keep], text_height)
        off = np.abs(slope - level - change * (place - middle))
        keep = off < max(_AGREEMENT / 2, min(0.02, 3 * float(np.median(off[keep]))))
    if np.average(off[keep], weights=length[keep]) > _AGREEMENT:
        return None
    return _Slopes(
        level, change, middle, float(length[keep].sum()), (float(place[keep].min()), float(place[keep].max()))
    )


def _find_usual_slope(slope: npt.NDArray[np.float64], length: npt.NDArray[np.float64]) -> float:
    """Median of the slopes, by length."""
    order = np.argsort(slope, kind="stable")
    total = np.cumsum(length[order])
    return float(slope[order][np.searchsorted(total, total[-1] / 2)])


def _fit_line(
    place: npt.NDArray[np.float64], slope: npt.NDArray[np.float64], length: npt.NDArray[np.float64], text_height: float
) -> tuple[float, float]:
    """Level and change of the slope; no change unless it is far beyond its error."""
    level = float(np.average(slope, weights=length))
    reach = float(np.average(place**2, weights=length))
    if len(place) < 5 or math.sqrt(reach) < 4 * text_height:
        return level, 0.0
    change = float(np.average((slope - level) * place, weights=length) / reach)
    off = slope - level - change * place
    error = math.sqrt(float(np.average(off**2, weights=length)) / reach / max(1, len(place) - 2))
    return level, change if abs(change) > 5 * error else 0.0


def _is_seen_aslant(rows: _Slopes, columns: _Slopes, width: int, height: int) -> bool:
    converges = max(abs(rows.change) * height, abs(columns.change) * width) > _LEAST_CONVERGENCE
    return converges or abs(rows.level + columns.level) > _LEAST_CONVERGENCE


def _find_homography(rows: _Slopes, columns: _Slopes, width: int, height: int) -> Matrix:
    """From the quadrangle between two lines of each direction to a rectangle as large."""
    x, y = width / 2, height / 2
    top, bottom = rows.spread if rows.spread[1] - rows.spread[0] > height / 5 else (0.0, float(height))
    left, right = columns.spread if columns.spread[1] - columns.spread[0] > width / 5 else (0.0, float(width))
    corners = np.array(
        [
            _cross((x, row, rows.at(row)), (y, column, columns.at(column)))
            for row, column in ((top, left), (top, right), (bottom, right), (bottom, left))
        ]
    )
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    wide, high = (sides[0] + sides[2]) / 2, (sides[1] + sides[3]) / 2
    (x0, y0) = corners.mean(axis=0) - (wide / 2, high / 2)
    target = np.array([(x0, y0), (x0 + wide, y0), (x0 + wide, y0 + high), (x0, y0 + high)])
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target.astype(np.float32))
    return np.asarray(matrix, dtype=np.float64)


def _cross(row: tuple[float, float, float], column: tuple[float, float, float]) -> tuple[float, float]:
    """Where y = row[1] + row[2] * (x - row[0]) meets x = column[1] + column[2] * (y - column[0])."""
    y = (row[1] + row[2] * (column[1] - column[2] * column[0] - row[0])) / (1 - row[2] * column[2])
    return column[1] + column[2] * (y - column[0]), y


def _rotate_about_middle(angle: float, width: int, height: int) -> Matrix:
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), math.degrees(angle), 1.0)
    return np.vstack([turn, (0.0, 0.0, 1.0)])


def _measure_text_skew(gray: Gray, text_height: float) -> float:
    """Slope of the lines of text; 0 where none is plainly sharper than the others."""
    scale = min(1.0, 12 / text_height)
    small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ink = cv2.adaptiveThreshold(small, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 41, 15)
    y, x = (each.astype(np.float32) for each in np.nonzero(ink))
    if not 600 <= len(x) <= ink.size / 4:
        return 0.0
    x -= np.float32(ink.shape[1] / 2)
    limit = math.tan(_GREATEST_SKEW)
    best = 0.0
    for width, count in ((limit, 29), (0.008, 15), (0.003, 13)):
        slopes = best + np.linspace(-width, width, count)
        sharpness = np.array([_measure_sharpness(x, y, slope) for slope in slopes])
        if width == limit and sharpness.max() < 1.3 * np.median(sharpness):
            return 0.0
        # The middle of the peak: its top is flat, because small angles move few pixels to another row.
        height = (sharpness - 0.5 * (sharpness.max() + sharpness.min())).clip(0) if width != limit else sharpness**8
        near = np.abs(slopes - slopes[sharpness.argmax()]) <= width / 2
        best = float(np.average(slopes[near], weights=height[near]))
    # Less than a pixel from one end of a line to the other is a matter of rounding.
    is_none = abs(best) < 0.0025 and _measure_sharpness(x, y, 0.0) >= 0.9 * _measure_sharpness(x, y, best)
    return 0.0 if is_none else best


def _measure_sharpness(x: npt.NDArray[np.float32], y: npt.NDArray[np.float32], slope: float) -> float:
    shifted = np.rint(y - np.float32(slope) * x).astype(np.int32)
    rows = np.bincount(shifted - shifted.min())
    return float((np.diff(rows.astype(np.float64)) ** 2).sum())
