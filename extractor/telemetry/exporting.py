"""To a collector: OpenTelemetry's SDK, set up for one run and taken down again.

Lives here: exporters, what becomes of spans and metrics when nobody takes them, the end. Does not live here: what is in
them (spans, measures). Opened by watching, and only where telemetry is wanted: this module loads the SDK.

Address, headers, service name, attributes of the resource, sampler, queues and intervals are read from the usual OTEL_*
variables by the SDK itself. Nothing is made global, so that no library's instrumentation sends anything along.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from importlib.metadata import version
from threading import Thread
from typing import Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

from extractor.telemetry.events import Event
from extractor.telemetry.measures import Measures
from extractor.telemetry.spans import SpanMaker

_SCOPE = "extractor"


class Export:
    """Sends what is told of one run to a collector. A collector that is away costs spans and metrics, never time."""

    def __init__(self, run_id: str) -> None:
        _silence_sdk()
        resource = _describe_process(run_id)
        self._sender = _CountedSpans()
        self._tracing = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._tracing.add_span_processor(BatchSpanProcessor(self._sender))
        self._measurer = _CountedMetrics()
        reader = PeriodicExportingMetricReader(self._measurer)
        self._metering = MeterProvider([reader], resource, shutdown_on_exit=False)
        self._spans = SpanMaker(self._tracing.get_tracer(_SCOPE, version("extractor")), run_id)
        self._measures = Measures(self._metering.get_meter(_SCOPE, version("extractor")))

    def note(self, event: Event) -> None:
        """Make spans and metrics of one event."""
        self._spans.note(event)
        self._measures.note(event)

    def close(self, limit_s: float) -> tuple[int, int]:
        """Send what is left.

        Args:
            limit_s: seconds after which the rest is given up.

        Returns:
            Spans and exports of metrics that were not taken.
        """
        ends_at = time.monotonic() + limit_s
        # Both wait for the collector, and not all of the SDK's own limits hold.
        closers = [Thread(target=provider.shutdown, daemon=True) for provider in (self._tracing, self._metering)]
        for closer in closers:
            closer.start()
        for closer in closers:
            closer.join(max(0.0, ends_at - time.monotonic()))
        return self._spans.made - self._sender.taken, self._measurer.failed + closers[1].is_alive()


class _CountedSpans(OTLPSpanExporter):
    """`taken`: spans that the collector has."""

    taken = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = super().export(spans)
        self.taken += len(spans) if result is SpanExportResult.SUCCESS else 0
        return result


class _CountedMetrics(OTLPMetricExporter):
    """`failed`: exports that the collector did not take."""

    failed = 0

    def export(
        self, metrics_data: MetricsData, timeout_millis: float | None = 10_000, **kwargs: Any
    ) -> MetricExportResult:
        result = super().export(metrics_data, timeout_millis, **kwargs)
        self.failed += result is not MetricExportResult.SUCCESS
        return result


def _describe_process(run_id: str) -> Resource:
    """What all of it says of this process; OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win."""
    ours = {"service.name": _SCOPE, "service.version": version("extractor"), "service.instance.id": run_id}
    return Resource.create().merge(Resource(ours)).merge(OTELResourceDetector().detect())


def _silence_sdk() -> None:
    """The SDK logs every export that fails, with the collector's words. It is counted instead, and told at the end."""
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)
