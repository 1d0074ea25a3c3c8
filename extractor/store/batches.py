"""Batches that were handed to a server: which, in what state, and which calls are in them.

A batch is written down before anything is sent, so that a program that dies in between neither
forgets a batch nor pays for its calls twice. Lives here: their rows. Does not live here: speaking to
the server (extractor.llm). Part of the journal, which is how it is reached.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import bindparam, select

from extractor.store.database import Database, chunked, read_time, write_time
from extractor.store.rows import IN_FLIGHT, BatchRow, BatchState, now
from extractor.store.tables import BATCH_ITEMS, BATCHES

_IN_FLIGHT = select(BATCH_ITEMS.c.key).join(BATCHES).where(BATCHES.c.state.in_(IN_FLIGHT))
_IN_FLIGHT_OF = _IN_FLIGHT.where(BATCH_ITEMS.c.key.in_(bindparam("wanted", expanding=True)))


class BatchLedger:
    """The batches of a journal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_batch(self, batch: BatchRow) -> None:
        """Write a new batch down."""
        with self._database.write() as connection:
            connection.execute(BATCHES.insert(), _values(batch))

    def update_batch(self, batch: BatchRow) -> None:
        """Replace what is known about a batch. `updated_at` becomes this moment.

        Raises:
            LookupError: no batch has this id.
        """
        values = _values(batch) | {"updated_at": write_time(now())}
        with self._database.write() as connection:
            query = BATCHES.update().where(BATCHES.c.id == batch.id).values(values)
            if connection.execute(query).rowcount != 1:
                raise LookupError(f"no batch {batch.id} in journal {self._database.name}")

    def find_batches(self, *states: BatchState) -> list[BatchRow]:
        """Batches in any of these states, oldest first; all when none is named."""
        query = select(BATCHES).order_by(BATCHES.c.created_at, BATCHES.c.id)
        if states:
            query = query.where(BATCHES.c.state.in_(states))
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        times = ("created_at", "updated_at")
        return [BatchRow(**(dict(row) | {name: read_time(row[name]) for name in times})) for row in rows]

    def add_batch_items(self, batch_id: str, keys: Iterable[str]) -> list[str]:
        """Put calls into a batch, but for those that are in a batch in flight already.

        Returns:
            The keys that were put in, in the order given. Only these may be sent.
        """
        taken: list[str] = []
        with self._database.write(is_alone=True) as connection:
            for chunk in chunked(dict.fromkeys(keys)):
                others = set(connection.execute(_IN_FLIGHT_OF, {"wanted": chunk}).scalars())
                free = [key for key in chunk if key not in others]
                if free:
                    connection.execute(BATCH_ITEMS.insert(), [{"batch_id": batch_id, "key": key} for key in free])
                taken += free
        return taken

    def items_of(self, batch_id: str) -> list[str]:
        """The keys of a batch's calls, sorted."""
        with self._database.read() as connection:
            query = select(BATCH_ITEMS.c.key).where(BATCH_ITEMS.c.batch_id == batch_id)
            return sorted(connection.execute(query).scalars())

    def keys_in_flight(self) -> set[str]:
        """Calls whose replies a server has or is making."""
        with self._database.read() as connection:
            return set(connection.execute(_IN_FLIGHT).scalars())


def _values(batch: BatchRow) -> dict[str, Any]:
    times = {"created_at": write_time(batch.created_at), "updated_at": write_time(batch.updated_at)}
    return asdict(batch) | times
