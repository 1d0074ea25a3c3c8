"""A collector on loopback: takes what OpenTelemetry's exporter sends over OTLP/HTTP and keeps it, decoded.

with running_collector() as collector:
    ... export to collector.url ...
    collector.spans, collector.points("gen_ai.client.token.usage")
"""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span


def read_attributes(pairs: Any) -> dict[str, Any]:
    """Attributes as a dict."""
    return {pair.key: _read(pair.value) for pair in pairs}


def _read(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_read(item) for item in value.array_value.values]
    return getattr(value, kind) if kind else None


class Collector:
    """What came in.

    Attributes:
        url: what exporters are told as their endpoint.
        bodies: every request as it was sent, decompressed.
        headers: of every request.
        has_spans: set when the first ones are there.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.traces: list[ExportTraceServiceRequest] = []
        self.metrics: list[ExportMetricsServiceRequest] = []
        self.has_spans = threading.Event()

    @property
    def spans(self) -> list[Span]:
        return [
            span
            for request in self.traces
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def resource(self) -> dict[str, Any]:
        """Of the first request."""
        first = [*self.traces, *self.metrics][0]
        resources = getattr(first, "resource_spans", None) or first.resource_metrics
        return read_attributes(resources[0].resource.attributes)

    @property
    def instruments(self) -> dict[str, Metric]:
        """Metrics by name, each as it was told last; sums are of the whole run."""
        return {
            metric.name: metric
            for request in self.metrics
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def points(self, name: str) -> list[tuple[dict[str, Any], Any]]:
        """Attributes and data point of each series of a metric."""
        metric = self.instruments[name]
        data = getattr(metric, str(metric.WhichOneof("data")))
        return [(read_attributes(point.attributes), point) for point in data.data_points]

    def __contains__(self, text: str) -> bool:
        """Whether a text is anywhere in what was sent."""
        return any(text.encode() in body for body in self.bodies)


class _Handler(BaseHTTPRequestHandler):
    collector: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.collector.bodies.append(body)
        self.collector.headers.append({name.lower(): value for name, value in self.headers.items()})
        if self.path == "/v1/traces":
            self.collector.traces.append(ExportTraceServiceRequest.FromString(body))
            self.collector.has_spans.set()
            answer = ExportTraceServiceResponse().SerializeToString()
        elif self.path == "/v1/metrics":
            self.collector.metrics.append(ExportMetricsServiceRequest.FromString(body))
            answer = ExportMetricsServiceResponse().SerializeToString()
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running_collector() -> Iterator[Collector]:
    """Collect on a free port."""
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        handler.collector = collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join(5)
