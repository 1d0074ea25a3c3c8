"""Passwords and tokens: what is kept of them opens nothing."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from extractor.errors import SettingsError
from extractor.web.security.passwords import check_password, hash_password, is_outdated
from extractor.web.security.tokens import hash_token, new_key, new_token

PASSWORD = "correct horse 电池"  # noqa: S105  nobody's


def test_a_password_is_kept_as_argon2id_and_opens() -> None:
    kept = hash_password(PASSWORD, "ann")
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept
    assert kept != hash_password(PASSWORD, "ann")
    assert check_password(PASSWORD, kept)
    assert not check_password(PASSWORD + " ", kept)
    assert not is_outdated(kept)


def test_older_parameters_still_open_and_are_told_apart() -> None:
    kept = PasswordHasher(time_cost=1, memory_cost=64).hash(PASSWORD)
    assert check_password(PASSWORD, kept)
    assert is_outdated(kept)


@pytest.mark.parametrize("kept", [None, "", "no hash at all", "$argon2id$v=19$m=65536,t=3,p=4$broken"])
def test_without_a_whole_hash_nothing_opens(kept: str | None) -> None:
    assert not check_password("nobody has this password", kept)
    assert not check_password("", kept)


@pytest.mark.parametrize("password", ["", "short", "x" * 201, "annannannann", "abababababab"])
def test_passwords_that_are_not_taken(password: str) -> None:
    with pytest.raises(SettingsError, match="annannannann"):
        hash_password(password, "annannannann")


def test_a_book_is_no_password_even_where_its_beginning_is() -> None:
    longest = "0123456789" * 20
    assert check_password(longest, hash_password(longest, "ann"))
    assert not check_password(longest + "0", hash_password(longest, "ann"))


def test_tokens_differ_and_only_their_hash_is_kept() -> None:
    made = new_key()
    assert made.key.startswith(made.prefix)
    assert len(made.key) > len(made.prefix) + 32
    assert made.key_hash == hash_token(made.key)
    assert made.key not in made.key_hash
    assert len({new_token() for _ in range(100)} | {new_key().key for _ in range(100)}) == 200


def test_a_token_that_nobody_could_have_been_given_is_hashed_without_harm() -> None:
    assert hash_token("x" * 10_000_000) != hash_token("x")
    assert hash_token("\ud800") != hash_token("")
