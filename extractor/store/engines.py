"""From an address to an engine: a file (SQLite) or a server (PostgreSQL), set up as the journal needs it.

Lives here: what addresses mean and how connections are made. Does not live here: transactions and
errors (database), which is the only caller.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.pool import StaticPool

from extractor.errors import OutputError, SettingsError

_SQLITE_START = b"SQLite format 3\0"
_EXAMPLE = "Give a file, or postgresql://USER@HOST/DATABASE"


def make_engine(where: str, lock_timeout_s: float) -> tuple[Engine, str]:
    """An engine that has not connected yet, and its name for messages, without any password.

    Raises:
        SettingsError: the address is wrong, or psycopg is not installed.
        OutputError: the file cannot be opened.
    """
    where = where.removeprefix("sqlite:///")
    if "://" in where:
        url = _parse_url(where)
        return _engine_for_server(url), url.render_as_string()
    name = where if where == ":memory:" else str(_check_path(where))
    return _engine_for_file(name, lock_timeout_s), name


def switch_to_wal(connection: Connection, lock_timeout_s: float) -> None:
    """Let readers and a writer work side by side; the file stays so.

    SQLite does not wait for others here, as it does elsewhere, so a moment in which several programs
    open a new journal must be waited out by hand.
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


def _parse_url(where: str) -> URL:
    try:
        url = make_url(where)
    except (ArgumentError, ValueError) as error:  # the second for a port that is no number
        raise SettingsError(f"journal: this is no address. {_EXAMPLE}.") from error
    if url.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise SettingsError(f"journal: {url.drivername}:// is not known. {_EXAMPLE}.")
    return url.set(drivername="postgresql+psycopg")


def _check_path(where: str) -> Path:
    path = Path(where).expanduser()
    try:
        if not where or path.is_dir():
            raise SettingsError(f"journal: '{where}' is no file. Name a file, such as journal.sqlite.")
        if not path.parent.is_dir():
            raise SettingsError(f"journal: {path}: its folder is not there. Make it, or name another file.")
        with path.open("rb") as file:
            start = file.read(len(_SQLITE_START))
    except FileNotFoundError:
        return path
    except OSError as error:
        problem = f"{path} cannot be opened ({error.strerror})"
        raise OutputError(f"journal: {problem}. Make the file and its folder writable.") from error
    if start and start != _SQLITE_START:  # SQLite itself overwrites what is shorter than its header
        raise SettingsError(f"journal: {path} is not an SQLite database. Name another file.")
    return path


def _engine_for_file(name: str, lock_timeout_s: float) -> Engine:
    # One connection for all threads (see Database): that is fast, and right for :memory:, too.
    connect_args = {"check_same_thread": False, "timeout": lock_timeout_s}
    engine = create_engine(URL.create("sqlite", database=name), poolclass=StaticPool, connect_args=connect_args)

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say, below
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")  # in WAL: a killed program loses nothing

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # IMMEDIATE takes the write lock first, so that what is read inside cannot be overtaken.
        if not connection.get_execution_options().get("is_reading"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _engine_for_server(url: URL) -> Engine:
    try:
        engine = create_engine(url, pool_pre_ping=True)
    except ImportError as error:
        problem = "journal: a postgresql:// address needs psycopg, which is not installed"
        raise SettingsError(f"{problem}. Install the extra: pip install 'extractor[postgres]'.") from error

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: object) -> None:
        # A commit then waits for no disk. What a crash of the server can lose is its last moments.
        connection.execute("SET synchronous_commit = off")
        connection.commit()

    return engine
