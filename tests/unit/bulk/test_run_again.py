"""The same run started again: what is done is kept, what failed is tried again, and what decides makes all anew."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extractor.bulk.remaining import Resume
from extractor.bulk.run import RunSummary
from extractor.settings import Settings
from tests.bulk_runs import (
    TurnedPlan,
    never_read,
    read_account,
    read_outputs,
    read_records,
    run_bulk,
    write_reports,
)
from tests.unit.bulk.poison import Ending, Raising, poison

FRESH, RETRIES = Resume(is_fresh=True), Resume(retries=True)


def run(out: Path, *paths: str, settings: Settings | None = None, **more: Any) -> RunSummary:
    return run_bulk(paths or ["docs"], out, settings, **more)


def count_reads() -> tuple[list[str], Callable[..., Any]]:
    """The stems of the documents that are read, and what a plan is turned with to learn them."""
    read: list[str] = []

    def turn(plan: Any) -> Any:
        def note(entry: Any, usual: Callable[..., bytes]) -> bytes:
            read.append(Path(entry.path).stem)
            return usual(entry)

        return TurnedPlan(plan, note)

    return read, turn


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_reports(tmp_path / "docs", "a", "b", "c")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


# ---------------------------------------------------------------- what is kept


def test_a_second_start_reads_nothing_and_writes_the_same(docs: Path, out: Path) -> None:
    run(out)
    before = read_outputs(out)
    again = run(out, turn=never_read)
    assert (again.kept, again.left, again.failed) == (3, 0, 0)
    assert read_outputs(out) == before
    assert read_account(out)["kept"] == 3


def test_only_what_is_new_is_read(docs: Path, out: Path, tmp_path: Path) -> None:
    run(out)
    write_reports(docs, "aa", "d")
    read, turn = count_reads()
    assert run(out, turn=turn).kept == 3
    assert read == ["aa", "d"]
    run(tmp_path / "at once")
    assert read_outputs(out) == read_outputs(tmp_path / "at once")


def test_a_document_that_is_gone_is_in_no_output(docs: Path, out: Path) -> None:
    run(out)
    (docs / "b.txt").unlink()
    assert run(out, turn=never_read).account["documents"] == 2
    assert [record.document.path for record in read_records(out)] == ["docs/a.txt", "docs/c.txt"]


def test_a_file_with_other_bytes_is_another_document(docs: Path, out: Path) -> None:
    run(out)
    write_reports(docs, "z")
    (docs / "z.txt").rename(docs / "b.txt")
    read, turn = count_reads()
    run(out, turn=turn)
    assert read == ["b"]


def test_another_place_of_the_same_bytes_makes_that_document_anew(docs: Path, out: Path) -> None:
    (docs / "copy.txt").write_bytes((docs / "a.txt").read_bytes())
    run(out)
    (docs / "third.txt").write_bytes((docs / "a.txt").read_bytes())
    read, turn = count_reads()
    assert run(out, turn=turn).kept == 2
    assert read == ["a"]
    assert [origin.path for origin in read_records(out)[0].origins] == ["docs/a.txt", "docs/copy.txt", "docs/third.txt"]


def test_what_the_manifest_says_of_a_file_is_part_of_the_document(docs: Path, out: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path,url\ndocs/b.txt,http://one\n", encoding="utf-8")
    run(out, manifest=manifest)
    manifest.write_text("path,url\ndocs/b.txt,http://two\n", encoding="utf-8")
    read, turn = count_reads()
    run(out, manifest=manifest, turn=turn)
    assert read == ["b"]
    assert read_records(out)[1].origins[0].url == "http://two"


# ---------------------------------------------------------------- what makes all anew


@pytest.mark.parametrize("given", [{"audit_share": 1.0}, {"audit_salt": "pepper"}, {"max_source_mb": 19}], ids=str)
def test_what_decides_makes_all_anew(docs: Path, out: Path, given: dict[str, Any]) -> None:
    run(out)
    assert run(out, settings=Settings(**given)).kept == 0
    assert run(out, settings=Settings(**given), turn=never_read).kept == 3


@pytest.mark.parametrize("given", [{"page_workers": 1}, {"page_timeout_s": 77}, {"concurrency": 3}], ids=str)
def test_what_says_only_how_fast_keeps_all(docs: Path, out: Path, given: dict[str, Any]) -> None:
    run(out)
    assert run(out, settings=Settings(**given), turn=never_read).kept == 3


def test_whoever_wants_it_has_all_made_anew(docs: Path, out: Path) -> None:
    run(out)
    before = read_outputs(out)
    assert run(out, resume=FRESH).kept == 0
    assert read_outputs(out) == before


@pytest.mark.parametrize("workers", [1, 2])
def test_outputs_are_the_same_whoever_makes_them_and_however_often_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """Documents of several batches; every other one is there when the run is started again."""
    monkeypatch.chdir(tmp_path)
    settings = Settings(page_workers=workers, audit_share=0.5)
    names = [f"{number:02}" for number in range(24)]
    write_reports(tmp_path / "docs", *names[::2])
    (tmp_path / "docs" / "bad.txt").write_bytes(b"")
    run(tmp_path / "parts", settings=settings)
    write_reports(tmp_path / "docs", *names)
    run(tmp_path / "parts", settings=settings)
    run(tmp_path / "once", settings=Settings(page_workers=3 - workers, audit_share=0.5))
    assert read_outputs(tmp_path / "parts") == read_outputs(tmp_path / "once")
    with (tmp_path / "once" / "values.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len({row["document"] for row in csv.DictReader(file)}) == 24
    audited = [json.loads((tmp_path / name / "run.json").read_text("utf-8"))["audit"] for name in ("parts", "once")]
    assert audited[0] == audited[1]
    assert 0 < audited[0]["documents"] < 24


# ---------------------------------------------------------------- what failed


def test_what_failed_is_tried_three_times_in_all(docs: Path, out: Path) -> None:
    for kept in (0, 2, 2):
        summary = run(out, turn=poison(b=Raising))
        assert (summary.failed, summary.kept) == (1, kept)
    assert run(out, turn=never_read).failed == 1
    assert len(read_account(out)["errors"]) == 1
    assert run(out, resume=RETRIES).failed == 0
    assert [record.status.value for record in read_records(out)] == ["succeeded"] * 3
    assert read_account(out)["errors"] == []


def test_what_failed_once_is_mended_by_the_next_start(docs: Path, out: Path, tmp_path: Path) -> None:
    run(out, turn=poison(b=Raising))
    summary = run(out)
    assert (summary.kept, summary.failed) == (2, 0)
    run(tmp_path / "at once")
    assert read_outputs(out) == read_outputs(tmp_path / "at once")


def test_what_ended_its_process_is_tried_again_only_when_that_is_asked_for(docs: Path, out: Path) -> None:
    assert run(out, turn=poison(b=Ending)).quarantined == 1
    before = read_outputs(out)
    kept = run(out, turn=never_read)
    assert (kept.quarantined, kept.failed, kept.kept) == (1, 1, 3)
    assert read_account(out)["progress"]["quarantined"] == 1
    assert read_outputs(out) == before
    assert (run(out, resume=RETRIES).quarantined, read_account(out)["quarantined"]) == (0, 0)
