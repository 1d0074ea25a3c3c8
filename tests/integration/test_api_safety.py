"""What the service does with what is meant to hurt it: nothing dies, nothing leaks, nothing is fetched."""

from __future__ import annotations

import io
import json
import logging
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from served import FIXTURES, HOST, PASSWORD, Served, add_people, fill, problem_of, serve

from extractor.settings import Settings
from extractor.store.store import Store
from extractor.web.entrance import Entrance
from extractor.web.limits import SMALL_BODY
from extractor.web.request_log import LOG, JsonLines

API = "/api/v1"
SMALL = Settings(max_source_mb=1, max_upload_mb=2, max_upload_files=20, page_timeout_s=20)


@pytest.fixture
def served() -> Iterator[Served]:
    with Store.open(":memory:") as store:
        add_people(store, {"ann": "reviewer", "bob": "admin"})
        yield serve(store, SMALL)


@pytest.fixture
def ann(served: Served) -> TestClient:
    return served.by_key("ann")


def submit(client: TestClient, *files: tuple[str, bytes], **more: Any) -> Any:
    return client.post(f"{API}/runs", files=[("files", file) for file in files], **more)


def pack(**parts: str | bytes) -> bytes:
    """A zip of these parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return buffer.getvalue()


LAUGHS = '<!DOCTYPE d [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {new} "{("&" + old + ";") * 10}">' for old, new in zip("abcdefghi", "bcdefghij", strict=True)
)
WORD = (
    '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>{}</w:t>'
)
WORD += "</w:r></w:p></w:body></w:document>"
MONSTERS = {
    "zip bomb.docx": pack(word__document_xml=WORD.format("0" * 60_000_000)),
    "entities.docx": pack(word__document_xml=LAUGHS + "]>" + WORD.format("&j;")),
    "file entity.docx": pack(
        word__document_xml='<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + WORD.format("&x;")
    ),
    "quine.zip": pack(**{"a.zip": pack(**{"b.zip": b"0" * 100_000})}),
    "deep.html": b"<table>" + b"<div>" * 20_000 + "政府信息公开".encode(),
    "rows.html": b"<table>" + b"<tr><td colspan=1000 rowspan=1000>1" * 2_000,
    "broken.pdf": b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Kids[2 0 R]/Count 1>>endobj",
    "no pixels.png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x02\x00\x00\x00",
    "noise.bin": bytes(range(256)) * 100,
    "nul.txt": b"\x00" * 1000,
    "not utf-8.txt": b"\xff\xfe\xfd" * 1000,
}


def test_monsters_are_failed_documents_and_the_rest_is_read(served: Served, ann: TestClient) -> None:
    run = submit(ann, *MONSTERS.items(), ("good.txt", FIXTURES[4].read_bytes())).json()
    served.work_off()
    documents = ann.get(f"{API}/runs/{run['id']}/documents").json()["entries"]
    states = {document["name"]: document["state"] for document in documents}
    assert states["good.txt"] == "done"
    assert set(states.values()) <= {"done", "failed"}
    for name in ("zip bomb.docx", "entities.docx", "quine.zip", "broken.pdf", "no pixels.png", "nul.txt"):
        assert states[name] == "failed", name
    hostname = Path("/etc/hostname")
    for document in documents:
        if document["state"] == "done" and hostname.exists():
            text = ann.get(f"{API}/documents/{document['document_id']}/text").text
            assert "entity" not in document["name"] or hostname.read_text().strip() not in text
    assert ann.get("/readyz").status_code == 200


def test_nothing_is_fetched(served: Served, ann: TestClient) -> None:
    """No name is looked up and no connection made, for the url of a document or for what stands in it."""
    calls: list[str] = []
    is_watching = True

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if is_watching and event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request"):
            calls.append(f"{event} {arguments[1:]}")

    sys.addaudithook(watch)  # of the interpreter: sees every connection, whoever makes it
    try:
        page = (
            '<html><base href="http://evil.example/"><link rel=stylesheet href="//evil.example/a.css">'
            '<img src="http://127.0.0.1:9/x.png"><img src="file:///etc/passwd"><img src="../../../etc/passwd">'
            '<iframe src="http://169.254.169.254/latest"></iframe><p>政府信息公开工作年度报告</p></html>'
        )
        urls = ["http://169.254.169.254/latest/meta-data/"]
        run = submit(ann, ("a.html", page.encode()), data={"urls": urls})
        assert run.status_code == 202
        served.work_off()
        (document,) = ann.get(f"{API}/runs/{run.json()['id']}/documents").json()["entries"]
        assert ann.get(f"{API}/documents/{document['document_id']}").json()["url"] == urls[0]
        browser = served.by_session("ann")
        assert browser.get(f"/documents/{document['document_id']}").status_code == 200
        assert browser.get(f"/documents/{document['document_id']}/frame").status_code == 200
    finally:
        is_watching = False
    assert calls == []


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "gopher://x",
        "//x.example",
        "http://",
        "http://[",
        "x",
        "http://a/\n",
    ],
)
def test_what_is_no_web_address_is_refused(url: str, ann: TestClient) -> None:
    answer = submit(ann, ("a.txt", b"one"), data={"urls": [url]})
    assert answer.status_code == (202 if url == "http://a/\n" else 422)  # space around it is not part of it


NAMES = [
    "../../../../etc/cron.d/x",
    "/etc/passwd",
    "C:\\Windows\\system32\\x.dll",
    "..\\..\\x",
    "a\r\nSet-Cookie: evil=1\r\n\r\n<script>",
    'a"; filename="b.exe',
    "x" * 300,
    "\x00.txt",
    "报告\u202efdp.exe",
    "%2e%2e%2fx",
    "~root",
    "CON",
    "<img src=x onerror=alert(1)>.html",
]


def test_names_of_files_are_text(
    served: Served, ann: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They touch no file, no header and no other name."""
    monkeypatch.chdir(tmp_path)
    boundary = b"b0undary"
    parts = b"".join(
        b"--"
        + boundary
        + b'\r\nContent-Disposition: form-data; name="files"; filename="'
        + name.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\r\n", b"%0D%0A")
        + b'"\r\n\r\n'
        + FIXTURES[4].read_bytes()
        + name.encode()
        + b"\r\n"
        for name in NAMES
    )
    body = parts + b"--" + boundary + b"--\r\n"
    kind = {"content-type": f"multipart/form-data; boundary={boundary.decode()}"}
    answer = ann.post(f"{API}/runs", content=body, headers=kind)
    assert answer.status_code == 202, answer.text
    served.work_off()
    documents = ann.get(f"{API}/runs/{answer.json()['id']}/documents").json()["entries"]
    assert len(documents) == len(NAMES)
    for document in documents:
        assert document["name"].isprintable()
        assert len(document["name"]) <= 255
        source = ann.get(f"{API}/documents/{document['document_id']}/source")
        assert set(source.headers) >= {"content-disposition", "content-security-policy"}
        disposition = source.headers["content-disposition"]
        assert disposition.startswith("attachment; filename*=UTF-8''")
        assert disposition.isascii()
        assert not set(disposition.partition("''")[2]) & set('\r\n"\\/; ')
        assert source.headers["content-type"] == "application/octet-stream"
        assert "sandbox" in source.headers["content-security-policy"]
        assert "set-cookie" not in source.headers
    assert list(tmp_path.iterdir()) == []


def test_too_much_is_refused_before_it_is_kept(served: Served, ann: TestClient) -> None:
    big, half = b"x" * 1_000_001, b"y" * 900_000
    assert problem_of(submit(ann, ("a.txt", b"fine"), ("b.txt", big))) == (413, "file-too-large")
    files = [(f"{number}.txt", half + b"%d" % number) for number in range(5)]
    assert problem_of(submit(ann, *files)) == (413, "too-large")
    many = [(f"{number}.txt", b"%d" % number) for number in range(21)]
    assert problem_of(submit(ann, *many))[0] == 400
    assert submit(ann, *many[:20]).status_code == 202
    note = {"version": 1, "answers": [], "note": "n" * SMALL_BODY}
    assert problem_of(ann.post(f"{API}/queue/1/decisions", json=note)) == (413, "too-large")

    def stream() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 100_000

    endless = ann.post(f"{API}/queue/claim", content=stream(), headers={"content-type": "application/json"})
    assert problem_of(endless) == (413, "too-large")
    with served.store.read() as books:
        assert len(books.runs.list()[0]) == 1


def test_a_thousand_files_at_once(served: Served) -> None:
    roomy = serve(served.store, Settings(max_upload_files=1000))
    ann = roomy.by_key("ann")
    run = submit(ann, *((f"{number}.txt", b"%d" % number) for number in range(1000)))
    assert run.json()["counts"] == {"queued": 1000}
    assert submit(ann).status_code == 422


BODIES = [
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"{",
    b'{"version": 1e999, "answers": []}',
    b'{"version": ' + b"9" * 5000 + b', "answers": []}',
    b'{"version": 99999999999999999999, "answers": []}',
    b'{"version": NaN, "answers": []}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"version": 1, "answers": [], "note": "\\ud800"}',
    b'{"version": 1, "answers": [], "note": "\\u0000"}',
    b'{"version": 1, "answers": [], "note": "\xff\xfe"}',
    b'{"version": 1, "answers": [], "choice": "\\u001b[31m"}',
    b'{"version": 1, "answers": [{"field_id": "\\u0000", "action": "accepted"}]}',
    b'{"version": 1, "answers": [' + b'{"field_id": "a", "action": "accepted"},' * 5000 + b"null]}",
    b'{"version": 1, "version": 2, "answers": [], "colour": "red"}',
    b"\x00" * 1000,
    "\ufeff{}".encode(),
    "{}".encode("utf-16"),
]


def test_bodies_that_are_nothing_are_told_so(served: Served) -> None:
    fill(served.store, [FIXTURES[1]])
    ann = served.by_key("ann")
    item = ann.post(f"{API}/queue/claim").json()["item"]["id"]
    for path in (f"queue/{item}/decisions", f"queue/{item}/preview"):
        for body in BODIES:
            answer = ann.post(f"{API}/{path}", content=body, headers={"content-type": "application/json"})
            assert 400 <= problem_of(answer)[0] < 500, body[:80]
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "x" * 1000):
        answer = ann.post(f"{API}/queue/{item}/decisions", content=b'{"version":1}', headers={"content-type": kind})
        assert 400 <= problem_of(answer)[0] < 500, kind
    for kind in ("multipart/form-data", "multipart/form-data; boundary=" + "b" * 500, "application/json"):
        answer = ann.post(f"{API}/runs", content=b"--b\r\n\r\n", headers={"content-type": kind})
        assert 400 <= problem_of(answer)[0] < 500, kind
    bob = served.by_key("bob")
    for name in ("a\x00", "\ud800", "x" * 10_000, "é" * 65):
        for body in ({"name": name, "role": "admin"}, {"name": "a", "role": name}):
            raw = json.dumps(body).encode()
            answer = bob.post(f"{API}/accounts", content=raw, headers={"content-type": "application/json"})
            assert 400 <= problem_of(answer)[0] < 500


ADDRESSES = [
    "runs/%00",
    "runs/..%2f..%2fetc",
    "runs/%ff",
    "runs/" + "x" * 3000,
    "runs?after=%00",
    "runs?after=" + "A" * 5000,
    "runs?after=WyI5OTk5OTk5OTk5OTk5OTk5OTk5OTkiXQ",
    "runs?after=W1tbW1tbW1tbW10",
    "runs?after=é",
    "runs?limit=0",
    "runs?limit=99999999999999999999999",
    "documents?text=%00",
    "documents?text=%ed%a0%80",
    "documents?text=%25",
    "documents?year=99999999999999999999",
    "documents?year=1e3",
    "documents/" + "f" * 63,
    "documents/" + "F" * 64,
    "documents/" + "f" * 64 + "/pages/0.png",
    "documents/" + "f" * 64 + "/pages/99999999999999999999.png",
    "documents/" + "f" * 64 + "/places?field=%00",
    "queue?kind=nothing",
    "queue?code=%00",
    "queue?site=%27%20OR%201=1--",
    "queue?after=WzFlOTk5LCAxXQ",  # [1e999, 1]
    "queue?after=WzEuMCwgOTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5XQ",  # a number that fits no column
    "queue?after=W05hTiwgMV0",  # [NaN, 1]
    "documents?after=WyJcdTAwMDAiLCAieCJd",  # ["\\u0000", "x"]
    "documents?after=WyJcdWQ4MDAiLCAieCJd",  # half a character
    "queue/0",
    "queue/-1",
    "queue/99999999999999999999",
    "statistics?days=0",
    "statistics?days=999999999",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses_that_lead_nowhere_are_told_so(address: str, ann: TestClient) -> None:
    answer = ann.get(f"{API}/{address}")
    assert answer.status_code < 500, answer.text
    if answer.status_code != 200:
        problem_of(answer)


def test_other_methods_and_other_hosts(served: Served, ann: TestClient) -> None:
    told = ann.delete(f"{API}/runs")
    assert problem_of(told) == (405, "method-not-allowed")
    assert told.headers["allow"] == "GET, POST"
    for host in ("evil.example", "localhost.evil.example", "", "127.0.0.1.evil.example:8000"):
        assert problem_of(ann.get("/healthz", headers={"host": host})) == (421, "unknown-host")
    assert served.client().get("/healthz", headers={"host": "127.0.0.1:9"}).status_code == 200


def test_every_answer_carries_the_headers(served: Served, ann: TestClient) -> None:
    browser = served.by_session("ann")
    answers = [
        ann.get("/healthz"),
        ann.get(f"{API}/runs"),
        ann.get("/nothing"),
        ann.get("/healthz", headers={"host": "evil.example"}),
        served.client().get(f"{API}/runs"),
        browser.get("/login"),
        browser.get("/documents"),
        browser.get("/static/icon.svg"),
    ]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "*" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        is_static = "/static/" in str(answer.url)  # a sandboxed frame, which has no origin, needs its style, too
        assert answer.headers["cross-origin-resource-policy"] == ("cross-origin" if is_static else "same-origin")
        assert answer.headers["x-request-id"]
        assert "server" not in answer.headers
        if not is_static:
            assert answer.headers["cache-control"] == "no-store"
    assert "immutable" in browser.get("/static/icon.svg?v=123").headers["cache-control"]
    assert "strict-transport-security" not in answers[0].headers
    secured = serve(served.store, SMALL, Entrance.accounts(is_behind_tls=True))
    assert secured.client().get("/healthz").headers["strict-transport-security"]


def test_nothing_that_was_sent_stands_in_the_log(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole session with a canary in every place, errors and an unforeseen one included."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    monkeypatch.setattr(LOG, "handlers", [handler])
    monkeypatch.setattr(LOG, "propagate", False)
    LOG.setLevel(logging.INFO)
    canary = "CANARY"
    browser = served.client(origin=HOST, accept="text/html", referer=f"{HOST}/{canary}")
    browser.get("/login", params={"back": f"/{canary}"})
    token = browser.cookies["extractor_form"]
    for password in (f"{canary} wrong", PASSWORD):
        form = {"name": "ann", "password": password, "csrf_token": token, "back": f"/documents?text={canary}"}
        answer = browser.post("/login", data=form)
    assert answer.status_code == 303
    session = browser.cookies["extractor_session"]
    browser.get("/documents", params={"text": canary})
    ann = served.by_key("ann")
    key = ann.headers["authorization"].split()[1]
    text = FIXTURES[1].read_bytes() + canary.encode()
    submit(
        ann, (f"{canary}.txt", text), data={"urls": [f"https://{canary}.example/"]}, headers={"Idempotency-Key": canary}
    )
    served.work_off()
    task = ann.post(f"{API}/queue/claim").json()
    path = f"{API}/queue/{task['item']['id']}"
    ann.post(f"{path}/decisions", json={"version": 1, "answers": [], "note": canary, "choice": canary})
    ann.post(f"{path}/decisions", json={"version": canary})
    answers = [{"field_id": name, "action": "unknowable"} for name in task["item"]["fields"]]
    version = task["item"]["version"]
    assert (
        ann.post(f"{path}/decisions", json={"version": version, "answers": answers, "note": canary}).status_code == 200
    )
    ann.get(f"/{canary}?{canary}={canary}")
    ann.get(f"{API}/runs/{canary}")
    ann.get("/healthz", headers={"host": canary, "x-request-id": f"{canary} with a space", "user-agent": canary})

    def break_down(*arguments: object, **more: object) -> None:
        raise RuntimeError(f"{canary} {arguments}")

    monkeypatch.setattr("extractor.web.api.documents.DocumentView.model_validate", break_down)
    broken = ann.get(f"{API}/documents", params={"text": canary})
    assert problem_of(broken) == (500, "internal-error")
    assert canary not in broken.text
    log = stream.getvalue()
    for secret in (canary, PASSWORD, token, session, key, key[:12], "乌苏", "政府"):
        assert secret not in log, secret
    lines = [json.loads(line) for line in log.splitlines()]
    assert {line["event"] for line in lines} == {"request", "error"}
    (error,) = [line for line in lines if line["event"] == "error"]
    assert error["error"] == "RuntimeError"
    assert error["request"] == broken.headers["x-request-id"]
    assert any("break_down" in place for place in error["places"])
    decided = [line for line in lines if line.get("route") == "/api/v1/queue/{item_id}/decisions"]
    assert [(line["status"], line["account"]) for line in decided] == [(422, "ann"), (422, "ann"), (200, "ann")]
