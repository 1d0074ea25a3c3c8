"""The service as a process: `extractor serve` and `extractor accounts`, over real HTTP."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
from click.testing import Result
from served import FIXTURES, PASSWORD
from typer.testing import CliRunner

from extractor.cli.app import app

COMMAND = [sys.executable, "-m", "extractor"]
PATIENCE_S = 60


def run(*arguments: str, sent: str = "") -> Result:
    """A command that ends by itself, in this process."""
    return CliRunner().invoke(app, arguments, input=sent)


@contextmanager
def serving(store: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running service and its address."""
    command = [*COMMAND, "serve", "--store", str(store), "--port", "0", *arguments]
    with (store.parent / "log").open("a") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)  # noqa: S603
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://\S+(?=/queue)", line)
        assert found, f"{line}{(store.parent / 'log').read_text()}"
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                httpx.get(f"{found[0]}/readyz").raise_for_status()
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield process, found[0]
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def read_events(answer: httpx.Response) -> Iterator[dict[str, str]]:
    event: dict[str, str] = {}
    for line in answer.iter_lines():
        if not line and event:
            yield event
            event = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value


def hand_in(address: str, *paths: Path, **headers: str) -> Any:
    files = [("files", (path.name, path.read_bytes())) for path in paths]
    answer = httpx.post(f"{address}/api/v1/runs", files=files, headers=headers)
    assert answer.status_code == 202, answer.text
    return answer.json()


def test_progress_is_told_through_a_restart_and_the_end_is_in_good_order(tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    with serving(store, "--workers-off") as (process, address):
        job = hand_in(address, *FIXTURES[:2])
        events = f"/api/v1/runs/{job['id']}/events"
        with httpx.stream("GET", address + events, timeout=PATIENCE_S) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            stream = read_events(answer)
            first = next(stream)
            assert (first["event"], json.loads(first["data"])["counts"]) == ("progress", {"queued": 2})
            process.send_signal(signal.SIGTERM)
            assert list(stream) == []  # ended, not cut off
        assert process.wait(PATIENCE_S) == 0
    with serving(store) as (_, address):
        headers = {"Last-Event-ID": first["id"]}
        with httpx.stream("GET", address + events, headers=headers, timeout=PATIENCE_S) as answer:
            told = list(read_events(answer))
        assert [event["event"] for event in told][-1] == "end"
        assert json.loads(told[-1]["data"]) == {"state": "finished", "counts": {"done": 2}}
        assert len({event["id"] for event in told}) == len(told)
        assert first["id"] not in {event["id"] for event in told}
        with httpx.stream("GET", address + events, timeout=PATIENCE_S) as answer:
            assert [event["event"] for event in read_events(answer)] == ["end"]
        assert httpx.get(f"{address}/api/v1/runs/none/events").status_code == 404
        # A body that says it is too large, and one that becomes it, are refused before they are all sent.
        host, port = address.removeprefix("http://").split(":")
        assert send_too_much(host, int(port), says_so=True) == 413
        assert send_too_much(host, int(port), says_so=False) == 413
        assert httpx.get(f"{address}/readyz").status_code == 200


def send_too_much(host: str, port: int, *, says_so: bool) -> int:
    """Send megabytes to a route for small things until the answer comes; how much it took is not much."""
    with socket.create_connection((host, port), timeout=PATIENCE_S) as connection:
        length = "content-length: 10000000000" if says_so else "transfer-encoding: chunked"
        head = ("POST /api/v1/queue/claim HTTP/1.1", f"host: {host}:{port}", "content-type: application/json", length)
        connection.sendall("\r\n".join((*head, "", "")).encode())
        block, sent = b" " * 65_536, 0
        try:
            while sent < 20_000_000:
                connection.sendall(block if says_so else b"%x\r\n" % len(block) + block + b"\r\n")
                sent += len(block)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert sent < 20_000_000
        answer = http.client.HTTPResponse(connection)
        try:
            answer.begin()
        except ConnectionResetError:
            return 413  # the answer was lost with the connection, which was closed on what came too much
        return answer.status


def test_others_need_accounts_and_accounts_are_made_by_hand(tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    where = ("--store", str(store))
    refused = run("serve", *where, "--host", "0.0.0.0", "--port", "0")  # noqa: S104  it is refused
    assert refused.exit_code == 2
    assert "extractor accounts add" in refused.stderr
    assert "Traceback" not in refused.stderr

    weak = run("accounts", "add", "ann", "--role", "reviewer", *where, sent="short\n")
    assert (weak.exit_code, "10 to 200 characters" in weak.stderr) == (2, True)
    assert run("accounts", "add", "ann", "--role", "reviewer", *where, sent=f"{PASSWORD}\n").exit_code == 0
    again = run("accounts", "add", "ann", "--role", "admin", *where, sent=f"{PASSWORD}\n")
    assert (again.exit_code, "already" in again.stderr) == (2, True)
    made = run("accounts", "key", "ann", *where)
    key = made.stdout.strip()
    assert re.fullmatch(r"exk_[\w-]{43}", key)
    listed = run("accounts", "list", *where).stdout
    assert "ann" in listed
    assert key[:12] in listed
    assert key not in listed
    with serving(store, "--accounts", "--host-name", "review.example", "--workers-off") as (_, address):
        counts = f"{address}/api/v1/queue/counts"
        bearer = {"authorization": f"Bearer {key}"}
        assert httpx.get(counts).status_code == 401
        assert httpx.get(counts, headers=bearer).status_code == 200
        assert httpx.get(counts, headers=bearer | {"host": "review.example"}).status_code == 200
        assert httpx.get(counts, headers=bearer | {"host": "other.example"}).status_code == 421
        # Nobody is believed about where he comes from, when no proxy was announced.
        forwarded = {"x-forwarded-for": "1.2.3.4", "x-forwarded-proto": "https"}
        assert httpx.get(counts, headers=bearer | forwarded).status_code == 200
        assert run("accounts", "revoke", "1", *where).exit_code == 0
        assert httpx.get(counts, headers=bearer).status_code == 401  # at once
    assert run("accounts", "disable", "ann", *where).exit_code == 0
    assert run("serve", *where, "--accounts", "--port", "0").exit_code == 2
    assert run("accounts", "enable", "nobody", *where).exit_code == 2
    assert PASSWORD not in (tmp_path / "log").read_text()
    assert key not in (tmp_path / "log").read_text()


def test_an_address_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = run("serve", "--store", str(tmp_path / "s.sqlite"), "--port", str(port))
    assert told.exit_code == 2
    assert "--port" in told.stderr
    assert os.linesep not in told.stderr.strip()
