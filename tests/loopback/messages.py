"""What passes through the loopback server: HTTP messages, chat requests, answers, errors.

Lives here: data, and reading a chat request's body. Does not live here: bytes on a socket (connection),
the rules of the protocol (chat, strict, batches), what is answered (answerers, simulated).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple

Json = dict[str, Any]
Mode = Literal["json_schema", "tools", "json_object", "text"]
FinishReason = Literal["stop", "length", "content_filter"]

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class HttpRequest(NamedTuple):
    """One request as it came in. Header names are lower case, the path has no query."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One response. `cut_after` closes the connection behind that many bytes of the body."""

    status: int
    body: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None


class Silence(NamedTuple):
    """No response at all: the connection is cut at once, or held until the client leaves."""

    is_held: bool


Outcome = HttpResponse | Silence


class ApiError(Exception):
    """A request that is turned down, with the error object that the real service would send."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        param: str | None = None,
        *,
        kind: str = "invalid_request_error",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.error: Json = {"message": message, "type": kind, "param": param, "code": code}

    @property
    def response(self) -> HttpResponse:
        """The error as a response."""
        return HttpResponse(self.status, to_bytes({"error": self.error}), headers=self.headers)


@dataclass(frozen=True, eq=False)
class ChatRequest:
    """A chat request that passed the checks.

    Attributes:
        number: counts chat requests from 1 in order of arrival; 0 inside a batch.
        body: as sent.
        headers: as sent, names in lower case.
    """

    number: int
    body: Json
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def model(self) -> str:
        """The model asked for."""
        return str(self.body["model"])

    @cached_property
    def system(self) -> str:
        """All text of the system messages."""
        return "\n\n".join(_text_of(m) for m in self.body["messages"] if m["role"] in ("system", "developer"))

    @cached_property
    def user(self) -> str:
        """The text of the first user message: later ones are a client's remarks on an earlier reply."""
        return next((_text_of(m) for m in self.body["messages"] if m["role"] == "user"), "")

    @cached_property
    def images(self) -> tuple[bytes, ...]:
        """The pictures of the first user message, decoded, in order."""
        content = next((m["content"] for m in self.body["messages"] if m["role"] == "user"), "")
        parts = content if isinstance(content, list) else ()
        return tuple(_decode_url(part["image_url"]["url"]) for part in parts if part.get("type") == "image_url")

    @cached_property
    def mode(self) -> Mode:
        """How the client wants the reply to be held to a schema."""
        if self.body.get("tools") and self.body.get("tool_choice") != "none":
            return "tools"
        kind = (self.body.get("response_format") or {}).get("type", "text")
        return kind if kind in ("json_schema", "json_object") else "text"

    @cached_property
    def schema(self) -> Json | None:
        """The JSON Schema sent along, if any."""
        if self.mode == "tools":
            return self.tool.get("parameters")
        return self.body["response_format"]["json_schema"].get("schema") if self.mode == "json_schema" else None

    @cached_property
    def tool(self) -> Json:
        """The function that is to be called: the one chosen, else the first."""
        choice = self.body.get("tool_choice")
        wanted = choice["function"]["name"] if isinstance(choice, dict) else None
        functions: list[Json] = [tool["function"] for tool in self.body["tools"]]
        return next((f for f in functions if f["name"] == wanted), functions[0])


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model behind the server says.

    Attributes:
        content: the text of the reply, JSON as a rule; None with a refusal.
        has_usage: whether the server counts tokens for it.
    """

    content: str | None
    finish_reason: FinishReason = "stop"
    refusal: str | None = None
    has_usage: bool = True


#: Whatever stands behind the server. It may raise ApiError.
Answerer = Callable[[ChatRequest], Answer]


def answer_json(value: Mapping[str, object]) -> Answer:
    """A reply that is this object."""
    return Answer(json.dumps(value, ensure_ascii=False))


def to_bytes(value: object) -> bytes:
    """Compact UTF-8 JSON."""
    return _ENCODER.encode(value).encode()


def count_tokens(text: str) -> int:
    """About as many tokens as common vocabularies need: one for three bytes of UTF-8."""
    return (len(text.encode()) + 2) // 3


def count_message_tokens(messages: Sequence[Json]) -> int:
    """Tokens of all text in the messages, a few for each message's frame, 765 for a picture."""
    total = 0
    for message in messages:
        content = message.get("content")
        parts = content if isinstance(content, list) else ()
        total += 4 + count_tokens(_text_of(message)) + 765 * sum(part.get("type") == "image_url" for part in parts)
    return total


def _decode_url(url: str) -> bytes:
    head, _, data = url.partition(",")
    if head != "data:image/png;base64":
        raise ApiError(400, "Invalid image: expected a data URL of a PNG.", "invalid_image_url")
    return base64.b64decode(data, validate=True)


def _text_of(message: Json) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content if part.get("type") == "text")
