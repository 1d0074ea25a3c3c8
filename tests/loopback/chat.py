"""Chat completions: the checks on a request, and an answer in the protocol's clothes.

Lives here: what the real service and its imitations accept and how they reply. Does not live here:
the strict schema rules (strict), faults, HTTP.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count
from typing import Literal

from tests.loopback.messages import Answer, ApiError, ChatRequest, Json, count_message_tokens, count_tokens
from tests.loopback.strict import find_schema_problem

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
#: Prompts are cached from this length on, in steps of this many tokens.
_CACHE_FROM, _CACHE_STEP = 1024, 128


#: `ignored`: the request is answered as if it had not asked for this. An error is what servers send that do not
#: know it: llama.cpp 500, others 400.
Ability = Literal["yes", "ignored", 400, 500]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the imitated server can do. As it stands: all that the real service can.

    Attributes:
        json_schema, tools, json_object: the ways to hold a reply to a schema, or at least to JSON.
        wraps: what stands around JSON where nothing holds the model to it.
        has_temperature: False for models that take only the default.
        limit_name: which names of the output limit are accepted.
        has_usage: whether replies count tokens.
        context_tokens: the most tokens of a request, in and out.
    """

    json_schema: Ability = "yes"
    tools: Ability = "yes"
    json_object: Ability = "yes"
    wraps: Literal["nothing", "prose", "fence"] = "nothing"
    has_temperature: bool = True
    limit_name: Literal["both", "max_tokens", "max_completion_tokens"] = "both"
    has_usage: bool = True
    context_tokens: int | None = None


class Chat:
    """Checks chat requests and dresses answers; keeps the memory of cached prompts and the token counts."""

    def __init__(self, capabilities: Capabilities, models: tuple[str, ...] = ()) -> None:
        self.capabilities = capabilities
        self.models = models
        self.input_tokens = 0
        self.output_tokens = 0
        self.cached_tokens = 0
        self._ids = count(1)
        self._cached: set[int] = set()

    # ------------------------------------------------------------ checks

    def read(self, number: int, data: bytes | Json, headers: Mapping[str, str]) -> ChatRequest:
        """The request, if it is one that is answered.

        Raises:
            ApiError: as the service would put it.
        """
        body = parse_object(data) if isinstance(data, bytes) else data
        self._check_body(body)
        self._check_switches(body)
        chat = ChatRequest(number, body, headers)
        self._check_enforcement(chat)
        return chat

    def _check_body(self, body: Json) -> None:
        model, messages = body.get("model"), body.get("messages")
        if not isinstance(model, str) or not model:
            raise ApiError(400, "you must provide a model parameter", param="model")
        if not isinstance(messages, list):
            raise ApiError(400, "Missing required parameter: 'messages'.", "missing_required_parameter", "messages")
        if not messages:
            message = "Invalid 'messages': empty array. Expected an array with minimum length 1."
            raise ApiError(400, message, "empty_array", "messages")
        for index, message in enumerate(messages):
            if not isinstance(message, dict) or "role" not in message:
                where = f"messages[{index}]"
                raise ApiError(400, f"Missing required parameter: '{where}.role'.", "missing_required_parameter", where)
        if self.models and model not in self.models:
            message = f"The model `{model}` does not exist or you do not have access to it."
            raise ApiError(404, message, "model_not_found")
        if body.get("stream"):
            raise ApiError(400, "This server does not stream.", "unsupported_value", "stream")

    def _check_switches(self, body: Json) -> None:
        can = self.capabilities
        if not can.has_temperature and body.get("temperature", 1) != 1:
            message = (
                f"Unsupported value: 'temperature' does not support {body['temperature']} with this model. "
                "Only the default (1) value is supported."
            )
            raise ApiError(400, message, "unsupported_value", "temperature")
        for name, other in (("max_tokens", "max_completion_tokens"), ("max_completion_tokens", "max_tokens")):
            if body.get(name) is not None and can.limit_name == other:
                message = f"Unsupported parameter: '{name}' is not supported with this model. Use '{other}' instead."
                raise ApiError(400, message, "unsupported_parameter", name)
        if can.context_tokens is not None:
            self._check_context(body, can.context_tokens)

    def _check_context(self, body: Json, limit: int) -> None:
        asked, room = count_message_tokens(body["messages"]), _output_limit(body) or 0
        if asked + room > limit:
            message = (
                f"This model's maximum context length is {limit} tokens. However, you requested {asked + room} tokens "
                f"({asked} in the messages, {room} in the completion). Please reduce the length of the messages."
            )
            raise ApiError(400, message, "context_length_exceeded", "messages")

    def _check_enforcement(self, chat: ChatRequest) -> None:
        """Whether the wanted way to hold the reply to a schema exists, and its schema will do."""
        if chat.mode == "text":
            return
        ability = getattr(self.capabilities, chat.mode)
        if isinstance(ability, int):
            param = "tools" if chat.mode == "tools" else "response_format"
            kind = "server_error" if ability >= 500 else "invalid_request_error"
            raise ApiError(ability, f"{param}: {chat.mode} is not supported", param=param, kind=kind)
        if ability == "yes":
            _CHECKS[chat.mode](chat)

    # ------------------------------------------------------------ answers

    def complete(self, chat: ChatRequest, answer: Answer) -> Json:
        """The completion object for this answer."""
        answer = _keep_to_limit(answer, _output_limit(chat.body))
        is_held = chat.mode != "text" and getattr(self.capabilities, chat.mode) == "yes"
        has_call = is_held and chat.mode == "tools" and bool(answer.content)
        message: Json = {"role": "assistant", "content": answer.content, "refusal": answer.refusal}
        if has_call:
            call = {"name": chat.tool["name"], "arguments": answer.content}
            message |= {
                "content": None,
                "tool_calls": [{"id": f"call_{next(self._ids)}", "type": "function", "function": call}],
            }
        elif not is_held and answer.content:
            message["content"] = wrap_text(answer.content, self.capabilities.wraps)
        # A function that was named is no choice of the model, and the service says "stop" then.
        is_chosen = has_call and not isinstance(chat.body.get("tool_choice"), dict)
        finish = "tool_calls" if is_chosen and answer.finish_reason == "stop" else answer.finish_reason
        completion = {
            "id": f"chatcmpl-{next(self._ids)}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": chat.model,
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
            "system_fingerprint": None,
        }
        usage = self._count(chat, answer)
        return completion | ({"usage": usage} if answer.has_usage and self.capabilities.has_usage else {})

    def _count(self, chat: ChatRequest, answer: Answer) -> Json:
        asked = count_message_tokens(chat.body["messages"])
        said = count_tokens(answer.content or answer.refusal or "")
        cached = self._count_cached(chat)
        self.input_tokens += asked
        self.output_tokens += said
        self.cached_tokens += cached
        return {
            "prompt_tokens": asked,
            "completion_tokens": said,
            "total_tokens": asked + said,
            "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        }

    def _count_cached(self, chat: ChatRequest) -> int:
        """The instruction is the prefix that requests share; it is cached from its second use on."""
        tokens = count_tokens(chat.system)
        if tokens < _CACHE_FROM:
            return 0
        prefix = hash((chat.model, chat.system))
        is_known = prefix in self._cached
        self._cached.add(prefix)
        return tokens // _CACHE_STEP * _CACHE_STEP if is_known else 0


def parse_object(data: bytes) -> Json:
    """A request body as a JSON object.

    Raises:
        ApiError: it is none.
    """
    try:
        body = json.loads(data)
    except ValueError as error:
        raise ApiError(400, f"We could not parse the JSON body of your request. ({error})") from error
    if not isinstance(body, dict):
        raise ApiError(400, "The JSON body of your request is not an object.")
    return body


def _output_limit(body: Json) -> int | None:
    return body.get("max_completion_tokens") or body.get("max_tokens")


def _keep_to_limit(answer: Answer, limit: int | None) -> Answer:
    """The answer, cut where it is longer than the client allows."""
    if limit is None or answer.content is None or count_tokens(answer.content) <= limit:
        return answer
    kept = answer.content.encode()[: limit * 3].decode(errors="ignore")
    return replace(answer, content=kept, finish_reason="length")


def wrap_text(content: str, how: str) -> str:
    """JSON as a talkative model gives it when nothing holds it back."""
    if how == "nothing":
        return content
    fenced = f"```json\n{content}\n```"
    return fenced if how == "fence" else f"以下是从文本中提取的结果：\n\n{fenced}\n\n如需进一步说明，请告诉我。"


# ---------------------------------------------------------------- the ways to hold a reply to a schema


def _check_json_schema(chat: ChatRequest) -> None:
    wrapper = chat.body["response_format"].get("json_schema")
    if not isinstance(wrapper, dict) or not _NAME.fullmatch(str(wrapper.get("name", ""))):
        param = "response_format.json_schema.name"
        raise ApiError(400, f"Missing required parameter: '{param}'.", "missing_required_parameter", param)
    if not isinstance(wrapper.get("schema"), dict):
        param = "response_format.json_schema.schema"
        raise ApiError(400, f"Missing required parameter: '{param}'.", "missing_required_parameter", param)
    if wrapper.get("strict"):
        _check_strict(wrapper["schema"], f"response_format '{wrapper['name']}'", "response_format")


def _check_tools(chat: ChatRequest) -> None:
    names = set()
    for index, tool in enumerate(chat.body["tools"]):
        function = tool.get("function")
        if tool.get("type") != "function" or not isinstance(function, dict):
            param = f"tools[{index}].function"
            raise ApiError(400, f"Missing required parameter: '{param}'.", "missing_required_parameter", param)
        if not _NAME.fullmatch(str(function.get("name", ""))):
            param = f"tools[{index}].function.name"
            raise ApiError(400, f"Invalid '{param}'.", "invalid_value", param)
        names.add(function["name"])
        if function.get("strict"):
            _check_strict(function.get("parameters", {}), f"function '{function['name']}'", "tools")
    choice = chat.body.get("tool_choice")
    if isinstance(choice, dict) and choice.get("function", {}).get("name") not in names:
        raise ApiError(400, "Invalid value for 'tool_choice': no such function in 'tools'.", None, "tool_choice")


def _check_json_object(chat: ChatRequest) -> None:
    if not any("json" in str(message.get("content", "")).lower() for message in chat.body["messages"]):
        message = (
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        )
        raise ApiError(400, message, None, "messages")


_CHECKS = {"json_schema": _check_json_schema, "tools": _check_tools, "json_object": _check_json_object}


def _check_strict(schema: Json, whose: str, param: str) -> None:
    problem = _find_problem(json.dumps(schema))
    if problem:
        code = "invalid_json_schema" if param == "response_format" else "invalid_function_parameters"
        raise ApiError(400, f"Invalid schema for {whose}: {problem}", code, param)


@lru_cache(maxsize=256)
def _find_problem(schema: str) -> str | None:
    return find_schema_problem(json.loads(schema))
