"""The source beside the form: its text in lines with the places of fields marked, and its pages with boxes.

Lives here: cutting the text at lines and places. Does not live here: HTML, what a field is. Called by the views of
items and documents.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from extractor.model import Box, Page, Record, Span
from extractor.store.shapes import Item
from extractor.web.pages.cells import find_spans

#: A longer text is shown around its marked places only; all of it is one click away.
_MOST_LINES = 3000
_MOST_CHARACTERS = 250_000
_AROUND = 60
_LONGEST_LINE = 20_000
_MOST_NEAR = 100
#: Of the page's width, left free around the ink that is asked about: a line over a small digit hides it.
_MARGIN = 0.005


class Piece(NamedTuple):
    """A stretch of a line. `kind`: `asked` (a field of the item), `known` (another field), or "" for the rest."""

    text: str
    kind: str
    start: int
    end: int


class Line(NamedTuple):
    """A line of the text. `number` counts from 1; 0 stands for lines that are left out."""

    number: int
    pieces: tuple[Piece, ...]


class PageView(NamedTuple):
    """A page with the boxes on it, as (left, top, width, height, whether the item asks, spans of its field)."""

    page: Page
    boxes: tuple[tuple[float, float, float, float, bool, str], ...]


def mark_lines(text: str, record: Record, asked: Collection[str], others: Iterable[Span] = ()) -> list[Line]:
    """The text in lines, with every place of a field marked.

    Args:
        text: the linear text that spans count in.
        record: its fields.
        asked: fields of the item, whose places are told apart.
        others: further places that the item asks about.
    """
    strong = _places(record, asked) | {(span.start, span.end) for span in others if span.end > span.start}
    known = _places(record, record.fields.keys() - set(asked))
    cuts = sorted({edge for span in strong | known for edge in span})
    cover = _Cover(strong), _Cover(known)
    starts = _line_starts(text)
    shown = _choose_lines(text, starts, strong)
    lines: list[Line] = []
    before = -1
    for index in shown:
        if index != before + 1:
            lines.append(Line(0, ()))
        before = index
        start = starts[index]
        end = starts[index + 1] - 1 if index + 1 < len(starts) else len(text)
        lines.append(Line(index + 1, tuple(_cut_line(text, start, min(end, start + _LONGEST_LINE), cuts, cover))))
    if shown and shown[-1] + 1 < len(starts):
        lines.append(Line(0, ()))
    return lines


def find_near(item: Item, record: Record) -> tuple[Span, ...]:
    """Where to look for what an item asks about that has no place of its own: where its flags say."""
    lost = {name for name in item.fields if name in record.fields and not find_spans(record.fields[name])}
    flags = [flag for flag in record.flags if flag.code in item.codes and (lost & set(flag.fields) or not item.fields)]
    return tuple(dict.fromkeys(span for flag in flags for span in flag.spans))[:_MOST_NEAR]


class _Cover:
    """Whether a stretch lies in one of many spans."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        merged: list[list[int]] = []
        for start, end in sorted(spans):
            if merged and start <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([start, end])
        self._starts = [start for start, _ in merged]
        self._ends = [end for _, end in merged]

    def holds(self, start: int) -> bool:
        index = bisect_right(self._starts, start) - 1
        return index >= 0 and start < self._ends[index]


def _cut_line(text: str, start: int, end: int, cuts: Sequence[int], cover: tuple[_Cover, _Cover]) -> Iterable[Piece]:
    edges = [start, *cuts[bisect_right(cuts, start) : bisect_right(cuts, end - 1)], end]
    for first, last in pairwise(edges):
        if first < last:
            kind = "asked" if cover[0].holds(first) else "known" if cover[1].holds(first) else ""
            yield Piece(text[first:last], kind, first, last)


def _places(record: Record, names: Iterable[str]) -> set[tuple[int, int]]:
    found = (record.fields[name] for name in names if name in record.fields)
    return {(span.start, span.end) for item in found for span in find_spans(item) if span.end > span.start}


def _line_starts(text: str) -> list[int]:
    starts = [0]
    position = text.find("\n")
    while position >= 0:
        starts.append(position + 1)
        position = text.find("\n", position + 1)
    return starts


def _choose_lines(text: str, starts: Sequence[int], strong: Iterable[tuple[int, int]]) -> list[int]:
    if len(starts) <= _MOST_LINES and len(text) <= _MOST_CHARACTERS:
        return list(range(len(starts)))
    centres = sorted({bisect_right(starts, start) - 1 for start, _ in strong}) or [0]
    chosen = {line for centre in centres for line in range(centre - _AROUND, centre + _AROUND + 1)}
    return sorted(line for line in chosen if 0 <= line < len(starts))[:_MOST_LINES]


def place_boxes(
    pages: Sequence[Page], record: Record, asked: Collection[str], others: Iterable[Span] = ()
) -> list[PageView]:
    """The pages with a box for every field that stands on them, those of the item last, so that they lie on top."""
    boxes: dict[int, dict[Box, tuple[bool, str]]] = {page.number: {} for page in pages}
    names = [*(name for name in record.fields if name not in asked), *asked]
    for name in names if pages else ():
        item = record.fields.get(name)
        for span in find_spans(item) if item else ():
            if span.place and span.place.page in boxes:
                boxes[span.place.page][span.place.box] = (name in asked, f"{span.start}-{span.end}")
    for span in others if pages else ():
        if span.place and span.place.page in boxes:
            boxes[span.place.page].setdefault(span.place.box, (True, f"{span.start}-{span.end}"))
    return [
        PageView(
            page,
            tuple(
                (*_frame(box, page.width * _MARGIN if is_asked else 0.0), is_asked, spans)
                for box, (is_asked, spans) in boxes[page.number].items()
            ),
        )
        for page in pages
    ]


def _frame(box: Box, margin: float) -> tuple[float, float, float, float]:
    """A box as left, top, width and height, with room around it."""
    left, top, right, bottom = box
    width, height = max(right - left, 1.0), max(bottom - top, 1.0)
    return left - margin, top - margin, width + 2 * margin, height + 2 * margin
