"""Who may come in: accounts, keys for programs, and logins.

Lives here: statements over these tables. Does not live here: hashes and tokens, how they are made and compared
(extractor.web). Reached as Books.people.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from extractor.errors import NotInStore
from extractor.store.database import read_time, write_time
from extractor.store.shapes import Account, ApiKey, Role, Session
from extractor.store.statements import insert_new, insert_numbered
from extractor.store.store_tables import ACCOUNTS, API_KEYS, SESSIONS


class People:
    """The people of a store, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # ---------------------------------------------------------------- accounts

    def add_account(self, account: Account) -> bool:
        """Add an account.

        Returns:
            False where one of this name is there; it stays as it is.
        """
        values = {name: getattr(account, name) for name in ("name", "role", "password_hash", "is_active")}
        return insert_new(self._connection, ACCOUNTS, values | {"created_at": write_time(account.created_at)})

    def account(self, name: str) -> Account | None:
        """An account; None where there is none of this name."""
        row = self._connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.name == name)).first()
        return None if row is None else _account(row)

    def accounts(self) -> list[Account]:
        """All accounts, by name."""
        return [_account(row) for row in self._connection.execute(select(ACCOUNTS).order_by(ACCOUNTS.c.name))]

    def lock_admins(self) -> list[Account]:
        """All admins, active or not, whom nobody else changes until the transaction ends."""
        query = select(ACCOUNTS).where(ACCOUNTS.c.role == "admin").order_by(ACCOUNTS.c.name).with_for_update()
        return [_account(row) for row in self._connection.execute(query)]

    def change_account(
        self,
        name: str,
        *,
        role: Role | None = None,
        password_hash: str | None = None,
        is_active: bool | None = None,
    ) -> Account:
        """Change what is given of an account. A new password, and its closing, end its logins.

        Raises:
            NotInStore: there is no such account.
        """
        given = {"role": role, "password_hash": password_hash, "is_active": is_active}
        values = {column: value for column, value in given.items() if value is not None}
        if values:
            self._connection.execute(ACCOUNTS.update().where(ACCOUNTS.c.name == name).values(values))
        account = self.account(name)
        if account is None:
            raise NotInStore(f"account {name} is not in the store. Look it up in the list of accounts.")
        if password_hash is not None or is_active is False:
            self._connection.execute(SESSIONS.delete().where(SESSIONS.c.account == name))
        return account

    # ---------------------------------------------------------------- keys for programs

    def add_key(self, account: str, prefix: str, key_hash: str, created_at: datetime) -> ApiKey:
        """Add a key to an account that is there."""
        values = {
            "account": account,
            "prefix": prefix,
            "key_hash": key_hash,
            "created_at": write_time(created_at),
            "is_revoked": False,
        }
        number = insert_numbered(self._connection, API_KEYS, values)
        return ApiKey(number, account, prefix, key_hash, created_at, None, is_revoked=False)

    def key(self, key_hash: str) -> ApiKey | None:
        """The key with this hash, revoked or not; None where there is none."""
        row = self._connection.execute(select(API_KEYS).where(API_KEYS.c.key_hash == key_hash)).first()
        return None if row is None else _key(row)

    def keys(self, account: str | None = None) -> list[ApiKey]:
        """The keys of an account, or all, oldest first."""
        query = select(API_KEYS).order_by(API_KEYS.c.id)
        if account is not None:
            query = query.where(API_KEYS.c.account == account)
        return [_key(row) for row in self._connection.execute(query)]

    def touch_key(self, key_id: int, used_at: datetime) -> None:
        """Write down when a key was last used."""
        self._connection.execute(
            API_KEYS.update().where(API_KEYS.c.id == key_id).values(last_used_at=write_time(used_at))
        )

    def revoke_key(self, key_id: int) -> None:
        """Let a key open nothing any more.

        Raises:
            NotInStore: there is no such key.
        """
        revoke = API_KEYS.update().where(API_KEYS.c.id == key_id).values(is_revoked=True)
        if not self._connection.execute(revoke).rowcount:
            raise NotInStore(f"key {key_id} is not in the store. Look it up in the list of keys.")

    # ---------------------------------------------------------------- logins

    def add_session(self, session: Session) -> None:
        """Add a login."""
        values = {name: getattr(session, name) for name in ("token_hash", "account", "csrf_token")}
        times = {name: write_time(getattr(session, name)) for name in ("created_at", "expires_at")}
        self._connection.execute(SESSIONS.insert(), values | times)

    def session(self, token_hash: str, now: datetime) -> Session | None:
        """The login with this hash; None where there is none, or where it is over."""
        query = select(SESSIONS).where(SESSIONS.c.token_hash == token_hash, SESSIONS.c.expires_at > write_time(now))
        row = self._connection.execute(query).first()
        if row is None:
            return None
        times = read_time(row.created_at), read_time(row.expires_at)
        return Session(row.token_hash, row.account, row.csrf_token, *times)

    def delete_session(self, token_hash: str) -> None:
        """End a login."""
        self._connection.execute(SESSIONS.delete().where(SESSIONS.c.token_hash == token_hash))

    def delete_expired(self, now: datetime) -> int:
        """Sweep logins that are over away, and say how many."""
        return self._connection.execute(SESSIONS.delete().where(SESSIONS.c.expires_at <= write_time(now))).rowcount


def _account(row: Row[Any]) -> Account:
    return Account(row.name, row.role, row.password_hash, row.is_active, read_time(row.created_at))


def _key(row: Row[Any]) -> ApiKey:
    used = None if row.last_used_at is None else read_time(row.last_used_at)
    created = read_time(row.created_at)
    return ApiKey(row.id, row.account, row.prefix, row.key_hash, created, used, is_revoked=row.is_revoked)
