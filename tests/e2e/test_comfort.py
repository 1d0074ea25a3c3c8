"""What eight hours of reviewing ask for: nothing typed is lost, the place is in sight, keys do what they say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import flatten
import paper
import pytest
from playwright.sync_api import Page, expect
from yearly import report_values

from extractor.review.answers import Answer
from extractor.review.desk import Desk
from extractor.settings import Settings
from extractor.store.store import Store
from extractor.web.security.people import add_account
from tests.e2e.conftest import OpenPage
from tests.e2e.documents import NEW, Filed, file_document, spoil, write_page
from tests.e2e.services import Service

FIELD = f"{NEW}.total"
IN_SIGHT = """element => {
  const inner = element.getBoundingClientRect(), outer = element.closest('.panel').getBoundingClientRect();
  return inner.top >= outer.top && inner.bottom <= outer.bottom
    && inner.left >= outer.left && inner.right <= outer.right;
}"""


@pytest.fixture
def item_page(at_home: Service, store: Store, open_page: OpenPage, tmp_path: Path) -> tuple[Page, Filed]:
    """A failed equation of a document of the test's own."""
    filed = file_document(store, tmp_path, "comfort.html", write_page(f"舒适县{tmp_path.name}局"))
    return open_page(at_home, f"/items/{filed.item('equation').id}"), filed


def test_another_language_keeps_what_is_typed_and_the_question(item_page: tuple[Page, Filed]) -> None:
    page, filed = item_page
    page.keyboard.press("j")
    page.keyboard.type("9")
    page.locator("#note").fill("看清了")
    page.locator("#lang-switch").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#review")).to_have_attribute("data-item", str(filed.item("equation").id))
    expect(page.locator(f'input[name="txt:{FIELD}"]')).to_have_value("9")
    expect(page.locator(f'select[name="act:{FIELD}"]')).to_have_value("corrected")
    expect(page.locator("#note")).to_have_value("看清了")
    expect(page.locator("#effects")).to_contain_text("sum of the columns = 总计 holds")


def test_the_language_is_switched_where_one_is_not_where_one_began(item_page: tuple[Page, Filed]) -> None:
    page, filed = item_page
    page.keyboard.press("n")  # the question changes, the page around it stays
    expect(page.locator(f'#review:not([data-item="{filed.item("equation").id}"])')).to_be_visible()
    now = page.locator("#review").get_attribute("data-item")
    page.locator("#lang-switch").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#review")).to_have_attribute("data-item", now or "")


def test_keys_of_full_width_and_with_caps_lock_on(item_page: tuple[Page, Filed]) -> None:
    page, _ = item_page
    press = """key => document.activeElement.dispatchEvent(
      new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}))"""
    page.evaluate(press, "J")
    expect(page.locator(f'#form-pane [data-f="{FIELD}"]')).to_be_focused()
    page.evaluate(press, "９")
    text = page.locator(f'input[name="txt:{FIELD}"]')
    expect(text).to_have_value("9")
    text.fill("９")  # and a full-width digit in the field is read as what it is
    expect(page.locator("#effects")).to_contain_text("成立")
    expect(page.locator(".sum")).to_have_count(0)


def test_an_input_method_at_work_triggers_nothing(item_page: tuple[Page, Filed]) -> None:
    page, filed = item_page
    page.keyboard.press("j")
    page.evaluate("""() => {
      const init = {key: 'n', bubbles: true, cancelable: true};
      document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {...init, isComposing: true}));
      document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {...init, keyCode: 229}));
      document.getElementById('note').focus();
      document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {...init, key: 'Enter', isComposing: true}));
    }""")
    expect(page.locator("#note")).to_be_focused()
    expect(page.locator("#review")).to_have_attribute("data-item", str(filed.item("equation").id))


def test_one_document_first_then_the_others(item_page: tuple[Page, Filed], store: Store) -> None:
    page, filed = item_page
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    expect(page.locator("#stay")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Enter")  # printed so: the other cells of the sums are asked about next
    expect(page.locator(f'#review:not([data-item="{filed.item("equation").id}"])')).to_be_visible()
    second = int(page.locator("#review").get_attribute("data-item") or "0")
    with store.read() as books:
        left = len(books.queue.of_document(filed.id))
    shown = second
    for _ in range(left):  # skipped, one after the other
        with store.read() as books:
            assert books.queue.get(shown).document_id == filed.id
        page.keyboard.press("n")
        expect(page.locator(f'#review:not([data-item="{shown}"])')).to_be_visible()
        shown = int(page.locator("#review").get_attribute("data-item") or "0")
    with store.read() as books:
        assert books.queue.get(shown).document_id != filed.id
    expect(page.locator("#announce")).to_contain_text("接着是其他文件")


def test_what_was_not_read_is_shown_where_its_flag_points(
    at_home: Service, store: Store, open_page: OpenPage, tmp_path: Path
) -> None:
    values = report_values()
    text = flatten.html_page(flatten.build_tables("2021", values)).decode("gb18030")
    text = text.replace("四、政府信息公开行政复议", "<p>填充</p>" * 200 + "四、政府信息公开行政复议")
    text = text.replace("（一）予以公开", "（一）予以公开某某行外之行", 1)
    filed = file_document(store, tmp_path, "near.html", text.encode("gb18030"))
    document = next((item for item in filed.items if item.kind == "document"), None)
    assert document is not None, [(item.kind, item.codes) for item in filed.items]
    page = open_page(at_home, f"/items/{document.id}")
    mark = page.locator("#pane-text mark.m-asked").first
    expect(mark).to_be_visible()
    assert mark.evaluate(IN_SIGHT)
    expect(page.locator("[data-act=corrected]")).to_have_count(0)
    page.keyboard.press("Enter")  # nothing is left out
    page.wait_for_function("id => document.getElementById('review')?.dataset.item !== id", arg=str(document.id))
    with store.read() as books:
        assert books.queue.get(document.id).state == "settled"


def test_an_enlarged_page_stays_so_and_shows_the_cell(
    at_home: Service, store: Store, open_page: OpenPage, tmp_path: Path
) -> None:
    raw = paper.draw_report(flatten.build_tables("2021", spoil({**report_values(), f"{NEW}.business": "1"})))
    filed = file_document(store, tmp_path, "enlarged.pdf", raw)
    page = open_page(at_home, f"/items/{filed.item('equation').id}")
    page.keyboard.press("j")
    page.keyboard.press("z")
    box = page.locator("#pane-page rect.now").first
    assert box.evaluate(IN_SIGHT)
    page.reload()
    expect(page.locator("#zoom")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("j")
    assert page.locator("#pane-page rect.now").first.evaluate(IN_SIGHT)


def test_who_settles_two_looks_sees_both(at_home: Service, store: Store, open_page: OpenPage, tmp_path: Path) -> None:
    settings = Settings(double_review_share=1.0)
    for name in ("erste", "zweite"):
        add_account(store, name, "reviewer", "correct horse battery", datetime.now(UTC))
    filed = file_document(store, tmp_path, "third.html", write_page("双看县教育局"), settings=settings)
    item, desk = filed.item("equation"), Desk(store, settings)
    for name, text in (("erste", "9"), ("zweite", "8")):
        task = desk.claim(item.id, name)
        answers = [Answer(field, "corrected", text=text) for field in task.item.fields]
        desk.decide(item.id, task.item.version, name, answers)
    page = open_page(at_home, f"/items/{item.id}")
    expect(page.locator(".differ")).to_contain_text("请您裁定")
    looks = page.locator(".one.now .look")
    assert [text.split() for text in looks.all_inner_texts()] == [["erste:", "更正", "9"], ["zweite:", "更正", "8"]]
    page.keyboard.press("j")
    page.keyboard.press("f")
    page.keyboard.press("f")
    expect(page.locator(f'input[name="txt:{FIELD}"]')).to_have_value("8")


def test_files_are_sent_in_sight_and_a_refusal_is_told(at_home: Service, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(at_home, "/runs")
    large = tmp_path / "large.txt"
    large.write_bytes(b"x" * (Settings().max_source_mb * 1_000_000 + 1_000_000))
    page.locator("input[type=file]").set_input_files(large)
    page.locator("#upload button").click()
    expect(page.locator("#toast")).to_be_visible(timeout=30_000)
    expect(page.locator("#toast")).to_contain_text("太大")
    assert page.url.endswith("/runs")
    expect(page.locator("#upload button")).to_be_enabled()
