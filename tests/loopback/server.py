"""The loopback server: the OpenAI protocol over real HTTP on this machine.

Lives here: the server's life, its connections, and what others may look at. Does not live here: what
becomes of a request (service), framing (connection). Used by integration tests, by benchmarks in a
process of its own (process), and to write replies for replay.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from tests.loopback.connection import Connection
from tests.loopback.faults import FaultPlan, Hit, NoFaults
from tests.loopback.messages import Answerer, ApiError, HttpResponse, Json, Silence, to_bytes
from tests.loopback.records import Recorder, Seen
from tests.loopback.service import CHAT_PATH, Options, Service

__all__ = ["LoopbackServer", "Options", "running_server"]


class LoopbackServer:
    """One server on 127.0.0.1. `async with LoopbackServer(answerer) as server` in the loop that serves it."""

    def __init__(self, answerer: Answerer, faults: FaultPlan | None = None, options: Options | None = None) -> None:
        options = options or Options()
        self._service = Service(answerer, faults or NoFaults(), options)
        self._wanted_port = options.port
        self._recorder = Recorder(options.most_records)
        self._listener: asyncio.Server | None = None
        self._connections: set[asyncio.Task[Any]] = set()
        self._started_at = self._started_cpu = 0.0
        self._clock: int | None = None
        self.port = 0

    # ------------------------------------------------------------ life

    async def start(self) -> None:
        """Listen."""
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self._wanted_port, backlog=2048)
        self.port = self._listener.sockets[0].getsockname()[1]
        if hasattr(time, "pthread_getcpuclockid"):  # not everywhere
            self._clock = time.pthread_getcpuclockid(threading.get_ident())
        self._started_at, self._started_cpu = time.monotonic(), self._cpu_seconds()

    async def stop(self) -> None:
        """Stop listening and cut what is open."""
        if self._listener is not None:
            self._listener.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def __aenter__(self) -> LoopbackServer:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # ------------------------------------------------------------ what others look at

    @property
    def base_url(self) -> str:
        """What a client is told."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def requests(self) -> list[Seen]:
        """The requests so far, oldest first."""
        return list(self._recorder.requests)

    @property
    def chats(self) -> list[Seen]:
        """The chat requests so far, oldest first."""
        return [seen for seen in self._recorder.requests if seen.path == CHAT_PATH]

    @property
    def failures(self) -> list[Exception]:
        """What was raised beside ApiError, by the answerer as a rule; the client was told 500."""
        return self._service.failures

    @property
    def hits(self) -> list[Hit]:
        """The faults that were shown so far."""
        return list(self._service.faults.hits)

    @property
    def stats(self) -> Json:
        """Counts, tokens, and the CPU seconds of the thread that serves (all of it, where it does other things too)."""
        chat = self._service.chat
        return self._recorder.sums | {
            "input_tokens": chat.input_tokens,
            "output_tokens": chat.output_tokens,
            "cached_tokens": chat.cached_tokens,
            "seconds": time.monotonic() - self._started_at,
            "cpu_seconds": self._cpu_seconds() - self._started_cpu,
        }

    def _cpu_seconds(self) -> float:
        return time.process_time() if self._clock is None else time.clock_gettime(self._clock)

    # ------------------------------------------------------------ one connection

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        connection = Connection(reader, writer)
        try:
            while await self._serve_one(connection):
                pass
        except (OSError, asyncio.CancelledError):
            pass  # the client is gone, or the server stops
        finally:
            self._connections.discard(task)
            await connection.close()

    async def _serve_one(self, connection: Connection) -> bool:
        try:
            http = await connection.receive()
        except ApiError as error:
            await connection.send(error.response)
            return False
        if http is None:
            return False
        if http.path == "/stats":
            return await connection.send(HttpResponse(200, to_bytes(self.stats)))
        seen = self._recorder.begin(http)
        try:
            outcome = await self._service.respond(seen)
            if isinstance(outcome, Silence):
                return await connection.send(outcome)
            seen.status = outcome.status
        finally:  # before the response is out: a client that has it finds it counted
            self._recorder.end(seen)
        return await connection.send(outcome)


@contextmanager
def running_server(
    answerer: Answerer, faults: FaultPlan | None = None, options: Options | None = None
) -> Iterator[LoopbackServer]:
    """A server in a thread of its own, for clients of any kind: `with running_server(answerer) as server`.

    Raises:
        OSError: the port is taken.
        Exception: at the end, the first of server.failures.
    """
    server = LoopbackServer(answerer, faults, options)
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        try:
            async with server:
                started.set_result((asyncio.get_running_loop(), stop))
                await stop.wait()
        except OSError as error:
            started.set_exception(error)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="loopback", daemon=True)
    thread.start()
    loop, stop = started.result(timeout=10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
    if server.failures:
        raise server.failures[0]
