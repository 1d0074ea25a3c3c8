"""The reports of one agency, year by year.

Lives here: grouping, and what one year says of a cell when several documents are of it. Does not live here: what is
checked between years (compare), and what is said of it (findings). Called by build.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from typing import Literal, NamedTuple

from extractor.model import CellState, Status
from extractor.panel.entries import BASES, Basis, Cell, Entry, choose_weakest
from extractor.panel.names import fold_agency
from extractor.panel.relations import load_panel_fields

Reason = Literal["no-table", "forms-differ", "no-value", "documents-differ"]
Absence = Literal["failed", "not_a_report", "no_agency", "no_year"]


class Term(NamedTuple):
    """What one year says of one cell.

    Attributes:
        amount: the number; None for the `reason`.
        basis: what it rests on, agency and year of its document included.
        entry: the document that says so.
        state: of the cell; None where no document has it.
        suggested: a number that is suggested beside a printed one.
    """

    amount: int | None = None
    basis: Basis | None = None
    entry: Entry | None = None
    state: CellState | None = None
    suggested: int | None = None
    reason: Reason | None = "no-table"


@dataclass(frozen=True, eq=False)
class Year:
    """All documents of one agency and year, in the order of the file."""

    year: int
    entries: tuple[Entry, ...]

    def term(self, field_id: str) -> Term:
        """The cell's number on the strongest basis that any document gives.

        Documents that give different numbers on that basis decide nothing.
        """
        place = _places()[field_id]
        cells = [(entry, cell) for entry in self.entries if (cell := entry.cells[place]) is not None]
        if not cells:
            return Term()
        known = [
            (choose_weakest(cell.basis, entry.key_basis), entry, cell)
            for entry, cell in cells
            if cell.basis is not None and cell.amount is not None
        ]
        if not known:
            entry, cell = cells[0]
            return Term(entry=entry, state=cell.state, reason="no-value")
        basis = min((item[0] for item in known), key=BASES.index)
        best = [(entry, cell) for other, entry, cell in known if other == basis]
        entry, cell = best[0]
        if len({cell.amount for _, cell in best}) > 1:
            return Term(entry=entry, state=cell.state, reason="documents-differ")
        return Term(cell.amount, basis, entry, cell.state, cell.suggested, None)

    def cells(self, field_id: str) -> Iterator[tuple[Entry, Cell]]:
        """The cell in each document that has it."""
        place = _places()[field_id]
        for entry in self.entries:
            cell = entry.cells[place]
            if cell is not None:
                yield entry, cell

    def generations(self, section: str) -> frozenset[str]:
        """The forms of one table in the documents of this year; empty where none has a table."""
        return frozenset(entry.generation[section] for entry in self.entries) - {"absent", "pre2019"}


@cache
def _places() -> Mapping[str, int]:
    return {field_id: place for place, field_id in enumerate(load_panel_fields())}


@dataclass(frozen=True, eq=False)
class Series:
    """One agency.

    Attributes:
        key: the folded name that all its documents have in common, or that aliases give them.
        name: as printed most often, or as the file of aliases writes it.
        years: in order.
        merged: printed names that belong here only by the file of aliases, with the number of their documents.
        folded: every folded name of its documents.
    """

    key: str
    name: str
    years: tuple[Year, ...]
    merged: Mapping[str, int]
    folded: frozenset[str]

    @property
    def entries(self) -> Iterator[Entry]:
        """All documents."""
        return (entry for year in self.years for entry in year.entries)

    @cached_property
    def sites(self) -> frozenset[str]:
        """Where its documents were found."""
        return frozenset(site for entry in self.entries for site in entry.sites)

    def pairs(self) -> list[tuple[Year, Year]]:
        """Neighbouring years."""
        return [(before, after) for before, after in pairwise(self.years) if after.year == before.year + 1]


class Grouped(NamedTuple):
    """All documents of a run: those of a series, and those that belong to none, with the reasons."""

    series: list[Series]
    left_out: list[tuple[Entry, Absence]]


def group_entries(entries: Iterable[Entry], aliases: Mapping[str, str]) -> Grouped:
    """Documents by agency and year, agencies in the order of their folded names."""
    groups: dict[str, list[Entry]] = {}
    left_out: list[tuple[Entry, Absence]] = []
    for entry in entries:
        folded = fold_agency(entry.agency or "")
        absence = _find_absence(entry, folded)
        if absence:
            left_out.append((entry, absence))
        else:
            alias = aliases.get(folded)
            groups.setdefault(fold_agency(alias) if alias else folded, []).append(entry)
    names = {fold_agency(name): name for name in aliases.values()}
    return Grouped([_build_series(key, groups[key], names.get(key)) for key in sorted(groups)], left_out)


def _find_absence(entry: Entry, folded: str) -> Absence | None:
    if entry.status is Status.FAILED:
        return "failed"
    if entry.status is Status.NOT_A_REPORT:
        return "not_a_report"
    if not folded:
        return "no_agency"
    return "no_year" if entry.year is None else None


def _build_series(key: str, entries: Sequence[Entry], alias: str | None) -> Series:
    names = Counter("".join((entry.agency or "").split()) for entry in entries)
    by_year: dict[int, list[Entry]] = {}
    for entry in entries:
        if entry.year is not None:
            by_year.setdefault(entry.year, []).append(entry)
    years = tuple(Year(year, tuple(by_year[year])) for year in sorted(by_year))
    merged = {name: count for name, count in sorted(names.items()) if fold_agency(name) != key}
    # The most frequent name; of equally frequent ones the first in the order of characters.
    name = alias or min(names, key=lambda name: (-names[name], name))
    return Series(key, name, years, merged, frozenset(map(fold_agency, names)))
