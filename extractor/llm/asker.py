"""Answering calls: from the journal, else from the server, and then into the journal.

Lives here: the order journal -> budget -> server -> journal, and that the same call is never in
flight twice. Does not live here: HTTP (client), SQL (extractor.store), limits (budget). Made by
extractor.llm.session, used by the readers.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from pydantic import ValidationError

from extractor.llm.calls import BudgetReached, Call, Reply, ReplyInvalid, ReplyMissing, Usage, call_key, schema_json
from extractor.store.journal import Journal
from extractor.store.rows import Attempt, StoredReply, canonical_json
from extractor.telemetry.events import SHOWN_KEY, ReplyFound
from extractor.telemetry.watching import tell

if TYPE_CHECKING:
    from extractor.llm import endings
    from extractor.llm.client import ModelClient, Sent


class JournalAsker:
    """Answers from a journal, and asks the server for what is not in it.

    Attributes:
        client: None: nobody is asked, and a call without a reply is missing. Its `on_attempt` must be `book`.
        parameters: of sampling.
        replied: how many calls had a reply, by its origin and whether it came from the journal.
        missing: how many had none on record, where there is no server to ask.
    """

    def __init__(
        self,
        model: str,
        parameters: Mapping[str, object],
        journal: Journal,
        *,
        cost: Callable[[Usage], float | None] = lambda usage: None,
        run_id: str = "",
        keeps_requests: bool = True,
        on_missing: Callable[[str, Call], None] = lambda key, call: None,
    ) -> None:
        """Put the parts together.

        Args:
            model: name of the model, part of every key.
            parameters: sampling parameters, part of every key.
            cost: what a request costs in USD, where that is known.
            run_id: whom the attempts are booked on.
            keeps_requests: whether what was sent, with its document text, is kept beside the reply.
            on_missing: told of every call that has no reply on record, with its key.
        """
        self.model = model
        self.run_id = run_id
        self.missing = 0
        self.replied: dict[tuple[str, bool], int] = {}
        self.parameters = dict(parameters)
        self._journal = journal
        self.client: ModelClient | None = None
        self._cost = cost
        self._keeps_requests = keeps_requests
        self._on_missing = on_missing
        self._in_flight: dict[str, asyncio.Future[Reply]] = {}
        self._asked: dict[str, Call] = {}
        self._answered: dict[str, Attempt] = {}

    def key(self, call: Call) -> str:
        """The key under which a call's reply is kept."""
        return call_key(call, self.model, self.parameters)

    async def ask(self, call: Call) -> Reply:
        """Answer one call. See extractor.llm.calls.Asker."""
        key = self.key(call)
        known = self._find(key, call)
        while known is None and (other := self._in_flight.get(key)):
            try:
                return await asyncio.shield(other)
            except BudgetReached as error:
                if error.scope == "run":
                    raise
                # The limit of the document that asked first is not this one's.
        if known is None and self.client is None:
            self.missing += 1
            self._on_missing(key, call)
            raise ReplyMissing(f"no reply is recorded for task {call.task} (key {key[:12]})")
        reply = known or await self._ask_server(key, call)
        if reply.is_cached:
            tell(ReplyFound(call.document_id, call.task, key[:SHOWN_KEY]))
        kind = (reply.origin, reply.is_cached)
        self.replied[kind] = self.replied.get(kind, 0) + 1
        return reply

    def _find(self, key: str, call: Call) -> Reply | None:
        stored = self._journal.find(key)
        if stored is None:
            return None
        try:
            value = call.schema.model_validate_json(stored.reply)
        except ValidationError as error:  # only hands and broken disks write such: nothing is paid again for it
            raise ReplyInvalid(f"the recorded reply {key[:12]} does not fit {call.schema.__name__}") from error
        usage = Usage(stored.input_tokens, stored.output_tokens, stored.cached_tokens, stored.is_estimated)
        return Reply(key, value, usage, stored.origin, is_cached=True)

    async def _ask_server(self, key: str, call: Call) -> Reply:
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._in_flight[key] = future
        try:
            reply = await self._send(key, call)
        except BaseException as error:
            future.set_exception(error if isinstance(error, Exception) else ReplyMissing("the call was given up"))
            future.exception()  # whoever waits gets it; nobody waiting is no fault
            raise
        else:
            future.set_result(reply)
            return reply
        finally:
            del self._in_flight[key]

    async def _send(self, key: str, call: Call) -> Reply:
        if self.client is None:
            raise ReplyMissing(f"no server to ask for task {call.task}")
        self._asked[key] = call
        try:
            sent = await self.client.send(call, key, partial(self._keep, key, call))
        finally:
            del self._asked[key]
            self._answered.pop(key, None)
        return Reply(key, sent.value, sent.usage, "live")

    async def _keep(self, key: str, call: Call, sent: Sent) -> None:
        """Into the journal, while the call still counts as under way: so no more than these can be lost at once."""
        stored = StoredReply(
            key=key,
            task=call.task,
            model=self.model,
            parameters=self.parameters,
            prompt_version=call.prompt_version,
            schema_hash=hashlib.sha256(schema_json(call.schema).encode()).hexdigest(),
            reply=canonical_json(sent.value.model_dump(mode="json")),
            origin="live",
            request=canonical_json({"system": call.system, "user": call.user}) if self._keeps_requests else None,
            mode=sent.mode,
            input_tokens=sent.usage.input_tokens,
            output_tokens=sent.usage.output_tokens,
            cached_tokens=sent.usage.cached_tokens,
            is_estimated=sent.usage.is_estimated,
            cost_usd=self._cost(sent.usage),
        )
        # In a thread: another process may be writing to the same database just now.
        if answered := self._answered.pop(key, None):
            await asyncio.to_thread(self._journal.record, stored, answered)
        else:
            await asyncio.to_thread(self._journal.add, stored)

    def book(self, key: str, end: endings.Attempt) -> None:
        """Keep a request in the journal; it may have been paid for, whatever came of it.

        The one that gave the reply is kept together with it.
        """
        call = self._asked[key]
        attempt = Attempt(
            key=key,
            run_id=self.run_id,
            document_id=call.document_id,
            task=call.task,
            model=self.model,
            outcome=end.outcome,
            input_tokens=end.usage.input_tokens,
            output_tokens=end.usage.output_tokens,
            cached_tokens=end.usage.cached_tokens,
            is_estimated=end.usage.is_estimated,
            cost_usd=self._cost(end.usage),
            seconds=end.seconds,
            mode=end.mode,
        )
        if end.outcome == "ok":
            self._answered[key] = attempt
        else:
            self._journal.add_attempt(attempt)
