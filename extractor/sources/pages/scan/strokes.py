"""Long thin dark lines of a page image: what rules look like before anybody knows which table they belong to.

Lives here: the ridge picture of one direction and the strokes in it, the usual height of the text. Does not live here:
which strokes are rules of a table (rules), how a page is turned (skew, perspective). A stroke may be faint, broken,
dotted, doubled, slanted by up to some degrees, or slightly bent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]

# A ridge must be darker than both its sides by this many grey levels, averaged along the stroke.
_LEAST_CONTRAST = 7
_GRAIN_FACTOR = 2.0
# Share of a stroke that lies on one curve; of an unbroken one whose crest text beside it may pull to its side.
_STRAIGHT, _PULLED = 0.9, 0.75
_PLAIN_CONTRAST, _PLAIN_COVER = 6, 0.95


class Stroke(NamedTuple):
    """A line along one axis: of a horizontal stroke `along` is x and `across` is y; of a vertical one the other way.

    Attributes:
        start, end: px along the axis.
        across: px at the middle.
        slope: px across per px along.
        bend: px across per squared px along.
        cover: share of its length that is dark.
        contrast: grey levels darker than its sides.
    """

    start: float
    end: float
    across: float
    slope: float
    bend: float
    cover: float
    contrast: float

    @property
    def length(self) -> float:
        """Px along the axis."""
        return self.end - self.start

    def at(self, along: float) -> float:
        """Px across at a place along the axis; beyond its ends it goes on straight."""
        middle = (self.start + self.end) / 2
        inside = min(max(along, self.start), self.end)
        reach = inside - middle
        tangent = self.slope + 2 * self.bend * reach
        return self.across + self.slope * reach + self.bend * reach * reach + tangent * (along - inside)


@dataclass(frozen=True, slots=True)
class Ridges:
    """Where a page image is darker than on both sides of a direction.

    Attributes:
        levels: grey levels, uint8 (across px, along px / step): horizontal strokes; vertical ones are transposed.
        step: px along that one column of `levels` stands for.
        noise: levels below this mean nothing.
    """

    levels: Gray
    step: int
    noise: float


def measure_text_height(gray: Gray) -> float:
    """Usual height of a Chinese character in px; where there is too little ink, that of 10.5 pt on A4."""
    longest = float(max(gray.shape))
    usual = longest / 80.0
    small = cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    window = max(15, int(usual / 2) * 2 + 1)
    ink = cv2.adaptiveThreshold(small, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, window, 20)
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    width, height = stats[1:, cv2.CC_STAT_WIDTH] * 2, stats[1:, cv2.CC_STAT_HEIGHT] * 2
    is_glyph = (height >= longest / 250) & (height <= longest / 25) & (width >= height / 3) & (width <= height * 3)
    heights = height[is_glyph]
    if len(heights) < 30:
        return usual
    return min(max(float(np.percentile(heights, 80)), longest / 200), longest / 40)


def find_ridges(gray: Gray, text_height: float) -> Ridges:
    """Horizontal ridges of a grey image (transpose it for vertical ones)."""
    step = max(2, round(text_height * 0.14))
    height, width = gray.shape
    short = cv2.resize(gray, (max(1, width // step), height), interpolation=cv2.INTER_AREA)
    levels = np.zeros_like(short)
    for reach in (max(2, round(text_height * 0.16)), max(4, round(text_height * 0.36))):
        padded = cv2.copyMakeBorder(short, reach, reach, 0, 0, cv2.BORDER_REPLICATE)
        sides = cv2.min(padded[: -2 * reach], padded[2 * reach :])
        levels = cv2.max(levels, cv2.subtract(sides, short))
    # Most of a page is paper, so that the usual step from one pixel to the next is the paper's grain.
    grain = float(np.mean(cv2.absdiff(short[::3, 1:], short[::3, :-1]).clip(0, 12))) if short.shape[1] > 1 else 0.0
    return Ridges(np.asarray(levels, dtype=np.uint8), step, max(_LEAST_CONTRAST, _GRAIN_FACTOR * grain))


def trace_strokes(ridges: Ridges, least_length: float, text_height: float) -> list[Stroke]:
    """Strokes at least that long (px), in no particular order but always the same."""
    window = max(3, round(text_height * 1.2 / ridges.step))
    smooth = cv2.blur(ridges.levels, (window, 1))
    mask = np.asarray(smooth >= ridges.noise).view(np.uint8)
    return _trace_mask(mask, ridges, _Demands(least_length, 0.3 * window * ridges.step, 0.0), text_height)


def trace_level_strokes(ridges: Ridges, least_length: float, text_height: float) -> list[Stroke]:
    """Strokes at least that long (px) that do not lean and have no gap, whatever stands beside them.

    With text close to it a rule becomes one piece, too thick or too bent for `trace_strokes`. To be asked only of a
    straight page: of a rule that leans this finds steps.
    """
    dark = np.asarray(ridges.levels >= _PLAIN_CONTRAST * ridges.noise).view(np.uint8)
    along = np.ones((1, max(3, round(least_length / ridges.step))), np.uint8)
    mask = cv2.morphologyEx(cv2.dilate(dark, np.ones((3, 1), np.uint8)), cv2.MORPH_OPEN, along)
    return _trace_mask(
        np.asarray(mask, dtype=np.uint8), ridges, _Demands(0.9 * least_length, 0.0, _PLAIN_COVER), text_height
    )


class _Demands(NamedTuple):
    """What makes a stroke.

    Attributes:
        length: px; `excess` px more in the mask, where blur makes strokes longer.
        cover: share that is dark.
    """

    length: float
    excess: float
    cover: float


def _trace_mask(mask: Gray, ridges: Ridges, demands: _Demands, text_height: float) -> list[Stroke]:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    length, thickness = stats[:, cv2.CC_STAT_WIDTH] * ridges.step, stats[:, cv2.CC_STAT_HEIGHT]
    # A rule that leans or is met by text is thicker than it is.
    is_long = length >= demands.length + demands.excess
    is_thin = thickness <= np.maximum(length * 0.15, text_height * 0.8)
    is_candidate = is_long & is_thin
    is_candidate[0] = False  # the paper itself
    strokes: list[Stroke] = []
    for label in np.flatnonzero(is_candidate):
        left, top, wide, high, _area = (int(value) for value in stats[label])
        inside = labels[top : top + high, left : left + wide] == label
        levels = ridges.levels[top : top + high, left : left + wide] * inside
        best = levels.max(axis=0)
        is_dark = best >= max(ridges.noise, 0.35 * float(np.sort(best)[-(len(best) // 4 + 1)]))
        piece = _Piece(levels, left, top, ridges.step, np.asarray(is_dark), text_height, demands)
        strokes.extend(each for each in _fit_strokes(piece) if each.length >= demands.length)
    return strokes


class _Piece(NamedTuple):
    """The ridges of one connected piece, where it stands in all ridges, and which of its columns are dark."""

    levels: Gray
    left: int
    top: int
    step: int
    is_dark: npt.NDArray[np.bool_]
    text_height: float
    demands: _Demands


def _fit_strokes(piece: _Piece) -> list[Stroke]:
    """The piece as one stroke where it is straight; else its unbroken parts that are."""
    dark = np.flatnonzero(piece.is_dark)
    if len(dark) < 3:
        return []
    first, last = int(dark[0]), int(dark[-1]) + 1
    if len(dark) < piece.demands.cover * (last - first):
        return []
    runs = _find_runs(piece.is_dark, round(1.1 * piece.text_height / piece.step))
    is_mostly_unbroken = sum(end - start for start, end in runs) >= 0.6 * (last - first)
    is_long = (last - first) * piece.step >= 5 * piece.text_height
    if is_mostly_unbroken or (is_long and len(dark) >= 0.45 * (last - first)):
        stroke = _fit_stroke(piece, first, last)
        if stroke is not None:
            return [stroke]
    long = [(start, end) for start, end in runs if (end - start) * piece.step >= piece.demands.length]
    fitted = [_fit_stroke(piece, start, end) for start, end in long]
    return [stroke for stroke in fitted if stroke is not None]


def _find_runs(is_dark: npt.NDArray[np.bool_], least: int) -> list[tuple[int, int]]:
    """Runs of at least `least` dark places; single light ones do not end a run."""
    closed = is_dark.copy()
    closed[1:-1] |= is_dark[:-2] & is_dark[2:]
    steps = np.flatnonzero(np.diff(np.concatenate(([False], closed, [False]))))
    return [(int(start), int(end)) for start, end in zip(steps[::2], steps[1::2], strict=True) if end - start >= least]


def _fit_stroke(piece: _Piece, first: int, last: int) -> Stroke | None:
    """The stroke through the columns `first` to `last` of a piece; None where they do not lie on one curve."""
    columns = first + np.flatnonzero(piece.is_dark[first:last])
    if len(columns) < 3:
        return None
    weights = piece.levels[:, columns].astype(np.float64)
    best = weights.max(axis=0)
    weights *= weights >= best * 0.5
    rows = np.arange(len(weights), dtype=np.float64)[:, None]
    across = np.asarray((weights * rows).sum(axis=0) / weights.sum(axis=0) + piece.top, dtype=np.float64)
    along = (columns + piece.left + 0.5) * piece.step
    start, end = float((piece.left + first) * piece.step), float((piece.left + last) * piece.step)
    middle, length = (start + end) / 2, end - start
    share = len(columns) / (last - first)
    text_height = piece.text_height
    degree = 2 if length > 12 * text_height and share > 0.8 else 1 if length > 2 * text_height else 0
    terms = _fit_robustly(np.asarray(along - middle, dtype=np.float64), across, degree)
    off = np.abs(across - terms[0] - (along - middle) * (terms[1] + terms[2] * (along - middle)))
    # Digits that touch a rule pull its crest to their side; but no text runs on unbroken for several characters.
    is_unbroken = share >= 0.9 and length >= 4 * text_height
    if (off <= 0.06 * text_height + 0.5).mean() < (_PULLED if is_unbroken else _STRAIGHT):
        return None
    return Stroke(start, end, terms[0], terms[1], terms[2], share, float(np.median(best)))


def _fit_robustly(
    along: npt.NDArray[np.float64], across: npt.NDArray[np.float64], degree: int
) -> tuple[float, float, float]:
    """Least squares, again and again without what lies far off (digits that touch the rule)."""
    if degree == 0:
        return float(np.median(across)), 0.0, 0.0
    powers = np.stack([along**power for power in range(degree + 1)], axis=1)
    keep = np.ones(len(along), dtype=bool)
    terms = np.zeros(3)
    for _ in range(4):
        kept = powers[keep]
        terms[: degree + 1] = np.linalg.lstsq(kept, across[keep], rcond=None)[0]
        off = np.abs(across - powers @ terms[: degree + 1])
        near = off <= max(1.5, 2.5 * float(np.median(off)))
        if near.sum() < degree + 2 or (near == keep).all():
            break
        keep = near
    return float(terms[0]), float(terms[1]), float(terms[2])
