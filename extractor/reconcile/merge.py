"""Several readings -> one printed candidate a field, the losing ones kept.

Lives here: the choice of the printed candidate, and where readings differ. Does not live here:
whether it is accepted (extractor.confidence).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from extractor.flags import make_flag
from extractor.forms import fold_label
from extractor.model import Candidate, CellState, Flag, Reading

#: A file of a thousand reports must not make a record of a thousand candidates a field.
MOST_LOSING = 50

_CERTAIN = frozenset({CellState.VALUE, CellState.NA_MARK, CellState.BLANK, CellState.ROW_ABSENT})
# A cell that one reader did not find, or saw only together with others, may be taken from the next one; a
# lost position binds them all.
_OPEN = frozenset({CellState.NOT_READ, CellState.ROW_ABSENT, CellState.UNPARSABLE})
# Findings about what a reader could not do, not about what is printed.
_OWN_FAILURE = frozenset({"position-unknown", "glued-digits", "not-grounded", "row-without-cells"})


class Merged(NamedTuple):
    """The printed candidate of a field, the others, best first, at most MOST_LOSING, and who else read the same."""

    printed: Candidate
    losing: tuple[Candidate, ...]
    confirmed_by: tuple[str, ...] = ()


def merge_readings(readings: Sequence[Reading]) -> dict[str, Merged]:
    """Choose each field's printed candidate: the first one of the first reading that found the cell.

    Returns:
        Merged candidates by field id: header facts, then the tables, then narrative facts.
    """
    found: dict[str, list[tuple[Candidate, ...]]] = {}
    for reading in readings:
        for field_id, candidates in reading.candidates.items():
            found.setdefault(field_id, []).append(candidates)
    return {field_id: _merge_field(found[field_id]) for field_id in sorted(found, key=_part_of_record)}


def _merge_field(found: Sequence[tuple[Candidate, ...]]) -> Merged:
    if len(found) == 1:
        return Merged(found[0][0], found[0][1 : 1 + MOST_LOSING])
    first = found[0]
    if first[0].state in _OPEN:
        first = next((one for one in found if one[0].state in _CERTAIN and one[0].spans), first)
    printed = first[0]
    others = [candidate for one in found for candidate in one if candidate is not printed]
    is_sure = printed.state in _CERTAIN
    agreeing = [one[0] for one in found if one is not first and is_sure and is_same(one[0], printed)]
    losing = tuple(candidate for candidate in others if not any(candidate is same for same in agreeing))
    return Merged(printed, losing[:MOST_LOSING], tuple(dict.fromkeys(candidate.reader for candidate in agreeing)))


def is_same(one: Candidate, other: Candidate) -> bool:
    """Whether two readers say the same: state, value, and unit where both name one.

    Text is compared without regard to spaces and punctuation.
    """
    if one.state is not other.state or (one.unit and other.unit and one.unit != other.unit):
        return False
    if isinstance(one.value, str) and isinstance(other.value, str):
        return fold_label(one.value) == fold_label(other.value)
    return one.value == other.value


def compare_readings(readings: Sequence[Reading]) -> Iterator[Flag]:
    """Flag every field that the first reading is sure of and another one reads differently.

    Of a reading that could not place a row what it proposed counts: it does not confirm, but it can
    contradict.
    """
    for first, second in pairwise(readings):
        for field_id, candidates in second.candidates.items():
            one = first.candidates.get(field_id, (None,))[0]
            other = next((candidate for candidate in candidates if candidate.state in _CERTAIN), None)
            if one is None or other is None or one.state not in _CERTAIN or is_same(one, other):
                continue
            yield make_flag(
                "reader-disagreement",
                fields=(field_id,),
                spans=(*one.spans[:1], *other.spans[:1]),
                values=" / ".join(_say(item) for item in (one, other)),
            )


def join_flags(readings: Sequence[Reading], merged: Mapping[str, Merged]) -> list[Flag]:
    """The findings of all readings.

    That one reader could not read or place a field says nothing where the other one did: such a
    finding keeps only the fields that are still open. What was said of the same fields is said once.
    """
    flags: list[Flag] = []
    has_indicators = any(name.startswith("indicators.") for name in merged)
    for reading in readings:
        known = [(flag.code, set(flag.fields)) for flag in flags if flag.fields]
        for flag in reading.flags:
            if flag.code == "indicator-table-not-read" and has_indicators:
                continue
            if flag.code in _OWN_FAILURE and len(readings) > 1:
                fields = tuple(name for name in flag.fields if _is_own(merged[name].printed, reading.reader))
                if not fields and flag.fields:
                    continue
                flags += [] if _is_known(known, flag.code, fields) else [replace(flag, fields=fields)]
            elif not _is_known(known, flag.code, flag.fields):
                flags.append(flag)
    return flags


def _is_known(known: Iterable[tuple[str, set[str]]], code: str, fields: Sequence[str]) -> bool:
    return bool(fields) and any(code == other and said.issuperset(fields) for other, said in known)


def _is_own(printed: Candidate, reader: str) -> bool:
    """Whether a field is still open, or is this reader's own."""
    return printed.state not in _CERTAIN or printed.reader == reader


def _say(candidate: Candidate) -> str:
    said = candidate.raw or ("" if candidate.value is None else str(candidate.value))
    return f"{candidate.reader}: {said or candidate.state.value}"


_PARTS: Mapping[str, int] = {
    "header": 0,
    "proactive_disclosure": 1,
    "applications": 2,
    "review_litigation": 3,
    "narrative": 4,
    "indicators": 5,
}


def _part_of_record(field_id: str) -> int:
    return _PARTS[field_id.partition(".")[0]]
