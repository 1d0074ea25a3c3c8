"""What is said of the cells of a glued row: values, and what they rest on.

Lives here: suggestions from the splits that remain, and their wording. Does not live here: which splits remain
(splits). Called by splits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from extractor.model import CellState, Suggestion
from extractor.reconcile.merge import Merged
from extractor.reconcile.open_rows import OpenRow
from extractor.reconcile.runs import Cuts, Run, Split, count_blanks, cut_run, read_run
from extractor.reconcile.system import Amount, System

METHOD = "glued-digits"
#: Every cell of the row printed something.
HYPOTHESIS = "no_blanks"
_DOUBT = "whose numbers these are is in doubt"
_MOST_VALUES = 5
# Facts of the text, and the row of section 二 that they may be about.
_FACTS, _STATED_ROW = "narrative.normative_documents_", "proactive_disclosure.normative_documents."


@dataclass(frozen=True)
class GluedRow:
    """A row, its run of digits, and the ways to cut it that keep the row's own sums."""

    row: OpenRow
    run: Run
    cuts: Cuts

    @classmethod
    def read(cls, row: OpenRow, system: System | None, blanks: int) -> GluedRow:
        """Cut a row. `blanks`: most cells that may be empty."""
        return cls(row, *read_run(row, system, blanks))

    @cached_property
    def by_values(self) -> dict[tuple[int, ...], list[Split]]:
        """The splits that give the same values; they differ in which zero is printed."""
        found: dict[tuple[int, ...], list[Split]] = {}
        for split in self.cuts.splits:
            found.setdefault(tuple(int(piece.value) for piece in split), []).append(split)
        return found

    @cached_property
    def full_splits(self) -> tuple[Split, ...]:
        """The splits that leave no cell empty."""
        return tuple(split for split in self.cuts.splits if not count_blanks(split))

    @property
    def is_forced(self) -> bool:
        """Whether digits and cells alone allow one split, and the row adds up in it and in no other."""
        return self.run.ways == 1 and len(self.cuts.splits) == 1 and not self.run.ordinal.isdigit()

    @property
    def how(self) -> Literal["count", "sum", "columns"]:
        """What decides the row: the number of its digits, its own sum, or the columns."""
        if self.run.ways == 1:
            return "count"
        return "sum" if len(self.cuts.splits) == 1 else "columns"


def own_equations(row: OpenRow, system: System) -> list[str]:
    """The equations among the cells of one row."""
    return [name for name, terms in system.terms.items() if terms.keys() <= set(row.fields)]


def say_basis(one: GluedRow, system: System, *, with_columns: bool) -> str:
    """What the split of a row rests on. `with_columns`: whether the table as a whole was decided."""
    own = own_equations(one.row, system)
    parts = [
        HYPOTHESIS,
        f"the number of digits, confirmed by {', '.join(own)}" if one.how == "count" else ", ".join(own),
    ]
    crossing = [name for field_id in one.row.fields for name in system.of_field[field_id] if name not in own]
    families = ", ".join(dict.fromkeys(name.partition("[")[0] for name in crossing))
    if crossing and not with_columns:
        parts.append(f"{families} could not be used")
    elif one.how == "columns":
        parts.append(f"jointly {families}")
    if one.run.ordinal:
        parts.append(f"without the next row's ordinal {one.run.ordinal}")
    return "; ".join(parts)


def suggest(one: GluedRow, weights: Mapping[Split, int], basis: str) -> dict[str, tuple[Suggestion, ...]]:
    """The values of each cell, by the number of solutions that have them; at most five.

    Args:
        weights: number of solutions by split. A cell that a split leaves empty has no value in it.
    """
    total = sum(weights.values())
    basis = f"{basis}; {_DOUBT}" if one.row.is_doubted else basis
    suggestions = {}
    for place, field_id in enumerate(one.row.fields):
        values: Counter[Amount] = Counter()
        for split, weight in weights.items():
            if split[place].end > split[place].start:
                values[split[place].value] += weight
        best = sorted(values, key=lambda value: (-values[value], value))[:_MOST_VALUES]
        if best:
            suggestions[field_id] = tuple(Suggestion(value, METHOD, basis, ties=total) for value in best)
    return suggestions


def suggest_alone(one: GluedRow, system: System) -> dict[str, tuple[Suggestion, ...]]:
    """Where nothing fits jointly: what the row alone allows, if only as many digits as cells, and all in one run.

    Nothing of a row that a reader doubts. Of one that separates some of its cells and does not add up, something else
    than borders was lost.
    """
    if one.row.is_doubted:
        return {}
    if one.full_splits:
        return suggest(one, dict.fromkeys(one.full_splits, 1), say_basis(one, system, with_columns=False))
    if one.run.ways != 1 or not one.cuts.is_complete or len(one.row.tokens) > 1:
        return {}
    basis = f"{HYPOTHESIS}; the number of digits; {', '.join(own_equations(one.row, system))} not satisfied"
    return suggest(one, dict.fromkeys(cut_run(one.run, None).splits, 1), basis)


def suggest_freely(one: GluedRow, merged: Mapping[str, Merged]) -> dict[str, tuple[Suggestion, ...]]:
    """Where the form has no equation: every split, but those that contradict a number that the text states.

    A stated number that fits no split is of something else, and is left aside.
    """
    parts = [HYPOTHESIS, "the number of digits" if one.run.ways == 1 else "no equation decides"]
    splits = one.cuts.splits
    for place, field_id in enumerate(one.row.fields):
        fact = field_id.replace(_STATED_ROW, _FACTS)
        stated = merged[fact].printed if field_id.startswith(_STATED_ROW) and fact in merged else None
        fitting = tuple(split for split in splits if stated and split[place].value == stated.value)
        if stated and stated.state is CellState.VALUE and fitting:
            splits = fitting
            parts.append(f"{fact} = {stated.value}")
    return suggest(one, dict.fromkeys(splits, 1), "; ".join(parts))
