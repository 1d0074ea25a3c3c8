"""A model client in front of a scripted server, and what its callbacks were told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from extractor.llm.budget import Budget
from extractor.llm.calls import Call, Image, call_key
from extractor.llm.circuit import Circuit
from extractor.llm.client import Attempt, ModelClient, Sent
from extractor.llm.retries import Sleep
from extractor.llm.wire import TableRows
from extractor.settings import Settings
from tests.unit.llm.scripted_server import ScriptedServer

ROWS = '{"rows":[["1","2",null]]}'


def make_call(user: str = "the table", **changes: Any) -> Call:
    given: dict[str, Any] = {"schema": TableRows, "max_output_tokens": 500, "document_id": "d" * 64} | changes
    return Call("applications", "1", system="instruction", user=user, **given)


def make_image() -> Image:
    return Image("image/png", b"\x89PNG pixels")


class Asking:
    """A client, and what it told. Waits between two tries are noted and not waited.

    Attributes:
        client: the client.
        attempts: in the order in which they ended.
        notices: what the operator was told.
        sleeps: seconds that the client wanted to wait.
    """

    def __init__(self, settings: Settings, circuit: Circuit | None, budget: Budget | None, sleep: Sleep | None) -> None:
        self.attempts: list[Attempt] = []
        self.notices: list[str] = []
        self.sleeps: list[float] = []
        self.client = ModelClient(
            settings,
            budget=budget,
            on_attempt=lambda _, attempt: self.attempts.append(attempt),
            on_notice=self.notices.append,
            sleep=sleep or self._sleep,
            circuit=circuit,
        )

    async def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        await asyncio.sleep(0)

    @property
    def outcomes(self) -> list[str]:
        return [attempt.outcome for attempt in self.attempts]

    async def send(self, call: Call | None = None) -> Sent:
        call = call or make_call()
        return await self.client.send(call, call_key(call, "model-a", self.client.parameters))

    async def send_all(self, count: int) -> list[Sent | BaseException]:
        """Different calls at the same time."""
        calls = [make_call(f"table {number}") for number in range(count)]
        return await asyncio.gather(*(self.send(call) for call in calls), return_exceptions=True)


@asynccontextmanager
async def asking(
    server: ScriptedServer | str,
    *,
    circuit: Circuit | None = None,
    budget: Budget | None = None,
    sleep: Sleep | None = None,
    **changes: Any,
) -> AsyncIterator[Asking]:
    """A client of the server, with these settings changed."""
    url = server if isinstance(server, str) else server.url
    given: dict[str, Any] = {"model": "model-a", "base_url": url, "reply_mode": "json_schema"} | changes
    told = Asking(Settings(**given), circuit, budget, sleep)
    try:
        yield told
    finally:
        await told.client.aclose()
