"""Secrets that the service hands out: cookies of logins, API keys, tokens of forms. Only hashes of them are kept.

A fast hash is enough for them: unlike passwords they are 256 random bits, and nobody guesses those.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import NamedTuple

_KEY_MARK = "exk_"
#: Characters of a key that are kept readable, to tell keys apart.
PREFIX_LENGTH = len(_KEY_MARK) + 8
#: Longer than anything that is handed out: not worth a hash.
_MOST_CHARACTERS = 200


class NewKey(NamedTuple):
    """An API key as it is shown once, and what is kept of it."""

    key: str
    prefix: str
    key_hash: str


def new_token() -> str:
    """For a cookie or a form: 256 random bits, in characters that a cookie may hold."""
    return secrets.token_urlsafe(32)


def new_key() -> NewKey:
    """A key for a program. Its mark lets scanners for leaked secrets know it."""
    key = _KEY_MARK + secrets.token_urlsafe(32)
    return NewKey(key, key[:PREFIX_LENGTH], hash_token(key))


def hash_token(token: str) -> str:
    """What is kept of a cookie or a key, and looked up by."""
    return hashlib.sha256(token[:_MOST_CHARACTERS].encode("utf-8", "replace")).hexdigest()
