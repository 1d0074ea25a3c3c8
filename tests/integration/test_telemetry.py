"""What a run tells: traces and metrics at a collector, lines in a log, over real HTTP on both sides."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytest.importorskip("opentelemetry.sdk", reason="the extra otel is not installed")

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from extractor.bulk.flow import ModelPart
from extractor.bulk.plan import open_plan
from extractor.bulk.run import RunSummary, run_documents
from extractor.llm.budget import Limits
from extractor.llm.session import open_live
from extractor.settings import Price, Settings
from extractor.sources.pages.workers import share_workers
from extractor.telemetry.events import DocumentEnded, RunEnded, RunStarted
from extractor.telemetry.exporting import Export
from tests.collector import Collector, read_attributes, running_collector
from tests.loopback.faults import Fault, ScriptedFaults
from tests.loopback.labelled import load_truths
from tests.loopback.server import LoopbackServer, running_server
from tests.loopback.simulated import SimulatedReader

ROOT = Path(__file__).parents[2]
FIXTURES = sorted((ROOT / "fixtures").glob("*.txt"))
KEY = "sk-never-to-be-seen-4711"
PRICE = Price(input=2.0, output=8.0)


class Told(NamedTuple):
    """A run, and what was told of it."""

    summary: RunSummary
    collector: Collector
    log: str

    @property
    def spans(self) -> list[Span]:
        return self.collector.spans

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.splitlines()]

    @property
    def spent(self) -> dict[str, Any]:
        return dict(self.summary.account["model"]["spent"])

    def named(self, name: str) -> list[dict[str, Any]]:
        """Attributes of the spans of this name."""
        return [read_attributes(span.attributes) for span in self.spans if span.name == name]

    def total(self, name: str, attribute: str, wanted: str) -> float:
        """Sum over the series of a metric that have this attribute."""
        found = 0.0
        for attributes, point in self.collector.points(name):
            if attributes[attribute] == wanted:
                found += point.sum if hasattr(point, "sum") else point.as_double or point.as_int
        return found


def run(folder: Path, name: str, base_url: str, **given: Any) -> tuple[RunSummary, str]:
    settings = Settings(
        base_url=base_url,
        api_key=KEY,
        model="simulated",
        reply_mode="json_schema",
        prices={"simulated": PRICE},
        journal=str(folder / "journal.sqlite"),
        log=str(folder / f"{name}.log"),
        page_workers=1,
        **given,
    )
    session = open_live(settings, Limits(), Limits(), lambda notice: None)
    paths = [str(path) for path in (*FIXTURES, folder / "某某区人民政府.docx")]
    with open_plan(paths, None, settings=settings, on_progress=lambda progress: None) as plan:
        model = ModelPart.build("auto", session, settings)
        summary = run_documents(plan, folder / name, settings, lambda progress: None, model=model)
    return summary, (folder / f"{name}.log").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a Word file that is broken."""
    made = tmp_path_factory.mktemp("told")
    (made / "某某区人民政府.docx").write_bytes(b"PK\x03\x04 and nothing more")
    return made


@pytest.fixture(scope="module")
def server() -> Iterator[LoopbackServer]:
    """Answers rightly, but for the second request."""
    faults = ScriptedFaults({2: Fault("server_error")})
    with running_server(SimulatedReader(load_truths([ROOT / "eval" / "gold"])), faults) as running:
        yield running


def collect(folder: Path, name: str, server: LoopbackServer, **given: Any) -> Told:
    with running_collector() as collector, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        patch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=blue")
        patch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
        summary, log = run(folder, name, server.base_url, telemetry="otlp", **given)
    return Told(summary, collector, log)


@pytest.fixture(scope="module")
def told(folder: Path, server: LoopbackServer) -> Told:
    """A run that asks the server."""
    return collect(folder, "first", server)


@pytest.fixture(scope="module")
def told_again(told: Told, folder: Path, server: LoopbackServer) -> Told:
    """The same documents into another folder: all replies are in the journal."""
    return collect(folder, "second", server)


# ---------------------------------------------------------------- traces


def test_every_call_stands_in_a_stage_in_a_document_in_the_run(told: Told) -> None:
    spans = {span.span_id: span for span in told.spans}
    parents = Counter(
        (span.name, spans[span.parent_span_id].name if span.parent_span_id else "") for span in told.spans
    )
    assert parents == {
        ("extractor.run", ""): 1,
        ("extractor.document", "extractor.run"): 6,
        ("extractor.load", "extractor.document"): 6,
        ("extractor.draft", "extractor.document"): 5,
        ("extractor.ask", "extractor.document"): 5,
        ("chat simulated", "extractor.ask"): 6,
        ("extractor.conclude", "extractor.document"): 5,
        ("extractor.file", "extractor.document"): 6,
    }
    assert len({span.trace_id for span in told.spans}) == 1
    for span in told.spans:
        assert span.start_time_unix_nano <= span.end_time_unix_nano
        around = spans.get(span.parent_span_id)
        if around and span.name.startswith("chat"):  # measured by one clock
            assert around.start_time_unix_nano <= span.start_time_unix_nano
            assert span.end_time_unix_nano <= around.end_time_unix_nano


def test_documents_are_named_by_id_and_by_how_they_ended(told: Told) -> None:
    documents = told.named("extractor.document")
    statuses = Counter(document["extractor.status"] for document in documents)
    assert statuses == {"succeeded": 4, "partial": 1, "failed": 1}
    records = [json.loads(line) for line in (told.summary.outputs[0].parent / "records.jsonl").read_text().splitlines()]
    in_records = {(record["document"]["id"], record["status"]) for record in records}
    assert {(one["extractor.document.id"], one["extractor.status"]) for one in documents} == in_records
    (failed,) = [document for document in documents if document["extractor.status"] == "failed"]
    assert failed["error.type"] == "DamagedSource"


def test_tokens_and_cost_are_those_of_run_json_on_every_level(told: Told) -> None:
    spent = told.spent
    assert spent["calls"] == 6
    assert spent["usd"] > 0
    for name in ("chat simulated", "extractor.ask", "extractor.document"):
        found = [attributes for attributes in told.named(name) if "extractor.cost" in attributes]
        assert sum(one["gen_ai.usage.input_tokens"] for one in found) == spent["input_tokens"]
        assert sum(one["gen_ai.usage.output_tokens"] for one in found) == spent["output_tokens"]
        assert sum(one["extractor.cost"] for one in found) == pytest.approx(spent["usd"], abs=1e-6)
    usage = "gen_ai.client.token.usage"
    assert told.total(usage, "gen_ai.token.type", "input") == spent["input_tokens"]
    assert told.total(usage, "gen_ai.token.type", "output") == spent["output_tokens"]
    assert told.total("extractor.cost", "extractor.stage", "ask") == pytest.approx(spent["usd"], abs=1e-6)


def test_a_request_that_failed_is_a_span_of_its_own(told: Told) -> None:
    calls = [span for span in told.spans if span.name == "chat simulated"]
    (failed,) = [span for span in calls if span.status.code == Status.STATUS_CODE_ERROR]
    attributes = read_attributes(failed.attributes)
    assert attributes["error.type"] == "500"
    again = [read_attributes(span.attributes) for span in calls if span.parent_span_id == failed.parent_span_id]
    assert [one["extractor.call.try"] for one in again] == [1, 2]
    assert {one["extractor.call.key"] for one in again} == {attributes["extractor.call.key"]}
    durations = told.collector.points("gen_ai.client.operation.duration")
    assert sorted((one.get("error.type", ""), point.count) for one, point in durations) == [("", 5), ("500", 1)]


def test_replies_of_the_journal_are_no_calls_and_cost_nothing(told_again: Told) -> None:
    asks = [span for span in told_again.spans if span.name == "extractor.ask"]
    assert told_again.named("chat simulated") == []
    assert [event.name for span in asks for event in span.events] == ["extractor.reply-found"] * 5
    assert {one["extractor.cost"] for one in told_again.named("extractor.document")} == {0}
    assert told_again.total("extractor.journal.hits", "extractor.task", "narrative") == 5
    assert "gen_ai.client.token.usage" not in told_again.collector.instruments


def test_worker_processes_load_nothing_of_it(told: Told) -> None:
    """Those that read the documents: there is one set of them for all runs with the same settings."""
    workers = share_workers(Settings(page_workers=1))
    loaded = workers.wait(workers.submit(eval, "set(__import__('sys').modules)", timeout_s=60))
    assert "extractor.bulk.making" in loaded
    assert [name for name in loaded if name.startswith("opentelemetry")] == []


# ---------------------------------------------------------------- metrics


def test_documents_are_counted_by_how_they_ended(told: Told) -> None:
    points = told.collector.points("extractor.documents")
    assert {(one["extractor.status"], one.get("error.type"), point.as_int) for one, point in points} == {
        ("succeeded", None, 4),
        ("partial", None, 1),
        ("failed", "DamagedSource", 1),
    }
    stages = told.collector.points("extractor.stage.duration")
    assert {one["extractor.stage"]: point.count for one, point in stages} == {
        "load": 6,
        "draft": 5,
        "ask": 5,
        "conclude": 5,
        "file": 6,
    }


def test_no_series_is_of_one_document_call_or_run(told: Told) -> None:
    allowed = {
        *("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model"),
        *("gen_ai.token.type", "server.address", "server.port", "error.type"),
        *("extractor.stage", "extractor.task", "extractor.status"),
    }
    used = {key for name in told.collector.instruments for one, _ in told.collector.points(name) for key in one}
    assert used <= allowed


def test_buckets_are_those_of_the_conventions(told: Told) -> None:
    (_, point), *_ = told.collector.points("gen_ai.client.operation.duration")
    assert list(point.explicit_bounds)[:4] == [0.01, 0.02, 0.04, 0.08]
    (_, point), *_ = told.collector.points("gen_ai.client.token.usage")
    assert list(point.explicit_bounds)[-1] == 67108864


# ---------------------------------------------------------------- what is not told


def test_nothing_that_was_read_sent_or_kept_secret_is_told(told: Told, server: LoopbackServer, folder: Path) -> None:
    """Every line of the documents, of the prompts and of the replies is looked for in all that left the program."""
    texts = [path.read_text(encoding="utf-8") for path in FIXTURES]
    for seen in server.requests:
        texts += [str(message["content"]) for message in seen.body.get("messages", [])]
    texts.append((told.summary.outputs[0].parent / "values.csv").read_text(encoding="utf-8"))
    pieces = {
        piece for text in texts for piece in re.split(r"[\s|,，。；：、]+", text) if re.search("[一-鿿]{2}", piece)
    }
    assert len(pieces) > 500
    told_bytes = b"".join(told.collector.bodies) + told.log.encode()
    names = {KEY, "Bearer", str(folder), folder.name, "某某区", *(path.stem for path in FIXTURES)}
    assert [piece for piece in pieces | names if piece.encode() in told_bytes] == []
    for document in told.named("extractor.document"):  # what is told is found by this search
        assert document["extractor.document.id"].encode() in told_bytes


# ---------------------------------------------------------------- the log


def test_the_log_tells_what_happened_in_order(told: Told) -> None:
    events = [line["event"] for line in told.lines]
    assert events[0] == "run-started"
    assert events[-1] == "run-ended"
    assert Counter(events) | Counter({"batch-kept": 9}) == Counter(
        {"run-started": 1, "document-failed": 1, "call-retried": 1, "batch-kept": 9, "run-ended": 1}
    )
    assert sum(line["documents"] for line in told.lines if line["event"] == "batch-kept") == 6
    assert {line["run"] for line in told.lines} == {told.named("extractor.run")[0]["extractor.run.id"]}
    (retried,) = [line for line in told.lines if line["event"] == "call-retried"]
    assert (retried["level"], retried["reason"], retried["tries"]) == ("warning", "http-500", 1)
    assert retried["document"] in {one["extractor.document.id"] for one in told.named("extractor.document")}
    (failed,) = [line for line in told.lines if line["event"] == "document-failed"]
    assert (failed["reason"], failed["position"]) == ("DamagedSource", 5)


def test_a_run_that_goes_on_says_so(told_again: Told, folder: Path, server: LoopbackServer) -> None:
    summary, log = run(folder, "second", server.base_url)
    assert summary.kept == 5
    lines = [json.loads(line) for line in log.splitlines()]
    started = [number for number, line in enumerate(lines) if line["event"] == "run-started"]
    assert len(started) == 2  # the log of the first start is still there
    assert "run-resumed" in [line["event"] for line in lines[started[1] :]]
    assert lines[-1]["event"] == "run-ended"
    assert (lines[-1]["documents"], lines[-1]["kept"]) == (6, 5)


# ---------------------------------------------------------------- the collector


def test_the_usual_variables_are_heeded(told: Told) -> None:
    assert told.collector.headers[0]["x-tenant"] == "blue"
    resource = told.collector.resource
    assert resource["deployment.environment.name"] == "test"
    assert resource["service.name"] == "extractor"
    assert resource["service.instance.id"] == told.named("extractor.run")[0]["extractor.run.id"]


def test_a_collector_that_is_away_costs_its_spans_and_nothing_else(
    told: Told, folder: Path, server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{unused.getsockname()[1]}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
        summary, log = run(folder, "away", server.base_url, telemetry="otlp")
    for name in ("records.jsonl", "values.csv", "flags.csv", "queue.csv"):
        assert (folder / "away" / name).read_bytes() == (folder / "first" / name).read_bytes()
    last = json.loads(log.splitlines()[-1])
    spans = len(told.spans) - told.spent["calls"]  # the same documents, answered by the journal
    assert (last["event"], last["spans"], last["metric_exports"] > 0) == ("telemetry-lost", spans, True)
    assert summary.failed == 1


def test_a_collector_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither while documents end, though the queue is full, nor at the end."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "600")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "8")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        export = Export("run-1")
        export.note(RunStarted(50, "template"))
        for number in range(50):
            export.note(DocumentEnded(f"d{number}", number, "succeeded"))
        export.note(RunEnded(1, 0, 0, 0, 0, is_interrupted=False, seconds=1.0))
        lost: list[tuple[int, int]] = []
        closing = threading.Thread(target=lambda: lost.append(export.close(0.2)), daemon=True)
        closing.start()
        closing.join(60)
        assert lost == [(51, 1)]


_KILLED = """
import os, signal, sys
from extractor.settings import Settings
from extractor.telemetry.events import BatchKept, DocumentEnded, RunStarted
from extractor.telemetry.watching import tell, watch_run
with watch_run(Settings(telemetry="otlp", log="run.log"), "run-1"):
    tell(RunStarted(2, "template"))
    tell(DocumentEnded("d1", 0, "succeeded"))
    tell(BatchKept(1, 0.1))
    sys.stdin.readline()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_run_that_is_killed_has_told_what_it_had_done(tmp_path: Path) -> None:
    with running_collector() as collector:
        given = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "20"}
        child = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", _KILLED], cwd=tmp_path, env={"PYTHONPATH": str(ROOT), **given}, stdin=subprocess.PIPE
        )
        assert collector.has_spans.wait(60)
        child.communicate(b"\n", timeout=60)
    assert child.returncode == -signal.SIGKILL
    assert [span.name for span in collector.spans] == ["extractor.document"]
    lines = (tmp_path / "run.log").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["run-started", "batch-kept"]


# ---------------------------------------------------------------- off

_QUIET = """
import sys
from typer.testing import CliRunner
from extractor.cli import app
result = CliRunner().invoke(app, ["run", sys.argv[1], "--out", "out", "--model", "simulated"])
assert result.exit_code == 0, result.output
assert "openai" in sys.modules  # the model was asked
print([name for name in sys.modules if name.startswith(("opentelemetry", "google.protobuf"))])
"""


def test_nothing_is_loaded_or_sent_when_off(server: LoopbackServer, tmp_path: Path) -> None:
    with running_collector() as collector:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", _QUIET, str(FIXTURES[1])],
            cwd=tmp_path,
            env={
                "PATH": "/usr/bin:/bin",
                "PYTHONPATH": str(ROOT),
                "EXTRACTOR_PAGE_WORKERS": "1",
                "EXTRACTOR_BASE_URL": server.base_url,
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            },
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stdout.strip() == "[]", done.stderr
    assert collector.bodies == []
