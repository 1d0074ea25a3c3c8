"""What a model read alone, and what vouches for it.

Lives here: the rule for values that no other reader confirms. Being printed where the model says
is necessary (extractor.grounding sees to that) and not sufficient: a model may read the right
number of the wrong row. What else there is: equations that hold, and, in tables without enough of
them, that the number is 0 (the value that most cells print). What an image model alone saw nothing vouches for:
its place is where the rules found ink that they could not read, or none. Does not live here: the final decision
(extractor.confidence).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from extractor.flags import make_flag
from extractor.model import Candidate, CellState, EquationResult, Flag
from extractor.reconcile.merge import Merged

_MODELS = ("llm", "vision")
# It looks at ink; its word is a second one beside the OCR engine's, never the only one.
_ONLY_A_SECOND = "vision"
# Sections in which no equation, or only a row sum, could see a wrong number.
_FEW_EQUATIONS = ("proactive_disclosure.", "review_litigation.")
# A quote is what it says, whoever found it.
_QUOTES = ("narrative.problems.", "narrative.measures.")
_WORDS = (".label", ".unit")


def doubt_lone_model(merged: Mapping[str, Merged], equations: Sequence[EquationResult]) -> tuple[Flag, ...]:
    """Flag the fields that the model alone read and that nothing else vouches for."""
    supported = _supported_by(equations)
    doubted = [
        (field_id, entry.printed)
        for field_id, entry in merged.items()
        if entry.printed.reader in _MODELS
        and not entry.confirmed_by
        and not _is_vouched_for(field_id, entry.printed, supported)
    ]
    if not doubted:
        return ()
    spans = [candidate.spans[0] for _, candidate in doubted if candidate.spans]
    return (make_flag("model-alone", fields=[field_id for field_id, _ in doubted], spans=spans),)


def _supported_by(equations: Iterable[EquationResult]) -> set[str]:
    """Fields that stand in an equation, and only in equations that hold."""
    passed: set[str] = set()
    open_or_failed: set[str] = set()
    for equation in equations:
        (passed if equation.result == "pass" else open_or_failed).update(equation.fields)
    return passed - open_or_failed


def _is_vouched_for(field_id: str, candidate: Candidate, supported: set[str]) -> bool:
    if candidate.reader == _ONLY_A_SECOND:
        return False
    if field_id.startswith(_QUOTES):
        return True
    if field_id.endswith(_WORDS):
        return not str(candidate.value).isdigit()
    if not candidate.spans or candidate.state not in (CellState.VALUE, CellState.BLANK, CellState.NA_MARK):
        return False
    if field_id.startswith(_FEW_EQUATIONS):
        return not candidate.value
    return field_id in supported
