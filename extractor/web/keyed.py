"""Requests that may be sent again: with the same Idempotency-Key they get the first answer, and nothing is done twice.

Lives here: the rules of the header. Does not live here: SQL (store.keyed). Called by the routes that create runs,
decide and undo. The answer is kept in the transaction that does the work, so that no crash can part the two.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

from fastapi import Header
from pydantic import BaseModel
from starlette.responses import Response

from extractor.store.keyed import KeyedReply
from extractor.store.store import Books, Store
from extractor.web.problems import Problem

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=100,
        pattern=r"^[!-~]+$",
        description="A name of your own for this request. Sent again with it within 24 hours, the request is answered "
        "as the first time and nothing is done twice. The same name for another request is refused.",
    ),
]
#: Keeps an answer: `keep(books, answer)` within the transaction that does the work.
Keep = Callable[[Books, BaseModel], None]


def hash_request(*parts: str | bytes) -> str:
    """A request in short, to know it again."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()


class KeyedAnswers:
    """The answers to requests that carried a key, and which of those are under way in this process."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._under_way: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def answer(
        self, account: str, key: str | None, request: str, act: Callable[[Keep], BaseModel], *, status: int = 200
    ) -> Response:
        """Do something once.

        Args:
            account: whose key it is; others may use the same.
            key: None does it without remembering.
            request: see hash_request.
            act: does it, and calls its argument within its transaction with what it then returns.
            status: of a first answer.

        Raises:
            Problem: 422 where the key named another request, 409 where that request is still under way.
        """
        if key is None:
            return _as_response(act(lambda books, answer: None).model_dump_json().encode(), status)
        with self._hold(account, key):
            earlier = self._find(account, key, request)
            if earlier is not None:
                return earlier

            def keep(books: Books, answer: BaseModel) -> None:
                now = self._now()
                books.keyed.delete_old(now)
                reply = KeyedReply(request, status, answer.model_dump_json().encode())
                if not books.keyed.keep(account, key, reply, now):
                    raise _under_way()  # another process was first: nothing of this one is kept

            return _as_response(act(keep).model_dump_json().encode(), status)

    @contextmanager
    def _hold(self, account: str, key: str) -> Iterator[None]:
        with self._lock:
            if (account, key) in self._under_way:
                raise _under_way()
            self._under_way.add((account, key))
        try:
            yield
        finally:
            with self._lock:
                self._under_way.discard((account, key))

    def _find(self, account: str, key: str, request: str) -> Response | None:
        with self._store.read() as books:
            kept = books.keyed.find(account, key)
        if kept is None:
            return None
        if kept.request_hash != request:
            raise Problem(
                422, "key-reused", "This Idempotency-Key named another request. Take a new one for each request."
            )
        return _as_response(kept.body, kept.status, is_repeated=True)


def _under_way() -> Problem:
    detail = "The first request with this Idempotency-Key is not done yet. Try again in a moment."
    return Problem(409, "key-under-way", detail, {"Retry-After": "1"})


def _as_response(body: bytes, status: int, *, is_repeated: bool = False) -> Response:
    headers = {"Idempotency-Replayed": "true"} if is_repeated else None
    return Response(body, status, headers, "application/json")
