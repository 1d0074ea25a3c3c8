"""Names that may be one agency under two spellings.

Lives here: three searches, each linear in the number of names. Nothing is merged by them: a person decides, and says
so in a file of aliases. Does not live here: how names are folded (names). Called by build.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from rapidfuzz.distance import Levenshtein

from extractor.panel.names import find_stem, list_shorter
from extractor.panel.series import Series

Likeness = Literal["suffix", "prefix", "spelling"]

# In which two names of one kind differ by a character: 第一中学 and 第二中学, 城东街道 and 城西街道.
_TELLING = frozenset("一二三四五六七八九十百0123456789东南西北中上下左右前后内外大小新老甲乙丙丁")
# Below this length one character is too much of a name.
_SHORTEST_SPELLING = 6
# More names than this that differ by one character are a series of agencies, not a misprint.
_MOST_ALIKE = 8


class Variants(NamedTuple):
    """Agencies whose names are alike.

    `suffix`: equal but for 人民政府, 管委会, 办公室 and the like. `prefix`: equal but for province, city or county in
    front; the shorter name first. `spelling`: one character apart, on the same site, never with a report of the same
    year.
    """

    likeness: Likeness
    series: tuple[Series, ...]


def find_variants(series: Sequence[Series]) -> Iterator[Variants]:
    """All of them, in the order of the names."""
    by_stem: dict[str, list[Series]] = {}
    for item in series:
        by_stem.setdefault(find_stem(item.name), []).append(item)
    for same in by_stem.values():
        if len(same) > 1:
            yield Variants("suffix", tuple(same))
    yield from _find_prefixes(by_stem)
    yield from _find_misspelt(series)


def _find_prefixes(by_stem: dict[str, list[Series]]) -> Iterator[Variants]:
    longer: dict[str, list[str]] = {}
    for stem in by_stem:
        for shorter in list_shorter(stem):
            if shorter in by_stem:
                longer.setdefault(shorter, []).append(stem)
    for shorter, stems in longer.items():
        # Of names that differ in their end, too, the first: the others stand in a finding of their own.
        yield Variants("prefix", tuple(by_stem[stem][0] for stem in (shorter, *stems)))


def _find_misspelt(series: Sequence[Series]) -> Iterator[Variants]:
    """Names that agree once a character is left out of one or both (the deletion neighbourhood of one)."""
    by_rest: dict[tuple[str, str], dict[str, Series]] = {}
    for item in series:
        if len(item.key) >= _SHORTEST_SPELLING:
            rests = dict.fromkeys([item.key, *(item.key[:i] + item.key[i + 1 :] for i in range(len(item.key)))])
            for site in sorted(item.sites):
                for rest in rests:
                    by_rest.setdefault((site, rest), {})[item.key] = item
    seen: set[tuple[str, str]] = set()
    for alike in by_rest.values():
        if not 1 < len(alike) <= _MOST_ALIKE:
            continue
        items = list(alike.values())
        for index, one in enumerate(items):
            for other in items[index + 1 :]:
                if (one.key, other.key) not in seen and _may_be_misprint(one, other):
                    seen.add((one.key, other.key))
                    yield Variants("spelling", (one, other))


def _may_be_misprint(one: Series, other: Series) -> bool:
    if Levenshtein.distance(one.key, other.key, score_cutoff=1) != 1 or find_stem(one.name) == find_stem(other.name):
        return False
    if len(one.key) == len(other.key):
        changed = next(pair for pair in zip(one.key, other.key, strict=True) if pair[0] != pair[1])
        if _TELLING.issuperset(changed):
            return False
    # Two agencies report side by side; a misprint stands in for the right name.
    return not {year.year for year in one.years} & {year.year for year in other.years}
