"""Numbers for Prometheus: what the service does, and what waits in the store.

Lives here: the registry of one application. Does not live here: the route (api.health), the dashboard for people. The
store is asked when the numbers are fetched, not at each change.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from extractor.store.shapes import QueueCounts

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Counts of one application, in a registry of its own."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        labels = ["method", "route", "status"]
        self._requests = Counter("extractor_requests", "Requests answered.", labels, registry=registry)
        self._seconds = Histogram(
            "extractor_request_seconds",
            "Seconds to the end of the answer.",
            ["method", "route"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._decisions = Counter("extractor_decisions", "Decisions of reviewers.", ["action"], registry=registry)
        self._uploads = Counter("extractor_documents_submitted", "Documents taken in.", registry=registry)

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered. `route`: the template, never the address, which would be a label for each item."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def count_decision(self, action: str, fields: int) -> None:
        """A reviewer decided on so many fields alike."""
        self._decisions.labels(action).inc(fields)

    def count_documents(self, count: int) -> None:
        """Documents were submitted."""
        self._uploads.inc(count)

    def expose(self, queue: QueueCounts, waiting: int, *, is_working: bool) -> bytes:
        """All of it in Prometheus' text format, with what the store just said."""
        now = CollectorRegistry()
        now.register(_Snapshot(queue, waiting, is_working=is_working))
        return generate_latest(self.registry) + generate_latest(now)


class _Snapshot(Collector):
    """What the store says now."""

    def __init__(self, queue: QueueCounts, waiting: int, *, is_working: bool) -> None:
        self._queue = queue
        self._waiting = waiting
        self._is_working = is_working

    def collect(self) -> Iterator[GaugeMetricFamily]:
        items = GaugeMetricFamily("extractor_queue_items", "Items of the review queue.", labels=["state"])
        for state in ("open", "held", "settled"):
            items.add_metric([state], getattr(self._queue, state))
        yield items
        yield GaugeMetricFamily(
            "extractor_queue_expected_wrong", "Wrong values expected among what waits.", value=self._queue.expected
        )
        yield GaugeMetricFamily(
            "extractor_documents_waiting", "Submitted documents that are not read yet.", value=self._waiting
        )
        yield GaugeMetricFamily(
            "extractor_worker_up", "Whether the worker thread is alive.", value=int(self._is_working)
        )
