"""From receipts and progress to what is told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from extractor.bulk.keeping import Receipt, Ticket
from extractor.bulk.plan import Entry
from extractor.bulk.progress import Progress
from extractor.bulk.telling import tell_end, tell_kept, tell_standing
from extractor.errors import StoreError
from extractor.llm.calls import BudgetReached
from extractor.model import Status
from extractor.telemetry.events import (
    BatchKept,
    DocumentEnded,
    Event,
    RunEnded,
    RunResumed,
    StageName,
    StageTime,
    Standing,
)
from extractor.telemetry.watching import gather_events

LAST = Progress("read", 7, 9, kept=2, failed=1, quarantined=1, flagged=3, seconds=1.5)


def make_receipt(position: int, *stages: StageTime, **changes: Any) -> Receipt:
    entry = Entry(position, f"d{position}", f"某机关/{position}.html", ())
    given: dict[str, Any] = {"state": "done", "status": Status.SUCCEEDED, "review": 0, "reason": ""} | changes
    return Receipt(ticket=Ticket("key", entry, 2), stages=stages, **given)


def stage(name: StageName, began_ns: int) -> StageTime:
    return StageTime(name, began_ns, 0.5)


def end(stopped_by: Exception | None = None, error: BaseException | None = None) -> RunEnded:
    engine = cast("Any", SimpleNamespace(stopped_by=stopped_by, is_interrupted=False))
    with gather_events() as events:
        tell_end(LAST, engine, error)
    (event,) = events
    assert isinstance(event, RunEnded)
    return event


def test_documents_and_the_transactions_they_were_kept_in_are_told() -> None:
    load, first, second = stage("load", 1), stage("file", 5), stage("file", 9)
    receipts = [make_receipt(0, load, first), make_receipt(1, load, first, review=4), make_receipt(2, load, second)]
    with gather_events() as events:
        tell_kept(receipts)
    documents = [event for event in events if isinstance(event, DocumentEnded)]
    assert [(one.document_id, one.position, one.status, one.attempts, one.doubted) for one in documents] == [
        ("d0", 0, "succeeded", 2, 0),
        ("d1", 1, "succeeded", 2, 4),
        ("d2", 2, "succeeded", 2, 0),
    ]
    assert documents[0].stages == (load, first)
    assert [(one.documents, one.seconds) for one in events if isinstance(one, BatchKept)] == [(2, 0.5), (1, 0.5)]


def test_a_document_that_somebody_who_died_had_kept_has_no_times() -> None:
    with gather_events() as events:
        tell_kept([make_receipt(0)])
    assert [type(event) for event in events] == [DocumentEnded]


def test_one_that_is_set_aside_is_told_apart_from_one_that_failed() -> None:
    failed = make_receipt(0, state="failed", status=Status.FAILED, reason="DamagedSource")
    set_aside = make_receipt(1, state="quarantined", status=Status.FAILED, reason="RuntimeError")
    with gather_events() as events:
        tell_kept([failed, set_aside])
    told: list[Event] = events
    assert [(one.status, one.reason) for one in told if isinstance(one, DocumentEnded)] == [
        ("failed", "DamagedSource"),
        ("quarantined", "RuntimeError"),
    ]


def test_what_waits_is_neither_done_nor_at_work_and_going_on_is_told_once() -> None:
    first = Progress("read", 0, 100, in_flight=8)
    second = Progress("read", 30, 100, kept=20, in_flight=8, calls_in_flight=5)
    third = second._replace(done=96)
    with gather_events() as events:
        tell_standing(first, second)
        tell_standing(second, third)
    assert [type(event) for event in events] == [RunResumed, Standing, Standing]
    standing = [(one.waiting, one.in_flight, one.calls_in_flight) for one in events if isinstance(one, Standing)]
    assert standing == [(62, 8, 5), (0, 8, 5)]


def test_the_end_tells_how_far_the_run_came_and_what_ended_it() -> None:
    whole = end()
    assert (whole.documents, whole.kept, whole.failed, whole.quarantined, whole.flagged) == (7, 2, 1, 1, 3)
    assert (whole.seconds, whole.stopped_by) == (1.5, "")
    assert end(stopped_by=BudgetReached("no more", "run")).stopped_by == "budget-reached"
    assert end(error=StoreError("某机关 away")).stopped_by == "bad-store"
    assert end(error=ValueError("某机关")).stopped_by == "ValueError"
