"""What the form's sums say about numbers that were recognised from ink.

Lives here: which equations balance, and between which cells. Does not live here: the results that a record reports
(equations), and what they are worth for a field (ink).

Unlike there, an empty cell counts as nothing here. A report's equation with an empty cell is not evaluable, for what
the agency meant is not known; but that the other numbers add up to the printed total is no accident, and that they do
not is what a number overlooked in a cell taken for empty looks like.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from extractor.model import CellState, EquationResult
from extractor.reconcile.equations import printed_amount
from extractor.reconcile.merge import Merged
from extractor.reconcile.system import Amount, load_system

_NOTHING = frozenset({CellState.BLANK, CellState.NA_MARK})


class Balances(NamedTuple):
    """What sums say about the cells of a document.

    Attributes:
        witnesses: for every field of an equation that balances the other fields of its equations that hold a number
            other than 0.
        unbalanced: fields of an equation that only the empty cells keep from failing.
        contradicted: fields of any equation that does not balance.
    """

    witnesses: dict[str, set[str]]
    unbalanced: set[str]
    contradicted: set[str]


def weigh_balances(
    merged: Mapping[str, Merged], generation: Mapping[str, str], equations: Sequence[EquationResult]
) -> Balances:
    """Look at every equation all of whose cells are known or empty, and from which no value was inferred.

    Args:
        merged: all fields of the document.
        generation: form generation per table section.
        equations: see evaluate_equations.
    """
    found = Balances({}, set(), set())
    results = {result.id: result.result for result in equations}
    for section, name in generation.items():
        system = load_system(section, name)
        for equation, terms in system.terms.items() if system else ():
            outcome = results.get(equation)
            if outcome == "fail":
                found.contradicted.update(terms)
            elif outcome in ("pass", "not_evaluable"):
                _weigh(terms, merged, found)
    return found


def _weigh(terms: Mapping[str, int], merged: Mapping[str, Merged], found: Balances) -> None:
    counts = {field_id: count_of(merged.get(field_id)) for field_id in terms}
    total: Amount = 0
    for field_id, sign in terms.items():
        count = counts[field_id]
        if count is None:
            return
        total += sign * count
    if total:
        found.unbalanced.update(terms)
        found.contradicted.update(terms)
        return
    _note_witnesses(terms, {field_id for field_id, count in counts.items() if count}, found.witnesses)


def _note_witnesses(terms: Iterable[str], others: set[str], witnesses: dict[str, set[str]]) -> None:
    for field_id in terms:
        witnesses.setdefault(field_id, set()).update(others - {field_id})


def count_of(entry: Merged | None) -> Amount | None:
    """The number that a field prints, 0 for an empty cell or a mark; None where nothing is known."""
    if entry is not None and entry.printed.state in _NOTHING:
        return 0
    return printed_amount(entry)
