"""What a reviewer with bad intentions, or bad luck, may try: nothing breaks, and nobody learns what he must not know.

On both databases, for they do not take the same characters and numbers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from fastapi.testclient import TestClient
from served import FIXTURES, PASSWORD, Served, add_people, fill, problem_of, serve

from extractor.settings import Settings
from extractor.store.store import Store
from extractor.web.api.health import Health
from extractor.web.keyed import Keep, KeyedAnswers
from extractor.web.limits import BodyLimit
from extractor.web.problems import Problem
from extractor.web.security.people import change_account

API = "/api/v1"
#: All documents by two people, all in the audit.
WATCHED = Settings(double_review_share=1, audit_share=1, requests_per_account=100_000)
#: A table that lost its columns.
LOST = FIXTURES[:3]
NASTY = ("a%00b", "%ED%A0%80", "9223372036854775808")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    with ExitStack() as stack:
        where = ":memory:"
        if request.param == "postgresql":
            where = request.getfixturevalue("postgres_place")
        store = stack.enter_context(Store.open(where))
        add_people(store, {"ann": "reviewer", "eve": "reviewer", "bob": "admin"})
        fill(store, LOST, WATCHED)
        yield serve(store, WATCHED)


@pytest.fixture(scope="module")
def postgres_place(postgres: str) -> Iterator[str]:
    import psycopg

    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA attacks")
        yield f"{postgres}&options=-csearch_path%3Dattacks"
        connection.execute("DROP SCHEMA attacks CASCADE")


@pytest.fixture
def fresh() -> Iterator[Served]:
    """A service of one test's own."""
    with Store.open(":memory:") as store:
        add_people(store, {"ann": "reviewer", "eve": "reviewer", "bob": "admin"})
        yield serve(store, WATCHED)


def page_of(served: Served, name: str) -> TestClient:
    client = served.by_session(name)
    client.headers["accept"] = "text/html"
    return client


def claim(client: TestClient) -> dict[str, Any]:
    task = client.post(f"{API}/queue/claim", json={})
    assert task.status_code == 200, task.text
    return dict(task.json())


@pytest.mark.parametrize("nasty", NASTY)
def test_no_address_breaks_anything(nasty: str, served: Served) -> None:
    page, program = page_of(served, "bob"), served.by_key("bob")
    names = ("text", "section", "code", "year", "after", "skipped")
    for path in ("/queue", "/next", "/documents"):
        for name in names:
            assert page.get(f"{path}?{name}={nasty}").status_code < 500, (path, name)
    for name in ("text", "document_id", "report_year", "after"):
        assert program.get(f"{API}/queue?{name}={nasty}").status_code < 500, name
    for path in ("/items/{}", "/documents/{}", "/documents/{}/frame", "/runs/{}", "/static/{}", API + "/queue/{}"):
        assert page.get(path.format(nasty)).status_code < 500, path
    for path in ("/items/{}/decide", "/items/{}/preview", "/items/{}/skip", "/reviews/{}/undo", "/accounts/{}"):
        assert page.post(path.format(nasty), data={"to": "off", "version": "1"}).status_code < 500, path


def test_more_parameters_than_anybody_means_are_no_fault_of_ours(served: Served) -> None:
    query = "&".join(f"a{number}=1" for number in range(300))
    assert page_of(served, "ann").get(f"/queue?{query}").status_code == 200


def test_what_is_typed_on_the_page_is_kept_by_both_databases_or_refused(served: Served) -> None:
    page, program = page_of(served, "ann"), served.by_key("ann")
    for text in ("\x00", "\uffff", "9" * 3990):
        task = claim(program)
        item = task["item"]
        form = {"version": item["version"], "note": text}
        for field in item["fields"]:
            form |= {f"act:{field}": "corrected", f"txt:{field}": text}
        for act in ("preview", "decide"):
            assert page.post(f"/items/{item['id']}/{act}", data=form).status_code < 500, (act, text[:3])


def test_links_of_a_page_never_lead_to_another_site(served: Served) -> None:
    for path in ("//evil.example/x", "/%5Cevil.example/x", "/%2F/evil.example"):
        answer = page_of(served, "ann").get(f"http://localhost:8000{path}")
        assert answer.status_code == 404
        assert 'href="//' not in answer.text
        assert 'href="/\\' not in answer.text


def test_nothing_says_which_items_are_the_audit(served: Served) -> None:
    program = served.by_key("eve")
    with served.store.read() as books:
        found = [item for item in books.queue.page(limit=200)[0] if item.kind == "audit"]
    assert found
    listed = program.get(f"{API}/queue?kind=cells&limit=200").json()["entries"]
    assert {item.id for item in found} <= {item["id"] for item in listed}
    assert all(item["codes"] == [] for item in listed)
    count = program.get(f"{API}/queue/counts?kind=cells").json()["open"]
    assert count == len(listed)
    assert program.get(f"{API}/queue?kind=audit").status_code == 422
    with served.store.read() as books:
        assert dict(books.queue.facets()["kind"])["cells"] == count


def test_a_first_look_is_told_by_no_number(fresh: Served) -> None:
    fill(fresh.store, LOST, WATCHED)
    ann, eve = fresh.by_key("ann"), fresh.by_key("eve")

    def read(path: str) -> Any:
        return eve.get(path).json()

    task = claim(ann)
    item = task["item"]
    paths = [f"{API}/documents/{item['document_id']}/{part}" for part in ("record", "reviews", "record?as_extracted=1")]
    paths += [f"{API}/agreement", f"{API}/queue/counts"]
    before = [read(path) for path in paths]
    answer = {"version": item["version"], "choice": "unknowable"}
    assert ann.post(f"{API}/queue/{item['id']}/decisions", json=answer).status_code == 200
    after = [read(path) for path in paths]
    after[-1]["held"] = before[-1]["held"]
    assert after == before
    told = eve.get("/metrics").text
    assert f'extractor_decisions_total{{action="blind"}} {float(len(item["fields"]))}' in told
    assert 'action="unknowable"' not in told


def test_who_settles_two_looks_gets_both_of_them(fresh: Served) -> None:
    fill(fresh.store, LOST, WATCHED)
    ann, eve, bob = (fresh.by_key(name) for name in ("ann", "eve", "bob"))
    task = claim(ann)
    number, fields = task["item"]["id"], task["item"]["fields"]
    assert task["proposals"] == []
    says = {"field_id": fields[0], "action": "corrected", "text": "77"}
    unknowable = [{"field_id": name, "action": "unknowable"} for name in fields]
    for client, answers in ((ann, unknowable), (eve, [says, *unknowable[1:]])):
        shown = client.post(f"{API}/queue/{number}/claim").json()
        assert shown["proposals"] == []
        sent = {"version": shown["item"]["version"], "answers": answers}
        assert client.post(f"{API}/queue/{number}/decisions", json=sent).status_code == 200
    proposals = bob.post(f"{API}/queue/{number}/claim").json()["proposals"]
    assert [one["account"] for one in proposals] == ["ann", "eve"]
    assert proposals[1]["fields"][0]["after"]["raw"] == "77"


def test_the_same_request_gets_the_same_answer_though_its_choice_is_gone(fresh: Served) -> None:
    fill(fresh.store, LOST)
    bob = serve(fresh.store).by_key("bob")
    task = claim(bob)
    for choice in [one["id"] for one in task["choices"]]:
        sent = {"version": task["item"]["version"], "choice": choice}
        path, key = f"{API}/queue/{task['item']['id']}/decisions", {"Idempotency-Key": f"key-{choice}"}
        first = bob.post(path, json=sent, headers=key)
        if first.status_code == 200:
            again = bob.post(path, json=sent, headers=key)
            assert (again.status_code, again.json()) == (200, first.json())
            assert again.headers["idempotency-replayed"] == "true"
            return
    pytest.fail("no choice could be taken")


def test_two_processes_do_a_request_once(fresh: Served) -> None:
    one, other = (KeyedAnswers(fresh.store, fresh.clock) for _ in range(2))  # each with its own list of what goes on

    def submit(keep: Keep) -> Health:
        with fresh.store.write() as books:
            books.runs.create("submitted", "ann", {})
            keep(books, Health())
        return Health()

    def submit_late(keep: Keep) -> Health:
        other.answer("ann", "key", "request", submit)
        return submit(keep)

    with pytest.raises(Problem) as refused:
        one.answer("ann", "key", "request", submit_late)
    assert (refused.value.status_code, refused.value.code) == (409, "key-under-way")
    with fresh.store.read() as books:
        assert len(books.runs.list()[0]) == 1


def test_everybody_changes_his_own_password_and_all_logins_end(served: Served) -> None:
    new = "another one 又一个"
    page, other = page_of(served, "eve"), page_of(served, "eve")
    assert page.get("/password").status_code == 200
    wrong = page.post("/password", data={"old": "no such one", "new": new, "again": new})
    assert wrong.status_code == 401
    assert page.post("/password", data={"old": PASSWORD, "new": new, "again": new + "x"}).status_code == 422
    assert other.get("/queue").status_code == 200
    assert page.post("/password", data={"old": PASSWORD, "new": new, "again": new}).headers["location"] == "/login"
    assert other.get("/queue").status_code == 303
    program = served.by_key("eve")
    assert problem_of(program.post(f"{API}/password", json={"old": PASSWORD, "new": new})) == (401, "wrong-login")
    assert program.post(f"{API}/password", json={"old": new, "new": PASSWORD}).status_code == 204


def test_many_passwords_tried_at_once_are_still_too_many(fresh: Served) -> None:
    def fail(number: int) -> int:
        try:
            fresh.app.state.service.logins.log_in("ann", f"wrong {number}", "10.0.0.1")
        except Problem as problem:
            return problem.status_code
        return 0

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(fail, range(20)))
    assert statuses.count(401) <= 6
    assert set(statuses) == {401, 429}


def test_a_name_that_looks_like_another_is_taken(served: Served) -> None:
    admin = served.by_key("bob")
    for name in ("ANN", "ａnn", "Local"):
        assert admin.post(f"{API}/accounts", json={"name": name, "role": "admin"}).status_code in (409, 422), name


def test_two_admins_cannot_shut_each_other_out(served: Served) -> None:
    add_people(served.store, {"cy": "admin"})

    def disable(name: str) -> bool:
        try:
            change_account(served.store, name, is_active=False)
        except Problem:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(disable, ("bob", "cy")))
    assert sorted(done) == [False, True]
    for name, was_disabled in zip(("bob", "cy"), done, strict=True):
        if was_disabled:
            change_account(served.store, name, is_active=True)
    change_account(served.store, "cy", is_active=False)


def test_what_takes_long_has_few_seats_for_one(served: Served) -> None:
    service, ann = served.app.state.service, served.by_key("ann")
    run = ann.post(f"{API}/runs", files=[("files", ("a.txt", b"x"))]).json()["id"]
    with ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(service.streams.take("ann"))
        for _ in range(2):
            stack.enter_context(service.exports.take("ann"))
        assert problem_of(ann.get(f"{API}/runs/{run}/events")) == (429, "too-many-at-once")
        assert problem_of(ann.get(f"{API}/runs/{run}/export/run.json")) == (429, "too-many-at-once")
        assert served.by_key("eve").get(f"{API}/runs/{run}/export/run.json").status_code == 200
    assert ann.get(f"{API}/runs/{run}/export/run.json").status_code == 200


def test_files_of_one_name_by_two_people_are_not_versions_of_each_other(fresh: Served) -> None:
    text = FIXTURES[4].read_text(encoding="utf-8")
    for name, content in (("ann", text), ("eve", text + "\n")):
        fresh.by_key(name).post(f"{API}/runs", files=[("files", ("report.txt", content.encode()))])
        fresh.work_off()
    with fresh.store.read() as books:
        second, first = (card.id for card in books.documents.cards()[0])
        assert books.documents.predecessor(second, books.documents.origins(second)) is None
        assert first != second


def test_a_web_page_that_nests_without_end_is_not_shown_as_one(fresh: Served) -> None:
    deep = b"<html><body>" + b"<div>" * 3_000 + "政府信息公开工作年度报告".encode()
    ann = fresh.by_key("ann")
    ann.post(f"{API}/runs", files=[("files", ("deep.html", deep))])
    fresh.work_off()
    document = ann.get(f"{API}/documents").json()["entries"][0]
    assert document["media_type"] == "text/html"
    assert page_of(fresh, "ann").get(f"/documents/{document['id']}/frame").status_code == 422


@pytest.mark.parametrize(("lang", "words"), [("zh", "不是表格单元格里印的数字"), ("en", "is no number")])
def test_a_refusal_is_in_the_language_of_the_page(lang: str, words: str, fresh: Served) -> None:
    fill(fresh.store, LOST)
    page, item = page_of(fresh, "ann"), claim(fresh.by_key("ann"))["item"]
    form = {f"act:{name}": "corrected" for name in item["fields"]} | {f"txt:{name}": "abc" for name in item["fields"]}
    answer = page.post(f"/items/{item['id']}/decide?lang={lang}", data=form | {"version": item["version"]})
    assert answer.status_code == 422
    assert words in answer.text
    assert f"{item['fields'][0]}：" not in answer.text


def test_a_body_that_stands_still_is_not_waited_for() -> None:
    async def never() -> Any:
        await asyncio.Event().wait()

    async def read(scope: Any, receive: Any, send: Any) -> None:
        await receive()

    scope = {"type": "http", "path": "/login", "headers": []}
    limit = BodyLimit(read, upload_paths=frozenset(), upload_mb=1, longest_pause_s=0.01)
    with pytest.raises(Problem) as refused:
        asyncio.run(asyncio.wait_for(limit(scope, never, never), 30))
    assert (refused.value.status_code, refused.value.code) == (408, "too-slow")


def test_a_body_has_one_end(fresh: Served) -> None:
    both = {"transfer-encoding": "chunked", "content-length": "5"}
    assert problem_of(fresh.by_key("ann").post(f"{API}/queue/claim", content=b"0\r\n\r\n", headers=both)) == (
        400,
        "bad-framing",
    )
