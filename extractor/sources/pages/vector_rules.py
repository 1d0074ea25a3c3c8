"""The drawings of a PDF page -> straight rules, and filled areas.

Lives here: rules however they are drawn (strokes, thin rectangles, dashes, dots), put together to whole ones. Does not
live here: which of them make a table (vector_tables). Called by text_layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from extractor.model import Box
from extractor.sources.pages.frame import Frame

# In points.
_THICKEST = 3.0
_SAME_LINE = 0.7
_GAP = 3.0  # of dashes and dots, and where rules end short of each other
_SHORTEST = 6.0
# The least difference of colour that shows, 0 to 255, and the share of a rule that must show.
_CONTRAST = 16
_SHOWN_SHARE = 0.3


class Rule(NamedTuple):
    """A straight rule: horizontal at y = `at` from x `start` to `end`, or the same with x and y changed."""

    is_horizontal: bool
    at: float
    start: float
    end: float
    width: float

    @property
    def box(self) -> Box:
        """The area it inks."""
        low, high = self.at - self.width / 2, self.at + self.width / 2
        return (self.start, low, self.end, high) if self.is_horizontal else (low, self.start, high, self.end)


class Fill(NamedTuple):
    """A filled rectangle. `order`: number of the painting operation; `color`: blue, green, red, 0 to 255."""

    box: Box
    order: int
    color: tuple[int, int, int]
    is_opaque: bool


class Drawings(NamedTuple):
    """What is drawn on a page."""

    rules: tuple[Rule, ...]
    fills: tuple[Fill, ...]


def read_drawings(drawings: Iterable[dict[str, Any]], frame: Frame) -> Drawings:
    """Sort the paths of a page into rules that show and filled rectangles.

    Args:
        drawings: from pymupdf.Page.get_cdrawings.
        frame: the page as it is read.
    """
    pieces: list[Rule] = []
    fills: list[Fill] = []
    for path in drawings:
        if "s" in path["type"] and path.get("color") is not None and path.get("stroke_opacity", 1):
            pieces.extend(_read_strokes(path, frame))
        if "f" in path["type"] and path.get("fill") is not None and path.get("fill_opacity", 1):
            for box in map(frame.place, _list_rectangles(path)):
                pieces.extend(_read_thin(box))
                if min(box[2] - box[0], box[3] - box[1]) > _THICKEST:
                    red, green, blue = (round(255 * part) for part in path["fill"])
                    fills.append(Fill(box, path["seqno"], (blue, green, red), path.get("fill_opacity", 1) == 1))
    rules = [rule for rule in _join_pieces(pieces) if _is_shown(rule, frame)]
    return Drawings(tuple(rules), tuple(fills))


def _read_strokes(path: dict[str, Any], frame: Frame) -> Iterator[Rule]:
    width = path.get("width") or 0.5
    if width > _THICKEST:
        return
    for item in path["items"]:
        if item[0] == "l":
            edges = [item[1:3]]
        elif item[0] == "re":
            left, top, right, bottom = item[1]
            corners = ((left, top), (right, top), (right, bottom), (left, bottom))
            edges = list(pairwise((*corners, corners[0])))
        elif item[0] == "qu":
            upper_left, upper_right, lower_left, lower_right = item[1]
            edges = list(pairwise((upper_left, upper_right, lower_right, lower_left, upper_left)))
        else:
            continue
        for start, end in edges:
            yield from _read_edge(frame.place((*start, *end)), width)


def _read_edge(box: Box, width: float) -> Iterator[Rule]:
    left, top, right, bottom = box
    length, rise = right - left, bottom - top
    if rise <= max(0.5, 0.01 * length) and (length > rise or width > length):
        yield Rule(True, (top + bottom) / 2, left, right, width)
    elif length <= max(0.5, 0.01 * rise):
        yield Rule(False, (left + right) / 2, top, bottom, width)


def _list_rectangles(path: dict[str, Any]) -> Iterator[Box]:
    kinds = {item[0] for item in path["items"]}
    if kinds <= {"re", "qu"}:
        for kind, shape, *_ in path["items"]:
            yield shape if kind == "re" else (*map(min, zip(*shape, strict=True)), *map(max, zip(*shape, strict=True)))
    elif kinds == {"l"} and all(
        abs(start[0] - end[0]) < 0.1 or abs(start[1] - end[1]) < 0.1 for _, start, end in path["items"]
    ):
        yield path["rect"]


def _read_thin(box: Box) -> Iterator[Rule]:
    """A thin rectangle as a rule; a dot, which may be part of either, as both."""
    left, top, right, bottom = box
    if bottom - top <= _THICKEST:
        yield Rule(True, (top + bottom) / 2, left, right, bottom - top)
    if right - left <= _THICKEST:
        yield Rule(False, (left + right) / 2, top, bottom, right - left)


def _join_pieces(pieces: list[Rule]) -> Iterator[Rule]:
    """Pieces on one line, one behind the other, as one rule; what then is short is none."""
    group: list[Rule] = []
    for piece in sorted(pieces):
        if group and (piece.is_horizontal != group[0].is_horizontal or piece.at - group[0].at > _SAME_LINE):
            yield from _join_group(group)
            group = []
        group.append(piece)
    yield from _join_group(group)


def _join_group(group: list[Rule]) -> Iterator[Rule]:
    run: list[Rule] = []
    end = 0.0
    for piece in sorted(group, key=lambda rule: (rule.start, rule.end)):
        if run and piece.start > end + _GAP:
            yield from _join_run(run, end)
            run = []
        end = max(end, piece.end) if run else piece.end
        run.append(piece)
    yield from _join_run(run, end)


def _join_run(run: list[Rule], end: float) -> Iterator[Rule]:
    if not run or end - run[0].start < _SHORTEST:
        return
    weights = [rule.end - rule.start + 0.01 for rule in run]
    at = sum(rule.at * weight for rule, weight in zip(run, weights, strict=True)) / sum(weights)
    yield Rule(run[0].is_horizontal, at, run[0].start, end, max(rule.width for rule in run))


def _is_shown(rule: Rule, frame: Frame) -> bool:
    """Whether the picture differs across the rule along enough of it: white, clipped and covered rules do not count."""
    image = frame.image if rule.is_horizontal else frame.image.transpose(1, 0, 2)
    middle, reach = round(rule.at * frame.scale), round((rule.width / 2 + 1.0) * frame.scale) + 1
    first, last = max(0, round(rule.start * frame.scale)), round(rule.end * frame.scale) + 1
    strip = image[max(0, middle - reach) : max(0, middle + reach + 1), first:last]
    if not strip.size:
        return False
    contrast = (strip.max(axis=0).astype(np.int16) - strip.min(axis=0)).max(axis=1)
    return bool((contrast >= _CONTRAST).mean() >= _SHOWN_SHARE)
