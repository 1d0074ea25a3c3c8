"""The ledger: what became of each document of a run, so that the next start goes on from there.

A row stands under a key that says what was read and how (extractor.bulk.recipe); the same key is the same result. So a
row never has to be found out of date: whatever decides a reading is part of its key. Written in batches, each one
transaction: what is in there is done, whatever happens to the program.

Lives here: the rows and their statements. Does not live here: keys, what the pieces are (extractor.export). In a store
it is one of its tables (Books.ledger); a run without a store has a file of its own in its output folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

from sqlalchemy import Connection, bindparam, case, inspect, select

from extractor.errors import OutputError
from extractor.store.database import Database, chunked
from extractor.store.engines import Purpose
from extractor.store.statements import replace_many
from extractor.store.store_tables import LEDGER, LIVE_RECORDS

#: `incomplete`: a question stayed unanswered, so that asking again may say more. `quarantined`: it ended the process
#: that read it, and is left alone.
LedgerState = Literal["done", "failed", "incomplete", "quarantined"]

# What a power cut takes back is made again; replies stand in the journal.
_FILE = Purpose("ledger", OutputError, is_durable=False)
_MARK = (
    LEDGER.c.state,
    LEDGER.c.attempts,
    LEDGER.c.review,
    LEDGER.c.document_id,
    LEDGER.c.extraction_id,
    LEDGER.c.account,
)
_FIND = select(LEDGER.c.key, *_MARK).where(LEDGER.c.key.in_(bindparam("wanted", expanding=True)))
_SUPERSEDED = select(LEDGER.c.key).where(
    LEDGER.c.key.in_(bindparam("wanted", expanding=True)),
    LIVE_RECORDS.c.document_id == LEDGER.c.document_id,
    LIVE_RECORDS.c.extraction_id != LEDGER.c.extraction_id,
)
_READ = select(LEDGER).where(LEDGER.c.key.in_(bindparam("wanted", expanding=True)))


class LedgerMark(NamedTuple):
    """How far a document is, without what was made of it."""

    state: LedgerState
    attempts: int
    review: int
    document_id: str | None
    extraction_id: int | None
    account: str = ""


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What became of one document.

    Attributes:
        key: what was read and how.
        attempts: how often it was tried, this time included.
        review: how many of its fields a person must look at.
        extraction_id: its extraction in the store; None without a store.
        account: what it adds to the counts of a run, as JSON.
        pieces: the document's part of every output file, packed; None where no files are written.
    """

    key: str
    document_id: str | None
    state: LedgerState
    attempts: int
    review: int
    extraction_id: int | None
    account: str
    pieces: bytes | None


class LedgerTable:
    """The ledger within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, keys: Iterable[str]) -> dict[str, LedgerMark]:
        """Of many keys those that have a row, and how far these are."""
        found: dict[str, LedgerMark] = {}
        for chunk in chunked(keys):
            for key, *mark in self._connection.execute(_FIND, {"wanted": chunk}):
                found[key] = LedgerMark(*mark)
        return found

    def find_superseded(self, keys: Iterable[str]) -> set[str]:
        """Of many keys those whose document the store shows as it was read otherwise since. In a store alone."""
        return {
            key for chunk in chunked(keys) for key in self._connection.execute(_SUPERSEDED, {"wanted": chunk}).scalars()
        }

    def read(self, keys: Iterable[str]) -> dict[str, LedgerRow]:
        """Of many keys the rows."""
        found: dict[str, LedgerRow] = {}
        for chunk in chunked(keys):
            for row in self._connection.execute(_READ, {"wanted": chunk}):
                found[row.key] = LedgerRow(**{name: getattr(row, name) for name in _NAMES})
        return found

    def put(self, rows: Sequence[LedgerRow]) -> None:
        """Write rows; one that stands under a key is replaced."""
        if rows:
            replace_many(self._connection, LEDGER, [_values(row) for row in rows])

    def restart(self, keys: Iterable[str]) -> None:
        """Have documents made again, as if they were never tried; what was made of them stays until then."""
        state = case({"done": "incomplete", "quarantined": "failed"}, value=LEDGER.c.state, else_=LEDGER.c.state)
        for chunk in chunked(keys):
            self._connection.execute(LEDGER.update().where(LEDGER.c.key.in_(chunk)).values(attempts=0, state=state))

    def clear(self, keys: Iterable[str]) -> None:
        """Take rows away."""
        for chunk in chunked(keys):
            self._connection.execute(LEDGER.delete().where(LEDGER.c.key.in_(chunk)))


class LedgerBooks(NamedTuple):
    """What is in the ledger of an output folder; the same attribute as in a store's books."""

    ledger: LedgerTable


class LedgerFile:
    """The ledger of a run that has no store: a file in its output folder. Every process opens its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.name = database.name

    @classmethod
    def open(cls, path: Path, *, lock_timeout_s: float = 60) -> Self:
        """Open a ledger, making it if there is none.

        Raises:
            OutputError: it cannot be opened or written, or is of another version of this program.
        """
        database = Database(str(path), _FILE, lock_timeout_s)
        try:
            with database.write(is_alone=True) as connection:
                LEDGER.create(connection, checkfirst=True)
                columns = {column["name"] for column in inspect(connection).get_columns(LEDGER.name)}
            if columns != set(_NAMES):
                raise OutputError(f"{path}: the ledger is of another version of this program. Delete it and run again.")
            database.allow_side_by_side()
        except BaseException:
            database.close()
            raise
        return cls(database)

    @contextmanager
    def read(self) -> Iterator[LedgerBooks]:
        """All that is read inside is of one moment."""
        with self._database.survey() as connection:
            yield LedgerBooks(LedgerTable(connection))

    @contextmanager
    def write(self) -> Iterator[LedgerBooks]:
        """One transaction: all of it counts, or, after any error, nothing."""
        with self._database.write() as connection:
            yield LedgerBooks(LedgerTable(connection))

    def close(self) -> None:
        """Close the ledger; it must not be used afterwards."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


_NAMES = tuple(field.name for field in fields(LedgerRow))


def _values(row: LedgerRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _NAMES}
