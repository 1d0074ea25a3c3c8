"""Small statements that both databases spell differently, and cursors.

Lives here: inserts that tell what they did, and where a page of a list ends. Does not live here: any table. Called by
the modules named after what they hold.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from extractor.errors import BadCursor

# Both know the same clauses, by classes of their own.
_INSERT: dict[str, Callable[[Table], postgresql.Insert]] = {
    "sqlite": cast("Callable[[Table], postgresql.Insert]", sqlite.insert),
    "postgresql": postgresql.insert,
}


def insert_new(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Add a row, unless one with this key is there.

    Returns:
        Whether it was added.
    """
    statement = _INSERT[connection.dialect.name](table).on_conflict_do_nothing()
    return connection.execute(statement.execution_options(preserve_rowcount=True), values).rowcount == 1


def insert_or_replace(connection: Connection, table: Table, values: Mapping[str, Any], once: Mapping[str, Any]) -> None:
    """Add a row, or give the row with this key these values, but for those that are given once."""
    statement = _INSERT[connection.dialect.name](table).values({**values, **once})
    keys = [column.name for column in table.primary_key]
    others = {name: statement.excluded[name] for name in values if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=others))


def replace_many(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows with the same columns; one that stands under a key gets these values."""
    statement = _INSERT[connection.dialect.name](table)
    keys = [column.name for column in table.primary_key]
    others = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=others), rows)


def insert_or_add(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows of sums; to a row with a key that is there they are added up, in the order given."""
    statement = _INSERT[connection.dialect.name](table)
    keys = [column.name for column in table.primary_key]
    sums = {column.name: column + statement.excluded[column.name] for column in table.c if column.name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=sums), rows)


def insert_numbered(connection: Connection, table: Table, values: Mapping[str, Any]) -> int:
    """Add a row to a table that counts up.

    Returns:
        Its number.
    """
    key = connection.execute(table.insert().values(values)).inserted_primary_key
    return int(key[0]) if key else 0


def write_cursor(values: Sequence[Any]) -> str:
    """Where a page of a list ended, as a text that goes through a URL."""
    return urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def read_cursor(cursor: str, *kinds: type) -> list[Any]:
    """The values that write_cursor was given.

    Raises:
        BadCursor: this was never a cursor of such a list.
    """
    try:
        values: Any = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        values = None
    if isinstance(values, list) and len(values) == len(kinds) and all(map(_fits, values, kinds)):
        return values
    raise BadCursor("after: this is no place in this list. Use the cursor that the last page gave, or none.")


def _fits(value: object, kind: type) -> bool:
    """Whether a column could hold it: PostgreSQL takes no NUL, neither takes numbers of any length."""
    if type(value) is not kind:
        return False
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return not isinstance(value, str) or value.isprintable()
