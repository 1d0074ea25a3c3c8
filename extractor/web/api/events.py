"""A run's progress as server-sent events.

Lives here: when an event is sent, and its number. Does not live here: the wire format and the heartbeats (FastAPI).
The state is read from the store, not from the worker: so it works after a restart, and beside other processes.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Header
from fastapi.sse import ServerSentEvent
from starlette.concurrency import run_in_threadpool

from extractor.store.shapes import Run
from extractor.web.service import Service
from extractor.web.shapes import RunProgress

_LOOK_EVERY_S = 0.5
#: What a browser waits before it comes again.
_RETRY_MS = 2000
EventId = Annotated[
    str | None, Header(alias="Last-Event-ID", max_length=100, description="number of the last event that was received")
]


async def follow_run(service: Service, run: Run, last_id: str | None) -> AsyncIterator[ServerSentEvent]:
    """Events until the run is over: `progress` whenever its counts change, `end` with the last ones.

    Args:
        run: as it is now.
        last_id: of the last event that the client has; what it has seen is not sent again, but for the end.
    """
    while True:
        progress = RunProgress(state=run.state, counts={state: run.counts[state] for state in sorted(run.counts)})
        # The number stands for the state: it is the same one after a restart.
        number = hashlib.sha256(progress.model_dump_json().encode()).hexdigest()[:16]
        is_over = run.state != "open"
        if is_over or number != last_id:
            yield ServerSentEvent(event="end" if is_over else "progress", data=progress, id=number, retry=_RETRY_MS)
        if is_over:
            return
        last_id = number
        await asyncio.sleep(_LOOK_EVERY_S)
        if service.is_stopping():
            return
        run = await run_in_threadpool(read_run, service, run.id)


def read_run(service: Service, run_id: str) -> Run:
    """A run as it is now.

    Raises:
        NotInStore: there is none.
    """
    with service.store.read() as books:
        return books.runs.get(run_id)
