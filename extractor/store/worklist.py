"""The scratch index of one run's inputs: a table of places that is nowhere kept.

Lives here: its SQL. Does not live here: what an input is (extractor.bulk.inputs), what a run makes of it. Called by
extractor.bulk.plan and by what that calls.

It is a temporary database of SQLite, which has no name, grows in the folder that TMPDIR names, and is gone with the
process, however that ends.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

from extractor.errors import OutputError
from extractor.store.database import chunked

_TABLES = """
CREATE TABLE seen (key BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE containers (id INTEGER PRIMARY KEY, path BLOB NOT NULL, kind TEXT NOT NULL, key BLOB NOT NULL);
CREATE TABLE firsts (digest BLOB PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE places (
    position INTEGER PRIMARY KEY, path TEXT NOT NULL, key BLOB NOT NULL, container INTEGER, file BLOB, start INTEGER,
    size INTEGER, digest BLOB, problem TEXT, origin TEXT, lead INTEGER NOT NULL
);
CREATE TABLE listed (row INTEGER PRIMARY KEY, path TEXT NOT NULL, url TEXT, site TEXT, fetched_at TEXT, matched BLOB);
CREATE TABLE meant (row INTEGER NOT NULL, rank INTEGER NOT NULL, key BLOB NOT NULL, PRIMARY KEY (row, rank));
CREATE INDEX meant_by_key ON meant (key);
CREATE TABLE names (id INTEGER PRIMARY KEY, folder INTEGER NOT NULL, name BLOB NOT NULL);
"""
# Equal bytes are the document of the first place; where no bytes were read, each place is one by itself.
_ADD = """
INSERT INTO places SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
    coalesce((SELECT position FROM firsts WHERE digest = ?8), ?1)
"""
_MATCH = """
UPDATE listed SET matched = (
    SELECT m.key FROM meant m
    WHERE m.row = listed.row AND (m.key IN (SELECT key FROM places) OR m.key IN (SELECT key FROM containers))
    ORDER BY m.rank LIMIT 1)
"""
_FINISH = """
CREATE INDEX by_lead ON places (lead, position);
CREATE INDEX by_key ON places (key);
CREATE INDEX by_match ON listed (matched);
"""
_LEADS = "SELECT position FROM places WHERE position > ? AND lead = position ORDER BY position LIMIT ?"
# A place with rows of its own, or with an origin of its own, has that alone; else it comes from where its archive did.
_ROWS = """
SELECT p.position, l.url, l.site, l.fetched_at FROM places p
    LEFT JOIN containers c ON c.id = p.container
    JOIN listed l ON l.matched = CASE
        WHEN p.origin IS NOT NULL OR EXISTS (SELECT 1 FROM listed o WHERE o.matched = p.key) THEN p.key
        ELSE coalesce(c.key, p.key) END
WHERE p.lead BETWEEN ? AND ? ORDER BY p.position, l.row
"""
_BATCH = 500
# More names than this are put in order on disk.
_MOST_IN_MEMORY = 4_000


class Place(NamedTuple):
    """Where a document was found.

    Attributes:
        path: as it is shown.
        key: of its name, the same however the name is written.
        container: number of the archive that it is in; None for a file of its own.
        file: the name of its own file in bytes, where it has one.
        start: where it begins in its container, in bytes.
        size: what it takes there, in bytes.
        digest: sha256 of its bytes; None where they cannot be read.
        problem: why they cannot, in the caller's writing.
        origin: where it came from by its own word, in the caller's writing.
    """

    path: str
    key: bytes
    container: int | None = None
    file: bytes | None = None
    start: int = 0
    size: int = 0
    digest: bytes | None = None
    problem: str | None = None
    origin: str | None = None


class Listed(NamedTuple):
    """A row of the manifest. `meant`: keys of what its path may mean, the likeliest first."""

    path: str
    meant: tuple[bytes, ...]
    url: str | None
    site: str | None
    fetched_at: str | None


class Placed(NamedTuple):
    """A place, its number in the run, and that of the first place with the same bytes."""

    position: int
    lead: int
    place: Place


class Worklist:
    """The index. Threads may share it.

    Every method raises OutputError where the disk is full or cannot be written.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._waiting: list[tuple[Any, ...]] = []
        self._folders = 0
        self.places = 0
        with self._explained():
            # Without a name it is SQLite's to take away, even where the process is killed.
            self._connection = sqlite3.connect("", check_same_thread=False, isolation_level=None)
            for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -4000"):
                self._connection.execute(f"PRAGMA {pragma}")
            self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Give the disk back. Nothing may be asked any more."""
        with self._lock:
            self._connection.close()

    # ------------------------------------------------------------ filling

    def is_new(self, key: bytes) -> bool:
        """Whether a file is named for the first time. From now on it is known."""
        with self._lock, self._explained():
            return self._connection.execute("INSERT OR IGNORE INTO seen VALUES (?)", (key,)).rowcount > 0

    def add(self, place: Place) -> None:
        """Add a place after all others."""
        with self._lock:
            self._waiting.append((self.places, *place))
            self.places += 1
            if len(self._waiting) >= _BATCH:
                self._flush()

    def add_container(self, path: bytes, kind: str, key: bytes) -> int:
        """Add an archive, or another file of many documents, and give its number."""
        with self._lock, self._explained():
            statement = "INSERT INTO containers (path, kind, key) VALUES (?, ?, ?)"
            return self._connection.execute(statement, (path, kind, key)).lastrowid or 0

    def add_rows(self, rows: Iterable[Listed]) -> None:
        """Add the rows of the manifest, in its order."""
        for number, batch in enumerate(chunked(rows, _BATCH)):
            numbered = list(enumerate(batch, number * _BATCH + 1))
            listed = [(row, item.path, item.url, item.site, item.fetched_at) for row, item in numbered]
            meant = [(row, rank, key) for row, item in numbered for rank, key in enumerate(item.meant)]
            with self._transaction() as connection:
                connection.executemany("INSERT INTO listed VALUES (?, ?, ?, ?, ?, NULL)", listed)
                connection.executemany("INSERT INTO meant VALUES (?, ?, ?)", meant)

    def finish(self) -> None:
        """All places and rows are there: let the rows find their places."""
        with self._lock, self._explained():
            self._flush()
            self._connection.executescript(_FINISH)
            self._connection.execute(_MATCH)

    def sort_names(self, names: Iterable[bytes]) -> Iterator[bytes]:
        """The names of one folder in order; many are held on disk."""
        remaining = iter(names)
        few = list(islice(remaining, _MOST_IN_MEMORY))
        if len(few) < _MOST_IN_MEMORY:
            yield from sorted(few)
            return
        folder = self._keep_names(few, remaining)
        last: tuple[bytes, int] = (b"", 0)
        statement = (
            "SELECT name, id FROM names WHERE folder = ? AND (name, id) > (?, ?) ORDER BY folder, name, id LIMIT ?"
        )
        while batch := self._all(statement, (folder, *last, _BATCH)):
            yield from (name for name, _ in batch)
            last = batch[-1]
        self._all("DELETE FROM names WHERE folder = ?", (folder,))

    def _keep_names(self, few: list[bytes], remaining: Iterator[bytes]) -> int:
        with self._lock:
            self._folders += 1
            folder = self._folders
        while few:
            with self._transaction() as connection:
                connection.executemany(
                    "INSERT INTO names (folder, name) VALUES (?, ?)", [(folder, name) for name in few]
                )
            few = list(islice(remaining, _BATCH))
        self._all("CREATE INDEX IF NOT EXISTS names_in_order ON names (folder, name, id)", ())
        return folder

    # ------------------------------------------------------------ asking

    def find(self, container: int, key: bytes) -> Place | None:
        """The last place of a container under a name, for links inside an archive."""
        with self._lock:
            self._flush()
            self._all("CREATE INDEX IF NOT EXISTS by_name ON places (container, key)", ())
            statement = "SELECT * FROM places WHERE container = ? AND key = ? ORDER BY position DESC LIMIT 1"
            found = self._all(statement, (container, key))
        return _read(found[0]).place if found else None

    def get(self, position: int) -> Place:
        """The place with a number."""
        return _read(self._all("SELECT * FROM places WHERE position = ?", (position,))[0]).place

    def get_container(self, number: int) -> tuple[bytes, str]:
        """Path and kind of a container."""
        path, kind = self._all("SELECT path, kind FROM containers WHERE id = ?", (number,))[0]
        return path, kind

    def names(self, key: bytes) -> bool:
        """Whether a row of the manifest may mean this."""
        return bool(self._all("SELECT 1 FROM meant WHERE key = ? LIMIT 1", (key,)))

    def rows(self) -> Iterator[str]:
        """The paths of the manifest's rows, in its order."""
        last = 0
        while batch := self._all("SELECT row, path FROM listed WHERE row > ? ORDER BY row LIMIT ?", (last, _BATCH)):
            yield from (path for _, path in batch)
            last = batch[-1][0]

    def count_documents(self) -> int:
        """How many documents there are, equal bytes counted once."""
        return int(self._all("SELECT count(*) FROM places WHERE lead = position", ())[0][0])

    def count_unmatched(self) -> int:
        """How many rows of the manifest found no place."""
        return int(self._all("SELECT count(*) FROM listed WHERE matched IS NULL", ())[0][0])

    def list_unmatched(self, most: int) -> tuple[str, ...]:
        """The paths of the first rows that found no place."""
        found = self._all("SELECT path FROM listed WHERE matched IS NULL ORDER BY row LIMIT ?", (most,))
        return tuple(path for (path,) in found)

    def documents(self, after: int) -> Iterator[tuple[list[Placed], list[tuple[Any, ...]]]]:
        """The documents whose first place comes after a number, some at a time.

        Yields:
            All places of some documents, those with equal bytes together, and what the manifest says of them: number
            of the place, url, site, fetched_at, in the order of places and rows.
        """
        while leads := self._all(_LEADS, (after, _BATCH)):
            first, after = leads[0][0], leads[-1][0]
            statement = "SELECT * FROM places WHERE lead BETWEEN ? AND ? ORDER BY lead, position"
            places = [_read(row) for row in self._all(statement, (first, after))]
            yield places, self._all(_ROWS, (first, after))

    # ------------------------------------------------------------ doing

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        with self._transaction() as connection:
            firsts = [(row[7], row[0]) for row in waiting if row[7] is not None]
            connection.executemany("INSERT OR IGNORE INTO firsts VALUES (?, ?)", firsts)
            connection.executemany(_ADD, waiting)

    def _all(self, statement: str, values: Sequence[Any]) -> list[Any]:
        with self._lock, self._explained():
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        # Nothing is ever rolled back: an index that could not be written is thrown away.
        with self._lock, self._explained():
            self._connection.execute("BEGIN")
            yield self._connection
            self._connection.execute("COMMIT")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            where = os.environ.get("TMPDIR", "/var/tmp")  # noqa: S108 - where SQLite goes
            problem = f"the list of inputs cannot be kept there ({error})"
            raise OutputError(f"{where}: {problem}. Make room, or name another folder in TMPDIR.") from error


def _read(row: tuple[Any, ...]) -> Placed:
    position, *values, lead = row
    return Placed(position, lead, Place(*values))
