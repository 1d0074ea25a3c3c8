"""Answers out of a replay file, the server in its own process, and connections that are no good."""

from __future__ import annotations

import json
import socket
import urllib.request
from pathlib import Path

import openai
import pytest

from extractor.store.replay import write_replies
from extractor.store.rows import StoredReply
from tests.loopback.answerers import QueuedAnswers, ReplayAnswerer
from tests.loopback.clients import connect
from tests.loopback.process import server_process
from tests.loopback.server import Options, running_server

KEY = "0123456789abcdef" * 4
ASKED = [{"role": "user", "content": "规章|12||0"}]
GOLD = Path(__file__).parents[3] / "eval" / "gold"


@pytest.fixture
def replies(tmp_path: Path) -> Path:
    stored = StoredReply(
        key=KEY,
        task="row",
        model="m",
        parameters={},
        prompt_version="p",
        schema_hash="s",
        reply='{"rows":[["1","12",null]]}',
        origin="simulated",
    )
    path = tmp_path / "replies.jsonl"
    write_replies(path, [stored], 1, ["simulated"])
    return path


def ask(base_url: str, call: str) -> str | None:
    client = connect(base_url)
    reply = client.chat.completions.create(model="m", messages=ASKED, extra_headers={"X-Client-Request-Id": call})  # type: ignore[arg-type]
    return reply.choices[0].message.content


def test_replay_finds_the_reply_by_the_name_of_the_call(replies: Path) -> None:
    with running_server(ReplayAnswerer(replies)) as server:
        assert ask(server.base_url, KEY[:32]) == '{"rows":[["1","12",null]]}'
        assert ask(server.base_url, KEY) == '{"rows":[["1","12",null]]}'
        with pytest.raises(openai.UnprocessableEntityError, match=r"replies\.jsonl has no reply") as caught:
            ask(server.base_url, "f" * 32)
    assert caught.value.code == "no_reply_on_file"


def test_replay_answers_batch_lines_by_their_custom_id(replies: Path) -> None:
    body = {"model": "m", "messages": ASKED}
    lines = [{"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body} for name in (KEY, "x")]
    content = "\n".join(map(json.dumps, lines)).encode()
    with running_server(ReplayAnswerer(replies)) as server:
        client = connect(server.base_url)
        file = client.files.create(file=("r.jsonl", content), purpose="batch")
        batch = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
        while batch.status != "completed":
            batch = client.batches.retrieve(batch.id)
    assert batch.request_counts is not None
    assert (batch.request_counts.completed, batch.request_counts.failed) == (1, 1)


# ---------------------------------------------------------------- in its own process


def test_server_in_its_own_process(replies: Path) -> None:
    with server_process("--replies", str(replies), "--faults", "server_error=1.0", "--delay", "0.01") as server:
        with pytest.raises(openai.InternalServerError):
            ask(server.base_url, KEY)
        stats = server.stats()
    assert stats["by_fault"] == {"server_error": 1}
    assert stats["requests"] == 1
    assert 0 < stats["cpu_seconds"] < 10


def test_simulated_reader_in_its_own_process() -> None:
    """An unknown question is told as such: the reader behind the server is the simulated one."""
    arguments = ("--simulate", str(GOLD), "--mistakes", "digit_error=0.1", "--key", "secret", "--models", "m")
    with server_process(*arguments) as server, pytest.raises(openai.AuthenticationError):
        ask(server.base_url, KEY)
    with server_process(*arguments[:4]) as server, pytest.raises(openai.UnprocessableEntityError) as caught:
        ask(server.base_url, KEY)
    assert caught.value.code == "unknown_question"


def test_process_that_does_not_start_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="did not start"), server_process("--replies"):
        pass


# ---------------------------------------------------------------- connections


def test_what_is_not_http_is_answered_with_400_and_the_connection_closed() -> None:
    with running_server(QueuedAnswers([{}])) as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        client.settimeout(5)
        client.sendall(b"\x16\x03\x01 no http at all\r\n\r\n")
        said = b""
        while part := client.recv(4096):
            said += part
    assert said.startswith(b"HTTP/1.1 400 ")


def test_connection_carries_many_requests_and_ends_when_asked() -> None:
    request = b"GET /v1/models HTTP/1.1\r\nHost: x\r\n"
    with running_server(QueuedAnswers([{}])) as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        client.settimeout(5)
        client.sendall(request + b"\r\n" + request + b"\r\n" + request + b"Connection: close\r\n\r\n")
        said = b""
        while part := client.recv(65536):
            said += part
        assert server.stats["by_status"] == {"200": 3}
    assert said.count(b"HTTP/1.1 200 ") == 3


def test_client_that_waits_for_leave_to_send_its_body() -> None:
    body = json.dumps({"model": "m", "messages": ASKED}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with running_server(QueuedAnswers([{}])) as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        client.settimeout(5)
        client.sendall(head.encode())
        assert client.recv(4096).startswith(b"HTTP/1.1 100 ")
        client.sendall(body)
        assert client.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_clients_that_leave_early_do_no_harm() -> None:
    with running_server(QueuedAnswers([{}]), options=Options(delay=0.05)) as server:
        for sent in (b"", b"POST /v1/chat", b"POST /v1/models HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\n\r\n{"):
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                client.sendall(sent)
        assert ask(server.base_url, "") == "{}"


def test_stats_are_for_everyone_and_count_nothing() -> None:
    with running_server(QueuedAnswers([{}]), options=Options(api_key="secret")) as server:
        for _ in range(2):
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/stats", timeout=5) as response:
                stats = json.load(response)
    assert stats["requests"] == 0


def test_port_that_is_taken_is_an_error() -> None:
    with (
        running_server(QueuedAnswers([{}])) as server,
        pytest.raises(OSError, match="in use"),
        running_server(QueuedAnswers([{}]), options=Options(port=server.port)),
    ):
        pass
