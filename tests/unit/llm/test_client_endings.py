"""How requests can end: what the caller gets, what is counted, and what is not tried again."""

import asyncio

import pytest

from extractor.llm.calls import (
    CallError,
    ReplyFiltered,
    ReplyInvalid,
    ReplyRefused,
    ReplyTruncated,
    ServerRefused,
    Usage,
)
from extractor.llm.circuit import Circuit
from extractor.llm.refusals import say_address
from tests.unit.llm.asking import ROWS, asking, make_call
from tests.unit.llm.scripted_server import Answer, completion, error, running


def end(answer, **changes):
    """Send one call that cannot succeed: what was raised, and what the client told."""

    async def run():
        async with running(answer) as server, asking(server, **changes) as told:
            with pytest.raises((CallError, ServerRefused)) as caught:
                await told.send()
            return caught.value, told

    return asyncio.run(run())


@pytest.mark.parametrize("mode", ["json_schema", "tools", "json"])
@pytest.mark.parametrize(
    ("text", "extra", "kind", "outcome"),
    [
        ('{"rows":[["1","2', {"finish": "length"}, ReplyTruncated, "truncated"),
        (ROWS, {"finish": "length"}, ReplyTruncated, "truncated"),
        (None, {"refusal": "I will not"}, ReplyRefused, "refused"),
        (ROWS, {"finish": "content_filter"}, ReplyFiltered, "filtered"),
        ("", {}, ReplyInvalid, "invalid"),
        (None, {}, ReplyInvalid, "invalid"),
        ("I cannot see a table.", {}, ReplyInvalid, "invalid"),
        ('{"rows":[["1",2.5]]}', {}, ReplyInvalid, "invalid"),
        ('{"rows":[],"more":1}', {}, ReplyInvalid, "invalid"),
        ('{"lines":[]}', {}, ReplyInvalid, "invalid"),
    ],
)
def test_a_reply_that_is_no_use_is_told_apart_counted_and_not_asked_again(mode, text, extra, kind, outcome):
    raised, told = end(completion(text, mode=mode, **extra), reply_mode=mode)
    assert type(raised) is kind
    assert told.outcomes == [outcome]
    assert told.attempts[0].usage == Usage(100, 20)
    assert told.sleeps == []


def test_a_refusal_in_words_beside_a_tool_is_a_refusal():
    raised, _ = end(completion(None, refusal="no", mode="tools"), reply_mode="tools")
    assert isinstance(raised, ReplyRefused)


@pytest.mark.parametrize(
    "body",
    [
        "<html>welcome</html>",
        {"object": "chat.completion", "choices": []},
        {"object": "chat.completion", "choices": None},
        {"object": "list", "data": []},
        {"error": {"message": "said with status 200"}},
        {"choices": [{"index": 0, "finish_reason": "stop", "message": None}]},
        {"choices": [{"index": 0}]},
        {"choices": ["text"]},
    ],
)
@pytest.mark.parametrize("mode", ["json_schema", "tools", "json"])
def test_an_answer_that_is_no_completion_is_an_invalid_reply(mode, body):
    raised, told = end(Answer(body=body), reply_mode=mode)
    assert type(raised) is ReplyInvalid
    assert told.outcomes == ["invalid"]


def test_the_message_names_call_and_document_and_the_size_of_a_misfit():
    raised, _ = end(completion('{"lines":[]}'))
    assert "applications" in str(raised)
    assert "d" * 12 in str(raised)
    assert "12 characters" in str(raised)
    assert "TableRows" in str(raised)


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (error(401, code="invalid_api_key"), "EXTRACTOR_API_KEY"),
        (error(403), "EXTRACTOR_API_KEY"),
        (error(402, "Insufficient Balance"), "EXTRACTOR_API_KEY"),
        (error(429, code="insufficient_quota"), "EXTRACTOR_API_KEY"),
        (error(404, "The model `model-a` does not exist.", code="model_not_found"), "EXTRACTOR_MODEL"),
        (error(404, 'model "model-a" not found, try pulling it first'), "EXTRACTOR_MODEL"),
        (Answer(404, {"detail": "Not Found"}), "EXTRACTOR_BASE_URL"),
        (Answer(404, "<html>404</html>"), "EXTRACTOR_BASE_URL"),
    ],
)
def test_what_the_server_refuses_for_every_call_names_the_setting(answer, named):
    raised, told = end(answer)
    assert type(raised) is ServerRefused
    assert named in str(raised)
    assert "127.0.0.1" in str(raised)
    assert told.outcomes == [f"http-{answer.status}"]
    assert told.attempts[0].usage == Usage()
    assert told.sleeps == []


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422])
def test_what_the_server_refuses_once_fails_one_call_and_is_not_sent_again(status):
    raised, told = end(error(status, code="context_length_exceeded"))
    assert type(raised) is CallError
    assert f"HTTP {status} (context_length_exceeded)" in str(raised)
    assert told.outcomes == [f"http-{status}"]
    assert told.sleeps == []


@pytest.mark.parametrize(
    "answer",
    [
        error(400, code="content_filter"),
        error(400, "no", code="data_inspection_failed", type="data_inspection_failed"),
        error(400, "<400> InternalError.Algo.DataInspectionFailed: Input text data"),
        error(403, code="content_policy_violation"),
    ],
)
def test_a_filter_that_answers_with_an_error_is_a_filter(answer):
    raised, told = end(answer, reply_mode="auto")
    assert type(raised) is ReplyFiltered
    assert told.outcomes == ["filtered"]


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{ROWS}\n```",
        f"```\n{ROWS}\n```\n",
        f"Here are the rows:\n\n{ROWS}",
        f"<think>row [1] first</think>\n{ROWS}",
        f"\n\n  {ROWS}\n",
    ],
)
def test_plain_json_may_have_a_fence_or_a_preface(text):
    async def run():
        async with running(completion(text)) as server, asking(server, reply_mode="json") as told:
            return (await told.send()).value

    assert asyncio.run(run()).rows == [["1", "2", None]]


@pytest.mark.parametrize(("code", "outcomes"), [(502, ["http-502"] * 2), (429, ["http-429"] * 2), (400, ["http-400"])])
def test_an_error_that_comes_with_status_200_is_an_error(code, outcomes):
    _, told = end(Answer(body={"error": {"code": code, "message": "upstream"}}), call_attempts=2)
    assert told.outcomes == outcomes


def test_a_code_that_is_no_status_is_none():
    raised, _ = end(Answer(body={"error": {"code": 1301, "message": "upstream"}}))
    assert type(raised) is ReplyInvalid


@pytest.mark.parametrize(
    ("mode", "text", "said"),
    [
        ("json_schema", "", "is empty"),
        ("json_schema", "no", "is no JSON"),
        ("tools", ROWS, "does not call the tool"),
        ("json", '```json\n{"lines": []}\n```', "does not fit TableRows"),
    ],
)
def test_the_message_says_what_is_wrong_with_a_reply(mode, text, said):
    raised, _ = end(completion(text), reply_mode=mode)
    assert said in str(raised)


def test_an_account_without_credit_is_not_taken_for_going_too_fast():
    _, told = end(error(429, code="insufficient_quota"), concurrency=8)
    assert told.notices == []


def test_what_cannot_be_sent_fails_its_call_and_says_nothing_about_the_server():
    async def run():
        async with running(completion(ROWS)) as server, asking(server, circuit=Circuit(failures=1, span_s=0)) as told:
            with pytest.raises(CallError) as caught:
                await told.client.send(make_call("half a character: \ud800"), "k" * 64)
            assert type(caught.value) is CallError
            await told.send()
            return told.outcomes

    assert asyncio.run(run()) == ["not-sent", "ok"]


def test_an_address_is_said_without_what_may_be_secret_in_it():
    assert say_address("https://user:secret@host:8000/v1?key=secret") == "https://host:8000/v1"
