"""Which way is up: whether lines of text run across the picture or down it, and whether they stand on their heads.

Lives here: both questions. Does not live here: small angles (skew). The first is answered by the shape of the lines;
the second by reading a few of them, which costs an upright page the reading of one line, or of three.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from extractor.sources.pages.scan.strokes import Gray

#: Crops of lines of text -> text and confidence (0 to 1) of each.
Recogniser = Callable[[Sequence[Gray]], list[tuple[str, float]]]

_CHINESE = re.compile("[\u4e00-\u9fff]")
_MANY_TIMES = 2.0
_SURE = 0.6
_LEAST_READ = 3.0  # characters
_LINES, _MORE_LINES = 3, 9
_LONGEST = 9  # times its height, of the part of a line that is read


class TextRun(NamedTuple):
    """Box of characters that stand close together in a row: left, top, width, height in px."""

    left: int
    top: int
    width: int
    height: int


def find_runs(gray: Gray, text_height: float) -> list[TextRun]:
    """Runs of text in any direction."""
    scale = min(1.0, 10 / text_height)
    small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ink = cv2.adaptiveThreshold(small, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 31, 15)
    text = cv2.subtract(ink, _find_rules(np.asarray(ink, dtype=np.uint8)))
    joined = cv2.morphologyEx(text, cv2.MORPH_CLOSE, np.ones((4, 4), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    sizes = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    is_run = (sizes.min(axis=1) >= 5) & (sizes.min(axis=1) <= 20)
    boxes = np.rint(stats[1:][is_run][:, :4] / scale).astype(int)
    return [TextRun(*(int(value) for value in box)) for box in boxes]


def _find_rules(ink: Gray) -> Gray:
    along = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, 30), np.uint8))
    down = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((30, 1), np.uint8))
    return np.asarray(cv2.dilate(cv2.bitwise_or(along, down), np.ones((3, 3), np.uint8)), dtype=np.uint8)


def lies_on_side(runs: Sequence[TextRun]) -> bool:
    """Whether far more text runs down the picture than across it."""
    across = sum(run.width**2 for run in runs if run.width >= 2.5 * run.height)
    down = sum(run.height**2 for run in runs if run.height >= 2.5 * run.width)
    return down > _MANY_TIMES * across


def is_upside_down(gray: Gray, runs: Sequence[TextRun], recognise: Recogniser) -> bool:
    """Whether a page whose lines run across reads well turned by 180 degrees, and does not as it is."""
    lines = sorted(
        (run for run in runs if 4 * run.height <= run.width),
        key=lambda run: (-min(run.width, _LONGEST * run.height), run),
    )[:_MORE_LINES]
    if not lines:
        return False
    crops = [_cut(gray, line) for line in lines]
    if _rate(recognise(crops[:1])) >= _SURE or _rate(recognise(crops[:_LINES])) >= _SURE:
        return False
    # Of noisy lines many are not read either way: all that is read of more of them decides.
    upright = _count_read(recognise(crops))
    turned = _count_read(recognise([np.ascontiguousarray(crop[::-1, ::-1]) for crop in crops]))
    return turned >= max(_LEAST_READ, _MANY_TIMES * upright)


def _cut(gray: Gray, run: TextRun) -> Gray:
    pad = max(2, run.height // 6)
    wide = min(run.width, _LONGEST * run.height)
    crop = gray[max(0, run.top - pad) : run.top + run.height + pad, max(0, run.left - pad) : run.left + wide + pad]
    return np.asarray(cv2.cvtColor(crop, cv2.COLOR_GRAY2BGR), dtype=np.uint8)


def _count_read(read: Sequence[tuple[str, float]]) -> float:
    """Chinese characters, each by the confidence of its line."""
    return sum(score * len(_CHINESE.findall(text)) for text, score in read)


def _rate(read: Sequence[tuple[str, float]]) -> float:
    """Mean confidence; half of it where hardly any Chinese was read, for digits look alike on their heads."""
    rates = [score if len(_CHINESE.findall(text)) >= 3 else score / 2 for text, score in read]
    return float(np.mean(rates)) if rates else 0.0
