"""Every request reserves its worst case before it is sent."""

import asyncio

import pytest

from extractor.llm.budget import Budget, Limits
from extractor.llm.calls import BudgetReached, ServerUnavailable, Usage
from tests.unit.llm.asking import ROWS, asking, make_call
from tests.unit.llm.scripted_server import completion, error, running


def make_budget(**limits):
    return Budget(Limits(**limits), Limits(), None)


def test_a_try_again_reserves_again_and_is_refused_over_the_limit():
    async def run():
        budget = make_budget(max_calls=2)
        async with running(error(503)) as server, asking(server, budget=budget) as told:
            with pytest.raises(BudgetReached):
                await told.send()
            return len(server.requests), told.outcomes, budget.spent

    seen, outcomes, spent = asyncio.run(run())
    assert seen == 2
    assert outcomes == ["http-503", "http-503"]
    assert (spent.calls, spent.input_tokens, spent.output_tokens) == (2, 0, 0)


def test_trying_the_modes_is_paid_too():
    async def run():
        budget = make_budget()

        def answer(request):
            return completion("prose") if request.mode != "json" else completion(ROWS)

        async with running(answer) as server, asking(server, budget=budget, reply_mode="auto") as told:
            await told.send()
            return budget.spent

    spent = asyncio.run(run())
    assert (spent.calls, spent.input_tokens, spent.output_tokens) == (3, 300, 60)


def test_what_the_server_counted_is_settled():
    async def run():
        budget = make_budget(max_tokens=100_000)
        async with running(completion(ROWS)) as server, asking(server, budget=budget) as told:
            await told.send_all(5)
            return budget.spent

    spent = asyncio.run(run())
    assert (spent.input_tokens, spent.output_tokens) == (500, 100)


def test_a_request_whose_cost_nobody_knows_is_charged_in_full():
    async def never(request):
        await asyncio.sleep(3600)

    async def run():
        budget = make_budget()
        async with (
            running(never) as server,
            asking(server, budget=budget, call_timeout_s=0.2, call_attempts=1) as told,
        ):
            with pytest.raises(ServerUnavailable):
                await told.send(make_call(max_output_tokens=700))
            return told.attempts[0].usage, budget.spent

    usage, spent = asyncio.run(run())
    assert usage.is_estimated
    assert (usage.output_tokens, spent.output_tokens) == (700, 700)
    assert usage.input_tokens > 0


def test_a_call_that_is_cancelled_gives_back_what_it_held():
    async def run():
        budget = make_budget(max_calls=2)
        arrived = asyncio.Event()

        async def hang(request):
            arrived.set()
            await asyncio.sleep(3600)

        async with running(hang, completion(ROWS)) as server, asking(server, budget=budget, concurrency=1) as told:
            sent, queued = (asyncio.ensure_future(told.send(make_call(text))) for text in "ab")
            await arrived.wait()
            queued.cancel()  # it never had a slot
            await asyncio.wait([queued])
            sent.cancel()
            await asyncio.wait([sent])
            assert told.outcomes == ["given-up"]
            await told.send(make_call("c"))
            return told.attempts

    given_up, ok = asyncio.run(run())
    assert given_up.usage.is_estimated
    assert ok.usage == Usage(100, 20)
