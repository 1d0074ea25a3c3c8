"""Accounts, keys, logins and kept replies. On both databases."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from extractor.errors import NotInStore
from extractor.store.keyed import KeyedReply
from extractor.store.shapes import Account, Session
from extractor.store.store import Books, Store
from tests.unit.store.filler import NOON, minutes

NEW_HASH = "$argon2id$y"
LI = Account("li", "reviewer", "$argon2id$x", is_active=True, created_at=NOON)


def add_login(books: Books, token: str, ends: float) -> Session:
    session = Session(token, "li", f"csrf {token}", NOON, minutes(ends))
    books.people.add_session(session)
    return session


def test_accounts_come_out_as_they_went_in_and_are_changed_in_part(store: Store) -> None:
    robot = Account("robot", "admin", None, is_active=False, created_at=minutes(1))
    with store.write() as books:
        assert books.people.add_account(robot)
        assert books.people.add_account(LI)
        assert not books.people.add_account(Account("li", "admin", None, is_active=True, created_at=NOON))
        assert books.people.accounts() == [LI, robot]
        assert books.people.account("nobody") is None
        changed = books.people.change_account("robot", is_active=True)
        assert changed == Account("robot", "admin", None, is_active=True, created_at=minutes(1))
        assert books.people.change_account("li", role="admin", password_hash=NEW_HASH) == Account(
            "li", "admin", NEW_HASH, is_active=True, created_at=NOON
        )
        with pytest.raises(NotInStore, match="account nobody"):
            books.people.change_account("nobody", role="admin")


def test_keys_are_found_by_their_hash(store: Store) -> None:
    with store.write() as books:
        books.people.add_account(LI)
        key = books.people.add_key("li", "ex_ab", "hash", NOON)
        assert books.people.key("hash") == key
        assert books.people.key("other") is None
        books.people.touch_key(key.id, minutes(5))
        books.people.revoke_key(key.id)
        (found,) = books.people.keys("li")
        assert (found.last_used_at, found.is_revoked, books.people.keys("wang")) == (minutes(5), True, [])
        with pytest.raises(NotInStore, match="key 9"):
            books.people.revoke_key(9)
    with pytest.raises(IntegrityError), store.write() as books:
        books.people.add_key("nobody", "ex_cd", "hash 2", NOON)


def test_a_login_is_over_in_time_and_with_a_new_password(store: Store) -> None:
    with store.write() as books:
        books.people.add_account(LI)
        session = add_login(books, "t1", 60)
        assert books.people.session("t1", minutes(59)) == session
        assert books.people.session("t1", minutes(60)) is None
        add_login(books, "t2", 30)
        assert books.people.delete_expired(minutes(30)) == 1
        assert books.people.session("t1", minutes(31)) is not None
        books.people.delete_session("t1")
        assert books.people.session("t1", minutes(31)) is None
        for change in ({"password_hash": NEW_HASH}, {"is_active": False}):
            add_login(books, "t3", 60)
            books.people.change_account("li", role="reviewer")
            assert books.people.session("t3", NOON) is not None
            books.people.change_account("li", **change)  # type: ignore[arg-type]
            assert books.people.session("t3", NOON) is None


def test_a_reply_is_kept_for_a_day_under_its_senders_key(store: Store) -> None:
    reply, other = KeyedReply("h1", 201, b'{"id":1}\0'), KeyedReply("h2", 200, b"")
    with store.write() as books:
        assert books.keyed.keep("li", "k", reply, NOON)
        assert not books.keyed.keep("li", "k", other, NOON)
        assert books.keyed.keep("wang", "k", other, minutes(1))
        assert (books.keyed.find("li", "k"), books.keyed.find("wang", "k")) == (reply, other)
        assert books.keyed.find("li", "x") is None
        assert books.keyed.delete_old(minutes(24 * 60)) == 1
        assert (books.keyed.find("li", "k"), books.keyed.find("wang", "k")) == (None, other)
