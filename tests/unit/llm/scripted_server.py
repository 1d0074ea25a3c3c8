"""A tiny HTTP server that answers as each test scripts it, on the loop of the test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One request as it came over the wire."""

    path: str
    headers: Mapping[str, str]
    body: Json

    @property
    def mode(self) -> str:
        """How it asks for the schema."""
        if "response_format" in self.body:
            return "json_schema"
        return "tools" if "tools" in self.body else "json"


@dataclass(frozen=True)
class Answer:
    """What goes back. `drop`: the connection is closed instead."""

    status: int = 200
    body: Json | str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False


def completion(text: str | None, *, mode: str = "json_schema", finish: str = "stop", **extra: Any) -> Answer:
    """A reply in the form of the mode. `extra`: usage=None leaves the usage out, refusal=… refuses."""
    message: Json = {"role": "assistant", "content": text, "refusal": extra.get("refusal")}
    if mode == "tools" and text is not None:
        function = {"name": "any", "arguments": text}
        message |= {"content": None, "tool_calls": [{"id": "1", "type": "function", "function": function}]}
    usage = extra.get("usage", {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120})
    choice = {"index": 0, "finish_reason": finish, "message": message}
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    return Answer(body=body)


def error(status: int, message: str = "no", headers: Mapping[str, str] | None = None, **codes: Any) -> Answer:
    """An error in the form of the protocol."""
    return Answer(status, {"error": {"message": message, **codes}}, headers or {})


Behaviour = Callable[[Request], Answer | Awaitable[Answer]]


class ScriptedServer:
    """Answers with `behaviour` and remembers what came.

    Attributes:
        requests: in order of arrival.
        connections: how many were opened.
        most_in_flight: how many requests were being answered at the same time at most.
    """

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.requests: list[Request] = []
        self.connections = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def modes(self) -> list[str]:
        return [request.mode for request in self.requests]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while (request := await _read_request(reader)) is not None:
                self.requests.append(request)
                self.in_flight += 1
                self.most_in_flight = max(self.most_in_flight, self.in_flight)
                try:
                    given = self.behaviour(request)
                    answer = given if isinstance(given, Answer) else await given
                finally:
                    self.in_flight -= 1
                if answer.drop:
                    break
                writer.write(_encode(answer))
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):  # the client hung up, or the test is over
            pass
        finally:
            writer.close()


@asynccontextmanager
async def running(*script: Answer | Behaviour) -> AsyncIterator[ScriptedServer]:
    """Serve answers in turn, the last one for ever; a behaviour answers its turn by looking at the request."""
    steps = list(script)

    def answer(request: Request) -> Answer | Awaitable[Answer]:
        step = steps.pop(0) if len(steps) > 1 else steps[0]
        return step if isinstance(step, Answer) else step(request)

    server = ScriptedServer(answer)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    content = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(first.split(" ")[1], headers, json.loads(content or b"{}"))


def _encode(answer: Answer) -> bytes:
    is_json = not isinstance(answer.body, str)
    content = (json.dumps(answer.body) if is_json else str(answer.body)).encode()
    kind = "application/json" if is_json else "text/html"
    headers = {"content-type": kind, "content-length": str(len(content)), **answer.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {answer.status} X\r\n{lines}\r\n".encode("latin-1") + content
