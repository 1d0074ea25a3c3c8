"""One table whose equations fail, as the stages of the localisation see it.

Lives here: exact values, residuals and weights of the known cells, and the one check that every explanation must
pass. Does not live here: any hypothesis about what went wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from extractor.reconcile.localise.explanations import Change, Explanation
from extractor.reconcile.system import Amount, System

#: Cost of changing a cell about which nothing is known: doubted cells cost less, confirmed ones more.
DEFAULT_WEIGHT = 2

# Integers nearly always; fractions where a cell of counts prints decimals, so that no rounding enters.
Exact = int | Fraction


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A table with at least one failed equation. Build it with pose_problem.

    Attributes:
        system: the table's equations.
        printed: the known cells in the form's order.
        values: the same, exact.
        weights: cost of a change by field; DEFAULT_WEIGHT where missing.
        residuals: left minus right of every evaluable equation, in the form's order.
        failed: the equations whose residual is not 0.
    """

    system: System
    printed: Mapping[str, Amount]
    values: Mapping[str, Exact]
    weights: Mapping[str, int]
    residuals: Mapping[str, Exact]
    failed: tuple[str, ...]

    def weight(self, field: str) -> int:
        """Cost of changing one cell."""
        return self.weights.get(field, DEFAULT_WEIGHT)

    def equations_of(self, field: str) -> list[str]:
        """The evaluable equations in which a cell stands."""
        return [equation for equation in self.system.of_field[field] if equation in self.residuals]

    def fields_of_failed(self) -> tuple[str, ...]:
        """Every cell of every failed equation, in the form's order."""
        concerned = {field for equation in self.failed for field in self.system.terms[equation]}
        return tuple(field for field in self.values if field in concerned)

    def is_hemmed_in(self) -> bool:
        """Whether every cell of the failed equations stands in evaluable equations only.

        Otherwise another error may hide behind a missing term, and that nothing else explains as much proves little.
        """
        fields = {field for equation in self.failed for field in self.system.terms[equation]}
        return all(equation in self.residuals for field in fields for equation in self.system.of_field[field])

    def settles(self, proposed: Mapping[str, Exact]) -> bool:
        """Whether all evaluable equations hold with these values in place of the printed ones."""
        open_residuals = {equation: self.residuals[equation] for equation in self.failed}
        for field, value in proposed.items():
            delta = value - self.values[field]
            if not delta:
                continue
            for equation in self.equations_of(field):
                sign = self.system.terms[equation][field]
                open_residuals[equation] = open_residuals.get(equation, 0) + sign * delta
        return not any(open_residuals.values())

    def explain(self, method: str, proposed: Mapping[str, Exact], cost: int) -> Explanation | None:
        """An explanation, or None where an equation still fails or a value is no count."""
        changed = {field: value for field, value in proposed.items() if value != self.values[field]}
        if not changed or not all(map(is_count, changed.values())) or not self.settles(changed):
            return None
        changes = (Change(field, self.printed[field], int(changed[field])) for field in self.values if field in changed)
        return Explanation(method, tuple(changes), cost)


def is_count(value: Exact) -> bool:
    """Whether a value is a non-negative whole number."""
    return value >= 0 and value.denominator == 1


def pose_problem(system: System, values: Mapping[str, Amount], weights: Mapping[str, int]) -> Problem | None:
    """The problem that a table poses; None where every evaluable equation holds."""
    printed = {field: values[field] for field in system.of_field if field in values}
    exact: dict[str, Exact] = {
        field: Fraction(value) if isinstance(value, Decimal) else value for field, value in printed.items()
    }
    residuals = system.residuals(exact)
    failed = tuple(equation for equation, residual in residuals.items() if residual)
    return Problem(system, printed, exact, weights, residuals, failed) if failed else None
