"""Facts that stand close together in the source: one look finds them.

Does not live here: what is asked about them (items, the only caller).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from extractor.model import Record

#: Characters between two facts of one paragraph.
_SAME_PLACE = 120


def split_by_place(record: Record, names: Sequence[str]) -> Iterator[list[str]]:
    """Group the facts of one part of the form that stand close together, in the order of print."""
    group: list[str] = []
    for name in sorted(names, key=lambda name: (_part_of(name), _start_of(record, name))):
        if group and not _is_beside(record, group[-1], name):
            yield group
            group = []
        group.append(name)
    if group:
        yield group


def _is_beside(record: Record, one: str, other: str) -> bool:
    spans, others = record.fields[one].spans, record.fields[other].spans
    if _part_of(one) != _part_of(other):
        return False
    return bool(spans and others) and others[0].start - spans[0].end < _SAME_PLACE


def _start_of(record: Record, name: str) -> int:
    """Where it stands; what stands nowhere comes first."""
    spans = record.fields[name].spans
    return spans[0].start if spans else -1


def _part_of(name: str) -> str:
    return name.partition(".")[0]
