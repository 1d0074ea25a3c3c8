"""Quotes and stated numbers of a reply -> their places in running text.

Lives here: finding a verbatim quote in an interval of the source, and a whole number inside a quote. Does not live
here: what a quote or a number is worth (readers).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from extractor.forms import load_forms
from extractor.grounding.alignment import NOT_FOUND, AlignedCell
from extractor.grounding.values import NUMERALS, fold_characters, fold_token
from extractor.model import Document, Span

_FEWEST_CHARS = 2
_NUMBER_CHARS = frozenset("0123456789.,+-\x00")
# Digits with thousands separators and decimals, or a Chinese numeral; what multiplies them belongs to the number.
_NUMBER = re.compile(rf"(?P<digits>[+-]?\d[\d\x00]*(?:,\d{{3}})*(?:\.\d+)?(?:[百千万亿]+|[%‰])?)|[{NUMERALS}亿]+", re.A)
_PUNCTUATION = str.maketrans("“”„「」『』‘’【】〔〕《》〈〉。·、", '"""""""\'\'[][]<><>..,')


def align_quote(document: Document, start: int, end: int, quote: str) -> AlignedCell:
    """Find a quote in `document.text[start:end]`: as it is, else with space, width and punctuation folded.

    The first occurrence counts. One that begins or ends inside a number is none.

    Returns:
        Its place, or `not_found` (also for quotes of fewer than two characters).
    """
    quote = quote.strip()
    wanted = _fold_compact(quote)
    if len(wanted) < _FEWEST_CHARS:
        return NOT_FOUND
    for first in _occurrences(document.text, quote, start, end):
        if not _cuts_number(document.view, first, first + len(quote)):
            return AlignedCell("exact", Span(first, first + len(quote)), quote)
    compact, positions = _compact(document.view, start, end)
    for at in _occurrences(compact, wanted, 0, len(compact)):
        first, last = positions[at], positions[at + len(wanted) - 1] + 1
        if not _cuts_number(document.view, first, last):
            return AlignedCell("normalised", Span(first, last), document.text[first:last])
    return NOT_FOUND


def _occurrences(text: str, wanted: str, start: int, end: int) -> Iterator[int]:
    at = text.find(wanted, start, end)
    while at >= 0:
        yield at
        at = text.find(wanted, at + 1, end)


def _fold_compact(text: str) -> str:
    return "".join(fold_characters(text).translate(_PUNCTUATION).split())


@lru_cache(maxsize=4)
def _compact(view: str, start: int, end: int) -> tuple[str, list[int]]:
    """The folded characters of an interval without space, and where each stands."""
    # Nothing in a view takes no room but its gaps: kept as they are here, folding keeps the length.
    folded = "\x00".join(map(fold_characters, view[start:end].split("\x00"))).translate(_PUNCTUATION)
    kept = [i for i, char in enumerate(folded) if char != "\x00" and not char.isspace()]
    return "".join([folded[i] for i in kept]), [start + i for i in kept]


def _cuts_number(view: str, start: int, end: int) -> bool:
    """Whether an interval begins or ends inside a number."""
    before, behind = view[max(0, start - 8) : start], view[end : end + 8]
    begins_inside = view[start].isdigit() and re.search(r"\d\x00*[.,]?\x00*$", before)
    ends_inside = view[end - 1].isdigit() and re.match(r"\x00*[.,]?\x00*\d", behind)
    return bool(begins_inside or ends_inside)


def align_number(document: Document, quote_span: Span, number: str) -> AlignedCell:
    """Find a number inside a quote's interval: a whole one, never a part of a longer one.

    A sign, decimals, 万, 亿 or % belong to the number; what follows it in the reply (件) must follow it in the
    source. A Chinese numeral is found as it is written, where a unit, punctuation or nothing follows. The first
    occurrence counts.
    """
    number = number.strip()
    wanted = _NUMBER.match(fold_token(number))
    if not wanted:
        return NOT_FOUND
    unit = fold_token(number)[wanted.end() :]
    view, begin = document.view, quote_span.start
    while begin and view[begin - 1] in _NUMBER_CHARS:  # the quote may begin inside a number
        begin -= 1
    for match in _NUMBER.finditer(view, begin):
        start, end = match.span()
        if start >= quote_span.end:
            break
        end = _end_of_unit(view, end, unit)
        is_whole = quote_span.start <= start and end <= quote_span.end and _stands_alone(view, match)
        if end and is_whole and fold_token(match.group()) == wanted.group():
            raw = document.text[start:end]
            return AlignedCell("exact" if raw == number else "normalised", Span(start, end), raw)
    return NOT_FOUND


def _end_of_unit(view: str, position: int, unit: str) -> int:
    """Where a unit ends that stands at a position, spaces between left out; 0 when it does not stand there."""
    for char in unit:
        while position < len(view) and (view[position].isspace() or view[position] == "\x00"):
            position += 1
        if fold_characters(view[position : position + 1]) != char:
            return 0
        position += 1
    return position


def _stands_alone(view: str, match: re.Match[str]) -> bool:
    """A Chinese numeral is also a part of other words (进一步, 第三方): a unit or no word must follow."""
    if match["digits"]:
        return True
    forms = load_forms()
    behind = view[match.end() : match.end() + 3].lstrip(" \t\n\x00")
    is_unit = behind.startswith((*forms.count_units, *forms.money_units))
    return view[match.start() - 1 : match.start()] != "第" and (is_unit or not "\u3400" <= behind[:1] <= "\u9fff")
