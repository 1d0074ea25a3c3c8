"""Who may do what: a line for every route of the application, tried by everybody. A route without a line fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx2 as httpx
import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from served import HOST, Served, add_people, problem_of, serve

from extractor.store.store import Store
from extractor.web.security.people import change_account, revoke_key

# `anybody`; `form`: anybody, with the token of the form; `reviewer`; `admin`; `watcher`: an admin, or a key.
EXPECTED = {
    "GET /healthz": "anybody",
    "GET /readyz": "anybody",
    "GET /metrics": "watcher",
    "GET /api/v1/openapi.json": "reviewer",
    "POST /api/v1/runs": "reviewer",
    "GET /api/v1/runs": "reviewer",
    "GET /api/v1/runs/{run_id}": "reviewer",
    "GET /api/v1/runs/{run_id}/documents": "reviewer",
    "GET /api/v1/runs/{run_id}/events": "reviewer",
    "GET /api/v1/runs/{run_id}/export/{file}": "reviewer",
    "GET /api/v1/documents": "reviewer",
    "GET /api/v1/documents/{document_id}": "reviewer",
    "GET /api/v1/documents/{document_id}/record": "reviewer",
    "GET /api/v1/documents/{document_id}/text": "reviewer",
    "GET /api/v1/documents/{document_id}/source": "reviewer",
    "GET /api/v1/documents/{document_id}/pages/{number}.png": "reviewer",
    "GET /api/v1/documents/{document_id}/places": "reviewer",
    "GET /api/v1/documents/{document_id}/reviews": "reviewer",
    "GET /api/v1/queue": "reviewer",
    "GET /api/v1/queue/counts": "reviewer",
    "GET /api/v1/queue/{item_id}": "reviewer",
    "POST /api/v1/queue/claim": "reviewer",
    "POST /api/v1/queue/{item_id}/claim": "reviewer",
    "POST /api/v1/queue/{item_id}/renew": "reviewer",
    "POST /api/v1/queue/{item_id}/release": "reviewer",
    "POST /api/v1/queue/{item_id}/preview": "reviewer",
    "POST /api/v1/queue/{item_id}/decisions": "reviewer",
    "POST /api/v1/reviews/{review_id}/undo": "reviewer",
    "GET /api/v1/statistics": "reviewer",
    "GET /api/v1/agreement": "reviewer",
    "GET /api/v1/accounts": "admin",
    "POST /api/v1/accounts": "admin",
    "PATCH /api/v1/accounts/{name}": "admin",
    "POST /api/v1/accounts/{name}/keys": "admin",
    "DELETE /api/v1/keys/{key_id}": "admin",
    "GET /static": "anybody",
    "POST /api/v1/password": "reviewer",
    "GET /password": "reviewer",
    "POST /password": "reviewer",
    "GET /login": "anybody",
    "POST /login": "form",
    "POST /logout": "reviewer",
    "GET /": "reviewer",
    "GET /queue": "reviewer",
    "GET /next": "reviewer",
    "GET /items/{item_id}": "reviewer",
    "POST /items/{item_id}/decide": "reviewer",
    "POST /items/{item_id}/preview": "reviewer",
    "POST /items/{item_id}/skip": "reviewer",
    "POST /items/{item_id}/renew": "reviewer",
    "POST /reviews/{review_id}/undo": "reviewer",
    "GET /documents": "reviewer",
    "GET /documents/{document_id}": "reviewer",
    "GET /documents/{document_id}/frame": "reviewer",
    "GET /runs": "reviewer",
    "POST /runs": "reviewer",
    "GET /runs/{run_id}": "reviewer",
    "GET /dashboard": "reviewer",
    "GET /accounts": "admin",
    "POST /accounts": "admin",
    "POST /accounts/{name}": "admin",
}
#: For whom a route that wants somebody is open.
ALLOWED = {
    "reviewer": {"reviewer", "admin", "reviewer's key", "admin's key"},
    "admin": {"admin", "admin's key"},
    "watcher": {"admin", "reviewer's key", "admin's key"},
}
NOBODY = ("nobody", "disabled", "disabled's key", "revoked key", "made-up key", "made-up session", "expired session")
#: Not even who asks is looked at.
NEVER_ASKED = ("GET /healthz", "GET /readyz", "GET /static")
VISITORS = ("reviewer", "admin", "reviewer's key", "admin's key", *NOBODY)
FILLED = {"document_id": "0" * 64, "run_id": "none", "name": "nobody", "file": "values.csv"}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with Store.open(":memory:") as store:
        add_people(store, {"ann": "reviewer", "bob": "admin", "carl": "reviewer"})
        yield serve(store)


@pytest.fixture(scope="module")
def visitors(served: Served) -> dict[str, TestClient]:
    found = {
        "nobody": served.client(),
        "reviewer": served.by_session("ann"),
        "admin": served.by_session("bob"),
        "reviewer's key": served.by_key("ann"),
        "admin's key": served.by_key("bob"),
        "revoked key": served.by_key("ann"),
        "made-up key": served.client(authorization="Bearer exk_" + "A" * 43),
        "made-up session": served.client(cookie="extractor_session=" + "A" * 43),
        "expired session": served.by_session("bob", lasts=timedelta(0)),
    }
    with served.store.read() as books:
        last = books.people.keys("ann")[-1]
    revoke_key(served.store, last.id)
    change_account(served.store, "carl", is_active=False)
    # Although a session of it is there: made in the moment in which it was disabled.
    return found | {"disabled": served.by_session("carl"), "disabled's key": served.by_key("carl")}


def list_routes(served: Served) -> list[str]:
    found = []
    for context in iter_route_contexts(served.app.routes):
        methods = getattr(context, "methods", None) or {"GET"}
        found += [f"{method} {context.path}" for method in sorted(methods) if method != "HEAD"]
    return found


def fill_path(route: str) -> tuple[str, str]:
    method, path = route.split(" ")
    path = re.sub(r"\{(\w+)\}", lambda match: FILLED.get(match[1], "999999"), path)
    return method, path + ("/icon.svg" if path == "/static" else "")


def test_every_route_has_a_line_and_every_line_a_route(served: Served) -> None:
    assert sorted(list_routes(served)) == sorted(EXPECTED)


def expect(route: str, who: str) -> str:
    """What becomes of a request."""
    kind, is_bad_key = EXPECTED[route], who in NOBODY and who.endswith("key")
    if is_bad_key and not route.startswith(NEVER_ASKED):
        return "login-needed"
    if kind == "anybody":
        return "allowed"
    if kind == "form":  # the visitor's own token is good for the login's form, too
        return "allowed" if who in ("reviewer", "admin") else "wrong-token"
    if who in NOBODY:
        return "login-needed"
    return "allowed" if who in ALLOWED[kind] else "refused"


def read(response: httpx.Response) -> str:
    if response.status_code == 401 and response.headers["content-type"].startswith("text/html"):
        return "allowed"  # to try: the login's form with what is wrong
    if response.status_code == 401:
        return problem_of(response)[1]
    if response.status_code == 403:
        code = problem_of(response)[1]
        return "refused" if code in ("admins-only", "keys-only") else code
    return "allowed" if response.status_code < 500 else response.text


@pytest.mark.parametrize("route", EXPECTED)
def test_who_may(route: str, served: Served, visitors: dict[str, TestClient]) -> None:
    method, path = fill_path(route)
    people = dict(visitors)
    if path == "/logout":
        people |= {"reviewer": served.by_session("ann"), "admin": served.by_session("bob")}
    found = {who: read(people[who].request(method, path)) for who in VISITORS}
    assert found == {who: expect(route, who) for who in VISITORS}


UNSAFE = [route for route in EXPECTED if not route.startswith("GET")]


@pytest.mark.parametrize("route", UNSAFE)
def test_no_cookie_changes_anything_without_its_token(route: str, served: Served) -> None:
    method, path = fill_path(route)
    client, other = served.by_session("bob"), served.by_session("bob")
    own = client.headers.pop("x-csrf-token")
    wrong = (None, "", "A" * 43, "é", own + "x", other.headers["x-csrf-token"])
    for token in wrong:
        headers = {} if token is None else {"x-csrf-token": token.encode()}
        assert problem_of(client.request(method, path, headers=headers)) == (403, "wrong-token"), token
    assert problem_of(client.request(method, f"{path}?csrf_token={own}")) == (403, "wrong-token")
    for token in wrong:
        sent = {"csrf_token": token or ""}
        assert problem_of(client.request(method, path, data=sent)) == (403, "wrong-token"), token


@pytest.mark.parametrize("route", UNSAFE)
def test_no_other_site_changes_anything(route: str, visitors: dict[str, TestClient]) -> None:
    """Even with cookie and token: a page of another site is the one that asks."""
    method, path = fill_path(route)
    for headers in (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:8001"},
        {"origin": "https://localhost:8000"},
        {"origin": HOST, "sec-fetch-site": "cross-site"},
        {"origin": HOST, "sec-fetch-site": "same-site"},
    ):
        assert problem_of(visitors["admin"].request(method, path, headers=headers)) == (403, "other-site"), headers


def test_other_sites_read_nothing_but_a_link_opens_a_page(visitors: dict[str, TestClient]) -> None:
    cross = {"sec-fetch-site": "cross-site"}
    for mode, dest in (("no-cors", "image"), ("cors", "empty"), ("navigate", "iframe"), ("no-cors", "script")):
        headers = cross | {"sec-fetch-mode": mode, "sec-fetch-dest": dest}
        assert problem_of(visitors["admin"].get("/api/v1/accounts", headers=headers)) == (403, "other-site")
    link = cross | {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert visitors["admin"].get("/queue", headers=link).status_code == 200


def test_a_key_that_opens_nothing_is_not_made_good_by_a_cookie(served: Served, visitors: dict[str, TestClient]) -> None:
    headers = {"authorization": "Bearer wrong"}
    assert problem_of(visitors["admin"].get("/api/v1/runs", headers=headers)) == (401, "login-needed")
    headers = {"authorization": "Basic Ym9iOng="}
    assert problem_of(visitors["admin"].get("/api/v1/runs", headers=headers)) == (401, "login-needed")


def test_people_without_a_login_are_sent_to_it_and_programs_are_told(served: Served) -> None:
    browser = served.client(accept="text/html,*/*")
    response = browser.get("/queue?kind=row")
    assert response.status_code == 303
    assert response.headers["location"] == "/login?back=%2Fqueue%3Fkind%3Drow"
    told = browser.get("/api/v1/queue")
    assert problem_of(told) == (401, "login-needed")
    assert told.headers["www-authenticate"].startswith("Bearer")
