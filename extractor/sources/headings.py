"""Section headings in running text.

Lives here: where the six sections begin. Does not live here: what stands in them (chunks).
Headings are found at the start of a line with any ordinal or none, and, where a report is all on
one line, inside the line behind a Chinese ordinal.
"""

from __future__ import annotations

import re
from functools import cache

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from extractor.forms import fold_label, load_forms
from extractor.model import Heading

_ORDINAL = r"(?:第?[一二三四五六七八九十]{1,3}(?:部分)?[ \x00]*[、.,:]|第[一二三四五六]部分|\d{1,2}[ \x00]*[、.])"
_ORDINAL_BEFORE = re.compile(rf"{_ORDINAL}[ \x00]*$")
_LONGEST_ORDINAL = 12
_NUMBERED_LINE = re.compile(rf"^[ \x00#*]*{_ORDINAL}[ \x00]*([^\n\t|]{{4,40}}?)[ \x00*]*$", re.M)
# In an enumeration of the sections ("由总体情况、主动公开…等六个部分组成") the names are no headings.
_ENUMERATION = frozenset(";；，,、和及等”")
_LEAST_LIKENESS = 0.8
_LONG_NAME = 8


@cache
def _heading_pattern() -> re.Pattern[str]:
    forms = load_forms()
    names = {name for names in forms.section_names.values() for name in names[1:]}
    alternatives = "|".join(
        "".join(_char_pattern(char) for char in name) for name in sorted(names, key=len, reverse=True)
    )
    return re.compile(alternatives)


def _char_pattern(char: str) -> str:
    return r"[、,和及\x00 ]?" if char == "、" else re.escape(char) + r"\x00*"


@cache
def _official_names() -> frozenset[str]:
    return frozenset(fold_label(names[1]) for names in load_forms().section_names.values())


def find_headings(view: str, start: int, end: int) -> list[Heading]:
    """Find the section headings in `view[start:end]`, in order of print.

    The interval of a heading covers its ordinal and its name, not the rest of its line.
    """
    index = load_forms().heading_index
    found = {}
    for match in _heading_pattern().finditer(view, start, end):
        folded = fold_label(match.group())
        section = index.get(folded)
        floor = max(start, match.start() - _LONGEST_ORDINAL)
        ordinal = _ORDINAL_BEFORE.search(view, floor, match.start())
        heading_start = ordinal.start() if ordinal else match.start()
        place = Heading(section or "", heading_start, match.end())
        if section and _is_heading(view, place, ordinal.group() if ordinal else "", folded, end):
            found[heading_start] = place
    lines_with_heading = {view.rfind("\n", 0, position) + 1 for position in found}
    for match in _NUMBERED_LINE.finditer(view, start, end):
        if match.start() in lines_with_heading:
            continue
        folded = fold_label(match[1])
        best = process.extractOne(
            folded, index.keys(), scorer=Levenshtein.normalized_similarity, score_cutoff=_LEAST_LIKENESS
        )
        if best and len(best[0]) >= _LONG_NAME:
            found[match.start()] = Heading(index[best[0]], match.start(), match.end())
    return [found[position] for position in sorted(found)]


def _is_heading(view: str, place: Heading, ordinal: str, folded: str, limit: int) -> bool:
    line_start = view.rfind("\n", 0, place.start) + 1
    before = view[line_start : place.start].strip(" \x00\t*#|")
    line_end = view.find("\n", place.end, limit)
    after = view[place.end : line_end if line_end >= 0 else limit].strip(" \x00\t*|")
    if after and after[0] in _ENUMERATION:
        return False
    if ordinal:
        is_chinese = not ordinal[0].isdigit()
        return not before or (is_chinese and before[-1] not in _ENUMERATION and "由" not in before[-3:])
    stands_alone = not before and not after.strip(":：。.")
    return stands_alone and (folded in _official_names() or len(folded) >= _LONG_NAME)
