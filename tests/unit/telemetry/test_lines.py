"""The log of a run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import SettingsError
from extractor.telemetry.events import (
    BatchKept,
    CallRetried,
    Event,
    LimitReached,
    ReplyFound,
    RunStarted,
    Standing,
    TelemetryLost,
)
from extractor.telemetry.lines import LogLines
from tests.unit.telemetry.telling import BEGIN, make_call, make_document

NOTHING = TelemetryLost(0, 0, 0)
RETRIED = CallRetried("d1", "header", "0123456789ab", "http-429", 2, 1.23456, at_ns=BEGIN)


def write(folder: Path, *events: Event, form: Any = "json", lost: TelemetryLost = NOTHING) -> list[str]:
    log = LogLines.open(str(folder / "run.log"), form, "run-1")
    for event in events:
        log.note(event)
    log.end(lost)
    return (folder / "run.log").read_text(encoding="utf-8").splitlines()


def test_a_line_says_when_how_loud_what_and_about_which(tmp_path: Path) -> None:
    (line,) = write(tmp_path, RETRIED)
    assert json.loads(line) == {
        "at": "2023-11-14T22:13:20.000+00:00",
        "level": "warning",
        "event": "call-retried",
        "run": "run-1",
        "document": "d1",
        "task": "header",
        "key": "0123456789ab",
        "reason": "http-429",
        "tries": 2,
        "wait_s": 1.235,
    }


def test_a_line_in_words(tmp_path: Path) -> None:
    (line,) = write(tmp_path, RunStarted(2, "auto", 'a "model"', at_ns=BEGIN), form="text")
    head = "2023-11-14T22:13:20.000+00:00 info run-started run=run-1"
    assert line == rf'{head} documents=2 readers=auto model="a \"model\""'


def test_only_documents_to_look_after_are_in_the_log(tmp_path: Path) -> None:
    quiet = [
        make_document(),
        make_document(status="partial"),
        make_call(),
        ReplyFound("d", "t", "k"),
        Standing(1, 1, 1),
    ]
    failed = make_document(None, "failed", reason="damaged-source")
    lines = write(tmp_path, *quiet, failed, make_document(status="quarantined", attempts=3))
    told = [json.loads(line) for line in lines]
    assert [(line["level"], line["event"]) for line in told] == [
        ("warning", "document-failed"),
        ("error", "document-quarantined"),
    ]
    assert (told[0]["reason"], told[0]["position"], "document" in told[0]) == ("damaged-source", 3, False)
    assert (told[1]["document"], told[1]["attempts"]) == ("d1", 3)


def test_the_limit_of_the_run_is_told_once_that_of_documents_each_time(tmp_path: Path) -> None:
    events = [LimitReached("run", "d1"), LimitReached("run", "d2"), LimitReached("document", "d1")]
    told = [json.loads(line) for line in write(tmp_path, *events, LimitReached("document", "d2"))]
    assert [(line["scope"], line["document"]) for line in told] == [
        ("run", "d1"),
        ("document", "d1"),
        ("document", "d2"),
    ]


def test_lines_are_added_to_what_is_there(tmp_path: Path) -> None:
    write(tmp_path, BatchKept(3, 0.1))
    assert len(write(tmp_path, BatchKept(4, 0.1))) == 2


def test_what_was_lost_is_the_last_line(tmp_path: Path) -> None:
    (line,) = write(tmp_path, lost=TelemetryLost(7, 1, 0))
    assert {"event": "telemetry-lost", "spans": 7, "metric_exports": 1}.items() <= json.loads(line).items()


def test_no_place_for_the_log_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="EXTRACTOR_LOG"):
        LogLines.open(str(tmp_path / "no" / "run.log"), "json", "run-1")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_ends_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    log = LogLines.open("/dev/full", "json", "run-1")
    log.note(RETRIED)
    log.end(NOTHING)
    assert capfd.readouterr() == ("", "")


def test_libraries_do_not_log_here(tmp_path: Path) -> None:
    import logging

    log = LogLines.open(str(tmp_path / "run.log"), "json", "run-1")
    for name in ("", "openai", "httpx2", "extractor", "extractor.run", "urllib3"):
        logging.getLogger(name).critical("Authorization: Bearer secret")
    log.end(NOTHING)
    assert os.path.getsize(tmp_path / "run.log") == 0
