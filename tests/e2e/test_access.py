"""Every kind of page by the rules of axe-core, in both themes and languages; and the page by Tab alone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from extractor.store.store import Store
from tests.e2e.conftest import OpenPage
from tests.e2e.documents import copy_fixture, file_document, write_page
from tests.e2e.services import Service

#: A row that no form has makes a question about the whole document.
EXTRA_ROW = ("（一）予以公开".encode("gb18030"), "（一）予以公开某某行外之行".encode("gb18030"), 1)
PLACES = ("/queue", "/queue?text=nothing-fits", "/documents", "/runs", "/dashboard", "/accounts", "/nowhere")


@pytest.fixture(scope="module")
def places(store: Store, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """An address of every kind of page. No script runs in the frame of a web page, so axe cannot look at that."""
    folder = tmp_path_factory.mktemp("access")
    sums = file_document(store, folder, "access.html", write_page("无障碍县教育局"))
    layout = file_document(store, folder, "access.txt", copy_fixture("001", "access"))
    whole = file_document(store, folder, "whole.html", write_page("无障碍县民政局").replace(*EXTRA_ROW))
    items = [f"/items/{item.id}" for item in (*sums.items[:1], whole.item("document"), *layout.items[:1])]
    return [*PLACES, f"/documents/{sums.id}", f"/runs/{sums.run_id}", *items]


@pytest.mark.parametrize(("lang", "is_dark"), [("zh", False), ("en", True)], ids=["zh-light", "en-dark"])
def test_axe_finds_nothing_serious(
    at_home: Service, open_page: OpenPage, places: list[str], lang: str, is_dark: bool
) -> None:
    page = open_page(at_home, "/queue", lang=lang, dark=is_dark)
    found = []
    for path in places:
        page.goto(path)
        page.keyboard.press("j")  # as one works with it: a cell has the focus, and an answer is previewed
        page.keyboard.press("x")
        found += [f"{path}: {problem}" for problem in _list_problems(page)]
    page.goto("/queue")
    page.keyboard.press("?")
    found += [f"help: {problem}" for problem in _list_problems(page)]
    assert found == []


def test_axe_finds_nothing_serious_at_the_door(office: Service, open_page: OpenPage) -> None:
    assert _list_problems(open_page(office, "/login")) == []


def test_tab_reaches_every_control_in_order(at_home: Service, open_page: OpenPage, places: list[str]) -> None:
    page = open_page(at_home)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.goto(places[-3])
    reached = set()
    for _ in range(60):
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        page.keyboard.press("Tab")
    assert {"theme-switch", "open-help", "save", "skip", "note"} <= reached


def test_an_enlarged_page_leaves_room_for_the_form(at_home: Service, open_page: OpenPage, places: list[str]) -> None:
    page = open_page(at_home, places[-3])
    page.set_viewport_size({"width": 720, "height": 450})  # 1440 x 900 at 200 %
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    cell = page.locator("#form-pane .c.asked").first
    cell.scroll_into_view_if_needed()
    on_top = """cell => {
      const box = cell.getBoundingClientRect();
      return cell.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2));
    }"""
    assert cell.evaluate(on_top)


def _list_problems(page: Page) -> list[str]:
    response = Axe().run(page).response
    return [
        f"{finding['id']} ({finding['impact']}) at {[node['target'] for node in finding['nodes']][:3]}"
        for finding in response["violations"]
        if finding["impact"] in ("serious", "critical")
    ]
