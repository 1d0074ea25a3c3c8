"""A run of glued digits, cut into cells.

Lives here: every way to cut the tokens of one row into as many numbers as it has cells, and where each number stands.
Does not live here: which way is right (splits).

A cell is 0 or a number without leading zero, and never reaches over two tokens.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

from extractor.forms import Column, load_forms
from extractor.model import Candidate, Span
from extractor.reconcile.open_rows import OpenRow
from extractor.reconcile.system import Amount, System

#: Most numbers tried while one run is cut.
MOST_TRIES = 100_000

# The reader takes longer numbers for several cells.
_MOST_DIGITS = 12
_COUNT = re.compile(rf"0|[1-9][0-9]{{0,{_MOST_DIGITS - 1}}}")
_SIGNED = re.compile(rf"[+-]?(?:{_COUNT.pattern})")
_DECIMAL = re.compile(rf"(?:{_COUNT.pattern})(?:\.[0-9]{{1,{_MOST_DIGITS}}})?")
_LONGEST_NUMBER = 2 * _MOST_DIGITS + 1
# From a plain character to its full-width form. Circled and raised digits are notes, not digits.
_WIDE = 0xFEE0
_DIGITS = frozenset("0123456789")


class Piece(NamedTuple):
    """One cell of a split: its number, and its half-open interval in the run."""

    value: Amount
    start: int
    end: int


#: One way to cut a run: a piece for each cell.
Split = tuple[Piece, ...]


class Cuts(NamedTuple):
    """The ways to cut one run that keep the row's own sums; none when there are too many to try them all."""

    splits: tuple[Split, ...]
    is_complete: bool


class Run:
    """The tokens of one row as one string, with the places where they meet.

    Attributes:
        row: where it was found.
        ordinal: what was left out at its end: the next row's ordinal, as printed.
        ways: how many ways there are to cut it at all, whatever the sums, no cell empty.
    """

    def __init__(self, row: OpenRow, ordinal: str = "") -> None:
        self.row = row
        self.ordinal = ordinal
        texts = [_fold(token) for token in row.tokens]
        texts[-1] = _drop_end(texts[-1], row.columns[-1], ordinal)
        self.text = "".join(character for text in texts for _, character in text)
        self._places = [(token, offset) for token, text in enumerate(texts) for offset, _ in text]
        self._ends = [end for end, text in zip(accumulate(map(len, texts)), texts, strict=True) for _ in text]
        self._numbers: dict[tuple[str, int], list[tuple[int, Amount]]] = {}
        self._after = self._count_ways()
        self.ways = self._after[0].get(0, 0)

    def _count_ways(self) -> list[dict[int, int]]:
        """Cell -> position -> ways to cut all from there into this cell and those behind it; none for endless runs."""
        length = len(self.text)
        after: list[dict[int, int]] = [{length: 1} if length <= _LONGEST_NUMBER * len(self.row.columns) else {}]
        for column in reversed(self.row.columns):
            following = after[-1]
            ways = {
                start: sum(following.get(end, 0) for end, _ in self.numbers_from(column, start))
                for start in (range(length) if following else ())
            }
            after.append({start: count for start, count in ways.items() if count})
        return after[::-1]

    def leads_on(self, cell: int, position: int) -> bool:
        """Whether the run can be cut from a position on into the cells from `cell` (counted from 0) to the last."""
        return position in self._after[cell]

    def numbers_from(self, column: Column, start: int) -> list[tuple[int, Amount]]:
        """The numbers that may begin at a position of the run, shortest first: end and value."""
        pattern = _DECIMAL if column.is_decimal else _SIGNED if column.is_signed else _COUNT
        key = (pattern.pattern, start)
        if key not in self._numbers:
            limit = min(self._ends[start], start + _LONGEST_NUMBER) if start < len(self.text) else start
            found = [(end, self.text[start:end]) for end in range(start + 1, limit + 1)]
            self._numbers[key] = [(end, _read(text)) for end, text in found if pattern.fullmatch(text)]
        return self._numbers[key]

    def locate(self, piece: Piece) -> tuple[str, Span]:
        """A piece as printed, and where it stands in the source."""
        token, first = self._places[piece.start]
        last = self._places[piece.end - 1][1]
        candidate = self.row.tokens[token]
        span = candidate.spans[0]
        printed = (candidate.raw or "")[first : last + 1]
        return printed, replace(span, start=span.start + first, end=span.start + last + 1)


def read_run(row: OpenRow, system: System | None, blanks: int = 0) -> tuple[Run, Cuts]:
    """The run of a row, and its cuts.

    Where no cut keeps the sums, and the run ends in what may be the ordinal of the next row's misprinted label, the
    run without it: "00000002." in front of 其它法律….
    """
    run = Run(row)
    cuts = cut_run(run, system, blanks)
    if cuts.splits or not cuts.is_complete or not row.ordinal:
        return run, cuts
    ending = re.search(rf"\(?{row.ordinal}[.,、)]*$", "".join(character for _, character in _fold(row.tokens[-1])))
    if ending is None:
        return run, cuts
    shorter = Run(row, ending.group())
    found = cut_run(shorter, system, blanks)
    return (shorter, found) if found.splits or not run.ways else (run, cuts)


def cut_run(run: Run, system: System | None, blanks: int = 0) -> Cuts:
    """Every way to cut a run in which the cells that the form adds up within the row add up.

    Args:
        system: the table's equations, if it has any.
        blanks: most cells that may be empty; an empty one counts as 0.
    """
    return _Cutter(run, _list_groups(run.row.fields, system), blanks).cut()


def _list_groups(fields: Sequence[str], system: System | None) -> list[tuple[int, int]]:
    """Half-open intervals of neighbouring cells whose last is the sum of the others; other cells alone."""
    sums: dict[int, int] = {}
    for terms in system.terms.values() if system else ():
        places = sorted(fields.index(name) for name in terms if name in fields)
        signs = [terms[fields[place]] for place in places]
        is_block = len(places) == len(terms) and places == list(range(places[0], places[0] + len(places)))
        if is_block and len(set(signs[:-1])) == 1 and signs[-1] == -signs[0]:
            sums[places[0]] = places[-1] + 1
    groups: list[tuple[int, int]] = []
    while not groups or groups[-1][1] < len(fields):
        start = groups[-1][1] if groups else 0
        groups.append((start, sums.get(start, start + 1)))
    return groups


class _Cutter:
    """Walks through the groups of a run from its end; every number tried counts."""

    def __init__(self, run: Run, groups: Sequence[tuple[int, int]], blanks: int) -> None:
        self.run = run
        self.groups = groups
        self.blanks = blanks
        self.left_over = MOST_TRIES
        self.digit_sums = [0, *accumulate(int(character) if character in _DIGITS else 0 for character in run.text)]

    def cut(self) -> Cuts:
        length = len(self.run.text)
        tails: dict[int, list[Split]] = {length: [()]}
        for first, stop in reversed(self.groups):
            heads: dict[int, list[Split]] = {}
            for start in range(length + 1) if first else (0,):  # the first group begins the run
                for head in self._cut_group(first, stop, start, tails.keys()):
                    joined = [
                        (*head, *tail) for tail in tails[head[-1].end] if count_blanks((*head, *tail)) <= self.blanks
                    ]
                    self.left_over -= len(joined)
                    heads.setdefault(start, []).extend(joined)
                    if self.left_over < 0:
                        return Cuts((), is_complete=False)
            tails = heads
        is_complete = self.left_over >= 0
        return Cuts(tuple(tails.get(0, ())) if is_complete else (), is_complete)

    def _list_numbers(self, cell: int, start: int, blanks: int) -> list[tuple[int, Amount]]:
        numbers = self.run.numbers_from(self.run.row.columns[cell], start)
        return [(start, 0), *numbers] if blanks else numbers

    def _cut_group(self, first: int, stop: int, start: int, ends: Collection[int]) -> Iterator[Split]:
        """The ways to cut one group from a position on, to any of the ends."""
        if stop - first == 1:
            for end, value in self._list_numbers(first, start, self.blanks):
                if end in ends:
                    yield (Piece(value, start, end),)
            return
        for middle in range(start, len(self.run.text) + 1):
            for end, total in self._list_numbers(stop - 1, middle, self.blanks):
                # Casting out nines: however the digits in front are cut, the remainder of the sum is the same.
                is_possible = (total - self.digit_sums[middle] + self.digit_sums[start]) % 9 == 0
                if end in ends and is_possible:
                    piece = Piece(total, middle, end)
                    for parts in self._cut_parts(first, stop - 1, start, piece, self.blanks - (end == middle)):
                        yield (*parts, piece)

    def _cut_parts(self, first: int, stop: int, start: int, total: Piece, blanks: int) -> Iterator[Split]:
        """The ways to cut what stands in front of a total into the cells first..stop that add up to its value."""
        self.left_over -= 1
        if first == stop:
            if start == total.start and not total.value:
                yield ()
            return
        cells, digits = stop - first, total.start - start
        fewest = max(cells - blanks, 1)
        # No cell is longer than the total; the longest one leaves a digit to each of the others.
        is_long_enough = cells * 10 ** max(digits - fewest + 1, 1) > total.value
        if self.left_over < 0 or not cells - blanks <= digits <= cells * len(str(total.value)) or not is_long_enough:
            return
        for end, value in self._list_numbers(first, start, blanks):
            if end > total.start or value > total.value:
                break
            rest = Piece(total.value - value, total.start, total.end)
            for parts in self._cut_parts(first + 1, stop, end, rest, blanks - (end == start)):
                yield (Piece(value, start, end), *parts)


def count_blanks(split: Split) -> int:
    """How many cells a split leaves empty."""
    return sum(piece.start == piece.end for piece in split)


def _fold(token: Candidate) -> list[tuple[int, str]]:
    """Offset and character of what is seen of a token: width folded, invisible characters left out."""
    return [
        (offset, chr(ord(character) - _WIDE) if "！" <= character <= "～" else character)
        for offset, character in enumerate(token.raw or "")
        if unicodedata.category(character) not in ("Cc", "Cf")
    ]


def _drop_end(text: list[tuple[int, str]], column: Column, ordinal: str) -> list[tuple[int, str]]:
    """The last token without the next row's ordinal, and without the unit of money."""
    seen = "".join(character for _, character in text)
    endings = [ordinal, *load_forms().money_units] if column.unit else [ordinal]
    longest = max((ending for ending in endings if seen.endswith(ending)), key=len)
    return text[: len(text) - len(longest)]


def _read(text: str) -> Amount:
    return Decimal(text) if "." in text else int(text)
