"""The decision for each field: accepted, or for a person.

Lives here: the hard rules. A value is accepted only when it is grounded in a span, its position is
certain, and no flag and no failed equation concerns it; an empty cell only when the source shows
the empty cell, a missing row only when the whole table was read. Probabilities have no say here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from extractor.model import Candidate, CellState, Decision, Flag

_CERTAIN = frozenset({CellState.VALUE, CellState.NA_MARK, CellState.BLANK, CellState.ROW_ABSENT})


def decide_fields(printed: Mapping[str, Candidate], flags: Iterable[Flag]) -> dict[str, Decision]:
    """Decide every field.

    Args:
        printed: the printed candidate by field id.
        flags: every finding; those that name a field send it to review.
    """
    doubted = {field_id for flag in flags for field_id in flag.fields}
    return {field_id: _decide(candidate, field_id in doubted) for field_id, candidate in printed.items()}


def _decide(candidate: Candidate, is_doubted: bool) -> Decision:
    is_grounded = bool(candidate.spans) or candidate.state is CellState.ROW_ABSENT
    return "accepted" if candidate.state in _CERTAIN and is_grounded and not is_doubted else "review"
