"""A circuit breaker: when the server does not work at all, calls fail at once instead of waiting.

Lives here: counting and timing, no IO. Does not live here: what counts as an outage (endings).
Called by the client; one circuit a client.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from extractor.llm.calls import ServerUnavailable


class Circuit:
    """Opens after many failures in a row that nothing interrupted for a while.

    The while is there because calls fail together: sixteen calls in flight when a server restarts
    are one event, and the retries take care of it.
    """

    def __init__(
        self,
        *,
        failures: int = 10,
        span_s: float = 10.0,
        cooldown_s: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set up a closed circuit.

        Args:
            failures: failures in a row, across calls, that open it.
            span_s: seconds that they must span at least.
            cooldown_s: seconds until one call is let through to see whether the server works again.
            clock: seconds from any start.
        """
        self._failures = failures
        self._span_s = span_s
        self._cooldown_s = cooldown_s
        self._clock = clock
        self._count = 0
        self._since = 0.0
        self._opened_at: float | None = None
        self._is_probing = False
        self._reason = ""

    @property
    def is_open(self) -> bool:
        """Whether calls fail at once."""
        return self._opened_at is not None

    def check(self) -> None:
        """Before waiting for anything.

        Raises:
            ServerUnavailable: the circuit is open, and it is too early to look again.
        """
        if self._opened_at is None:
            return
        remaining = self._opened_at + self._cooldown_s - self._clock()
        if self._is_probing or remaining > 0:
            raise ServerUnavailable(
                f"the server does not work (last: {self._reason}); no call is sent until it is tried again"
            )

    def enter(self) -> None:
        """Right before a request: after the cooldown the first one here is the one that looks.

        Raises:
            ServerUnavailable: see check().
        """
        self.check()
        self._is_probing = self.is_open

    def record_success(self) -> bool:
        """The server answered. Returns whether this closed the circuit."""
        was_open = self.is_open
        self._count = 0
        self._opened_at = None
        self._is_probing = False
        return was_open

    def record_failure(self, reason: str) -> bool:
        """The server did not work. Returns whether this opened the circuit."""
        now = self._clock()
        self._reason = reason
        if self.is_open:
            if self._is_probing:
                self._opened_at = now
                self._is_probing = False
            return False
        self._since = now if self._count == 0 else self._since
        self._count += 1
        if self._count < self._failures or now - self._since < self._span_s:
            return False
        self._opened_at = now
        return True

    def record_nothing(self) -> None:
        """The request was given up before it ended."""
        self._is_probing = False
