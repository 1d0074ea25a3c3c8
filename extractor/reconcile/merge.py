"""Several readings -> one printed candidate a field, the losing ones kept.

Lives here: the choice of the printed candidate. Does not live here: whether it is accepted
(extractor.confidence).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from extractor.model import Candidate, Reading

#: A file of a thousand reports must not make a record of a thousand candidates a field.
MOST_LOSING = 50


class Merged(NamedTuple):
    """The printed candidate of a field, and the others, best first, at most MOST_LOSING."""

    printed: Candidate
    losing: tuple[Candidate, ...]


def merge_readings(readings: Sequence[Reading]) -> dict[str, Merged]:
    """Choose each field's printed candidate: the first one of the first reading that has the field.

    Returns:
        Merged candidates by field id: header facts, then the tables, then narrative facts.
    """
    found: dict[str, list[Candidate]] = {}
    for reading in readings:
        for field_id, candidates in reading.candidates.items():
            found.setdefault(field_id, []).extend(candidates)
    ordered = sorted(found, key=_part_of_record)
    return {field_id: Merged(found[field_id][0], tuple(found[field_id][1 : 1 + MOST_LOSING])) for field_id in ordered}


_PARTS: Mapping[str, int] = {
    "header": 0,
    "proactive_disclosure": 1,
    "applications": 2,
    "review_litigation": 3,
    "narrative": 4,
}


def _part_of_record(field_id: str) -> int:
    return _PARTS[field_id.partition(".")[0]]
