"""Finding out how a server keeps to a schema, and which parameters it takes."""

import asyncio

import pytest

from extractor.llm.calls import CallError, ReplyInvalid, ReplyTruncated, ServerRefused, ServerUnavailable
from tests.unit.llm.asking import ROWS, asking, make_call
from tests.unit.llm.scripted_server import Answer, completion, error, running


def knows(*modes, otherwise):
    """A server that replies in these modes, and answers `otherwise` in all others."""

    def answer(request):
        return completion(ROWS, mode=request.mode) if request.mode in modes else otherwise

    return answer


def send(answer, calls=1, **changes):
    """Send calls one after another: what came of each, what the server saw, what the client told."""

    async def run():
        async with running(answer) as server, asking(server, **({"reply_mode": "auto"} | changes)) as told:
            ends = []
            for number in range(calls):
                try:
                    ends.append((await told.send(make_call(f"table {number}"))).mode)
                except (CallError, ServerRefused) as failure:
                    ends.append(failure)
            return ends, server, told

    return asyncio.run(run())


def test_a_server_that_knows_schemas_is_asked_once_and_remembered():
    ends, server, told = send(knows("json_schema", "tools", "json", otherwise=error(400)), calls=3)
    assert ends == server.modes == ["json_schema"] * 3
    assert len(told.notices) == 1
    assert "json_schema" in told.notices[0]


@pytest.mark.parametrize("status", [400, 404, 415, 422, 500, 501])
def test_a_mode_that_the_server_refuses_is_left_for_the_next_without_a_wait(status):
    ends, server, told = send(knows("tools", otherwise=error(status)), calls=2)
    assert ends == ["tools", "tools"]
    assert server.modes == ["json_schema", "tools", "tools"]
    assert told.outcomes == [f"http-{status}", "ok", "ok"]
    assert told.sleeps == []


@pytest.mark.parametrize("otherwise", [error(400), completion("The table has one row."), completion("")])
def test_a_server_that_knows_nothing_of_schemas_is_asked_in_words(otherwise):
    ends, server, _ = send(knows("json", otherwise=otherwise), calls=2)
    assert ends == ["json", "json"]
    assert server.modes == ["json_schema", "tools", "json", "json"]


def test_a_mode_once_found_is_kept_when_a_later_call_fails_in_it():
    replies = [completion(ROWS), completion("prose"), error(400), completion(ROWS)]
    ends, server, _ = send(lambda request: replies.pop(0), calls=4)
    assert [type(end) for end in ends] == [str, ReplyInvalid, CallError, str]
    assert server.modes == ["json_schema"] * 4


def test_json_of_another_shape_fails_its_call_and_the_next_one_tries_further_on():
    ends, server, _ = send(knows("tools", otherwise=completion('{"lines": []}')), calls=2)
    assert isinstance(ends[0], ReplyInvalid)
    assert ends[1] == "tools"
    assert server.modes == ["json_schema", "tools"]


def test_a_cut_reply_says_nothing_about_the_mode():
    replies = [completion('{"rows":[', finish="length"), completion(ROWS)]
    ends, server, _ = send(lambda request: replies.pop(0), calls=2)
    assert isinstance(ends[0], ReplyTruncated)
    assert ends[1] == "json_schema"
    assert server.modes == ["json_schema", "json_schema"]


def test_after_the_last_mode_nothing_is_left_to_try():
    ends, server, _ = send(completion("I only talk."), calls=2)
    assert [type(end) for end in ends] == [ReplyInvalid, ReplyInvalid]
    assert server.modes == ["json_schema", "tools", "json", "json"]


def test_a_server_that_fails_in_every_mode_is_a_failing_server():
    ends, server, told = send(error(500), call_attempts=2)
    assert type(ends[0]) is ServerUnavailable
    assert "http-500" in str(ends[0])
    assert server.modes == ["json_schema", "tools", "json"] * 2
    assert len(told.sleeps) == 1
    assert told.notices == []


def test_a_server_that_comes_back_is_asked_again_in_the_first_mode():
    replies = [error(500)] * 3 + [completion(ROWS)]
    ends, server, _ = send(lambda request: replies.pop(0))
    assert ends == ["json_schema"]
    assert server.modes == ["json_schema", "tools", "json", "json_schema"]


def test_a_call_that_is_refused_in_every_mode_is_at_fault_itself():
    ends, server, _ = send(error(400))
    assert type(ends[0]) is CallError
    assert server.modes == ["json_schema", "tools", "json"]


def test_a_wrong_address_is_told_after_all_modes_and_a_wrong_model_or_key_at_once():
    ends, server, _ = send(Answer(404, {"detail": "Not Found"}))
    assert isinstance(ends[0], ServerRefused)
    assert "EXTRACTOR_BASE_URL" in str(ends[0])
    assert len(server.requests) == 3
    for answer in (error(404, "no such model"), error(401), error(403)):
        ends, server, _ = send(answer)
        assert isinstance(ends[0], ServerRefused)
        assert len(server.requests) == 1


@pytest.mark.parametrize("first", [error(429), error(503), error(408), Answer(drop=True)])
def test_a_failure_that_may_pass_is_tried_again_in_the_same_mode(first):
    replies = [first, completion(ROWS)]
    ends, server, told = send(lambda request: replies.pop(0))
    assert ends == ["json_schema"]
    assert server.modes == ["json_schema", "json_schema"]
    assert len(told.sleeps) == 1


def test_only_one_of_many_first_calls_tries_the_modes():
    async def run():
        async def slowly(request):
            await asyncio.sleep(0.01)
            return knows("json", otherwise=error(400))(request)

        async with running(slowly) as server, asking(server, reply_mode="auto") as told:
            await told.send_all(10)
            return server, told

    server, told = asyncio.run(run())
    assert server.modes == ["json_schema", "tools"] + ["json"] * 10
    assert len(told.notices) == 1


def test_when_the_trying_call_is_cancelled_the_next_one_tries():
    async def run():
        arrived = asyncio.Event()

        async def hang_first(request):
            if not arrived.is_set():
                arrived.set()
                await asyncio.sleep(3600)
            return completion(ROWS, mode=request.mode)

        async with running(hang_first) as server, asking(server, reply_mode="auto") as told:
            first, second = (asyncio.ensure_future(told.send(make_call(text))) for text in "ab")
            await arrived.wait()
            first.cancel()
            return (await second).mode, told.outcomes

    assert asyncio.run(run()) == ("json_schema", ["given-up", "ok"])


@pytest.mark.parametrize("mode", ["json_schema", "tools", "json"])
def test_a_mode_that_the_operator_gave_is_the_only_one(mode):
    ends, server, told = send(error(400), reply_mode=mode)
    assert type(ends[0]) is CallError
    assert server.modes == [mode]
    assert told.notices == []


# ---------------------------------------------------------------- parameters


def minds(name, message, **codes):
    """A server that refuses requests with this parameter."""

    def answer(request):
        refused = error(400, message, **codes)
        return refused if name in request.body else completion(ROWS, mode=request.mode)

    return answer


@pytest.mark.parametrize(
    ("message", "codes"),
    [
        (
            "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) is supported.",
            {"param": "temperature", "code": "unsupported_value"},
        ),
        ("temperature is not supported", {}),
        ("Unsupported parameter: temperature", {}),
        ("no", {"param": "temperature"}),
    ],
)
def test_a_temperature_that_the_server_does_not_take_is_left_out_from_then_on(message, codes):
    ends, server, told = send(minds("temperature", message, **codes), calls=2, reply_mode="json_schema")
    assert ends == ["json_schema", "json_schema"]
    assert ["temperature" in request.body for request in server.requests] == [True, False, False]
    assert told.sleeps == []
    assert len(told.notices) == 1
    assert "temperature" in told.notices[0]
    assert told.client.parameters == {"temperature": 0}  # the keys of calls do not change


def test_the_other_name_of_the_token_limit_is_learnt():
    message = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
    ends, server, told = send(minds("max_tokens", message, param="max_tokens"), calls=2, reply_mode="auto")
    assert ends == ["json_schema", "json_schema"]
    assert [request.body.get("max_completion_tokens") for request in server.requests] == [None, 500, 500]
    assert server.modes == ["json_schema"] * 3
    assert sum("max_completion_tokens" in notice for notice in told.notices) == 1


def test_both_may_be_learnt_by_many_calls_at_once():
    def picky(request):
        if "max_tokens" in request.body:
            return error(400, "Use 'max_completion_tokens' instead.", param="max_tokens")
        if "temperature" in request.body:
            return error(400, "no", param="temperature")
        return completion(ROWS)

    async def run():
        async with running(picky) as server, asking(server) as told:
            return await told.send_all(8), told

    ends, told = asyncio.run(run())
    assert [end.mode for end in ends] == ["json_schema"] * 8
    assert len(told.notices) == 2


def test_an_error_that_quotes_the_request_is_no_complaint_about_its_parameters():
    quoted = {"model": "m", "temperature": 0, "messages": ["…"], "max_tokens": 500}
    ends, server, told = send(error(422, "Input should be a valid list", input=quoted), reply_mode="json_schema")
    assert type(ends[0]) is CallError
    assert len(server.requests) == 1
    assert told.notices == []


def test_a_server_that_keeps_complaining_about_what_is_not_sent_fails_the_call():
    ends, server, _ = send(error(400, "temperature is not supported"), reply_mode="json_schema")
    assert type(ends[0]) is CallError
    assert len(server.requests) == 2
