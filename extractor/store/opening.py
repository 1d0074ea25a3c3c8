"""What stands in a database when it is opened: nothing, a journal, a store, or something else.

Lives here: the check, and the making or upgrading of tables. Does not live here: the tables (tables, store_tables) and
the migrations themselves (migrations/versions). Called by Journal.open and Store.open.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, false, func, inspect, select

from extractor.errors import SettingsError
from extractor.store.database import Database
from extractor.store.engines import JOURNAL, STORE
from extractor.store.store_tables import STORE_METADATA
from extractor.store.tables import JOURNAL_VERSION, METADATA, SCHEMA_VERSION

MIGRATIONS = Path(__file__).with_name("migrations")
#: All versions of the store's tables, oldest first. A test holds them in step with the migrations.
STORE_VERSIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
#: Alembic's own table, under a name of ours: another program in the same database may use Alembic, too.
STORE_VERSION = Table("store_version", MetaData(), Column("version_num", String(32), primary_key=True))


def open_journal(where: str, lock_timeout_s: float) -> Database:
    """Connect, check that it is a journal of ours, make the tables if there are none.

    Raises:
        SettingsError: the address is wrong, or what stands there is no journal of this version.
        OutputError: it cannot be reached or written.
    """
    database = Database(where, JOURNAL, lock_timeout_s)
    try:
        with database.write(is_alone=True) as connection:
            _prepare_journal(database, connection)
            # Changes nothing, but what cannot be written is refused before a call is paid for.
            connection.execute(JOURNAL_VERSION.delete().where(false()))
        database.allow_side_by_side()
    except BaseException:
        database.close()
        raise
    return database


def open_store(where: str, lock_timeout_s: float) -> Database:
    """Connect, and bring the tables to the newest version; a journal becomes a store that holds it.

    Raises:
        SettingsError: the address is wrong, or what stands there is of another program, or of a newer version.
        StoreError: it cannot be reached or written.
    """
    database = Database(where, STORE, lock_timeout_s)
    try:
        with database.read() as connection:
            is_current = _find_version(connection) == STORE_VERSIONS[-1]
        if not is_current:  # one that is waits for no writer
            with database.write(is_alone=True) as connection:
                _upgrade(database, connection)
            database.allow_side_by_side()
    except BaseException:
        database.close()
        raise
    return database


def _prepare_journal(database: Database, connection: Connection) -> None:
    tables = inspect(connection).get_table_names()
    if JOURNAL_VERSION.name not in tables:
        if tables and connection.dialect.name == "sqlite":
            problem = f"is an SQLite database, but no journal (it has the table {tables[0]})"
            raise SettingsError(f"journal: {database.name} {problem}. Name another file.")
        METADATA.create_all(connection)
        connection.execute(JOURNAL_VERSION.insert().values(version=SCHEMA_VERSION))
        return
    version = connection.execute(select(func.max(JOURNAL_VERSION.c.version))).scalar()
    if version != SCHEMA_VERSION:
        problem = f"is a journal of version {version}; this program writes version {SCHEMA_VERSION}"
        word = database.purpose.word
        raise SettingsError(f"{word}: {database.name} {problem}. Update the program, or name another {word}.")


def _find_version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(STORE_VERSION.name):
        return None
    return connection.execute(select(STORE_VERSION.c.version_num)).scalar()


def _upgrade(database: Database, connection: Connection) -> None:
    version = _find_version(connection)
    if version is None:
        version = _recognise(database, connection)
    elif version not in STORE_VERSIONS:
        problem = f"is a store of version {version}; this program knows up to {STORE_VERSIONS[-1]}"
        raise SettingsError(f"store: {database.name} {problem}. Update the program, or name another store.")
    if version != STORE_VERSIONS[-1]:
        # A third of a second to load, and only where something is to do.
        from extractor.store.migrations.steps import migrate  # noqa: PLC0415

        migrate(connection, start=version, to=STORE_VERSIONS[-1])


def _recognise(database: Database, connection: Connection) -> str | None:
    """What stands in a database that is no store yet: the version that a journal is, None for an empty one."""
    tables = set(inspect(connection).get_table_names())
    is_journal = JOURNAL_VERSION.name in tables
    if is_journal:
        _prepare_journal(database, connection)  # refuses one of another version
    ours = set(STORE_METADATA.tables) if is_journal else {*STORE_METADATA.tables, *METADATA.tables}
    # A server's database may hold tables of other programs, as long as their names are not ours.
    foreign = tables & ours if is_journal or connection.dialect.name != "sqlite" else tables
    if foreign:
        problem = f"is no store, but has the table {min(foreign)}"
        raise SettingsError(f"store: {database.name} {problem}. Name another file, or a database or schema of its own.")
    return STORE_VERSIONS[0] if is_journal else None
