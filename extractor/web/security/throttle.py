"""Limits on how often something may be tried.

A bucket of tokens for requests, a count of failures for logins, seats for what takes long. In memory, of one process:
`extractor serve` is one. An exact bucket is twenty lines; the libraries at hand bring a storage layer and asynchronous
waiting that nobody here wants. Called by door, logins and service.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from extractor.web.problems import Problem

Clock = Callable[[], float]


class Buckets:
    """One bucket for each who asks: `per_minute` tokens, filled evenly; every request takes one."""

    def __init__(self, per_minute: int, clock: Clock = time.monotonic, most: int = 10_000) -> None:
        self._capacity = float(per_minute)
        self._rate = per_minute / 60
        self._clock = clock
        self._most = most
        self._levels: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, who: Hashable) -> float:
        """Take a token.

        Returns:
            0 when there was one, else the seconds until there will be.
        """
        with self._lock:
            now = self._clock()
            level, since = self._levels.pop(who, (self._capacity, now))
            level = min(self._capacity, level + (now - since) * self._rate)
            is_granted = level >= 1
            self._levels[who] = (level - 1 if is_granted else level, now)
            while len(self._levels) > self._most:  # the one who has been away longest has the fullest bucket
                self._levels.popitem(last=False)
            return 0.0 if is_granted else (1 - level) / self._rate


class Failures:
    """Counts failed tries by whoever tries, and says how long to wait after too many of them.

    Args:
        allowed: tries that cost nothing.
        first_wait_s: the wait after one more; it doubles with each.
        longest_wait_s: and no longer than this. Failures are forgotten after as long a rest.
    """

    def __init__(
        self,
        allowed: int,
        first_wait_s: float = 2.0,
        longest_wait_s: float = 900.0,
        clock: Clock = time.monotonic,
        most: int = 10_000,
    ) -> None:
        self._allowed = allowed
        self._first_wait_s = first_wait_s
        self._longest_wait_s = longest_wait_s
        self._clock = clock
        self._most = most
        self._counts: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait_for(self, who: Hashable) -> float:
        """Seconds until the next try; 0 when it may be now."""
        with self._lock:
            count, last = self._counts.get(who, (0, 0.0))
            excess = count - self._allowed
            if excess < 0:
                return 0.0
            wait = min(self._longest_wait_s, self._first_wait_s * 2.0 ** min(excess, 30))
            return max(0.0, last + wait - self._clock())

    def add(self, who: Hashable) -> None:
        """Somebody failed."""
        with self._lock:
            now = self._clock()
            count, last = self._counts.pop(who, (0, now))
            self._counts[who] = (1 if now - last > self._longest_wait_s else count + 1, now)
            while len(self._counts) > self._most:
                self._counts.popitem(last=False)

    def take_back(self, who: Hashable) -> None:
        """What was counted was no failure."""
        with self._lock:
            count, last = self._counts.get(who, (0, 0.0))
            if count > 1:
                self._counts[who] = (count - 1, last)
            else:
                self._counts.pop(who, None)

    def forget(self, who: Hashable) -> None:
        """Somebody succeeded."""
        with self._lock:
            self._counts.pop(who, None)


class Seats:
    """How many at once may do what takes long: so many of one account, so many of all together."""

    def __init__(self, for_each: int, for_all: int) -> None:
        self._for_each = for_each
        self._for_all = for_all
        self._taken: Counter[Hashable] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def take(self, who: Hashable) -> Iterator[None]:
        """Have a seat while something lasts.

        Raises:
            Problem: 429 where none is free.
        """
        with self._lock:
            if self._taken[who] >= self._for_each or self._taken.total() >= self._for_all:
                detail = "Too much of this is going on at once. Wait for something of it to end."
                raise Problem(429, "too-many-at-once", detail, {"Retry-After": "5"})
            self._taken[who] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[who] -= 1
                self._taken += Counter()  # whoever has none left is forgotten


def name_network(address: str) -> str:
    """Whose address it is: of IPv6 the network, for whoever has one address there has all of them."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found.packed[:8] + bytes(8), 64)))


def as_retry_after(seconds: float) -> str:
    """For the header of that name: whole seconds, at least one."""
    return str(max(1, math.ceil(seconds)))
