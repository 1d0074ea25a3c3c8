import asyncio
import logging
import subprocess
import sys
import traceback

import pytest
from pydantic import BaseModel, ConfigDict

from extractor.errors import ExtractorError, SettingsError
from extractor.llm.calls import Usage, call_key
from extractor.llm.client import ModelClient
from extractor.llm.wire import TableRows
from extractor.settings import Settings
from tests.unit.llm.asking import ROWS, asking, make_call, make_image
from tests.unit.llm.scripted_server import Answer, completion, error, running


def answer_any_mode(request):
    return completion(ROWS, mode=request.mode)


@pytest.mark.parametrize("mode", ["json_schema", "tools", "json"])
def test_a_reply_is_an_instance_of_the_wire_model_itself(mode):
    async def run():
        async with running(answer_any_mode) as server, asking(server, reply_mode=mode) as told:
            return await told.send(), told

    sent, told = asyncio.run(run())
    assert type(sent.value) is TableRows
    assert sent.value == TableRows(rows=[["1", "2", None]])
    assert vars(sent.value) == {"rows": [["1", "2", None]]}  # no raw response hangs on it
    assert sent.usage == Usage(100, 20)
    assert sent.mode == mode
    assert told.attempts == [sent.attempt]


def test_what_is_sent_is_strict_and_named():
    async def run():
        async with running(answer_any_mode) as server:
            for mode in ("json_schema", "tools"):
                async with asking(server, reply_mode=mode, api_key="secret") as told:
                    await told.send()
            return server.requests

    by_schema, by_tool = asyncio.run(run())
    assert by_schema.body["response_format"]["json_schema"]["strict"] is True
    assert by_tool.body["tools"][0]["function"]["strict"] is True
    assert by_tool.body["tool_choice"]["function"]["name"] == "TableRows"
    key = call_key(make_call(), "model-a", {"temperature": 0.0})
    for request in (by_schema, by_tool):
        assert request.path == "/v1/chat/completions"
        assert request.headers["x-client-request-id"] == key[:32]
        assert request.headers["authorization"] == "Bearer secret"
        assert (request.body["model"], request.body["temperature"], request.body["max_tokens"]) == ("model-a", 0, 500)
        assert [message["role"] for message in request.body["messages"]] == ["system", "user"]


def test_images_arrive_behind_the_text():
    async def run():
        async with running(answer_any_mode) as server, asking(server) as told:
            await told.send(make_call("read", images=(make_image(),)))
            return server.requests[0].body["messages"][1]["content"]

    text, image = asyncio.run(run())
    assert (text["type"], image["type"]) == ("text", "image_url")
    assert image["image_url"]["url"].startswith("data:image/png;base64,")


def test_parameters_are_what_a_key_needs():
    async def run(temperature):
        async with asking("http://127.0.0.1:9/v1", temperature=temperature) as told:
            return dict(told.client.parameters)

    assert asyncio.run(run(0.3)) == {"temperature": 0.3}
    assert asyncio.run(run(None)) == {}


def test_each_wire_model_is_prepared_once():
    schemas_made = []

    class Counted(BaseModel):
        model_config = ConfigDict(extra="forbid", frozen=True)
        rows: list[list[str | None]]

        @classmethod
        def model_json_schema(cls, *args, **options):
            schemas_made.append(cls)
            return super().model_json_schema(*args, **options)

    async def run():
        async with running(answer_any_mode) as server:
            for mode in ("json_schema", "tools", "json"):
                async with asking(server, reply_mode=mode) as told:
                    for number in range(20):
                        call = make_call(f"table {number}", schema=Counted)
                        await told.client.send(call, f"{number:064}")
            return len(server.requests)

    assert asyncio.run(run()) == 60
    assert len(schemas_made) == 1
    assert len(Counted.__subclasses__()) == 1


def test_connections_are_kept_and_as_many_as_calls_in_flight():
    async def run():
        arrived = asyncio.Barrier(4)

        async def together(request):
            await arrived.wait()
            return answer_any_mode(request)

        async with running(together) as server, asking(server, concurrency=4) as told:
            await told.send_all(12)
            return server

    server = asyncio.run(run())
    assert len(server.requests) == 12
    assert server.connections == server.most_in_flight == 4


def test_usage_is_of_each_request_alone_when_calls_overlap():
    async def run():
        def count(request):
            number = int(request.body["messages"][1]["content"].split()[1])
            return completion(ROWS, usage={"prompt_tokens": number, "completion_tokens": 1, "total_tokens": number + 1})

        async with running(count) as server, asking(server) as told:
            return await told.send_all(10)

    assert [sent.usage.input_tokens for sent in asyncio.run(run())] == list(range(10))


def test_cached_tokens_are_read():
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 1,
        "total_tokens": 10,
        "prompt_tokens_details": {"cached_tokens": 4},
    }

    async def run():
        async with running(completion(ROWS, usage=usage)) as server, asking(server) as told:
            return (await told.send()).usage

    assert asyncio.run(run()) == Usage(9, 1, 4)


def test_a_reply_without_usage_says_so():
    async def run():
        async with running(completion(ROWS, usage=None)) as server, asking(server) as told:
            return (await told.send()).usage

    assert asyncio.run(run()) == Usage(is_estimated=True)


def test_a_server_without_key_gets_no_key_of_the_environment(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "from the environment")
    monkeypatch.setenv("OPENAI_ORG_ID", "an organisation")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/elsewhere")

    async def run():
        async with running(answer_any_mode) as server, asking(server) as told:
            await told.send()
            return server.requests[0].headers

    headers = asyncio.run(run())
    assert "environment" not in headers["authorization"]
    assert "openai-organization" not in headers


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"model": None}, "EXTRACTOR_MODEL"),
        ({"base_url": "localhost:8000/v1"}, "EXTRACTOR_BASE_URL"),
        ({"base_url": "https:///v1"}, "EXTRACTOR_BASE_URL"),
        ({"base_url": "http://user:secret@127.0.0.1/v1"}, "EXTRACTOR_API_KEY"),
        ({"api_key": "sk-secret\n"}, "EXTRACTOR_API_KEY"),
        ({"api_key": "密钥sk-secret"}, "EXTRACTOR_API_KEY"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(changes, named):
    with pytest.raises(SettingsError, match=named) as caught:
        ModelClient(Settings(**({"model": "m"} | changes)))
    assert "secret" not in str(caught.value)


def test_a_client_of_another_loop_says_so():
    async def start(server_url):
        client = ModelClient(Settings(model="m", base_url=server_url, call_attempts=1))
        with pytest.raises(Exception, match="failed"):
            await client.send(make_call(), "k" * 64)
        return client

    client = asyncio.run(start("http://127.0.0.1:9/v1"))
    with pytest.raises(RuntimeError, match="one client a loop"):
        asyncio.run(client.send(make_call(), "k" * 64))


DOCUMENT, KEY = "机密的文件内容", "sk-very-secret-key"
ECHO = f"key {KEY} may not ask: {DOCUMENT}"
TELLTALES = {
    "refused for all": error(401, ECHO, code="invalid_api_key"),
    "refused once": error(400, ECHO, code=ECHO, type=ECHO),
    "server error": error(500, ECHO),
    "too fast": error(429, ECHO),
    "filtered": error(400, ECHO, code="content_filter"),
    "no json": completion(ECHO),
    "other shape": completion(f'{{"text": "{ECHO}"}}'),
    "truncated": completion(ECHO, finish="length"),
    "declined": completion(None, refusal=ECHO),
    "web page": Answer(body=f"<html>{ECHO}</html>"),
    "no choices": Answer(body={"object": "chat.completion", "choices": [], "note": ECHO}),
    "hung up": Answer(drop=True),
}


@pytest.mark.parametrize("kind", TELLTALES)
def test_neither_text_nor_key_is_in_errors_logs_or_notices(kind, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    for name in ("openai", "instructor", "httpx2", "instructor.v2.retry"):  # as an application may have set them
        logging.getLogger(name).setLevel(logging.NOTSET)

    async def run():
        async with (
            running(TELLTALES[kind]) as server,
            asking(server, api_key=KEY, call_attempts=2, reply_mode="auto") as told,
        ):
            with pytest.raises(ExtractorError) as caught:
                await told.send(make_call(DOCUMENT))
            assert server.requests  # it got there
            return caught.value, repr(told.client), told.notices

    raised, shown, notices = asyncio.run(run())
    printed = capfd.readouterr()
    everything = [
        *traceback.format_exception(raised), repr(raised), str(raised.__context__), str(raised.__cause__),
        shown, caplog.text, printed.out, printed.err, *notices,
    ]  # fmt: skip
    for text in everything:
        assert KEY not in text
        assert DOCUMENT not in text


def test_only_making_a_client_loads_the_client_libraries():
    script = """
import sys
import extractor.cli, extractor.llm.client
heavy = {"openai", "instructor", "tenacity", "aiohttp"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
from extractor.settings import Settings
extractor.llm.client.ModelClient(Settings(model="m"))
assert heavy <= set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
