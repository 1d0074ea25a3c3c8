"""Submitted documents: each is read once, whoever dies, and a bad one takes no other with it."""

from __future__ import annotations

import base64
import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from extractor.bulk.flow import ModelPart
from extractor.bulk.submitted import MOST_ATTEMPTS, Worker
from extractor.errors import SettingsError
from extractor.llm.session import open_recorded
from extractor.model import Origin, Status
from extractor.settings import Settings
from extractor.store.shapes import Run, RunDocument
from extractor.store.store import Store

ROOT = Path(__file__).parents[3]
FIXTURES = ROOT / "fixtures"
TEXT = (FIXTURES / "000_c61908031b779533.txt").read_text(encoding="utf-8")
LEASE_S = 1.0


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.chdir(tmp_path)
    opened = Store.open("store.sqlite")
    yield opened
    opened.close()


def submit(store: Store, *documents: tuple[str, bytes]) -> str:
    with store.write() as books:
        run = books.runs.create("submitted", "somebody", {})
        for position, (name, raw) in enumerate(documents):
            document_id = hashlib.sha256(raw).hexdigest()
            books.documents.add_source(document_id, name, "application/octet-stream", raw)
            origins = (Origin(path=name, url=f"http://agency.example/{position}"),)
            books.runs.add_document(RunDocument(run.id, position, name, origins, "queued", document_id))
    return run.id


def reports(count: int) -> list[tuple[str, bytes]]:
    return [(f"{number:02}.txt", f"{TEXT}\n附 {number}".encode()) for number in range(count)]


def look(store: Store, run_id: str) -> tuple[Run, list[RunDocument]]:
    with store.read() as books:
        return books.runs.get(run_id), books.runs.documents(run_id, limit=500)[0]


def wait_for(is_so: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


@contextmanager
def at_work(store: Store, model: ModelPart | None = None, settings: Settings | None = None) -> Iterator[Worker]:
    stop = threading.Event()
    worker = Worker(store, settings or Settings(), model, stop, lease_s=LEASE_S)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def work_off(store: Store, run_id: str, model: ModelPart | None = None, settings: Settings | None = None) -> None:
    with at_work(store, model, settings):
        wait_for(lambda: look(store, run_id)[0].state == "finished")


# ---------------------------------------------------------------- what becomes of a document


def test_submitted_documents_are_read_and_filed_like_those_of_a_run(store: Store) -> None:
    run_id = submit(store, *((path.name, path.read_bytes()) for path in sorted(FIXTURES.iterdir())))
    work_off(store, run_id)
    run, documents = look(store, run_id)
    assert run.counts == {"done": 5}
    assert run.account["documents_by_status"]["succeeded"] == 4
    assert run.account["fields"]["review"] == 176
    with store.read() as books:
        for document in documents:
            live = books.documents.live(str(document.document_id))
            assert live.id == document.extraction_id
            assert live.record.document.path == document.name
            assert live.record.origins == document.origins
            assert live.text in (path.read_text(encoding="utf-8") for path in FIXTURES.iterdir())
        card = books.documents.card(str(documents[1].document_id))
        assert card.open_items > 0


def test_bad_documents_fail_alone_each_with_its_reason(store: Store) -> None:
    deep = b"<html>" + b"<div>" * 200_000  # minutes for the parser, and nothing else of the program would run
    run_id = submit(store, ("empty.txt", b""), ("torn.docx", b"PK\x03\x04"), ("deep.html", deep), *reports(1))
    work_off(store, run_id, settings=Settings(page_timeout_s=1))
    _, documents = look(store, run_id)
    assert [document.state for document in documents] == ["failed", "failed", "failed", "done"]
    assert all(document.problem for document in documents[:3])
    assert "longer than 1 s" in str(documents[2].problem)
    with store.read() as books:
        records = [made.record for made in books.runs.records(run_id)]
    assert [record.status for record in records] == [Status.FAILED] * 3 + [Status.SUCCEEDED]


def test_no_submitted_page_reaches_a_file_of_this_machine(store: Store, tmp_path: Path) -> None:
    """Pictures are looked for beside a page; what was submitted lies beside nothing, whatever its name says."""
    from PIL import Image

    Image.new("RGB", (600, 400), "white").save(tmp_path / "table.png")
    (tmp_path / "page.html").touch()  # one of that name lies here, beside the picture
    picture = base64.b64encode((tmp_path / "table.png").read_bytes()).decode()
    page = "<html><body><p>某市民政局2023年政府信息公开工作年度报告</p><img src='{}'></body></html>"
    names = ("page.html", f"{tmp_path}/page.html", "../../page.html")
    run_id = submit(
        store,
        *((name, page.format("table.png").encode() + name.encode()) for name in names),
        ("own.html", page.format(f"data:image/png;base64,{picture}").encode()),
    )
    work_off(store, run_id)
    _, documents = look(store, run_id)
    with store.read() as books:
        extractions = [books.documents.extraction(int(document.extraction_id or 0)) for document in documents]
    assert [bool(extraction.pages) for extraction in extractions] == [False, False, False, True]
    for extraction in extractions[:3]:
        assert "extractor-submitted" not in extraction.record.model_dump_json()


def test_a_model_is_asked_as_in_a_run(store: Store) -> None:
    settings = Settings()
    model = ModelPart.build("auto", open_recorded(settings, ROOT / "eval/replies/fixtures.jsonl"), settings)
    run_id = submit(store, *((path.name, path.read_bytes()) for path in sorted(FIXTURES.iterdir())))
    work_off(store, run_id, model)
    run, _ = look(store, run_id)
    assert run.account["fields"]["confirmed"] == 5
    assert run.account["model"]["replies"] == [{"origin": "written by hand", "from_journal": True, "count": 5}]


# ---------------------------------------------------------------- death and order


@contextmanager
def worker_process(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    words = [sys.executable, str(Path(__file__).with_name("worker_process.py")), "store.sqlite", str(LEASE_S)]
    process = subprocess.Popen(words, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})  # noqa: S603 - our own
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_thirty_documents_outlast_workers_that_are_killed(store: Store, tmp_path: Path) -> None:
    run_id = submit(store, *reports(30))

    def done() -> int:
        return look(store, run_id)[0].counts.get("done", 0)

    for wanted in (4, 15):
        with worker_process(tmp_path) as process:
            wait_for(lambda wanted=wanted: done() >= wanted)  # type: ignore[misc]
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert look(store, run_id)[0].state == "open"
    with worker_process(tmp_path):
        wait_for(lambda: look(store, run_id)[0].state == "finished")
    run, documents = look(store, run_id)
    assert run.counts == {"done": 30}
    assert run.account["documents"] == 30
    assert len({document.extraction_id for document in documents}) == 30
    with sqlite3.connect(tmp_path / "store.sqlite") as raw:
        assert raw.execute("SELECT count(*) FROM extractions").fetchone() == (30,)
        assert raw.execute("SELECT count(*) FROM live_records").fetchone() == (30,)


def test_two_workers_share_the_work_and_do_nothing_twice(store: Store) -> None:
    run_id = submit(store, *reports(24))
    with at_work(store), at_work(store):
        wait_for(lambda: look(store, run_id)[0].state == "finished")
    _, documents = look(store, run_id)
    assert Counter((document.state, document.attempts) for document in documents) == {("done", 1): 24}


def leave_behind(store: Store, times: int) -> None:
    """Somebody takes a document and dies, so many times."""
    for _ in range(times):
        with store.write() as books:
            taken = books.runs.take_work("dead", datetime.now(UTC), 0)
            assert taken is not None
    time.sleep(0.002)  # a lease of no length ends with its microsecond


def test_a_document_that_kills_the_program_again_and_again_is_given_up(store: Store) -> None:
    run_id = submit(store, reports(1)[0])
    leave_behind(store, MOST_ATTEMPTS)
    work_off(store, run_id)
    run, (document,) = look(store, run_id)
    assert (document.state, run.counts) == ("quarantined", {"quarantined": 1})
    assert "not tried again" in str(document.problem)
    with store.read() as books:
        (made,) = books.runs.records(run_id)
    assert made.record.status is Status.FAILED


def test_a_document_that_was_left_behind_once_is_read(store: Store) -> None:
    run_id = submit(store, reports(1)[0])
    leave_behind(store, MOST_ATTEMPTS - 1)
    work_off(store, run_id)
    assert [(one.state, one.attempts) for one in look(store, run_id)[1]] == [("done", MOST_ATTEMPTS)]


def test_a_document_that_was_left_behind_is_read_alone(store: Store) -> None:
    """So that it takes no others with it when the program ends over it once more."""
    run_id = submit(store, *reports(12))
    leave_behind(store, 1)
    together: list[int] = []
    seen = threading.Event()

    class Watching(Worker):
        def _load(self, taken: RunDocument) -> bytes:
            if taken.attempts > 1:
                time.sleep(0.3)  # time for others to be taken
                together.append(self.under_way)
                seen.set()
            return super()._load(taken)

    stop = threading.Event()
    thread = threading.Thread(target=Watching(store, Settings(), None, stop, lease_s=LEASE_S).run)
    thread.start()
    wait_for(lambda: look(store, run_id)[0].state == "finished")
    stop.set()
    thread.join(30)
    assert seen.is_set()
    assert all(count == 1 for count in together)
    assert look(store, run_id)[0].counts == {"done": 12}


def test_who_is_told_to_stop_gives_back_what_it_has(store: Store) -> None:
    run_id = submit(store, *reports(40))
    with at_work(store):
        wait_for(lambda: look(store, run_id)[0].counts.get("done", 0) >= 3)
    run, documents = look(store, run_id)
    assert set(run.counts) == {"done", "queued"}
    assert {document.attempts for document in documents if document.state == "queued"} == {0}
    work_off(store, run_id)
    assert look(store, run_id)[0].counts == {"done": 40}


def test_a_run_whose_last_worker_died_before_saying_so_is_closed(store: Store) -> None:
    run_id = submit(store, reports(1)[0])
    work_off(store, run_id)
    with store.write() as books:
        books.runs.finish(run_id, "open", {})
    work_off(store, run_id)
    assert look(store, run_id)[0].account["documents"] == 1


def test_a_store_that_is_away_for_a_while_is_waited_for(store: Store, tmp_path: Path) -> None:
    run_id = submit(store, *reports(6))
    other = sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with Store.open("store.sqlite", lock_timeout_s=0.3) as impatient, at_work(impatient) as worker:
        wait_for(lambda: worker.problem is not None)
        assert "store.sqlite" in str(worker.problem)
        other.execute("ROLLBACK")
        wait_for(lambda: look(store, run_id)[0].state == "finished")
        wait_for(lambda: worker.problem is None)
    other.close()
    assert look(store, run_id)[0].counts == {"done": 6}


def test_a_certificate_that_cannot_be_used_is_told_at_once(store: Store, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.json"):
        Worker(store, Settings(certificate=tmp_path / "none.json"), None, threading.Event())
