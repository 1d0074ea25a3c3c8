"""Lines of a table whose numbers survive and whose columns are lost, as a record shows them.

Lives here: finding them in a record. Does not live here: what they may mean (extractor.reconcile), what is asked about
them (items) and what can be answered (choices). Called by these two.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from extractor.forms import Section, load_forms
from extractor.model import CellState, Record

_READER = "template"
_LOST = CellState.POSITION_UNKNOWN


class Line(NamedTuple):
    """One line of lost numbers.

    Attributes:
        rows: the cells of each row of the form that it prints, in order; one row, but in a `one_row` table all.
        tokens: what is printed, in order.
    """

    rows: tuple[tuple[str, ...], ...]
    tokens: tuple[str, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """All its cells, in order."""
        return tuple(name for row in self.rows for name in row)

    @property
    def is_lone(self) -> bool:
        """Whether it prints one number for each row: it may be that of a single column."""
        return len(self.tokens) == len(self.rows)


def list_lines(record: Record, section: str, among: Collection[str]) -> list[Line]:
    """The lines of a table all of whose cells are among some fields and have lost their columns."""
    form = load_forms().section(section, record.generation.get(section, "absent"))
    found = []
    for rows in _list_rows(form) if form else ():
        names = [name for row in rows for name in row]
        if all(name in among and record.fields[name].state is _LOST for name in names):
            tokens = _list_tokens(record, names[0])
            if tokens:
                found.append(Line(rows, tokens))
    return found


def _list_rows(form: Section) -> list[tuple[tuple[str, ...], ...]]:
    rows = tuple(tuple(form.field_id(row.id, column.id) for column in row.columns) for row in form.rows)
    return [rows] if form.layout == "one_row" else [(row,) for row in rows]


def _list_tokens(record: Record, name: str) -> tuple[str, ...]:
    """The tokens of a line, all of which each of its cells has among its candidates."""
    field = record.fields[name]
    by_span = {
        one.spans[0]: one.raw
        for one in reversed(field.candidates)
        if one.reader == _READER and one.state is _LOST and one.raw is not None and len(one.spans) == 1
    }
    return tuple(by_span[span] for span in field.spans) if all(span in by_span for span in field.spans) else ()
