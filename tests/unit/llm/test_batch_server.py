"""Files and batches over real HTTP: pages, failures, and what is said about them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import Request, urlopen

import pytest

from extractor.llm.batch_remote import CreationUnknown
from extractor.llm.batch_server import BatchServer, read_completion
from extractor.llm.calls import CallError, ServerRefused, ServerUnavailable
from extractor.llm.exchange import Exchange
from extractor.llm.request import MODES, build_body
from extractor.settings import Settings
from tests.loopback.chat import Capabilities
from tests.loopback.faults import Fault, ScriptedFaults
from tests.loopback.messages import Answer, answer_json
from tests.loopback.server import LoopbackServer, Options, running_server
from tests.unit.llm.batching import answer_anything, make_call

T = TypeVar("T")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def ask(base_url: str, do: Callable[[BatchServer], Awaitable[T]], sleeps: list[float] | None = None, **more: Any) -> T:
    """One thing that is done on a server."""

    async def sleep(seconds: float) -> None:
        if sleeps is not None:
            sleeps.append(seconds)

    async def work() -> T:
        server = BatchServer(Settings(model="m", base_url=base_url, **more), sleep=sleep)
        try:
            return await do(server)
        finally:
            await server.aclose()

    return asyncio.run(work())


async def make_batches(server: BatchServer, folder: Path, count: int) -> list[str]:
    """Batches of one file; their names on the server."""
    path = folder / "lines.jsonl"
    path.write_text("{}\n", encoding="utf-8")
    file_id = await server.upload(path, "lines.jsonl")
    return [(await server.create(file_id, f"name {number}")).id for number in range(count)]


# ---------------------------------------------------------------- what is there


def test_all_pages_of_a_long_list_are_read(tmp_path: Path) -> None:
    async def do(server: BatchServer) -> tuple[list[str], list[str], int]:
        made = await make_batches(server, tmp_path, 205)
        listed = await server.list_since(LONG_AGO)
        future = await server.list_since(datetime.now(UTC) + timedelta(days=1))
        assert {batch.name for batch in listed} == {f"name {number}" for number in range(205)}
        return made, [batch.id for batch in listed], len(future)

    with running_server(answer_anything) as server:
        made, listed, in_future = ask(server.base_url, do)
    assert listed == made[::-1]
    assert in_future == 0


def test_what_is_not_there_is_told_from_what_fails(tmp_path: Path) -> None:
    async def do(server: BatchServer) -> None:
        assert await server.retrieve("batch_1") is None
        assert await server.download("file-1", tmp_path / "file") is False
        await server.delete_file("file-1")

    with running_server(answer_anything) as server:
        ask(server.base_url, do)
        with pytest.raises(CallError, match="does not find the file of batch b1"):
            ask(server.base_url, lambda server: server.create("file-1", "b1"))


def test_a_file_comes_back_as_it_went_up(tmp_path: Path) -> None:
    content = ("字" * 100_000 + "\n").encode() * 10
    (tmp_path / "up.jsonl").write_bytes(content)

    async def do(server: BatchServer) -> None:
        file_id = await server.upload(tmp_path / "up.jsonl", "up.jsonl")
        assert await server.download(file_id, tmp_path / "down")

    with running_server(answer_anything) as server:
        ask(server.base_url, do)
    assert (tmp_path / "down").read_bytes() == content


# ---------------------------------------------------------------- what fails


def test_a_server_without_batches_is_told_with_the_remedy() -> None:
    with running_server(answer_anything) as server:
        address = f"http://127.0.0.1:{server.port}/elsewhere"
        with pytest.raises(ServerRefused, match=r"no batch endpoints \(HTTP 404.*extractor run.*EXTRACTOR_BASE_URL"):
            ask(address, lambda server: server.check())


def test_a_wrong_key_is_told_with_the_remedy() -> None:
    with running_server(answer_anything, options=Options(api_key="right")) as server:
        with pytest.raises(ServerRefused, match="Correct EXTRACTOR_API_KEY") as caught:
            ask(server.base_url, lambda server: server.check(), api_key="wrong-and-secret")
        ask(server.base_url, lambda server: server.check(), api_key="right")
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None  # they would quote what was sent


@pytest.mark.parametrize("kind", ["server_error", "unavailable", "proxy_page", "rate_limited", "cut_before_headers"])
def test_what_may_pass_is_tried_again(kind: Any) -> None:
    sleeps: list[float] = []
    faults = ScriptedFaults({1: Fault(kind, 7), 2: Fault(kind, 7)}, path="/v1/batches")
    with running_server(answer_anything, faults) as server:
        ask(server.base_url, lambda server: server.check(), sleeps)
    assert len(sleeps) == (1 if kind == "cut_before_headers" else 2)  # the HTTP library itself tries that once more
    if kind == "rate_limited":
        assert min(sleeps) >= 7


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with running_server(answer_anything) as server:
        gone = server.base_url
    with pytest.raises(ServerUnavailable, match=r"listing batches: 3 tries .* the last: connection"):
        ask(gone, lambda server: server.check(), call_attempts=3)


def test_a_server_that_says_nothing_is_given_up() -> None:
    faults = ScriptedFaults({1: "hang"}, path="/v1/batches")
    refusal = pytest.raises(ServerUnavailable, match="the last: timeout")
    with running_server(answer_anything, faults) as server, refusal:
        ask(server.base_url, lambda server: server.check(), call_attempts=1, call_timeout_s=0.2)


def test_making_a_batch_is_not_repeated_blindly(tmp_path: Path) -> None:
    async def do(server: BatchServer) -> None:
        await make_batches(server, tmp_path, 1)

    with running_server(answer_anything, ScriptedFaults({1: "server_error"}, path="/v1/batches")) as server:
        with pytest.raises(CreationUnknown, match="did not say how it ended"):
            ask(server.base_url, do)
        assert sum(seen.path == "/v1/batches" for seen in server.requests) == 1


async def _serve(pieces: list[list[bytes]], use: Callable[[str], Awaitable[None]]) -> None:
    """A server that gives each connection its bytes and closes it, which the loopback server does not do for files."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.writelines(pieces.pop(0))
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with listener:
        await use(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1")


def test_a_file_that_breaks_off_is_fetched_again(tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\n"
    cut = [head + b"content-length: 9\r\n\r\n", b"abc"]
    cut_between = [head + b"transfer-encoding: chunked\r\n\r\n", b"3\r\nabc\r\n"]
    whole = [head + b"content-length: 9\r\n\r\n", b"abcdefghi"]
    sleeps: list[float] = []

    async def use(address: str) -> None:
        async def sleep(seconds: float) -> None:
            sleeps.append(seconds)

        server = BatchServer(Settings(model="m", base_url=address), sleep=sleep)
        assert await server.download("file-1", tmp_path / "file")
        await server.aclose()

    asyncio.run(_serve([cut, cut_between, whole], use))
    assert (tmp_path / "file").read_bytes() == b"abcdefghi"
    assert len(sleeps) == 2


def test_a_page_instead_of_an_answer_is_told_with_the_remedy() -> None:
    page = [b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>"]

    async def use(address: str) -> None:
        server = BatchServer(Settings(model="m", base_url=address))
        with pytest.raises(ServerRefused, match=r"a page instead of JSON.*Correct EXTRACTOR_BASE_URL"):
            await server.check()
        await server.aclose()

    asyncio.run(_serve([page], use))


# ---------------------------------------------------------------- replies


_KINDS = (None, "truncated", "refusal", "content_filter", "invalid_json", "wrong_schema", "empty", "no_usage")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", _KINDS)
def test_a_reply_is_judged_as_a_live_one(kind: Any, mode: Any) -> None:
    """The same bytes, once through the live path and once out of a file."""
    call = make_call(1)
    body = build_body(call, mode, model="m", parameters={"max_tokens": 300})
    faults = ScriptedFaults(dict.fromkeys((1, 2), kind) if kind else {})
    options = Options(capabilities=Capabilities(wraps="fence"))

    async def send(server: LoopbackServer) -> Any:
        exchange = Exchange(Settings(model="m", base_url=server.base_url))
        live = await exchange.request(call, "k" * 64, mode, body)
        await exchange.aclose()
        return live

    with running_server(lambda request: answer_rows(), faults, options) as server:
        live = asyncio.run(send(server))
        recorded = json.loads(post(server, body))
    about = f"{call.task} (document {call.document_id[:12]}, call {'k' * 12})"
    assert repr(read_completion(recorded, call, mode, about)) == repr(live)  # exceptions are equal to themselves alone
    assert live.outcome == {"refusal": "refused", "content_filter": "filtered", "truncated": "truncated"}.get(
        kind, "ok" if kind in (None, "no_usage") else "invalid"
    )


def answer_rows() -> Answer:
    return answer_json({"rows": [["1", "2", None]]})


def post(server: LoopbackServer, body: Any) -> bytes:
    url = f"{server.base_url}/chat/completions"
    with urlopen(Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})) as response:  # noqa: S310
        return bytes(response.read())


@pytest.mark.parametrize(
    "body", [None, "text", [], {}, {"choices": []}, {"choices": [{"message": None}]}, {"choices": 3}]
)
def test_what_is_no_completion_is_no_reply(body: Any) -> None:
    ending = read_completion(body, make_call(1), "json_schema", "a call")
    assert (ending.outcome, ending.value, ending.usage) == ("invalid", None, None)
