"""Logins and keys against the store: who somebody is.

Lives here: checking a password, making and ending sessions, recognising a cookie or a key. Does not live here: HTTP
(door), pages, SQL. Called by door, by the pages of login and logout, and by the API's accounts. Blocks: a route that
calls it is a plain `def`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from extractor.settings import Settings
from extractor.store.shapes import Account, Session
from extractor.store.store import Store
from extractor.web.problems import Problem
from extractor.web.security.passwords import check_password, hash_password, is_outdated
from extractor.web.security.people import change_account
from extractor.web.security.throttle import Failures, as_retry_after, name_network
from extractor.web.security.tokens import hash_token, new_token
from extractor.web.visitors import Visitor

_LONGEST_NAME = 100
#: A key's last use is written down no more often than this.
_TOUCH_EVERY = timedelta(minutes=1)


class Login(NamedTuple):
    """A session that began. `token` goes into the cookie and is kept nowhere."""

    token: str
    session: Session


class Logins:
    """Lets people and programs in. `now` gives the time in UTC."""

    def __init__(self, store: Store, settings: Settings, now: Callable[[], datetime]) -> None:
        self._store = store
        self._lasts = timedelta(hours=settings.session_hours)
        self._now = now
        # By name and address, so that nobody is locked out by what somebody else tries from elsewhere; by name alone
        # and by address alone for those who change the other one.
        self._failures = (Failures(5), Failures(50), Failures(30))

    def log_in(self, name: str, password: str, address: str, old_token: str | None = None) -> Login:
        """Begin a session.

        Args:
            address: where the request came from, for the throttle.
            old_token: of a session in the same browser, which ends.

        Raises:
            Problem: 401 for a wrong name or password, 429 after too many of them.
        """
        account = self._check(name, password, name_network(address))
        return self._begin(account, password, old_token)

    def change_password(self, name: str, old: str, new: str, address: str) -> None:
        """Take another password in place of one's own; all logins of the account end.

        Raises:
            Problem: 401 for a wrong old password, 422 for a new one that is not taken, 429 after too many wrong ones.
        """
        self._check(name, old, name_network(address))
        change_account(self._store, name, password=new)

    def _check(self, name: str, password: str, address: str) -> Account:
        """The account with this name and password."""
        keys = tuple(zip(self._failures, ((name, address), name, address), strict=True))
        wait = max(failures.wait_for(key) for failures, key in keys)
        if wait > 0:
            detail = "Too many failed logins. Wait a while."
            raise Problem(429, "too-many-logins", detail, {"Retry-After": as_retry_after(wait)})
        for failures, key in keys:  # before it is one: of many tries at once none is free
            failures.add(key)
        account = self._find(name)
        is_right = check_password(password, account.password_hash if account else None)
        if account is None or not is_right or not account.is_active:
            raise Problem(401, "wrong-login", "Name or password is wrong.")
        for failures, key in keys:
            failures.take_back(key)
        self._failures[0].forget((name, address))
        return account

    def log_out(self, token: str | None) -> None:
        """End a session; nothing happens when there is none."""
        if token:
            with self._store.write() as books:
                books.people.delete_session(hash_token(token))

    def by_session(self, token: str) -> Visitor | None:
        """Who has this cookie; None for a session that is over or an account that is disabled."""
        with self._store.read() as books:
            session = books.people.session(hash_token(token), self._now())
            account = books.people.account(session.account) if session else None
        if session is None or account is None or not account.is_active:
            return None
        return Visitor(account.name, account.role, session.csrf_token, "session")

    def by_key(self, key: str) -> Visitor | None:
        """Whose API key this is; None for a revoked one or an account that is disabled."""
        now = self._now()
        with self._store.read() as books:
            found = books.people.key(hash_token(key))
            account = books.people.account(found.account) if found else None
        if found is None or account is None or found.is_revoked or not account.is_active:
            return None
        if found.last_used_at is None or now - found.last_used_at > _TOUCH_EVERY:
            with self._store.write() as books:
                books.people.touch_key(found.id, now)
        return Visitor(account.name, account.role, None, "key")

    def _find(self, name: str) -> Account | None:
        if not name or len(name) > _LONGEST_NAME or "\x00" in name:
            return None
        with self._store.read() as books:
            return books.people.account(name)

    def _begin(self, account: Account, password: str, old_token: str | None) -> Login:
        # Before the transaction: hashing takes long, and nobody else could write meanwhile.
        renewed = None
        if account.password_hash and is_outdated(account.password_hash):
            renewed = hash_password(password, account.name)
        now, token = self._now(), new_token()
        session = Session(hash_token(token), account.name, new_token(), now, now + self._lasts)
        with self._store.write() as books:
            if old_token:
                books.people.delete_session(hash_token(old_token))
            books.people.delete_expired(now)
            if renewed:
                books.people.change_account(account.name, password_hash=renewed)
            books.people.add_session(session)
        return Login(token, session)
