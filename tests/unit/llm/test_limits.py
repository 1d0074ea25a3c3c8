import asyncio
import selectors

import pytest

from extractor.llm.calls import Usage
from extractor.llm.limits import Rates, Slots, bound_input, estimate_tokens
from extractor.llm.tokens import bound_tokens
from tests.unit.llm.asking import ROWS, asking, make_call, make_image
from tests.unit.llm.scripted_server import completion, error, running


class SkippingSelector(selectors.DefaultSelector):
    """Does not wait: when nothing is ready, the time until the next timer is over at once."""

    skipped = 0.0

    def select(self, timeout=None):
        ready = super().select(0)
        self.skipped += 1e-9 if ready or not timeout else timeout  # a clock never stands still
        return ready


class SkippingLoop(asyncio.SelectorEventLoop):
    """A loop whose clock runs only while it would wait, so that minutes pass in no time and to the tick."""

    def __init__(self):
        self._clock = SkippingSelector()
        super().__init__(self._clock)

    def time(self):
        return self._clock.skipped


def run_skipping(coroutine):
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        return runner.run(coroutine)


async def arrivals(rates, amounts):
    """When each of these, asking at the same time and in this order, may go."""
    loop = asyncio.get_running_loop()

    async def arrive(amount):
        await rates.wait(amount)
        return round(loop.time(), 3)

    return await asyncio.gather(*(arrive(amount) for amount in amounts))


# ---------------------------------------------------------------- rates


def test_requests_are_spread_over_the_minute():
    async def run():
        return await arrivals(Rates(60, None), [0] * 12)

    assert run_skipping(run()) == [0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("per_minute", [1, 7, 100])
def test_no_minute_has_much_more_than_its_requests(per_minute):
    async def run():
        return await arrivals(Rates(per_minute, None), [0] * per_minute * 4)

    times = run_skipping(run())
    busiest = max(sum(start <= time < start + 60 for time in times) for start in times)
    assert busiest <= per_minute * 1.1 + 1
    assert times[-1] <= 60 * 4


def test_a_call_larger_than_what_may_go_at_once_waits_for_all_of_it():
    async def run():
        return await arrivals(Rates(None, 1000), [3000, 1000])

    assert run_skipping(run()) == [174, 234]


def test_a_big_call_is_not_overtaken_by_small_ones():
    async def run():
        return await arrivals(Rates(None, 1000), [100, 900, 10, 10, 10])

    times = run_skipping(run())
    assert times == sorted(times)


def test_what_a_call_did_not_use_is_given_to_the_next():
    async def run():
        rates = Rates(None, 1000)
        await rates.wait(1100)
        before = asyncio.get_running_loop().time()
        rates.settle(1100, Usage(80, 20))
        (after,) = await arrivals(rates, [1100])
        return after - before

    assert run_skipping(run()) == pytest.approx(6)  # 100 of 1100, at 1000 a minute


def test_what_a_call_used_more_is_taken_from_the_next():
    async def run():
        rates = Rates(None, 1000)
        await rates.wait(100)
        rates.settle(100, Usage(900, 200))
        return await arrivals(rates, [100])

    assert run_skipping(run()) == [66]


def test_what_the_server_did_not_count_changes_nothing():
    async def run():
        rates = Rates(None, 1000)
        await rates.wait(100)
        rates.settle(100, Usage())
        return await arrivals(rates, [100])

    assert run_skipping(run()) == [6]


def test_a_waiting_call_that_is_cancelled_lets_the_next_one_through():
    async def run():
        rates = Rates(1, None)
        await rates.wait(0)
        given_up, kept = (asyncio.ensure_future(rates.wait(0)) for _ in range(2))
        await asyncio.sleep(1)
        given_up.cancel()
        await kept
        return asyncio.get_running_loop().time()

    assert run_skipping(run()) == pytest.approx(60)


def test_without_limits_nothing_waits():
    async def run():
        return await arrivals(Rates(None, None), [10**9] * 3)

    assert run_skipping(run()) == [0, 0, 0]


def test_an_estimate_is_characters_and_half_the_reply():
    assert estimate_tokens(make_call("字" * 100, max_output_tokens=300)) == len("instruction") + 100 + 150
    assert estimate_tokens(make_call("", images=(make_image(),))) > estimate_tokens(make_call(""))


def test_a_bound_counts_all_that_is_sent():
    call = make_call("字" * 100)
    assert bound_input(call) > bound_tokens(call.system) + bound_tokens(call.user)
    assert bound_input(make_call("字" * 100, images=(make_image(),))) > bound_input(call) + 1000


# ---------------------------------------------------------------- slots


def make_slots(most):
    notices = []
    return Slots(most, notices.append), notices


def test_no_more_calls_hold_a_slot_than_there_are_and_each_gets_one_in_turn():
    async def run():
        slots, _ = make_slots(3)
        held, most, order = 0, 0, []

        async def work(number):
            nonlocal held, most
            async with slots.hold():
                order.append(number)
                held += 1
                most = max(most, held)
                await asyncio.sleep(0)
                held -= 1

        await asyncio.gather(*(work(number) for number in range(20)))
        return most, order

    assert asyncio.run(run()) == (3, list(range(20)))


@pytest.mark.parametrize("ticks", [0, 1, 2])
def test_cancelling_a_waiting_call_loses_no_slot(ticks):
    async def run():
        slots, _ = make_slots(1)
        release = asyncio.Event()

        async def work():
            async with slots.hold():
                await release.wait()

        first, second, third = (asyncio.ensure_future(work()) for _ in range(3))
        await asyncio.sleep(0)
        release.set()
        for _ in range(ticks):  # the slot is being handed to the second one
            await asyncio.sleep(0)
        second.cancel()
        await asyncio.wait_for(third, 5)
        await first
        async with asyncio.timeout(5), slots.hold():
            pass

    asyncio.run(run())


def test_refusals_of_calls_that_went_together_cut_once():
    slots, notices = make_slots(16)
    for _ in range(16):
        slots.cut(0)
    assert slots.limit == 8
    slots.cut(1)
    slots.cut(0)
    assert slots.limit == 4
    assert len(notices) == 2


def test_the_limit_stays_between_one_and_the_setting():
    slots, notices = make_slots(4)
    for number in range(10):
        slots.cut(number)
    assert slots.limit == 1
    assert ["lowered to 2" in notices[0], "lowered to 1" in notices[1], len(notices)] == [True, True, 2]
    for _ in range(1000):
        slots.raise_slowly()
    assert slots.limit == 4


def test_success_adds_one_after_a_round_of_calls():
    slots, _ = make_slots(16)
    slots.cut(0)
    assert slots.limit == 8
    for _ in range(7):
        slots.raise_slowly()
    assert slots.limit == 8
    for _ in range(3):
        slots.raise_slowly()
    assert slots.limit == 9


def test_a_burst_of_429_halves_the_calls_in_flight():
    async def run():
        together = asyncio.Barrier(8)
        refused = 0

        async def answer(request):
            nonlocal refused
            if refused < 8:
                refused += 1
                await together.wait()
                return error(429)
            await asyncio.sleep(0.005)
            return completion(ROWS)

        async with running(answer) as server, asking(server, concurrency=8) as told:
            calls = [asyncio.ensure_future(told.send(make_call(f"table {number}"))) for number in range(8)]
            while refused < 8 or server.in_flight:
                await asyncio.sleep(0.001)
            server.most_in_flight = 0
            await asyncio.gather(*calls)
            return server, told

    server, told = asyncio.run(run())
    assert told.outcomes.count("http-429") == 8
    assert server.most_in_flight <= 5  # four, and one more after four good ones
    assert len(told.notices) == 1
    assert "lowered to 4" in told.notices[0]


def test_a_limited_client_sends_no_more_than_it_may():
    async def run():
        async with running(completion(ROWS)) as server, asking(server, requests_per_minute=1) as told:
            calls = [asyncio.ensure_future(told.send(make_call(f"table {number}"))) for number in range(4)]
            await asyncio.wait(calls[:1])
            await asyncio.sleep(0.05)
            seen = len(server.requests)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            return seen

    assert asyncio.run(run()) == 1


def test_a_client_counts_what_the_server_says_and_not_what_it_expected():
    usage = {"prompt_tokens": 10**6, "completion_tokens": 1, "total_tokens": 10**6 + 1}

    async def run():
        async with running(completion(ROWS, usage=usage)) as server, asking(server, tokens_per_minute=60_000) as told:
            await told.send(make_call("first"))
            second = asyncio.ensure_future(told.send(make_call("second")))
            await asyncio.wait([second], timeout=0.05)
            second.cancel()
            await asyncio.gather(second, return_exceptions=True)
            return len(server.requests)

    assert asyncio.run(run()) == 1
