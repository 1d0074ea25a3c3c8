"""A real service, a real browser. The service is `extractor serve` in a process of its own over a store that
`extractor run fixtures` filled; the browser is Chromium.

Two services share the store: `at_home` is open to its own machine, at `office` one logs in. A test that decides
anything files a document of its own (`documents.py`), so that no test minds another.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, sync_playwright

from extractor.store.shapes import Role
from extractor.store.store import Store
from extractor.web.security.people import add_account
from tests.e2e.services import Service, fill_store, serve

HOW_TO_GET_CHROMIUM = (
    "the tests of the page need Chromium: 'apt-get install chromium fonts-noto-cjk', "
    "or 'python -m playwright install --with-deps chromium'"
)
#: Who has an account at the office, each with PASSWORD.
PEOPLE: dict[str, Role] = {"ada": "admin", "wang": "reviewer", "li": "reviewer"}
PASSWORD = "correct horse battery"  # noqa: S105


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next((found for name in names if (found := shutil.which(name))), None)
    arguments = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
    try:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
    except Error as error:
        pytest.fail(f"{HOW_TO_GET_CHROMIUM} ({str(error).splitlines()[0]})", pytrace=False)
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def store_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("e2e") / "store.sqlite"
    fill_store(path)
    with Store.open(str(path)) as store:
        for name, role in PEOPLE.items():
            add_account(store, name, role, PASSWORD, datetime.now(UTC))
    return path


@pytest.fixture(scope="package")
def store(store_path: Path) -> Iterator[Store]:
    store = Store.open(str(store_path))
    yield store
    store.close()


@pytest.fixture(scope="package")
def at_home(store_path: Path) -> Iterator[Service]:
    """Open to this machine: everybody is the local user."""
    with serve(str(store_path)) as service:
        yield service


@pytest.fixture(scope="package")
def office(store_path: Path) -> Iterator[Service]:
    """With accounts."""
    with serve(str(store_path), "--accounts") as service:
        yield service


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenPage]:
    """Makes a page in a context of its own: `open_page(service, "/queue", lang="en", dark=True, width=390)`.

    What a failed test saw is kept as pictures in its folder.
    """
    contexts: list[BrowserContext] = []

    def make(
        service: Service,
        path: str = "/queue",
        *,
        lang: str = "zh",
        dark: bool = False,
        width: int = 1440,
        javascript: bool = True,
        user: str | None = None,
    ) -> Page:
        context = browser.new_context(
            base_url=service.url,
            locale="en-GB" if lang == "en" else "zh-CN",
            color_scheme="dark" if dark else "light",
            viewport={"width": width, "height": 900},
            java_script_enabled=javascript,
            reduced_motion="reduce",
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        if user is not None:
            log_in(page, user)
        page.goto(path)
        return page

    yield make
    report = getattr(request.node, "call_report", None)
    for number, context in enumerate(contexts):
        if report is not None and report.failed:
            for page in context.pages:
                picture = tmp_path / f"page-{number}.png"
                page.screenshot(path=picture, full_page=True)
                print(f"what the page showed at {page.url}: {picture}")  # noqa: T201
        context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call":
        item.call_report = report  # type: ignore[attr-defined]
    return report


def log_in(page: Page, user: str) -> None:
    page.goto("/login")
    page.get_by_label("用户名").or_(page.get_by_label("Name", exact=True)).first.fill(user)
    page.locator("input[type=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/queue")
