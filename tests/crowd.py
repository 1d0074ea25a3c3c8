"""Many reviewers at once over HTTP, while the service is killed again and again; and whether the store tells the truth
afterwards. For a test and for eval/bench/review.py.

A reviewer takes an item, answers it, and sends the answer under an Idempotency-Key until he gets a reply, as a good
client does. Now and then he sends it once more for nothing.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from extractor.review.rulings import fold_reviews
from extractor.store.store import Books, Store
from extractor.web.security.people import add_account, add_key
from tests.e2e.documents import file_document, write_page
from tests.e2e.services import Service

_API = "/api/v1"
_RESEND_SHARE = 0.1


class Reply(NamedTuple):
    """What the service answered. `body` is empty for 204."""

    status: int
    body: Any


@dataclass
class Tally:
    """What the reviewers were told. `settled`: number of the review -> item and account, of each answer with 200."""

    settled: dict[int, tuple[int, str]] = field(default_factory=dict)
    told_twice: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    cut_off: int = 0
    kills: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def file_reports(store: Store, folder: Path, count: int) -> None:
    """Documents with two items each: a table that does not add up."""
    for number in range(count):
        file_document(store, folder, f"{number:05}.html", write_page(f"第{number}县教育局"))


def make_keys(store: Store, count: int) -> list[tuple[str, str]]:
    """Accounts with a key each."""
    moment = datetime.now(UTC)
    names = [f"reviewer{number:02}" for number in range(count)]
    for name in names:
        add_account(store, name, "reviewer", None, moment)
    return [(name, add_key(store, name, moment)[0]) for name in names]


def review_all(service: Service, keys: list[tuple[str, str]], *, kills: int, seed: int, patience_s: float) -> Tally:
    """Let everybody work until nothing waits, killing the service on the way.

    Raises:
        RuntimeError: they did not get done in time.
    """
    tally, done = Tally(), threading.Event()
    workers = [
        threading.Thread(target=_Reviewer(service, who, tally, done, random.Random(seed + number)).work, daemon=True)
        for number, who in enumerate(keys)
    ]
    for worker in workers:
        worker.start()
    chance = random.Random(seed)
    for _ in range(kills):
        if done.wait(chance.uniform(0.15, 0.6)):
            break
        service.kill()
        tally.kills += 1
        service.start()
    deadline = time.monotonic() + patience_s
    for worker in workers:
        worker.join(max(0.0, deadline - time.monotonic()))
    if any(worker.is_alive() for worker in workers):
        done.set()
        raise RuntimeError(f"the reviewers did not get done: {tally}; {service.read_log()[-2000:]}")
    return tally


class _Reviewer:
    """One person with a client that does not give up."""

    def __init__(
        self, service: Service, who: tuple[str, str], tally: Tally, done: threading.Event, chance: random.Random
    ) -> None:
        self._service, self._tally, self._done, self._chance = service, tally, done, chance
        self._name, key = who
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._connection: http.client.HTTPConnection | None = None

    def work(self) -> None:
        while not self._done.is_set():
            task = self._ask("POST", "/queue/claim", {})
            if task.status == 204:
                if self._ask("GET", "/queue/counts").body["open"] == 0:
                    self._done.set()
                time.sleep(0.1)
            elif task.status == 200:
                self._answer(task.body["item"])
            else:
                self._note(task)

    def _answer(self, item: dict[str, Any]) -> None:
        answers = [{"field_id": name, "action": "accepted"} for name in item["fields"]]
        body = {"version": item["version"], "answers": answers}
        key = f"{self._chance.getrandbits(128):032x}"
        path = f"/queue/{item['id']}/decisions"
        reply = self._ask("POST", path, body, key)
        while reply.status == 409 and "flight" in reply.body["type"]:
            reply = self._ask("POST", path, body, key)
        if reply.status != 200:
            return self._note(reply)
        with self._tally.lock:
            self._tally.settled[reply.body["review_id"]] = (item["id"], self._name)
        if self._chance.random() < _RESEND_SHARE:
            again = self._ask("POST", path, body, key)
            if again != reply:
                self._tally.told_twice.append(f"{reply} and then {again}")
        return None

    def _note(self, reply: Reply) -> None:
        with self._tally.lock:
            if reply.status == 409:
                self._tally.refused[reply.body["type"]] += 1
            else:
                self._tally.unexpected.append(f"{reply.status} {json.dumps(reply.body, ensure_ascii=False)}")

    def _ask(self, method: str, path: str, body: Any = None, key: str | None = None) -> Reply:
        """Ask until there is an answer."""
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        sent = None if body is None else json.dumps(body)
        while True:
            try:
                if self._connection is None:
                    self._connection = http.client.HTTPConnection("127.0.0.1", self._service.port, timeout=30)
                self._connection.request(method, _API + path, sent, headers)
                answer = self._connection.getresponse()
                raw = answer.read()
                return Reply(answer.status, json.loads(raw) if raw else None)
            except (OSError, http.client.HTTPException):
                if self._connection is not None:
                    self._connection.close()
                self._connection = None
                with self._tally.lock:
                    self._tally.cut_off += 1
                time.sleep(0.05)


def list_documents(books: Books) -> Iterator[str]:
    """All documents of a store."""
    cards, after = books.documents.cards()
    while True:
        yield from (card.id for card in cards)
        if after is None:
            return
        cards, after = books.documents.cards(after=after)


def list_faults(store: Store, tally: Tally) -> Iterator[str]:
    """What is in the store and was not told, or told and not in the store; nothing when all is well."""
    yield from tally.unexpected
    yield from (f"answered differently the second time: {words}" for words in tally.told_twice)
    looks: Counter[tuple[int | None, int]] = Counter()
    found = {}
    with store.read() as books:
        for document_id in list_documents(books):
            reviews = books.reviews.of_document(document_id)
            record = books.documents.live(document_id).record
            rulings = {name: one.ruling for name, one in record.fields.items() if one.ruling is not None}
            if rulings != fold_reviews(reviews):
                yield f"the live record of {document_id} is not what its reviews say"
            looks.update((review.item_id, review.round) for review in reviews)
            found.update({review.id: (review.item_id, review.account) for review in reviews})
            waiting = books.queue.of_document(document_id, states=("open",))
            yield from (f"item {item.id} still waits" for item in waiting)
            settled = books.queue.of_document(document_id, states=("settled",))
            asked = {review.item_id for review in reviews}
            yield from (f"item {item.id} is settled by nobody" for item in settled if item.id not in asked)
    yield from (
        f"item {item} was settled {count} times in one round" for (item, _), count in looks.items() if count > 1
    )
    yield from (f"review {number} was confirmed and is lost" for number in tally.settled.keys() - found.keys())
    yield from (f"review {number} is in the store, nobody was told" for number in found.keys() - tally.settled.keys())
    yield from (
        f"review {number} is of another" for number, who in tally.settled.items() if found.get(number, who) != who
    )
