"""Spans of a run: their tree, their times, what stands in them."""

from __future__ import annotations

import pytest

pytest.importorskip("opentelemetry.sdk", reason="the extra otel is not installed")

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import SpanKind, StatusCode

from extractor.telemetry.events import Event, ReplyFound, RunEnded, RunStarted
from extractor.telemetry.spans import MOST_IN_ONE_TRACE, SpanMaker
from tests.unit.telemetry.telling import BEGIN, SECOND, make_call, make_document

END = RunEnded(1, 0, 0, 0, 2, is_interrupted=False, seconds=10.0, at_ns=BEGIN + 10 * SECOND)


def make_spans(*events: Event, documents: int = 1, share: float = 1.0) -> tuple[list[ReadableSpan], int]:
    """The spans of these events inside a run, and how many were said to be made."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=TraceIdRatioBased(share), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    maker = SpanMaker(provider.get_tracer("test"), "run-1")
    for event in (RunStarted(documents, "auto", "model-a", at_ns=BEGIN), *events, END):
        maker.note(event)
    return list(exporter.get_finished_spans()), maker.made


def by_name(spans: list[ReadableSpan]) -> dict[str, ReadableSpan]:
    assert len({span.name for span in spans}) == len(spans)
    return {span.name: span for span in spans}


def parent_of(span: ReadableSpan, spans: list[ReadableSpan]) -> str | None:
    if span.parent is None:
        return None
    return next(other.name for other in spans if other.context.span_id == span.parent.span_id)


def test_a_call_stands_in_its_stage_its_document_and_the_run() -> None:
    spans, made = make_spans(make_call(), make_document())
    assert {span.name: parent_of(span, spans) for span in spans} == {
        "extractor.run": None,
        "extractor.document": "extractor.run",
        "extractor.load": "extractor.document",
        "extractor.draft": "extractor.document",
        "extractor.ask": "extractor.document",
        "extractor.conclude": "extractor.document",
        "chat model-a": "extractor.ask",
    }
    assert len({span.context.trace_id for span in spans}) == 1
    assert made == len(spans)


def test_spans_have_the_times_that_were_measured_elsewhere() -> None:
    spans, _ = make_spans(make_call(), make_document())
    times = {span.name: ((span.start_time - BEGIN) / SECOND, (span.end_time - BEGIN) / SECOND) for span in spans}
    assert times == {
        "extractor.run": (0, 10),
        "extractor.document": (0, 9),
        "extractor.load": (0, 1),
        "extractor.draft": (1, 3),
        "extractor.ask": (4, 8),
        "chat model-a": (5, 7),
        "extractor.conclude": (8, 9),
    }


def test_a_call_says_what_the_conventions_ask_for() -> None:
    spans, _ = make_spans(make_call(), make_document())
    call = by_name(spans)["chat model-a"]
    assert call.kind is SpanKind.CLIENT
    assert call.status.status_code is StatusCode.UNSET
    assert dict(call.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "model-a",
        "gen_ai.request.max_tokens": 500,
        "gen_ai.request.temperature": 0.0,
        "gen_ai.output.type": "json",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.model": "model-a-2026",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 5,
        "server.address": "127.0.0.1",
        "server.port": 8080,
        "extractor.cost": 0.25,
        "extractor.task": "header",
        "extractor.call.key": "0123456789ab",
        "extractor.call.try": 1,
        "extractor.call.mode": "json_schema",
        "extractor.usage.estimated": False,
    }


@pytest.mark.parametrize(("outcome", "said"), [("http-429", "429"), ("timeout", "timeout"), ("invalid", "invalid")])
def test_a_call_that_failed_says_how(outcome: str, said: str) -> None:
    spans, _ = make_spans(make_call(outcome=outcome), make_document())
    call = by_name(spans)["chat model-a"]
    assert call.status.status_code is StatusCode.ERROR
    assert call.status.description is None
    assert call.attributes["error.type"] == said


def test_cost_and_tokens_add_up_by_stage_and_document() -> None:
    failed = make_call(outcome="timeout", usd=0.5, input_tokens=1, output_tokens=2)
    spans, _ = make_spans(failed, make_call(), make_call(key="other"), make_call("d2"), make_document())
    for name in ("extractor.ask", "extractor.document"):
        found = next(span.attributes for span in spans if span.name == name)
        assert found["extractor.cost"] == 1.0
        assert (found["extractor.calls"], found["extractor.replies.found"]) == (3, 0)
        assert (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"]) == (201, 42)
    tries = [span.attributes["extractor.call.try"] for span in spans if span.name == "chat model-a"]
    assert tries == [1, 2, 1, 1]


def test_a_cost_that_is_not_known_is_not_said() -> None:
    spans, _ = make_spans(make_call(), make_call(key="other", usd=None), make_document())
    assert [span.name for span in spans if "extractor.cost" in span.attributes] == ["chat model-a"]


def test_a_reply_of_the_journal_is_no_call() -> None:
    spans, _ = make_spans(ReplyFound("d1", "header", "0123456789ab", at_ns=BEGIN + 5 * SECOND), make_document())
    ask = by_name(spans)["extractor.ask"]
    assert "chat model-a" not in by_name(spans)
    assert [(event.name, dict(event.attributes), event.timestamp) for event in ask.events] == [
        (
            "extractor.reply-found",
            {"extractor.task": "header", "extractor.call.key": "0123456789ab"},
            BEGIN + 5 * SECOND,
        )
    ]
    assert (ask.attributes["extractor.calls"], ask.attributes["extractor.replies.found"]) == (0, 1)
    assert ask.attributes["extractor.cost"] == 0


def test_a_document_that_failed_says_the_code_of_its_error() -> None:
    spans, _ = make_spans(make_document(None, "failed", reason="damaged-source", stages=()))
    document = by_name(spans)["extractor.document"]
    assert document.status.status_code is StatusCode.ERROR
    assert document.attributes["error.type"] == "damaged-source"
    assert "extractor.document.id" not in document.attributes
    assert document.attributes["extractor.position"] == 3


def test_what_was_paid_for_a_document_without_result_is_there() -> None:
    spans, _ = make_spans(make_call("d9"))
    document = by_name(spans)["extractor.document"]
    assert document.attributes["extractor.status"] == "unfinished"
    assert (document.attributes["extractor.document.id"], document.attributes["extractor.cost"]) == ("d9", 0.25)
    assert parent_of(by_name(spans)["chat model-a"], spans) == "extractor.document"


def test_a_large_run_has_a_trace_for_each_document() -> None:
    spans, _ = make_spans(make_call(), make_document(), make_document("d2"), documents=MOST_IN_ONE_TRACE + 1)
    run = next(span for span in spans if span.name == "extractor.run")
    documents = [span for span in spans if span.name == "extractor.document"]
    assert len({span.context.trace_id for span in (run, *documents)}) == 3
    for document in documents:
        assert document.parent is None
        assert [link.context.span_id for link in document.links] == [run.context.span_id]
    call = next(span for span in spans if span.name == "chat model-a")
    assert call.context.trace_id == documents[0].context.trace_id


def test_what_the_sampler_leaves_out_is_not_missed() -> None:
    spans, made = make_spans(make_call(), make_document(), share=0.0)
    assert (spans, made) == ([], 0)


@pytest.mark.parametrize(
    ("stopped_by", "is_interrupted", "said"),
    [("budget-reached", False, "budget-reached"), ("", True, "interrupted"), ("", False, None)],
)
def test_a_run_that_ended_early_says_why(stopped_by: str, is_interrupted: bool, said: str | None) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    maker = SpanMaker(provider.get_tracer("test"), "run-1")
    maker.note(RunStarted(1, "auto"))
    maker.note(RunEnded(0, 0, 0, 0, 0, is_interrupted=is_interrupted, seconds=1.0, stopped_by=stopped_by))
    (run,) = exporter.get_finished_spans()
    assert (run.status.status_code is StatusCode.ERROR) == (said is not None)
    assert run.attributes.get("error.type") == said
