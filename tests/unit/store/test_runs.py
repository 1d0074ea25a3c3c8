"""Runs and their work. On both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest

from extractor.errors import BadCursor, NotInStore
from extractor.model import Origin
from extractor.store.shapes import Run, RunDocument
from extractor.store.store import Books, Store
from tests.unit.store.filler import NOON, add_document, make_field, make_id, make_record, minutes


def add_run(books: Books, *documents: int, state: str = "queued") -> Run:
    run = books.runs.create("submitted", "li", {"files": len(documents)})
    for position, number in enumerate(documents):
        origins = (Origin(f"run/{number}.txt"),)
        books.runs.add_document(
            RunDocument(run.id, position, f"run/{number}.txt", origins, state)  # type: ignore[arg-type]
        )
    return run


def test_a_run_tells_how_far_it_is(store: Store) -> None:
    with store.write() as books:
        run = add_run(books, 1, 2, 3)
        extraction_id = add_document(books, 1)
        taken = books.runs.take_work("w", NOON, 60)
        assert taken is not None
        books.runs.finish_work(run.id, 0, "done", make_id(1), extraction_id, None)
        books.runs.finish_work(run.id, 1, "failed", None, None, "空文件")
        found = books.runs.get(run.id)
        assert found == replace(run, counts={"done": 1, "failed": 1, "queued": 1})
        documents, after = books.runs.documents(run.id, None, 2)
        assert [(one.state, one.document_id, one.problem) for one in documents] == [
            ("done", make_id(1), None),
            ("failed", None, "空文件"),
        ]
        (last,), end = books.runs.documents(run.id, after, 2)
        assert (last.position, last.origins, end) == (2, (Origin("run/3.txt"),), None)
        books.runs.finish(run.id, "finished", {"seconds": 1.5})
        done = books.runs.get(run.id)
        assert (done.state, done.account, done.finished_at is not None) == ("finished", {"seconds": 1.5}, True)
        with pytest.raises(NotInStore, match="run x"):
            books.runs.get("x")


def test_runs_are_leafed_through_newest_first(store: Store) -> None:
    with store.write() as books:
        made = [add_run(books, number).id for number in range(5)]
        first, after = books.runs.list(None, 3)
        second, end = books.runs.list(after, 3)
        assert [run.id for run in (*first, *second)] == made[::-1]
        assert end is None
        books.runs.finish(made[1], "finished", {})
        assert [run.id for run in books.runs.list_unfinished("submitted")] == [made[0], *made[2:]]
        assert books.runs.list_unfinished("bulk") == []
        with pytest.raises(BadCursor):
            books.runs.list("no cursor", 3)
        with pytest.raises(BadCursor):
            books.runs.documents(made[0], after, 3)


def test_the_records_of_a_run_come_in_its_order_with_its_places(store: Store) -> None:
    """With what people said since, or as they were made; those without a record are left out."""
    with store.write() as books:
        run = add_run(books, 2, 9, 1)
        for position, number in ((0, 2), (2, 1)):
            extraction_id = add_document(books, number)
            books.runs.finish_work(run.id, position, "done", make_id(number), extraction_id, None)
        live = make_record(1).model_copy(update={"fields": {"a": make_field(8)}})
        books.documents.save_live(make_id(1), extraction_id, live)
    with store.read() as books:
        corrected = [made.record for made in books.runs.records(run.id)]
        extracted = [made.record for made in books.runs.records(run.id, as_extracted=True)]
    assert [record.origins for record in corrected] == [(Origin("run/2.txt"),), (Origin("run/1.txt"),)]
    assert [record.document.path for record in extracted] == ["run/2.txt", "run/1.txt"]
    assert (corrected[1].fields, extracted[1].fields) == (live.fields, make_record(1).fields)
    assert corrected[0] == extracted[0]


def test_more_records_than_are_read_at_once(store: Store) -> None:
    with store.write() as books:
        run = add_run(books, *range(130))
        extraction_id = add_document(books, 1)
        for position in range(130):
            books.runs.finish_work(run.id, position, "done", make_id(1), extraction_id, None)
        assert [made.document.position for made in books.runs.records(run.id)] == list(range(130))


# ---------------------------------------------------------------- work


def test_the_oldest_work_comes_first_and_is_taken_again_when_its_worker_is_gone(store: Store) -> None:
    with store.write() as books:
        first, second = add_run(books, 1, 2), add_run(books, 3)
        taken = [books.runs.take_work("w1", NOON, 60) for _ in range(3)]
        assert [(one.run_id, one.position) for one in taken if one] == [(first.id, 0), (first.id, 1), (second.id, 0)]
        assert {(one.state, one.attempts) for one in taken if one} == {("working", 1)}
        assert books.runs.take_work("w2", minutes(0.9), 60) is None
        assert books.runs.renew_work(first.id, 0, "w1", minutes(0.9), 60)
        again = books.runs.take_work("w2", minutes(1), 60)
        assert again is not None
        assert (again.position, again.run_id, again.attempts) == (1, first.id, 2)
        assert not books.runs.renew_work(first.id, 1, "w1", minutes(1), 60)
        books.runs.finish_work(first.id, 0, "quarantined", problem="died three times")
        assert not books.runs.renew_work(first.id, 0, "w1", minutes(1), 60)


def test_who_is_queued_again_keeps_his_place(store: Store) -> None:
    with store.write() as books:
        add_run(books, 1, 2)
        taken = books.runs.take_work("w", NOON, 60)
        assert taken is not None
        books.runs.add_document(replace(taken, state="queued", attempts=0))
        assert books.runs.take_work("w", NOON, 60) == taken


def test_eight_workers_never_get_the_same(store: Store) -> None:
    with store.write() as books:
        add_run(books, *range(40))
    start = Barrier(8)

    def work(name: int) -> list[int]:
        start.wait()
        mine: list[int] = []
        misses = 0
        while misses < 3:  # others' locks may hide what is left for a moment
            with store.write() as books:
                taken = books.runs.take_work(str(name), NOON, 60)
            if taken is None:
                misses += 1
            else:
                mine.append(taken.position)
        return mine

    with ThreadPoolExecutor(8) as pool:
        taken = [position for mine in pool.map(work, range(8)) for position in mine]
    assert sorted(taken) == list(range(40))


def test_a_bulk_run_that_nobody_hears_of_is_given_up_and_open_again_when_it_goes_on(store: Store) -> None:
    with store.write() as books:
        submitted = add_run(books, 1)
        run = books.runs.create("bulk", None, {})
        done = books.runs.create("bulk", None, {})
        books.runs.finish(done.id, "finished", {})
        soon, late = run.created_at + timedelta(seconds=59), run.created_at + timedelta(seconds=99)
        assert books.runs.give_up_silent(soon, 60) == 0
        assert books.runs.give_up_silent(late, 60) == 1
        assert books.runs.give_up_silent(late, 60) == 0
        assert books.runs.get(run.id) == replace(run, state="interrupted", finished_at=run.created_at)
        assert books.runs.get(submitted.id).state == "open"
        assert books.runs.get(done.id).state == "finished"
        books.runs.note_alive(run.id)
        assert books.runs.get(run.id) == run
