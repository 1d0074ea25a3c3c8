"""When a call is tried again, and how long it waits.

Lives here: the one retry policy (tenacity) and the reading of Retry-After. Does not live here: what
counts as transient (endings), the circuit. Called by the client.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt

from extractor.llm.endings import Ending

Sleep = Callable[[float], Awaitable[None]]
#: Told how the request ended, how many there were, and the seconds until the next one.
OnRetry = Callable[[str, int, float], None]

BASE_S = 1.0
CAP_S = 60.0
#: A server that asks for more than this is not waited for longer.
MOST_WAIT_S = 600.0


class TransientFailure(Exception):
    """A request failed in a way that may pass. Never leaves the client."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.outcome)
        self.ending = ending


def build_retrying(attempts: int, sleep: Sleep, on_retry: OnRetry = lambda *_: None) -> AsyncRetrying:
    """The policy for one call. It keeps state, so each call gets its own.

    Args:
        attempts: how often the call is tried at most.
        sleep: what waits.
        on_retry: told before each wait.
    """

    def tell(state: RetryCallState) -> None:
        failure = state.outcome.exception() if state.outcome else None
        wait = state.next_action.sleep if state.next_action else 0.0
        on_retry(str(failure), state.attempt_number, wait)

    return AsyncRetrying(
        stop=stop_after_attempt(attempts),
        wait=_choose_wait,
        retry=retry_if_exception_type(TransientFailure),
        sleep=sleep,
        before_sleep=tell,
        reraise=True,
    )


def _choose_wait(state: RetryCallState) -> float:
    """Full jitter, so that calls that failed together do not come back together."""
    jitter = random.uniform(0, min(CAP_S, BASE_S * 2 ** (state.attempt_number - 1)))  # noqa: S311 - no secret
    failure = state.outcome.exception() if state.outcome else None
    if isinstance(failure, TransientFailure) and failure.ending.retry_after is not None:
        return failure.ending.retry_after + min(jitter, BASE_S)
    return jitter


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait, at most MOST_WAIT_S; None when it does not say.

    Args:
        headers: of the response; names in any case if the mapping minds none.
    """
    in_ms = _read_number(headers.get("retry-after-ms"))
    if in_ms is not None:
        return min(in_ms / 1000, MOST_WAIT_S)
    text = headers.get("retry-after")
    seconds = _read_number(text)
    if seconds is None and text:
        try:
            until = parsedate_to_datetime(text)
        except ValueError:
            return None
        if until.tzinfo is None:
            until = until.replace(tzinfo=UTC)
        seconds = max(0.0, (until - datetime.now(UTC)).total_seconds())
    return None if seconds is None else min(seconds, MOST_WAIT_S)


def _read_number(text: str | None) -> float | None:
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < float("inf") else None
