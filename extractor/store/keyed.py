"""Replies kept under a key that the sender chose: who sends the same again gets the same reply, and nothing is done.

Lives here: statements over these replies. Does not live here: when one is kept (extractor.web). Reached as Books.keyed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, select

from extractor.store.database import write_time
from extractor.store.statements import insert_new
from extractor.store.store_tables import KEYED_REPLIES

#: How long a reply is kept.
KEPT = timedelta(hours=24)

_K = KEYED_REPLIES.c


class KeyedReply(NamedTuple):
    """A reply. `request_hash`: of what was sent; another request under the same key is the sender's mistake."""

    request_hash: str
    status: int
    body: bytes


class KeyedReplies:
    """The kept replies of a store, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, account: str, key: str) -> KeyedReply | None:
        """The reply kept under a key of this account."""
        query = select(_K.request_hash, _K.status, _K.body).where(_K.account == account, _K.key == key)
        row = self._connection.execute(query).first()
        return None if row is None else KeyedReply(row.request_hash, row.status, bytes(row.body))

    def keep(self, account: str, key: str, reply: KeyedReply, at: datetime) -> bool:
        """Keep a reply.

        Returns:
            False where one is kept under this key; it stays.
        """
        values = {"account": account, "key": key, "kept_at": write_time(at)} | reply._asdict()
        return insert_new(self._connection, KEYED_REPLIES, values)

    def delete_old(self, now: datetime) -> int:
        """Sweep replies older than KEPT away, and say how many."""
        return self._connection.execute(KEYED_REPLIES.delete().where(_K.kept_at <= write_time(now - KEPT))).rowcount
