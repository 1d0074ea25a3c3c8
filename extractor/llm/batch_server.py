"""The server's side of batches: files up and down, batches made, listed and looked at.

Lives here: HTTP, and what its failures mean. Does not live here: when any of this is done and what
is written down about it (batch, batch_harvest). Loading it loads openai and instructor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar, cast

import httpx2
import openai
from openai.pagination import AsyncCursorPage
from openai.types import Batch, FileObject
from openai.types.chat import ChatCompletion

from extractor.errors import OutputError
from extractor.llm import exchange
from extractor.llm.batch_lines import ENDPOINT
from extractor.llm.batch_remote import METADATA, CreationUnknown, RemoteBatch, describe_batch
from extractor.llm.calls import Call, CallError, ServerRefused, ServerUnavailable
from extractor.llm.endings import Ending
from extractor.llm.refusals import say_address
from extractor.llm.request import Mode
from extractor.llm.retries import Sleep, TransientFailure, build_retrying
from extractor.settings import Settings

_T = TypeVar("_T")

#: Seconds for a file on its way.
TRANSFER_S = 600.0
_PAGE = 100


class BatchServer(exchange.Exchange):
    """Files and batches on one server. It belongs to one event loop."""

    def __init__(self, settings: Settings, *, sleep: Sleep = asyncio.sleep) -> None:
        super().__init__(settings)
        self.address = say_address(settings.base_url)
        self._sleep = sleep

    async def check(self) -> None:
        """See that there are batches on this server for this key, before anything is prepared.

        Raises:
            ServerRefused: there are none; key or address are wrong.
            ServerUnavailable: it could not be asked.
        """
        await self._list(limit=1)

    async def list_since(self, moment: datetime) -> list[RemoteBatch]:
        """The batches that were made since a moment, newest first."""
        found: dict[str, RemoteBatch] = {}
        after: str | openai.Omit = openai.omit
        while True:
            page = await self._list(_PAGE, after)
            for batch in page.data:
                is_older = bool(batch.created_at) and batch.created_at < moment.timestamp()
                if is_older or batch.id in found:  # some servers know no pages and begin again
                    return list(found.values())
                found[batch.id] = describe_batch(batch)
            if not page.has_more or not page.data:
                return list(found.values())
            after = page.data[-1].id

    async def _list(self, limit: int, after: str | openai.Omit = openai.omit) -> AsyncCursorPage[Batch]:
        async def ask() -> AsyncCursorPage[Batch]:
            return await self.server.batches.list(limit=limit, after=after)

        return await self._repeat("listing batches", ask)

    async def upload(self, path: Path, name: str) -> str:
        """Send a file of requests up.

        Returns:
            The server's name for it.
        """

        async def send() -> FileObject:
            with path.open("rb") as file:
                return await self.server.files.create(file=(name, file, "application/jsonl"), purpose="batch")

        try:
            # All tries together: see batch.PATIENCE.
            async with asyncio.timeout(TRANSFER_S):
                return (await self._repeat(f"sending {name}", send, limit_s=TRANSFER_S)).id
        except TimeoutError:
            raise ServerUnavailable(f"sending {name} to {self.address} takes over {TRANSFER_S:.0f} s") from None

    async def create(self, file_id: str, name: str) -> RemoteBatch:
        """Make a batch of an uploaded file. This is what costs money, so it is not repeated blindly.

        Raises:
            CreationUnknown: the server may have made it.
            ServerRefused, CallError: it did not.
        """

        async def create() -> Batch:
            return await self.server.batches.create(
                input_file_id=file_id, endpoint=ENDPOINT, completion_window="24h", metadata={METADATA: name}
            )

        def is_repeatable(ending: Ending) -> bool:
            # Without a status and with a usage of nothing: there was no connection.
            was_turned_away = ending.outcome == "http-429" or (ending.status == 0 and ending.usage is not None)
            return ending.is_transient and was_turned_away

        try:
            return describe_batch(await self._repeat(f"making batch {name}", create, is_repeatable=is_repeatable))
        except _NotThere:
            raise CallError(f"{self.address} does not find the file of batch {name}. Submit again.") from None

    async def retrieve(self, remote_id: str) -> RemoteBatch | None:
        """A batch; None when the server knows none of this name."""
        about = f"looking at batch {remote_id}"
        batch = await self._find(about, lambda: self.server.batches.retrieve(remote_id))
        return describe_batch(batch) if batch else None

    async def download(self, file_id: str, target: Path) -> bool:
        """Fetch a file. Returns whether the server has it."""

        async def fetch() -> bool:
            async with self.server.files.with_streaming_response.content(file_id) as response:
                with target.open("wb") as file:
                    async for piece in response.iter_bytes():
                        file.write(piece)
            return True

        try:
            return bool(await self._find(f"fetching {file_id}", fetch, limit_s=TRANSFER_S))
        except OSError as error:
            problem = f"{target.parent}: the server's file cannot be kept ({error.strerror})"
            raise OutputError(f"{problem}. Make room, or name another folder in TMPDIR.") from error

    async def delete_file(self, file_id: str) -> None:
        """Remove an uploaded file, so that nobody can make a batch of it any more."""
        await self._find(f"deleting {file_id}", lambda: self.server.files.delete(file_id))

    # ------------------------------------------------------------ one request, and again

    async def _find(self, about: str, ask: Callable[[], Awaitable[_T]], limit_s: float | None = None) -> _T | None:
        """The same for what may not be there."""
        try:
            return await self._repeat(about, ask, limit_s=limit_s)
        except _NotThere:
            return None

    async def _repeat(
        self,
        about: str,
        ask: Callable[[], Awaitable[_T]],
        *,
        limit_s: float | None = None,
        is_repeatable: Callable[[Ending], bool] = lambda ending: ending.is_transient,
    ) -> _T:
        """Send a request until it is answered or there is no use in trying again."""
        try:
            async for attempt in build_retrying(self.settings.call_attempts, self._sleep):
                with attempt:
                    ending, answer = await self._try(about, ask, limit_s or self.settings.call_timeout_s)
                    if ending is None:
                        return cast(_T, answer)
                    if is_repeatable(ending):
                        raise TransientFailure(ending)
                    raise self._explain(ending, about)
        except TransientFailure as failure:
            reason = failure.ending.outcome
        tries = self.settings.call_attempts
        raise ServerUnavailable(f"{about}: {tries} tries at {self.address} failed, the last: {reason}. Try again later")

    async def _try(
        self, about: str, ask: Callable[[], Awaitable[_T]], limit_s: float
    ) -> tuple[Ending | None, _T | None]:
        """Send a request once: how it failed, or the answer."""
        try:
            async with asyncio.timeout(limit_s):
                answer = await ask()
        except TimeoutError:
            return Ending("timeout", usage=None), None
        except httpx2.HTTPError:  # a file that breaks off on its way
            return Ending("connection", usage=None), None
        except AttributeError:  # so the library fails over a page where it wants a list
            return self._end_page(about), None
        except (openai.APIError, ValueError) as error:
            return self.end_without_reply(error, about), None
        return (self._end_page(about), None) if isinstance(answer, str) else (None, answer)

    def _end_page(self, about: str) -> Ending:
        problem = f"the server at {self.address} answers with a page instead of JSON when {about}"
        return Ending("page", error=ServerRefused(f"{problem}. Correct EXTRACTOR_BASE_URL (it often ends in /v1)."))

    def _explain(self, ending: Ending, about: str) -> Exception:
        if ending.status == 404 and ending.may_be_mode:
            return _NotThere(
                f"the server at {self.address} has no batch endpoints (HTTP 404 when {about}). Ask it live with "
                "`extractor run`, or set EXTRACTOR_BASE_URL to a server that takes batches."
            )
        if ending.is_transient:
            return CreationUnknown(f"{about}: {self.address} did not say how it ended ({ending.outcome})")
        return ending.error or CallError(f"{about}: {ending.outcome}")


class _NotThere(ServerRefused):
    """HTTP 404: no such thing, or no such path at all."""


def read_completion(body: object, call: Call, mode: Mode, about: str) -> Ending:
    """How a request of a batch ended that has a chat completion as its answer, judged as a live one is.

    Args:
        body: the completion as JSON data.
        call: what was asked.
        mode: the mode that the request was built for.
        about: the call, in words.
    """
    is_completion = isinstance(body, dict) and isinstance(body.get("choices"), list)
    completion = ChatCompletion.construct(**body) if is_completion else None  # type: ignore[arg-type]
    value, fault = None, None
    try:
        if completion:
            value = exchange.prepare_schema(call.schema).from_response(completion, mode=exchange.INSTRUCTOR_MODES[mode])
    except Exception as error:  # whatever instructor finds is a fault of the reply
        fault = error
    ending = exchange.judge_reply(completion, call, about, value, fault)
    return replace(ending, usage=exchange.read_usage(completion))
