"""How fast a server may be asked: calls in flight, requests and tokens a minute.

Lives here: waiting until a call may go. Does not live here: retries, the circuit. Called by the
client. Everything here belongs to one event loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import lru_cache

from aiolimiter import AsyncLimiter
from pydantic import BaseModel

from extractor.llm.calls import Call, Usage, schema_json
from extractor.llm.tokens import bound_image_tokens, bound_tokens, count_image_tokens

#: A minute's amount is spread: at most this part of it may go at once.
_BURST_SHARE = 0.1
# What a server adds around the messages, and our sentence about the schema.
_MOST_OVERHEAD = 100


class Slots:
    """Calls in flight. A refusal for going too fast halves their number, success raises it slowly again."""

    def __init__(self, most: int, on_notice: Callable[[str], None]) -> None:
        self._most = most
        self._on_notice = on_notice
        self._share = float(most)
        self._lowest = most
        self._busy = 0
        self._cuts = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def busy(self) -> int:
        """How many calls are in flight."""
        return self._busy

    @property
    def limit(self) -> int:
        """How many calls may be in flight now."""
        return int(self._share)

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[int]:
        """Hold one slot, in order of asking. Gives the number of cuts so far, for cut()."""
        await self._acquire()
        try:
            yield self._cuts
        finally:
            self._busy -= 1
            self._grant()

    async def _acquire(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._grant()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # granted in the same moment
                self._busy -= 1
                self._grant()
            raise

    def _grant(self) -> None:
        while self._waiting and self._busy < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self._busy += 1
                turn.set_result(None)

    def raise_slowly(self) -> None:
        """A call went well: one more in flight after as many good calls as are in flight."""
        self._share = min(float(self._most), self._share + 1 / self._share)
        self._grant()

    def cut(self, cuts_at_start: int) -> None:
        """A call was refused for going too fast. Those that began before the last cut say nothing new."""
        if cuts_at_start != self._cuts:
            return
        self._cuts += 1
        self._share = max(1.0, self._share / 2)
        if self.limit < self._lowest:
            self._lowest = self.limit
            self._on_notice(f"The server says 429: calls in flight are lowered to {self.limit} for now.")


class Rates:
    """Requests and tokens a minute. Calls wait in order of asking: big ones must not starve behind small ones."""

    def __init__(self, requests_per_minute: int | None, tokens_per_minute: int | None) -> None:
        self._requests = _make_limiter(requests_per_minute)
        self._tokens = _make_limiter(tokens_per_minute)
        self._debt = 0.0
        self._turn = asyncio.Lock()

    async def wait(self, tokens: int) -> None:
        """Wait until one more request of about so many tokens may go."""
        if self._requests is None and self._tokens is None:
            return
        async with self._turn:
            if self._requests is not None:
                await self._requests.acquire()
            if self._tokens is not None:
                owed = tokens + self._debt
                self._debt = min(owed, 0.0)
                await _acquire_in_parts(self._tokens, owed)

    def settle(self, tokens: int, usage: Usage) -> None:
        """Put right what wait() was told: what a call used more or less counts with the next ones."""
        if self._tokens is not None and usage.input_tokens:
            self._debt += usage.input_tokens + usage.output_tokens - tokens


def estimate_tokens(call: Call) -> int:
    """About what a call will use: no text has more tokens than characters, few replies are half as long as allowed."""
    images = sum(count_image_tokens(image.data) for image in call.images)
    return len(call.system) + len(call.user) + images + call.max_output_tokens // 2


def bound_input(call: Call) -> int:
    """At least as many tokens as the server will count for what is sent, however it is told the schema."""
    images = sum(bound_image_tokens(image.data) for image in call.images)
    return bound_tokens(call.system) + bound_tokens(call.user) + _bound_schema(call.schema) + images


@lru_cache(maxsize=64)
def _bound_schema(schema: type[BaseModel]) -> int:
    return bound_tokens(schema_json(schema)) + _MOST_OVERHEAD


def _make_limiter(per_minute: int | None) -> AsyncLimiter | None:
    if per_minute is None:
        return None
    # aiolimiter lets a full bucket go at once and drips beside it: a bucket of a minute's amount
    # would let twice that through in the first minute.
    bucket = max(1.0, per_minute * _BURST_SHARE)
    return AsyncLimiter(bucket, 60 * bucket / per_minute)


async def _acquire_in_parts(limiter: AsyncLimiter, amount: float) -> None:
    """Acquire any amount: the limiter refuses those over its bucket."""
    while amount > 0:
        await limiter.acquire(min(amount, limiter.max_rate))
        amount -= limiter.max_rate
