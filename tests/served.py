"""A service over a store of the tests' own: made documents in it, people who may come in, an HTTP client for each.

The application is asked in process, through all of its middleware; what only a server does is tested with one.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from fastapi import FastAPI
from fastapi.testclient import TestClient

from extractor.bulk.submitted import Worker
from extractor.pipeline import process_document
from extractor.review.intake import file_record
from extractor.settings import Settings
from extractor.sources import load_document
from extractor.store.shapes import Account, Role, Session
from extractor.store.store import Store
from extractor.web.app import create_app
from extractor.web.entrance import Entrance
from extractor.web.security.passwords import hash_password
from extractor.web.security.people import add_key
from extractor.web.security.tokens import hash_token, new_token

FIXTURES = sorted((Path(__file__).parent.parent / "fixtures").glob("*.txt"))
HOST = "http://localhost:8000"
PASSWORD = "open sesame 芝麻开门"  # noqa: S105  nobody else's
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Clock:
    """The time, which only tests move."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def move(self, **delta: float) -> None:
        self.now += timedelta(**delta)


class Served(NamedTuple):
    """A running application and what is behind it."""

    app: FastAPI
    store: Store
    settings: Settings
    clock: Clock

    def client(self, **headers: str) -> TestClient:
        """Somebody without a login, from a program unless the headers say otherwise."""
        return TestClient(
            self.app,
            HOST,
            headers=headers,
            raise_server_exceptions=False,
            follow_redirects=False,
            client=("10.0.0.9", 1),
        )

    def by_key(self, name: str) -> TestClient:
        """A program with a key of this account."""
        key, _ = add_key(self.store, name, self.clock())
        return self.client(authorization=f"Bearer {key}")

    def by_session(self, name: str, lasts: timedelta = timedelta(hours=12)) -> TestClient:
        """A browser as it is after a login, which takes argon2 too long to do for every test."""
        token, csrf_token, now = new_token(), new_token(), self.clock()
        with self.store.write() as books:
            books.people.add_session(Session(hash_token(token), name, csrf_token, now, now + lasts))
        client = self.client(**{"origin": HOST, "x-csrf-token": csrf_token})
        client.cookies.set("extractor_session", token)
        return client

    def work_off(self) -> None:
        """Read all that was submitted, as the service's thread does."""
        stop = threading.Event()
        thread = threading.Thread(target=Worker(self.store, self.settings, None, stop).run)
        thread.start()
        try:
            while thread.is_alive():
                with self.store.read() as books:
                    if not books.runs.list_unfinished("submitted"):
                        break
                stop.wait(0.02)
        finally:
            stop.set()
            thread.join()


def serve(store: Store, settings: Settings | None = None, entrance: Entrance | None = None) -> Served:
    """An application over a store; with accounts unless said otherwise."""
    settings, clock = settings or Settings(), Clock()
    return Served(create_app(store, settings, entrance or Entrance.accounts(), now=clock), store, settings, clock)


def add_people(store: Store, people: Mapping[str, Role]) -> None:
    """Accounts, all with the same password."""
    with store.write() as books:
        for name, role in people.items():
            books.people.add_account(Account(name, role, _hash_once(), is_active=True, created_at=START))


@cache
def _hash_once() -> str:
    return hash_password(PASSWORD, "anybody")  # takes long, as it should


def fill(store: Store, paths: list[Path], settings: Settings | None = None) -> list[str]:
    """Read files and file them as a run does; their ids."""
    found: list[str] = []
    for path in paths:
        document = load_document(path, settings)
        with store.write() as books:
            number, _ = file_record(
                books,
                record=process_document(document),
                text=document.text,
                pages=document.paper.pages if document.paper else (),
                raw=document.raw,
                name=path.name,
                media_type=document.media_type,
                made_at=START,
                settings=settings or Settings(),
            )
        assert number is not None
        found.append(number)
    return found


def problem_of(response: Any) -> tuple[int, str]:
    """Status and code of an answer that has to be a problem."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    body = response.json()
    assert body["status"] == response.status_code
    assert body["type"] == f"urn:extractor:problem:{body['code']}"
    assert body["request_id"] == response.headers["x-request-id"]
    return response.status_code, body["code"]
