"""Where a run stands, as plain lines for a log.

Lives here: what a line says, and when one is due. Does not live here: live lines in a terminal (progress). Called by
cli.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from extractor.bulk.progress import Pace, Progress, Speed
from extractor.console.amounts import show_span

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 2.0, 30.0
_SHORTEST_PAUSE_S = 1.0


class PlainProgress:
    """Lines for a log: at the start of a stage, at its end, and between them at growing intervals.

    A tenth of the way is worth a line, too, where the last one is a second old.
    """

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        """Write nothing yet.

        Args:
            write: takes one line.
            clock: seconds from any start.
        """
        self._write = write
        self._clock = clock
        self._pace = Pace(clock)
        self._told: Progress | None = None
        self._last: tuple[Progress, Speed] | None = None
        self._told_at = self._started_at = clock()
        self._pause_s = _FIRST_PAUSE_S

    def __enter__(self) -> Callable[[Progress], None]:
        return self._note

    def __exit__(self, *_: object) -> None:
        self._tell_last()

    def _note(self, progress: Progress) -> None:
        if self._told is None or progress.stage != self._told.stage:
            self._tell_last()
            self._pause_s = _FIRST_PAUSE_S
            self._tell(progress, self._pace.note(progress))
            return
        speed = self._pace.note(progress)
        self._last = progress, speed
        pause_s = self._clock() - self._told_at
        if progress.is_ending and not self._told.is_ending:
            self._tell(progress, speed)
        elif pause_s >= self._pause_s:
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
            self._tell(progress, speed)
        elif pause_s >= _SHORTEST_PAUSE_S and _count_tenths(progress) > _count_tenths(self._told):
            self._tell(progress, speed)

    def _tell_last(self) -> None:
        """Where a stage ended, or the run broke off."""
        if self._last and self._told and self._last[0]._replace(seconds=0) != self._told._replace(seconds=0):
            self._tell(*self._last)

    def _tell(self, progress: Progress, speed: Speed) -> None:
        self._write(describe_line(progress, speed, self._clock() - self._started_at))
        self._told, self._told_at, self._last = progress, self._clock(), None


def _count_tenths(progress: Progress) -> int:
    return progress.done * 10 // progress.total if progress.total else 0


def describe_line(progress: Progress, speed: Speed, elapsed_s: float) -> str:
    """Progress as one line of key=value, each key always in its place; what a model does only where one is asked."""
    pairs = {
        "elapsed": show_span(elapsed_s),
        "stage": progress.stage,
        "done": progress.done,
        "total": "unknown" if progress.total is None else progress.total,
        "rate": "unknown" if speed.rate is None else f"{speed.rate:.2f}/s",
        "eta": "unknown" if speed.left_s is None else show_span(speed.left_s),
    }
    if progress.stage == "read":
        names = ("kept", "failed", "quarantined", "flagged", "in_flight")
        pairs |= {name: getattr(progress, name) for name in names}
    if progress.stage == "read" and progress.asks_model:
        names = ("calls", "calls_in_flight", "cached", "input_tokens", "output_tokens")
        pairs |= {name: getattr(progress, name) for name in names}
        pairs["usd"] = "price-not-set" if progress.usd is None else f"{progress.usd:.4f}"
    if progress.is_ending:
        pairs["ending"] = "yes"
    return " ".join(f"{name}={value}" for name, value in pairs.items())
