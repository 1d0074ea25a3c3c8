"""The decision for each field: accepted, or for a person.

Lives here: the hard rules, and which findings are hard. A value is accepted only when it is grounded in a span, its
position is certain, and no flag and no failed equation concerns it; an empty cell only when the source shows the empty
cell, a missing row only when the whole table was read. Does not live here: probabilities; what a certificate may
change is in govern. Called by the pipeline, features and govern.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from extractor.model import Candidate, CellState, Decision, Flag, RecordField

#: States that say what is printed; all others say that we do not know it.
CERTAIN = frozenset({CellState.VALUE, CellState.NA_MARK, CellState.BLANK, CellState.ROW_ABSENT})

#: Findings about the number and not about the reading: that numbers do not add up says nothing about whether they are
#: printed so. A certificate may overrule these and no other: a new code is hard until it is put here.
SOFT_CODES = frozenset(
    {
        "equation-failed",
        "error-not-located",
        "value-suspected",
        "source-inconsistent",
        "narrative-differs",
        "narrative-parts-differ",
        "narrative-share-differs",
    }
)


def decide_fields(printed: Mapping[str, Candidate], flags: Iterable[Flag]) -> dict[str, Decision]:
    """Decide every field by the hard rules.

    Args:
        printed: the printed candidate by field id.
        flags: every finding; those that name a field send it to review.
    """
    doubted = {field_id for flag in flags for field_id in flag.fields}
    return {
        field_id: "accepted" if is_certain(candidate) and field_id not in doubted else "review"
        for field_id, candidate in printed.items()
    }


def is_certain(entry: Candidate | RecordField) -> bool:
    """Whether it is known what is printed, and shown where: what no probability can replace."""
    return entry.state in CERTAIN and (bool(entry.spans) or entry.state is CellState.ROW_ABSENT)


def find_hard_doubts(flags: Iterable[Flag]) -> set[str]:
    """Fields that a finding about the reading names."""
    return {field_id for flag in flags if flag.code not in SOFT_CODES for field_id in flag.fields}
