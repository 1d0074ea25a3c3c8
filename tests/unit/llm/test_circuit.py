import asyncio

import pytest

from extractor.llm.calls import ServerUnavailable
from extractor.llm.circuit import Circuit
from tests.unit.llm.asking import ROWS, asking
from tests.unit.llm.scripted_server import completion, error, running


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def open_circuit(clock, **changes):
    circuit = Circuit(**({"failures": 3, "span_s": 0, "cooldown_s": 30, "clock": clock} | changes))
    assert [circuit.record_failure("timeout") for _ in range(3)] == [False, False, True]
    return circuit


def test_it_opens_after_so_many_failures_in_a_row(clock):
    circuit = open_circuit(clock)
    with pytest.raises(ServerUnavailable, match="timeout"):
        circuit.check()


def test_a_success_in_between_starts_the_count_again(clock):
    circuit = Circuit(failures=3, span_s=0, clock=clock)
    for _ in range(5):
        assert not circuit.record_failure("timeout")
        assert not circuit.record_failure("timeout")
        assert not circuit.record_success()
    circuit.check()


def test_failures_of_one_moment_do_not_open_it(clock):
    circuit = Circuit(failures=3, span_s=10, clock=clock)
    assert not any(circuit.record_failure("connection") for _ in range(50))
    clock.now += 9.9
    assert not circuit.record_failure("connection")
    clock.now += 0.1
    assert circuit.record_failure("connection")


def test_after_the_cooldown_one_request_looks_and_closes_it(clock):
    circuit = open_circuit(clock)
    clock.now += 30
    circuit.check()  # whoever asks may go on to wait for a slot
    circuit.enter()
    for _ in range(2):
        with pytest.raises(ServerUnavailable):
            circuit.enter()
    assert circuit.record_success()
    assert not circuit.is_open
    circuit.enter()


def test_a_look_that_fails_begins_another_cooldown(clock):
    circuit = open_circuit(clock)
    clock.now += 30
    circuit.enter()
    assert not circuit.record_failure("http-503")
    clock.now += 29
    with pytest.raises(ServerUnavailable, match="http-503"):
        circuit.enter()
    clock.now += 1
    circuit.enter()


def test_requests_that_were_under_way_when_it_opened_do_not_prolong_the_cooldown(clock):
    circuit = open_circuit(clock)
    clock.now += 29
    assert not circuit.record_failure("timeout")
    clock.now += 1
    circuit.enter()


def test_a_look_that_is_given_up_lets_the_next_one_look(clock):
    circuit = open_circuit(clock)
    clock.now += 30
    circuit.enter()
    circuit.record_nothing()
    circuit.enter()


# ---------------------------------------------------------------- in the client


def test_calls_fail_at_once_until_the_server_works_again(clock):
    is_down = True

    async def run():
        nonlocal is_down
        async with running(lambda request: error(503) if is_down else completion(ROWS)) as server:
            circuit = Circuit(failures=4, span_s=0, clock=clock)
            async with asking(server, circuit=circuit, call_attempts=3) as told:
                ends = await told.send_all(5)
                assert all(isinstance(end, ServerUnavailable) for end in ends)
                seen = len(server.requests)
                ends = await told.send_all(20)
                assert all(isinstance(end, ServerUnavailable) for end in ends)
                assert len(server.requests) == seen
                clock.now += 30
                is_down = False
                await told.send()
                assert len(server.requests) == seen + 1
                ends = await told.send_all(5)
                assert not any(isinstance(end, Exception) for end in ends)
                return told.notices

    notices = asyncio.run(run())
    assert len(notices) == 2
    assert "does not work" in notices[0]
    assert "http-503" in notices[0]
    assert "works again" in notices[1]


@pytest.mark.parametrize("answer", [error(429), error(400), completion("no json")])
def test_a_server_that_answers_opens_nothing(answer, clock):
    async def run():
        async with running(answer) as server:
            circuit = Circuit(failures=1, span_s=0, clock=clock)
            async with asking(server, circuit=circuit, call_attempts=4) as told:
                await told.send_all(4)
                return circuit.is_open, told.notices

    is_open, notices = asyncio.run(run())
    assert not is_open
    assert not any("does not work" in notice for notice in notices)


def test_when_it_opens_calls_that_wait_for_a_slot_are_not_sent(clock):
    async def run():
        async with running(error(500)) as server:
            circuit = Circuit(failures=1, span_s=0, clock=clock)
            async with asking(server, circuit=circuit, concurrency=1) as told:
                ends = await told.send_all(10)
                return ends, len(server.requests), told.attempts

    ends, seen, attempts = asyncio.run(run())
    assert all(type(end) is ServerUnavailable for end in ends)
    assert seen == len(attempts) == 1


def test_a_call_that_is_cancelled_while_it_looks_leaves_the_looking_to_the_next(clock):
    async def run():
        arrived = asyncio.Event()

        async def hang(request):
            arrived.set()
            await asyncio.sleep(3600)

        async with (
            running(error(503), hang, completion(ROWS)) as server,
            asking(server, circuit=Circuit(failures=1, span_s=0, clock=clock), call_attempts=1) as told,
        ):
            with pytest.raises(ServerUnavailable):
                await told.send()
            clock.now += 30
            looking = asyncio.ensure_future(told.send())
            await arrived.wait()
            looking.cancel()
            await asyncio.wait([looking])
            return (await told.send()).mode

    assert asyncio.run(run()) == "json_schema"
