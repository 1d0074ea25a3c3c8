"""The third look: the shapes of digits compared with the other digits of the same page.

A recognition model can err alike in every look at a digit, and be sure of it. The page itself knows better: one font
prints most of its digits, so the mean shape of all that were read as 5 is that of a 5, and one 5 that was read as 3
stands out against the mean 3. No model and no font file is asked.

Lives here: cutting ink into symbols, learning the shapes of a page, comparing. Called by cell_reader.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from extractor.sources.pages.scan.ink import CellInk, Gray

Shape = npt.NDArray[np.float32]
Verdict = Literal["agrees", "differs", "unknown"]

# Shapes are compared at this size (height, width).
_HEIGHT, _WIDTH = 28, 22
_SHIFT = 2
# So many samples make a mean shape; so alike is the same digit; so much more alike is another digit.
_LEAST_SAMPLES = 3
_ALIKE = 0.85
_MARGIN = 0.05
# A stroke / is read as 1 with confidence in every look. In 22 upright fonts 1 and 7 lean by -0.14 to 0.11, the stroke
# by -0.28 to -0.48; digits in italics get a doubt for nothing.
_SLIM, _STROKE_LEAN = "17", -0.2
# A minus, in parts of the height of the digits: how high and wide it is, and where its middle stands from the top.
_BAR_HEIGHT, _BAR_WIDTH, _BAR_PLACE = 0.3, 0.2, (0.3, 0.75)


class Shapes(NamedTuple):
    """Mean shapes of the digits of a page, and of how many samples."""

    means: Mapping[str, Shape]
    counts: Mapping[str, int]


def cut_symbols(ink: CellInk, count: int) -> list[Shape]:
    """The symbols of a line of ink from left to right, each at the common size.

    Parts above one another belong together, and so do the nearest ones while there are more than `count`: faint print
    breaks. Touching symbols are one.
    """
    columns = np.flatnonzero(ink.mask.any(axis=0))
    if not columns.size:
        return []
    breaks = np.flatnonzero(np.diff(columns) > 1)
    starts, ends = columns[np.r_[0, breaks + 1]].tolist(), (columns[np.r_[breaks, -1]] + 1).tolist()
    while len(starts) > max(count, 1):
        gaps = [start - end for start, end in zip(starts[1:], ends[:-1], strict=True)]
        nearest = gaps.index(min(gaps))
        del starts[nearest + 1], ends[nearest]
    return [_to_shape(ink.dark[:, start:end], ink.mask[:, start:end]) for start, end in zip(starts, ends, strict=True)]


def _to_shape(dark: Gray, mask: Gray) -> Shape:
    rows = np.flatnonzero(mask.any(axis=1))
    part = dark[rows[0] : rows[-1] + 1]
    height, width = part.shape
    scale = min(_HEIGHT / height, _WIDTH / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    shape = np.zeros((_HEIGHT, _WIDTH), np.float32)
    top, left = (_HEIGHT - size[1]) // 2, (_WIDTH - size[0]) // 2
    shape[top : top + size[1], left : left + size[0]] = small
    return np.asarray(cv2.GaussianBlur(shape, (0, 0), 1.0), np.float32)


def has_bar_before(ink: CellInk) -> bool:
    """Whether a short bar stands in front of the digits, at half their height: a minus that no look may have seen."""
    columns = np.flatnonzero(ink.mask.any(axis=0))
    breaks = np.flatnonzero(np.diff(columns) > 1)
    if not breaks.size:
        return False
    high = _bound_rows(ink.mask)
    top, bottom = _bound_rows(ink.mask[:, columns[0] : columns[breaks[0]] + 1])
    width, height = int(columns[breaks[0]] - columns[0]) + 1, high[1] - high[0]
    is_bar = bottom - top <= _BAR_HEIGHT * height and width >= max(_BAR_WIDTH * height, 1.2 * (bottom - top))
    return is_bar and _BAR_PLACE[0] <= ((top + bottom) / 2 - high[0]) / height <= _BAR_PLACE[1]


def _bound_rows(mask: Gray) -> tuple[int, int]:
    rows = np.flatnonzero(mask.any(axis=1))
    return int(rows[0]), int(rows[-1]) + 1


def learn_shapes(samples: Iterable[tuple[str, Shape]]) -> Shapes:
    """Mean shapes of the digits that stand often enough on the page: medians point by point, against strays."""
    by_digit: dict[str, list[Shape]] = defaultdict(list)
    for digit, shape in samples:
        by_digit[digit].append(shape)
    kept = {digit: shapes for digit, shapes in sorted(by_digit.items()) if len(shapes) >= _LEAST_SAMPLES}
    means = {digit: np.asarray(np.median(np.stack(shapes), axis=0), np.float32) for digit, shapes in kept.items()}
    return Shapes(means, {digit: len(shapes) for digit, shapes in kept.items()})


def compare_shapes(text: str, symbols: list[Shape], shapes: Shapes) -> Verdict:
    """Whether the symbols look like the digits of `text` do elsewhere on the page.

    Returns:
        `unknown` where the symbols cannot be told apart (they touch) or a digit is too rare on the page.
    """
    if len(symbols) != len(text):
        return "unknown"
    verdicts = [_compare(digit, symbol, shapes) for digit, symbol in zip(text, symbols, strict=True)]
    if "differs" in verdicts:
        return "differs"
    return "unknown" if "unknown" in verdicts else "agrees"


def _measure_lean(symbol: Shape) -> float:
    """Pixels that a symbol leans over for each pixel of height; below 0: to the right, as a stroke / does."""
    moments = cv2.moments(symbol)
    return float(moments["mu11"] / moments["mu02"]) if moments["mu02"] else 0.0


def _compare(digit: str, symbol: Shape, shapes: Shapes) -> Verdict:
    if digit in _SLIM and _measure_lean(symbol) < _STROKE_LEAN:
        return "differs"
    # The ink's edges are found to a pixel or two, so the best of small shifts counts.
    room = cv2.copyMakeBorder(symbol, _SHIFT, _SHIFT, _SHIFT, _SHIFT, cv2.BORDER_REPLICATE)
    likeness = {
        other: float(cv2.matchTemplate(room, mean, cv2.TM_CCOEFF_NORMED).max()) for other, mean in shapes.means.items()
    }
    best_other = max((value for other, value in likeness.items() if other != digit), default=-1.0)
    own = likeness.get(digit)
    if own is None:
        return "differs" if best_other > 0.95 else "unknown"
    if best_other > own + _MARGIN:
        return "differs"
    return "agrees" if own >= _ALIKE and own >= best_other + _MARGIN else "unknown"
