"""Failed equations and suggestions in words: official labels, and the numbers as printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from extractor.console.pieces import oneline, show_value
from extractor.forms import Equation, load_forms
from extractor.model import CellState, EquationResult, RecordField, Suggestion, Verdict

# In a sum of more terms zeros are counted, not written.
_LONG_SUM = 6
_VERDICTS: Mapping[Verdict | None, str] = {
    "source_inconsistent": "; printed so in the report: two readers agree on every cell",
    "extraction_error": "; another reading settles it",
}


def describe_equation(result: EquationResult, equation: Equation | None, fields: Mapping[str, RecordField]) -> str:
    """A failed equation in words: its labels and the numbers as printed."""
    difference = "" if result.residual is None else f"difference {show_value(result.residual)}"
    residual = f" ({difference}{_VERDICTS.get(result.verdict, '')})" if difference else ""
    if equation is None:
        return f"{result.id}: does not hold{residual}"
    left, right = (_add_up(side, fields) for side in (equation.left, equation.right))
    if len(equation.right) == 1:
        total = _label_of(equation.right[0], equation)
        sentence = f"{left}, printed {_show_term(equation.right[0], fields)} ({total})"
    else:
        sentence = f"{left} ≠ {right}"
    return f"{result.id} {_label_of(equation.left[0], equation, is_fixed=True)}: {sentence}{residual}"


def _add_up(terms: Sequence[str], fields: Mapping[str, RecordField]) -> str:
    values = [_number(name, fields) for name in terms]
    # Zeros say nothing in a sum of twenty-one terms; terms that are no value do.
    shown = [_show_term(name, fields) for name, value in zip(terms, values, strict=True) if value is None or value]
    zeros = values.count(0)
    if zeros > 1 and len(terms) > _LONG_SUM:
        shown.append(f"{zeros} x 0")
    else:
        shown = [_show_term(name, fields) for name in terms]
    known = sum((value for value in values if value is not None), 0)
    return f"{' + '.join(shown)} {'≥' if None in values else '='} {show_value(known)}"


def _number(name: str, fields: Mapping[str, RecordField]) -> int | Decimal | None:
    item = fields.get(name)
    is_number = item is not None and item.state is CellState.VALUE and isinstance(item.value, int | Decimal)
    return item.value if is_number else None  # type: ignore[union-attr,return-value]


def _show_term(name: str, fields: Mapping[str, RecordField]) -> str:
    value = _number(name, fields)
    return "?" if value is None else show_value(value)


def _label_of(name: str, equation: Equation, *, is_fixed: bool = False) -> str:
    """The label that tells a term from its neighbours; with `is_fixed`, the one that all terms share."""
    item = load_forms().fields.get(name)
    if item is None:
        return name
    by_row = equation.id.endswith(f"[{item.row.id}]")
    return item.row.labels[0] if by_row == is_fixed else item.column.labels[0]


def describe_suggestions(fields: Mapping[str, RecordField]) -> Iterator[str]:
    """What is suggested, in words; one line for the cells of a row that share method and basis.

    Left out is what the form shows already (inferred values), and implied zeros, which a flag states for all of them.
    """
    rows: dict[tuple[str, str, str], list[tuple[str, RecordField, Sequence[Suggestion]]]] = {}
    for name, item in fields.items():
        for_field: dict[tuple[str, str], list[Suggestion]] = {}
        for suggestion in item.suggestions if item.state is not CellState.INFERRED_BY_EQUATION else ():
            for_field.setdefault((suggestion.method, suggestion.basis), []).append(suggestion)
        for (method, basis), found in for_field.items():
            rows.setdefault((name.rpartition(".")[0], method, basis), []).append((name, item, found))
    for (row, method, basis), cells in rows.items():
        if all(one.value == 0 for _, _, found in cells for one in found) and method == "lost-positions":
            continue
        shown = ", ".join(_suggest(name, item, found) for name, item, found in cells)
        yield f"{_row_label(row)}: {shown}  ({method}: {basis})"


def _suggest(name: str, item: RecordField, found: Sequence[Suggestion]) -> str:
    label = load_forms().fields[name].column.labels[0] if name in load_forms().fields else name
    values = " / ".join(show_value(one.value) for one in found)
    printed = f" {oneline(item.raw)} →" if item.state is CellState.VALUE and item.raw else ""
    return f"{label}{printed} {values}"


def _row_label(row: str) -> str:
    return next((item.row.labels[0] for name, item in load_forms().fields.items() if name.startswith(f"{row}.")), row)
