"""Names of hosts: ours and others'."""

from __future__ import annotations

import pytest

from extractor.web.entrance import Entrance, is_loopback, names_of, split_host


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000", "[::1]", "localhost."]
)
def test_names_of_this_machine_are_known(host: str) -> None:
    assert Entrance.open().knows_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil@localhost",
        "::1",
    ],
)
def test_other_names_are_not(host: str) -> None:
    assert not Entrance.open().knows_host(host)


def test_more_names_can_be_given() -> None:
    entrance = Entrance.accounts("Review.Example.org", is_behind_tls=True)
    assert entrance.knows_host("review.example.org:443")
    assert not entrance.knows_host("example.org")


def test_cookies_belong_to_the_host_only_where_browsers_come_by_https() -> None:
    assert Entrance.accounts(is_behind_tls=True).session_cookie.startswith("__Host-")
    assert not Entrance.accounts().session_cookie.startswith("__Host-")
    assert Entrance.accounts().session_cookie != Entrance.accounts().form_cookie


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),  # noqa: S104  compared
        ("::", False),
        ("192.168.1.5", False),
        ("localhost.evil.example", False),
        ("", False),
    ],
)
def test_what_only_this_machine_reaches(host: str, is_own: bool) -> None:
    assert is_loopback(host) == is_own


def test_ports_are_split_off_and_addresses_left_whole() -> None:
    assert split_host("[fe80::1]:8000") == "[fe80::1]"
    assert split_host("a.example:80") == "a.example"
    assert split_host("a.example:x") == "a.example:x"


def test_a_service_on_every_address_is_known_by_the_machines_names() -> None:
    assert names_of("192.168.1.5") == ("192.168.1.5",)
    assert names_of("fe80::1") == ("[fe80::1]",)
    assert "0.0.0.0" not in names_of("0.0.0.0")  # noqa: S104  compared
    assert all(names_of("::"))
