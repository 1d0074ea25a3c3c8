"""Transactions over many documents: they go side by side, and the counts are right all the same."""

from __future__ import annotations

from threading import Event, Thread

import pytest

from extractor.errors import StoreError
from extractor.store.database import is_deadlock
from extractor.store.store import Store
from tests.unit.store.filler import add_document, add_items, make_id


def count_codes(store: Store) -> dict[str, list[tuple[str, int]]]:
    with store.read() as books:
        return books.queue.facets()


def test_counts_are_the_same_whether_they_are_kept_in_step_once_or_always(store: Store, where: str) -> None:
    with store.write() as books:
        for number in (1, 2):
            add_document(books, number)
            add_items(books, number, 0.5, 0.25)
    always = count_codes(store)
    assert any(always.values())
    with store.write() as books, books.counting_once():
        for number in (3, 4):
            add_document(books, number)
            add_items(books, number, 0.5, 0.25)
    assert count_codes(store) == {
        name: [(value, 2 * count) for value, count in counts] for name, counts in always.items()
    }


def file_and_fail(store: Store) -> None:
    with store.write() as books, books.counting_once():
        add_document(books, 1)
        add_items(books, 1, 0.5)
        raise ZeroDivisionError


def test_a_gathering_that_fails_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        file_and_fail(store)
    assert not any(count_codes(store).values())
    with store.write() as books:  # the same connection counts as usual again
        add_document(books, 1)
        add_items(books, 1, 0.5)
    assert any(count_codes(store).values())


def test_a_long_transaction_holds_nobody_up_who_files_other_documents(postgres_schema: str) -> None:
    with Store.open(postgres_schema, lock_timeout_s=5) as store:
        with store.write() as books, books.counting_once():
            add_document(books, 1)
            add_items(books, 1, 0.5)
            other = Thread(target=file_another, args=(store,))
            other.start()
            other.join(20)
            assert not other.is_alive()
        with store.read() as books:
            assert len(books.queue.facets()["code"]) > 0
            assert sum(count for _, count in books.queue.facets()["kind"]) == 2


def file_another(store: Store) -> None:
    with store.write() as books, books.counting_once():
        add_document(books, 2)
        add_items(books, 2, 0.5)


def test_a_deadlock_is_told_from_other_errors(postgres_schema: str) -> None:
    with Store.open(postgres_schema, lock_timeout_s=20) as store:
        for number in (1, 2):
            with store.write() as books:
                add_document(books, number)
        first, second = Event(), Event()
        errors: list[StoreError] = []

        def lock(one: str, other: str, mine: Event, others: Event) -> None:
            try:
                with store.write() as books:
                    books.documents.lock(one)
                    mine.set()
                    others.wait(20)
                    books.documents.lock(other)
            except StoreError as error:
                errors.append(error)

        one, two = make_id(1), make_id(2)
        orders = [(one, two, first, second), (two, one, second, first)]
        threads = [Thread(target=lock, args=order) for order in orders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(40)
    assert [is_deadlock(error) for error in errors] == [True]
    assert not is_deadlock(StoreError("another"))
