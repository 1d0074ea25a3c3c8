"""How long the stages of one document take, measured where they are gone through.

Lives here: a stop-watch that loads nothing, for worker processes: its times go back with the result, and the process
that runs everything makes spans of them. Called by bulk.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from extractor.telemetry.events import StageName, StageTime


class StageClock:
    """The times of one document's stages, in the order in which they ended."""

    def __init__(self, taken: Iterable[StageTime] = ()) -> None:
        """`taken`: what was measured before, elsewhere."""
        self._taken = [*taken]

    @property
    def taken(self) -> tuple[StageTime, ...]:
        """What was measured up to now."""
        return tuple(self._taken)

    @contextmanager
    def measure(self, name: StageName) -> Iterator[None]:
        """Measure what is done inside, also when it fails."""
        began_ns, began = time.time_ns(), time.perf_counter()
        try:
            yield
        finally:
            self._taken.append(StageTime(name, began_ns, time.perf_counter() - began))
