"""The HTTP API the whole way: documents in, records out, the queue in between."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from served import FIXTURES, Served, add_people, fill, problem_of, serve

from extractor.settings import Settings
from extractor.store.store import Store

API = "/api/v1"
SHIFTED = FIXTURES[1]  # every column is lost: one question about two tables


@pytest.fixture
def served() -> Iterator[Served]:
    with Store.open(":memory:") as store:
        add_people(store, {"ann": "reviewer", "bea": "reviewer", "bob": "admin"})
        yield serve(store)


@pytest.fixture
def ann(served: Served) -> TestClient:
    return served.by_key("ann")


def submit(client: TestClient, *files: tuple[str, bytes], **more: Any) -> Any:
    return client.post(f"{API}/runs", files=[("files", file) for file in files], **more)


# ---------------------------------------------------------------- documents in, records out


def test_what_is_handed_in_is_read_and_can_be_fetched(served: Served, ann: TestClient) -> None:
    raw = SHIFTED.read_bytes()
    answer = submit(
        ann,
        ("一.txt", raw),
        ("again.txt", raw),
        ("empty.html", b""),
        data={"urls": ["https://a.example/x?id=1", "", "http://b.example/y"]},
    )
    assert answer.status_code == 202
    run = answer.json()
    assert (run["state"], run["created_by"], run["counts"]) == ("open", "ann", {"queued": 2})
    served.work_off()
    run = ann.get(f"{API}/runs/{run['id']}").json()
    assert (run["state"], run["counts"]) == ("finished", {"done": 1, "failed": 1})

    done, failed = ann.get(f"{API}/runs/{run['id']}/documents").json()["entries"]
    document_id = hashlib.sha256(raw).hexdigest()
    assert (done["document_id"], done["name"], done["state"]) == (document_id, "一.txt", "done")
    assert [origin["path"] for origin in done["origins"]] == ["submitted/ann/一.txt", "submitted/ann/again.txt"]
    assert (failed["name"], failed["state"], "empty" in failed["problem"]) == ("empty.html", "failed", True)

    details = ann.get(f"{API}/documents/{document_id}").json()
    assert (details["url"], details["site"]) == ("https://a.example/x?id=1", "a.example")
    assert (details["media_type"], details["live_status"]) == ("text/plain", "partial")
    assert details["items"]
    source = ann.get(f"{API}/documents/{document_id}/source")
    assert source.content == raw
    text = ann.get(f"{API}/documents/{document_id}/text").content.decode()
    record = ann.get(f"{API}/documents/{document_id}/record").json()
    title = record["fields"]["header.title"]
    start, end = title["spans"][0]["start"], title["spans"][0]["end"]
    assert text[start:end] == title["raw"]


def test_a_run_is_exported_in_every_form(served: Served, ann: TestClient) -> None:
    run = submit(ann, ("a.txt", FIXTURES[4].read_bytes())).json()
    served.work_off()
    export = f"{API}/runs/{run['id']}/export"
    values = ann.get(f"{export}/values.csv")
    assert values.headers["content-disposition"] == 'attachment; filename="values.csv"'
    rows = list(csv.DictReader(io.StringIO(values.content.decode("utf-8-sig"))))
    record = json.loads(ann.get(f"{export}/records.jsonl").content)
    assert {row["field"] for row in rows} == set(record["fields"])
    assert ann.get(f"{export}/table.xlsx").content.startswith(b"PK")
    assert ann.get(f"{export}/table.parquet").content.startswith(b"PAR1")
    assert ann.get(f"{export}/queue.csv").status_code == ann.get(f"{export}/flags.csv").status_code == 200
    assert json.loads(ann.get(f"{export}/run.json").content)["export"]["run_id"] == run["id"]
    assert problem_of(ann.get(f"{export}/journal.sqlite"))[0] == 422
    assert problem_of(ann.get(f"{API}/runs/none/export/values.csv")) == (404, "not-found")


def test_lists_go_on_where_they_ended(served: Served, ann: TestClient) -> None:
    ids = set(fill(served.store, FIXTURES))
    for number in range(5):
        submit(ann, (f"{number}.txt", b"%d" % number))
    for path, key, wanted in (("documents", "id", ids), ("runs", "id", None)):
        found, after = [], None
        while True:
            page = ann.get(f"{API}/{path}", params={"limit": 2, **({"after": after} if after else {})}).json()
            assert len(page["entries"]) <= 2
            found += [entry[key] for entry in page["entries"]]
            after = page["next"]
            if after is None:
                break
        assert len(found) == len(set(found)) >= 5
        assert wanted is None or wanted <= set(found)
    assert problem_of(ann.get(f"{API}/documents", params={"after": "nonsense"})) == (422, "bad-cursor")


def test_documents_are_found_by_what_is_asked(served: Served, ann: TestClient) -> None:
    fill(served.store, FIXTURES)
    found = ann.get(f"{API}/documents", params={"text": "乌苏市民政局"}).json()["entries"]
    assert [entry["agency_name"] for entry in found] == ["乌苏市民政局"]
    assert ann.get(f"{API}/documents", params={"year": 1999}).json()["entries"] == []
    assert problem_of(ann.get(f"{API}/documents", params={"colour": "red"}))[0] == 422


# ---------------------------------------------------------------- the queue


def take(client: TestClient) -> dict[str, Any]:
    answer = client.post(f"{API}/queue/claim")
    assert answer.status_code == 200, answer.text
    task: dict[str, Any] = answer.json()
    return task


def accept_all(task: dict[str, Any], action: str = "unknowable") -> dict[str, Any]:
    answers = [{"field_id": field_id, "action": action} for field_id in task["item"]["fields"]]
    return {"version": task["item"]["version"], "answers": answers, "note": "看不清"}


def test_a_decision_is_made_once_shown_and_taken_back(served: Served, ann: TestClient) -> None:
    (document_id,) = fill(served.store, [SHIFTED])
    before = ann.get(f"{API}/queue/counts").json()
    task = take(ann)
    item = task["item"]
    assert item["holder"] == "ann"
    assert {choice["id"] for choice in task["choices"]} >= {"unknowable"}
    path = f"{API}/queue/{item['id']}"
    headers = {"Idempotency-Key": "one"}
    decided = ann.post(f"{path}/decisions", json=accept_all(task), headers=headers)
    assert decided.status_code == 200
    again = ann.post(f"{path}/decisions", json=accept_all(task), headers=headers)
    assert again.content == decided.content
    assert again.headers["idempotency-replayed"] == "true"
    assert problem_of(ann.post(f"{path}/decisions", json=accept_all(task))) == (409, "stale-item")

    after = ann.get(f"{API}/queue/counts").json()
    assert (after["open"], after["settled"]) == (before["open"] - 1, before["settled"] + 1)
    (review,) = ann.get(f"{API}/documents/{document_id}/reviews").json()
    assert (review["account"], review["kind"], review["note"]) == ("ann", "decide", "看不清")
    assert [field["field_id"] for field in review["fields"]] == item["fields"]
    record = ann.get(f"{API}/documents/{document_id}/record").json()
    ruling = record["fields"][item["fields"][0]]["ruling"]
    assert (ruling["action"], ruling["by"]) == ("unknowable", ["ann"])
    extracted = ann.get(f"{API}/documents/{document_id}/record", params={"as_extracted": True}).json()
    assert all(field["ruling"] is None for field in extracted["fields"].values())

    undo = f"{API}/reviews/{review['id']}/undo"
    assert problem_of(served.by_key("bea").post(undo)) == (409, "item-held")
    undone = ann.post(undo, headers={"Idempotency-Key": "two"})
    assert undone.status_code == 200
    assert ann.post(undo, headers={"Idempotency-Key": "two"}).content == undone.content
    assert ann.get(f"{API}/queue/counts").json()["open"] == before["open"]
    kinds = [one["kind"] for one in ann.get(f"{API}/documents/{document_id}/reviews").json()]
    assert kinds == ["decide", "undo"]


def test_one_choice_answers_a_whole_item(served: Served, ann: TestClient) -> None:
    fill(served.store, [SHIFTED])
    task = take(ann)
    path = f"{API}/queue/{task['item']['id']}"
    choice = task["choices"][0]["id"]
    both = accept_all(task) | {"choice": choice}
    assert problem_of(ann.post(f"{path}/decisions", json=both)) == (422, "bad-answer")
    wrong = {"version": task["item"]["version"], "choice": "no-such"}
    assert problem_of(ann.post(f"{path}/decisions", json=wrong)) == (422, "bad-answer")
    right = wrong | {"choice": choice}
    preview = ann.post(f"{path}/preview", json=right)
    assert preview.status_code == 200
    field_id = task["item"]["fields"][0]
    assert preview.json()["fields"][field_id]["ruling"]["by"] == ["ann"]
    with served.store.read() as books:
        assert books.reviews.of_document(task["item"]["document_id"]) == []  # it was a preview
    decided = ann.post(f"{path}/decisions", json=right).json()
    assert decided["item"]["state"] == "settled"
    record = ann.get(f"{API}/documents/{task['item']['document_id']}/record").json()
    assert record["fields"] == {
        name: field if field["ruling"] is None else field | {"ruling": record["fields"][name]["ruling"]}
        for name, field in preview.json()["fields"].items()
    }


def test_two_people_never_have_one_item(served: Served, ann: TestClient) -> None:
    fill(served.store, [SHIFTED])
    bea = served.by_key("bea")
    mine = take(ann)
    path = f"{API}/queue/{mine['item']['id']}"
    theirs = take(bea)
    assert theirs["item"]["id"] != mine["item"]["id"]
    assert problem_of(bea.post(f"{path}/claim")) == (409, "item-held")
    assert problem_of(bea.post(f"{path}/decisions", json=accept_all(mine))) == (409, "item-held")
    assert problem_of(bea.post(f"{path}/renew")) == (409, "item-held")
    served.clock.move(minutes=served.settings.lease_minutes + 1)
    late = ann.post(f"{path}/decisions", json=accept_all(mine))
    assert problem_of(late) == (409, "stale-item")
    assert bea.post(f"{path}/claim").status_code == 200
    assert ann.post(f"{path}/release").status_code == 200  # nothing of hers: nothing happens
    assert ann.get(path).json()["holder"] == "bea"


def test_the_queue_is_filtered_and_skipped_through_to_its_end(served: Served, ann: TestClient) -> None:
    fill(served.store, [SHIFTED])
    listed = ann.get(f"{API}/queue").json()["entries"]
    assert [item["priority"] for item in listed] == sorted((item["priority"] for item in listed), reverse=True)
    kind = listed[0]["kind"]
    only = ann.get(f"{API}/queue", params={"kind": kind}).json()["entries"]
    assert {item["kind"] for item in only} == {kind}
    assert ann.get(f"{API}/queue/counts", params={"kind": kind}).json()["open"] == len(only)
    skip = [item["id"] for item in listed]
    assert ann.post(f"{API}/queue/claim", json={"skip": skip[:-1]}).json()["item"]["id"] == skip[-1]
    assert ann.post(f"{API}/queue/claim", json={"skip": skip}).status_code == 204
    assert ann.post(f"{API}/queue/claim", json={"filter": {"site": "nowhere"}}).status_code == 204


def test_answers_that_answer_nothing_are_refused(served: Served, ann: TestClient) -> None:
    fill(served.store, [SHIFTED])
    task = take(ann)
    path, fields = f"{API}/queue/{task['item']['id']}/decisions", task["item"]["fields"]
    version = task["item"]["version"]
    for answers in (
        [],
        [{"field_id": fields[0], "action": "unknowable"}],
        [{"field_id": "header.nothing", "action": "unknowable"}],
        [{"field_id": name, "action": "corrected", "text": "so and so"} for name in fields],
    ):
        body = {"version": version, "answers": answers}
        assert problem_of(ann.post(path, json=body)) == (422, "bad-answer"), answers
    nonsense = {"version": version, "answers": [{"field_id": fields[0], "action": "invent"}]}
    told = ann.post(path, json=nonsense)
    assert problem_of(told) == (422, "invalid-request")
    assert told.json()["errors"][0]["where"] == "body.answers.0.action"
    assert "invent" not in told.text
    with served.store.read() as books:
        assert books.reviews.of_document(task["item"]["document_id"]) == []


def test_nobody_who_looks_is_told_what_is_looked_at_unasked(served: Served, ann: TestClient) -> None:
    fill(served.store, FIXTURES[:3], Settings(audit_share=1))
    with served.store.read() as books:
        assert "audit" in {item.kind for item in books.queue.page(limit=200)[0]}
    listed = ann.get(f"{API}/queue", params={"limit": 200})
    assert "audit" not in listed.text
    assert problem_of(ann.get(f"{API}/queue", params={"kind": "audit"}))[0] == 422
    taken = []
    while (answer := ann.post(f"{API}/queue/claim", json={"skip": taken})).status_code == 200:
        assert "audit" not in json.dumps(answer.json()["item"])
        taken.append(answer.json()["item"]["id"])
    assert len(taken) == len(listed.json()["entries"])


# ---------------------------------------------------------------- pages


def test_pages_are_drawn_and_fields_stand_on_them(served: Served, ann: TestClient, tmp_path: Path) -> None:
    import pymupdf

    with pymupdf.open() as drawn:
        sheet = drawn.new_page(width=300, height=200)
        sheet.insert_text((30, 60), "某某县教育局2023年政府信息公开工作年度报告", fontname="china-s", fontsize=9)
        (tmp_path / "a.pdf").write_bytes(drawn.tobytes())
    (document_id,) = fill(served.store, [tmp_path / "a.pdf"])
    path = f"{API}/documents/{document_id}"
    assert [page["width"] for page in ann.get(path).json()["pages"]] == [300.0]
    picture = ann.get(f"{path}/pages/1.png")
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    assert ann.get(f"{path}/pages/1.png").content == picture.content
    assert problem_of(ann.get(f"{path}/pages/2.png")) == (404, "not-found")
    (place,) = ann.get(f"{path}/places", params={"field": "header.title"}).json()
    left, top, right, bottom = place["box"]
    assert (place["page"], place["width"], place["height"]) == (1, 300.0, 200.0)
    assert 25 < left < right < 300
    assert 45 < top < bottom < 70
    assert problem_of(ann.get(f"{path}/places", params={"field": "header.nothing"})) == (404, "not-found")


# ---------------------------------------------------------------- requests that are sent again


def test_a_key_names_one_request(served: Served, ann: TestClient) -> None:
    headers = {"Idempotency-Key": "k"}
    first = submit(ann, ("a.txt", b"one"), headers=headers)
    again = submit(ann, ("a.txt", b"one"), headers=headers)
    assert (again.status_code, again.content) == (202, first.content)
    assert problem_of(submit(ann, ("a.txt", b"two"), headers=headers)) == (422, "key-reused")
    assert problem_of(submit(ann, ("b.txt", b"one"), headers=headers)) == (422, "key-reused")
    other = submit(served.by_key("bea"), ("a.txt", b"one"), headers=headers)
    assert other.json()["id"] != first.json()["id"]
    served.clock.move(hours=25)
    fresh = submit(ann, ("c.txt", b"three"), headers={"Idempotency-Key": "other"})  # sweeps
    assert fresh.status_code == 202
    assert submit(ann, ("a.txt", b"two"), headers=headers).status_code == 202
    with served.store.read() as books:
        assert len(books.runs.list()[0]) == 4


def test_keys_are_short_and_plain(ann: TestClient) -> None:
    for key in ("", "x" * 101, "a b", "ä"):
        assert problem_of(submit(ann, ("a.txt", b"one"), headers={"Idempotency-Key": key.encode()}))[0] == 422, key


def test_one_key_at_once_is_done_once(served: Served, ann: TestClient) -> None:
    """Ten threads send the same: one does it, the others are told to wait or get its answer."""
    answers: list[Any] = []

    def send() -> None:
        answers.append(submit(ann, ("a.txt", b"one"), headers={"Idempotency-Key": "k"}))

    threads = [threading.Thread(target=send) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [answer.json()["id"] for answer in answers if answer.status_code == 202]
    told = [problem_of(answer) for answer in answers if answer.status_code != 202]
    assert len(done) >= 1
    assert len(set(done)) == 1
    assert set(told) <= {(409, "key-under-way")}
    with served.store.read() as books:
        assert len(books.runs.list()[0]) == 1


# ---------------------------------------------------------------- people, numbers


def test_accounts_are_made_changed_and_shut(served: Served) -> None:
    bob = served.by_key("bob")
    made = bob.post(f"{API}/accounts", json={"name": "爱丽丝", "role": "reviewer"})
    assert made.status_code == 201
    key = bob.post(f"{API}/accounts/爱丽丝/keys").json()
    alice = served.client(authorization=f"Bearer {key['key']}")
    assert alice.get(f"{API}/queue/counts").status_code == 200
    assert key["key"] not in bob.get(f"{API}/accounts").text
    assert problem_of(bob.post(f"{API}/accounts", json={"name": "爱丽丝", "role": "admin"})) == (409, "name-taken")
    assert bob.delete(f"{API}/keys/{key['id']}").status_code == 204
    assert problem_of(alice.get(f"{API}/queue/counts"))[0] == 401
    changed = bob.patch(f"{API}/accounts/爱丽丝", json={"role": "admin", "password": "a new one, long"})
    assert (changed.json()["role"], changed.json()["has_password"]) == ("admin", True)
    assert bob.patch(f"{API}/accounts/bob", json={"role": "reviewer"}).status_code == 200
    assert problem_of(bob.get(f"{API}/accounts")) == (403, "admins-only")
    alice = served.by_session("爱丽丝")
    assert problem_of(alice.patch(f"{API}/accounts/爱丽丝", json={"is_active": False})) == (409, "last-admin")
    assert problem_of(alice.patch(f"{API}/accounts/nobody", json={})) == (404, "not-found")


def test_names_that_are_no_names(served: Served) -> None:
    bob = served.by_key("bob")
    for name in ("", "local", "a b", "a/b", "-a", "a\n", "x" * 65, "a\u202e", "<b>", "a\x00"):
        assert problem_of(bob.post(f"{API}/accounts", json={"name": name, "role": "admin"}))[0] == 422, name


def test_a_new_password_ends_all_logins(served: Served) -> None:
    browser = served.by_session("ann")
    assert browser.get(f"{API}/queue/counts").status_code == 200
    served.by_key("bob").patch(f"{API}/accounts/ann", json={"password": "another long one"})
    assert problem_of(browser.get(f"{API}/queue/counts"))[0] == 401


def test_numbers_for_prometheus(served: Served, ann: TestClient) -> None:
    fill(served.store, [SHIFTED])
    submit(ann, ("a.txt", b"one"))
    task = take(ann)
    ann.post(f"{API}/queue/{task['item']['id']}/decisions", json=accept_all(task))
    ann.get(f"{API}/runs/none")
    ann.get("/nothing/here")
    ann.request("BREW", f"{API}/runs")
    text = ann.get("/metrics").text
    with served.store.read() as books:
        counts = books.queue.counts()
    assert f'extractor_queue_items{{state="open"}} {float(counts.open)}' in text
    assert "extractor_documents_waiting 1.0" in text
    assert "extractor_documents_submitted_total 1.0" in text
    assert f'extractor_decisions_total{{action="unknowable"}} {float(len(task["item"]["fields"]))}' in text
    route = 'method="POST",route="/api/v1/queue/{item_id}/decisions",status="200"'
    assert f"extractor_requests_total{{{route}}} 1.0" in text
    assert 'method="GET",route="-",status="404"' in text
    assert 'method="OTHER"' in text
    assert "/nothing/here" not in text
    assert "BREW" not in text


def test_health_needs_nothing_and_readiness_needs_the_store(served: Served) -> None:
    client = served.client()
    assert client.get("/healthz").json() == client.get("/readyz").json() == {"status": "ok"}
    served.store.close()
    assert client.get("/healthz").status_code == 200
    status, code = problem_of(client.get("/readyz"))
    assert (status, code) == (503, "bad-store")


def test_who_asks_too_often_waits(served: Served) -> None:
    slow = serve(served.store, Settings(requests_per_account=3))
    ann, bea = slow.by_key("ann"), slow.by_key("bea")
    assert [ann.get(f"{API}/queue/counts").status_code for _ in range(3)] == [200] * 3
    told = ann.get(f"{API}/queue/counts")
    assert problem_of(told) == (429, "too-many-requests")
    assert int(told.headers["retry-after"]) >= 1
    assert bea.get(f"{API}/queue/counts").status_code == 200
    nobody = slow.client()
    assert [problem_of(nobody.get(f"{API}/runs"))[0] for _ in range(4)] == [401, 401, 401, 429]
    assert nobody.get("/healthz").status_code == 200
