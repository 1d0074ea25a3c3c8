"""What one cell's text says: a number, nothing, a mark, or something else.

Lives here: reading tokens without knowing the row or the column. Does not live here: whether the
number suits its column (tables). Nothing is rounded, repaired or guessed: what does not read as
one number is unparsable, and the raw token is kept by the caller.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache, lru_cache
from typing import NamedTuple

from extractor.forms import load_forms
from extractor.model import CellState, Unit
from extractor.readers.numerals import read_numeral

# A word, with a note in parentheses behind a number kept together: 22 （其中修订16件）.
_WORD = re.compile(r"\d+[ \t]\([^()\n]*\)|[^ \t]+")
_RULE = re.compile(r"[-—=_+]{3,}")
# Nobody counts to a million million; such a run is several cells glued together.
_MOST_DIGITS = 12


class Token(NamedTuple):
    """One cell's content. `is_glued`: digits that look like several cells in one."""

    state: CellState
    value: int | Decimal | None = None
    unit: Unit | None = None
    is_glued: bool = False


BLANK = Token(CellState.BLANK)
UNPARSABLE = Token(CellState.UNPARSABLE)
GLUED = Token(CellState.UNPARSABLE, is_glued=True)


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    forms = load_forms()
    units = "|".join(map(re.escape, sorted([*forms.count_units, *forms.money_units], key=len, reverse=True)))
    number = r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
    chinese = r"[〇零○一二两三四五六七八九十百千万]+"
    # Pairs of parentheses, others within them: text between two pairs is a label that ran on.
    note = r"(?:\((?:[^()]|\([^()]*\))*\))+|\[.*\]|[,;、]?其中.*"
    whole = re.compile(
        rf"(?:(?P<number>{number})|(?P<chinese>{chinese}))\s*(?P<unit>{units})?\s*(?P<note>{note})?[。;]?", re.S
    )
    piece = re.compile(rf"[+-]?\d[\d.,+/—-]*(?:{units})?(?:\([^()]*\))?|[^\d+-]+|[+-]", re.A)
    return whole, piece


@lru_cache(maxsize=65536)
def read_cell(text: str) -> Token:
    """Read one cell.

    Args:
        text: the cell's slice of a view.
    """
    text = text.replace("\x00", "").strip()
    if not text:
        return BLANK
    if text in load_forms().na_marks:
        return Token(CellState.NA_MARK)
    match = _patterns()[0].fullmatch(text)
    if not match:
        return UNPARSABLE
    value = _read_number(match["number"]) if match["number"] else read_numeral(match["chinese"])
    if value is None:
        return UNPARSABLE
    unit = load_forms().money_units.get(match["unit"] or "")
    return Token(CellState.VALUE, value, unit, _is_glued(match["number"] or ""))  # type: ignore[arg-type]


def find_tokens(view: str, start: int, end: int) -> list[tuple[int, int]]:
    """Intervals of the number-like tokens in `view[start:end]`, and of the text between them.

    A line that reads as one cell is one token (`22 （其中修订16件）`); otherwise spaces separate.
    """
    found: list[tuple[int, int]] = []
    position = start
    for line in view[start:end].split("\n"):
        if line.strip(" \t\x00"):
            found.extend(_line_tokens(line, position))
        position += len(line) + 1
    return found


def _line_tokens(line: str, offset: int) -> list[tuple[int, int]]:
    stripped = line.strip(" \t\x00")
    begin = line.index(stripped)
    if read_cell(stripped).state is not CellState.UNPARSABLE:
        return [(offset + begin, offset + begin + len(stripped))]
    return [
        (offset + word.start() + piece.start(), offset + word.start() + piece.end())
        for word in _WORD.finditer(line)
        for piece in _pieces(word.group())
    ]


def _pieces(word: str) -> list[re.Match[str]]:
    """A word between spaces: one cell, or its runs of digits and its stretches of text."""
    if not word.strip("\x00") or _RULE.fullmatch(word):
        return []
    if read_cell(word).state is not CellState.UNPARSABLE:
        return [match] if (match := re.fullmatch(r".*", word)) else []
    return [piece for piece in _patterns()[1].finditer(word) if piece.group().strip("|,，。;；、.:")]


def _read_number(text: str) -> int | Decimal:
    text = text.replace(",", "")
    return Decimal(text) if "." in text else int(text)


def _is_glued(number: str) -> bool:
    digits = number.lstrip("+-").partition(".")[0]
    return (len(digits) > 1 and digits.startswith("0")) or len(digits.replace(",", "")) > _MOST_DIGITS
