from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from extractor.web.app import create_app
from extractor.web.entrance import Entrance
from extractor.web.security.people import add_account

PASSWORD = "correct horse battery"  # noqa: S105


@pytest.fixture
def door(store, settings) -> Iterator[TestClient]:
    add_account(store, "chief", "admin", PASSWORD, datetime(2026, 1, 1, tzinfo=UTC))
    add_account(store, "wang", "reviewer", PASSWORD, datetime(2026, 1, 1, tzinfo=UTC))
    app = create_app(store, settings, Entrance.accounts("testserver"))
    with TestClient(app, headers={"Accept": "text/html", "Accept-Language": "zh"}, follow_redirects=False) as client:
        yield client


def token_of(page: str) -> str:
    return page.partition('name="csrf_token" value="')[2].partition('"')[0]


def log_in(client: TestClient, name: str, password: str = PASSWORD, back: str = "/queue"):
    form = {"csrf_token": token_of(client.get("/login").text), "name": name, "password": password, "back": back}
    return client.post("/login", data=form)


def test_whoever_is_not_in_is_led_to_the_login_and_back(door):
    answer = door.get("/queue?kind=row")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?back=%2Fqueue%3Fkind%3Drow")
    answer = log_in(door, "wang", back="/queue?kind=row")
    assert (answer.status_code, answer.headers["location"]) == (303, "/queue?kind=row")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite" in cookie
    assert "wang" in door.get("/queue").text


def test_a_wrong_password_says_no_more_than_that(door):
    answers = [log_in(door, name, "wrong password") for name in ("wang", "nobody")]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert all("用户名或密码不对" in answer.text for answer in answers)


def test_a_script_whose_login_is_over_is_told_so_and_not_led_away(door):
    answer = door.post("/items/1/decide", data={"version": "1"}, headers={"X-Fragment": "main"})
    assert answer.status_code == 401


def test_after_logging_out_one_is_out(door):
    log_in(door, "wang")
    token = token_of(door.get("/queue").text)
    assert door.post("/logout", data={"csrf_token": token}).headers["location"] == "/login"
    assert door.get("/queue").status_code == 303


def test_accounts_are_for_admins(door):
    log_in(door, "wang")
    assert door.get("/accounts").status_code == 403
    assert "/accounts" not in door.get("/queue").text


def test_an_admin_lets_people_in_and_out(door, store):
    log_in(door, "chief")
    page = door.get("/accounts").text
    form = {"csrf_token": token_of(page), "name": "li", "password": PASSWORD, "role": "reviewer"}
    assert door.post("/accounts", data=form).status_code == 303
    short = door.post("/accounts", data={**form, "name": "zhao", "password": "short"})
    assert short.status_code == 422
    door.post("/accounts/li", data={"csrf_token": token_of(page), "to": "off"})
    with store.read() as books:
        states = {account.name: account.is_active for account in books.people.accounts()}
    assert states == {"chief": True, "wang": True, "li": False}
