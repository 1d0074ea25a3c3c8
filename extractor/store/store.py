"""The store: documents, records, runs, the queue, reviews and people in one database.

Lives here: opening it and its transactions. Does not live here: any table's content (the modules named after it), what
a review does (extractor.review). Opened by commands and by the service.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy import Connection

from extractor.store.database import Database
from extractor.store.documents import Documents
from extractor.store.keyed import KeyedReplies
from extractor.store.ledger import LedgerTable
from extractor.store.opening import open_store
from extractor.store.outcomes import Outcomes
from extractor.store.people import People
from extractor.store.queue import Queue
from extractor.store.reviews import Reviews
from extractor.store.runs import Runs
from extractor.store.tallies import gathering_tallies


class Books:
    """What is in a store, as one transaction sees it. Belongs to one thread, and ends with its transaction."""

    def __init__(self, connection: Connection) -> None:
        self.documents = Documents(connection)
        self.runs = Runs(connection)
        self.queue = Queue(connection)
        self.reviews = Reviews(connection)
        self.people = People(connection)
        self.outcomes = Outcomes(connection)
        self.keyed = KeyedReplies(connection)
        self.ledger = LedgerTable(connection)
        self._connection = connection

    def counting_once(self) -> AbstractContextManager[None]:
        """Keep the queue's counts in step once, at the end, for all that is done inside."""
        return gathering_tallies(self._connection)


class Store:
    """An open store. Threads may share it; every process opens its own.

    Attributes:
        name: of the database, for messages; without any password.
        address: to open it in another process, whatever folder that works in.
    """

    def __init__(self, database: Database, address: str) -> None:
        self._database = database
        self.name = database.name
        self.address = address

    @classmethod
    def open(cls, where: str, *, lock_timeout_s: float = 30) -> Self:
        """Open a store, making it if there is none, upgrading it if it is older.

        A journal becomes a store that holds it, and stays a journal, too (extractor.store.journal).

        Args:
            where: a file, `sqlite:///FILE`, `:memory:` or `postgresql://…`.
            lock_timeout_s: how long to wait for others that are writing.

        Raises:
            SettingsError: the address is wrong, or what stands there is of another program or a newer version.
            StoreError: it cannot be reached or written.
        """
        database = open_store(where, lock_timeout_s)
        is_file = "://" not in database.name and database.name != ":memory:"
        return cls(database, os.path.abspath(database.name) if is_file else where)

    @contextmanager
    def read(self) -> Iterator[Books]:
        """All that is read inside is of one moment; waits for no writer. Do not open a `write` inside.

        Raises:
            StoreError: it cannot be read.
        """
        with self._database.survey() as connection:
            yield Books(connection)

    @contextmanager
    def write(self) -> Iterator[Books]:
        """One transaction: all of it counts, or, after any error, nothing.

        Keep it short: in SQLite there is one writer at a time.

        Raises:
            StoreError: it cannot be written, or others wrote for too long.
        """
        with self._database.write() as connection:
            yield Books(connection)

    def settle(self) -> None:
        """Have the file of a store hold all that was written, though other processes have it open, too."""
        self._database.settle()

    def close(self) -> None:
        """Close the store; it must not be used afterwards."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
