"""Running counts of the queue: how many items there are of each kind, section, site, year and flag.

To count a hundred thousand items takes a tenth of a second, and every page shows the counts. Lives here: keeping the
counts in step with the items, and reading them. Does not live here: what changes items (queue, documents), which call
`keeping_tallies` around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, select

from extractor.store.filters import list_kinds
from extractor.store.packing import read_texts
from extractor.store.shapes import QueueFilter
from extractor.store.statements import insert_or_add
from extractor.store.store_tables import ITEMS, TALLIES

_COLUMNS = ("kind", "section", "site", "report_year")
#: Dimension and value of the rows that count all items.
_ALL = ("", "")
_STATES = ("open", "settled")
# In what is kept with a connection: changes that wait for the end.
_GATHERED = "gathered tallies"

_Key = tuple[str, str, str]  # dimension, value, state


class Tally(NamedTuple):
    """Items, and how many wrong or missing values are expected among them."""

    items: int
    expected: float


_NONE = Tally(0, 0.0)


@contextmanager
def keeping_tallies(connection: Connection, *which: ColumnElement[bool]) -> Iterator[None]:
    """Keep the counts in step with what is done inside to items.

    Args:
        connection: in the transaction that changes the items.
        which: conditions over ITEMS that hold for all items that are changed or added, before and after.
    """
    before = _count(connection, which)
    yield
    after = _count(connection, which)
    changes = {key: _subtract(after.get(key, _NONE), before.get(key, _NONE)) for key in after.keys() | before.keys()}
    gathered: dict[_Key, Tally] | None = connection.info.get(_GATHERED)
    if gathered is None:
        _change(connection, changes)
    else:
        for key, change in changes.items():
            gathered[key] = _add(gathered.get(key, _NONE), change)


@contextmanager
def gathering_tallies(connection: Connection) -> Iterator[None]:
    """Change the counts once for all that is done inside, at its end.

    The counts of all items are one row, which who changes them holds until his transaction is over: so transactions
    over many documents go side by side up to here.
    """
    gathered: dict[_Key, Tally] = {}
    connection.info[_GATHERED] = gathered
    try:
        yield
    finally:
        del connection.info[_GATHERED]
    _change(connection, gathered)


def _change(connection: Connection, changes: Mapping[_Key, Tally]) -> None:
    changes = {key: change for key, change in changes.items() if change != _NONE}
    if not changes:
        return
    # Whoever changes counts locks those of all items first, changed or not, and the others in one order: in PostgreSQL
    # two who change several would else wait for each other.
    changes |= {(*_ALL, state): changes.get((*_ALL, state), _NONE) for state in _STATES}
    rows = [
        {"dimension": key[0], "value": key[1], "state": key[2], "number": change.items, "expected": change.expected}
        for key, change in sorted(changes.items())
    ]
    insert_or_add(connection, TALLIES, rows)


def read_tally(connection: Connection, wanted: QueueFilter, state: str) -> Tally | None:
    """The count of a filter with at most one criterion; None for another filter, which must be counted."""
    given = {name: value for name, value in wanted._asdict().items() if value is not None and value != ""}
    if len(given) > 1 or not given.keys() <= {*_COLUMNS, "code"}:
        return None
    dimension, value = next(((name, str(value)) for name, value in given.items()), _ALL)
    values = list_kinds(value) if dimension == "kind" else (value,)
    query = select(TALLIES.c.number, TALLIES.c.expected).where(
        TALLIES.c.dimension == dimension, TALLIES.c.value.in_(values), TALLIES.c.state == state
    )
    rows = connection.execute(query).all()
    # What was added and taken away again misses zero by a hair.
    return Tally(sum(row[0] for row in rows), round(sum(row[1] for row in rows), 9) + 0.0)


def read_facets(connection: Connection) -> dict[str, list[tuple[str, int]]]:
    """What open items can be filtered by, and how many there are of each, most first."""
    query = select(TALLIES.c.dimension, TALLIES.c.value, TALLIES.c.number).where(
        TALLIES.c.state == "open", TALLIES.c.number > 0, TALLIES.c.dimension != _ALL[0]
    )
    found: dict[str, dict[str, int]] = {name: {} for name in (*_COLUMNS, "code")}
    for dimension, value, items in connection.execute(query):
        shown = "cells" if dimension == "kind" and value in list_kinds("cells") else value
        found[dimension][shown] = found[dimension].get(shown, 0) + items
    return {name: sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])) for name, counts in found.items()}


def _add(one: Tally, other: Tally) -> Tally:
    return Tally(one.items + other.items, one.expected + other.expected)


def _subtract(after: Tally, before: Tally) -> Tally:
    return Tally(after.items - before.items, after.expected - before.expected)


def _count(connection: Connection, which: Sequence[ColumnElement[bool]]) -> dict[_Key, Tally]:
    found: dict[_Key, Tally] = {}
    columns = (ITEMS.c[name] for name in ("state", "expected", "codes", *_COLUMNS))
    for row in connection.execute(select(*columns).where(ITEMS.c.state.in_(_STATES), *which)):
        places = [_ALL, *((name, str(value)) for name in _COLUMNS if (value := getattr(row, name)) is not None)]
        places += [("code", code) for code in dict.fromkeys(read_texts(row.codes))]
        for dimension, value in places:
            known = found.get((dimension, value, row.state), _NONE)
            found[dimension, value, row.state] = Tally(known.items + 1, known.expected + row.expected)
    return found
