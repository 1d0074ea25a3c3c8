import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from extractor.llm.calls import ServerUnavailable, Usage
from extractor.llm.retries import MOST_WAIT_S, read_retry_after
from tests.unit.llm.asking import ROWS, asking, make_call
from tests.unit.llm.scripted_server import Answer, completion, error, running


def send(*script, **changes):
    """Send one call to a server that answers by the script: what came of it, and what the client told."""

    async def run():
        async with running(*script) as server, asking(server, **changes) as told:
            try:
                end = await told.send()
            except ServerUnavailable as failure:
                end = failure
            return end, told, server

    return asyncio.run(run())


TRANSIENT = [error(429), error(408), error(500), error(502), error(503), error(504), error(529), Answer(drop=True)]


@pytest.mark.parametrize("failure", TRANSIENT, ids=lambda answer: "drop" if answer.drop else str(answer.status))
def test_a_failure_that_may_pass_is_tried_again(failure):
    end, told, _ = send(failure, failure, completion(ROWS))
    name = "connection" if failure.drop else f"http-{failure.status}"
    assert told.outcomes == [name, name, "ok"]
    assert end.usage == Usage(100, 20)
    assert len(told.sleeps) == 2


@pytest.mark.parametrize("attempts", [1, 3])
def test_tries_are_counted_and_nothing_else_tries(attempts):
    end, told, server = send(error(503), call_attempts=attempts)
    assert type(end) is ServerUnavailable
    assert f"{attempts} tries" in str(end)
    assert "http-503" in str(end)
    assert len(server.requests) == len(told.attempts) == attempts
    assert len(told.sleeps) == attempts - 1


def test_waits_are_random_and_grow_no_further_than_their_bound():
    _, told, _ = send(error(500), call_attempts=12)
    bounds = [min(60, 2**tries) for tries in range(11)]
    assert all(0 <= waited <= bound for waited, bound in zip(told.sleeps, bounds, strict=True))
    assert len(set(told.sleeps)) == 11


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"retry-after": "7"}, 7), ({"retry-after-ms": "2500"}, 2.5), ({"retry-after": "99999"}, MOST_WAIT_S)],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_the_server_asks_for_is_kept(status, headers, seconds):
    _, told, _ = send(error(status, headers=headers), completion(ROWS))
    assert len(told.sleeps) == 1
    assert seconds <= told.sleeps[0] <= seconds + 1


def test_retry_after_may_be_a_date():
    def in_seconds(seconds):
        return {"retry-after": format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)}

    assert 25 < read_retry_after(in_seconds(30)) <= 30
    assert read_retry_after(in_seconds(-30)) == 0
    assert read_retry_after(in_seconds(7200)) == MOST_WAIT_S


@pytest.mark.parametrize("text", ["soon", "", "-5", "nan", "inf", "Wed, 99 Nov 2026 00:00:00 GMT"])
def test_a_wait_that_cannot_be_read_is_none(text):
    assert read_retry_after({"retry-after": text}) is None


def test_milliseconds_go_before_seconds():
    assert read_retry_after({"retry-after-ms": "100", "retry-after": "9"}) == 0.1
    assert read_retry_after({"retry-after-ms": "?", "retry-after": "9"}) == 9
    assert read_retry_after({}) is None


async def never(request):
    await asyncio.sleep(3600)


def test_a_reply_that_does_not_come_is_given_up_after_the_time_of_a_call():
    end, told, _ = send(never, call_timeout_s=0.2, call_attempts=2)
    assert type(end) is ServerUnavailable
    assert told.outcomes == ["timeout", "timeout"]
    assert told.attempts[0].usage.is_estimated  # the server may have worked


def test_a_server_that_only_sends_blanks_is_given_up_too():
    async def run():
        async def drip(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
            try:
                while True:
                    writer.write(b"1\r\n \r\n")
                    await writer.drain()
                    await asyncio.sleep(0.02)
            except (ConnectionError, asyncio.CancelledError):
                writer.close()

        listener = await asyncio.start_server(drip, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
        async with asking(url, call_timeout_s=0.3, call_attempts=1) as told:
            with pytest.raises(ServerUnavailable, match="timeout"):
                await told.send()
        listener.close()

    asyncio.run(run())


def test_a_body_that_breaks_off_is_a_lost_connection():
    broken = Answer(body='{"id": "c", "choi', headers={"content-type": "application/json"})
    end, told, _ = send(broken, completion(ROWS))
    assert told.outcomes == ["connection", "ok"]
    assert end.mode == "json_schema"


def test_nothing_is_counted_where_nobody_listens():
    async def run():
        async with running(completion(ROWS)) as server:
            pass
        async with asking(server.url, call_attempts=1) as told:
            with pytest.raises(ServerUnavailable, match="connection"):
                await told.send()
            return told.attempts

    (attempt,) = asyncio.run(run())
    assert attempt.usage == Usage()


def test_a_call_that_waits_for_its_next_try_leaves_its_slot_to_others():
    def answer(request):
        return error(503) if request.body["messages"][1]["content"] == "unlucky" else completion(ROWS)

    async def run():
        is_waiting, others_done = asyncio.Event(), asyncio.Event()

        async def wait_for_others(seconds):
            is_waiting.set()
            await others_done.wait()

        async with (
            running(answer) as server,
            asking(server, concurrency=1, call_attempts=2, sleep=wait_for_others) as told,
        ):
            unlucky = asyncio.ensure_future(told.send(make_call("unlucky")))
            await is_waiting.wait()
            await told.send(make_call("lucky"))
            others_done.set()
            with pytest.raises(ServerUnavailable):
                await unlucky
            return told.outcomes

    assert asyncio.run(run()) == ["http-503", "ok", "http-503"]
