"""Transactions: all or nothing, readers beside a writer, and what is said when it cannot be."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import text

from extractor.errors import NotInStore, SettingsError, StoreError
from extractor.store.shapes import Account, RunDocument
from extractor.store.store import Store
from tests.unit.store.filler import NOON, add_document, add_items, add_review, make_id


class Interrupted(Exception):
    """Something that goes wrong in the middle."""


def test_what_was_not_finished_leaves_nothing(store: Store) -> None:
    with store.write() as books:
        add_document(books, 1)
    with pytest.raises(Interrupted), store.write() as books:  # noqa: PT012
        extraction_id = add_document(books, 2)
        (item,) = add_items(books, 2, 1.0)
        books.queue.hold(item.id, "li", NOON)
        add_review(books, item, "li")
        books.queue.change(item.id, state="settled")
        run = books.runs.create("bulk", None, {})
        books.runs.add_document(RunDocument(run.id, 0, "a", (), "done", make_id(2), extraction_id))
        books.people.add_account(Account("li", "admin", None, is_active=True, created_at=NOON))
        raise Interrupted
    with store.read() as books:
        assert len(books.documents.cards()[0]) == 1
        assert books.documents.source(make_id(2)) is None
        assert books.queue.page() == ([], None)
        assert books.queue.counts() == (0, 0, 0, 0, 0.0)
        assert books.queue.facets()["kind"] == []
        assert books.reviews.of_document(make_id(2)) == []
        assert books.runs.list() == ([], None)
        assert books.people.accounts() == []


def test_a_reader_sees_one_moment_and_waits_for_no_writer(store: Store) -> None:
    with store.write() as books:
        add_document(books, 1)
    with store.read() as reader:
        assert len(reader.documents.cards()[0]) == 1
        with ThreadPoolExecutor(1) as pool:

            def write() -> None:
                with store.write() as books:
                    add_document(books, 2)

            pool.submit(write).result(timeout=20)
        assert len(reader.documents.cards()[0]) == 1
    with store.write() as writer:
        add_document(writer, 3)
        with ThreadPoolExecutor(1) as pool:

            def read() -> int:
                with store.read() as books:
                    return len(books.documents.cards()[0])

            assert pool.submit(read).result(timeout=20) == 2


def test_many_writers_of_one_program_wait_for_each_other(store: Store) -> None:
    """Each reads a number and writes the next one: none may be lost."""
    with store.write() as books:
        books.people.add_account(Account("li", "reviewer", "0", is_active=True, created_at=NOON))
        add_document(books, 1)
    start = Barrier(8)

    def count_up(_: int) -> None:
        start.wait()
        for _step in range(5):
            with store.write() as books:
                books.documents.lock(make_id(1))
                account = books.people.account("li")
                assert account is not None
                books.people.change_account("li", password_hash=str(int(account.password_hash or 0) + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count_up, range(8)))
    with store.read() as books:
        account = books.people.account("li")
    assert account is not None
    assert account.password_hash == "40"  # noqa: S105


def test_a_document_that_is_locked_is_waited_for(store: Store) -> None:
    with store.write() as books:
        add_document(books, 1)
        with pytest.raises(NotInStore):
            books.documents.lock(make_id(2))
    order: list[str] = []
    has_lock, asks = Barrier(2), Barrier(2)

    def second() -> None:
        has_lock.wait()
        asks.wait()
        with store.write() as books:
            books.documents.lock(make_id(1))
            order.append("second")

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(second)
        with store.write() as books:
            books.documents.lock(make_id(1))
            has_lock.wait()
            asks.wait()
            order.append("first")
        waiting.result()
    assert order == ["first", "second"]


def test_a_store_in_memory_is_one_for_all_threads_and_for_nobody_else() -> None:
    with Store.open(":memory:") as one, Store.open(":memory:") as other:
        with ThreadPoolExecutor(4) as pool:

            def add(number: int) -> None:
                with one.write() as books:
                    add_document(books, number)

            list(pool.map(add, range(8)))
        with one.read() as books:
            assert len(books.documents.cards()[0]) == 8
        with other.read() as books:
            assert len(books.documents.cards()[0]) == 0


def test_a_file_is_one_file_when_it_is_closed_and_is_safe_in_between(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with Store.open(f"sqlite:///{path}") as store, store.write() as books:
        connection = books.documents._connection
        pragmas = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("synchronous", "foreign_keys")]
    assert pragmas == [2, 1]  # 2: a commit waits for the disk
    assert [file.name for file in tmp_path.iterdir()] == ["store.sqlite"]
    assert path.read_bytes()[18:20] == b"\x02\x02"  # says that the file is in WAL


def test_a_commit_on_a_server_waits_for_its_disk(postgres_schema: str) -> None:
    with Store.open(postgres_schema) as store, store.write() as books:
        assert books.documents._connection.execute(text("SHOW synchronous_commit")).scalar() == "on"


def test_a_reader_changes_nothing_on_a_server(postgres_schema: str) -> None:
    with Store.open(postgres_schema) as store:
        with pytest.raises(StoreError, match="read-only"), store.read() as books:
            add_document(books, 1)
        with store.write() as books:  # the connection that was given back writes again
            add_document(books, 1)


# ---------------------------------------------------------------- what is said


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("", "no file.*store.sqlite"),
        ("{folder}/not/there.sqlite", "its folder is not there"),
        ("mysql://u:secret@h/d", "mysql:// is not known"),
        ("postgresql://u:secret@h:port/d", "no address"),
    ],
)
def test_an_address_that_cannot_be_is_refused(where: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=f"store: .*{words}") as caught:
        Store.open(where.format(folder=tmp_path))
    assert "secret" not in str(caught.value)


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError, match=r"store: .*Check that it runs") as caught:
        Store.open(f"postgresql://user:secret@/d?host={tmp_path}")
    assert "secret" not in str(caught.value)


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(SettingsError, match=r"store: .*other\.sqlite is no store.*bookmarks.*Name another file"):
        Store.open(str(path))
    assert path.read_bytes() == before


def test_a_store_that_another_program_writes_is_named_and_still_read(tmp_path: Path) -> None:
    path = str(tmp_path / "store.sqlite")
    with Store.open(path, lock_timeout_s=0.01) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked by another program"), store.write():
            pass
        with Store.open(path, lock_timeout_s=0.01) as second, second.read() as books:  # opening waits for no writer
            assert len(books.documents.cards()[0]) == 0
        other.execute("ROLLBACK")
        other.close()
        with store.write() as books:
            add_document(books, 1)


def test_a_writer_of_the_same_program_that_does_not_end_is_named(tmp_path: Path) -> None:
    with (
        Store.open(str(tmp_path / "store.sqlite"), lock_timeout_s=0.01) as store,
        store.write() as books,
        pytest.raises(StoreError, match="written by this program"),
        store.write(),
    ):
        add_document(books, 1)
