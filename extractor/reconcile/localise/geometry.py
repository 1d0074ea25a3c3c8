"""Rows and columns of a table, with the equations that belong to them.

Lives here: what the localisation needs of a System alone, computed once. Called by rows and blocks.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from extractor.reconcile.system import System


class Line(NamedTuple):
    """A row of the table: its cells in the form's order, and the equation within it ("" where it has none)."""

    id: str
    fields: tuple[str, ...]
    equation: str


@cache
def lines_of(system: System) -> tuple[Line, ...]:
    """The table's rows in the form's order."""
    section = system.section
    lines = []
    for row in section.rows:
        fields = tuple(section.field_id(row.id, column.id) for column in row.columns)
        own = [equation for equation, terms in system.terms.items() if set(fields).issuperset(terms)]
        lines.append(Line(row.id, fields, own[0] if own else ""))
    return tuple(lines)
