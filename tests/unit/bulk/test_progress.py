"""The pace of a run, and run.json while it goes on."""

from __future__ import annotations

import json
import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from extractor.bulk.progress import EARLIER_ACCOUNT, Pace, Progress, RunFile, Speed
from extractor.errors import OutputError, ServerRefused
from extractor.llm.calls import BudgetReached

OPENING = {"versions": {"program": "1"}, "started_at": "2026-01-02T03:04:05+00:00", "arguments": {"paths": ["资料"]}}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hidden(tmp_path: Path) -> Path:
    folder = tmp_path / "out" / ".extractor"
    folder.mkdir(parents=True)
    return folder


def _read(hidden: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((hidden.parent / "run.json").read_text("utf-8"))
    return said


# ---------------------------------------------------------------- pace


def _run(pace: Pace, clock: Clock, *, seconds: int, rate: float, start: Progress) -> tuple[Progress, Speed]:
    """Tell of a run at an even rate, once a second."""
    progress, speed = start, pace.note(start)
    for second in range(1, seconds + 1):
        clock.now += 1
        progress = start._replace(done=start.done + int(second * rate))
        speed = pace.note(progress)
    return progress, speed


def test_an_even_run_has_its_rate_and_its_end(clock: Clock) -> None:
    _, speed = _run(Pace(clock), clock, seconds=20, rate=5, start=Progress("read", 0, 1000))
    assert speed == Speed(5.0, 180.0)


def test_nothing_is_said_before_anything_is_known(clock: Clock) -> None:
    pace = Pace(clock)
    assert pace.note(Progress("read", 0, 10)) == Speed(None, None)
    clock.now += 3
    assert pace.note(Progress("read", 0, 10)) == Speed(None, None)
    assert pace.note(Progress("plan", 4, None)) == Speed(None, None)
    clock.now += 2
    assert pace.note(Progress("plan", 10, None)) == Speed(3.0, None)


def test_what_was_kept_does_not_count_as_fast(clock: Clock) -> None:
    """Also where it is found on the way, thousands at once."""
    pace = Pace(clock)
    pace.note(Progress("read", 90_000, 100_000, kept=90_000))
    clock.now += 10
    speed = pace.note(Progress("read", 95_020, 100_000, kept=95_000))
    assert speed == Speed(2.0, 4980 / 2)


def test_the_rate_is_of_the_last_minute(clock: Clock) -> None:
    pace = Pace(clock)
    progress, _ = _run(pace, clock, seconds=600, rate=100, start=Progress("read", 0, 100_000))
    _, speed = _run(pace, clock, seconds=90, rate=1, start=progress)
    assert speed.rate == pytest.approx(1.0, rel=0.05)


def test_leaps_far_apart_are_not_taken_for_a_standstill(clock: Clock) -> None:
    """A batch of eight scans every two minutes: between two of them the last minute alone says nothing."""
    pace = Pace(clock)
    for second in range(3600):
        clock.now += 1
        speed = pace.note(Progress("read", 8 * (second // 120), 1000))
    assert speed.rate == pytest.approx(8 / 120, rel=0.15)


def test_a_standstill_lowers_the_rate(clock: Clock) -> None:
    pace = Pace(clock)
    progress, speed = _run(pace, clock, seconds=100, rate=10, start=Progress("read", 0, 100_000))
    clock.now += 3600
    assert pace.note(progress).rate < speed.rate / 30


def test_another_stage_begins_anew(clock: Clock) -> None:
    pace = Pace(clock)
    _run(pace, clock, seconds=50, rate=10, start=Progress("read", 0, 1000))
    assert pace.note(Progress("write", 0, 1000)) == Speed(None, None)


def test_the_end_is_no_seconds_away(clock: Clock) -> None:
    _, speed = _run(Pace(clock), clock, seconds=5, rate=2, start=Progress("read", 0, 10))
    assert speed == Speed(2.0, 0.0)


def test_marks_do_not_pile_up(clock: Clock) -> None:
    pace = Pace(clock)
    for done in range(50_000):
        clock.now += 0.01
        pace.note(Progress("read", done, None))
    assert len(pace._marks) < 200


# ---------------------------------------------------------------- run.json


def _break_off(hidden: Path, error: BaseException) -> None:
    with RunFile(hidden, OPENING) as run_file:
        run_file.note(Progress("read", 3, 9))
        raise error


def test_run_json_says_how_far_it_is(hidden: Path, clock: Clock) -> None:
    with RunFile(hidden, OPENING, clock) as run_file:
        assert _read(hidden)["state"] == "running"
        assert _read(hidden)["progress"] is None
        run_file.note(Progress("read", 0, 100))
        clock.now += 4
        run_file.note(Progress("read", 20, 100, kept=10, failed=1, calls=7, usd=0.125, path="甲.html"))
        said = _read(hidden)
    assert said["pid"] == os.getpid()
    assert said["arguments"] == {"paths": ["资料"]}
    progress = said["progress"]
    assert (progress["done"], progress["kept"], progress["failed"], progress["usd"]) == (20, 10, 1, 0.125)
    assert (progress["rate"], progress["eta_seconds"]) == (2.5, 32)
    assert progress["path"] == "甲.html"


def test_it_is_replaced_every_two_seconds(hidden: Path, clock: Clock) -> None:
    with RunFile(hidden, OPENING, clock) as run_file:
        seen = []
        for done in range(60):
            clock.now += 0.1
            run_file.note(Progress("read", done, 60))
            progress = _read(hidden)["progress"]
            seen.append(progress and progress["done"])
    assert sorted({done for done in seen if done is not None}) == [19, 39, 59]


def test_a_reader_never_sees_half_a_file(hidden: Path, clock: Clock) -> None:
    """It is another file each time, and whoever has the earlier one open reads that to its end."""
    with RunFile(hidden, OPENING, clock) as run_file, (hidden.parent / "run.json").open("rb") as earlier:
        clock.now += 2
        run_file.note(Progress("read", 1, 2))
        assert json.loads(earlier.read())["progress"] is None
        assert os.stat(hidden.parent / "run.json").st_ino != os.fstat(earlier.fileno()).st_ino


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (KeyboardInterrupt(), "interrupted", None),
        (BudgetReached("max_calls of the run is 3", "run"), "stopped", "max_calls of the run is 3"),
        (ServerRefused("the key is wrong"), "stopped", "the key is wrong"),
        (OutputError("out: the disk is full"), "failed", "out: the disk is full"),
        (MemoryError(), "failed", "MemoryError"),
    ],
)
def test_an_error_says_how_the_run_ended(hidden: Path, error: BaseException, state: str, reason: str | None) -> None:
    with pytest.raises(type(error)):
        _break_off(hidden, error)
    said = _read(hidden)
    assert (said["state"], said["reason"], said["progress"]["done"]) == (state, reason, 3)


def test_a_run_without_outputs_says_how_it_ended(hidden: Path) -> None:
    with RunFile(hidden, OPENING) as run_file:
        run_file.end("interrupted")
    assert _read(hidden)["state"] == "interrupted"


def test_the_account_of_earlier_outputs_stays_until_there_are_new_ones(hidden: Path) -> None:
    path, kept = hidden.parent / "run.json", hidden / EARLIER_ACCOUNT
    account = json.dumps({"state": "finished", "outputs": ["table.xlsx"], "audit": {"ids": ["a"]}})
    path.write_text(account, "utf-8")
    for _ in range(2):  # the second start finds what the first one left
        with pytest.raises(KeyboardInterrupt):
            _break_off(hidden, KeyboardInterrupt())
        assert _read(hidden)["earlier_account"] == ".extractor/earlier-run.json"
        assert kept.read_text("utf-8") == account
        assert "outputs" not in _read(hidden)
    with RunFile(hidden, OPENING) as run_file:
        path.write_text(json.dumps({**run_file.describe("finished"), "outputs": []}), "utf-8")
    assert _read(hidden)["state"] == "finished"
    assert list(hidden.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"state": "running"}'])
def test_what_is_no_account_is_not_kept(hidden: Path, text: str) -> None:
    (hidden.parent / "run.json").write_text(text, "utf-8")
    with RunFile(hidden, OPENING):
        assert "earlier_account" not in _read(hidden)
    assert list(hidden.iterdir()) == []


@contextmanager
def _no_room() -> Iterator[None]:
    """The system refuses to write more than a few bytes into any file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_does_not_end_the_run(hidden: Path, clock: Clock) -> None:
    with RunFile(hidden, OPENING, clock) as run_file:
        clock.now += 2
        with _no_room():
            run_file.note(Progress("read", 5, 9))
        assert _read(hidden)["progress"] is None  # as it was, whole
        assert list(hidden.iterdir()) == []
        clock.now += 2
        run_file.note(Progress("read", 6, 9))
        assert _read(hidden)["progress"]["done"] == 6


def test_a_folder_that_went_away_does_not_end_the_run(hidden: Path, clock: Clock) -> None:
    with RunFile(hidden, OPENING, clock) as run_file:
        shutil.rmtree(hidden.parent)
        clock.now += 2
        run_file.note(Progress("read", 5, 9))
        run_file.end("failed", "the folder went away")
    assert not hidden.parent.exists()


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with RunFile(None, OPENING) as run_file:
        run_file.note(Progress("read", 5, 9))
        assert run_file.describe("finished")["progress"]["done"] == 5
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_no_text_is_no_obstacle(hidden: Path, clock: Clock) -> None:
    name = os.fsdecode(b"a\xff.txt")
    with RunFile(hidden, {"arguments": {"paths": [name]}}, clock):
        assert _read(hidden)["arguments"]["paths"] == [name]
