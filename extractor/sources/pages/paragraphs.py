"""Printed lines -> paragraphs: which line of running text goes on in the next one.

Lives here: the margins of a page's text and the decision at each line end. Does not live here: lines of cells (see
spacing), and what a paragraph means. In doubt the line end stays. Called by compose.

A line goes on in the next when what the next begins with would not have fitted behind it, and the next begins at the
left margin, in letters of the same size, at the usual distance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from extractor.model import Page
from extractor.sources.pages.shapes import Line
from extractor.sources.pages.spacing import between_wrapped, count_squares, first_unit, is_upright, line_text, square_of

_LINE_END = "\n"
# Begins a line of its own wherever it stands.
_CHAPTER = re.compile(r"第?[一二三四五六七八九十]{1,3}、|第[一二三四五六七八九十]{1,3}(?:部分|章)")
# Begins a line of its own behind the end of a sentence.
_ITEM = re.compile(
    r"[（(][一二三四五六七八九十\d]{1,3}[)）]|\d{1,2}[.、．](?!\d)|[\u2460-\u249b]|[一二三四五六七八九十]是"
)
_STOPS = frozenset("。；;：:！!？?")
# In squares of the text's size.
_SAME_EDGE = 0.6
_MOST_INDENT = 0.8
_SLACK = 0.5
_NARROWEST = 10
_WIDEST_PITCH = 2.6
# Shares: of the widest text of the document, of the usual distance of lines, of the size of letters.
_LEAST_WIDTH = 0.93
_MORE_PITCH = 1.3
_SIZES = (0.78, 1.28)


class PrintedLine(NamedTuple):
    """A line of running text. Lines of one `column` of a page share their margins; 0 is the page itself."""

    page: Page
    line: Line
    column: int = 0

    @property
    def key(self) -> tuple[int, int]:
        """The page and the column."""
        return self.page.number, self.column


class Margins(NamedTuple):
    """Left and right edge of a column of text, and the size of its letters, in page units."""

    left: float
    right: float
    square: float


class Typesetting(NamedTuple):
    """What the lines of a document have in common: margins by page and column, and the usual distance of lines."""

    margins: Mapping[tuple[int, int], Margins]
    pitch: float


def find_typesetting(lines: Sequence[PrintedLine]) -> Typesetting:
    """Find the margins of each page, and the usual distance of two lines in squares."""
    columns: dict[tuple[int, int], list[PrintedLine]] = {}
    for line in lines:
        if not is_upright(line.line):
            columns.setdefault(line.key, []).append(line)
    found = {key: margins for key, column in columns.items() if (margins := _find_margins(column))}
    pages = {line.page.number: line.page for line in lines}
    pitches = [
        (_middle(b) - _middle(a)) / square
        for a, b in pairwise(lines)
        if a.key == b.key and (square := square_of(a.line)) and _middle(b) > _middle(a)
    ]
    pitch = median(pitches) if len(pitches) > 2 else _WIDEST_PITCH / _MORE_PITCH
    return Typesetting(_borrow_margins(found, pages), pitch)


def join_text(before: PrintedLine, after: PrintedLine, setting: Typesetting) -> str:
    """What stands between two lines that follow each other: a line end, or nothing or a space inside a paragraph."""
    if not _goes_on(before, after, setting):
        return _LINE_END
    return between_wrapped(line_text(before.line), line_text(after.line))


def _goes_on(before: PrintedLine, after: PrintedLine, setting: Typesetting) -> bool:
    own, next_own = setting.margins.get(before.key), setting.margins.get(after.key)
    if own is None or next_own is None or is_upright(before.line) or is_upright(after.line):
        return False
    text, next_text = line_text(before.line), line_text(after.line)
    if _CHAPTER.match(next_text) or (_ITEM.match(next_text) and text[-1] in _STOPS):
        return False
    room = (own.right - before.line.box[2]) / own.square
    indent = (after.line.box[0] - next_own.left) / next_own.square
    if room >= first_unit(next_text) + _SLACK or abs(indent) > _MOST_INDENT:
        return False
    return _is_same_size(before, after) and _is_next(before, after, setting)


def _is_same_size(before: PrintedLine, after: PrintedLine) -> bool:
    if count_squares(line_text(after.line)) < 4:
        return True  # too short to tell
    share = (square_of(after.line) / after.page.width) / (square_of(before.line) / before.page.width)
    return _SIZES[0] <= share <= _SIZES[1]


def _is_next(before: PrintedLine, after: PrintedLine, setting: Typesetting) -> bool:
    """Whether the second stands where the line below the first is, or begins a later page."""
    if before.page.number != after.page.number:
        return (before.column == 0) == (after.column == 0)
    if before.column != after.column:
        return False
    distance = (_middle(after) - _middle(before)) / setting.margins[before.key].square
    return 0 < distance <= setting.pitch * _MORE_PITCH


def _middle(printed: PrintedLine) -> float:
    return (printed.line.box[1] + printed.line.box[3]) / 2


def _find_margins(lines: Iterable[PrintedLine]) -> Margins | None:
    """The outermost edges that at least two lines share; None for text too narrow to be set in paragraphs."""
    boxes = [printed.line.box for printed in lines]
    square = median([square_of(printed.line) for printed in lines])
    left = _shared_edge(sorted(box[0] for box in boxes), _SAME_EDGE * square)
    right = _shared_edge(sorted(-box[2] for box in boxes), _SAME_EDGE * square)
    if left is None or right is None or -right - left < _NARROWEST * square or not square:
        return None
    return Margins(left, -right, square)


def _shared_edge(edges: Sequence[float], reach: float) -> float | None:
    """The first of the sorted edges that has another one within reach."""
    return next((a for a, b in pairwise(edges) if b - a <= reach), None)


def _borrow_margins(
    found: Mapping[tuple[int, int], Margins], pages: Mapping[int, Page]
) -> dict[tuple[int, int], Margins]:
    """Give pages with hardly any text the margins of the page before (or else behind) them, by their width."""
    shares = {
        number: (margins.right - margins.left) / pages[number].width
        for (number, column), margins in found.items()
        if column == 0
    }
    full = [number for number, share in shares.items() if share >= _LEAST_WIDTH * max(shares.values())]
    borrowed = dict(found)
    for number in pages if full else ():
        if number not in full:
            lender = max([page for page in full if page < number], default=full[0])
            scale = pages[number].width / pages[lender].width
            borrowed[number, 0] = Margins(*(value * scale for value in found[lender, 0]))
    return borrowed
