"""Every fault as a client meets it, and the plans that say which request meets which."""

from __future__ import annotations

import asyncio
import http.client
import time
from typing import Any, get_args

import httpx2
import openai
import pytest

from tests.loopback.answerers import QueuedAnswers
from tests.loopback.clients import connect
from tests.loopback.faults import (
    Arrival,
    CrowdedFaults,
    Fault,
    FaultKind,
    FaultPlan,
    NoFaults,
    ScriptedFaults,
    SeededFaults,
)
from tests.loopback.server import LoopbackServer, Options, running_server

ROWS = {"rows": [["1", "12", None, "0"], ["2", "4", "0", "7"]]}
ASKED = [{"role": "user", "content": "规章|12||0"}]
EVERY_REQUEST = 100


def always(kind: FaultKind, seconds: float = 1.0) -> ScriptedFaults:
    return ScriptedFaults({number: Fault(kind, seconds) for number in range(1, EVERY_REQUEST)})


def ask(server: LoopbackServer, content: str = "规章|12||0", timeout: float = 10.0) -> Any:
    return connect(server.base_url, timeout=timeout).chat.completions.create(
        model="m", messages=[{"role": "user", "content": content}]
    )


def failure(kind: FaultKind, seconds: float = 1.0, timeout: float = 10.0) -> Exception:
    with running_server(QueuedAnswers([ROWS]), always(kind, seconds)) as server:
        with pytest.raises((openai.APIError, ValueError)) as caught:
            ask(server, timeout=timeout)
        assert [hit.fault.kind for hit in server.hits] == [kind]
        assert server.chats[0].fault == Fault(kind, seconds)
    return caught.value


# ---------------------------------------------------------------- what a client meets


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("rate_limited", {"retry-after": "0.25"}),
        ("rate_limited_ms", {"retry-after-ms": "250"}),
        ("rate_limited_bare", {}),
    ],
)
def test_too_many_requests(kind: FaultKind, headers: dict[str, str]) -> None:
    error = failure(kind, 0.25)
    assert isinstance(error, openai.RateLimitError)
    assert error.code == "rate_limit_exceeded"
    told = {name: text for name, text in error.response.headers.items() if name.startswith("retry")}
    assert told == headers


def test_spent_quota_is_a_429_that_no_waiting_mends() -> None:
    error = failure("quota_spent")
    assert isinstance(error, openai.RateLimitError)
    assert error.code == "insufficient_quota"
    assert "retry-after" not in error.response.headers


@pytest.mark.parametrize(("kind", "status"), [("server_error", 500), ("unavailable", 503), ("proxy_page", 502)])
def test_server_errors(kind: FaultKind, status: int) -> None:
    error = failure(kind)
    assert isinstance(error, openai.InternalServerError)
    assert error.status_code == status
    assert ("<html>" in error.response.text) is (kind == "proxy_page")


def test_hanging_request_ends_only_by_the_client() -> None:
    assert isinstance(failure("hang", timeout=0.3), openai.APITimeoutError)


def test_hanging_request_is_given_up_when_the_client_leaves() -> None:
    with running_server(QueuedAnswers([ROWS]), always("hang")) as server:
        with pytest.raises(openai.APITimeoutError):
            ask(server, timeout=0.3)
        deadline = time.monotonic() + 5
        while server.stats["in_flight"] and time.monotonic() < deadline:
            time.sleep(0.01)
        assert server.stats["in_flight"] == 0


def test_connection_cut_before_the_headers() -> None:
    error = failure("cut_before_headers")
    assert isinstance(error, openai.APIConnectionError)
    assert not isinstance(error, openai.APITimeoutError)


def test_connection_cut_in_the_body() -> None:
    """The bytes that came are the beginning of a good reply of the length that was announced."""
    with running_server(QueuedAnswers([ROWS]), always("cut_in_body")) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("POST", "/v1/chat/completions", b'{"model": "m", "messages": [{"role": "user"}]}')
        response = connection.getresponse()
        announced = int(response.headers["content-length"])
        with pytest.raises(http.client.IncompleteRead) as caught:
            response.read()
        with pytest.raises((openai.APIConnectionError, httpx2.RemoteProtocolError)):
            ask(server)
    assert len(caught.value.partial) == announced // 2
    assert caught.value.partial.startswith(b'{"id":"chatcmpl-')


def test_file_may_be_cut_too() -> None:
    faults = ScriptedFaults({1: "cut_in_body"}, path="/v1/files/file-000001/content")
    with running_server(QueuedAnswers([ROWS]), faults) as server:
        client = connect(server.base_url)
        file = client.files.create(file=("x.jsonl", b"{}" * 50), purpose="batch")
        with pytest.raises((openai.APIConnectionError, httpx2.RemoteProtocolError)):
            client.files.content(file.id)
        assert client.files.content(file.id).content == b"{}" * 50


def test_slow_reply_comes_whole() -> None:
    with running_server(QueuedAnswers([ROWS]), always("slow", 0.3)) as server:
        before = time.monotonic()
        assert ask(server).choices[0].finish_reason == "stop"
        assert time.monotonic() - before >= 0.3


@pytest.mark.parametrize(
    ("kind", "finish", "begins"),
    [
        ("invalid_json", "stop", '{"rows": [["1", "12", null'),
        ("wrong_schema", "stop", '{"answer"'),
        ("empty", "stop", ""),
        ("content_filter", "content_filter", ""),
        ("truncated", "length", '{"rows": [["1", "12", null'),
        ("no_usage", "stop", '{"rows": [["1", "12", null'),
    ],
)
def test_bad_content(kind: FaultKind, finish: str, begins: str) -> None:
    with running_server(QueuedAnswers([ROWS]), always(kind)) as server:
        reply = ask(server)
        good = QueuedAnswers([ROWS])
    with running_server(good) as server:
        whole = ask(server).choices[0].message.content
    content = reply.choices[0].message.content
    assert reply.choices[0].finish_reason == finish
    assert content.startswith(begins)
    assert (content == whole) is (kind == "no_usage")
    assert (reply.usage is None) is (kind == "no_usage")


def test_refusal() -> None:
    with running_server(QueuedAnswers([ROWS]), always("refusal")) as server:
        message = ask(server).choices[0].message
    assert message.content is None
    assert message.refusal


@pytest.mark.parametrize("kind", ["refusal", "empty", "truncated"])
def test_content_faults_in_a_tool_call(kind: FaultKind) -> None:
    """A refusal or an empty reply is no call; a cut one has cut arguments."""
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    named = {"type": "function", "function": {"name": "f"}}
    with running_server(QueuedAnswers([ROWS]), always(kind)) as server:
        client = connect(server.base_url)
        reply = client.chat.completions.create(model="m", messages=ASKED, tools=[tool], tool_choice=named)  # type: ignore[call-overload]
    calls = reply.choices[0].message.tool_calls
    if kind == "truncated":
        assert calls[0].function.arguments.startswith('{"rows": [["1"')
        assert reply.choices[0].finish_reason == "length"
    else:
        assert calls is None


def test_every_kind_of_fault_is_tried_above() -> None:
    tried = {"rate_limited", "rate_limited_ms", "rate_limited_bare", "quota_spent", "server_error", "unavailable"}
    tried |= {"proxy_page", "hang", "cut_before_headers", "cut_in_body", "slow", "invalid_json", "wrong_schema"}
    tried |= {"empty", "refusal", "content_filter", "truncated", "no_usage"}
    assert tried == set(get_args(FaultKind))


# ---------------------------------------------------------------- which request


def test_script_hits_by_number_and_leaves_the_rest() -> None:
    with running_server(QueuedAnswers([ROWS]), ScriptedFaults({2: "server_error"})) as server:
        assert ask(server).choices
        with pytest.raises(openai.InternalServerError):
            ask(server)
        assert ask(server).choices
        assert [(hit.number, hit.attempt) for hit in server.hits] == [(2, 1)]
        assert server.stats["by_fault"] == {"server_error": 1}
        assert server.stats["by_status"] == {"200": 2, "500": 1}


def test_script_may_be_for_another_path() -> None:
    with running_server(QueuedAnswers([ROWS]), ScriptedFaults({1: "unavailable"}, path="/v1/models")) as server:
        assert ask(server).choices
        with pytest.raises(openai.InternalServerError):
            connect(server.base_url).models.list()


def decide(plan: FaultPlan, bodies: list[bytes]) -> dict[bytes, FaultKind | None]:
    faults = {body: plan.choose(Arrival("/v1/chat/completions", n, body, 1)) for n, body in enumerate(bodies)}
    return {body: fault.kind if fault else None for body, fault in faults.items()}


BODIES = [str(number).encode() for number in range(400)]
RATES: dict[FaultKind, float] = {"rate_limited": 0.2, "truncated": 0.1}


def test_seeded_faults_do_not_depend_on_the_order_of_arrival() -> None:
    there = decide(SeededFaults(7, RATES), BODIES)
    assert there == decide(SeededFaults(7, RATES), BODIES[::-1])
    assert there != decide(SeededFaults(8, RATES), BODIES)


def test_seeded_faults_keep_to_their_rates_and_tell_what_they_hit() -> None:
    plan = SeededFaults(7, RATES)
    kinds = decide(plan, BODIES)
    assert 60 <= list(kinds.values()).count("rate_limited") <= 100
    assert 25 <= list(kinds.values()).count("truncated") <= 55
    assert {hit.number: hit.fault.kind for hit in plan.hits} == {
        n: kind for n, kind in enumerate(kinds.values()) if kind
    }


def test_seeded_faults_end_for_a_request_that_had_its_share() -> None:
    plan = SeededFaults(1, {"server_error": 1.0}, limit=2)
    assert [decide(plan, [b"same"])[b"same"] for _ in range(4)] == ["server_error", "server_error", None, None]
    assert [(hit.attempt, hit.digest) for hit in plan.hits] == [(0, plan.hits[0].digest), (1, plan.hits[0].digest)]


@pytest.mark.parametrize("rates", [{"server_error": 0.7, "hang": 0.6}, {"nonsense": 0.1}])
def test_impossible_rates_are_an_error(rates: Any) -> None:
    with pytest.raises(ValueError, match="fault rates"):
        SeededFaults(1, rates)


def test_nothing_happens_without_a_plan() -> None:
    assert set(decide(NoFaults(), BODIES).values()) == {None}


def test_crowd_is_sent_away() -> None:
    async def go(server: LoopbackServer) -> list[object]:
        async with openai.AsyncOpenAI(base_url=server.base_url, api_key="k", max_retries=0) as client:
            calls = (client.chat.completions.create(model="m", messages=ASKED) for _ in range(6))  # type: ignore[arg-type]
            return await asyncio.gather(*calls, return_exceptions=True)

    with running_server(QueuedAnswers([ROWS]), CrowdedFaults(4), Options(delay=0.3)) as server:
        results = asyncio.run(go(server))
        assert len(server.hits) == 2
    assert sum(isinstance(result, openai.RateLimitError) for result in results) == 2
