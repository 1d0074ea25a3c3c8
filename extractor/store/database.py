"""An open database: SQLite and PostgreSQL behind one pair of verbs, read and write.

Lives here: transactions, the version check, what a database's errors mean for a user, and the few
conversions that all tables share. Does not live here: addresses (engines), any table's content
(journal, batches). Used by the journal only.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, Engine, false, func, inspect, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from extractor.errors import ExtractorError, OutputError, SettingsError
from extractor.store.engines import make_engine, switch_to_wal
from extractor.store.tables import JOURNAL_VERSION, METADATA, SCHEMA_VERSION

# Any number that no other program is likely to lock in the same PostgreSQL database.
_ALONE = 7_203_115_946

# Start of the error's name in SQLite -> what is wrong, what to do.
_SQLITE_ERRORS = {
    "SQLITE_NOTADB": ("is damaged", "Restore a copy, or move it away and start a new one"),
    "SQLITE_CORRUPT": ("is damaged", "Restore a copy, or move it away and start a new one"),
    "SQLITE_FULL": ("cannot grow: the disk is full", "Make room, then run again; nothing kept is lost"),
    "SQLITE_READONLY": ("is read-only", "Make the file and its folder writable"),
    "SQLITE_CANTOPEN": ("cannot be opened", "Make the file and its folder writable"),
    "SQLITE_BUSY": ("is locked by another program", "End that program, or name another journal"),
    "SQLITE_IOERR": ("cannot be read or written", "Check the disk: space, quota, hardware, network mount"),
}

_T = TypeVar("_T")


class Database:
    """An open database. Threads may share it; every process opens its own."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.name = name
        self.dialect = engine.dialect.name
        self._engine = engine
        # Reads need no transaction: one statement each, and a row does not change once it is there.
        if self.dialect == "sqlite":
            self._reading = engine.execution_options(is_reading=True)
            self._lock: threading.RLock | nullcontext[None] = threading.RLock()  # one connection for all threads
        else:
            self._reading = engine.execution_options(isolation_level="AUTOCOMMIT")
            self._lock = nullcontext()

    @classmethod
    def open(cls, where: str, lock_timeout_s: float) -> Database:
        """Connect, check that it is a journal of ours, make the tables if there are none.

        Raises:
            SettingsError: the address is wrong, or what stands there is no journal of this version.
            OutputError: it cannot be reached or written.
        """
        database = cls(*make_engine(where, lock_timeout_s))
        try:
            database._prepare(lock_timeout_s)
        except BaseException:
            database.close()
            raise
        return database

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for single statements that change nothing."""
        with self._lock, self._explained(), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def write(self, *, is_alone: bool = False) -> Iterator[Connection]:
        """A connection in a transaction, committed at the end, rolled back on any error.

        Args:
            is_alone: whether others that ask for the same wait, in whatever process, so that what is
                read inside still holds at the end. In SQLite writers are alone in any case.
        """
        with self._lock, self._explained(), self._engine.begin() as connection:
            if is_alone and self.dialect == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_ALONE)))
            yield connection

    def close(self) -> None:
        """Give the connections back. A closed database must not be used."""
        with self._lock:
            self._engine.dispose()

    def _prepare(self, lock_timeout_s: float) -> None:
        with self.write(is_alone=True) as connection:
            self._check(connection)
            # Changes nothing, but what cannot be written is refused before a call is paid for.
            connection.execute(JOURNAL_VERSION.delete().where(false()))
        if self.dialect == "sqlite":
            with self.read() as connection:
                switch_to_wal(connection, lock_timeout_s)

    def _check(self, connection: Connection) -> None:
        tables = inspect(connection).get_table_names()
        if JOURNAL_VERSION.name not in tables:
            if tables and self.dialect == "sqlite":
                problem = f"is an SQLite database, but no journal (it has the table {tables[0]})"
                raise SettingsError(f"journal: {self.name} {problem}. Name another file.")
            METADATA.create_all(connection)
            connection.execute(JOURNAL_VERSION.insert().values(version=SCHEMA_VERSION))
            return
        version = connection.execute(select(func.max(JOURNAL_VERSION.c.version))).scalar()
        if version != SCHEMA_VERSION:
            problem = f"is a journal of version {version}; this program writes version {SCHEMA_VERSION}"
            raise SettingsError(f"journal: {self.name} {problem}. Update the program, or name another journal.")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise  # a fault of the program, not of the database
        except DBAPIError as error:
            raise _explain(self.name, error) from error


def chunked(items: Iterable[_T], size: int = 500) -> Iterator[list[_T]]:
    """Lists of at most `size` items: as many as one statement takes in either database."""
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        yield chunk


def write_time(moment: datetime) -> str:
    """A moment as the tables hold it: UTC, always of one length, so that it sorts."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def read_time(text: str) -> datetime:
    """The moment that a table holds."""
    return datetime.fromisoformat(text)


def _explain(name: str, error: DBAPIError) -> ExtractorError:
    code = getattr(error.orig, "sqlite_errorname", "")
    for start, (problem, remedy) in _SQLITE_ERRORS.items():
        if code.startswith(start):
            return OutputError(f"journal: {name} {problem} ({error.orig}). {remedy}.")
    first_line = str(error.orig).strip().partition("\n")[0]
    return OutputError(f"journal: {name}: {first_line}. Check that it runs, is whole, and lets this user write.")
