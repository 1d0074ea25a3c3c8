"""What answers would change: sums that hold or fail, new findings, fields settled or put in doubt.

Lives here: the difference of two records, in the words of the page. Does not live here: the record as it would be
(extractor.review.desk). Called by items.
"""

from __future__ import annotations

from typing import NamedTuple

from extractor.model import Flag, Record
from extractor.web.pages.sums import SumView, find_failed_sums
from extractor.web.pages.telling import name_equation, tell_flag
from extractor.web.pages.words import Words

_SAID_BY_SUMS = ("equation-failed", "source-inconsistent")


class Consequences(NamedTuple):
    """What answers would change. `holding`: equations in words; `new_flags`: what they say; counts are of fields."""

    holding: tuple[str, ...]
    failing: tuple[SumView, ...]
    still_failing: tuple[SumView, ...]
    new_flags: tuple[str, ...]
    settled: int
    doubted: int


def compare_records(before: Record, after: Record, words: Words) -> Consequences:
    """What is different between a record and the same one after answers."""
    was = {one.id: one.result for one in before.equations}
    failing = find_failed_sums(after)
    open_before, open_after = _open_fields(before), _open_fields(after)
    return Consequences(
        tuple(
            name_equation(one.id, after.generation, words)
            for one in after.equations
            if one.result == "pass" and was.get(one.id) == "fail"
        ),
        tuple(one for one in failing.values() if was.get(one.id) != "fail"),
        tuple(one for one in failing.values() if was.get(one.id) == "fail"),
        tuple(tell_flag(flag, after, words) for flag in after.flags if _is_news(flag, before)),
        len(open_before - open_after),
        len(open_after - open_before),
    )


def _is_news(flag: Flag, before: Record) -> bool:
    """Whether a flag says something that neither the equations nor a flag of before say."""
    if flag.severity == "info" or flag.code in _SAID_BY_SUMS:
        return False
    return not any(old.code == flag.code and set(old.fields) >= set(flag.fields) for old in before.flags)


def _open_fields(record: Record) -> set[str]:
    return {name for name, item in record.fields.items() if item.decision == "review"}
