"""A run that is killed in the middle loses no reply that came, and the same command goes on from there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from extractor.model import Record
from extractor.store.journal import Journal
from extractor.store.replay import read_replies
from tests.loopback.answerers import CALL_DIGITS, CALL_HEADER
from tests.loopback.labelled import load_truths
from tests.loopback.server import LoopbackServer, Options, running_server
from tests.loopback.simulated import SimulatedReader

ROOT = Path(__file__).parents[2]
INPUTS = [str(path) for path in sorted((ROOT / "fixtures").glob("*.txt"))]
CONCURRENCY = 3  # of the runs that are killed
#: Far more than a run takes; what hangs should fail and not hang.
PATIENCE_S = 120


def start(server: LoopbackServer, folder: Path, concurrency: int = CONCURRENCY) -> subprocess.Popen[str]:
    """`extractor run` as an operator types it, in a process of its own."""
    settings = {
        "MODEL": "simulated",
        "BASE_URL": server.base_url,
        "JOURNAL": str(folder / "journal.sqlite"),
        "CONCURRENCY": str(concurrency),
        "REPLY_MODE": "json_schema",
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EXTRACTOR_")}
    environment |= {f"EXTRACTOR_{name}": value for name, value in settings.items()}
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-m", "extractor", "run", *INPUTS, "--out", str(folder / "out"), "--readers", "both"]
    return subprocess.Popen(  # noqa: S603
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def finish(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said
    return said


def wait_for_answers(server: LoopbackServer, count: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while sum(seen.status == 200 for seen in server.chats) < count:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def keys_in_journal(folder: Path) -> set[str]:
    path = folder / "kept.jsonl"
    with Journal.open(str(folder / "journal.sqlite")) as journal:
        journal.export_replies(path)
    return {reply.key[:CALL_DIGITS] for reply in read_replies(path)}


def asked(server: LoopbackServer, first: int = 0) -> list[str]:
    """The keys of the requests, from one on."""
    return [seen.http.headers[CALL_HEADER] for seen in server.chats[first:]]


def records(folder: Path) -> list[Record]:
    lines = (folder / "out" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    return [Record.model_validate_json(line) for line in lines]


def check(answers: int, folder: Path) -> None:
    """Kill a run after so many answers and run it again."""
    reader = SimulatedReader(load_truths([ROOT / "eval" / "gold"]))
    with running_server(reader, options=Options(delay=0.15)) as server:
        killed = start(server, folder)
        wait_for_answers(server, answers, killed)
        killed.send_signal(signal.SIGKILL)
        assert killed.wait(PATIENCE_S) == -signal.SIGKILL
        time.sleep(0.3)  # what was under way at the server ends
        before = len(server.chats)
        given = {seen.http.headers[CALL_HEADER] for seen in server.chats if seen.status == 200}
        kept = keys_in_journal(folder)
        assert kept <= given
        assert len(given - kept) <= CONCURRENCY
        assert not (folder / "out" / "records.jsonl").exists()

        finish(start(server, folder))
        again = asked(server, before)
        assert kept.isdisjoint(again)
        assert len(set(again)) == len(again) > 0
        assert len(server.chats) <= len(set(asked(server))) + CONCURRENCY
        assert keys_in_journal(folder) == set(asked(server))
    assert [record.status.value for record in records(folder)] == ["succeeded", "partial", *["succeeded"] * 3]
    account = json.loads((folder / "out" / "run.json").read_text(encoding="utf-8"))
    assert account["model"]["spent"]["calls"] == len(again)


def test_a_run_that_is_killed_goes_on_without_asking_again(tmp_path: Path) -> None:
    check(8, tmp_path)


def test_an_interrupt_finishes_what_is_under_way_and_begins_nothing_more(tmp_path: Path) -> None:
    """Ctrl-C: two documents are asked about at a time, and both come to their end. The same command goes on."""
    reader = SimulatedReader(load_truths([ROOT / "eval" / "gold"]))
    with running_server(reader, options=Options(delay=0.1)) as server:
        process = start(server, tmp_path, concurrency=1)
        wait_for_answers(server, 3, process)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 130, said
        assert "INTERRUPTED" in said
        sent = len(server.chats)
    with Journal.open(str(tmp_path / "journal.sqlite")) as journal:
        assert journal.spent().calls == sent
    assert len(keys_in_journal(tmp_path)) == sent
    statuses = [record.status.value for record in records(tmp_path)]
    assert 2 <= len(statuses) < len(INPUTS)
    assert statuses == ["succeeded", "partial", "succeeded", "succeeded"][: len(statuses)]
    assert not any("call-failed" in flag.code for record in records(tmp_path) for flag in record.flags)
    with running_server(reader) as server:
        said = finish(start(server, tmp_path))
        assert f"{len(statuses)} kept from an earlier start" in said
        assert len(server.chats) == len(set(asked(server))) > 0
    assert len(records(tmp_path)) == len(INPUTS)


@pytest.mark.soak
@pytest.mark.parametrize("answers", [1, 2, 4, 12, 16, 18])
def test_wherever_it_is_killed(answers: int, tmp_path: Path) -> None:
    check(answers, tmp_path)
