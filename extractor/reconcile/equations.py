"""The form's equations, confronted with a record (TEMPLATE: E1 to E4, tolerance 0).

Lives here: evaluation to pass, fail, not_evaluable or assumed. Does not live here: which cell is to blame (localise)
and who is (explain). A term that is not a value is never taken for 0; then only bounds are checked: amounts are not
negative, so known parts may not exceed a known whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from decimal import Decimal

from extractor.forms import Equation, Section, load_forms
from extractor.model import CellState, EquationResult
from extractor.reconcile.merge import Merged
from extractor.reconcile.system import Amount


def evaluate_equations(
    merged: Mapping[str, Merged], generation: Mapping[str, str], assumed: Set[str] = frozenset()
) -> tuple[EquationResult, ...]:
    """Evaluate every equation of the tables that the document has, in the form's order.

    Args:
        assumed: ids of equations from which values were inferred.
    """
    return tuple(
        EquationResult(equation.id, "assumed", None, (*equation.left, *equation.right))
        if equation.id in assumed
        else _evaluate(equation, merged)
        for section, name in generation.items()
        if (form := load_forms().section(section, name))
        for equation in form.equations
    )


def _evaluate(equation: Equation, merged: Mapping[str, Merged]) -> EquationResult:
    fields = (*equation.left, *equation.right)
    left, left_missing = sum_known(equation.left, merged)
    right, right_missing = sum_known(equation.right, merged)
    if not left_missing and not right_missing:
        return EquationResult(equation.id, "pass" if left == right else "fail", left - right, fields)
    is_broken = (not right_missing and left > right) or (not left_missing and right > left)
    return EquationResult(
        equation.id, "fail" if is_broken else "not_evaluable", left - right if is_broken else None, fields
    )


def sum_known(terms: Sequence[str], merged: Mapping[str, Merged]) -> tuple[Amount, int]:
    """The sum of the terms that are values, and how many are not."""
    known = [value for term in terms if (value := printed_amount(merged.get(term))) is not None]
    return sum(known), len(terms) - len(known)


def printed_amount(entry: Merged | None) -> Amount | None:
    """The number that a field prints; None where it prints none, or none that was read."""
    if entry is None or entry.printed.state is not CellState.VALUE:
        return None
    return entry.printed.value if isinstance(entry.printed.value, int | Decimal) else None


def list_amounts(merged: Mapping[str, Merged], form: Section) -> dict[str, Amount]:
    """The numbers that a table prints, by field id."""
    found = ((item.id, printed_amount(merged.get(item.id))) for item in form.fields)
    return {field_id: amount for field_id, amount in found if amount is not None}
