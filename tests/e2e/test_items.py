"""Answering in the browser: one key for a whole table, the report itself wrong, not to be known, nothing printed, what
another one settled in the meantime, an expired login, no script.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from extractor.model import CellState
from extractor.store.store import Store
from tests.e2e.conftest import PASSWORD, OpenPage
from tests.e2e.documents import NEW, copy_fixture, file_document, write_page
from tests.e2e.services import Service

FIELD = f"{NEW}.total"


def test_one_key_settles_the_layout_of_a_whole_table(
    at_home: Service, store: Store, open_page: OpenPage, tmp_path: Path
) -> None:
    filed = file_document(store, tmp_path, "layout.txt", copy_fixture("001", "layout"))
    item = next(item for item in filed.items if item.kind == "layout" and item.section == "applications")
    assert len(item.fields) == 161
    page = open_page(at_home, f"/items/{item.id}")
    page.keyboard.press("1")
    expect(page.locator("#effects")).to_contain_text("161")
    page.keyboard.press("Enter")
    expect(page.locator(f'#review:not([data-item="{item.id}"])')).to_be_visible()
    with store.read() as books:
        record = books.documents.live(filed.id).record
        assert books.queue.get(item.id).state == "settled"
    settled = [record.fields[name] for name in item.fields]
    assert {field.decision for field in settled} == {"accepted"}
    assert sum(field.state is CellState.VALUE for field in settled) == 23
    assert {record.fields[name].state for name in item.fields if name.endswith(".total")} == {CellState.VALUE}


class Said(NamedTuple):
    """A key, and what then stands on the cell."""

    key: str
    action: str
    state: CellState
    decision: str


@pytest.mark.parametrize(
    "said",
    [
        Said("s", "source_wrong", CellState.VALUE, "accepted"),
        Said("x", "unknowable", CellState.VALUE, "review"),
        Said("b", "corrected", CellState.BLANK, "accepted"),
        Said("a", "accepted", CellState.VALUE, "accepted"),
    ],
    ids=lambda said: said.action,
)
def test_one_key_says_what_becomes_of_a_cell(
    at_home: Service, store: Store, open_page: OpenPage, tmp_path: Path, said: Said
) -> None:
    key = said.key
    filed = file_document(store, tmp_path, f"{key}.html", write_page(f"答案{key}县教育局"))
    item = filed.items[0]
    page = open_page(at_home, f"/items/{item.id}")
    page.keyboard.press("j")
    page.keyboard.press(key)
    expect(page.locator(f'select[name="act:{FIELD}"]')).to_have_value("blank" if key == "b" else said.action)
    page.keyboard.press("Enter")
    _wait_until_gone(page, item.id)
    with store.read() as books:
        field = books.documents.live(filed.id).record.fields[FIELD]
    assert field.ruling is not None
    assert (field.ruling.action, field.state, field.decision) == said[1:]


def test_what_another_one_settled_is_told_kindly(
    office: Service, store: Store, open_page: OpenPage, tmp_path: Path
) -> None:
    filed = file_document(store, tmp_path, "stale.html", write_page("迟到县教育局"))
    item = filed.items[0]
    mine = open_page(office, f"/items/{item.id}", user="wang")
    theirs = open_page(office, f"/items/{item.id}", user="li")
    expect(theirs.locator("#gone")).to_contain_text("他人")  # while one has it, nobody else gets it
    with store.write() as books:
        books.queue.release(item.id, "wang")  # as after a long pause
    theirs.reload()
    theirs.keyboard.press("j")
    theirs.keyboard.press("s")
    theirs.keyboard.press("Enter")
    _wait_until_gone(theirs, item.id)

    mine.keyboard.press("j")
    mine.keyboard.type("9")
    mine.keyboard.press("Enter")
    mine.keyboard.press("Enter")
    told = mine.locator("#gone, #toast:visible").first
    expect(told).to_contain_text(re.compile("处理完|变了"))
    with store.read() as books:
        (review,) = books.reviews.of_document(filed.id)
    assert review.account == "li"


def test_an_expired_login_loses_nothing_that_was_typed(
    office: Service, store: Store, open_page: OpenPage, tmp_path: Path
) -> None:
    filed = file_document(store, tmp_path, "expired.html", write_page("过期县教育局"))
    item = filed.items[0]
    page = open_page(office, f"/items/{item.id}", user="li")
    page.keyboard.press("j")
    page.keyboard.type("9")
    expect(page.locator("#effects")).to_contain_text("成立")
    session = next(cookie for cookie in page.context.cookies() if "session" in cookie["name"])
    page.context.clear_cookies(name=session["name"])
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#toast")).to_contain_text("登录")
    expect(page.locator(f'input[name="txt:{FIELD}"]')).to_have_value("9")

    with page.context.expect_page() as opened:
        page.locator("#toast a").click()
    login = opened.value
    login.locator("input[name=name]").fill("li")
    login.locator("input[type=password]").fill(PASSWORD)
    login.keyboard.press("Enter")
    login.wait_for_url("**/queue*")
    login.close()
    page.locator("#save").click()
    _wait_until_gone(page, item.id)
    with store.read() as books:
        field = books.documents.live(filed.id).record.fields[FIELD]
    assert (field.value, field.ruling and field.ruling.by) == (9, ("li",))


def test_without_script_the_forms_do_the_same(
    at_home: Service, store: Store, open_page: OpenPage, tmp_path: Path
) -> None:
    filed = file_document(store, tmp_path, "plain.html", write_page("无脚本县教育局"))
    item = filed.items[0]
    page = open_page(at_home, "/queue?text=无脚本县", javascript=False)
    page.locator("#start").click()
    page.wait_for_url(f"**/items/{item.id}*")
    page.locator(f'select[name="act:{FIELD}"]').select_option("corrected")
    page.locator(f'input[name="txt:{FIELD}"]').fill("9")
    page.locator("#save").click()
    _wait_until_gone(page, item.id)
    with store.read() as books:
        field = books.documents.live(filed.id).record.fields[FIELD]
    assert (field.value, field.decision) == (9, "accepted")
    page.goto(f"/documents/{filed.id}")
    page.locator("#history > summary").click()
    page.locator(".past form button").first.click()
    page.wait_for_url(f"**/items/{item.id}*")
    with store.read() as books:
        assert books.documents.live(filed.id).record.fields[FIELD].ruling is None


def _wait_until_gone(page: Page, item_id: int) -> None:
    """The item was answered: the page shows another one, or the queue."""
    page.wait_for_function("number => document.querySelector('#review')?.dataset.item !== number", arg=str(item_id))
