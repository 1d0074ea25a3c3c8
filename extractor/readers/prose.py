"""The running text of a report without its tables, in a form that rules can be written for.

Lives here: squeezing out line breaks, spaces and residue while keeping the way back to the source,
and what every rule over running text needs (clauses, dates, candidates with their evidence). Does
not live here: any rule about what a sentence means (header, narrative). Called by these two.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import accumulate

from extractor.model import Candidate, CellState, Chunk, Document, Grid, Heading, Span, Unit, Value

_SPACE = re.compile(r"[\s\x00]+")
_CLAUSE_ENDS = ",。;\n!?"
_SENTENCE_ENDS = "。\n!?"
_CLAUSE_END = re.compile(r"[,。;\n!?]")
# No clause of a report is longer; it bounds what a pattern can be made to look at.
_LONGEST_CLAUSE = 160
_LONGEST_SENTENCE = 1200
_MOST_SPANS = 5


@dataclass(frozen=True, slots=True)
class Prose:
    """Squeezed text and the way back.

    Attributes:
        text: the view without whitespace and residue. A line break in it stands for a paragraph
            break (an empty line, a removed table, the border of a section); a space, for
            whitespace between two Latin letters or digits, which must not grow together.
    """

    text: str
    _starts: Sequence[int]
    _sources: Sequence[int]

    def source(self, offset: int) -> int:
        """The offset in the source text of the character at `offset`."""
        piece = bisect_right(self._starts, offset) - 1
        return self._sources[piece] + offset - self._starts[piece]

    def locate(self, start: int, end: int) -> tuple[int, int]:
        """The tight interval in the source text of a non-empty interval of this text."""
        return self.source(start), self.source(end - 1) + 1

    def clause_start(self, position: int) -> int:
        """Where the clause that holds `position` begins, at most a clause's length before it."""
        return _last_of(self.text, _CLAUSE_ENDS, max(0, position - _LONGEST_CLAUSE), position)

    def clause_end(self, position: int) -> int:
        """Where the clause that holds `position` ends, at most a clause's length behind it."""
        limit = min(len(self.text), position + _LONGEST_CLAUSE)
        match = _CLAUSE_END.search(self.text, position, limit)
        return match.start() if match else limit

    def sentence_start(self, position: int) -> int:
        """Where the sentence that holds `position` begins."""
        return _last_of(self.text, _SENTENCE_ENDS, max(0, position - _LONGEST_SENTENCE), position)


def _last_of(text: str, ends: str, low: int, high: int) -> int:
    for char in ends:
        low = max(low, text.rfind(char, low, high) + 1)
    return low


def read_prose(document: Document, chunks: Iterable[Chunk], part: tuple[int, int] | None = None) -> Prose:
    """The running text of a document or a part of it: all but grids and the tables inside running text."""
    intervals = _prose_intervals(document, chunks)
    if part:
        intervals = ((max(start, part[0]), min(end, part[1])) for start, end in intervals)
    return _squeeze(document.view, [(start, end) for start, end in intervals if start < end])


def read_lines(document: Document, start: int, end: int) -> Prose:
    """A part of a document, squeezed, but with one line break or one space where there were some."""
    return _squeeze(document.view, [(start, end)], keeps_lines=True)


def _prose_intervals(document: Document, chunks: Iterable[Chunk]) -> Iterator[tuple[int, int]]:
    chunks = list(chunks)
    removed = [(block.start, block.end) for block in document.blocks if isinstance(block, Grid)]
    removed += [run for chunk in chunks for run in chunk.runs]
    # A heading removes nothing, but no sentence runs across its borders.
    removed += [
        (edge, edge) for block in document.blocks if isinstance(block, Heading) for edge in (block.start, block.end)
    ]
    position = 0
    for start, end in sorted(removed):
        if position < start:
            yield position, start
        position = max(position, end)
    if position < len(document.view):
        yield position, len(document.view)


def _squeeze(view: str, intervals: Sequence[tuple[int, int]], keeps_lines: bool = False) -> Prose:
    pieces = [piece for piece in _keep_pieces(view, intervals, keeps_lines) if piece[0]]
    lengths = accumulate((len(text) for text, _ in pieces), initial=0)
    return Prose(
        "".join([text for text, _ in pieces]), list(lengths)[:-1] or [0], [source for _, source in pieces] or [0]
    )


def _keep_pieces(view: str, intervals: Sequence[tuple[int, int]], keeps_lines: bool) -> Iterator[tuple[str, int]]:
    """What is kept of the view, with its offset there; pieces may be empty."""
    for number, (start, end) in enumerate(intervals):
        if number and not keeps_lines:
            yield "\n", max(0, start - 1)
        position = start
        for match in _SPACE.finditer(view, start, end):
            space_start, space_end = match.span()
            yield view[position:space_start], position
            position = space_end
            if keeps_lines:
                yield _line_mark(match.group()), space_start
            elif space_end - space_start > 1 or view[space_start - 1] <= "\x7f":
                yield _paragraph_mark(view, space_start, space_end, end), space_start
        yield view[position:end], position


def _line_mark(space: str) -> str:
    if "\n" in space:
        return "\n"
    return " " if space.strip("\x00") else ""


def _paragraph_mark(view: str, start: int, end: int, limit: int) -> str:
    if end - start > 1 and view.count("\n", start, end) > 1:
        return "\n"
    if not start or end >= limit or view[start - 1] > "\x7f" or view[end] > "\x7f":
        return ""
    return " " if view[start - 1].isalnum() and view[end].isalnum() and view[start:end].strip("\x00") else ""


# ---------------------------------------------------------------- what rules hand over


def find_words(text: str, words: Iterable[str]) -> Iterator[int]:
    """Where one of the words begins. Much cheaper than a pattern over the whole text."""
    for word in words:
        position = text.find(word)
        while position >= 0:
            yield position
            position = text.find(word, position + 1)


def make_candidate(
    document: Document, interval: tuple[int, int], value: Value | None = None, unit: Unit | None = None
) -> Candidate:
    """A candidate with the evidence for it; without a value, what is printed there is the value."""
    start, end = interval
    if value is None:
        value = printed_text(document, start, end)
    raw = document.text[start:end]
    return Candidate(state=CellState.VALUE, value=value, unit=unit, raw=raw, spans=(Span(start=start, end=end),))


def merge_candidates(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """One candidate for each value, in order of print, with the first places that state it."""
    merged: dict[tuple[Value | None, Unit | None], list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda item: item.spans[0].start):
        merged.setdefault((candidate.value, candidate.unit), []).append(candidate)
    return tuple(_join_spans(same[:_MOST_SPANS]) for same in merged.values())


def _join_spans(same: Sequence[Candidate]) -> Candidate:
    spans = tuple(dict.fromkeys(candidate.spans[0] for candidate in same))
    return same[0] if len(spans) == 1 else replace(same[0], spans=spans)


def printed_text(document: Document, start: int, end: int) -> str:
    """What is printed in an interval, without whitespace and residue but in its own script."""
    if not _SPACE.search(document.view, start, end):
        return document.text[start:end]
    return "".join(
        char
        for char, seen in zip(document.text[start:end], document.view[start:end], strict=True)
        if seen != "\x00" and not seen.isspace()
    )


def make_iso_date(year: int, month: int, day: int) -> str | None:
    """ISO 8601, or None where there is no such day."""
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None
