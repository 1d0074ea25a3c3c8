"""Coming in by the login form, as a browser does, and what ends it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient
from served import HOST, PASSWORD, Served, add_people, problem_of, serve

from extractor.store.store import Store
from extractor.web.entrance import Entrance
from extractor.web.security.tokens import hash_token

ME = "/api/v1/queue/counts"


@pytest.fixture
def served() -> Iterator[Served]:
    with Store.open(":memory:") as store:
        add_people(store, {"ann": "reviewer", "bob": "admin"})
        yield serve(store)


@pytest.fixture
def browser(served: Served) -> TestClient:
    return served.client(origin=HOST, accept="text/html")


def log_in(browser: TestClient, name: str = "ann", password: str = PASSWORD, **more: str) -> int:
    browser.get("/login")
    token = browser.cookies.get("extractor_form") or ""
    form = {"name": name, "password": password, "csrf_token": token, **more}
    return browser.post("/login", data=form).status_code


def is_in(browser: TestClient) -> bool:
    return browser.get(ME).status_code == 200


def test_the_form_lets_in_and_its_cookies_are_for_the_server_alone(served: Served, browser: TestClient) -> None:
    page = browser.get("/login")
    assert "HttpOnly" in page.headers["set-cookie"]
    assert "SameSite=Strict" in page.headers["set-cookie"]
    token = browser.cookies["extractor_form"]
    assert f'value="{token}"' in page.text
    form = {"name": "ann", "password": PASSWORD, "csrf_token": token, "back": "/documents?text=x"}
    answer = browser.post("/login", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/documents?text=x")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("extractor_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert is_in(browser)
    with served.store.read() as books:
        assert books.people.session(browser.cookies["extractor_session"], served.clock()) is None
        kept = books.people.session(hash_token(browser.cookies["extractor_session"]), served.clock())
    assert kept is not None
    assert kept.account == "ann"


def test_behind_tls_cookies_never_travel_without_it(served: Served) -> None:
    secured = serve(served.store, entrance=Entrance.accounts("review.example", is_behind_tls=True))
    browser = TestClient(
        secured.app, "https://review.example", headers={"origin": "https://review.example"}, follow_redirects=False
    )
    browser.get("/login", headers={"accept": "text/html"})
    token = browser.cookies["__Host-extractor_form"]
    answer = browser.post("/login", data={"name": "ann", "password": PASSWORD, "csrf_token": token})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-extractor_session=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    assert is_in(browser)


@pytest.mark.parametrize(
    "back", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", "/\n/evil"]
)
def test_the_way_back_stays_here(back: str, served: Served, browser: TestClient) -> None:
    browser.get("/login")
    form = {"name": "ann", "password": PASSWORD, "csrf_token": browser.cookies["extractor_form"], "back": back}
    assert browser.post("/login", data=form).headers["location"] == "/queue"


def test_who_is_wrong_is_not_told_what_is_wrong(served: Served, browser: TestClient) -> None:
    browser.get("/login")
    token, told = browser.cookies["extractor_form"], set()
    for name, password in (
        ("ann", "wrong password"),
        ("nobody", PASSWORD),
        ("", ""),
        ("a\x00b", "x"),
        ("x" * 300, "x"),
    ):
        answer = browser.post("/login", data={"name": name, "password": password, "csrf_token": token})
        assert answer.status_code == 401
        assert "extractor_session" not in browser.cookies
        told.add(re.sub(r'value="[^"]*"', "", answer.text))  # the name comes back
    assert len(told) == 1


def test_too_many_tries_have_to_wait_but_only_from_there(served: Served, browser: TestClient) -> None:
    assert [log_in(browser, password=f"wrong number {n}") for n in range(6)] == [401] * 5 + [429]
    assert log_in(browser) == 429  # the right one, too
    elsewhere = TestClient(served.app, HOST, headers={"origin": HOST}, follow_redirects=False, client=("10.0.0.77", 1))
    elsewhere.get("/login", headers={"accept": "text/html"})
    assert log_in(elsewhere) == 303


def test_a_login_takes_the_place_of_the_one_before(served: Served, browser: TestClient) -> None:
    log_in(browser)
    first = browser.cookies["extractor_session"]
    browser.headers["accept"] = "text/html"
    page = browser.get("/documents")
    assert page.status_code == 200
    with served.store.read() as books:
        session = books.people.session(hash_token(first), served.clock())
    assert session is not None
    form = {"name": "bob", "password": PASSWORD, "csrf_token": session.csrf_token}
    assert browser.post("/login", data=form).status_code == 303
    assert browser.cookies["extractor_session"] != first
    old = served.client(cookie=f"extractor_session={first}")
    assert problem_of(old.get(ME)) == (401, "login-needed")


def test_a_login_ends_by_itself_by_logging_out_and_from_outside(served: Served, browser: TestClient) -> None:
    log_in(browser)
    served.clock.move(hours=served.settings.session_hours, seconds=-1)
    assert is_in(browser)
    served.clock.move(seconds=2)
    assert not is_in(browser)

    log_in(browser)
    token = browser.cookies["extractor_session"]
    with served.store.read() as books:
        session = books.people.session(hash_token(token), served.clock())
    assert session is not None
    assert browser.post("/logout", data={"csrf_token": session.csrf_token}).status_code == 303
    assert "extractor_session" not in browser.cookies
    assert not is_in(served.client(cookie=f"extractor_session={token}"))

    for change in ({"password": "quite another one"}, {"is_active": False}):
        other = served.by_session("ann")
        assert is_in(other)
        assert served.by_key("bob").patch("/api/v1/accounts/ann", json=change).status_code == 200
        assert not is_in(other)
    assert log_in(browser, "ann", "quite another one") == 401  # disabled


def test_a_hash_of_older_parameters_is_renewed_at_the_login(served: Served, browser: TestClient) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=64).hash(PASSWORD)
    with served.store.write() as books:
        books.people.change_account("ann", password_hash=old)
    assert log_in(browser) == 303
    assert is_in(browser)  # although a new password ends logins
    with served.store.read() as books:
        account = books.people.account("ann")
    assert account is not None
    assert account.password_hash != old
    assert log_in(served.client(origin=HOST, accept="text/html")) == 303


# ---------------------------------------------------------------- on a machine of one's own


def test_without_accounts_everybody_is_the_local_user_but_pages_still_need_their_token(served: Served) -> None:
    own = serve(served.store, entrance=Entrance.open())
    program = own.client()
    assert program.get(ME).status_code == 200
    assert program.get("/api/v1/accounts").status_code == 200
    assert program.post("/api/v1/queue/claim").status_code == 204
    browser = own.client(origin=HOST, accept="text/html")
    browser.get("/documents")
    token = browser.cookies["extractor_form"]
    assert problem_of(browser.post("/api/v1/queue/claim")) == (403, "wrong-token")
    assert browser.post("/api/v1/queue/claim", headers={"x-csrf-token": token}).status_code == 204
    for mark in ("origin", "referer", "sec-fetch-site", "cookie"):
        value = {"origin": HOST, "referer": f"{HOST}/x", "sec-fetch-site": "same-origin", "cookie": "a=b"}[mark]
        told = own.client().post("/api/v1/queue/claim", headers={mark: value})
        assert problem_of(told) == (403, "wrong-token"), mark
    evil = {"origin": "http://evil.example", "x-csrf-token": token}
    assert problem_of(browser.post("/api/v1/queue/claim", headers=evil)) == (403, "other-site")
    assert problem_of(program.get(ME, headers={"host": "rebound.example:8000"})) == (421, "unknown-host")
    restarted = serve(served.store, entrance=Entrance.open()).client(origin=HOST, cookie=f"extractor_form={token}")
    assert restarted.post("/api/v1/queue/claim", headers={"x-csrf-token": token}).status_code == 204
