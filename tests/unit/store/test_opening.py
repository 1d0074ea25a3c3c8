"""Opening a journal: what is refused, with a message that helps, and what a fault in between does."""

from __future__ import annotations

import os
import resource
import sqlite3
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier

import pytest

from extractor.errors import OutputError, SettingsError
from extractor.store.journal import Journal
from tests.unit.store.writer import make_attempt, make_key, make_reply

NOBODY = 65534


def test_an_empty_file_becomes_a_journal(tmp_path: Path) -> None:
    """So does one that a program was killed over while making it."""
    path = tmp_path / "journal.sqlite"
    path.touch()
    with Journal.open(f"sqlite:///{path}") as journal:
        journal.add(make_reply(1))
    with Journal.open(str(path)) as journal:
        assert journal.find(make_key(1)) == make_reply(1)


def test_a_closed_journal_is_one_file(tmp_path: Path) -> None:
    with Journal.open(str(tmp_path / "journal.sqlite")) as journal:
        journal.add(make_reply(1))
    assert [path.name for path in tmp_path.iterdir()] == ["journal.sqlite"]


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("", "no file"),
        ("{folder}", "no file"),
        ("{folder}/not/there.sqlite", "its folder is not there"),
        ("mysql://u:secret@h/d", "mysql:// is not known"),
        ("postgresql://u:secret@h:port/d", "no address"),
    ],
)
def test_an_address_that_cannot_be_is_refused(where: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=words) as caught:
        Journal.open(where.format(folder=tmp_path))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("content", [b"a letter to the ministry " * 100, b"\x00" * 5000, b"x", b"SQLite format 2"])
def test_a_file_of_another_kind_is_refused_and_left_alone(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"report\.txt is not an SQLite database"):
        Journal.open(str(path))
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(SettingsError, match=r"other\.sqlite.*no journal.*bookmarks"):
        Journal.open(str(path))
    assert path.read_bytes() == before


def test_a_journal_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    Journal.open(str(path)).close()
    with sqlite3.connect(path) as newer:
        newer.execute("UPDATE journal_version SET version = 99")
    newer.close()
    with pytest.raises(SettingsError, match=r"version 99.*Update the program"):
        Journal.open(str(path))


def test_a_journal_that_is_held_by_another_program_says_so(tmp_path: Path) -> None:
    path = str(tmp_path / "journal.sqlite")
    with Journal.open(path, lock_timeout_s=0.01) as journal:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OutputError, match="locked by another program"):
            journal.add(make_reply(1))
        with pytest.raises(OutputError, match="locked by another program"):
            Journal.open(path, lock_timeout_s=0.01)
        assert journal.find(make_key(1)) is None  # reading goes on
        other.execute("ROLLBACK")
        other.close()
        assert journal.add(make_reply(1))


def test_many_may_make_a_journal_at_the_same_moment(tmp_path: Path) -> None:
    """SQLite waits for others nearly everywhere, but not where a file becomes one for readers beside a writer."""
    for number in range(15):
        path = str(tmp_path / f"{number}.sqlite")
        start = Barrier(6)

        def make(name: int, path: str = path, start: Barrier = start) -> bool:
            start.wait()
            with Journal.open(path) as journal:
                return journal.add(make_reply(name))

        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(make, range(6))) == [True] * 6
        assert Path(path).read_bytes()[18:20] == b"\x02\x02"  # says that the file is in WAL


@contextmanager
def without_rights() -> Iterator[None]:
    """As a user whom permissions bind: they do not bind root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    ("folder_mode", "file_mode"), [(0o777, 0o444), (0o555, 0o444), (0o555, None), (0o777, 0), (0, 0o666)]
)
def test_a_place_that_cannot_be_written_is_refused_at_once(folder_mode: int, file_mode: int | None) -> None:
    """Not only when the first reply has been paid for."""
    with TemporaryDirectory() as name:
        path = Path(name) / "journal.sqlite"
        Journal.open(str(path)).close()
        path.unlink() if file_mode is None else path.chmod(file_mode)
        path.parent.chmod(folder_mode)
        try:
            with without_rights(), pytest.raises(OutputError, match="Make the file and its folder writable"):
                Journal.open(str(path))
        finally:
            path.parent.chmod(0o700)


def test_a_full_disk_stops_the_run_and_loses_nothing(tmp_path: Path) -> None:
    """The same to SQLite: a file that may not grow any more."""
    path = str(tmp_path / "journal.sqlite")
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    written: list[int] = []

    def write_on(journal: Journal) -> None:
        for number in range(1000):
            journal.record(make_reply(number), make_attempt(number))
            written.append(number)

    with Journal.open(path) as journal:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
        try:
            with pytest.raises(OutputError, match=r"journal\.sqlite cannot"):
                write_on(journal)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        assert journal.spent().calls == len(written)
    with Journal.open(path) as journal:
        assert len(journal.find_many(map(make_key, range(1000)))) == len(written) > 0


def test_a_damaged_journal_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal.open(str(path)) as journal:
        for number in range(200):
            journal.add(make_reply(number))
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(OutputError, match=r"journal\.sqlite is damaged"), Journal.open(str(path)) as journal:
        journal.find_many(map(make_key, range(200)))


# ---------------------------------------------------------------- PostgreSQL


def test_postgresql_without_its_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SettingsError, match=r"extractor\[postgres\]"):
        Journal.open("postgresql://u@h/d")


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(OutputError, match="Check that it runs") as caught:
        Journal.open(f"postgresql://user:secret@/d?host={tmp_path}")
    assert "user" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_connection_that_the_server_dropped_is_made_anew(postgres_schema: str) -> None:
    import psycopg

    address = f"{postgres_schema}&application_name=dropped"
    with Journal.open(address) as journal, psycopg.connect(postgres_schema, autocommit=True) as other:
        journal.add(make_reply(1))
        dropped = other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'dropped'"
        )
        assert dropped.fetchall() == [(True,)]
        assert journal.find(make_key(1)) == make_reply(1)
        assert journal.add(make_reply(2))


def test_a_postgresql_database_may_hold_other_tables(postgres_schema: str) -> None:
    import psycopg

    with psycopg.connect(postgres_schema, autocommit=True) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    with Journal.open(postgres_schema) as journal:
        assert journal.add(make_reply(1))
