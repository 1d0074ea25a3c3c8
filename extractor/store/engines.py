"""From an address to an engine: a file (SQLite) or a server (PostgreSQL), set up as its purpose needs it.

Lives here: what addresses mean, how connections are made, and how a transaction begins. Does not live here:
transactions themselves and errors (database), which is the only caller.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.pool import QueuePool

from extractor.errors import ExtractorError, OutputError, SettingsError, StoreError

_SQLITE_START = b"SQLite format 3\0"
_EXAMPLE = "Give a file, or postgresql://USER@HOST/DATABASE"
# A web server answers in up to 40 threads; who comes later waits for a connection. A server of PostgreSQL has 100 for
# all its programs, and a connection costs it memory.
_KEPT_OPEN, _MOST_FILES, _MOST_SERVER = 8, 64, 24
# Between two statements of one transaction there are milliseconds. Who waits for a lock must wait longer than this.
_MOST_IDLE_S = 20


class Purpose(NamedTuple):
    """What a database is opened for.

    Attributes:
        word: what messages call it.
        failure: raised where it cannot be reached or written.
        is_durable: whether a commit waits for the disk. A reply that a power cut took back is asked for again; a
            person's decision would be lost. Decisions come one in some seconds, so the wait costs nothing.
    """

    word: str
    failure: type[ExtractorError]
    is_durable: bool


JOURNAL = Purpose("journal", OutputError, is_durable=False)
STORE = Purpose("store", StoreError, is_durable=True)


def make_engine(where: str, purpose: Purpose, lock_timeout_s: float) -> tuple[Engine, str]:
    """An engine that has not connected yet, and its name for messages, without any password.

    Raises:
        SettingsError: the address is wrong, or psycopg is not installed.
        OutputError, StoreError: the file cannot be opened.
    """
    where = where.removeprefix("sqlite:///")
    if "://" in where:
        url = _parse_url(where, purpose)
        return _engine_for_server(url, purpose, lock_timeout_s), url.render_as_string()
    name = where if where == ":memory:" else str(_check_path(where, purpose))
    return _engine_for_file(name, purpose, lock_timeout_s), name


def switch_to_wal(connection: Connection, lock_timeout_s: float) -> None:
    """Let readers and a writer work side by side; the file stays so.

    SQLite does not wait for others here, as it does elsewhere, so a moment in which several programs
    open a new file must be waited out by hand.
    """
    deadline = time.monotonic() + lock_timeout_s
    while connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "delete":
        try:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            return  # a disk that cannot do it, such as a network mount, goes on without
        except OperationalError as error:
            is_busy = getattr(error.orig, "sqlite_errorname", "").startswith("SQLITE_BUSY")
            if not is_busy or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _parse_url(where: str, purpose: Purpose) -> URL:
    try:
        url = make_url(where)
    except (ArgumentError, ValueError) as error:  # the second for a port that is no number
        raise SettingsError(f"{purpose.word}: this is no address. {_EXAMPLE}.") from error
    if url.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise SettingsError(f"{purpose.word}: {url.drivername}:// is not known. {_EXAMPLE}.")
    return url.set(drivername="postgresql+psycopg")


def _check_path(where: str, purpose: Purpose) -> Path:
    path = Path(where).expanduser()
    try:
        if not where or path.is_dir():
            example = f"Name a file, such as {purpose.word}.sqlite"
            raise SettingsError(f"{purpose.word}: '{where}' is no file. {example}.")
        if not path.parent.is_dir():
            raise SettingsError(f"{purpose.word}: {path}: its folder is not there. Make it, or name another file.")
        with path.open("rb") as file:
            start = file.read(len(_SQLITE_START))
    except FileNotFoundError:
        return path
    except OSError as error:
        problem = f"{path} cannot be opened ({error.strerror})"
        raise purpose.failure(f"{purpose.word}: {problem}. Make the file and its folder writable.") from error
    if start and start != _SQLITE_START:  # SQLite itself overwrites what is shorter than its header
        raise SettingsError(f"{purpose.word}: {path} is not an SQLite database. Name another file.")
    return path


def _engine_for_file(name: str, purpose: Purpose, lock_timeout_s: float) -> Engine:
    url = URL.create("sqlite", database=name)
    if name == ":memory:":  # one database for all connections of this engine, and for nobody else
        url = URL.create("sqlite", database=f"file:/{uuid4().hex}", query={"vfs": "memdb", "uri": "true"})
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=_KEPT_OPEN,
        max_overflow=_MOST_FILES - _KEPT_OPEN,
        pool_timeout=lock_timeout_s,
        connect_args={"check_same_thread": False, "timeout": lock_timeout_s},
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say, below; so tables can be made in one, too
        connection.execute("PRAGMA foreign_keys = ON")
        # In WAL a killed program loses nothing either way; a power cut takes back what NORMAL committed last.
        connection.execute(f"PRAGMA synchronous = {'FULL' if purpose.is_durable else 'NORMAL'}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # IMMEDIATE takes the write lock first, so that what is read inside cannot be overtaken.
        start = connection.get_execution_options().get("sqlite_begin", "BEGIN IMMEDIATE")
        if start:
            connection.exec_driver_sql(start)

    return engine


def _engine_for_server(url: URL, purpose: Purpose, lock_timeout_s: float) -> Engine:
    try:
        engine = create_engine(
            url,
            pool_pre_ping=True,
            pool_size=_KEPT_OPEN,
            max_overflow=_MOST_SERVER - _KEPT_OPEN,
            pool_timeout=lock_timeout_s,
        )
    except ImportError as error:
        problem = f"{purpose.word}: a postgresql:// address needs psycopg, which is not installed"
        raise SettingsError(f"{problem}. Install the extra: pip install 'extractor[postgres]'.") from error

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: object) -> None:
        if not purpose.is_durable:
            # A commit then waits for no disk. What a crash of the server can lose is its last moments.
            connection.execute("SET synchronous_commit = off")
        connection.execute(f"SET lock_timeout = {int(lock_timeout_s * 1000)}")
        # A machine that is cut off in the middle of a transaction would hold its locks for hours.
        connection.execute(f"SET idle_in_transaction_session_timeout = {_MOST_IDLE_S * 1000}")
        connection.commit()

    return engine
