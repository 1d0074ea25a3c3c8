"""What a page looks like: languages, themes, a narrow window, the page of a PDF, progress of what was handed in."""

from __future__ import annotations

from pathlib import Path

import flatten
import paper
import pytest
from playwright.sync_api import expect
from yearly import report_values

from extractor.store.store import Store
from tests.e2e.conftest import OpenPage
from tests.e2e.documents import NEW, file_document, spoil, write_page
from tests.e2e.services import Service

PLACES = ("/queue", "/documents", "/runs", "/dashboard")


@pytest.mark.parametrize("path", PLACES)
def test_every_page_is_there_in_both_languages(at_home: Service, open_page: OpenPage, path: str) -> None:
    page = open_page(at_home, path)
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    chinese = page.locator("h1").inner_text()
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert page.locator("h1").inner_text() != chinese
    page.goto("/queue")
    expect(page.locator("html")).to_have_attribute("lang", "en")  # remembered


@pytest.mark.parametrize("path", PLACES)
def test_a_dark_page_is_dark(at_home: Service, open_page: OpenPage, path: str) -> None:
    ground = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    assert max(open_page(at_home, path, dark=True).evaluate(ground)) < 60
    page = open_page(at_home, path)
    assert min(page.evaluate(ground)) > 220
    page.locator("#theme-switch").click()
    assert max(page.evaluate(ground)) < 60


def test_nothing_sticks_out_of_a_narrow_window(
    at_home: Service, store: Store, open_page: OpenPage, tmp_path: Path
) -> None:
    filed = file_document(store, tmp_path, "narrow.html", write_page("窄窄县教育局"))
    for path in (*PLACES, f"/items/{filed.items[0].id}", f"/documents/{filed.id}"):
        page = open_page(at_home, path, width=390)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        page.close()


def test_the_page_of_a_pdf_is_shown_with_a_box(
    at_home: Service, store: Store, open_page: OpenPage, tmp_path: Path
) -> None:
    raw = paper.draw_report(flatten.build_tables("2021", spoil(report_values())))
    filed = file_document(store, tmp_path, "paper.pdf", raw)
    page = open_page(at_home, f"/items/{filed.item('equation').id}")
    page.keyboard.press("j")
    if page.locator("#tab-page").get_attribute("aria-selected") == "false":
        page.keyboard.press("t")
    box = page.locator("#pane-page rect.now").first
    expect(box).to_be_visible()
    image = page.locator("#pane-page .leaf:has(rect.now) img").first
    image.scroll_into_view_if_needed()
    page.wait_for_function("image => image.complete && image.naturalWidth > 100", arg=image.element_handle())
    inner, outer = box.bounding_box(), image.bounding_box()
    assert inner is not None
    assert outer is not None
    assert outer["x"] < inner["x"] < inner["x"] + inner["width"] < outer["x"] + outer["width"]
    assert outer["y"] < inner["y"] < inner["y"] + inner["height"] < outer["y"] + outer["height"]
    assert page.locator(f'#form-pane [data-f="{NEW}.total"]').inner_text().startswith("11")


def test_what_is_handed_in_is_read_while_one_looks_on(
    at_home: Service, store: Store, open_page: OpenPage, tmp_path: Path
) -> None:
    files = []
    for number in range(3):
        files.append(tmp_path / f"handed-{number}.html")
        files[-1].write_bytes(write_page(f"提交{number}县教育局"))
    page = open_page(at_home, "/runs")
    events: list[str] = []
    page.on("request", lambda request: events.append(request.url) if request.url.endswith("/events") else None)
    page.locator("input[type=file]").set_input_files(files)
    page.locator("main form button.primary").click()
    page.wait_for_url("**/runs/*")
    expect(page.locator("[data-over]")).to_contain_text("3 / 3", timeout=30_000)
    expect(page.locator(".chip.finished")).to_be_visible()
    expect(page.locator("a[href^='/documents/']")).to_have_count(3)
    assert events, "the page did not follow the run's events"
    with store.read() as books:
        found, _ = books.documents.cards(text="提交1县")
    assert [card.name for card in found] == ["handed-1.html"]
