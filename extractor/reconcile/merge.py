"""Several readings -> one printed candidate a field, the losing ones kept.

Lives here: the choice of the printed candidate, and where readings differ. Does not live here:
whether it is accepted (extractor.confidence).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from extractor.flags import make_flag
from extractor.forms import fold_label
from extractor.model import Candidate, CellState, Flag, Reading

#: A file of a thousand reports must not make a record of a thousand candidates a field.
MOST_LOSING = 50

_CERTAIN = frozenset({CellState.VALUE, CellState.NA_MARK, CellState.BLANK, CellState.ROW_ABSENT})
# A cell that one reader did not find may be taken from the next one; a lost position binds them all.
_OPEN = frozenset({CellState.NOT_READ, CellState.ROW_ABSENT})


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
    agreeing = [one[0] for one in found if one is not first and is_same(one[0], printed)]
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
    """Flag every field that two readings are sure of and read differently."""
    for first, second in pairwise(readings):
        for field_id, candidates in second.candidates.items():
            one, other = first.candidates.get(field_id, (None,))[0], candidates[0]
            if one is None or one.state not in _CERTAIN or other.state not in _CERTAIN or is_same(one, other):
                continue
            # What a missing row or an ungrounded reply has against it is said by other flags.
            if not other.spans and other.state is not CellState.ROW_ABSENT:
                continue
            yield make_flag(
                "reader-disagreement",
                fields=(field_id,),
                spans=(*one.spans[:1], *other.spans[:1]),
                values=" / ".join(_say(item) for item in (one, other)),
            )


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
