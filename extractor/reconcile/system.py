"""The equations of one table as a linear system over its cells.

Lives here: terms with signs, which equations a cell stands in, residuals. Does not live here: the judgement of a
record (equations), the search for wrong cells (localise), the enumeration of what is open (joint).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import TypeVar

from extractor.forms import Section, load_forms

Amount = int | Decimal
# Printed amounts, or the same without a rounding context.
N = TypeVar("N", int | Decimal, int | Fraction)


@dataclass(frozen=True, eq=False)
class System:
    """One table's equations, each brought to the form `sum of sign * cell = 0`.

    Attributes:
        section: the table.
        terms: equation id -> field id -> 1 (left side) or -1 (right side).
        of_field: field id -> ids of the equations that it stands in.
    """

    section: Section
    terms: Mapping[str, Mapping[str, int]]
    of_field: Mapping[str, tuple[str, ...]]

    def residual(self, equation: str, values: Mapping[str, N]) -> N | None:
        """Left side minus right side; None when a term is missing from `values`."""
        total: N = 0
        for field_id, sign in self.terms[equation].items():
            if field_id not in values:
                return None
            total += sign * values[field_id]
        return total

    def residuals(self, values: Mapping[str, N]) -> dict[str, N]:
        """The residual of every equation all of whose terms are known."""
        found = ((equation, self.residual(equation, values)) for equation in self.terms)
        return {equation: residual for equation, residual in found if residual is not None}


@cache
def load_system(section: str, generation: str) -> System | None:
    """The system of one table of one generation; None where it has no equation."""
    form = load_forms().section(section, generation)
    if form is None or not form.equations:
        return None
    terms = {
        equation.id: dict.fromkeys(equation.left, 1) | dict.fromkeys(equation.right, -1) for equation in form.equations
    }
    of_field = {
        item.id: tuple(equation for equation, cells in terms.items() if item.id in cells) for item in form.fields
    }
    return System(form, terms, of_field)
