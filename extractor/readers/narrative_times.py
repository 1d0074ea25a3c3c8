"""Marks of time in the running text: years, ranges of years, parts of a year.

Lives here: finding all of them in one pass. Does not live here: what they say against a statement (narrative_scope).
Called by narrative_statement.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from extractor.readers.numerals import YEAR, parse_year

_YEAR_BEFORE = re.compile(f"({YEAR})年")
_YEAR_RANGE = re.compile(f"({YEAR})年?(?:\\d+月(?:\\d+日)?)?(?:至|到|[-—~～]+)({YEAR})年")
_QUOTED = re.compile("《[^》]{0,80}》")
_WHOLE_YEAR = re.compile(
    f"全年|年度|(?:{YEAR}年|[本当今]年)(?!度?(?:[\\d底末初前起至到—~-]|[上下前]半|第|[一二三四五六七八九十]+月|以来))"
)
# The first and the last day of a year are its limits, no part of it.
_LIMITS = re.compile(
    "(?<!\\d)1月?(?:1日)?(?:至|到|[-—~～]+)(?:\\d{4}年)?12月(?:31日|底|末|份)?|(?<!\\d)1月1日|12月(?:31日|底|末)|十二月(?:三十一日|底)"
)
_NUMERAL = "[一二两三四五六七八九十几数\\d]"
_PART_OF_YEAR = re.compile(
    f"[上下前]半年|季度|(?:(?<!\\d)\\d{{1,2}}|[一二三四五六七八九十])月|期间|近{_NUMERAL}*年|(?!一年来){_NUMERAL}年(?:来|间|内)|"
    "近年|十[一二三四五]五|任期|阶段"
)


class Times:
    """Every mark of time of a text, found in one pass: a sentence may be asked about for each of its numbers."""

    def __init__(self, text: str) -> None:
        said = _QUOTED.sub(_mask, text)
        years = [(match.start(), parse_year(match[1])) for match in _YEAR_BEFORE.finditer(said)]
        ranges = [(match.start(), parse_year(match[1]) != parse_year(match[2])) for match in _YEAR_RANGE.finditer(said)]
        said = _LIMITS.sub(_mask, said)
        parts = [(match.start(), True) for match in _PART_OF_YEAR.finditer(said)]
        parts += [(match.start(), False) for match in _WHOLE_YEAR.finditer(said)]
        self._years, self._ranges, self._parts = years, ranges, sorted(parts)

    def last_year(self, start: int, end: int) -> int | None:
        """The year named last in an interval."""
        return _last_between(self._years, start, end)

    def is_several_years(self, start: int, end: int) -> bool:
        """Whether the last range of years in an interval is of several."""
        return bool(_last_between(self._ranges, start, end))

    def is_part_of_year(self, start: int, end: int) -> bool:
        """Whether a part of a year, or several years, are named in an interval, and no whole year behind them."""
        return bool(_last_between(self._parts, start, end))


def _mask(match: re.Match[str]) -> str:
    return "\x00" * len(match.group())


def _last_between(marks: Sequence[tuple[int, int]], start: int, end: int) -> int | None:
    place = bisect_left(marks, (end,)) - 1
    return marks[place][1] if place >= 0 and marks[place][0] >= start else None
