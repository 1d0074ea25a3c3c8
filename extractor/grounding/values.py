"""Whether a cell of a reply says what a printed token says.

Lives here: folding of tokens, and the comparison. Does not live here: which token stands where (pieces), and what
number a token means (readers). Numbers are compared as written: signs, leading zeros and decimals count.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Literal

from extractor.forms import load_forms

NUMERALS = "〇零○一二两三四五六七八九十百千万"
# Nobody counts to a million million; such a run is several cells glued together.
_MOST_DIGITS = 12
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_SPACES = re.compile(r"\s+")
_SPACE_IN_NUMBER = re.compile(r"(?<=[\d.,])\s+(?=[\d.,])")
_KEPT_SPACE = "\x1a"  # no white space to `re`
_DASHES = "—–―－‐‑−﹣"


@cache
def _folding() -> dict[int, str | None]:
    table: dict[int, str | None] = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    table |= dict.fromkeys((0x00A0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " ")
    table |= dict.fromkeys((0, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF, 0x00AD))
    table |= dict.fromkeys(map(ord, _DASHES), "-")
    return table | dict(load_forms().script)


def fold_characters(text: str) -> str:
    """Fold width, script, dashes and kinds of space; what takes no room is dropped."""
    return text.translate(_folding())


@lru_cache(maxsize=16384)
def fold_token(text: str) -> str:
    """Fold what may vary in a token without changing it. A space between digits stays: it may part two numbers."""
    folded = fold_characters(text).strip()
    folded = _SPACE_IN_NUMBER.sub(_KEPT_SPACE, folded)
    folded = _SPACES.sub("", folded)
    return _THOUSANDS.sub(lambda match: match.group().replace(",", ""), folded).replace("、", ",")


@cache
def _count() -> re.Pattern[str]:
    """A number with its unit and a note; group 1 the number, group 2 number and unit."""
    forms = load_forms()
    units = "|".join(map(re.escape, sorted([*forms.count_units, *forms.money_units], key=len, reverse=True)))
    return re.compile(
        rf"(([+-]?\d+(?:\.\d+)?|[{NUMERALS}]+)(?:{units})?)(?:\(.*\)|\[.*\]|[,;]?其中.*)?[。;]?",
        re.S | re.A,
    )


@lru_cache(maxsize=16384)
def compare_cell(reply: str, raw: str, seen: str) -> Literal["exact", "normalised"] | None:
    """Compare a cell of a reply with a printed token.

    Args:
        reply: the cell, not empty.
        raw: the token in the source text.
        seen: the same slice of the view.

    Returns:
        None when they differ. A number in front of a unit or a note stands for its token; a part of a longer run
        of digits never does.
    """
    reply = reply.strip()
    if reply == raw:
        return "exact"
    said, printed = fold_token(reply), fold_token(seen)
    if not said:
        return None
    if said == printed or _fold_mark(said) == _fold_mark(printed):
        return "normalised"
    count = _count().fullmatch(printed)
    return "normalised" if count and said in (count[1], count[2]) else None


def _fold_mark(folded: str) -> str:
    """All dashes that stand for "does not apply" are one."""
    return "-" if set(folded) == {"-"} else folded


def looks_glued(seen: str) -> bool:
    """Whether a token's digits look like those of several cells."""
    digits = fold_token(seen).lstrip("+-").partition(".")[0]
    return digits.isdigit() and ((len(digits) > 1 and digits.startswith("0")) or len(digits) > _MOST_DIGITS)


def is_number(seen: str) -> bool:
    """Whether a token reads as one number, with or without unit and note, or as a mark that stands for none."""
    folded = fold_token(seen)
    return bool(folded) and (folded in _marks() or _count().fullmatch(folded) is not None)


@cache
def _marks() -> frozenset[str]:
    return frozenset(map(fold_token, load_forms().na_marks))


def is_mark(seen: str) -> bool:
    """Whether a token is a mark such as "/" that stands for no number."""
    return fold_token(seen) in _marks()
