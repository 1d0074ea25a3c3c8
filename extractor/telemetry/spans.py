"""Traces: a run, its documents, their stages, and the requests to the model in them.

Lives here: which spans there are, when they began and ended, what stands in them. Does not live here: sending them
(exporting), names (names). Used by exporting alone, since this module loads OpenTelemetry.

A document's spans are made when it has ended, out of what was noted until then: part of it happened in other processes,
which know nothing of traces. So a document has its trace when it has its result, or none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context

from extractor.telemetry import names
from extractor.telemetry.events import (
    CallEnded,
    DocumentEnded,
    Event,
    ReplyFound,
    RunEnded,
    RunStarted,
    StageTime,
)

#: A run of more documents has a trace for each, with a link to the run: no store of traces takes a million spans in
#: one trace.
MOST_IN_ONE_TRACE = 1000

_Attributes = dict[str, str | int | float | bool | Sequence[str]]


class SpanMaker:
    """Makes the spans of one run.

    Attributes:
        made: how many of them are to be sent; a sampler may have left others out.
    """

    def __init__(self, tracer: Tracer, run_id: str) -> None:
        self.made = 0
        self._tracer = tracer
        self._run_id = run_id
        self._run: Span | None = None
        self._is_one_trace = True
        self._calls: dict[str, list[CallEnded | ReplyFound]] = {}

    def note(self, event: Event) -> None:
        """Take notice of one event; most mean nothing here."""
        match event:
            case CallEnded() | ReplyFound():
                self._calls.setdefault(event.document_id, []).append(event)
            case DocumentEnded():
                self._end_document(event)
            case RunStarted():
                self._start_run(event)
            case RunEnded():
                self._end_run(event)

    # ------------------------------------------------------------ the run

    def _start_run(self, event: RunStarted) -> None:
        self._is_one_trace = event.documents <= MOST_IN_ONE_TRACE
        attributes: _Attributes = {
            names.RUN_ID: self._run_id,
            names.DOCUMENTS: event.documents,
            names.READERS: event.readers,
        }
        if event.model:
            attributes[names.REQUEST_MODEL] = event.model
        self._run = self._tracer.start_span("extractor.run", Context(), attributes=attributes, start_time=event.at_ns)

    def _end_run(self, event: RunEnded) -> None:
        for document_id, calls in sorted(self._calls.items()):  # what was begun and paid for, and has no result
            self._make_document(DocumentEnded(document_id, -1, "unfinished", at_ns=event.at_ns), calls)
        self._calls.clear()
        if self._run is None:
            return
        self._run.set_attributes({names.DONE: event.documents, names.KEPT: event.kept, names.FLAGGED: event.flagged})
        if event.stopped_by or event.is_interrupted:
            _mark_failed(self._run, event.stopped_by or "interrupted")
        self._end(self._run, event.at_ns)
        self._run = None

    # ------------------------------------------------------------ a document

    def _end_document(self, event: DocumentEnded) -> None:
        self._make_document(event, self._calls.pop(event.document_id or "", []))

    def _make_document(self, event: DocumentEnded, noted: Sequence[CallEnded | ReplyFound]) -> None:
        begun = [stage.began_ns for stage in event.stages] + [_began(call) for call in noted]
        document = self._start_document(event, min(begun, default=event.at_ns), noted)
        if document.is_recording():
            inside = set_span_in_context(document, Context())
            ask = next((stage for stage in event.stages if stage.name == "ask"), None)
            for stage in event.stages:
                if stage is not ask:
                    self._make_stage(stage, inside)
            if ask:
                self._make_asking(ask, noted, inside)
            else:
                self._make_calls(document, noted, inside)
        if event.reason:
            _mark_failed(document, event.reason)
        self._end(document, max([event.at_ns, *(stage.ended_ns for stage in event.stages)]))

    def _start_document(self, event: DocumentEnded, began_ns: int, noted: Sequence[CallEnded | ReplyFound]) -> Span:
        attributes: _Attributes = {
            names.RUN_ID: self._run_id,
            names.STATUS: event.status,
            names.ATTEMPTS: event.attempts,
            names.DOUBTED: event.doubted,
            **_sum_up(noted),
        }
        if event.document_id:
            attributes[names.DOCUMENT_ID] = event.document_id
        if event.position >= 0:
            attributes[names.POSITION] = event.position
        run = self._run
        context = set_span_in_context(run, Context()) if run and self._is_one_trace else Context()
        links = [Link(run.get_span_context())] if run and not self._is_one_trace else []
        return self._tracer.start_span(
            "extractor.document", context, attributes=attributes, links=links, start_time=began_ns
        )

    def _make_stage(self, stage: StageTime, inside: Context) -> None:
        self._end(self._start_stage(stage, inside, {}), stage.ended_ns)

    def _make_asking(self, stage: StageTime, noted: Sequence[CallEnded | ReplyFound], inside: Context) -> None:
        span = self._start_stage(stage, inside, _sum_up(noted))
        self._make_calls(span, noted, set_span_in_context(span, Context()))
        self._end(span, stage.ended_ns)

    def _start_stage(self, stage: StageTime, inside: Context, attributes: _Attributes) -> Span:
        attributes = {names.STAGE: stage.name, **attributes}
        return self._tracer.start_span(
            f"extractor.{stage.name}", inside, attributes=attributes, start_time=stage.began_ns
        )

    # ------------------------------------------------------------ requests

    def _make_calls(self, around: Span, noted: Sequence[CallEnded | ReplyFound], inside: Context) -> None:
        tries: dict[str, int] = {}
        for call in noted:
            if isinstance(call, ReplyFound):
                told = {names.TASK: call.task, names.KEY: call.key}
                around.add_event("extractor.reply-found", told, timestamp=call.at_ns)
                continue
            tries[call.key] = tries.get(call.key, 0) + 1
            self._make_call(call, tries[call.key], inside)

    def _make_call(self, call: CallEnded, number: int, inside: Context) -> None:
        span = self._tracer.start_span(
            f"chat {call.server.model}",
            inside,
            kind=SpanKind.CLIENT,
            attributes=_describe_call(call, number),
            start_time=_began(call),
        )
        if call.outcome != "ok":
            _mark_failed(span, names.name_error(call.outcome))
        self._end(span, call.at_ns)

    def _end(self, span: Span, at_ns: int) -> None:
        self.made += span.get_span_context().trace_flags.sampled
        span.end(at_ns)


def _began(event: CallEnded | ReplyFound) -> int:
    return event.at_ns - round(event.seconds * 1e9) if isinstance(event, CallEnded) else event.at_ns


def _mark_failed(span: Span, why: str) -> None:
    span.set_attribute(names.ERROR_TYPE, why)
    span.set_status(Status(StatusCode.ERROR))


def _sum_up(noted: Sequence[CallEnded | ReplyFound]) -> _Attributes:
    """Requests, tokens and cost of a document or a stage; no cost where one of its parts is not known."""
    calls = [event for event in noted if isinstance(event, CallEnded)]
    summed: _Attributes = {
        names.CALLS: len(calls),
        names.REPLIES_FOUND: len(noted) - len(calls),
        names.INPUT_TOKENS: sum(call.input_tokens for call in calls),
        names.OUTPUT_TOKENS: sum(call.output_tokens for call in calls),
    }
    costs = [call.usd for call in calls if call.usd is not None]
    if len(costs) == len(calls):
        summed[names.COST] = math.fsum(costs)
    return summed


def _describe_call(call: CallEnded, number: int) -> Mapping[str, str | int | float | bool | Sequence[str]]:
    server, answer = call.server, call.answer
    told: _Attributes = {
        names.OPERATION: "chat",
        names.PROVIDER: names.name_provider(server.host),
        names.REQUEST_MODEL: server.model,
        names.REQUEST_MAX_TOKENS: call.max_tokens,
        names.OUTPUT_TYPE: "json",
        names.SERVER_ADDRESS: server.host,
        names.SERVER_PORT: server.port,
        names.INPUT_TOKENS: call.input_tokens,
        names.OUTPUT_TOKENS: call.output_tokens,
        names.CACHED_TOKENS: call.cached_tokens,
        names.TASK: call.task,
        names.KEY: call.key,
        names.TRY: number,
        names.MODE: call.mode,
        names.IS_ESTIMATED: call.is_estimated,
    }
    if server.temperature is not None:
        told[names.REQUEST_TEMPERATURE] = server.temperature
    if call.usd is not None:
        told[names.COST] = call.usd
    if answer.reply_id:
        told[names.RESPONSE_ID] = answer.reply_id
    if answer.model:
        told[names.RESPONSE_MODEL] = answer.model
    if answer.finish_reason:
        told[names.FINISH_REASONS] = [answer.finish_reason]
    return told
