"""Answering calls: out of the journal if it is there, from the server once if not, and then into the journal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extractor.llm.asker import JournalAsker
from extractor.llm.budget import Budget, Limits
from extractor.llm.calls import (
    BudgetReached,
    Call,
    CallError,
    Reply,
    ReplyInvalid,
    ReplyMissing,
    ReplyTruncated,
    ServerUnavailable,
    Usage,
    call_key,
)
from extractor.llm.client import ModelClient
from extractor.llm.wire import TableRows
from extractor.settings import Price, Settings
from extractor.store.journal import Journal
from extractor.store.rows import StoredReply
from tests.unit.llm.asking import ROWS, make_call
from tests.unit.llm.scripted_server import Answer, Behaviour, Request, ScriptedServer, completion, error, running

MODEL, PARAMETERS = "model-a", {"temperature": 0}
PRICE = Price(input=1.0, output=10.0)


async def _wait_no_time(seconds: float) -> None:
    await asyncio.sleep(0)


class Desk:
    """A server, an asker in front of it, and the journal behind both."""

    def __init__(self, server: ScriptedServer, journal: Journal, asker: JournalAsker) -> None:
        self.server = server
        self.journal = journal
        self.asker = asker

    async def ask(self, call: Call | None = None) -> Reply:
        return await self.asker.ask(call or make_call())

    def stored(self, call: Call | None = None) -> StoredReply | None:
        return self.journal.find(self.asker.key(call or make_call()))


@asynccontextmanager
async def desk(
    *script: Answer | Behaviour,
    budget: Budget | None = None,
    where: str = ":memory:",
    keeps_requests: bool = True,
    **settings: Any,
) -> AsyncIterator[Desk]:
    given: dict[str, Any] = {"model": MODEL, "reply_mode": "json_schema"} | settings
    async with running(*script) as server:
        with Journal.open(where) as journal:
            budget = budget or Budget(Limits(), Limits(), None)
            asker = JournalAsker(
                MODEL, PARAMETERS, journal, cost=budget.cost, run_id="run-1", keeps_requests=keeps_requests
            )
            asker.client = ModelClient(
                Settings(base_url=server.url, **given), budget=budget, on_attempt=asker.book, sleep=_wait_no_time
            )
            try:
                yield Desk(server, journal, asker)
            finally:
                await asker.client.aclose()


def on_desk(work: Callable[[Desk], Any], *script: Answer | Behaviour, **given: Any) -> Any:
    async def do() -> Any:
        async with desk(*script, **given) as opened:
            return await work(opened)

    return asyncio.run(do())


# ---------------------------------------------------------------- the journal first


def test_a_reply_is_kept_and_not_paid_for_again() -> None:
    async def work(on: Desk) -> None:
        first, second = await on.ask(), await on.ask()
        assert first.value == second.value == TableRows.model_validate_json(ROWS)
        assert (first.is_cached, second.is_cached) == (False, True)
        assert first.usage == second.usage == Usage(100, 20)
        assert first.key == second.key == call_key(make_call(), MODEL, PARAMETERS)
        assert len(on.server.requests) == 1
        assert on.journal.spent().calls == 1
        assert on.asker.replied == {("live", False): 1, ("live", True): 1}

    on_desk(work, completion(ROWS))


def test_a_journal_that_was_closed_answers_the_next_program(tmp_path: Path) -> None:
    async def ask(on: Desk) -> tuple[bool, int]:
        return (await on.ask()).is_cached, len(on.server.requests)

    where = str(tmp_path / "journal.sqlite")
    assert on_desk(ask, completion(ROWS), where=where) == (False, 1)
    assert on_desk(ask, error(500), where=where) == (True, 0)


def test_what_is_kept_says_where_it_comes_from_and_what_it_cost() -> None:
    async def work(on: Desk) -> None:
        await on.ask()
        stored = on.stored()
        assert stored is not None
        assert (stored.task, stored.model, stored.origin) == ("applications", MODEL, "live")
        assert dict(stored.parameters) == PARAMETERS
        assert json.loads(stored.reply) == json.loads(ROWS)
        assert json.loads(stored.request or "") == {"system": "instruction", "user": "the table"}
        assert (stored.input_tokens, stored.output_tokens, stored.mode) == (100, 20, "json_schema")
        assert stored.cost_usd == pytest.approx((100 * 1 + 20 * 10) / 1e6)

    on_desk(work, completion(ROWS), budget=Budget(Limits(), Limits(), PRICE))


def test_text_of_documents_is_not_kept_where_that_is_not_wanted() -> None:
    async def work(on: Desk) -> None:
        await on.ask()
        stored = on.stored()
        assert stored is not None
        assert stored.request is None

    on_desk(work, completion(ROWS), keeps_requests=False)


@pytest.mark.parametrize(
    "other",
    [
        make_call("another table"),
        make_call(round=1),
        make_call(max_output_tokens=501),
        replace(make_call(), system="another instruction"),
    ],
    ids=["text", "round", "limit", "instruction"],
)
def test_another_question_is_asked(other: Call) -> None:
    async def work(on: Desk) -> int:
        await on.ask()
        await on.ask(other)
        return len(on.server.requests)

    assert on_desk(work, completion(ROWS)) == 2


def test_the_same_question_about_another_document_is_not() -> None:
    """Tables of zeros are alike to the letter."""

    async def work(on: Desk) -> int:
        await on.ask()
        assert (await on.ask(make_call(document_id="e" * 64))).is_cached
        return len(on.server.requests)

    assert on_desk(work, completion(ROWS)) == 1


def test_a_recorded_reply_that_does_not_fit_is_invalid_and_nothing_is_sent_for_it() -> None:
    """Written by hand, and wrong: whoever asks may go on to another round."""

    async def work(on: Desk) -> None:
        key = on.asker.key(make_call())
        on.journal.add(StoredReply(key, "applications", MODEL, {}, "1", "h", '{"lines":[]}', "written by hand"))
        with pytest.raises(ReplyInvalid):
            await on.ask()
        assert on.server.requests == []
        assert not (await on.ask(make_call(round=1))).is_cached

    on_desk(work, completion(ROWS))


# ---------------------------------------------------------------- at the same time


def test_the_same_call_is_never_in_flight_twice() -> None:
    async def work(on: Desk) -> None:
        replies = await asyncio.gather(*(on.ask() for _ in range(20)))
        assert len(on.server.requests) == 1
        assert len({id(reply.value) for reply in replies}) == 1
        assert on.journal.spent().calls == 1

    on_desk(work, completion(ROWS))


def test_different_calls_go_at_the_same_time() -> None:
    async def slow(request: Request) -> Answer:
        await asyncio.sleep(0.05)
        return completion(ROWS)

    async def work(on: Desk) -> None:
        await asyncio.gather(*(on.ask(make_call(f"table {number}")) for number in range(8)))
        assert on.server.most_in_flight > 1
        assert len(on.server.requests) == 8

    on_desk(work, slow)


def test_who_waits_for_a_call_of_another_one_hears_of_its_failure() -> None:
    async def work(on: Desk) -> None:
        results = await asyncio.gather(*(on.ask() for _ in range(3)), return_exceptions=True)
        assert [type(result) for result in results] == [ReplyTruncated] * 3
        assert len(on.server.requests) == 1

    on_desk(work, completion(ROWS, finish="length"))


def test_one_who_stops_waiting_does_not_stop_the_call() -> None:
    async def slow(request: Request) -> Answer:
        await asyncio.sleep(0.05)
        return completion(ROWS)

    async def work(on: Desk) -> None:
        sender = asyncio.ensure_future(on.ask())
        await asyncio.sleep(0)
        waiter = asyncio.ensure_future(on.ask())
        await asyncio.sleep(0)
        waiter.cancel()
        with suppress(asyncio.CancelledError):
            await waiter
        assert waiter.cancelled()
        assert not (await sender).is_cached
        assert on.stored() is not None

    on_desk(work, slow)


def test_the_limit_of_another_document_is_not_mine() -> None:
    """Two documents ask the same. The first one's limit lets it ask only once, and that was for something else."""
    go = asyncio.Event()

    async def slow(request: Request) -> Answer:
        await go.wait()
        return completion(ROWS)

    async def work(on: Desk) -> None:
        one_call = asyncio.ensure_future(on.ask(make_call("first", document_id="a")))
        await asyncio.sleep(0.05)
        over_limit = asyncio.ensure_future(on.ask(make_call("same", document_id="a")))
        await asyncio.sleep(0)
        of_other = asyncio.ensure_future(on.ask(make_call("same", document_id="b")))
        await asyncio.sleep(0)
        go.set()
        await one_call
        with pytest.raises(BudgetReached):
            await over_limit
        assert (await of_other).value == TableRows.model_validate_json(ROWS)

    on_desk(work, slow, budget=Budget(Limits(), Limits(max_calls=1), None))


# ---------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("answer", "failure", "outcome"),
    [
        (completion("no JSON"), ReplyInvalid, "invalid"),
        (completion('{"lines":[]}'), ReplyInvalid, "invalid"),
        (completion(ROWS, finish="length"), ReplyTruncated, "truncated"),
        (error(400), CallError, "http-400"),
    ],
)
def test_a_failure_is_booked_and_asked_again_the_next_time(
    answer: Answer, failure: type[Exception], outcome: str
) -> None:
    async def work(on: Desk) -> None:
        with pytest.raises(failure):
            await on.ask()
        assert on.stored() is None
        assert on.journal.spent("run-1").calls == 1
        assert (await on.ask()).value == TableRows.model_validate_json(ROWS)
        assert len(on.server.requests) == 2
        assert on.journal.spent("run-1").calls == 2

    on_desk(work, answer, completion(ROWS))


def test_every_try_is_booked_with_its_tokens() -> None:
    """Two fail, one is answered; whoever pays must see all three."""

    async def work(on: Desk) -> None:
        await on.ask()
        spent = on.journal.spent("run-1")
        assert spent.calls == len(on.server.requests) == 3
        assert (spent.input_tokens, spent.output_tokens) == (100, 20)
        assert on.journal.spent("another run").calls == 0

    on_desk(work, error(500), error(503), completion(ROWS))


def test_a_server_that_fails_every_try_is_told_as_such() -> None:
    async def work(on: Desk) -> None:
        with pytest.raises(ServerUnavailable):
            await on.ask()
        assert on.journal.spent().calls == 4
        assert on.stored() is None

    on_desk(work, error(500), call_attempts=4)


def test_a_request_that_was_given_up_is_booked() -> None:
    async def never(request: Request) -> Answer:
        await asyncio.sleep(60)
        return completion(ROWS)

    async def work(on: Desk) -> None:
        asked = asyncio.ensure_future(on.ask())
        while not on.server.requests:
            await asyncio.sleep(0.01)
        asked.cancel()
        with suppress(asyncio.CancelledError):
            await asked
        assert on.journal.spent("run-1").calls == 1
        assert on.stored() is None

    on_desk(work, never)


def test_costs_are_booked_where_the_price_is_known_and_counted_where_it_is_not() -> None:
    async def work(on: Desk) -> tuple[float, int]:
        await on.ask()
        spent = on.journal.spent()
        return spent.cost_usd, spent.unpriced_calls

    priced = on_desk(work, completion(ROWS), budget=Budget(Limits(), Limits(), PRICE))
    assert priced == (pytest.approx(300e-6), 0)
    assert on_desk(work, completion(ROWS)) == (0.0, 1)


# ---------------------------------------------------------------- without a server


def test_without_a_server_a_call_that_is_not_on_record_is_missing_and_told() -> None:
    told: list[tuple[str, Call]] = []
    with Journal.open(":memory:") as journal:
        asker = JournalAsker(MODEL, PARAMETERS, journal, on_missing=lambda key, call: told.append((key, call)))
        for _ in range(2):
            with pytest.raises(ReplyMissing):
                asyncio.run(asker.ask(make_call()))
        assert asker.missing == 2
        assert told == [(asker.key(make_call()), make_call())] * 2
        assert asker.replied == {}


@pytest.mark.parametrize(("model", "parameters"), [("model-b", PARAMETERS), (MODEL, {"temperature": 0.7}), (MODEL, {})])
def test_replies_of_another_model_or_other_parameters_do_not_count(model: str, parameters: dict[str, object]) -> None:
    with Journal.open(":memory:") as journal:
        key = call_key(make_call(), MODEL, PARAMETERS)
        journal.add(StoredReply(key, "applications", MODEL, PARAMETERS, "1", "h", ROWS, "live"))
        assert asyncio.run(JournalAsker(MODEL, PARAMETERS, journal).ask(make_call())).is_cached
        with pytest.raises(ReplyMissing):
            asyncio.run(JournalAsker(model, parameters, journal).ask(make_call()))
