"""What it is all for: by the keyboard alone, from the queue to a value that is corrected, checked and exported."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from urllib.request import urlopen

from playwright.sync_api import expect

from extractor.store.store import Store
from tests.e2e.conftest import OpenPage
from tests.e2e.documents import NEW, file_document, write_page
from tests.e2e.services import Service

FIELD = f"{NEW}.total"


def test_from_the_queue_to_an_exported_value(
    at_home: Service, store: Store, open_page: OpenPage, tmp_path: Path
) -> None:
    filed = file_document(store, tmp_path, "mission.html", write_page("云梦县教育局"))
    item, rest = filed.items
    page = open_page(at_home)

    # Find it: / goes to the filter, Enter applies it, n starts.
    page.keyboard.press("/")
    page.keyboard.type("云梦县")
    page.keyboard.press("Enter")
    page.wait_for_url("**text=*")
    expect(page.locator("#queue tbody tr")).to_have_count(2)
    page.keyboard.press("n")
    page.wait_for_url(f"**/items/{item.id}*")
    expect(page.locator("h1")).to_contain_text("等式")
    cell = page.locator(f'#form-pane [data-f="{FIELD}"]')
    expect(cell).to_have_class(re.compile("r-sum.*asked"))
    expect(page.locator(".sum").first).to_be_visible()

    # Correct it. What follows is shown before anything is saved.
    page.keyboard.press("j")
    expect(cell).to_be_focused()
    page.keyboard.type("9")
    expect(page.locator("#effects")).to_contain_text("各列之和 = 总计")
    expect(page.locator("#effects")).to_contain_text("成立")
    expect(page.locator(".sum")).to_have_count(0)
    with store.read() as books:
        assert books.documents.live(filed.id).record.fields[FIELD].value == 11
        assert books.reviews.of_document(filed.id) == []

    # Save: nothing else of this document waits, for what failed holds now.
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_url("**/queue*")
    expect(page.locator("#toast")).to_contain_text("已保存")
    with store.read() as books:
        live = books.documents.live(filed.id).record
        field = live.fields[FIELD]
        (review,) = books.reviews.of_document(filed.id)
        assert books.queue.of_document(filed.id) == []
        assert books.queue.get(rest.id).state == "gone"
    assert (field.value, field.decision, field.reader, field.candidates[0].value) == (9, "accepted", "person", 11)
    assert field.ruling is not None
    assert (field.ruling.by, field.ruling.review) == (("local",), review.id)
    assert not [flag for flag in live.flags if flag.code == "equation-failed"]

    # The history says who, when, what before and what after.
    page.goto(f"/documents/{filed.id}")
    past = page.locator(".past").first
    expect(past).to_contain_text("local")
    expect(past.locator("time")).to_have_attribute("datetime", review.at.isoformat())
    expect(past.locator("del")).to_contain_text("11")
    expect(past.locator("ins")).to_contain_text("9")

    (row,) = _read_export(at_home, filed.run_id)
    assert (row["value"], row["decided_by"], row["ruling"]) == ("9", "local", "corrected")


def test_undo_and_redo_with_the_keyboard(at_home: Service, store: Store, open_page: OpenPage, tmp_path: Path) -> None:
    filed = file_document(store, tmp_path, "undo.html", write_page("云梦县水利局"))
    other = file_document(store, tmp_path, "undo2.html", write_page("云梦县水利二局"))
    page = open_page(at_home, "/queue?text=云梦县水利")
    page.keyboard.press("n")
    page.wait_for_url("**/items/*")
    first = int(page.locator("#review").get_attribute("data-item") or "0")
    assert first in {filed.items[0].id, other.items[0].id}
    document = filed if first == filed.items[0].id else other
    page.keyboard.press("j")
    page.keyboard.type("9")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator(f'#review:not([data-item="{first}"])')).to_be_visible()

    page.keyboard.press("Escape")
    page.keyboard.press("u")
    expect(page.locator(f'#review[data-item="{first}"]')).to_be_visible()
    with store.read() as books:
        assert books.documents.live(document.id).record.fields[FIELD].ruling is None
        assert [review.kind for review in books.reviews.of_document(document.id)] == ["decide", "undo"]

    page.keyboard.press("j")
    page.keyboard.type("9")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator(f'#review:not([data-item="{first}"])')).to_be_visible()
    with store.read() as books:
        assert [review.kind for review in books.reviews.of_document(document.id)] == ["decide", "undo", "decide"]
        assert books.documents.live(document.id).record.fields[FIELD].value == 9


def _read_export(service: Service, run_id: str) -> list[dict[str, str]]:
    """The field's line of values.csv, as the API gives it."""
    with urlopen(f"{service.url}/api/v1/runs/{run_id}/export/values.csv", timeout=30) as answer:  # noqa: S310
        text = answer.read().decode("utf-8-sig")
    return [row for row in csv.DictReader(io.StringIO(text, newline="")) if row["field"] == FIELD]
