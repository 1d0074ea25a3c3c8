"""The server against the real client library: chat in every mode, and what a strict server turns down."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from extractor.llm.wire import HeaderFacts, NarrativeFacts, OlderReport, PageRows, TableRows
from tests.loopback.answerers import QueuedAnswers
from tests.loopback.chat import Capabilities
from tests.loopback.clients import connect
from tests.loopback.messages import Answer, ChatRequest
from tests.loopback.server import LoopbackServer, Options, running_server

ROWS = {"rows": [["1", "12", None, "0"]]}
ASKED = [{"role": "system", "content": "抄录，只答一行JSON"}, {"role": "user", "content": "规章|12||0"}]
STRICT = {
    "type": "json_schema",
    "json_schema": {"name": "TableRows", "strict": True, "schema": TableRows.model_json_schema()},
}


def tool_for(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "TableRows", "parameters": schema, "strict": True}}


TOOL = tool_for(TableRows.model_json_schema())
NAMED = {"type": "function", "function": {"name": "TableRows"}}


def ask(server: LoopbackServer, **extra: Any) -> Any:
    return connect(server.base_url).chat.completions.create(**({"model": "m", "messages": ASKED} | extra))


def refusal(server: LoopbackServer, **extra: Any) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as caught:
        ask(server, **extra)
    return caught.value


# ---------------------------------------------------------------- answers


def test_schema_reply_is_the_content() -> None:
    with running_server(QueuedAnswers([ROWS])) as server:
        reply = ask(server, response_format=STRICT)
    assert TableRows.model_validate_json(reply.choices[0].message.content).rows == ROWS["rows"]
    assert reply.choices[0].finish_reason == "stop"
    assert reply.choices[0].message.tool_calls is None


def test_the_library_parses_a_reply_into_the_wire_model() -> None:
    """`.parse()` sends a strict schema of its own making, which the server accepts."""

    async def go(server: LoopbackServer) -> Any:
        async with openai.AsyncOpenAI(base_url=server.base_url, api_key="k", max_retries=0) as client:
            return await client.chat.completions.parse(model="m", messages=ASKED, response_format=TableRows)

    with running_server(QueuedAnswers([ROWS])) as server:
        assert asyncio.run(go(server)).choices[0].message.parsed.rows == ROWS["rows"]


@pytest.mark.parametrize(("choice", "finish"), [(NAMED, "stop"), ("required", "tool_calls"), ("auto", "tool_calls")])
def test_tool_reply_is_the_arguments(choice: Any, finish: str) -> None:
    """A function that was named is no choice of the model: the service then says stop."""
    with running_server(QueuedAnswers([ROWS])) as server:
        reply = ask(server, tools=[TOOL], tool_choice=choice)
    call = reply.choices[0].message.tool_calls[0]
    assert (call.function.name, json.loads(call.function.arguments)) == ("TableRows", ROWS)
    assert reply.choices[0].message.content is None
    assert reply.choices[0].finish_reason == finish


@pytest.mark.parametrize(
    "extra", [{}, {"response_format": {"type": "json_object"}}, {"tools": [TOOL], "tool_choice": "none"}]
)
def test_reply_without_a_schema_is_plain_text(extra: dict[str, Any]) -> None:
    with running_server(QueuedAnswers([ROWS])) as server:
        assert json.loads(ask(server, **extra).choices[0].message.content) == ROWS


def test_answers_come_in_turn_and_the_last_stays() -> None:
    with running_server(QueuedAnswers([{"n": 1}, {"n": 2}])) as server:
        assert [json.loads(ask(server).choices[0].message.content)["n"] for _ in range(3)] == [1, 2, 2]


def test_answerer_sees_what_is_asked() -> None:
    seen: list[ChatRequest] = []

    def answer(request: ChatRequest) -> Answer:
        seen.append(request)
        return Answer("{}")

    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    again = [*ASKED, {"role": "assistant", "content": "?"}, {"role": "user", "content": "no JSON"}]
    with running_server(answer) as server:
        ask(server, messages=again, tools=[TOOL], tool_choice=NAMED)
        ask(server, messages=[{"role": "user", "content": [{"type": "text", "text": "看图"}, picture]}])
    assert [request.number for request in seen] == [1, 2]
    assert (seen[0].system, seen[0].user, seen[0].mode) == ("抄录，只答一行JSON", "规章|12||0", "tools")
    assert seen[0].schema == TableRows.model_json_schema()
    assert (seen[1].system, seen[1].user, seen[1].mode, seen[1].schema) == ("", "看图", "text", None)


def test_long_instruction_is_cached_from_its_second_use_on() -> None:
    """As the real service: prefixes from 1024 tokens on, in steps of 128."""
    long = [{"role": "system", "content": "照抄" * 600}, ASKED[1]]
    with running_server(QueuedAnswers([ROWS])) as server:
        usages = [ask(server, messages=long).usage for _ in range(2)]
        short = [ask(server).usage for _ in range(2)]
    assert [usage.prompt_tokens_details.cached_tokens for usage in usages] == [0, 1152]
    assert [usage.prompt_tokens_details.cached_tokens for usage in short] == [0, 0]
    assert usages[0].prompt_tokens > 1200
    assert usages[0].total_tokens == usages[0].prompt_tokens + usages[0].completion_tokens


def test_reply_stops_at_the_limit_of_the_client() -> None:
    with running_server(QueuedAnswers([{"rows": [["1", "0"]] * 40}])) as server:
        whole = ask(server, max_tokens=4000)
        cut = ask(server, max_completion_tokens=20)
    assert whole.choices[0].finish_reason == "stop"
    assert cut.choices[0].finish_reason == "length"
    assert cut.usage.completion_tokens == 20
    assert whole.choices[0].message.content.startswith(cut.choices[0].message.content)


def test_concurrent_requests_are_answered_together() -> None:
    async def go(server: LoopbackServer) -> None:
        async with openai.AsyncOpenAI(base_url=server.base_url, api_key="k") as client:
            calls = (client.chat.completions.create(model="m", messages=ASKED) for _ in range(12))
            await asyncio.gather(*calls)

    with running_server(QueuedAnswers([ROWS]), options=Options(delay=0.2)) as server:
        asyncio.run(go(server))
        assert server.stats["most_in_flight"] == 12
        assert server.stats["in_flight"] == 0
        assert [seen.number for seen in server.chats] == list(range(1, 13))


def test_server_can_live_in_the_loop_of_its_client() -> None:
    async def go() -> str | None:
        async with LoopbackServer(QueuedAnswers([ROWS])) as server:
            async with openai.AsyncOpenAI(base_url=server.base_url, api_key="k") as client:
                reply = await client.chat.completions.create(model="m", messages=ASKED)
            return reply.choices[0].message.content

    assert asyncio.run(go()) == json.dumps(ROWS)


def test_delay_may_depend_on_the_request() -> None:
    def delay(request: ChatRequest) -> float:
        return 0.3 if request.number == 1 else 0.0

    with running_server(QueuedAnswers([ROWS]), options=Options(delay=delay)) as server:
        ask(server)
        ask(server)
        first, second = ((seen.ended_at or 0) - seen.started_at for seen in server.chats)
    assert first >= 0.3
    assert second < first


def test_requests_are_remembered() -> None:
    with running_server(QueuedAnswers([ROWS]), options=Options(most_records=2)) as server:
        for number in range(3):
            ask(server, seed=number, extra_headers={"X-Client-Request-Id": f"call-{number}"})
        assert [seen.body["seed"] for seen in server.chats] == [1, 2]
        assert server.chats[-1].http.headers["x-client-request-id"] == "call-2"
        assert server.chats[-1].status == 200
        assert server.stats["requests"] == 3


def test_failing_answerer_is_told_at_the_end() -> None:
    """A defect of a test's answerer is not taken for a fault of the server."""

    def answer(request: ChatRequest) -> Answer:
        raise KeyError(request.user)

    with pytest.raises(KeyError, match="规章"), running_server(answer) as server:
        assert refusal(server).status_code == 500


# ---------------------------------------------------------------- what is turned down


def test_key_is_demanded() -> None:
    with running_server(QueuedAnswers([ROWS]), options=Options(api_key="secret")) as server:
        wrong = refusal(server)
        missing = refusal(server, extra_headers={"Authorization": ""})
        assert connect(server.base_url, "secret").chat.completions.create(model="m", messages=ASKED).choices
    assert [(error.status_code, error.code) for error in (wrong, missing)] == [(401, "invalid_api_key"), (401, None)]


def test_only_named_models_are_served() -> None:
    with running_server(QueuedAnswers([ROWS]), options=Options(models=("a", "b"))) as server:
        assert [model.id for model in connect(server.base_url).models.list()] == ["a", "b"]
        error = refusal(server)
        assert ask(server, model="b").model == "b"
    assert isinstance(error, openai.NotFoundError)
    assert error.code == "model_not_found"


@pytest.mark.parametrize(
    ("extra", "param"),
    [
        ({"extra_body": {"messages": None}}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [{"content": "x"}]}, "messages[0]"),
        ({"extra_body": {"model": None}}, "model"),
        ({"stream": True}, "stream"),
        ({"response_format": {"type": "json_object"}, "messages": [ASKED[1]]}, "messages"),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format.json_schema.name"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
            "response_format.json_schema.schema",
        ),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "other"}}}, "tool_choice"),
        ({"tools": [tool_for({"type": "object", "properties": {}})]}, "tools"),
    ],
)
def test_incomplete_request_is_turned_down(extra: dict[str, Any], param: str) -> None:
    with running_server(QueuedAnswers([ROWS])) as server:
        error = refusal(server, **extra)
    assert isinstance(error, openai.BadRequestError)
    assert error.param == param
    assert error.type == "invalid_request_error"


@pytest.mark.parametrize("model", [TableRows, HeaderFacts, NarrativeFacts, OlderReport, PageRows])
def test_wire_schemas_are_strict_enough(model: type[BaseModel]) -> None:
    wrapper = {"name": model.__name__, "strict": True, "schema": model.model_json_schema()}
    with running_server(QueuedAnswers([ROWS])) as server:
        assert ask(server, response_format={"type": "json_schema", "json_schema": wrapper}).choices


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"type": "object", "properties": {}}, "'additionalProperties' is required"),
        ({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}, "Missing 'a'"),
        ({"type": "array", "items": {"type": "string"}}, 'type: "array"'),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "array"}},
                "required": ["a"],
                "additionalProperties": False,
            },
            "missing items",
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "string", "default": ""}},
                "required": ["a"],
                "additionalProperties": False,
            },
            "'default' is not permitted",
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"anyOf": [{"type": "object", "properties": {}}, {"type": "null"}]}},
                "required": ["a"],
                "additionalProperties": False,
            },
            "('properties', 'a', 'anyOf', '0')",
        ),
    ],
)
def test_lax_schema_is_turned_down_when_it_says_strict(schema: dict[str, Any], problem: str) -> None:
    wrapper = {"name": "x", "strict": True, "schema": schema}
    with running_server(QueuedAnswers([ROWS])) as server:
        error = refusal(server, response_format={"type": "json_schema", "json_schema": wrapper})
        lax = ask(server, response_format={"type": "json_schema", "json_schema": wrapper | {"strict": False}})
    assert error.status_code == 400
    assert problem in error.message
    assert lax.choices


def test_unknown_address_is_turned_down() -> None:
    with running_server(QueuedAnswers([ROWS])) as server, pytest.raises(openai.NotFoundError, match="Invalid URL"):
        connect(server.base_url).embeddings.create(model="m", input="x")


# ---------------------------------------------------------------- weaker servers


def with_capabilities(**what: Any) -> Options:
    return Options(capabilities=Capabilities(**what))


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize(
    ("what", "extra"),
    [
        ("json_schema", {"response_format": STRICT}),
        ("json_object", {"response_format": {"type": "json_object"}}),
        ("tools", {"tools": [TOOL], "tool_choice": NAMED}),
    ],
)
def test_server_without_a_mode_says_so_and_serves_the_others(what: str, extra: dict[str, Any], status: Any) -> None:
    with running_server(QueuedAnswers([ROWS]), options=with_capabilities(**{what: status})) as server:
        assert refusal(server, **extra).status_code == status
        assert json.loads(ask(server).choices[0].message.content) == ROWS


@pytest.mark.parametrize("extra", [{"response_format": STRICT}, {"tools": [TOOL], "tool_choice": NAMED}, {}])
@pytest.mark.parametrize("wraps", ["fence", "prose"])
def test_server_that_ignores_the_schema_wraps_its_json(wraps: Any, extra: dict[str, Any]) -> None:
    options = with_capabilities(json_schema="ignored", tools="ignored", wraps=wraps)
    with running_server(QueuedAnswers([ROWS]), options=options) as server:
        message = ask(server, **extra).choices[0].message
    assert message.tool_calls is None
    assert f"```json\n{json.dumps(ROWS)}\n```" in message.content
    assert message.content.startswith("```") is (wraps == "fence")


def test_server_holds_what_it_can_even_if_it_talks() -> None:
    with running_server(QueuedAnswers([ROWS]), options=with_capabilities(wraps="prose")) as server:
        assert json.loads(ask(server, response_format=STRICT).choices[0].message.content) == ROWS


def test_model_without_temperature() -> None:
    with running_server(QueuedAnswers([ROWS]), options=with_capabilities(has_temperature=False)) as server:
        error = refusal(server, temperature=0)
        assert ask(server).choices
        assert ask(server, temperature=1).choices
    assert (error.status_code, error.code, error.param) == (400, "unsupported_value", "temperature")


@pytest.mark.parametrize(
    ("known", "other"), [("max_tokens", "max_completion_tokens"), ("max_completion_tokens", "max_tokens")]
)
def test_model_that_knows_one_name_of_the_limit(known: Any, other: str) -> None:
    with running_server(QueuedAnswers([ROWS]), options=with_capabilities(limit_name=known)) as server:
        error = refusal(server, **{other: 100})
        assert ask(server, **{known: 100}).choices
    assert (error.status_code, error.code, error.param) == (400, "unsupported_parameter", other)
    assert f"'{known}'" in error.message


def test_context_is_limited() -> None:
    with running_server(QueuedAnswers([ROWS]), options=with_capabilities(context_tokens=200)) as server:
        error = refusal(server, max_tokens=190)
        assert ask(server, max_tokens=100).choices
    assert error.code == "context_length_exceeded"


def test_server_that_counts_no_tokens() -> None:
    with running_server(QueuedAnswers([ROWS]), options=with_capabilities(has_usage=False)) as server:
        assert ask(server).usage is None
