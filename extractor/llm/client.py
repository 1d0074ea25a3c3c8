"""The model client: one call in, one validated reply out, whatever the server does in between.

Lives here: the order of things around one request (retry, mode, circuit, rates, slots, budget). Does
not live here: those things themselves (modules of these names), the request (exchange), the journal
that stands before the client. Called by whoever answers calls live.

Making a client loads openai, instructor and tenacity; importing this module does not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import BaseModel

from extractor.errors import SettingsError
from extractor.llm.budget import Budget, Reservation
from extractor.llm.calls import Call, CallError, ServerUnavailable, Usage, sampling_parameters
from extractor.llm.circuit import Circuit
from extractor.llm.endings import Attempt, Ending
from extractor.llm.limits import Rates, Slots, bound_input, estimate_tokens
from extractor.llm.modes import Dialect, ModeChoice
from extractor.llm.refusals import say_address
from extractor.llm.request import Mode, build_body
from extractor.settings import Settings
from extractor.telemetry.events import (
    SHOWN_KEY,
    Answer,
    CallEnded,
    CallRetried,
    RateLowered,
    Server,
    ServerBack,
    ServerDown,
)
from extractor.telemetry.watching import tell

if TYPE_CHECKING:
    from extractor.llm.retries import Sleep

__all__ = ["Attempt", "ModelClient", "Sent"]


# The caller was cancelled while the server may have been working.
_GIVEN_UP = Ending("given-up", usage=None)


@dataclass(frozen=True, slots=True)
class Sent:
    """A validated reply, and the request that gave it."""

    value: BaseModel
    attempt: Attempt

    @property
    def usage(self) -> Usage:
        """What the request cost."""
        return self.attempt.usage

    @property
    def mode(self) -> str:
        """How the server was made to keep to the schema."""
        return self.attempt.mode


#: What is done with a reply before the next call goes.
Keep = Callable[[Sent], Awaitable[None]]


async def _keep_nothing(_: Sent) -> None:
    """Nobody keeps it."""


def _ignore(*_: object) -> None:
    """Nobody listens."""


def _name_server(settings: Settings) -> Server:
    address = urlsplit(settings.base_url)
    port = address.port or (80 if address.scheme == "http" else 443)
    return Server(settings.model or "", address.hostname or "", port, settings.temperature)


def _tell_retry(call: Call, key: str, reason: str, tries: int, wait_s: float) -> None:
    tell(CallRetried(call.document_id, call.task, key[:SHOWN_KEY], reason, tries, wait_s))


class ModelClient:
    """Sends calls to one model on one server. It belongs to one event loop.

    Attributes:
        parameters: what goes into the key of a call beside the model (see calls.call_key).
    """

    def __init__(
        self,
        settings: Settings,
        *,
        budget: Budget | None = None,
        on_attempt: Callable[[str, Attempt], None] = _ignore,
        on_notice: Callable[[str], None] = _ignore,
        sleep: Sleep = asyncio.sleep,
        circuit: Circuit | None = None,
        rates: Rates | None = None,
    ) -> None:
        """Set up a client; nothing is sent yet.

        Args:
            settings: model, server, key, limits.
            budget: every request reserves its worst case from it before it is sent; None: no limit.
            on_attempt: told of every request with the call's key, failed ones too: they are paid.
            on_notice: told what the operator should know, each thing once.
            sleep: what waits between two tries of a call.
            circuit: when calls fail at once; the default suits a server that is asked by many calls.
            rates: when calls may go; the limits of the settings, kept in this process, where none are given.

        Raises:
            SettingsError: model, address or key cannot be used.
        """
        from extractor.llm import exchange, retries  # noqa: PLC0415 - half a second that runs without a model spare

        self._loop: asyncio.AbstractEventLoop | None = None
        if not settings.model:
            raise SettingsError("no model to ask. Set EXTRACTOR_MODEL.")
        self._model = settings.model
        self._settings = settings
        self._budget = budget
        self._on_attempt = on_attempt
        self._on_notice = on_notice
        self._sleep = sleep
        self._retries = retries
        self._exchange = exchange.Exchange(settings)
        self._circuit = circuit or Circuit()
        self._rates = rates or Rates(settings.requests_per_minute, settings.tokens_per_minute)
        self._slots = Slots(settings.concurrency, on_notice)
        self._modes = ModeChoice(settings.reply_mode, on_notice)
        sampling = sampling_parameters(settings)
        self.parameters: Mapping[str, object] = MappingProxyType(sampling)
        self._dialect = Dialect(sampling, on_notice)
        self._server = _name_server(settings)

    @property
    def calls_in_flight(self) -> int:
        """Requests that wait for their reply."""
        return self._slots.busy

    @property
    def reply_mode(self) -> Mode | None:
        """How the server keeps to the schema, where that is known."""
        return self._modes.chosen

    async def aclose(self) -> None:
        """Close the connections."""
        await self._exchange.aclose()

    async def send(self, call: Call, key: str, keep: Keep = _keep_nothing) -> Sent:
        """Send a call until it is answered or there is no use in trying again.

        Args:
            keep: what is done with the reply while the call still counts as under way.

        Raises:
            ReplyTruncated, ReplyRefused, ReplyFiltered, ReplyInvalid: there is a reply, but none to use.
            ServerUnavailable: the server could not be reached, kept failing, or the circuit is open.
            CallError: the server refuses this call.
            ServerRefused: the server refuses every call alike.
            BudgetReached: the next request might go over a limit.
        """
        self._stay_in_loop()
        try:
            async for attempt in self._retries.build_retrying(
                self._settings.call_attempts, self._sleep, partial(_tell_retry, call, key)
            ):
                with attempt:
                    return await self._try(call, key, keep)
        except self._retries.TransientFailure as failure:
            reason = failure.ending.outcome
        tries = self._settings.call_attempts
        address = say_address(self._settings.base_url)
        raise ServerUnavailable(f"{call.task}, call {key[:12]}: {tries} tries at {address} failed, the last: {reason}")

    async def _try(self, call: Call, key: str, keep: Keep) -> Sent:
        ending, attempt = await self._modes.ask(lambda mode: self._request(call, key, mode, keep))
        if ending.is_transient:
            raise self._retries.TransientFailure(ending)
        if ending.value is None:
            raise ending.error or CallError(f"{call.task}, call {key[:12]}: {ending.outcome}")
        return Sent(ending.value, attempt)

    async def _request(self, call: Call, key: str, mode: Mode, keep: Keep) -> tuple[Ending, Attempt]:
        """One request, sent again at once where the server only minds a parameter."""
        while True:
            parameters = self._dialect.say(call.max_output_tokens)
            body = build_body(call, mode, model=self._model, parameters=parameters)
            ending, attempt = await self._request_in_turn(call, key, mode, body, keep=keep)
            if not self._dialect.adapt(ending, parameters):
                return ending, attempt

    async def _request_in_turn(
        self, call: Call, key: str, mode: Mode, body: Mapping[str, object], *, keep: Keep
    ) -> tuple[Ending, Attempt]:
        """One request, when circuit, rates and slots let it go."""
        tokens = estimate_tokens(call)
        self._circuit.check()
        await self._rates.wait(tokens)
        async with self._slots.hold() as cuts:
            self._circuit.enter()
            try:
                ending, attempt = await self._request_paid(call, key, mode, body)
            except BaseException:
                self._circuit.record_nothing()
                raise
            self._learn(ending, cuts)
            if ending.value is not None:
                await keep(Sent(ending.value, attempt))
        self._rates.settle(tokens, attempt.usage)
        return ending, attempt

    async def _request_paid(
        self, call: Call, key: str, mode: Mode, body: Mapping[str, object]
    ) -> tuple[Ending, Attempt]:
        """One request, accounted for however it ends."""
        reservation = await self._reserve(call)
        ending, began = _GIVEN_UP, time.perf_counter()
        try:
            ending = await self._exchange.request(call, key, mode, body)
        finally:
            usage = self._settle(reservation, ending.usage)
            attempt = Attempt(ending.outcome, usage, time.perf_counter() - began, mode)
            self._on_attempt(key, attempt)
            self._tell(call, key, attempt, ending.answer)
        return ending, attempt

    async def _reserve(self, call: Call) -> Reservation | None:
        """Hold the worst case, with the slot already held: what holds money is in flight and will give it back."""
        if self._budget is None:
            return None
        return await self._budget.wait_and_reserve(call.document_id, bound_input(call), call.max_output_tokens)

    def _settle(self, reservation: Reservation | None, usage: Usage | None) -> Usage:
        """What a request is counted at. Where the server did not say, that is all that was reserved for it."""
        if self._budget is not None and reservation is not None:
            return self._budget.settle(reservation, usage)
        return Usage(is_estimated=True) if usage is None else usage

    def _learn(self, ending: Ending, cuts: int) -> None:
        """What one ending says about the server."""
        if ending.outcome == "http-429" and ending.is_transient:
            before = self._slots.limit
            self._slots.cut(cuts)
            if self._slots.limit < before:
                tell(RateLowered(self._slots.limit))
        elif not ending.is_outage:
            self._slots.raise_slowly()
        if ending.is_outage:
            if self._circuit.record_failure(ending.outcome):
                self._on_notice(f"The server does not work (last: {ending.outcome}). Calls fail until it does.")
                tell(ServerDown(ending.outcome))
        elif self._circuit.record_success():
            self._on_notice("The server works again.")
            tell(ServerBack())

    def _tell(self, call: Call, key: str, attempt: Attempt, answer: Answer) -> None:
        usage = attempt.usage
        ended = CallEnded(
            document_id=call.document_id,
            task=call.task,
            key=key[:SHOWN_KEY],
            server=self._server,
            outcome=attempt.outcome,
            mode=attempt.mode,
            seconds=attempt.seconds,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.cached_tokens,
            is_estimated=usage.is_estimated,
            usd=self._budget.cost(usage) if self._budget else None,
            max_tokens=call.max_output_tokens,
            answer=answer,
        )
        tell(ended)

    def _stay_in_loop(self) -> None:
        """Connections and locks are bound to a loop; in another one every call would look like a lost connection."""
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        if self._loop is not loop:
            raise RuntimeError("this client has sent in another event loop: make one client a loop")
