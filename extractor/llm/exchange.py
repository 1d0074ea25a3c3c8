"""One HTTP request to a model's server, and how it ended.

Lives here: everything that touches openai and instructor; no other module imports them. Does not
live here: the body of the request (request), retries, limits, the choice of the mode (the client
and its parts). Called by the client, which loads this module when it is made: both libraries are
slow to import.

instructor checks the reply against the wire model. The body is ours, sent as `extra_body`: none of
instructor's modes asks for strict schemas, and its JSON mode adds words of its own to the prompt.
No text of a document and no key may reach a log or a traceback. The libraries' errors quote both,
so they are never chained to ours, and the libraries' loggers are silenced.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

import aiohttp
import httpx2
import instructor
import openai
from instructor.core.hooks import HookName, Hooks
from openai.types.chat import ChatCompletion, ChatCompletionMessage
from openai.types.chat.chat_completion import Choice
from pydantic import BaseModel, ValidationError, create_model

from extractor.errors import SettingsError
from extractor.llm.calls import Call, CallError, ReplyFiltered, ReplyInvalid, ReplyRefused, ReplyTruncated, Usage
from extractor.llm.endings import Ending
from extractor.llm.refusals import end_refused
from extractor.llm.request import Mode, strict_schema
from extractor.llm.retries import read_retry_after
from extractor.settings import Settings
from extractor.telemetry.events import Answer

INSTRUCTOR_MODES: Mapping[Mode, instructor.Mode] = {
    "json_schema": instructor.Mode.JSON_SCHEMA,
    "tools": instructor.Mode.TOOLS,
    "json": instructor.Mode.MD_JSON,
}
# Servers on the same machine need no key, but the client library wants one.
_NO_KEY = "none"
# Headers that the client library would fill from the environment, which the settings alone read.
_NOT_FROM_ENVIRONMENT = ("OpenAI-Organization", "OpenAI-Project")
_ERROR_STATUS = range(400, 600)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,99}")
_CONNECT_S = 20.0
# Shorter than the five seconds after which common servers hang up, so that no request meets a closed door.
_KEEP_ALIVE_S = 4.0


# What the transport maps, what it forgets to map, and what the machine says. Connecting too slowly is among them.
_TRANSPORT_ERRORS = (httpx2.TransportError, aiohttp.ClientError, OSError)


class Exchange:
    """Sends requests to one server and says how each ended. It belongs to one event loop."""

    def __init__(self, settings: Settings) -> None:
        """Set up the libraries; nothing is sent yet.

        Raises:
            SettingsError: address or key cannot be used.
        """
        _check_settings(settings)
        _silence_libraries()
        key = settings.api_key.get_secret_value() if settings.api_key else _NO_KEY
        most = settings.concurrency
        self.settings = settings
        self.server = openai.AsyncOpenAI(
            api_key=key,
            base_url=settings.base_url,
            default_headers=cast(Mapping[str, str], dict.fromkeys(_NOT_FROM_ENVIRONMENT, openai.Omit())),
            max_retries=0,  # one retry policy: ours
            # Over aiohttp: the pool of the usual client looks at every connection for every request,
            # which at 256 calls in flight costs more than all the rest.
            http_client=openai.DefaultAioHttpClient(
                limits=httpx2.Limits(max_connections=most, keepalive_expiry=_KEEP_ALIVE_S),
                # The exchange as a whole has a limit, see request(): a server that sends blanks to
                # keep the connection open would never meet one between two bytes.
                timeout=httpx2.Timeout(None, connect=min(_CONNECT_S, settings.call_timeout_s)),
            ),
        )
        self._askers = {mode: instructor.from_openai(self.server, mode=name) for mode, name in INSTRUCTOR_MODES.items()}

    async def aclose(self) -> None:
        """Close the connections."""
        await self.server.close()

    async def request(self, call: Call, key: str, mode: Mode, body: Mapping[str, object]) -> Ending:
        """Send one request.

        Args:
            call: what is asked.
            key: the call's key.
            mode: the mode that the body was built for.
            body: see extractor.llm.request.build_body.
        """
        about = f"{call.task} (document {call.document_id[:12] or 'unnamed'}, call {key[:12]})"
        heard: list[Any] = []
        hooks = Hooks()  # of this call alone: hooks of the client would hear the replies to all others
        hooks.on(HookName.COMPLETION_RESPONSE, heard.append)
        value: BaseModel | None = None
        fault: BaseException | None = None
        try:
            async with asyncio.timeout(self.settings.call_timeout_s):
                value = await self._askers[mode].create(
                    response_model=prepare_schema(call.schema),
                    messages=[],
                    model=body["model"],
                    max_retries=0,
                    hooks=hooks,
                    extra_headers={"X-Client-Request-Id": key[:32]},
                    extra_body=body,
                )
        except TimeoutError:
            return Ending("timeout", usage=None)
        except Exception as error:
            fault = error.__cause__ or error  # instructor wraps whatever happens
            if not heard:
                return self.end_without_reply(fault, about)
        said = getattr(heard[0], "error", None)
        if isinstance(said, Mapping) and said.get("code") in _ERROR_STATUS:  # how a proxy fails after its headers
            return end_refused(said["code"], said, self.settings, about=about)
        ending = judge_reply(heard[0], call, about, value, fault)
        return replace(ending, usage=read_usage(heard[0]), answer=read_answer(heard[0]))

    def end_without_reply(self, cause: BaseException, about: str) -> Ending:
        """What openai raised: the server answered with an error, or not at all."""
        if isinstance(cause, openai.APIStatusError):
            headers = cause.response.headers
            wait = read_retry_after(headers)
            return end_refused(cause.status_code, cause.body, self.settings, about=about, retry_after=wait)
        if isinstance(cause, openai.APIConnectionError) and isinstance(cause.__cause__, _TRANSPORT_ERRORS):
            return Ending("connection", usage=Usage() if _is_before_sending(cause) else None)
        if isinstance(
            cause, json.JSONDecodeError | UnicodeDecodeError
        ):  # the body broke off, and nothing else shows it
            return Ending("connection", usage=None)
        if isinstance(cause, openai.APIConnectionError | ValueError):  # what cannot be encoded, say
            why = type(cause.__cause__ or cause).__name__
            return Ending("not-sent", error=CallError(f"{about}: the request cannot be sent ({why})"))
        raise cause


def _is_before_sending(error: openai.APIConnectionError) -> bool:
    """Whether there was no connection, so that the server cannot have worked."""
    raised = error.__cause__ and error.__cause__.__cause__
    return isinstance(raised, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)


def judge_reply(
    response: object, call: Call, about: str, value: BaseModel | None, fault: BaseException | None
) -> Ending:
    """What a reply is: the server said 200, and instructor made a value of it or found a fault."""
    choice = response.choices[0] if isinstance(response, ChatCompletion) and response.choices else None
    if not isinstance(choice, Choice) or not isinstance(choice.message, ChatCompletionMessage):
        problem = "the answer is no chat completion. Check EXTRACTOR_BASE_URL"
        return Ending("invalid", error=ReplyInvalid(f"{about}: {problem}"), may_be_mode=True)
    if choice.finish_reason == "content_filter":
        return Ending("filtered", error=ReplyFiltered(f"{about}: the server's filter stopped the reply"))
    if choice.message.refusal:
        return Ending("refused", error=ReplyRefused(f"{about}: the model declined to answer"))
    if choice.finish_reason == "length":
        limit = call.max_output_tokens
        return Ending("truncated", error=ReplyTruncated(f"{about}: the reply reached the limit of {limit} tokens"))
    if value is not None:
        return Ending("ok", value=_strip(value, call.schema), is_json=True)
    size = len(_find_text(choice.message))
    is_json = isinstance(fault, ValidationError) and fault.errors(include_input=False)[0]["type"] != "json_invalid"
    if is_json:
        what = f"does not fit {call.schema.__name__}"
    elif isinstance(fault, ValidationError):
        what = "is no JSON" if size else "is empty"
    else:
        what = "does not call the tool"
    problem = f"the reply ({size} characters) {what}"
    return Ending("invalid", error=ReplyInvalid(f"{about}: {problem}"), is_json=is_json, may_be_mode=not is_json)


def _find_text(message: ChatCompletionMessage) -> str:
    """What should be JSON: the arguments for the tool, or the content."""
    tool = message.tool_calls[0] if message.tool_calls else None
    arguments = getattr(getattr(tool, "function", None), "arguments", None)
    return str(arguments or message.content or "")


def read_usage(response: object) -> Usage | None:
    """Tokens as the server counts them; None where it did not say."""
    usage = getattr(response, "usage", None)
    given, made = getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None)
    if given is None or made is None:
        return None
    cached = getattr(getattr(usage, "prompt_tokens_details", None), "cached_tokens", None)
    return Usage(input_tokens=given, output_tokens=made, cached_tokens=cached or 0)


def read_answer(response: object) -> Answer:
    """What the server calls its reply. Only what looks like a name: the server may put anything there."""
    choices = getattr(response, "choices", None)
    reason = getattr(choices[0], "finish_reason", None) if choices else None
    told = (getattr(response, "id", None), getattr(response, "model", None), reason)
    return Answer(*(text if isinstance(text, str) and _NAME.fullmatch(text) else "" for text in told))


class _Prepared(instructor.ResponseSchema):
    """A wire model as instructor wants it, so that it does not build a class and a schema at every call."""

    json_schema: ClassVar[dict[str, Any]]

    @classmethod
    def model_json_schema(cls, *_args: Any, **_options: Any) -> dict[str, Any]:
        return cls.json_schema


@lru_cache(maxsize=64)
def prepare_schema(schema: type[BaseModel]) -> type[instructor.ResponseSchema]:
    """A wire model with its JSON Schema, made once."""
    made = create_model(schema.__name__, __base__=(_Prepared, schema), __doc__=schema.__doc__)
    prepared = cast(type[_Prepared], made)
    prepared.json_schema = {"title": schema.__name__, **strict_schema(schema)}
    return prepared


def _strip(value: BaseModel, schema: type[BaseModel]) -> BaseModel:
    """The reply as an instance of the wire model itself, without the raw response that instructor hangs on it."""
    return schema.model_construct(**{name: getattr(value, name) for name in schema.model_fields})


def _check_settings(settings: Settings) -> None:
    """What the libraries would take for a failing network, or quote with the key in it."""
    address = urlsplit(settings.base_url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise SettingsError("EXTRACTOR_BASE_URL is no web address. Give it as https://host/v1 or http://host:port/v1.")
    if address.username or address.password:
        raise SettingsError("EXTRACTOR_BASE_URL holds a user or a password. Give the key as EXTRACTOR_API_KEY.")
    key = settings.api_key.get_secret_value() if settings.api_key else ""
    if not key.isascii() or not key.isprintable() or key != key.strip():
        raise SettingsError("EXTRACTOR_API_KEY holds blanks, line ends or non-ASCII characters. Give the bare key.")


def _silence_libraries() -> None:
    """At these levels the libraries log prompts, replies and errors that quote them."""
    for name in ("openai", "instructor", "httpx2", "aiohttp"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
