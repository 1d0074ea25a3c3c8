"""What the server saw: every request with its times, and the sums over all of them.

Called by the server; read by tests (`server.requests`) and by benchmarks (`GET /stats`).
"""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from dataclasses import dataclass
from functools import cached_property

from tests.loopback.faults import Fault
from tests.loopback.messages import HttpRequest, Json


@dataclass(eq=False)
class Seen:
    """One request as the server saw it.

    Attributes:
        number: counts the requests of its path from 1.
        started_at, ended_at: seconds of a monotonic clock; `ended_at` is None until the response is ready.
        in_flight: requests under way when it came, itself included.
        status: of the response; 0 where none was sent.
    """

    http: HttpRequest
    number: int
    started_at: float
    in_flight: int
    ended_at: float | None = None
    status: int = 0
    fault: Fault | None = None

    @property
    def path(self) -> str:
        """The path asked for."""
        return self.http.path

    @cached_property
    def body(self) -> Json:
        """The body as JSON."""
        return dict(json.loads(self.http.body))


class Recorder:
    """Keeps the last `most` requests (None: all) and counts all of them."""

    def __init__(self, most: int | None) -> None:
        self.requests: deque[Seen] = deque(maxlen=most)
        self.in_flight = 0
        self.most_in_flight = 0
        self._by_path: Counter[str] = Counter()
        self._by_status: Counter[int] = Counter()
        self._by_fault: Counter[str] = Counter()

    def begin(self, http: HttpRequest) -> Seen:
        """Note a request that has come in whole."""
        self._by_path[http.path] += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        seen = Seen(http, self._by_path[http.path], time.monotonic(), self.in_flight)
        self.requests.append(seen)
        return seen

    def end(self, seen: Seen) -> None:
        """Note that its response is ready, or that there will be none."""
        seen.ended_at = time.monotonic()
        self.in_flight -= 1
        self._by_status[seen.status] += 1
        if seen.fault is not None:
            self._by_fault[seen.fault.kind] += 1

    @property
    def sums(self) -> Json:
        """The counts as JSON."""
        return {
            "requests": sum(self._by_path.values()),
            "by_path": dict(self._by_path),
            "by_status": {str(status): n for status, n in self._by_status.items()},
            "by_fault": dict(self._by_fault),
            "in_flight": self.in_flight,
            "most_in_flight": self.most_in_flight,
        }
