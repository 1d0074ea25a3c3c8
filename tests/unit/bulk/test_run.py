"""The bulk run: failures, equal files, and the run's own account."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from extractor import load_document, process_document
from extractor.bulk.plan import open_plan
from extractor.bulk.progress import Progress
from extractor.bulk.run import RunSummary, run_documents
from extractor.errors import SettingsError
from extractor.model import Status
from extractor.settings import Settings
from extractor.store.store import Store
from tests.bulk_runs import ignore, read_account, read_records, run_bulk, write_reports
from tests.unit.bulk.poison import Ending, Hanging, Raising, poison


def run(out: Path, *paths: str, **more: Any) -> RunSummary:
    return run_bulk(paths or ["docs"], out, **more)


def statuses(out: Path) -> list[str]:
    return [record.status.value for record in read_records(out)]


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_reports(tmp_path / "docs", "a", "b", "c")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


# ---------------------------------------------------------------- the account


def test_a_run_accounts_for_itself(docs: Path, out: Path) -> None:
    seen: list[Progress] = []
    summary = run(out, on_progress=seen.append, arguments={"paths": ["docs"]})
    account = read_account(out)
    assert account["documents"] == account["files"] == 3
    assert account["documents_by_status"] == {"succeeded": 3, "partial": 0, "failed": 0, "not_a_report": 0}
    alone = [process_document(load_document(path)) for path in sorted(docs.iterdir())]
    assert account["fields"]["accepted"] == sum(len(record.fields) for record in alone) > 500
    assert account["table_values"]["printed"] == account["table_values"]["accepted"] > 500
    assert account["arguments"] == {"paths": ["docs"]}
    assert account["started_at"].endswith("+00:00")
    assert (account["state"], account["left"], account["errors"], account["kept"]) == ("finished", 0, [], 0)
    assert (summary.failed, summary.kept, summary.left, summary.is_interrupted) == (0, 0, 0, False)
    last = [item for item in seen if item.stage == "read"][-1]
    assert (last.done, last.total, last.failed, last.in_flight) == (3, 3, 0, 0)
    assert last.status is Status.SUCCEEDED
    assert [item.done for item in seen] == sorted(item.done for item in seen)


def test_records_stand_in_the_order_of_the_run_with_their_paths(docs: Path, out: Path) -> None:
    """More than a batch, so that several workers have a part in it."""
    names = [f"{number:02}" for number in range(20)]
    write_reports(docs, *names)
    run(out)
    assert [record.document.path for record in read_records(out)] == [f"docs/{name}.txt" for name in [*names, *"abc"]]


def test_equal_bytes_are_one_document_with_all_origins(docs: Path, out: Path) -> None:
    (docs / "copy.txt").write_bytes((docs / "a.txt").read_bytes())
    summary = run(out)
    assert [[origin.path for origin in record.origins] for record in read_records(out)] == [
        ["docs/a.txt", "docs/copy.txt"],
        ["docs/b.txt"],
        ["docs/c.txt"],
    ]
    assert summary.account["files"] == 4
    assert summary.account["duplicate_files"] == 1


def test_a_run_without_a_folder_or_a_store_says_what_to_give(docs: Path) -> None:
    with pytest.raises(SettingsError, match="--store"):
        run_bulk(["docs"], None)


def test_a_store_in_memory_is_refused_before_anything_is_read(docs: Path, out: Path) -> None:
    """Every process opens the store for itself; of one in memory each would have its own."""
    with Store.open(":memory:") as store, pytest.raises(SettingsError, match=r"in memory.*file"):
        run(out, store=store)
    assert not out.exists()


# ---------------------------------------------------------------- failures


def test_a_known_error_fails_one_file_with_its_remedy(docs: Path, out: Path) -> None:
    (docs / "b.txt").write_bytes(b"")
    summary = run(out)
    assert statuses(out) == ["succeeded", "failed", "succeeded"]
    failed = read_records(out)[1]
    assert failed.document.id == hashlib.sha256(b"").hexdigest()
    assert failed.document.path == "docs/b.txt"
    assert [flag.code for flag in failed.flags] == ["source-failed"]
    assert "Fetch it again" in failed.flags[0].message.en
    assert (summary.failed, summary.quarantined) == (1, 0)
    error = summary.account["errors"][0]
    assert (error["path"], error["error"], error["traceback"]) == ("docs/b.txt", "EmptySource", None)


def test_an_unforeseen_error_fails_one_file_and_keeps_its_traceback(docs: Path, out: Path) -> None:
    summary = run(out, turn=poison(a=Raising))
    assert statuses(out) == ["failed", "succeeded", "succeeded"]
    error = summary.account["errors"][0]
    assert error["message"] == "ZeroDivisionError: by {braces}"
    assert "Traceback" in error["traceback"]


def test_a_document_that_ends_its_process_is_set_aside_alone(docs: Path, out: Path) -> None:
    """It takes the others of its batch down with it; they are made again."""
    summary = run(out, turn=poison(b=Ending))
    assert statuses(out) == ["succeeded", "failed", "succeeded"]
    assert (summary.failed, summary.quarantined) == (1, 1)
    account = read_account(out)
    assert account["quarantined"] == account["progress"]["quarantined"] == 1
    (error,) = account["errors"]
    assert error["path"] == "docs/b.txt"
    assert "ended (code 3)" in error["message"]
    assert "set aside" in error["message"]
    (flag,) = read_records(out)[1].flags
    assert (flag.code, flag.severity) == ("source-failed", "error")
    assert "ended (code 3)" in flag.message.en


def test_a_document_that_never_ends_is_set_aside(docs: Path, out: Path) -> None:
    summary = run(out, "docs/c.txt", turn=poison(c=Hanging), settings=Settings(page_timeout_s=4))
    assert statuses(out) == ["failed"]
    assert summary.quarantined == 1
    assert "longer than 4 s" in summary.account["errors"][0]["message"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_has_no_id(docs: Path, out: Path) -> None:
    (docs / "a.txt").chmod(0)
    run(out)
    assert read_records(out)[0].document.id is None


def test_a_file_that_vanishes_after_planning_fails_alone(docs: Path, out: Path) -> None:
    planned = hashlib.sha256((docs / "a.txt").read_bytes()).hexdigest()
    with open_plan(["docs"], None, settings=Settings(), on_progress=ignore) as plan:
        (docs / "a.txt").unlink()
        run_documents(plan, out, Settings(), ignore)
    assert statuses(out) == ["failed", "succeeded", "succeeded"]
    assert read_records(out)[0].document.id == planned


def test_a_file_name_in_gbk_bytes_is_processed_and_shown_escaped(docs: Path, out: Path) -> None:
    (docs / os.fsdecode(b"\xb9\xfa.txt")).write_text("国", encoding="utf-8")
    run(out)
    assert read_records(out)[-1].document.path == r"docs/\xb9\xfa.txt"
    assert not read_account(out)["errors"]


def test_notable_records_are_bounded_and_hold_the_failed_ones(tmp_path: Path, out: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number:02}.txt").write_text("" if number >= 38 else f"报告 {number}", encoding="utf-8")
    summary = run(out, str(folder))
    assert len(summary.notable) == 30
    assert summary.notable[-1].status is Status.FAILED
    assert len(summary.notable[-1].origins) == 2  # two empty files are equal bytes too
