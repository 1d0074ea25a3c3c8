"""Accounts and keys: making, changing, disabling them. Called by the API, the page of accounts and the command line.

Lives here: the rules (names, passwords, the last admin). Does not live here: coming in with them (logins), SQL.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime

from extractor.errors import NotInStore, SettingsError
from extractor.store.shapes import Account, ApiKey, Role
from extractor.store.store import Books, Store
from extractor.web.entrance import LOCAL_USER
from extractor.web.problems import Problem
from extractor.web.security.passwords import hash_password
from extractor.web.security.tokens import new_key

#: Letters and digits of any script; nothing that a log line or an address would have to quote.
NAME_PATTERN = r"^\w(?:[\w.@-]{0,62}\w)?$"


def add_account(store: Store, name: str, role: Role, password: str | None, now: datetime) -> Account:
    """Make an account.

    Args:
        password: None for a program that comes with API keys only.

    Raises:
        Problem: 409 where there is one of this name; 422 for a name or password that is not taken.
    """
    if not re.fullmatch(NAME_PATTERN, name) or _fold(name) == LOCAL_USER:
        detail = (
            f"'{name}' is no name for an account. Take letters, digits and . @ - _ (at most 64); not '{LOCAL_USER}'."
        )
        raise Problem(422, "bad-name", detail)
    account = Account(name, role, _hash(password, name), is_active=True, created_at=now)
    with store.write() as books:
        # Names that people would take for one another: full-width letters, capitals.
        is_taken = any(_fold(other.name) == _fold(name) for other in books.people.accounts())
        if is_taken or not books.people.add_account(account):
            raise Problem(409, "name-taken", f"There is an account '{name}' already. Take another name.")
    return account


def change_account(
    store: Store, name: str, *, role: Role | None = None, is_active: bool | None = None, password: str | None = None
) -> Account:
    """Change what is given. A new password and disabling end all logins of the account.

    Raises:
        NotInStore: there is no such account.
        Problem: 409 where no active admin would be left; 422 for a password that is not taken.
    """
    password_hash = _hash(password, name)
    with store.write() as books:
        admins = books.people.lock_admins()  # two who disable each other must not both succeed
        account = _get(books, name)
        stays_admin = (role or account.role) == "admin" and (account.is_active if is_active is None else is_active)
        if account.role == "admin" and account.is_active and not stays_admin:
            _keep_an_admin(admins, name)
        return books.people.change_account(name, role=role, is_active=is_active, password_hash=password_hash)


def add_key(store: Store, name: str, now: datetime) -> tuple[str, ApiKey]:
    """Make an API key.

    Returns:
        The key, which is kept nowhere, and what is kept of it.

    Raises:
        NotInStore: there is no such account.
    """
    made = new_key()
    with store.write() as books:
        _get(books, name)
        return made.key, books.people.add_key(name, made.prefix, made.key_hash, now)


def revoke_key(store: Store, key_id: int) -> None:
    """Let nobody come in with a key any more.

    Raises:
        NotInStore: there is no such key.
    """
    with store.write() as books:
        books.people.revoke_key(key_id)


def has_a_way_in(store: Store) -> bool:
    """Whether anybody could come in: an active account with a password or a key."""
    with store.read() as books:
        active = [account for account in books.people.accounts() if account.is_active]
        return any(
            account.password_hash or any(not key.is_revoked for key in books.people.keys(account.name))
            for account in active
        )


def _hash(password: str | None, name: str) -> str | None:
    if password is None:
        return None
    try:
        return hash_password(password, name)
    except SettingsError as error:
        raise Problem(422, "bad-password", str(error)) from None


def _fold(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _get(books: Books, name: str) -> Account:
    account = books.people.account(name)
    if account is None:
        raise NotInStore(f"There is no account '{name}'. extractor accounts list shows them.")
    return account


def _keep_an_admin(admins: Iterable[Account], name: str) -> None:
    if not any(other.is_active and other.name != name and other.password_hash for other in admins):
        raise Problem(409, "last-admin", f"'{name}' is the last admin who can log in. Make another one first.")
