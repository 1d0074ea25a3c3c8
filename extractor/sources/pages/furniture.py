"""Page furniture: page numbers, running heads and feet, which are no part of the text.

Lives here: which lines at the edges of pages are furniture. Does not live here: taking them out (compose). Nothing
in a table is ever furniture, nor is a line that is not at its page's edge. Called by compose; what was found can be
counted by calling it alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import Literal, NamedTuple

from rapidfuzz.fuzz import ratio

from extractor.forms import fold_label, load_forms
from extractor.model import Box
from extractor.sources.pages.shapes import Line, PageContent
from extractor.sources.pages.spacing import line_text

# How far from its edge furniture stands, and how much its height differs from page to page, as shares of the page.
_EDGE_ZONE = 0.15
_SAME_HEIGHT = 0.015
_LINES_AT_EDGE = 2
_FEW_PAGES = 5
_LEAST_LIKENESS = 85
_MOST_CHANGING_NUMBERS = 2
_LEAST_LETTERS = 2
_LONGEST = 80
# A page number that nothing vouches for stands this many of its heights away from all else.
_LEAST_DISTANCE = 1.5
# How much more room than lines of text leave between them sets a line off.
_MORE_ROOM = 1.3
_FEWEST_GAPS = 3

_NUMBER = r"(\d{1,4}|[ivxl]{1,6})"
_DASH = r"[-—–―‐−_~·•.=*|]+"
_SAID = re.compile(
    rf"{_DASH}{_NUMBER}{_DASH}|第{_NUMBER}页[,，、/|·]?(?:[(（]?共\d{{1,4}}页[)）]?)?|共\d{{1,4}}页[,，、/|·]?第{_NUMBER}页"
    rf"|{_NUMBER}/\d{{1,4}}页?|(?:page|p\.?){_NUMBER}(?:(?:of|/)\d{{1,4}})?"
)
_BARE = re.compile(rf"(?:{_DASH})?{_NUMBER}(?:{_DASH})?")
_FRACTION = re.compile(r"(\d{1,4})/(\d{1,4})")
_DIGITS = re.compile(r"\d+")
# All but what keeps two numbers apart.
_SPACE = re.compile(r"(?<!\d)\s+|\s+(?!\d)")
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50}

Edge = Literal["head", "foot"]


class _EdgeLine(NamedTuple):
    """A line at the edge of its page.

    Attributes:
        page, line: places in the document and on the page.
        height: distance of its middle from the edge, as a share of the page.
        is_alone: whether nothing else is printed beside it or close to it.
        is_set_off: whether more room is left between it and the text than between the lines of the text.
    """

    page: int
    line: int
    edge: Edge
    height: float
    text: str
    is_alone: bool
    is_set_off: bool


def find_furniture(pages: Sequence[PageContent]) -> tuple[frozenset[int], ...]:
    """Find the furniture of each page.

    Returns:
        For each page the numbers of its lines (places in `PageContent.lines`) that are furniture.
    """
    edge_lines = [line for place, page in enumerate(pages) for line in _find_edge_lines(place, page)]
    found = [*_find_page_numbers(edge_lines, pages), *_find_running(edge_lines, len(pages))]
    by_page: dict[int, set[int]] = defaultdict(set)
    for line in found:
        by_page[line.page].add(line.line)
    return tuple(frozenset(by_page[place]) for place in range(len(pages)))


def _find_edge_lines(place: int, page: PageContent) -> Iterator[_EdgeLine]:
    """The outermost lines of a page: above or below all of its tables, and close to the edge."""
    boxes = [line.box for line in page.lines]
    tables = [table.box for table in page.tables]
    order = sorted(range(len(boxes)), key=lambda number: _middle(boxes[number]))
    usual = _usual_gap([boxes[number] for number in order])
    sides: tuple[tuple[Edge, list[int]], ...] = (("head", order), ("foot", order[::-1]))
    for edge, numbers in sides:
        # Heights from the edge inwards, so that the foot of a page is its head turned over.
        spans = [_span_from(edge, boxes[number], page) for number in numbers]
        tables_from = min([_span_from(edge, box, page)[0] for box in tables], default=page.page.height)
        for rank, number in enumerate(numbers[:_LINES_AT_EDGE]):
            middle = sum(spans[rank]) / 2
            text = _fold(page.lines[number])
            if not text or middle > min(_EDGE_ZONE * page.page.height, tables_from):
                continue
            inner = [*(start for start, _ in spans[rank + 1 : _LINES_AT_EDGE + 1]), tables_from]
            gaps = [start - end for (_, end), start in zip(spans[rank:_LINES_AT_EDGE], inner, strict=False)]
            room = usual if usual is not None else spans[rank][1] - spans[rank][0]
            yield _EdgeLine(
                place,
                number,
                edge,
                middle / page.page.height,
                text,
                _is_alone(boxes[number], [*boxes[:number], *boxes[number + 1 :], *tables]),
                any(gap > room * _MORE_ROOM for gap in gaps),
            )


def _span_from(edge: Edge, box: Box, page: PageContent) -> tuple[float, float]:
    """Where a box begins and ends, from the edge inwards."""
    return (box[1], box[3]) if edge == "head" else (page.page.height - box[3], page.page.height - box[1])


def _usual_gap(boxes: Sequence[Box]) -> float | None:
    """The usual gap between lines; None on a page with hardly any."""
    gaps = [below[1] - above[3] for above, below in pairwise(boxes)]
    return max(0.0, median(gaps)) if len(gaps) > _FEWEST_GAPS else None


def _middle(box: Box) -> float:
    return (box[1] + box[3]) / 2


def _fold(line: Line) -> str:
    text = unicodedata.normalize("NFKC", line_text(line)) if line.words else ""
    return _SPACE.sub("", text).lower()


def _is_alone(box: Box, others: Iterable[Box]) -> bool:
    """Whether nothing else is printed beside a line or close above and below it."""
    reach = _LEAST_DISTANCE * (box[3] - box[1])
    return all(other[3] <= box[1] - reach or other[1] >= box[3] + reach for other in others)


# ---------------------------------------------------------------- page numbers


def _find_page_numbers(lines: Iterable[_EdgeLine], pages: Sequence[PageContent]) -> Iterator[_EdgeLine]:
    """Lines that say that they are page numbers, and bare numbers that count the pages or stand apart."""
    bare: list[tuple[_EdgeLine, int]] = []
    for line in lines:
        fraction = _FRACTION.fullmatch(line.text)
        if fraction and not int(fraction[1]) <= int(fraction[2]):
            continue
        if _SAID.fullmatch(line.text):
            yield line
        elif (match := _BARE.fullmatch(line.text)) and (value := _read_number(match[1])) is not None:
            bare.append((line, value))
    for line, value in bare:
        offset = value - pages[line.page].page.number
        has_fellow = any(
            other.page != line.page
            and other_value - pages[other.page].page.number == offset
            and _is_same_place(line, other)
            for other, other_value in bare
        )
        if has_fellow or line.is_alone:
            yield line


def _read_number(text: str) -> int | None:
    if text.isdecimal():
        return int(text)
    values = [_ROMAN[char] for char in text]
    total = sum(-value if value < max(values[place:]) else value for place, value in enumerate(values))
    return total if total > 0 else None


def _is_same_place(one: _EdgeLine, other: _EdgeLine) -> bool:
    return one.edge == other.edge and abs(one.height - other.height) <= _SAME_HEIGHT


# ---------------------------------------------------------------- running heads and feet


def _find_running(lines: Iterable[_EdgeLine], page_count: int) -> Iterator[_EdgeLine]:
    """Lines apart from the text that repeat on several pages at the same height, but for a number or two.

    A page that was copied twice repeats its text, too: that is not set off.
    """
    groups: list[list[_EdgeLine]] = []
    for line in lines:
        if not (line.is_set_off and _may_run(line.text)):
            continue
        group = next((group for group in groups if _repeats(group[0], line)), None)
        if group is None:
            groups.append([line])
        else:
            group.append(line)
    needed = 2 if page_count <= _FEW_PAGES else 3
    for group in groups:
        if len({line.page for line in group}) >= needed and _count_changing(group) <= _MOST_CHANGING_NUMBERS:
            yield from group


def _may_run(text: str) -> bool:
    """Whether a line may be furniture at all: words, short, and no label of the form."""
    letters = _DIGITS.sub("", text)
    if sum(map(str.isalpha, letters)) < _LEAST_LETTERS or len(text) > _LONGEST:
        return False
    forms = load_forms()
    folded = fold_label(letters)
    return folded not in forms.label_index and folded not in forms.heading_index


def _repeats(first: _EdgeLine, line: _EdgeLine) -> bool:
    if not _is_same_place(first, line) or len(_DIGITS.findall(first.text)) != len(_DIGITS.findall(line.text)):
        return False
    return ratio(_DIGITS.sub("#", first.text), _DIGITS.sub("#", line.text)) >= _LEAST_LIKENESS


def _count_changing(group: Sequence[_EdgeLine]) -> int:
    numbers = zip(*(_DIGITS.findall(line.text) for line in group), strict=True)
    return sum(1 for values in numbers if len(set(values)) > 1)
