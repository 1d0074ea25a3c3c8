"""Who is told: by context, by settings, and what goes wrong with them."""

from __future__ import annotations

import asyncio
import json
import pickle
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from extractor.errors import SettingsError
from extractor.settings import Settings
from extractor.telemetry import watching
from extractor.telemetry.clock import StageClock
from extractor.telemetry.events import BatchKept, Event, RunResumed, ServerBack
from extractor.telemetry.watching import gather_events, tell, watch_run

OTLP = Settings(telemetry="otlp")


def test_where_nothing_is_set_nobody_is_added() -> None:
    with gather_events() as gathered, watch_run(Settings(), "run-1"):
        tell(ServerBack())
    assert [event.name for event in gathered] == ["server-available"]


def test_what_is_told_inside_is_written_and_nothing_else(tmp_path: Path) -> None:
    settings = Settings(log=str(tmp_path / "run.log"))

    async def work() -> None:
        await asyncio.gather(*(asyncio.to_thread(tell, BatchKept(number, 0.1)) for number in range(8)))

    tell(RunResumed())
    with watch_run(settings, "run-1"):
        asyncio.run(work())
    tell(RunResumed())
    lines = [json.loads(line) for line in (tmp_path / "run.log").read_text(encoding="utf-8").splitlines()]
    assert sorted(line["documents"] for line in lines) == list(range(8))
    assert {line["run"] for line in lines} == {"run-1"}


def test_what_another_process_gathered_is_told_as_if_it_had_happened_here(tmp_path: Path) -> None:
    with gather_events() as gathered:
        tell(BatchKept(3, 0.1))
        tell(ServerBack())
    tell(ServerBack())
    assert len(gathered) == 2
    with watch_run(Settings(log=str(tmp_path / "run.log")), "run-1"):
        for event in pickle.loads(pickle.dumps(gathered)):  # noqa: S301 - our own
            tell(event)
    lines = [json.loads(line) for line in (tmp_path / "run.log").read_text(encoding="utf-8").splitlines()]
    assert [line["event"] for line in lines] == ["batch-kept", "server-available"]
    at = datetime.fromtimestamp(gathered[0].at_ns / 1e9, UTC).isoformat(timespec="milliseconds")
    assert lines[0]["at"] == at  # when it happened, not when it was heard


def test_a_listener_that_fails_is_counted_and_the_others_are_told() -> None:
    heard: list[Event] = []

    class Deaf:
        def note(self, event: Event) -> None:
            raise RuntimeError("no")

    class Hearing:
        def note(self, event: Event) -> None:
            heard.append(event)

    watch = watching.Watch(Deaf(), Hearing())
    watch.note(ServerBack())
    assert (watch.lost, len(heard)) == (1, 1)


def test_stages_are_measured_also_when_they_fail() -> None:
    clock = StageClock()
    with clock.measure("load"):
        pass
    with pytest.raises(ValueError, match="bad"), clock.measure("draft"):
        raise ValueError("bad")
    load, draft = clock.taken
    assert (load.name, draft.name) == ("load", "draft")
    assert load.seconds >= 0
    assert load.ended_ns <= draft.began_ns + 1_000_000  # the two clocks may differ a little
    assert draft.ended_ns == draft.began_ns + round(draft.seconds * 1e9)


_WITHOUT_SDK = """
import sys
sys.modules["opentelemetry.sdk"] = None
from extractor.errors import SettingsError
from extractor.settings import Settings
from extractor.telemetry.watching import watch_run
try:
    with watch_run(Settings(telemetry="otlp"), "run-1"):
        pass
except SettingsError as error:
    print(error)
"""


def test_without_the_extra_the_message_names_it() -> None:
    done = subprocess.run([sys.executable, "-c", _WITHOUT_SDK], check=True, capture_output=True, text=True)  # noqa: S603
    assert "extractor[otel]" in done.stdout
    assert "EXTRACTOR_TELEMETRY=off" in done.stdout


def test_a_wrong_variable_is_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("opentelemetry.sdk", reason="the extra otel is not installed")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "-1")
    with pytest.raises(SettingsError, match="max_export_batch_size must be"), watch_run(OTLP, "run-1"):
        raise AssertionError


def test_a_wrong_log_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be written"), watch_run(Settings(log=str(tmp_path)), "run-1"):
        raise AssertionError
