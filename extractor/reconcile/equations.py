"""The form's equations, confronted with a record (TEMPLATE: E1 to E4, tolerance 0).

Lives here: evaluation to pass, fail or not_evaluable. Does not live here: which cell is to blame.
A term that is not a value is never taken for 0; then only bounds are checked: amounts are not
negative, so known parts may not exceed a known whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from extractor.flags import make_flag
from extractor.forms import Equation, load_forms
from extractor.model import CellState, EquationResult, Flag, Span
from extractor.reconcile.merge import Merged

Amount = int | Decimal


def evaluate_equations(
    merged: Mapping[str, Merged], generation: Mapping[str, str]
) -> tuple[tuple[EquationResult, ...], tuple[Flag, ...]]:
    """Evaluate every equation of the tables that the document has.

    Returns:
        One result an equation, in the form's order, and a flag for each that fails.
    """
    results: list[EquationResult] = []
    flags: list[Flag] = []
    for section, name in generation.items():
        form = load_forms().section(section, name)
        for equation in form.equations if form else ():
            left, left_missing = _sum_known(equation.left, merged)
            right, right_missing = _sum_known(equation.right, merged)
            result = _judge(equation, left, left_missing, right, right_missing)
            results.append(result)
            if result.result == "fail":
                shown_left = f"{left}{' + …' if left_missing else ''}"
                shown_right = f"{right}{' + …' if right_missing else ''}"
                flags.append(
                    make_flag(
                        "equation-failed",
                        fields=result.fields,
                        spans=_spans(equation, merged),
                        id=equation.id,
                        left=shown_left,
                        right=shown_right,
                    )
                )
    return tuple(results), tuple(flags)


def _judge(equation: Equation, left: Amount, left_missing: int, right: Amount, right_missing: int) -> EquationResult:
    fields = (*equation.left, *equation.right)
    if not left_missing and not right_missing:
        return EquationResult(
            id=equation.id, result="pass" if left == right else "fail", residual=left - right, fields=fields
        )
    is_broken = (not right_missing and left > right) or (not left_missing and right > left)
    return EquationResult(
        id=equation.id,
        result="fail" if is_broken else "not_evaluable",
        residual=left - right if is_broken else None,
        fields=fields,
    )


def _sum_known(terms: Sequence[str], merged: Mapping[str, Merged]) -> tuple[Amount, int]:
    """The sum of the terms that are values, and how many are not."""
    total: Amount = 0
    missing = 0
    for term in terms:
        entry = merged.get(term)
        value = entry.printed.value if entry and entry.printed.state is CellState.VALUE else None
        if isinstance(value, int | Decimal):
            total += value
        else:
            missing += 1
    return total, missing


def _spans(equation: Equation, merged: Mapping[str, Merged]) -> list[Span]:
    terms = (merged[term].printed for term in (*equation.left, *equation.right) if term in merged)
    return [term.spans[0] for term in terms if term.spans and term.value]
