from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient

from extractor.store.shapes import Item, QueueFilter
from extractor.store.store import Store

from .conftest import HOSTILE


def find_item(store: Store, kind: str, name: str) -> Item:
    with store.read() as books:
        items, _ = books.queue.page(QueueFilter(), None, 100)
    return next(item for item in items if item.kind == kind and item.name == name)


def token_of(client: TestClient) -> str:
    return re.search(r'name="csrf-token" content="([^"]+)"', client.get("/queue").text).group(1)


def send(client: TestClient, path: str, *, script: bool = True, **form: object):
    headers = {"X-Fragment": "main"} if script else {}
    named = {name.replace("__", ":"): str(value) for name, value in form.items()}
    return client.post(path, data={"csrf_token": token_of(client), **named}, headers=headers)


def version_of(html: str) -> str:
    return re.search(r'name="version" value="(\d+)"', html).group(1)


GRANTED = "applications.granted.natural_person"


def test_the_queue_asks_in_words_and_counts(client):
    page = client.get("/queue").text
    assert "三 表：每个数字都在“总计”列下吗？" in page
    assert "161 格" in page
    assert 'href="/next"' in page


def test_a_filter_stays_in_the_address_and_in_what_is_started(client):
    page = client.get("/queue?kind=equation").text
    assert 'href="/next?kind=equation"' in page
    assert "每个数字都在" not in page
    answer = client.get("/next?kind=equation")
    assert re.fullmatch(r"/items/\d+\?kind=equation", answer.headers["location"])


def test_an_empty_queue_says_what_to_do_next(client):
    page = client.get("/queue?text=nobody").text
    assert "清除筛选" in page
    assert 'id="start"' not in page


def test_a_layout_question_is_settled_by_one_choice(client, store):
    item = find_item(store, "layout", "001_6bf7699e84e20962.txt")
    page = client.get(f"/items/{item.id}").text
    preview = send(client, f"/items/{item.id}/preview", version=version_of(page), chosen="last-column").text
    assert f"{len(item.fields)} 格由此确定" in preview
    answer = send(client, f"/items/{item.id}/decide", version=version_of(page), choice="last-column")
    assert (answer.status_code, "X-Item" in answer.headers) == (200, True)
    assert f"已保存，{len(item.fields)} 格。" in answer.text
    with store.read() as books:
        record = books.documents.live(item.document_id).record
        assert books.queue.get(item.id).state == "settled"
    assert record.fields["applications.new_received.total"].value == 0
    assert record.fields["applications.new_received.business"].state == "blank"


def test_a_correction_shows_what_follows_before_it_is_kept(client, store):
    item = find_item(store, "equation", "sums.html")
    page = client.get(f"/items/{item.id}").text
    assert 'class="sum"' in page
    form = {"version": version_of(page), f"act__{GRANTED}": "corrected", f"txt__{GRANTED}": "6"}
    preview = send(client, f"/items/{item.id}/preview", **form).text
    assert "行“（一）予以公开”：各列之和 = 总计 成立" in preview
    assert 'class="sum"' not in preview
    with store.read() as books:
        assert books.documents.live(item.document_id).record.fields[GRANTED].value == 8
        assert books.reviews.of_document(item.document_id) == []


def test_a_decision_is_in_the_history_and_can_be_taken_back(client, store):
    item = find_item(store, "equation", "sums.html")
    page = client.get(f"/items/{item.id}").text
    form = {"version": version_of(page), "note": "看过原文", f"act__{GRANTED}": "corrected", f"txt__{GRANTED}": "6"}
    assert send(client, f"/items/{item.id}/decide", **form).status_code == 200
    document = client.get(f"/documents/{item.document_id}").text
    assert "<del>8</del> → <ins>6</ins>" in document
    assert "看过原文" in document
    with store.read() as books:
        (review,) = books.reviews.of_document(item.document_id)
    back = send(client, f"/reviews/{review.id}/undo")
    assert back.headers["X-Item"] == str(item.id)
    with store.read() as books:
        assert books.documents.live(item.document_id).record.fields[GRANTED].value == 8


def test_without_a_script_the_form_leads_to_the_next_item(client, store):
    item = find_item(store, "equation", "sums.html")
    page = client.get(f"/items/{item.id}").text
    form = {"version": version_of(page), f"act__{GRANTED}": "unknowable", "among": "kind=layout"}
    answer = send(client, f"/items/{item.id}/decide", script=False, **form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/next?kind=layout")


def test_cells_that_cannot_be_accepted_are_asked_for_and_what_was_typed_stays(client, store):
    item = find_item(store, "layout", "001_6bf7699e84e20962.txt")
    page = client.get(f"/items/{item.id}").text
    form = {"version": version_of(page), "rest": "accepted", "note": "mine", f"act__{item.fields[0]}": "corrected"}
    answer = send(client, f"/items/{item.id}/decide", **form, **{f"txt__{item.fields[0]}": "17"})
    assert answer.status_code == 422
    assert "160 格没有回答" in answer.text
    assert 'value="17"' in answer.text
    assert 'value="mine"' in answer.text
    with store.read() as books:
        assert books.reviews.of_document(item.document_id) == []


def test_an_older_page_is_told_kindly_and_keeps_what_was_typed(client, store):
    item = find_item(store, "equation", "sums.html")
    client.get(f"/items/{item.id}")
    form = {"version": 0, f"act__{GRANTED}": "corrected", f"txt__{GRANTED}": "6"}
    answer = send(client, f"/items/{item.id}/decide", **form)
    assert answer.status_code == 409
    assert "您填的内容还在" in answer.text
    assert 'value="6"' in answer.text


def test_a_settled_item_leads_on(client, store):
    item = find_item(store, "equation", "sums.html")
    page = client.get(f"/items/{item.id}").text
    send(client, f"/items/{item.id}/decide", version=version_of(page), **{f"act__{GRANTED}": "source_wrong"})
    gone = client.get(f"/items/{item.id}")
    assert gone.status_code == 409
    assert 'href="/next"' in gone.text


def test_a_skipped_item_does_not_come_back_at_once(client, store):
    first = client.get("/next").headers["location"]
    page = client.get(first).text
    answer = send(client, f"{first}/skip", version=version_of(page))
    assert answer.headers["X-Item"] != first.rpartition("/")[2]


def test_a_lease_is_kept_while_somebody_works(client, store):
    item = find_item(store, "equation", "sums.html")
    client.get(f"/items/{item.id}")
    assert send(client, f"/items/{item.id}/renew").status_code == 204


def test_nothing_is_changed_without_the_token(client, store):
    item = find_item(store, "equation", "sums.html")
    page = client.get(f"/items/{item.id}").text
    form = {"version": version_of(page), f"act:{GRANTED}": "unknowable"}
    assert (
        client.post(f"/items/{item.id}/decide", data=form, headers={"Origin": "http://testserver"}).status_code == 403
    )


def test_language_and_theme_are_switched_and_remembered(client):
    page = client.get("/queue?lang=en&theme=dark")
    assert '<html lang="en" data-theme="dark">' in page.text
    assert "Does" not in page.headers.get("set-cookie", "")
    again = client.get("/queue").text
    assert '<html lang="en" data-theme="dark">' in again
    assert "does each number stand under" in again


class _Reader(HTMLParser):
    """Collects what a browser would run or fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "script" and not (values.get("src") or "").startswith("/static/"):
            self.found.append(f"script {values}")
        if tag in ("style", "object", "embed", "base", "img"):
            self.found.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name == "style":
                self.found.append(f"{tag} {name}")
            if name in ("href", "src", "action", "formaction") and not (value or "").startswith(("/", "#", "https://")):
                self.found.append(f"{tag} {name}={value}")


def _read(html: str) -> list[str]:
    reader = _Reader()
    reader.feed(html)
    return reader.found


def test_hostile_text_is_shown_and_nothing_of_it_runs(client, store):
    with store.read() as books:
        items, _ = books.queue.page(QueueFilter(), None, 100)
    item = next(item for item in items if "script" in item.name)
    paths = [f"/items/{item.id}", f"/documents/{item.document_id}", "/queue", "/documents"]
    for path in [
        *paths,
        "/queue?text=%3Cscript%3Ealert(9)%3C/script%3E",
        "/documents?text=%22onfocus=alert(9)%20x=%22",
    ]:
        page = client.get(path)
        assert page.status_code == 200
        assert _read(page.text) == [], path
    shown = unescape(client.get(f"/items/{item.id}").text)
    assert HOSTILE[:50] in shown
    assert "{{7*7}}" in shown
    assert "\u202e" not in shown
    assert "javascript:" not in client.get(f"/documents/{item.document_id}").text


def test_the_frame_has_a_policy_of_its_own(client, store):
    item = find_item(store, "equation", "sums.html")
    frame = client.get(f"/documents/{item.document_id}/frame")
    assert frame.status_code == 200
    policy = frame.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert _read(frame.text) == []
    assert f'src="/documents/{item.document_id}/frame"' in client.get(f"/items/{item.id}").text


def test_a_text_has_no_frame(client, store):
    item = find_item(store, "layout", "001_6bf7699e84e20962.txt")
    assert client.get(f"/documents/{item.document_id}/frame").status_code == 404


@pytest.mark.parametrize("path", ["/nowhere", "/items/999999", f"/documents/{'0' * 64}", "/runs/none"])
@pytest.mark.parametrize(("lang", "said"), [("zh", "没有这个页面"), ("en", "There is no such page")])
def test_what_is_not_there_is_said_in_both_languages(client, path, lang, said):
    page = client.get(f"{path}?lang={lang}")
    assert page.status_code == 404
    assert said in page.text


def test_documents_are_found_by_their_agency(client):
    assert "sums.html" in client.get("/documents?text=水务").text
    assert "没有符合的文件" in client.get("/documents?text=nobody").text


def test_documents_can_be_handed_in_and_followed(client):
    files = [("files", ("a.txt", "甲".encode(), "text/plain"))]
    answer = client.post("/runs", data={"csrf_token": token_of(client)}, files=files)
    assert answer.status_code == 303
    page = client.get(answer.headers["location"]).text
    assert "a.txt" in page
    assert 'data-events="/api/v1/runs/' in page
    assert "提交文件" in client.get("/runs").text


def test_every_table_and_control_of_an_item_has_a_name(client, store):
    page = client.get(f"/items/{find_item(store, 'equation', 'sums.html').id}").text
    for tag in re.findall(r"<table[^>]*>", page):
        assert "aria-labelledby" in tag
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for name in re.findall(r'aria-labelledby="([^"]+)"', page):
        assert name in ids
