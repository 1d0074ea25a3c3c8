"""Batches the whole way, through the front door: handed over, looked at, taken in, read from."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from extractor.cli import app
from extractor.settings import load_settings
from tests.loopback.answerers import CALL_DIGITS, CALL_HEADER
from tests.loopback.batches import BatchPace
from tests.loopback.faults import FaultPlan, ScriptedFaults
from tests.loopback.labelled import load_truths
from tests.loopback.server import LoopbackServer, Options, running_server
from tests.loopback.simulated import SimulatedReader
from tests.unit.llm.batching import accepted, get

ROOT = Path(__file__).parents[2]
FIXTURES = sorted((ROOT / "fixtures").glob("*.txt"))
PRICES = '[prices."m"]\ninput = 2\noutput = 8\n'

Serve = Callable[..., LoopbackServer]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("EXTRACTOR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("EXTRACTOR_MODEL", "m")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "extractor.toml").write_text(PRICES, encoding="utf-8")
    return tmp_path


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts a server that reads as the labels say, and points the program at it."""
    running: list[Any] = []

    def start(faults: FaultPlan | None = None, **options: Any) -> LoopbackServer:
        context = running_server(SimulatedReader(load_truths([ROOT / "eval" / "gold"])), faults, Options(**options))
        server = context.__enter__()
        running.append(context)
        monkeypatch.setenv("EXTRACTOR_BASE_URL", server.base_url)
        return server

    yield start
    for context in running:
        context.__exit__(None, None, None)


def call(*arguments: str) -> Result:
    load_settings.cache_clear()
    return CliRunner().invoke(app, list(arguments))


def submit(*paths: Path, options: tuple[str, ...] = ()) -> Result:
    return call("batch", "submit", *map(str, paths or FIXTURES), "--readers", "both", *options)


def finish() -> str:
    """Look until the server is done."""
    while "submitted" in (shown := call("batch", "status").output):
        pass
    return shown


def age() -> None:
    """Let the batches have been written down a while ago."""
    with closing(sqlite3.connect("journal.sqlite")) as connection, connection:
        connection.execute("UPDATE batches SET updated_at = '2020-01-01T00:00:00.000000+00:00'")


def read_values(out: str) -> list[Mapping[str, str]]:
    with (Path(out) / "values.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


# ---------------------------------------------------------------- the whole way


def test_a_run_reads_out_of_batches_what_it_would_have_asked_live(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the server switched off: nothing is left to ask."""
    server = serve()
    while "Nothing to hand over" not in (told := submit()).output:
        assert told.exit_code == 0, told.output
        finish()
        assert call("batch", "collect").exit_code == 0
    assert set(accepted(server).values()) == {1}
    assert server.chats == []

    monkeypatch.setenv("EXTRACTOR_BASE_URL", "http://127.0.0.1:9/v1")
    offline = call("run", *map(str, FIXTURES), "--readers", "both", "--out", "offline")
    assert offline.exit_code == 0, offline.output
    assert re.search(r"replies: \d+ batch, from the journal\n", offline.stdout)

    monkeypatch.setenv("EXTRACTOR_BASE_URL", server.base_url)
    live = call("run", *map(str, FIXTURES), "--readers", "both", "--out", "live", "--journal", "live.sqlite")
    assert live.exit_code == 0, live.output
    assert read_values("offline") == read_values("live")
    assert {seen.http.headers[CALL_HEADER] for seen in server.chats} == {key[:CALL_DIGITS] for key in accepted(server)}


def test_status_shows_every_batch_until_it_is_taken_in(serve: Serve) -> None:
    serve()
    assert call("batch", "status").output == "No batches.\n"
    submit(FIXTURES[0])
    shown = finish()
    assert "finished" in shown
    assert "Next: extractor batch collect" in shown
    assert "narrative-" in shown
    collected = call("batch", "collect")
    assert "1 of 1 calls have a reply" in collected.stdout
    assert "USD" in collected.stdout
    assert call("batch", "collect").output == "No batches to collect.\n"
    assert "collected" in call("batch", "status").output


def test_submits_with_overlapping_documents_ask_each_call_once(serve: Serve) -> None:
    server = serve()
    submit(*FIXTURES[:3])
    first = accepted(server).total()
    second = submit(*FIXTURES[1:])
    assert "calls are in batches under way and are not handed over again" in second.stdout
    assert set(accepted(server).values()) == {1}
    assert accepted(server).total() > first
    assert "Nothing to hand over." in submit().stdout


def test_a_limit_is_kept_and_told(serve: Serve) -> None:
    server = serve()
    limited = submit(options=("--max-calls", "3"))
    assert limited.exit_code == 3
    assert "calls are left out: max_calls of the run is 3" in limited.stderr
    assert accepted(server).total() == 3
    cheap = submit(options=("--max-usd", "0"))
    assert cheap.exit_code == 3
    assert "Nothing to hand over." in cheap.stdout
    assert accepted(server).total() == 3


def test_an_expired_batch_gives_what_it_has(serve: Serve) -> None:
    server = serve(batch_pace=BatchPace(answered=1))
    submit(FIXTURES[0], FIXTURES[1])
    finish()
    collected = call("batch", "collect")
    assert collected.exit_code == 0
    assert "expired" in collected.stdout
    assert "without a reply: batch_expired" in collected.stdout
    assert "extractor run asks them live" in collected.stdout
    before = accepted(server)
    assert submit(FIXTURES[0], FIXTURES[1]).exit_code == 0
    with closing(sqlite3.connect("journal.sqlite")) as connection:
        collected_keys = {key for (key,) in connection.execute("SELECT key FROM replies")}
    assert {key for key, count in accepted(server).items() if count == 2} == set(before) - collected_keys


def test_what_goes_wrong_is_told_and_gives_an_exit_code(serve: Serve) -> None:
    server = serve()
    submit(FIXTURES[0])
    finish()
    output = json.loads(get(server, "batches"))["data"][0]["output_file_id"]
    get(server, f"files/{output}", "DELETE")
    collected = call("batch", "collect")
    assert collected.exit_code == 1
    assert "the server no longer has it; its replies are lost" in collected.stderr


# ---------------------------------------------------------------- refusals


def test_a_server_without_batches_is_told_before_documents_are_read(serve: Serve) -> None:
    server = serve()
    refused = submit(options=("--base-url", f"http://127.0.0.1:{server.port}/elsewhere"))
    assert refused.exit_code == 3
    assert "has no batch endpoints" in refused.stderr
    assert "extractor run" in refused.stderr
    assert "stage=read" not in refused.stderr


@pytest.mark.parametrize("verb", ["status", "collect"])
def test_a_wrong_key_is_told(verb: str, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(api_key="right")
    monkeypatch.setenv("EXTRACTOR_API_KEY", "right")
    submit(FIXTURES[0])
    monkeypatch.setenv("EXTRACTOR_API_KEY", "wrong")
    for refused in (call("batch", verb), submit(FIXTURES[0])):
        assert refused.exit_code == 3
        assert "Correct EXTRACTOR_API_KEY" in refused.stderr


def test_without_a_model_there_is_nothing_to_hand_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EXTRACTOR_MODEL")
    refused = call("batch", "submit", str(FIXTURES[0]))
    assert refused.exit_code == 2
    assert "without a model" in refused.stderr


def test_the_mode_that_nobody_chose_is_named(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve()
    assert "by json_schema" in submit(FIXTURES[0]).stderr
    monkeypatch.setenv("EXTRACTOR_REPLY_MODE", "tools")
    chosen = submit(FIXTURES[1])
    assert "by json_schema" not in chosen.stderr
    last = [seen.body for seen in server.requests if seen.path == "/v1/batches" and seen.http.body][-1]
    assert b'"tool_choice"' in get(server, f"files/{last['input_file_id']}/content")


# ---------------------------------------------------------------- a killed program


def test_a_program_killed_in_the_middle_of_an_upload_loses_nothing(serve: Serve) -> None:
    server = serve(ScriptedFaults({1: "hang"}, path="/v1/files"))
    command = [sys.executable, "-m", "extractor", "batch", "submit", str(FIXTURES[0]), "--readers", "both"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as program:  # noqa: S603
        until = time.monotonic() + 60
        while not any(seen.path == "/v1/files" for seen in server.requests) and time.monotonic() < until:
            time.sleep(0.05)
        program.send_signal(signal.SIGKILL)
    assert accepted(server).total() == 0
    soon = submit(FIXTURES[0])
    assert "still being sent, or broken off" in soon.stderr
    waiting = accepted(server).total()
    age()
    assert "its sending broke off before the server had it" in submit(FIXTURES[0]).stderr
    assert accepted(server).total() > waiting
    assert set(accepted(server).values()) == {1}
    assert "Nothing to hand over." in submit(FIXTURES[0]).stdout
