"""What the model client tells while it works, to whoever listens."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from extractor.llm.budget import Budget, Limits
from extractor.llm.calls import BudgetReached, CallError, call_key
from extractor.llm.circuit import Circuit
from extractor.llm.exchange import read_answer
from extractor.settings import Price
from extractor.telemetry.events import (
    NO_ANSWER,
    Answer,
    CallEnded,
    CallRetried,
    Event,
    LimitReached,
    RateLowered,
    Server,
    ServerBack,
    ServerDown,
)
from extractor.telemetry.watching import gather_events
from tests.unit.llm.asking import ROWS, asking, make_call
from tests.unit.llm.scripted_server import Answer as Answered
from tests.unit.llm.scripted_server import Behaviour, completion, error, running


def tell_of(*script: Answered | Behaviour, sends: int = 1, **given: Any) -> list[Event]:
    """What is told while so many calls are sent one after the other."""

    async def run() -> list[Event]:
        async with running(*script) as server, asking(server, **given) as told:
            with gather_events() as events:
                for number in range(sends):
                    try:
                        await told.send(make_call(f"table {number}"))
                    except CallError:
                        continue
            return events

    return asyncio.run(run())


def test_a_call_is_told_with_what_it_used_and_cost() -> None:
    budget = Budget(Limits(), Limits(), Price(input=10.0, output=100.0))
    (event,) = tell_of(completion(ROWS), budget=budget, api_key="secret")
    assert isinstance(event, CallEnded)
    key = call_key(make_call("table 0"), "model-a", {"temperature": 0.0})
    assert (event.document_id, event.task, event.key) == ("d" * 64, "applications", key[:12])
    assert (event.outcome, event.mode, event.max_tokens) == ("ok", "json_schema", 500)
    assert (event.input_tokens, event.output_tokens, event.is_estimated) == (100, 20, False)
    assert event.usd == pytest.approx((100 * 10 + 20 * 100) / 1e6)
    assert event.server == Server("model-a", "127.0.0.1", event.server.port, 0.0)
    assert event.answer == Answer("c", "m", "stop")
    assert event.seconds > 0


def test_a_call_without_a_price_has_no_cost() -> None:
    (event,) = tell_of(completion(ROWS))
    assert isinstance(event, CallEnded)
    assert event.usd is None


def test_a_request_that_is_sent_again_is_told_before_the_wait() -> None:
    first, retried, second = tell_of(error(500), completion(ROWS))
    assert isinstance(first, CallEnded)
    assert isinstance(second, CallEnded)
    assert isinstance(retried, CallRetried)
    assert [first.outcome, second.outcome] == ["http-500", "ok"]
    assert (retried.reason, retried.tries, retried.key) == ("http-500", 1, first.key)
    assert first.answer == NO_ANSWER


def test_the_last_try_is_not_told_as_one_that_comes_again() -> None:
    events = tell_of(error(500), error(500), call_attempts=2)
    assert [event.name for event in events] == ["call-ended", "call-retried", "call-ended"]


def test_a_lower_rate_is_told() -> None:
    events = tell_of(error(429, headers={"retry-after": "0"}), completion(ROWS), concurrency=8)
    assert [event.calls for event in events if isinstance(event, RateLowered)] == [4]


def test_a_server_that_goes_and_comes_is_told_once_each() -> None:
    circuit = Circuit(failures=1, span_s=0.0, cooldown_s=0.0)
    script = (error(503), error(503), completion(ROWS), completion(ROWS))
    events = tell_of(*script, sends=4, circuit=circuit, call_attempts=1)
    assert [event.name for event in events if not isinstance(event, CallEnded)] == [ServerDown.name, ServerBack.name]


@pytest.mark.parametrize(
    ("scope", "limits"), [("run", (Limits(max_calls=1), Limits())), ("document", (Limits(), Limits(max_calls=1)))]
)
def test_a_limit_is_told_with_its_scope(scope: str, limits: tuple[Limits, Limits]) -> None:
    async def run() -> list[Event]:
        async with running(completion(ROWS)) as server, asking(server, budget=Budget(*limits, None)) as told:
            await told.send()
            with gather_events() as events, pytest.raises(BudgetReached):
                await told.send(make_call("another"))
            return events

    (event,) = asyncio.run(run())
    assert isinstance(event, LimitReached)
    assert (event.scope, event.document_id) == (scope, "d" * 64)


@pytest.mark.parametrize("text", ["一份报告", "two words", "a" * 101, "", None, 7, "x\ny", "-option"])
def test_what_is_no_name_is_not_passed_on(text: object) -> None:
    """A server may put anything there, the document and the key among it."""
    response = SimpleNamespace(id=text, model=text, choices=[SimpleNamespace(finish_reason=text)])
    assert read_answer(response) == NO_ANSWER


def test_names_are_passed_on() -> None:
    response = SimpleNamespace(id="chatcmpl-9f.A_1", model="org/model:14b@2026", choices=[])
    assert read_answer(response) == Answer("chatcmpl-9f.A_1", "org/model:14b@2026", "")
