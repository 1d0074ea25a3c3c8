"""The journal: every call to a model by content hash. Cache, audit, cost record and replay in one.

Only validated replies are kept as replies; every request, also a failed one, is kept as an attempt.
Lives here: replies and attempts. Does not live here: what a call is and its hash (extractor.llm),
batches (batches), replay files (replay). Opened by commands, used by the model client.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

from extractor.store.batches import BatchLedger
from extractor.store.database import Database, chunked, read_time, write_time
from extractor.store.opening import open_journal
from extractor.store.replay import read_replies, write_replies
from extractor.store.rows import Attempt, ImportSummary, Origin, Spent, StoredReply, canonical_json
from extractor.store.tables import ATTEMPTS, REPLIES

_FIND = select(REPLIES).where(REPLIES.c.key == bindparam("wanted"))
_FIND_MANY = select(REPLIES).where(REPLIES.c.key.in_(bindparam("wanted", expanding=True)))
_SPENT = select(
    func.count(),
    func.coalesce(func.sum(ATTEMPTS.c.input_tokens), 0),
    func.coalesce(func.sum(ATTEMPTS.c.output_tokens), 0),
    func.coalesce(func.sum(ATTEMPTS.c.cached_tokens), 0),
    func.coalesce(func.sum(ATTEMPTS.c.cost_usd), 0.0),
    func.count() - func.count(ATTEMPTS.c.cost_usd),
)
_ADD_REPLY = {  # how many rows it adds, 0 or 1, says whether a reply is new
    "sqlite": sqlite.insert(REPLIES).on_conflict_do_nothing().execution_options(preserve_rowcount=True),
    "postgresql": postgresql.insert(REPLIES).on_conflict_do_nothing().execution_options(preserve_rowcount=True),
}
_ADD_ATTEMPT = ATTEMPTS.insert()
_REPLY_FIELDS = tuple(field.name for field in fields(StoredReply))
_ATTEMPT_FIELDS = tuple(field.name for field in fields(Attempt))


class Journal(BatchLedger):
    """An open journal. Threads may share it; every process opens its own."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._add_reply = _ADD_REPLY[database.dialect]

    @classmethod
    def open(cls, where: str, *, lock_timeout_s: float = 30) -> Self:
        """Open a journal, making it if there is none.

        Args:
            where: a file, `sqlite:///FILE`, `:memory:` or `postgresql://…`.
            lock_timeout_s: how long to wait for another program that is writing (SQLite).

        Raises:
            SettingsError: the address is wrong, or what stands there is no journal of this version.
            OutputError: it cannot be written.
        """
        return cls(open_journal(where, lock_timeout_s))

    def close(self) -> None:
        """Close the journal; it must not be used afterwards."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def find(self, key: str) -> StoredReply | None:
        """The reply kept under a key."""
        with self._database.read() as connection:
            row = connection.execute(_FIND, {"wanted": key}).first()
        return None if row is None else _reply_from(row)

    def find_many(self, keys: Iterable[str]) -> dict[str, StoredReply]:
        """Of many keys those that have a reply."""
        found: dict[str, StoredReply] = {}
        for chunk in chunked(keys):
            with self._database.read() as connection:
                rows = connection.execute(_FIND_MANY, {"wanted": chunk}).all()
            found.update((row.key, _reply_from(row)) for row in rows)
        return found

    def add(self, reply: StoredReply) -> bool:
        """Keep a reply. The first under a key stays.

        Returns:
            Whether it was new.
        """
        with self._database.write() as connection:
            return connection.execute(self._add_reply, _reply_values(reply)).rowcount == 1

    def add_attempt(self, attempt: Attempt) -> None:
        """Keep one request that gave no reply worth keeping."""
        with self._database.write() as connection:
            connection.execute(_ADD_ATTEMPT, _attempt_values(attempt))

    def record(self, reply: StoredReply, attempt: Attempt) -> bool:
        """Keep a reply and the request that gave it, both or neither.

        Returns:
            Whether the reply was new.
        """
        with self._database.write() as connection:
            connection.execute(_ADD_ATTEMPT, _attempt_values(attempt))
            return connection.execute(self._add_reply, _reply_values(reply)).rowcount == 1

    def spent(self, run_id: str | None = None) -> Spent:
        """What the requests of a run cost, or all requests ever."""
        query = _SPENT if run_id is None else _SPENT.where(ATTEMPTS.c.run_id == run_id)
        with self._database.read() as connection:
            calls, read, written, cached, cost, unpriced = connection.execute(query).one()
        return Spent(calls, int(read), int(written), int(cached), float(cost), unpriced)

    def export_replies(
        self,
        path: Path,
        *,
        tasks: Sequence[str] | None = None,
        models: Sequence[str] | None = None,
        origins: Sequence[Origin] | None = None,
        has_requests: bool = False,
    ) -> int:
        """Write replies into a replay file, sorted by key.

        Args:
            path: the file; one that is there is replaced.
            tasks, models, origins: only these; all when None.
            has_requests: whether what was sent goes along. It holds text of the documents.

        Returns:
            How many were written.

        Raises:
            OutputError: the file cannot be written.
        """
        query = select(REPLIES.c.key, REPLIES.c.origin)
        for column, wanted in ((REPLIES.c.task, tasks), (REPLIES.c.model, models), (REPLIES.c.origin, origins)):
            query = query if wanted is None else query.where(column.in_(wanted))
        with self._database.read() as connection:
            found = {row.key: row.origin for row in connection.execute(query)}
        replies = self._read_in_order(sorted(found), has_requests=has_requests)  # sorted here: databases differ
        write_replies(path, replies, len(found), found.values())
        return len(found)

    def import_replies(self, path: Path) -> ImportSummary:
        """Read a replay file in. What is kept already stays as it is.

        Raises:
            SettingsError: with the line that is wrong; then nothing was read in.
        """
        for _ in read_replies(path):  # a first pass, so that a file is refused as a whole
            pass
        summary = ImportSummary(0, 0, ())
        for chunk in chunked(read_replies(path)):
            summary += self._import(chunk)
        return summary

    def _read_in_order(self, keys: Sequence[str], *, has_requests: bool) -> Iterator[StoredReply]:
        for chunk in chunked(keys):
            found = self.find_many(chunk)
            yield from (found[key] if has_requests else replace(found[key], request=None) for key in chunk)

    def _import(self, replies: Sequence[StoredReply]) -> ImportSummary:
        with self._database.write() as connection:
            old = [one for one in replies if not connection.execute(self._add_reply, _reply_values(one)).rowcount]
            query = select(REPLIES.c.key, REPLIES.c.reply).where(REPLIES.c.key.in_([one.key for one in old]))
            kept = {row.key: row.reply for row in connection.execute(query)}
        differing = tuple(one.key for one in old if not _is_same_json(kept[one.key], one.reply))
        return ImportSummary(len(replies) - len(old), len(old) - len(differing), differing)


def _is_same_json(left: str, right: str) -> bool:
    return left == right or json.loads(left) == json.loads(right)


def _reply_values(reply: StoredReply) -> dict[str, Any]:
    values = {name: getattr(reply, name) for name in _REPLY_FIELDS}
    values["parameters"] = canonical_json(dict(reply.parameters))
    values["created_at"] = write_time(reply.created_at)
    # Level 1: the text shrinks to a half all the same, at a fraction of the time.
    values["request"] = None if reply.request is None else zlib.compress(reply.request.encode(), 1)
    return values


def _attempt_values(attempt: Attempt) -> dict[str, Any]:
    values = {name: getattr(attempt, name) for name in _ATTEMPT_FIELDS}
    values["created_at"] = write_time(attempt.created_at)
    return values


def _reply_from(row: Row[Any]) -> StoredReply:
    values = dict(row._mapping)
    values["parameters"] = json.loads(row.parameters)
    values["created_at"] = read_time(row.created_at)
    values["request"] = None if row.request is None else zlib.decompress(row.request).decode()
    return StoredReply(**values)
