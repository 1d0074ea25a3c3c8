"""From every earlier version to the newest, with data in all tables; and what stands in the way of it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Boolean, Connection, Float, Integer, LargeBinary, MetaData, Table, inspect, select, text

from extractor.errors import SettingsError, StoreError
from extractor.store import migrations
from extractor.store.database import Database
from extractor.store.engines import STORE
from extractor.store.journal import Journal
from extractor.store.migrations.steps import migrate
from extractor.store.opening import STORE_VERSION, STORE_VERSIONS
from extractor.store.store import Store
from extractor.store.store_tables import STORE_METADATA
from extractor.store.tables import METADATA
from tests.unit.store.filler import add_document
from tests.unit.store.writer import make_attempt, make_key, make_reply

OLDER = STORE_VERSIONS[:-1]


@pytest.fixture
def database(where: str) -> Iterator[Database]:
    database = Database(where, STORE, lock_timeout_s=10)
    yield database
    database.close()


def make_version(database: Database, version: str) -> None:
    with database.write() as connection:
        migrate(connection, start=None, to=version)
    database.allow_side_by_side()


def make_value(table: Table, name: str, number: int) -> Any:
    column = table.c[name]
    if column.foreign_keys:
        (key,) = column.foreign_keys
        return make_value(key.column.table, key.column.name, number)
    for kind, value in ((Boolean, number % 2 == 0), (Integer, number), (Float, number / 8), (LargeBinary, b"\0\xff")):
        if isinstance(column.type, kind):
            return value
    return f"{name} {number} 甲\n"[:32]


def fill(connection: Connection) -> None:
    """Two rows into every table that there is, as its columns want them."""
    tables = MetaData()
    tables.reflect(connection)
    for table in tables.sorted_tables:
        if table.name in (STORE_VERSION.name, "journal_version"):
            continue
        columns = [column.name for column in table.c]
        rows = [{name: make_value(table, name, number) for name in columns} for number in (1, 2)]
        connection.execute(table.insert(), rows)


def read_all(connection: Connection, names: set[str] | None = None) -> dict[str, list[dict[str, Any]]]:
    tables = MetaData()
    tables.reflect(connection)
    wanted = {name for name in tables.tables if name != STORE_VERSION.name} if names is None else names
    found = {}
    for name in sorted(wanted):
        table = tables.tables[name]
        rows = connection.execute(select(table).order_by(*table.primary_key)).mappings()
        found[name] = [dict(row) for row in rows]
    return found


@pytest.mark.parametrize("version", OLDER)
def test_a_store_of_an_earlier_version_is_upgraded_with_all_that_it_holds(
    version: str, database: Database, where: str
) -> None:
    make_version(database, version)
    with database.write() as connection:
        fill(connection)
        before = read_all(connection)
    Store.open(where).close()
    with database.read() as connection:
        after = read_all(connection, set(before))
        for name, rows in before.items():  # a later version may have more columns
            assert [{column: row[column] for column in rows[0]} for row in after[name]] == rows
        assert connection.execute(select(STORE_VERSION.c.version_num)).scalars().all() == [STORE_VERSIONS[-1]]
        assert set(STORE_METADATA.tables) <= set(inspect(connection).get_table_names())
    assert sum(map(len, before.values())) >= 9  # the journal's five tables at the least


def test_versions_are_those_of_the_migrations() -> None:
    (folder,) = migrations.__path__
    steps = list(ScriptDirectory(folder).walk_revisions())
    assert tuple(step.revision for step in reversed(steps)) == STORE_VERSIONS


def test_migrations_make_what_the_program_expects(store: Store, database: Database) -> None:
    with database.read() as connection:
        options = {"compare_type": True, "version_table": STORE_VERSION.name}
        context = MigrationContext.configure(connection, opts=options)
        # Alembic takes several, its annotation says one.
        assert compare_metadata(context, [METADATA, STORE_METADATA]) == []  # type: ignore[arg-type]


def test_a_journal_becomes_a_store_and_stays_a_journal(where: str) -> None:
    with Journal.open(where) as journal:
        journal.record(make_reply(1), make_attempt(1))
        with Store.open(where) as store, store.write() as books:
            add_document(books, 1)
        assert journal.find(make_key(1)) == make_reply(1)
        assert journal.add(make_reply(2))
    with Journal.open(where) as journal:
        assert journal.spent().calls == 1
        assert journal.find(make_key(2)) == make_reply(2)


def test_a_store_is_a_journal_from_the_beginning(store: Store, where: str) -> None:
    with Journal.open(where) as journal:
        assert journal.add(make_reply(1))


def test_a_migration_that_dies_in_the_middle_leaves_the_old_version(database: Database, where: str) -> None:
    """`sessions` is the third table of the fourth migration: two are made before it fails."""
    make_version(database, "0003")
    with database.write() as connection:
        connection.execute(text("CREATE TABLE sessions (shoe_size INTEGER)"))
        before = set(inspect(connection).get_table_names())
    with pytest.raises(StoreError, match="sessions"):
        Store.open(where)
    with database.write() as connection:
        assert set(inspect(connection).get_table_names()) == before
        assert connection.execute(select(STORE_VERSION.c.version_num)).scalars().all() == ["0003"]
        connection.execute(text("DROP TABLE sessions"))
    with Store.open(where) as store, store.write() as books:
        add_document(books, 1)


def test_a_store_of_a_newer_program_is_refused(where: str, database: Database) -> None:
    Store.open(where).close()
    with database.write() as connection:
        connection.execute(STORE_VERSION.update().values(version_num="0099"))
    with pytest.raises(SettingsError, match=r"version 0099.*Update the program"):
        Store.open(where)


def test_many_may_make_a_store_at_the_same_moment(where: str) -> None:
    start = Barrier(4)

    def make(number: int) -> int:
        start.wait()
        with Store.open(where) as store, store.write() as books:
            return add_document(books, number)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(make, range(4))) == [1, 2, 3, 4]


def test_a_database_of_another_program_is_refused_and_left_alone(where: str, database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("CREATE TABLE documents (shoe_size INTEGER)"))
    with pytest.raises(SettingsError, match=r"is no store, but has the table documents.*of its own"):
        Store.open(where)
    with database.read() as connection:
        assert inspect(connection).get_table_names() == ["documents"]


def test_a_server_may_hold_tables_of_other_programs(postgres_schema: str) -> None:
    database = Database(postgres_schema, STORE, lock_timeout_s=10)
    with database.write() as connection:
        connection.execute(text("CREATE TABLE bookmarks (url TEXT)"))
        connection.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('of another program')"))
    database.close()
    Store.open(postgres_schema).close()


def test_a_journal_of_a_newer_program_does_not_become_a_store(tmp_path: Path) -> None:
    path = str(tmp_path / "journal.sqlite")
    Journal.open(path).close()
    database = Database(path, STORE, lock_timeout_s=10)
    with database.write() as connection:
        connection.execute(text("UPDATE journal_version SET version = 99"))
    database.close()
    with pytest.raises(SettingsError, match=r"store: .*version 99.*Update the program"):
        Store.open(path)
