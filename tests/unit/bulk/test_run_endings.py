"""Runs that end before their last document: nothing that is done is lost, and the next start goes on from there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from extractor.bulk.plan import Entry
from extractor.bulk.progress import Progress
from extractor.bulk.run import RunSummary
from extractor.errors import OutputError
from extractor.export.staging import open_work_folder
from extractor.settings import Settings
from tests.bulk_runs import TurnedPlan, never_read, read_account, read_outputs, read_records, run_bulk, write_reports

#: One worker holds fewer documents at once, so that there are some left.
ONE = Settings(page_workers=1)
MANY = 60


def run(out: Path, *paths: str, settings: Settings = ONE, **more: Any) -> RunSummary:
    return run_bulk(paths or ["docs"], out, settings, **more)


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_reports(tmp_path / "docs", "a", "b", "c")


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """More than is on its way at once."""
    monkeypatch.chdir(tmp_path)
    return write_reports(tmp_path / "docs", *(f"{number:03}" for number in range(MANY)))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def when(done: int, act: Callable[[], None]) -> Callable[[Progress], None]:
    """Do something once, as soon as so many documents are done."""
    acted: list[int] = []

    def watch(progress: Progress) -> None:
        if progress.stage == "read" and progress.done >= done and not acted:
            acted.append(progress.done)
            act()

    return watch


def press() -> None:
    """Ctrl-C."""
    signal.raise_signal(signal.SIGINT)


# ---------------------------------------------------------------- Ctrl-C


def test_an_interrupt_keeps_what_is_done_and_the_next_start_goes_on(many: Path, out: Path, tmp_path: Path) -> None:
    summary = run(out, on_progress=when(8, press))
    account = read_account(out)
    assert summary.is_interrupted
    assert (account["is_interrupted"], account["state"]) == (True, "interrupted")
    done = account["documents"]
    assert 8 <= done < MANY
    assert summary.left == account["left"] == MANY - done
    assert len(read_records(out)) == done
    again = run(out)
    assert (again.kept, again.left, again.is_interrupted) == (done, 0, False)
    run(tmp_path / "at once")
    assert read_outputs(out) == read_outputs(tmp_path / "at once")


def test_what_is_under_way_at_an_interrupt_is_finished(many: Path, out: Path) -> None:
    seen: list[Progress] = []
    pressing = when(8, press)

    def watch(progress: Progress) -> None:
        pressing(progress)
        seen.append(progress)

    run(out, on_progress=watch)
    at_work = next(progress for progress in seen if progress.done >= 8)
    assert at_work.in_flight > 0  # else this says nothing
    assert len(read_records(out)) >= at_work.done + at_work.in_flight


def test_a_second_interrupt_ends_at_once_and_leaves_earlier_outputs(docs: Path, out: Path) -> None:
    run(out)
    before = read_outputs(out)

    def interrupt(entry: Entry, read: Callable[[Entry], bytes]) -> bytes:
        for _ in range(2 if entry.path == "docs/a.txt" else 0):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.3)
        return read(entry)

    # Another salt reads everything anew.
    settings = ONE.model_copy(update={"audit_salt": Settings(audit_salt="another").audit_salt})
    summary = run(out, settings=settings, turn=lambda plan: TurnedPlan(plan, interrupt))
    assert (summary.outputs, summary.is_interrupted, summary.left) == ((), True, 3)
    assert read_outputs(out) == before
    account = read_account(out)
    assert (account["state"], account["earlier_account"]) == ("interrupted", ".extractor/earlier-run.json")
    assert run(out).kept == 3
    assert read_account(out)["state"] == "finished"


# ---------------------------------------------------------------- folders and disks


def test_an_output_folder_that_cannot_be_made_is_an_output_error(docs: Path) -> None:
    with pytest.raises(OutputError, match=r"a\.txt"):
        run(docs / "a.txt" / "out")


def test_two_runs_into_one_folder_are_refused(docs: Path, out: Path) -> None:
    with open_work_folder(out), pytest.raises(OutputError, match="another run is writing"):
        run(out)
    run(out)
    assert len(read_records(out)) == 3


def test_a_folder_with_outputs_of_a_run_without_a_ledger_is_taken_over(docs: Path, out: Path) -> None:
    run(out)
    before = read_outputs(out)
    shutil.rmtree(out / ".extractor")
    assert run(out).kept == 0
    assert read_outputs(out) == before


def test_a_ledger_that_is_none_is_named_with_a_remedy(docs: Path, out: Path) -> None:
    run(out)
    before = read_outputs(out)
    (ledger,) = (out / ".extractor").glob("*.sqlite")
    for path in (out / ".extractor").glob("*.sqlite*"):
        path.unlink()
    ledger.write_bytes(b"SQLite format 3\0" + b"torn" * 500)
    with pytest.raises(OutputError, match=f"{ledger.name} is damaged"):
        run(out)
    assert read_outputs(out) == before
    account = read_account(out)
    assert account["state"] == "failed"
    assert ledger.name in account["reason"]


def mount(folder: Path, *options: str) -> None:
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root may mount a file system of its own")
    command = ["mount", *options, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount(folder, "-t", "tmpfs", "none")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S603, S607


@pytest.mark.parametrize("size", ["400k", "2m"], ids=["in the ledger", "in the outputs"])
def test_a_full_disk_ends_the_run_and_the_next_start_goes_on(many: Path, disk: Path, tmp_path: Path, size: str) -> None:
    out = disk / "out"
    mount(disk, "-o", f"remount,size={size}")
    with pytest.raises(OutputError, match=r"disk is full|No space left"):
        run(out)
    assert not (out / "records.jsonl").exists()
    mount(disk, "-o", "remount,size=200m")
    summary = run(out)
    assert 0 < summary.kept <= MANY
    assert (summary.kept == MANY) is (size == "2m")
    assert (summary.left, summary.failed) == (0, 0)
    run(tmp_path / "elsewhere")
    assert read_outputs(out) == read_outputs(tmp_path / "elsewhere")


def test_a_read_only_folder_is_refused_before_anything_is_read(docs: Path, disk: Path) -> None:
    out = disk / "out"
    out.mkdir()
    mount(disk, "-o", "remount,ro")
    with pytest.raises(OutputError, match=r"out: .*--out"):
        run(out, turn=never_read)
    mount(disk, "-o", "remount,rw")
    assert run(out).left == 0
    assert len(read_records(out)) == 3
