"""Failed equations as they are drawn: along a row or down a column, with both sides and the difference.

Lives here: an equation's sides in numbers, and where it runs. Does not live here: whether it holds (the record says
so). Called by the views of items and documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from extractor.forms import Equation, load_forms
from extractor.model import CellState, EquationResult, Record
from extractor.web.pages.cells import show_value


class SumView(NamedTuple):
    """A failed equation.

    Attributes:
        is_row: along a row; else down a column.
        along: the row's or the column's id, with its section.
        left, right: the sum of each side; with ≥ where a term of it is no number.
        relation: the sign between them.
        residual: left minus right, signed, or "".
        verdict: who is to blame, or "".
        generation: of the form of its section.
    """

    id: str
    section: str
    is_row: bool
    along: str
    left_fields: tuple[str, ...]
    right_fields: tuple[str, ...]
    left: str
    right: str
    relation: str
    residual: str
    verdict: str
    generation: str


def find_failed_sums(record: Record) -> dict[str, SumView]:
    """The failed equations of a record by id, in its order."""
    return {one.id: _describe(record, one) for one in record.equations if one.result == "fail"}


def draw_lines(sums: Iterable[SumView]) -> dict[str, str]:
    """How failed equations run through each of their fields, as CSS classes."""
    lines: dict[str, dict[str, None]] = {}
    for one in sums:
        name = "row" if one.is_row else "column"
        for field in one.left_fields:
            lines.setdefault(field, {})[f"along-{name}"] = None
        for field in one.right_fields:
            lines.setdefault(field, {})[f"end-{name}"] = None
    return {field: " ".join(found) for field, found in lines.items()}


def _describe(record: Record, result: EquationResult) -> SumView:
    section = result.fields[0].partition(".")[0]
    equation = _equations(section, record.generation.get(section, "")).get(result.id)
    left, right = (equation.left, equation.right) if equation else (result.fields, ())
    first = left[0].split(".")
    is_row = len({name.rpartition(".")[0] for name in (*left, *right)}) == 1
    along = left[0].rpartition(".")[0] if is_row else f"{section}.{first[-1]}"
    sums = _add_up(record, left), _add_up(record, right)
    gap = result.residual or 0
    return SumView(
        id=result.id,
        section=section,
        is_row=is_row,
        along=along,
        left_fields=tuple(left),
        right_fields=tuple(right),
        left=sums[0],
        right=sums[1],
        relation="≠" if "≥" not in "".join(sums) else ">" if gap > 0 else "<",
        residual=f"{gap:+}".replace("-", "−") if gap else "",
        verdict=result.verdict or "",
        generation=record.generation.get(section, ""),
    )


@cache
def _equations(section: str, generation: str) -> dict[str, Equation]:
    found = load_forms().section(section, generation)
    return {equation.id: equation for equation in found.equations} if found else {}


def _add_up(record: Record, names: Sequence[str]) -> str:
    """The sum of the known terms; a term that is no number is never taken for 0, and makes it a least value."""
    items = [record.fields.get(name) for name in names]
    known = [
        item.value
        for item in items
        if item is not None and item.state is CellState.VALUE and isinstance(item.value, int | Decimal)
    ]
    return f"{'≥' if len(known) < len(items) else ''}{show_value(sum(known))}"
