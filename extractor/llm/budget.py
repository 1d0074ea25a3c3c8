"""The budget: what a run and each document may spend, held before a request is sent.

Every HTTP request that may be billed reserves its worst case first and settles with what it really
used. A retry reserves again: the failed request may have been billed itself, and one reservation for
all attempts would hold six times the money of which one part is needed. Nothing is held while a
retry waits. So what is settled and what is reserved never exceed a limit together, as long as a
request uses no more than it reserved.

Lives here: limits, reservations, cost in USD. Does not live here: how tokens are counted (tokens)
and what a refused call means (readers). Used by the client and the batch, in one event loop.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from extractor.errors import SettingsError
from extractor.llm.calls import BudgetReached, Usage
from extractor.settings import Price
from extractor.store.rows import Spent
from extractor.telemetry.events import LimitReached
from extractor.telemetry.watching import tell

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be spent at most. None: no limit. Tokens are input and output together."""

    max_usd: float | None = None
    max_tokens: int | None = None
    max_calls: int | None = None

    def __post_init__(self) -> None:
        for name in ("max_usd", "max_tokens", "max_calls"):
            limit = getattr(self, name)
            if limit is not None and not (math.isfinite(limit) and limit >= 0):
                raise SettingsError(f"{name}: {limit} is no limit. Give a number from 0 up, or leave it out.")


@dataclass(frozen=True, slots=True, eq=False)
class Reservation:
    """The worst case of one request (or several), held until it is settled."""

    document_id: str
    calls: int
    input_tokens: int
    max_output_tokens: int


def cost_usd(usage: Usage, price: Price, *, is_batch: bool = False) -> float:
    """What a request costs, in USD. Cached tokens are part of the input tokens."""
    return float(_cost(usage, price, is_batch=is_batch))


def _cost(usage: Usage, price: Price, *, is_batch: bool) -> Decimal:
    """Exact, so that what is reserved and given back many times comes out at 0."""
    cached = min(usage.cached_tokens, usage.input_tokens)
    cached_price = price.input if price.cached_input is None else price.cached_input
    million = (
        (usage.input_tokens - cached) * Decimal(str(price.input))
        + cached * Decimal(str(cached_price))
        + usage.output_tokens * Decimal(str(price.output))
    )
    return million * Decimal(str(price.batch_share if is_batch else 1)) / _MILLION


@dataclass(frozen=True, slots=True)
class _Amount:
    """Calls, tokens and USD of some requests together."""

    calls: int = 0
    tokens: int = 0
    usd: Decimal = Decimal(0)

    def __add__(self, other: _Amount) -> _Amount:
        return _Amount(self.calls + other.calls, self.tokens + other.tokens, self.usd + other.usd)

    def __sub__(self, other: _Amount) -> _Amount:
        return _Amount(self.calls - other.calls, self.tokens - other.tokens, self.usd - other.usd)


class _Account:
    """What one payer, a document or the run, has used and holds."""

    def __init__(self, scope: Literal["document", "run"], name: str, limits: Limits) -> None:
        self.scope, self.name = scope, name
        max_usd = None if limits.max_usd is None else Decimal(str(limits.max_usd))
        self._limits = {"calls": limits.max_calls, "tokens": limits.max_tokens, "usd": max_usd}
        self.settled = _Amount()
        self.held = _Amount()

    def broken_limit(self, need: _Amount, *, with_held: bool) -> str | None:
        """The limit that `need` would go over, in words."""
        total = self.settled + need + self.held if with_held else self.settled + need
        for name, limit in self._limits.items():
            if limit is not None and getattr(total, name) > limit:
                used, held, wanted = (getattr(amount, name) for amount in (self.settled, self.held, need))
                return f"max_{name} of {self.name} is {limit}: {used} used, {held} held, up to {wanted} needed"
        return None


class Budget:
    """The limits of a run and of each of its documents. Belongs to one event loop."""

    def __init__(
        self, run: Limits, document: Limits, price: Price | None, *, model: str = "MODEL", is_batch: bool = False
    ) -> None:
        """Take the limits.

        Args:
            run: what all calls together may spend.
            document: what the calls of any one document may spend.
            price: what the model costs; None where it is not known.
            model: the model's name, for messages.
            is_batch: whether requests cost the share of a batch.

        Raises:
            SettingsError: USD are limited but the price is not known.
        """
        if price is None and (run.max_usd is not None or document.max_usd is not None):
            problem = f"a limit in USD needs the price of {model}, which is not set"
            raise SettingsError(
                f'{problem}. Add [prices."{model}"] with input and output (USD for a million tokens) to extractor.toml.'
            )
        self._price, self._is_batch = price, is_batch
        self._document_limits = document
        self._run = _Account("run", "the run", run)
        self._documents: dict[str, _Account] = {}
        self._held: dict[Reservation, _Amount] = {}
        self._used = Usage()
        self._settlement = asyncio.Event()
        self._stopped: str | None = None

    def stop(self, reason: str) -> None:
        """Let nothing more be sent; what is under way is settled as usual."""
        self._stopped = reason
        self._wake()

    @property
    def spent(self) -> Spent:
        """What all settled requests of the run used."""
        used, calls = self._used, self._run.settled.calls
        unpriced = calls if self._price is None else 0
        cost = float(self._run.settled.usd)
        return Spent(calls, used.input_tokens, used.output_tokens, used.cached_tokens, cost, unpriced)

    def cost(self, usage: Usage) -> float | None:
        """What a request costs at this budget's price, in USD; None where the price is not known."""
        return None if self._price is None else cost_usd(usage, self._price, is_batch=self._is_batch)

    def reserve(self, document_id: str, input_tokens: int, max_output_tokens: int, *, calls: int = 1) -> Reservation:
        """Hold the worst case of a request that is about to be sent.

        Args:
            document_id: who pays.
            input_tokens: no fewer than the server will count.
            max_output_tokens: the limit that is sent along.
            calls: how many requests the tokens are for.

        Raises:
            BudgetReached: with what is used and held, it might go over a limit.
        """
        reservation = Reservation(document_id, calls, input_tokens, max_output_tokens)
        self._refuse(reservation, with_held=True)
        return self._hold(reservation)

    async def wait_and_reserve(self, document_id: str, input_tokens: int, max_output_tokens: int) -> Reservation:
        """The same, but wait while only what other requests hold stands in the way.

        Most requests use far less than they hold, so a limit is reached later, and which calls get
        a reply depends less on how they happen to overlap.

        Raises:
            BudgetReached: with what is used already, it might go over a limit.
        """
        reservation = Reservation(document_id, 1, input_tokens, max_output_tokens)
        while True:
            self._refuse(reservation, with_held=False)
            if not self._find_broken(reservation, with_held=True):
                return self._hold(reservation)
            await self._settlement.wait()  # whatever stands in the way is held, so it will be settled

    def settle(self, reservation: Reservation, usage: Usage | None) -> Usage:
        """Replace what is held by what was used.

        Args:
            reservation: what was held; it can be settled once.
            usage: what the server reported; `Usage()` when nothing was sent (no connection); None
                when the server did not say, or may have worked without our knowing (time-out).

        Returns:
            What was charged: `usage`, or the whole reservation marked as estimated.
        """
        amount = self._held.pop(reservation)
        if usage is None:
            usage = Usage(reservation.input_tokens, reservation.max_output_tokens, is_estimated=True)
        used = self._amount(usage, reservation.calls)
        for account in self._accounts(reservation.document_id):
            account.held -= amount
            account.settled += used
        self._used += usage
        self._wake()
        return usage

    async def aclose(self) -> None:
        """Nothing more will be reserved or settled."""

    def _wake(self) -> None:
        self._settlement.set()  # all who wait; those who come later wait for the next one
        self._settlement = asyncio.Event()

    def _hold(self, reservation: Reservation) -> Reservation:
        amount = self._worst_case(reservation)
        for account in self._accounts(reservation.document_id):
            account.held += amount
        self._held[reservation] = amount
        return reservation

    def _refuse(self, reservation: Reservation, *, with_held: bool) -> None:
        if self._stopped:
            raise BudgetReached(self._stopped, "run")
        broken = self._find_broken(reservation, with_held=with_held)
        if broken:
            account, words = broken
            tell(LimitReached(account.scope, reservation.document_id))
            raise BudgetReached(f"{words}. Raise the limit; replies that are kept are not paid again.", account.scope)

    def _find_broken(self, reservation: Reservation, *, with_held: bool) -> tuple[_Account, str] | None:
        need = self._worst_case(reservation)
        for account in self._accounts(reservation.document_id):
            if words := account.broken_limit(need, with_held=with_held):
                return account, words
        return None

    def _worst_case(self, reservation: Reservation) -> _Amount:
        return self._amount(Usage(reservation.input_tokens, reservation.max_output_tokens), reservation.calls)

    def _amount(self, usage: Usage, calls: int) -> _Amount:
        usd = Decimal(0) if self._price is None else _cost(usage, self._price, is_batch=self._is_batch)
        return _Amount(calls, usage.input_tokens + usage.output_tokens, usd)

    def _accounts(self, document_id: str) -> tuple[_Account, ...]:
        """Who pays; the run first, because a run at its end needs no look at its documents."""
        if self._document_limits == Limits():
            return (self._run,)
        account = self._documents.get(document_id)
        if account is None:
            account = _Account("document", f"document {document_id}", self._document_limits)
            self._documents[document_id] = account
        return self._run, account
