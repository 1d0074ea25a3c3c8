"""The bulk loop: failures, equal files, interrupts, and the run's own account."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extractor.bulk.plan import plan_inputs
from extractor.bulk.run import RunSummary, run_documents
from extractor.bulk.works import Progress
from extractor.errors import OutputError
from extractor.model import CellState, Decision, Document, DocumentIdentity, Origin, Record, RecordField, Span, Status
from extractor.settings import Settings

CELL = "applications.granted.total"
OTHER = "applications.granted.business"


def _field(value: int, decision: Decision = "accepted") -> RecordField:
    spans = (Span(start=0, end=1),)
    return RecordField(
        state=CellState.VALUE, value=value, raw=str(value), spans=spans, reader="template", decision=decision
    )


def _process(document: Document, origins: tuple[Origin, ...]) -> Record:
    fields = {CELL: _field(3), OTHER: _field(0, "review")}
    identity = DocumentIdentity(id=document.id, path=document.path, media_type=document.media_type)
    return Record(document=identity, status=Status.SUCCEEDED, origins=origins, fields=fields)


def _run(out: Path, *paths: str, process: Any = _process, seen: list[Progress] | None = None) -> RunSummary:
    report = (lambda progress: None) if seen is None else seen.append
    return run_documents(plan_inputs(paths, None), out, Settings(), report, process=process, arguments={"paths": paths})


def _records(out: Path) -> list[Record]:
    return [Record.model_validate_json(line) for line in (out / "records.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / f"{name}.txt").write_text(f"报告 {name}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return folder


def test_a_run_accounts_for_itself(docs: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []
    summary = _run(tmp_path / "out", "docs", seen=seen)
    account = json.loads((tmp_path / "out/run.json").read_text("utf-8"))
    assert account["documents"] == account["files"] == 3
    assert account["documents_by_status"]["succeeded"] == 3
    assert account["fields"] == {"accepted": 3, "review": 3, "confirmed": 0, "read_by_model": 0}
    assert account["table_values"] == {
        "printed": 6,
        "accepted": 3,
        "accepted_share": 0.5,
        "printed_nonzero": 3,
        "accepted_nonzero": 3,
        "accepted_nonzero_share": 1.0,
    }
    assert account["arguments"] == {"paths": ["docs"]}
    assert account["started_at"].endswith("+00:00")
    assert not summary.failed
    assert [(item.stage, item.done, item.total) for item in seen if item.stage == "extract"] == [
        ("extract", 1, 3),
        ("extract", 2, 3),
        ("extract", 3, 3),
    ]


def test_equal_bytes_are_one_document_with_all_origins(docs: Path, tmp_path: Path) -> None:
    (docs / "copy.txt").write_bytes((docs / "a.txt").read_bytes())
    summary = _run(tmp_path / "out", "docs")
    records = _records(tmp_path / "out")
    assert [[origin.path for origin in record.origins] for record in records] == [
        ["docs/a.txt", "docs/copy.txt"],
        ["docs/b.txt"],
        ["docs/c.txt"],
    ]
    assert summary.account["files"] == 4
    assert summary.account["duplicate_files"] == 1


def test_a_known_error_fails_one_file_with_its_remedy(docs: Path, tmp_path: Path) -> None:
    (docs / "b.txt").write_bytes(b"")
    summary = _run(tmp_path / "out", "docs")
    records = _records(tmp_path / "out")
    assert [record.status.value for record in records] == ["succeeded", "failed", "succeeded"]
    failed = records[1]
    assert failed.document.id == hashlib.sha256(b"").hexdigest()
    assert failed.document.path == "docs/b.txt"
    assert [flag.code for flag in failed.flags] == ["source-failed"]
    assert "Fetch it again" in failed.flags[0].message.en
    assert summary.failed == 1
    error = summary.account["errors"][0]
    assert (error["path"], error["error"], error["traceback"]) == ("docs/b.txt", "EmptySource", None)


def test_an_unforeseen_error_fails_one_file_and_keeps_its_traceback(docs: Path, tmp_path: Path) -> None:
    def process(document: Document, origins: tuple[Origin, ...]) -> Record:
        if document.path == "docs/a.txt":
            raise ZeroDivisionError("by {braces}")
        return _process(document, origins)

    summary = _run(tmp_path / "out", "docs", process=process)
    assert [record.status.value for record in _records(tmp_path / "out")] == ["failed", "succeeded", "succeeded"]
    error = summary.account["errors"][0]
    assert error["message"] == "ZeroDivisionError: by {braces}"
    assert "Traceback" in error["traceback"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_has_no_id(docs: Path, tmp_path: Path) -> None:
    (docs / "a.txt").chmod(0)
    _run(tmp_path / "out", "docs")
    assert _records(tmp_path / "out")[0].document.id is None


def test_a_file_that_vanishes_fails_alone(docs: Path, tmp_path: Path) -> None:
    plan = plan_inputs(["docs"], None)
    (docs / "a.txt").unlink()
    run_documents(plan, tmp_path / "out", Settings(), lambda progress: None, process=_process)
    first = _records(tmp_path / "out")[0]
    assert (first.status, first.document.id) == (Status.FAILED, None)


def test_a_record_that_no_output_can_hold_becomes_a_failed_one(docs: Path, tmp_path: Path) -> None:
    def process(document: Document, origins: tuple[Origin, ...]) -> Record:
        record = _process(document, origins)
        if document.path != "docs/b.txt":
            return record
        title = replace(_field(1), value="\ud800", raw="\ud800")
        return record.model_copy(update={"fields": {"header.title": title}})

    _run(tmp_path / "out", "docs", process=process)
    assert [record.status.value for record in _records(tmp_path / "out")] == ["succeeded", "failed", "succeeded"]


def test_a_file_name_in_gbk_bytes_is_processed_and_shown_escaped(docs: Path, tmp_path: Path) -> None:
    (docs / os.fsdecode(b"\xb9\xfa.txt")).write_text("国", encoding="utf-8")
    _run(tmp_path / "out", "docs")
    assert _records(tmp_path / "out")[-1].document.path == r"docs/\xb9\xfa.txt"
    assert not json.loads((tmp_path / "out/run.json").read_text("utf-8"))["errors"]


def test_an_interrupt_keeps_what_is_done(docs: Path, tmp_path: Path) -> None:
    def process(document: Document, origins: tuple[Origin, ...]) -> Record:
        if document.path == "docs/c.txt":
            raise KeyboardInterrupt
        return _process(document, origins)

    summary = _run(tmp_path / "out", "docs", process=process)
    assert summary.is_interrupted
    assert summary.account["is_interrupted"] is True
    assert len(_records(tmp_path / "out")) == 2


def test_an_interrupt_before_the_first_document_leaves_earlier_outputs(docs: Path, tmp_path: Path) -> None:
    _run(tmp_path / "out", "docs")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    def interrupt(*_: object) -> Record:
        raise KeyboardInterrupt

    summary = _run(tmp_path / "out", "docs", process=interrupt)
    assert summary.outputs == ()
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_an_output_folder_that_cannot_be_made_is_an_output_error(docs: Path) -> None:
    with pytest.raises(OutputError, match=r"a\.txt"):
        _run(docs / "a.txt" / "out", "docs")


def test_notable_records_are_bounded_and_hold_the_failed_ones(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number:02}.txt").write_text("" if number >= 38 else f"报告 {number}", encoding="utf-8")
    summary = _run(tmp_path / "out", str(folder))
    assert len(summary.notable) == 30
    assert summary.notable[-1].status is Status.FAILED
    assert len(summary.notable[-1].origins) == 2  # two empty files are equal bytes too
