"""Limits of one run whose calls are sent from many machines: the same promises as in one process.

The pace and the run's budget are kept in the database that all of them share (extractor.store.quota); what a document
may spend is counted here, because a document is at one machine at a time. Nobody pays a round trip for each call: all
who wait here while one is under way go with the next one.

Lives here: grouping and waiting. Does not live here: the statements (extractor.store.quota), the limits of one process
(budget, limits), whose places these take. Made by extractor.bulk.cluster, handed to session.open_live.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import NamedTuple
from uuid import uuid4

from extractor.errors import ExtractorError, StoreError
from extractor.llm.budget import Budget, Limits, Reservation
from extractor.llm.calls import BudgetReached, Usage
from extractor.llm.limits import Rates
from extractor.settings import Price, Settings
from extractor.store.quota import PICO, Amount, Pace, Quota

# So much of a minute's amount may go ahead of its time; the pace is slower by as much, so that no minute has more.
_AHEAD_S = 1.0
_TOKENS_AHEAD_S = 2.0
_NOTHING = Amount()
# Others may give back at any time, and nobody tells.
_LOOK_AGAIN_S = 0.25


@dataclass(frozen=True, slots=True)
class SharedLimits:
    """Where the limits of a run are kept, and for which part of it calls are sent here.

    Attributes:
        quota: the database. It is not closed.
        run_id: of the run.
        task: the part that is worked on here; one place at a time works on it.
        has_purse: whether the run's spending is limited.
    """

    quota: Quota
    run_id: str
    task: str
    has_purse: bool

    def make_budget(self, document: Limits, price: Price | None, settings: Settings) -> Budget:
        """The budget of the calls that are sent here.

        Raises:
            StoreError: the run has no purse in this database.
        """
        if not self.has_purse:
            return Budget(Limits(), document, price, model=settings.model or "")
        till = _Till(self.quota, self.run_id, self.task, silent_s=2 * settings.call_timeout_s)
        return SharedBudget(till, document, price, model=settings.model or "")

    def make_rates(self, settings: Settings) -> Rates:
        """When these calls may go."""
        if settings.requests_per_minute is None and settings.tokens_per_minute is None:
            return Rates(None, None)
        return SharedRates(self.quota, settings)


# ---------------------------------------------------------------- requests and tokens a minute


class SharedRates(Rates):
    """The pace of a model on a server, over all machines that ask it by this database, whatever their run."""

    def __init__(self, quota: Quota, settings: Settings) -> None:
        super().__init__(None, None)
        self._advance = quota.advance
        self._server, self._model = settings.base_url, settings.model or ""
        requests, tokens = settings.requests_per_minute, settings.tokens_per_minute
        self._request_s = 0.0 if requests is None else (60 + _AHEAD_S) / requests
        self._token_s = 0.0 if tokens is None else (60 + _TOKENS_AHEAD_S) / tokens
        self._most = 1 if requests is None else 1 + int(_AHEAD_S / self._request_s)
        self._most_tokens = math.inf if tokens is None else _TOKENS_AHEAD_S / self._token_s
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._pump: asyncio.Task[None] | None = None

    async def wait(self, tokens: int) -> None:
        """See Rates.wait."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((tokens, turn))
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._grant())
        await turn

    def settle(self, tokens: int, usage: Usage) -> None:
        """See Rates.settle."""
        if self._token_s and usage.input_tokens:
            self._debt += usage.input_tokens + usage.output_tokens - tokens

    async def _grant(self) -> None:
        while self._waiting:
            block = self._take()
            turns = [turn for _, turn in block]
            owed = sum(tokens for tokens, _ in block) + self._debt
            self._debt = 0.0
            requests = Pace(self._request_s * len(block), self._request_s + _AHEAD_S if self._request_s else 0.0)
            needed = Pace(self._token_s * owed, _TOKENS_AHEAD_S if self._token_s else 0.0)
            try:
                wait_s = await asyncio.to_thread(self._advance, self._server, self._model, requests, needed)
                await asyncio.sleep(max(0.0, wait_s))
            except ExtractorError as error:
                _end(turns, error)
            else:
                _end(turns, None)

    def _take(self) -> list[tuple[int, asyncio.Future[None]]]:
        """Those who wait, as many as may go at once."""
        block = [self._waiting.popleft()]
        tokens = block[0][0]
        while self._waiting and len(block) < self._most and tokens + self._waiting[0][0] <= self._most_tokens:
            block.append(self._waiting.popleft())
            tokens += block[-1][0]
        return block


# ---------------------------------------------------------------- what the run may spend


class SharedBudget(Budget):
    """A budget whose run is limited over all machines. The limits of documents are kept here."""

    def __init__(self, till: _Till, document: Limits, price: Price | None, *, model: str) -> None:
        super().__init__(Limits(), document, price, model=model)
        self._till = till

    def stop(self, reason: str) -> None:
        """See Budget.stop."""
        super().stop(reason)
        self._till.stop(BudgetReached(reason, "run"))

    async def wait_and_reserve(self, document_id: str, input_tokens: int, max_output_tokens: int) -> Reservation:
        """See Budget.wait_and_reserve."""
        need = self._need(Usage(input_tokens, max_output_tokens))
        await self._till.hold(need)
        try:
            return await super().wait_and_reserve(document_id, input_tokens, max_output_tokens)
        except BaseException:
            self._till.settle(need, _NOTHING)
            raise

    def settle(self, reservation: Reservation, usage: Usage | None) -> Usage:
        """See Budget.settle. The others learn of it with the next statement."""
        charged = super().settle(reservation, usage)
        held = self._need(Usage(reservation.input_tokens, reservation.max_output_tokens))
        self._till.settle(held, self._need(charged))
        return charged

    async def aclose(self) -> None:
        """Tell what is left to tell; what is held then is charged."""
        await self._till.aclose()

    def _need(self, usage: Usage) -> Amount:
        usd = Decimal(str(self.cost(usage) or 0))
        return Amount(1, usage.input_tokens + usage.output_tokens, math.ceil(usd * PICO))


class _Want(NamedTuple):
    """A request that waits until its worst case is held."""

    amount: Amount
    turn: asyncio.Future[None]


class _Till:
    """Holding and settling in the run's purse, many requests in one statement."""

    def __init__(self, quota: Quota, run_id: str, task: str, *, silent_s: float) -> None:
        """Take the task over, at once."""
        self._quota = quota
        self._run_id, self._task, self._holder = run_id, task, uuid4().hex
        self._silent_s = silent_s
        self._back = self._used = _NOTHING
        self._waiting: deque[_Want] = deque()
        self._news = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._stopped: ExtractorError | None = None
        quota.enter(run_id, task, self._holder)

    async def hold(self, amount: Amount) -> None:
        """Hold what a request may use; waits while only what others hold stands in the way.

        Raises:
            BudgetReached: with what is used already, it might go over a limit.
            Ousted: another machine works on the task.
            StoreError: the database is away.
        """
        if self._stopped:
            raise self._stopped
        want = _Want(amount, asyncio.get_running_loop().create_future())
        self._waiting.append(want)
        self._wake()
        try:
            await want.turn
        except asyncio.CancelledError:
            if not want.turn.cancelled():  # granted in the same moment
                self.settle(amount, _NOTHING)
            raise

    def settle(self, back: Amount, used: Amount) -> None:
        """Give back what was held, and count what was used."""
        self._back, self._used = self._back.plus(back), self._used.plus(used)
        self._wake()

    def stop(self, error: ExtractorError) -> None:
        """Let nobody hold anything more."""
        self._stopped = self._stopped or error
        _end((want.turn for want in self._waiting), self._stopped)
        self._waiting.clear()

    async def aclose(self) -> None:
        """Settle what is left, and leave the task. A database that is away ends it all the same."""
        while self._pump and not self._pump.done():
            await asyncio.wait([self._pump])
        if not isinstance(self._stopped, StoreError):
            await asyncio.to_thread(self._quota.leave, self._run_id, self._task, self._holder)

    def _wake(self) -> None:
        self._news.set()
        if self._pump is None or self._pump.done():
            self._pump = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        try:
            while (self._waiting or self._back != _NOTHING) and not isinstance(self._stopped, StoreError):
                self._news.clear()
                if await self._move(list(self._waiting)):
                    continue
                await self._move([])  # what was used counts in any case
                while self._waiting and await self._move([self._waiting[0]]):
                    pass
                if self._waiting:  # first come, first served: who needs less does not overtake
                    await self._refuse_or_wait(self._waiting[0])
        except StoreError as error:
            self.stop(error)

    async def _move(self, wants: Sequence[_Want]) -> bool:
        """Tell what there is to tell, and hold for the first of those who wait: all of it, or nothing."""
        back, used, total = self._back, self._used, _NOTHING
        for want in wants:
            total = total.plus(want.amount)
        move = partial(self._quota.move, self._run_id, self._task, self._holder, back=back, used=used, want=total)
        if not await asyncio.to_thread(move):
            return False
        self._back, self._used = self._back.minus(back), self._used.minus(used)
        for want in wants:
            if self._waiting and self._waiting[0] is want:
                self._waiting.popleft()
            if want.turn.done():  # given up meanwhile
                self._back = self._back.plus(want.amount)
            else:
                want.turn.set_result(None)
        return True

    async def _refuse_or_wait(self, want: _Want) -> None:
        purse = await asyncio.to_thread(self._quota.read_purse, self._run_id)
        if words := purse.broken_limit(want.amount):
            self._waiting.remove(want) if want in self._waiting else None
            error = BudgetReached(f"{words}. Raise the limit; replies that are kept are not paid again.", "run")
            _end([want.turn], error)
            return
        await asyncio.to_thread(self._quota.charge_silent, self._run_id, self._silent_s)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), _LOOK_AGAIN_S)


def _end(turns: Iterable[asyncio.Future[None]], error: ExtractorError | None) -> None:
    for turn in turns:
        if turn.done():
            continue
        if error is None:
            turn.set_result(None)
        else:
            turn.set_exception(error)
