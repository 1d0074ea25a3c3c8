"""Finding the document that a shown text is from, among thousands and by the text alone.

A text is shown in parts, its lines are put together anew, and most documents print the same labels and
zeros: so it is compared piece by piece, and first with the documents that share what few documents print.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from heapq import nlargest

from tests.loopback.truths import Truth, squeeze

#: A shown text is compared in pieces of about so many characters; lines with fewer than these are joined.
_PIECE, _SHORT = 48, 8
#: At least this share of the text must stand in a document, piece by piece.
_LEAST_SHARE = 0.5
#: So many characters before a number and from its first digit on tell documents apart.
_BEFORE, _FROM = 4, 4
#: What more documents than this print tells nothing; so many of the likeliest documents are looked at first.
_COMMON, _LIKELY = 200, 12
#: How readers mark that a part of the text is left out.
_LEFT_OUT = "\n……\n"
_NUMBER = re.compile(r"(?<!\d)\d")
_PART = re.compile(rf".{{1,{_PIECE}}}\d*")


class Library:
    """Truths, to be found by what is shown of their documents."""

    def __init__(self, truths: Iterable[Truth]) -> None:
        self._truths = tuple(truths)
        self._last = 0
        self._index: dict[str, list[int]] = {}
        for number, truth in enumerate(self._truths):
            for mark in set(_marks(truth.squeezed)):
                self._index.setdefault(mark, []).append(number)

    def find(self, shown: str) -> Truth | None:
        """The truth of the document that a text is from; None where it is from no known one.

        Documents that all hold the text say the same about it, and any of them will do.
        """
        if not self._truths:
            return None
        pieces = _cut(shown)
        # The questions about one document come together.
        likely = dict.fromkeys((self._last, *self._rank(pieces), *range(len(self._truths))))
        best = self._choose(pieces, likely)
        if best is None:
            return None
        self._last = best
        return self._truths[best]

    def _rank(self, pieces: list[str]) -> list[int]:
        """The documents that share with the text what few print, the likeliest first."""
        votes: dict[int, float] = defaultdict(float)
        for mark in {mark for piece in pieces for mark in _marks(piece)}:
            owners = self._index.get(mark, ())
            if len(owners) <= _COMMON:
                for number in owners:
                    votes[number] += 1 / len(owners)
        return nlargest(_LIKELY, votes, key=votes.__getitem__)

    def _choose(self, pieces: list[str], numbers: Iterable[int]) -> int | None:
        """The one of these documents that holds most of the text; the first that holds all of it."""
        whole = sum(map(len, pieces))
        best, most = None, _LEAST_SHARE * whole
        for number in numbers:
            squeezed = self._truths[number].squeezed
            found = sum(len(piece) for piece in pieces if _holds(squeezed, piece))
            if found > most:
                best, most = number, found
            if found == whole:
                break
        return best


def _marks(squeezed: str) -> Iterator[str]:
    """Every number with the end of what stands before it."""
    for match in _NUMBER.finditer(squeezed):
        mark = squeezed[max(0, match.start() - _BEFORE) : match.start() + _FROM]
        if len(mark) == _BEFORE + _FROM:
            yield mark


def _cut(shown: str) -> list[str]:
    """The text in pieces, each of which stands in the source as it is shown; none ends within a number.

    A line does, cut where it is long. What is shorter is joined with the lines around it and the end of the
    one in front: numbers in lines of their own say nothing without their label.
    """
    pieces: list[str] = []
    for part in shown.split(_LEFT_OUT):
        before, lines = "", list[str]()
        for line in (*part.split("\n"), " " * _PIECE):  # the last one ends what is being joined
            if len(line) < _SHORT and len(lines) < _PIECE:
                lines.append(line)
                continue
            joined = "\n".join((before, *lines)) if lines else ""
            pieces += _PART.findall(squeeze(joined)) + _PART.findall(squeeze(line))
            before, lines = line[-_SHORT:], []
    return pieces


def _holds(squeezed: str, piece: str) -> bool:
    """Whether a piece stands in a text, and a number at its end ends there."""
    position = squeezed.find(piece)
    while position >= 0 and piece[-1].isdigit() and squeezed[(end := position + len(piece)) : end + 1].isdigit():
        position = squeezed.find(piece, position + 1)
    return position >= 0
