"""Crossing strokes -> a grid of edges, and how much of a rule stands on each.

Lives here: strokes put together to grid lines, the ink on each edge between two slots, how sure that is. Does not live
here: finding the strokes (strokes), which belong to one table (meetings), which slots are one cell (slots). Called by
rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from extractor.sources.pages.scan.strokes import Gray, Stroke

Floats = npt.NDArray[np.float64]

#: An edge with at least this much ink is a rule.
PRESENT = 0.55
_SHORT_RUN = 2.5  # characters
_UNBROKEN = 0.85
_WORSE = 0.2
# A line with a rule on less than this share of its length; a gap of less than this share of the usual one.
_SCARCE = 0.2
_NARROW = 0.6


def measure_quality(*inks: Floats) -> float:
    """How unbroken the rules of a table are as a rule: the middle of its edges with ink, 0.55 to 1."""
    ink = np.concatenate([each.ravel() for each in inks])
    present = ink[ink >= PRESENT]
    return float(np.median(present)) if len(present) else 1.0


def rate_edge(ink: float, quality: float, *, is_rule: bool) -> float:
    """How sure it is (0 to 1) that an edge is a rule, or that it is none, in a table whose rules are that unbroken."""
    least_rule, most_none = max(PRESENT + 0.05, quality - _WORSE), 0.45 * quality
    if is_rule:
        return float(np.clip((ink - most_none) / (least_rule - most_none), 0.0, 1.0))
    return float(np.clip((least_rule - ink) / (least_rule - most_none), 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class GridLine:
    """Strokes that are one line of the grid; between and beyond them the line goes on."""

    along: Floats
    across: Floats
    is_closing: bool = False

    @classmethod
    def join(cls, strokes: Sequence[Stroke]) -> GridLine:
        """The line through the strokes; of strokes side by side (a doubled rule) the longest counts."""
        kept: list[Stroke] = []
        for stroke in sorted(strokes, key=lambda each: (-each.length, each.start, each.across)):
            if all(stroke.start >= other.end or stroke.end <= other.start for other in kept):
                kept.append(stroke)
        kept.sort(key=lambda each: each.start)
        along = [place for each in kept for place in (each.start, (each.start + each.end) / 2, each.end)]
        across = [each.at(place) for each in kept for place in (each.start, (each.start + each.end) / 2, each.end)]
        return cls(np.array(along), np.array(across))

    @property
    def middle(self) -> float:
        """Px across, on average over the strokes."""
        return float(np.average(self.across))

    def at(self, along: Floats | float) -> Floats:
        """Px across at places along the axis."""
        return np.asarray(np.interp(along, self.along, self.across))


def gather_lines(strokes: Sequence[Stroke], tolerance: float) -> list[GridLine]:
    """Grid lines from one edge of the table to the other; strokes less than `tolerance` px apart are one line."""
    groups: list[tuple[GridLine, list[Stroke]]] = []
    for stroke in sorted(strokes, key=lambda each: (-each.length, each.start, each.across)):
        middle = (stroke.start + stroke.end) / 2
        near = [(abs(float(line.at(middle)) - stroke.across), number) for number, (line, _) in enumerate(groups)]
        distance, number = min(near, default=(tolerance, -1))
        if distance < tolerance:
            members = [*groups[number][1], stroke]
            groups[number] = (GridLine.join(members), members)
        else:
            groups.append((GridLine.join([stroke]), [stroke]))
    return sorted((line for line, _ in groups), key=lambda line: line.middle)


def measure_edges(lines: Sequence[GridLine], crossing: Sequence[GridLine], gray: Gray, text_height: float) -> Floats:
    """Ink on the edges: (lines, crossing lines - 1), 0 to 1.

    Half of it is the share of the edge that is dark, the other half that of its two ends: a rule reaches from one
    crossing rule to the next, a stroke of a character does not.

    Args:
        gray: the page for horizontal lines, transposed for vertical ones.
    """
    ink = np.zeros((len(lines), len(crossing) - 1))
    for number, line in enumerate(lines):
        if line.is_closing:
            ink[number] = 1.0
            continue
        bounds = [float(other.at(line.middle)) for other in crossing]
        first, last = max(0, int(bounds[0])), min(gray.shape[1], int(bounds[-1]) + 1)
        if last - first < 3:
            continue
        path = _follow_line(line, np.arange(first, last), gray, text_height)
        for slot, (start, end) in enumerate(pairwise(bounds)):
            ink[number, slot] = _measure_edge(path, start - first, end - first, text_height)
    return ink


class _Path(NamedTuple):
    """Along a line, px by px: a ridge, or plain paper; what is neither (text beside the rule) says nothing."""

    is_rule: npt.NDArray[np.bool_]
    is_paper: npt.NDArray[np.bool_]


def _follow_line(line: GridLine, along: npt.NDArray[np.int64], gray: Gray, text_height: float) -> _Path:
    reach, far = max(2, round(text_height * 0.1)), max(4, round(text_height * 0.36))
    offsets = np.arange(-reach - far, reach + far + 1)[:, None]
    across = np.rint(line.at(along.astype(np.float64))).astype(np.int64)
    strip = gray[np.clip(across + offsets, 0, gray.shape[0] - 1), along]
    strip = np.asarray(cv2.blur(strip, (max(3, round(text_height * 0.12)), 1)))
    inner = strip[far : far + 2 * reach + 1]
    ridge, one_sided = np.zeros_like(inner), np.zeros_like(inner)
    for side in (max(2, round(text_height * 0.16)), far):
        low, high = strip[far - side : far - side + 2 * reach + 1], strip[far + side : far + side + 2 * reach + 1]
        ridge = np.maximum(ridge, cv2.subtract(cv2.min(low, high), inner))
        one_sided = np.maximum(one_sided, cv2.subtract(cv2.max(low, high), inner))
    best = ridge.max(axis=0)
    grain = float(np.mean(np.abs(np.diff(strip[:, ::3].astype(np.float32), axis=1)).clip(0, 12)))
    least = max(7.0, 2.0 * grain, min(float(np.percentile(best, 70)), 120.0) * 0.3)
    return _Path(np.asarray(best >= least), np.asarray(one_sided.max(axis=0) < least))


def _measure_edge(path: _Path, start: float, end: float, text_height: float) -> float:
    # What stands on the crossing rules themselves says nothing.
    margin = min(text_height * 0.07, (end - start) * 0.15)
    low = max(0, round(start + margin))
    high = max(low + 1, round(end - margin))
    is_rule, is_paper = path.is_rule[low:high], path.is_paper[low:high]
    if not len(is_rule):
        return 0.0
    tip = max(1, min(round(text_height * 0.2), len(is_rule) // 2))
    whole, first, last = (
        _measure_share(is_rule[part], is_paper[part]) for part in (slice(None), slice(tip), slice(-tip, None))
    )
    return whole / 2 + (first + last) / 4


def _measure_share(is_rule: npt.NDArray[np.bool_], is_paper: npt.NDArray[np.bool_]) -> float:
    ruled, known = int(is_rule.sum()), int((is_rule | is_paper).sum())
    # Where hardly anything is known (the edge of a shaded field), only what is plainly a rule counts.
    return ruled / known if known >= 0.3 * len(is_rule) else ruled / len(is_rule)


def weaken_false_rules(ink: Floats, crossing: Sequence[GridLine], text_height: float, quality: float) -> Floats:
    """Ink without strokes of text in line: short runs with a gap, and runs far worse than the table's other rules."""
    bounds = [line.middle for line in crossing]
    weakened = ink.copy()
    for number, row in enumerate(ink):
        slot = 0
        while slot < len(row):
            last = slot
            while last < len(row) and row[last] >= PRESENT:
                last += 1
            run = row[slot:last]
            is_short = bounds[last] - bounds[slot] < _SHORT_RUN * text_height
            if len(run) and ((is_short and run.min() < _UNBROKEN) or run.max() < quality - _WORSE):
                weakened[number, slot:last] *= 0.6
            slot = last + 1
    return weakened


def find_scratches(lines: Sequence[GridLine], ink: Floats, crossing: Sequence[GridLine]) -> npt.NDArray[np.bool_]:
    """Which lines have a rule on hardly any of their length, and stand too close to another one for a column or row.

    Marks of a pen, edges of shade, rules that shine through from the other side. Of several the one with the least ink
    goes first, and what is then far enough from its neighbours is none.
    """
    lengths = np.diff([line.middle for line in crossing])
    shares = ((ink >= PRESENT) * lengths).sum(axis=1) / lengths.sum()
    places = np.array([line.middle for line in lines])
    is_plain = shares >= _SCARCE
    is_plain[[0, -1]] = True
    least = _NARROW * float(np.median(np.diff(places[is_plain])))
    is_kept = np.ones(len(lines), dtype=bool)
    for number in sorted(np.flatnonzero(~is_plain).tolist(), key=lambda each: float(shares[each])):
        others = np.delete(places, [number, *np.flatnonzero(~is_kept)])
        is_kept[number] = np.abs(others - places[number]).min() >= least
    return np.asarray(~is_kept)
