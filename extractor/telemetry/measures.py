"""Metrics: what is counted and measured over all documents.

Lives here: the instruments, and which event moves them. Does not live here: sending (exporting), names (names). Used by
exporting alone, since this module loads OpenTelemetry.

No instrument has a document, a key or a run among its attributes: each of their values would be a time series.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from extractor.telemetry import names
from extractor.telemetry.events import (
    BatchKept,
    CallEnded,
    CallRetried,
    DocumentEnded,
    Event,
    LimitReached,
    ReplyFound,
    ServerBack,
    ServerDown,
    Standing,
)

_Attributes = dict[str, str | int]


class Measures:
    """The instruments of one run."""

    def __init__(self, meter: Meter) -> None:
        self._tokens = meter.create_histogram(
            names.TOKEN_USAGE,
            "{token}",
            "Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=names.TOKEN_BUCKETS,
        )
        self._seconds = meter.create_histogram(
            names.OPERATION_DURATION,
            "s",
            "GenAI operation duration.",
            explicit_bucket_boundaries_advisory=names.SECONDS_BUCKETS,
        )
        self._stages = meter.create_histogram(
            names.STAGE_DURATION,
            "s",
            "Time that a stage of a document took.",
            explicit_bucket_boundaries_advisory=names.STAGE_BUCKETS,
        )
        self._batches = meter.create_histogram(
            names.BATCH_DURATION,
            "s",
            "Time that the transaction of a batch took.",
            explicit_bucket_boundaries_advisory=names.STAGE_BUCKETS,
        )
        self._documents = meter.create_counter(names.DOCUMENTS, "{document}", "Documents read, by how they ended.")
        self._cost = meter.create_counter(names.COST, "{USD}", "What requests to the model cost.")
        self._hits = meter.create_counter(names.JOURNAL_HITS, "{reply}", "Replies that came from the journal.")
        self._retries = meter.create_counter(names.RETRIES, "{retry}", "Requests that were sent again.")
        self._limits = meter.create_counter(names.LIMITS_REACHED, "{call}", "Calls not sent because of a limit.")
        self._standing = Standing(0, 0, 0)
        self._is_open = False
        self._watch(meter, names.WAITING, "{document}", "Documents not begun.", lambda: self._standing.waiting)
        self._watch(meter, names.IN_FLIGHT, "{document}", "Documents at work.", lambda: self._standing.in_flight)
        calls = "Requests that wait for the server."
        self._watch(meter, names.CALLS_IN_FLIGHT, "{call}", calls, lambda: self._standing.calls_in_flight)
        circuit = "1 while calls fail at once because the server does not work."
        self._watch(meter, names.CIRCUIT_OPEN, "1", circuit, lambda: int(self._is_open))

    @staticmethod
    def _watch(meter: Meter, name: str, unit: str, description: str, read: Callable[[], int]) -> None:
        def observe(_: CallbackOptions) -> Iterable[Observation]:
            yield Observation(read())

        meter.create_observable_gauge(name, [observe], unit, description)

    def note(self, event: Event) -> None:
        """Take notice of one event."""
        match event:
            case CallEnded():
                self._count_call(event)
            case ReplyFound():
                self._hits.add(1, {names.TASK: event.task})
            case DocumentEnded():
                self._count_document(event)
            case Standing():
                self._standing = event
            case BatchKept():
                self._batches.record(event.seconds)
            case CallRetried():
                self._retries.add(1, {names.ERROR_TYPE: names.name_error(event.reason)})
            case LimitReached():
                self._limits.add(1, {names.SCOPE: event.scope})
            case ServerDown() | ServerBack():
                self._is_open = isinstance(event, ServerDown)

    def _count_document(self, event: DocumentEnded) -> None:
        attributes: _Attributes = {names.STATUS: event.status}
        if event.reason:
            attributes[names.ERROR_TYPE] = event.reason
        self._documents.add(1, attributes)
        for stage in event.stages:
            self._stages.record(stage.seconds, {names.STAGE: stage.name})

    def _count_call(self, call: CallEnded) -> None:
        about: _Attributes = {
            names.OPERATION: "chat",
            names.PROVIDER: names.name_provider(call.server.host),
            names.REQUEST_MODEL: call.server.model,
            names.SERVER_ADDRESS: call.server.host,
            names.SERVER_PORT: call.server.port,
        }
        if call.answer.model:
            about[names.RESPONSE_MODEL] = call.answer.model
        failed: _Attributes = {} if call.outcome == "ok" else {names.ERROR_TYPE: names.name_error(call.outcome)}
        self._seconds.record(call.seconds, about | failed)
        # The conventions want what the server counted, or nothing. Replies that are of no use are billed, too.
        if not call.is_estimated and (call.outcome == "ok" or call.input_tokens):
            self._tokens.record(call.input_tokens, about | {names.TOKEN_TYPE: "input"})
            self._tokens.record(call.output_tokens, about | {names.TOKEN_TYPE: "output"})
        if call.usd is not None:
            self._cost.add(
                call.usd, {names.STAGE: "ask", names.TASK: call.task, names.REQUEST_MODEL: call.server.model}
            )
