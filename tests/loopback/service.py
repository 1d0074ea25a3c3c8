"""The service behind the connections: what becomes of one request.

Lives here: the routes and the order of things (key, fault, checks, delay, answer). Does not live here:
sockets (connection, server), the protocol's rules (chat, uploads, batches), faults, answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.loopback.answerers import CALL_HEADER
from tests.loopback.batches import Batches, BatchPace
from tests.loopback.chat import Capabilities, Chat, parse_object
from tests.loopback.faults import Arrival, Fault, FaultPlan, cut_response, respond_with, spoil_answer
from tests.loopback.messages import (
    Answerer,
    ApiError,
    ChatRequest,
    HttpRequest,
    HttpResponse,
    Json,
    Outcome,
    to_bytes,
)
from tests.loopback.records import Seen
from tests.loopback.uploads import Files

CHAT_PATH = "/v1/chat/completions"
#: What fault plans know the lines of batches by.
LINE_PATH = "batch line"


@dataclass(frozen=True, slots=True)
class Options:
    """What a server is like, beside who answers.

    Attributes:
        delay: seconds before a reply, or a function of the request that gives them.
        api_key: the bearer key that clients must bring; None for none.
        models: the names that are served; empty for any.
        most_records: how many requests are remembered for assertions; None for all.
        port: 0 for a free one.
    """

    delay: float | Callable[[ChatRequest], float] = 0.0
    capabilities: Capabilities = field(default_factory=Capabilities)
    api_key: str | None = None
    models: tuple[str, ...] = ()
    batch_pace: BatchPace = field(default_factory=BatchPace)
    most_records: int | None = None
    port: int = 0


class Service:
    """All that one server knows and does, but for its sockets."""

    def __init__(self, answerer: Answerer, faults: FaultPlan, options: Options) -> None:
        self.options = options
        self.faults = faults
        self.chat = Chat(options.capabilities, options.models)
        self.files = Files()
        self.batches = Batches(self.files, self._answer_line, options.batch_pace)
        self.failures: list[Exception] = []
        self._answerer = answerer
        self._lines = 0

    async def respond(self, seen: Seen) -> Outcome:
        """What is sent back for one request."""
        http = seen.http
        fault = self.faults.choose(Arrival(http.path, seen.number, http.body, seen.in_flight))
        seen.fault = fault
        try:
            self._check_key(http)
            if fault is not None:
                instead = respond_with(fault)
                if instead is not None:
                    return instead
                await asyncio.sleep(fault.seconds if fault.kind == "slow" else 0)
            body = await (self._answer_chat(seen, fault) if http.path == CHAT_PATH else self._route(http))
        except ApiError as error:
            return error.response
        except Exception as error:
            return self._note_failure(error).response
        return cut_response(fault, body if isinstance(body, HttpResponse) else HttpResponse(200, to_bytes(body)))

    def _check_key(self, http: HttpRequest) -> None:
        wanted = self.options.api_key
        given = http.headers.get("authorization", "").removeprefix("Bearer ").strip()
        if wanted is None or given == wanted:
            return
        if not given:
            raise ApiError(401, "You didn't provide an API key in an Authorization header (Bearer YOUR_KEY).")
        raise ApiError(401, f"Incorrect API key provided: {given[:3]}***.", "invalid_api_key")

    # ------------------------------------------------------------ chat

    async def _answer_chat(self, seen: Seen, fault: Fault | None) -> Json:
        if seen.http.method != "POST":
            raise _unknown(seen.http)
        chat = self.chat.read(seen.number, seen.http.body, seen.http.headers)
        delay = self.options.delay
        seconds = delay(chat) if callable(delay) else delay
        if seconds > 0:
            await asyncio.sleep(seconds)
        return self.chat.complete(chat, spoil_answer(fault, self._answerer(chat)))

    async def _answer_line(self, custom_id: str, body: Json) -> tuple[int, Json]:
        """One line of a batch. Its faults go by the same plan, under the path "batch line"."""
        self._lines += 1
        fault = self.faults.choose(Arrival(LINE_PATH, self._lines, to_bytes(body), 0))
        await asyncio.sleep(0)
        try:
            instead = respond_with(fault) if fault is not None else None
            if isinstance(instead, HttpResponse) and instead.media_type == "application/json":
                return instead.status, parse_object(instead.body)
            if instead is not None:  # what happens to a connection is, within a batch, an error of the server's own
                raise ApiError(500, "The server had an error while processing your request.", kind="server_error")
            chat = self.chat.read(0, body, {CALL_HEADER: custom_id})
            return 200, self.chat.complete(chat, spoil_answer(fault, self._answerer(chat)))
        except ApiError as error:
            return error.status, {"error": error.error}
        except Exception as error:
            failure = self._note_failure(error)
            return failure.status, {"error": failure.error}

    def _note_failure(self, error: Exception) -> ApiError:
        """A defect of the answerer or of the server: told at the end (server.failures), not taken for a fault."""
        self.failures.append(error)
        return ApiError(500, f"The loopback server failed: {error!r}", kind="server_error")

    # ------------------------------------------------------------ the other routes

    async def _route(self, http: HttpRequest) -> Json | HttpResponse:
        part, *rest = http.path.removeprefix("/v1/").strip("/").split("/")
        match part, http.method, rest:
            case "models", "GET", []:
                return {"object": "list", "data": [_model(name) for name in self.options.models or ("loopback",)]}
            case "files", _, _:
                return self._route_files(http, rest)
            case "batches", _, _:
                return await self._route_batches(http, rest)
        raise _unknown(http)

    def _route_files(self, http: HttpRequest, rest: list[str]) -> Json | HttpResponse:
        match http.method, rest:
            case "POST", []:
                return self.files.upload(http.headers.get("content-type", ""), http.body)
            case "GET", [file_id]:
                return self.files.find(file_id).info
            case "DELETE", [file_id]:
                return self.files.delete(file_id)
            case "GET", [file_id, "content"]:
                return HttpResponse(200, self.files.find(file_id).content, "application/octet-stream")
        raise _unknown(http)

    async def _route_batches(self, http: HttpRequest, rest: list[str]) -> Json:
        match http.method, rest:
            case "POST", []:
                return self.batches.create(parse_object(http.body))
            case "GET", []:
                return await self.batches.list_page(http.query.get("after"), int(http.query.get("limit", "20")))
            case "GET", [batch_id]:
                return await self.batches.retrieve(batch_id)
            case "POST", [batch_id, "cancel"]:
                return self.batches.cancel(batch_id)
        raise _unknown(http)


def _unknown(http: HttpRequest) -> ApiError:
    return ApiError(404, f"Invalid URL ({http.method} {http.path})")


def _model(name: str) -> Json:
    return {"id": name, "object": "model", "created": 0, "owned_by": "loopback"}
