"""Any number of readings -> one printed candidate a field, the losing ones kept.

Lives here: whose word comes first, the choice of the printed candidate, and where readings differ. Does not live
here: whether it is accepted (extractor.confidence).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from extractor.flags import make_flag
from extractor.forms import fold_label
from extractor.model import Candidate, CellState, Flag, Reading

#: A file of a thousand reports must not make a record of a thousand candidates a field.
MOST_LOSING = 50

# A person's word first, then the rules, then models by name: never the order in which readings came in.
_PRECEDENCE = {"person": 0, "template": 1}
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


def order_readings(readings: Iterable[Reading]) -> list[Reading]:
    """Readings in the order of their word, whatever the order in which they came.

    Raises:
        ValueError: two readings of the same reader; nothing says which of them comes first.
    """
    ordered = sorted(readings, key=lambda reading: (_PRECEDENCE.get(reading.reader, 2), reading.reader))
    names = [reading.reader for reading in ordered]
    if len(set(names)) < len(names):
        raise ValueError(f"each reader may read a document once: {', '.join(names)}")
    return ordered


def merge_generations(readings: Sequence[Reading]) -> dict[str, str]:
    """The form of each table: the first reading's word, and where it found no table, that of the next."""
    generation = dict(readings[0].generation)
    for reading in readings[1:]:
        for section, name in reading.generation.items():
            if generation.get(section, "absent") == "absent":
                generation[section] = name
    return generation


def merge_readings(readings: Sequence[Reading]) -> dict[str, Merged]:
    """Choose each field's printed candidate: the first one of the first reading that found the cell.

    Args:
        readings: in the order of order_readings.

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


def compare_readings(merged: Mapping[str, Merged]) -> Iterator[Flag]:
    """Flag every field whose printed candidate is certain and that another reader reads differently.

    Of a reader that could not place a row what it proposed counts: it does not confirm, but it can
    contradict.
    """
    for field_id, (printed, losing, confirmed_by) in merged.items():
        if printed.state not in _CERTAIN:
            continue
        said: dict[str, Candidate] = {}
        for candidate in losing:
            if candidate.state in _CERTAIN and candidate.reader not in (printed.reader, *confirmed_by):
                said.setdefault(candidate.reader, candidate)
        others = [candidate for candidate in said.values() if not is_same(candidate, printed)]
        if others:
            yield make_flag(
                "reader-disagreement",
                fields=(field_id,),
                spans=[span for item in (printed, *others) for span in item.spans[:1]],
                values=" / ".join(_say(item) for item in (printed, *others)),
            )


def join_flags(readings: Sequence[Reading], merged: Mapping[str, Merged]) -> list[Flag]:
    """The findings of all readings.

    That one reader could not read or place a field says nothing where another one did, or where equations gave its
    value (a finding of its own): such a finding keeps only the fields that are still open. What was said of the same
    fields is said once.
    """
    flags: list[Flag] = []
    has_indicators = any(name.startswith("indicators.") for name in merged)
    for reading in readings:
        known = [(flag.code, set(flag.fields)) for flag in flags if flag.fields]
        for flag in reading.flags:
            if flag.code == "indicator-table-not-read" and has_indicators:
                continue
            fields = flag.fields
            if flag.code in _OWN_FAILURE:
                fields = tuple(name for name in fields if _is_open(merged[name].printed, reading.reader))
            if (fields or not flag.fields) and not _is_known(known, flag.code, fields):
                flags.append(replace(flag, fields=fields))
    return flags


def _is_known(known: Iterable[tuple[str, set[str]]], code: str, fields: Sequence[str]) -> bool:
    return bool(fields) and any(code == other and said.issuperset(fields) for other, said in known)


def _is_open(printed: Candidate, reader: str) -> bool:
    """Whether nobody but this reader, and no equation, has said what a field holds."""
    if printed.state is CellState.INFERRED_BY_EQUATION:
        return False
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
