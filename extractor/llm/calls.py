"""One call to a model, its reply, and the ways it can fail: what readers and the model client share.

Lives here: frozen data, the key of a call, the exception tree. Does not live here: anything that
speaks to a server (client), remembers replies (extractor.store) or writes prompts (prompts).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

from pydantic import BaseModel

from extractor.errors import ExtractorError, ServerRefused
from extractor.settings import Settings

__all__ = [
    "Asker",
    "BudgetReached",
    "Call",
    "CallError",
    "Image",
    "Reply",
    "ReplyFiltered",
    "ReplyInvalid",
    "ReplyMissing",
    "ReplyOrigin",
    "ReplyRefused",
    "ReplyTruncated",
    "ServerRefused",
    "ServerUnavailable",
    "Usage",
    "call_key",
    "sampling_parameters",
    "schema_json",
]

#: Where a reply came from. Only `live` and `batch` were given by a model.
ReplyOrigin = Literal["live", "batch", "written by hand", "simulated"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request as the server counts them; `is_estimated` where it did not say."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    is_estimated: bool = False

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
            self.is_estimated or other.is_estimated,
        )


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that goes with a call. `media_type` such as image/png."""

    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """One question to a model.

    Attributes:
        task: id of the prompt (its file name without suffix).
        prompt_version: content hash of the prompt file.
        schema: the wire model of the reply (extractor.llm.wire).
        system: the instruction; the same for every document, so that servers can cache it.
        user: what is asked of this document, its text last.
        images: page images, for prompts that want them.
        max_output_tokens: limit for the reply.
        document_id: whose budget pays; not part of the key.
        round: 0 at first, counted up when the very same text is asked again.
    """

    task: str
    prompt_version: str
    schema: type[BaseModel]
    system: str
    user: str
    max_output_tokens: int
    document_id: str = ""
    images: tuple[Image, ...] = ()
    round: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """A validated reply.

    Attributes:
        key: the call's key.
        value: an instance of the call's schema.
        usage: what the request that gave this reply cost, also when it is answered from the journal now.
        is_cached: whether it came out of the journal, at no cost.
    """

    key: str
    value: BaseModel
    usage: Usage
    origin: ReplyOrigin
    is_cached: bool = False


class Asker(Protocol):
    """Whatever answers calls: a live client behind a journal, a replay, a planner."""

    async def ask(self, call: Call) -> Reply:
        """Answer one call.

        Raises:
            CallError: the call has no reply; see its subclasses.
        """


@lru_cache(maxsize=64)
def schema_json(schema: type[BaseModel]) -> str:
    """The JSON Schema of a wire model as canonical text."""
    return json.dumps(schema.model_json_schema(), ensure_ascii=False, sort_keys=True)


def call_key(call: Call, model: str, parameters: Mapping[str, object]) -> str:
    """The content hash that a reply is kept under.

    Everything that can change the reply goes in (model, sampling parameters, prompt, schema, text,
    images, round); how the schema is enforced by the server (the mode) does not.

    Returns:
        64 hexadecimal digits.
    """
    parts = {
        "model": model,
        "parameters": dict(parameters),
        "max_output_tokens": call.max_output_tokens,
        "system": call.system,
        "user": call.user,
        "schema": schema_json(call.schema),
        "images": [hashlib.sha256(image.data).hexdigest() for image in call.images],
        "round": call.round,
    }
    return hashlib.sha256(
        json.dumps(parts, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")
    ).hexdigest()


def sampling_parameters(settings: Settings) -> dict[str, object]:
    """The part of the settings that changes what a model replies, beside its name."""
    return {} if settings.temperature is None else {"temperature": settings.temperature}


# ---------------------------------------------------------------- how a call can fail


class CallError(ExtractorError):
    """A call that has no usable reply. The document goes on without it."""

    code = "call-failed"


class ReplyTruncated(CallError):
    """The reply reached the token limit; a smaller part must be asked."""

    code = "reply-truncated"


class ReplyRefused(CallError):
    """The model declined to answer."""

    code = "reply-refused"


class ReplyFiltered(CallError):
    """The server's content filter stopped the reply."""

    code = "reply-filtered"


class ReplyInvalid(CallError):
    """The reply is no JSON or does not fit the schema."""

    code = "reply-invalid"


class ReplyMissing(CallError):
    """No reply is on record and none may be asked for (replay, plan, batch)."""

    code = "reply-missing"


class ServerUnavailable(CallError):
    """The server could not be reached or kept failing, or the circuit is open."""

    code = "server-unavailable"


class BudgetReached(CallError):
    """The next call might go over a limit. `scope` says whether the document's or the run's."""

    code = "budget-reached"

    def __init__(self, message: str, scope: Literal["document", "run"]) -> None:
        super().__init__(message)
        self.scope = scope
