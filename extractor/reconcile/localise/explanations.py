"""What the localisation hands back: explanations, and the location that they add up to.

Lives here: the result types and the choice among explanations. Does not live here: the search for them (single,
rows, blocks, supports), the order of the stages (stages).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from extractor.reconcile.system import Amount

#: More explanations of one cost than these say no more to a person; `ties` of this many means "so many or more".
MOST_TIES = 5

LocationOutcome = Literal["located", "tied", "too-many-cells", "few-equations", "work-limit"]


class Change(NamedTuple):
    """One cell, as printed and as an explanation would have it."""

    field: str
    printed: Amount
    proposed: Amount


class Explanation(NamedTuple):
    """Changes after which every evaluable equation of the table holds.

    Attributes:
        method: the hypothesis: `single-cell`; `row-replaced`, `neighbours-swapped`, `row-shifted`, `rows-exchanged`,
            `block-offset`; `two-cells`, `three-cells`.
        changes: in the form's order, never empty.
        cost: in units of the weights; costs are compared within one table only.
    """

    method: str
    changes: tuple[Change, ...]
    cost: int


class Location(NamedTuple):
    """Where the errors of one table are, as far as its equations tell.

    Attributes:
        outcome: `located` (one explanation of least cost), `tied` (several), `too-many-cells` (none of at most three
            cells), `few-equations` (one equation alone speaks for an amount, be it that no cell of the table stands
            in two) or `work-limit`.
        explanations: one when located, 2 to MOST_TIES when tied, else none.
        ties: explanations of least cost; MOST_TIES means "so many or more"; 0 where none was found.
        region: the fields concerned, in the form's order: the changed ones, together with all fields of the failed
            equations where not every explanation is named.
        equations: those that fail, in the form's order.
    """

    outcome: LocationOutcome
    explanations: tuple[Explanation, ...]
    ties: int
    region: tuple[str, ...]
    equations: tuple[str, ...]


def choose_cheapest(found: Iterable[Explanation]) -> tuple[Explanation, ...]:
    """The explanations of least cost, at most MOST_TIES.

    The same corrected table found twice is one explanation, named for the cheaper hypothesis, else for the first.
    """
    tables: dict[tuple[Change, ...], Explanation] = {}
    for one in found:
        known = tables.get(one.changes)
        if known is None or one.cost < known.cost:
            tables[one.changes] = one
    least = min((one.cost for one in tables.values()), default=0)
    return tuple(one for one in tables.values() if one.cost == least)[:MOST_TIES]
