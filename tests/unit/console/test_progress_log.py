"""The lines that a run writes into a log."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from extractor.bulk.progress import Progress, Speed
from extractor.console.progress_log import PlainProgress, describe_line


class Log:
    """Lines with the time at which they came."""

    def __init__(self) -> None:
        self.now = 0.0
        self.lines: list[tuple[float, str]] = []

    def write(self, line: str) -> None:
        self.lines.append((self.now, line))

    @property
    def done(self) -> list[int]:
        return [int(line.split("done=")[1].split()[0]) for _, line in self.lines]


@pytest.fixture
def log() -> Log:
    return Log()


def _run(log: Log, *, documents: int, seconds: float, stage: str = "read") -> Iterator[Progress]:
    for done in range(documents + 1):
        log.now = seconds * done / documents
        yield Progress(stage, done, documents)  # type: ignore[arg-type]


def test_a_long_run_says_something_every_half_minute_and_each_tenth(log: Log) -> None:
    with PlainProgress(log.write, lambda: log.now) as tell:
        for progress in _run(log, documents=10_000, seconds=3600):
            tell(progress)
    times = [at for at, _ in log.lines]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert [round(pause) for pause in pauses[:5]] == [2, 4, 8, 16, 30]
    assert max(pauses) < 31
    assert {1000 * tenth for tenth in range(11)} <= set(log.done)


def test_a_quick_run_says_where_it_began_and_ended(log: Log) -> None:
    with PlainProgress(log.write, lambda: log.now) as tell:
        for progress in _run(log, documents=500, seconds=0.9):
            tell(progress)
    assert log.done == [0, 500]


def test_tenths_of_a_run_of_some_seconds(log: Log) -> None:
    with PlainProgress(log.write, lambda: log.now) as tell:
        for progress in _run(log, documents=1000, seconds=12):
            tell(progress)
    assert log.done[0] == 0
    assert log.done[-1] == 1000
    assert 8 <= len(log.lines) <= 13


def test_a_standstill_is_told_too(log: Log) -> None:
    with PlainProgress(log.write, lambda: log.now) as tell:
        for second in range(600):
            log.now = second
            tell(Progress("read", 3, 1000, in_flight=5))
    assert 20 <= len(log.lines) <= 25


def test_that_the_run_is_ended_is_told_at_once(log: Log) -> None:
    with PlainProgress(log.write, lambda: log.now) as tell:
        for is_ending in (False, False, True, True):
            tell(Progress("read", 3, 1000, in_flight=5, is_ending=is_ending))
            log.now += 0.01
    assert [(at, line.endswith(" ending=yes")) for at, line in log.lines] == [(0, False), (0.02, True)]


def test_the_same_is_not_said_twice(log: Log) -> None:
    """The engine tells of the end of reading once with the last batch, and once before it writes."""
    with PlainProgress(log.write, lambda: log.now) as tell:
        for at, done in ((0, 0), (5, 8), (5.2, 8)):
            log.now = at
            tell(Progress("read", done, 8))
        tell(Progress("write", 8, 8))
    assert log.done == [0, 8, 8]
    assert log.lines[-1][1].split()[1] == "stage=write"


def test_a_run_that_breaks_off_says_how_far_it_came(log: Log) -> None:
    def break_off() -> None:
        with PlainProgress(log.write, lambda: log.now) as tell:
            tell(Progress("read", 0, 1000))
            log.now = 1.9
            tell(Progress("read", 77, 1000))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert log.done == [0, 77]


def test_every_stage_begins_and_ends_with_a_line(log: Log) -> None:
    with PlainProgress(log.write, lambda: log.now) as tell:
        for found in range(5):
            tell(Progress("plan", found, None))
        for stage in ("read", "write"):
            for progress in _run(log, documents=8, seconds=0.1, stage=stage):
                tell(progress)
    assert [line.split()[1] for _, line in log.lines] == [
        f"stage={stage}" for stage in ("plan", "read", "write") for _ in (1, 2)
    ]
    assert log.done == [0, 4, 0, 8, 0, 8]


def test_a_line_has_each_fact_under_its_name() -> None:
    progress = Progress("read", 1234, 5000, 1000, 3, 1, 312, 128, 64, 70, 7, 9000, 800, 0.125, 60, "甲.html")
    assert describe_line(progress, Speed(3.9, 3725), 62) == (
        "elapsed=0:01:02 stage=read done=1234 total=5000 rate=3.90/s eta=1:02:05 "
        "kept=1000 failed=3 quarantined=1 flagged=312 in_flight=128 "
        "calls=70 calls_in_flight=64 cached=7 input_tokens=9000 output_tokens=800 usd=0.1250"
    )


def test_what_nobody_knows_is_not_said_as_a_number() -> None:
    line = describe_line(Progress("plan", 7, None), Speed(), 0)
    assert line == "elapsed=0:00:00 stage=plan done=7 total=unknown rate=unknown eta=unknown"
    assert "usd=price-not-set" in describe_line(Progress("read", 1, 2, calls=1), Speed(), 0)
    assert "calls" not in describe_line(Progress("read", 1, 2), Speed(), 0)
