"""Passwords: what is kept of them, and which ones are taken.

argon2id with the parameters of argon2-cffi's own default, which follow RFC 9106. Called by logins, the API's accounts
and the command line.
"""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from extractor.errors import SettingsError

SHORTEST = 10
#: Whoever sends a book as a password does not mean to log in.
LONGEST = 200
_HASHER = PasswordHasher()
# Each check takes 64 MB of memory: many at once would be a way to take it all.
_AT_ONCE = threading.Semaphore(2)
# Of a password that nobody has, to be checked for names that nobody has: both take the same time.
_NOBODYS = _HASHER.hash("nobody has this password")


def hash_password(password: str, name: str) -> str:
    """What is kept of a new password.

    Raises:
        SettingsError: it is too short, too long or the name itself.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise SettingsError(f"the password of {name}: {SHORTEST} to {LONGEST} characters are wanted. Take another one.")
    if password.casefold() == name.casefold() or len(set(password)) < 4:
        raise SettingsError(f"the password of {name} is too easily guessed. Take another one.")
    with _AT_ONCE:
        return _HASHER.hash(password)


def check_password(password: str, password_hash: str | None) -> bool:
    """Whether it is the password; as slow for somebody without one (None)."""
    with _AT_ONCE:
        try:
            is_right = _HASHER.verify(password_hash or _NOBODYS, password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False
    return is_right and bool(password_hash) and len(password) <= LONGEST


def is_outdated(password_hash: str) -> bool:
    """Whether the parameters changed since: it is hashed anew at the next login."""
    return _HASHER.check_needs_rehash(password_hash)
