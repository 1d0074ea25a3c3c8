"""An open database: SQLite and PostgreSQL behind three verbs, read, survey and write.

Lives here: transactions, what a database's errors mean for a user, and the few conversions that all tables share.
Does not live here: addresses (engines), what a database must hold (opening), any table's content. Used by the journal
and by the store.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from extractor.errors import ExtractorError
from extractor.store.engines import Purpose, make_engine, switch_to_wal

# Any number that no other program is likely to lock in the same PostgreSQL database.
_ALONE = 7_203_115_946

# Start of the error's name in SQLite -> what is wrong, what to do.
_SQLITE_ERRORS = {
    "SQLITE_NOTADB": ("is damaged", "Restore a copy, or move it away and start a new one"),
    "SQLITE_CORRUPT": ("is damaged", "Restore a copy, or move it away and start a new one"),
    "SQLITE_FULL": ("cannot grow: the disk is full", "Make room, then run again; nothing kept is lost"),
    "SQLITE_READONLY": ("is read-only", "Make the file and its folder writable"),
    "SQLITE_CANTOPEN": ("cannot be opened", "Make the file and its folder writable"),
    "SQLITE_BUSY": ("is locked by another program", "End that program, or name another {word}"),
    "SQLITE_IOERR": ("cannot be read or written", "Check the disk: space, quota, hardware, network mount"),
}

_T = TypeVar("_T")


class Database:
    """An open database. Threads may share it; every process opens its own.

    Args:
        lock_timeout_s: how long to wait for another writer (SQLite).
    """

    def __init__(self, where: str, purpose: Purpose, lock_timeout_s: float) -> None:
        self._engine, self.name = make_engine(where, purpose, lock_timeout_s)
        self.purpose = purpose
        self.dialect = self._engine.dialect.name
        self.lock_timeout_s = lock_timeout_s
        # Writers of one program queue up here: SQLite's own waiting is asking again and again, in no order.
        self._writers = threading.Lock() if self.dialect == "sqlite" else None
        if self.dialect == "sqlite":
            self._reading = self._engine.execution_options(sqlite_begin="")
            self._surveying = self._engine.execution_options(sqlite_begin="BEGIN")
        else:
            self._reading = self._engine.execution_options(isolation_level="AUTOCOMMIT")
            self._surveying = self._engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for single statements that change nothing."""
        with self._explained(), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def survey(self) -> Iterator[Connection]:
        """A connection for several statements that change nothing and see one and the same state."""
        with self._explained(), self._surveying.connect() as connection:
            yield connection

    @contextmanager
    def write(self, *, is_alone: bool = False) -> Iterator[Connection]:
        """A connection in a transaction, committed at the end, rolled back on any error.

        Args:
            is_alone: whether others that ask for the same wait, in whatever process, so that what is
                read inside still holds at the end. In SQLite writers are alone in any case.
        """
        with self._turn(), self._explained(), self._engine.begin() as connection:
            if is_alone and self.dialect == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_ALONE)))
            yield connection

    def allow_side_by_side(self) -> None:
        """Let readers and a writer work side by side, where the database does not do so anyway."""
        if self.dialect == "sqlite":
            with self.read() as connection:
                switch_to_wal(connection, self.lock_timeout_s)

    def settle(self) -> None:
        """Have the file itself hold all that was written, though other processes have it open, too. Waits for none."""
        if self.dialect == "sqlite":
            with self.read() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Give the connections back. A closed database must not be used."""
        self._engine.dispose()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._writers is None:
            yield
            return
        if not self._writers.acquire(timeout=self.lock_timeout_s):
            problem = f"{self.name} is being written by this program for over {self.lock_timeout_s:g} s"
            raise self.purpose.failure(f"{self.purpose.word}: {problem}. Try again.")
        try:
            yield
        finally:
            self._writers.release()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise  # a fault of the program, not of the database
        except DBAPIError as error:
            raise self._explain(error) from error
        except NoConnectionFree as error:
            problem = f"{self.name}: all its connections are in use"
            raise self.purpose.failure(f"{self.purpose.word}: {problem}. Try again.") from error

    def _explain(self, error: DBAPIError) -> ExtractorError:
        word, failure = self.purpose.word, self.purpose.failure
        code = getattr(error.orig, "sqlite_errorname", "")
        for start, (problem, remedy) in _SQLITE_ERRORS.items():
            if code.startswith(start):
                return failure(f"{word}: {self.name} {problem} ({error.orig}). {remedy.format(word=word)}.")
        first_line = str(error.orig).strip().partition("\n")[0]
        return failure(f"{word}: {self.name}: {first_line}. Check that it runs, is whole, and lets this user write.")


def is_deadlock(error: ExtractorError) -> bool:
    """Whether a transaction was rolled back because two waited for each other (PostgreSQL); it can be tried again."""
    cause = error.__cause__
    return isinstance(cause, DBAPIError) and getattr(cause.orig, "sqlstate", None) == "40P01"


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
