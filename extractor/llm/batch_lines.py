"""The lines of batch files: what is asked, and what comes back.

Lives here: writing request lines into files that the API takes, and reading request and result
lines. Does not live here: sending files (batch_server), the journal (batch, batch_harvest).

A file holds calls of one prompt only: calls with the same instruction next to each other suit a
server's prompt cache, and the batch's name alone tells how its replies are read.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from extractor.errors import OutputError
from extractor.llm.calls import Call, sampling_parameters
from extractor.llm.request import Mode, build_body
from extractor.settings import Settings

#: What the API takes in one file.
MOST_REQUESTS = 50_000
MOST_BYTES = 200_000_000
ENDPOINT: Final = "/v1/chat/completions"

_LIMIT_NAMES = ("max_tokens", "max_completion_tokens")
_NO_PARAMETERS = frozenset({"model", "messages", "response_format", "tools", "tool_choice", *_LIMIT_NAMES})


class BatchName(NamedTuple):
    """Our own name for a batch; the journal and the server keep it as text."""

    task: str
    prompt_version: str
    number: str

    @classmethod
    def make(cls, task: str, prompt_version: str) -> Self:
        """A name that no other batch has."""
        return cls(task, prompt_version, secrets.token_hex(4))

    @classmethod
    def read(cls, text: str) -> Self:
        """The name that was written as this text."""
        return cls(*text.rsplit("-", 2))

    def __str__(self) -> str:
        return "-".join(self)


# ---------------------------------------------------------------- requests


def choose_mode(settings: Settings) -> Mode:
    """How the server is held to the schema: as set; nothing can be tried out in a batch, so `auto` is json_schema."""
    return "json_schema" if settings.reply_mode == "auto" else settings.reply_mode


def name_limit(base_url: str) -> str:
    """What the limit on the reply is called. A live call finds out by trial; here the address must tell.

    OpenAI's own service (also on Azure) knows the newer name with every model, the older one with
    some; elsewhere only the older one is known everywhere.
    """
    host = urlsplit(base_url).hostname or ""
    return "max_completion_tokens" if "openai" in host.split(".") else "max_tokens"


@dataclass(slots=True)
class Part:
    """One file of request lines; line and key of the same number belong together."""

    task: str
    prompt_version: str
    path: Path
    keys: list[str] = field(default_factory=list)
    size: int = 0

    def keep_only(self, keys: set[str]) -> None:
        """Leave out the lines of all other calls."""
        shorter = self.path.with_suffix(".shorter")
        with self.path.open("rb") as lines, shorter.open("wb") as kept:
            kept.writelines(line for key, line in zip(self.keys, lines, strict=True) if key in keys)
        shorter.replace(self.path)
        self.keys = [key for key in self.keys if key in keys]


class RequestFiles:
    """Writes request lines, into one file after the other for each prompt."""

    def __init__(
        self, folder: Path, settings: Settings, *, most_requests: int = MOST_REQUESTS, most_bytes: int = MOST_BYTES
    ) -> None:
        """Begin with no file.

        Args:
            folder: where the files are made.
            settings: with the model that is asked.
            most_requests, most_bytes: what one file may hold.
        """
        self.parts: list[Part] = []
        self._folder = folder
        self._most = (most_requests, most_bytes)
        self._model = str(settings.model)
        self._mode = choose_mode(settings)
        self._limit_name = name_limit(settings.base_url)
        self._sampling = sampling_parameters(settings)
        self._open: dict[tuple[str, str], tuple[Part, BinaryIO]] = {}

    def add(self, key: str, call: Call) -> None:
        """Write the line of one call.

        Raises:
            OutputError: the disk does not take it.
        """
        parameters = {self._limit_name: call.max_output_tokens, **self._sampling}
        body = build_body(call, self._mode, model=self._model, parameters=parameters)
        request = {"custom_id": key, "method": "POST", "url": ENDPOINT, "body": body}
        line = json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        try:
            part, file = self._choose_file(call, len(line))
            file.write(line)
        except OSError as error:
            problem = f"{self._folder}: the requests cannot be written ({error.strerror})"
            raise OutputError(f"{problem}. Make room, or name another folder in TMPDIR.") from error
        part.keys.append(key)
        part.size += len(line)

    def close(self) -> list[Part]:
        """End the files.

        Raises:
            OutputError: the disk does not take them.
        """
        try:
            for _, file in self._open.values():
                file.close()
        except OSError as error:
            problem = f"{self._folder}: the requests cannot be written ({error.strerror})"
            raise OutputError(f"{problem}. Make room, or name another folder in TMPDIR.") from error
        self._open.clear()
        return self.parts

    def _choose_file(self, call: Call, size: int) -> tuple[Part, BinaryIO]:
        prompt = (call.task, call.prompt_version)
        most_requests, most_bytes = self._most
        if prompt in self._open:
            part, file = self._open[prompt]
            if len(part.keys) < most_requests and part.size + size <= most_bytes:
                return part, file
            file.close()
        part = Part(*prompt, self._folder / f"{len(self.parts)}.jsonl")
        self.parts.append(part)
        self._open[prompt] = (part, part.path.open("wb"))
        return self._open[prompt]


@dataclass(frozen=True, slots=True)
class Request:
    """What a request line asked: build_body read backwards."""

    system: str
    user: str
    max_output_tokens: int
    parameters: Mapping[str, object]
    mode: Mode

    @classmethod
    def read(cls, line: bytes) -> Self:
        """The request in a line that RequestFiles wrote."""
        body: dict[str, Any] = json.loads(line)["body"]
        system, user = (message["content"] for message in body["messages"])
        return cls(
            system=system,
            user=user if isinstance(user, str) else user[0]["text"],
            max_output_tokens=next(body[name] for name in _LIMIT_NAMES if name in body),
            parameters={name: value for name, value in body.items() if name not in _NO_PARAMETERS},
            mode="json_schema" if "response_format" in body else "tools" if "tools" in body else "json",
        )


class RequestIndex:
    """Finds request lines by key in a file that is too long for memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[str, int] = {}
        place = 0
        with path.open("rb") as file:
            for line in file:
                self._places[json.loads(line)["custom_id"]] = place
                place += len(line)

    def find(self, key: str) -> Request | None:
        """What was asked under a key."""
        if key not in self._places:
            return None
        with self._path.open("rb") as file:
            file.seek(self._places[key])
            return Request.read(file.readline())


# ---------------------------------------------------------------- results


class Response(BaseModel):
    """What the server answered to one request."""

    model_config = ConfigDict(frozen=True)

    status_code: int
    body: Any = None


class _Error(BaseModel):
    model_config = ConfigDict(frozen=True)

    code: str | None = None


class Result(BaseModel):
    """One line of an output or error file: a response, or why there is none."""

    model_config = ConfigDict(frozen=True)

    custom_id: str
    response: Response | None = None
    error: _Error | None = None


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that hold anything, with their numbers from 1."""
    with path.open("rb") as file:
        yield from ((number, line) for number, line in enumerate(file, 1) if line.strip())
