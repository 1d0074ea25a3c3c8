"""The relations, confronted with two neighbouring years.

Lives here: evaluation to holds, differs or not-evaluable. Does not live here: the relations (relations), and the
wording of what is found (findings). A missing term is never 0. Called by build.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from extractor.panel.entries import Basis, choose_weakest
from extractor.panel.relations import Relation, load_relations
from extractor.panel.series import Reason, Term, Year

PairOutcome = Literal["holds", "differs", "not-evaluable"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One relation between two years.

    Attributes:
        basis: the weakest one among the terms; None when it cannot be evaluated.
        residual: left minus right, what is missing (positive) or too much (negative) in the later year.
        reason: why it cannot be evaluated.
        terms: year, field id and what that year says of it.
    """

    relation: Relation
    outcome: PairOutcome
    basis: Basis | None
    residual: int | None
    reason: Reason | None
    terms: tuple[tuple[int, str, Term], ...]

    @property
    def is_confirmed(self) -> bool:
        """Whether every term was accepted."""
        return self.basis == "accepted"


def compare_years(before: Year, after: Year) -> tuple[Comparison, ...]:
    """Every relation of which at least one of two neighbouring years has a cell."""
    found = (_compare(relation, before, after) for relation in load_relations())
    return tuple(comparison for comparison in found if comparison is not None)


def _compare(relation: Relation, before: Year, after: Year) -> Comparison | None:
    sides = ((before, relation.before), (after, relation.after))
    terms = tuple((year.year, field_id, year.term(field_id)) for year, side in sides for field_id, _ in side)
    if all(term.reason == "no-table" for _, _, term in terms):
        return None
    reasons = [term.reason for _, _, term in terms if term.reason]
    if reasons:
        reason = _choose_reason(relation, before, after, reasons)
        return Comparison(relation, "not-evaluable", None, None, reason, terms)
    signs = [sign for _, side in sides for _, sign in side]
    residual = sum(sign * (term.amount or 0) for sign, (_, _, term) in zip(signs, terms, strict=True))
    holds = residual <= 0 if relation.is_bound else residual == 0
    basis = choose_weakest(*(term.basis for _, _, term in terms if term.basis))
    return Comparison(relation, "holds" if holds else "differs", basis, residual, None, terms)


def _choose_reason(relation: Relation, before: Year, after: Year, reasons: list[Reason]) -> Reason:
    if "no-table" not in reasons:
        return "documents-differ" if "documents-differ" in reasons else "no-value"
    both = (before.generations(relation.section), after.generations(relation.section))
    return "forms-differ" if all(both) and both[0] != both[1] else "no-table"
