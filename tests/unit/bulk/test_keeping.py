"""Finished documents kept: one transaction a batch, and a state that says what the next start does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extractor.bulk.keeping import Made, Receipt, Ticket, fail, keep_batch
from extractor.bulk.plan import Entry
from extractor.bulk.recipe import Recipe
from extractor.errors import EmptySource, OutputError, SettingsError
from extractor.export.pieces import unpack_pieces
from extractor.model import DocumentIdentity, Origin, Record, Status
from extractor.settings import Settings
from extractor.store.ledger import LedgerFile, LedgerRow
from extractor.store.store import Store
from tests.unit.confidence.records import A, B, field
from tests.unit.confidence.records import flag as plain_flag


def make_recipe(folder: Path, run_id: str = "", **changes: Any) -> Recipe:
    given: dict[str, Any] = {
        "settings": Settings(),
        "policy": "template",
        "certificate": None,
        "signature": "0" * 64,
        "ledger": str(folder / "ledger.sqlite"),
        "store": None,
        "run_id": run_id or str(folder),
        "chances": None,
        "makes_files": True,
    }
    return Recipe(**given | changes)


def make_ticket(number: int, attempts: int = 1) -> Ticket:
    name = f"{number}.txt"
    return Ticket(f"k{number}", Entry(number, f"{number:064x}", name, (Origin(name),)), attempts)


def make(number: int, *, attempts: int = 1, **changes: Any) -> Made:
    """A document of two fields, one of them for review."""
    ticket = make_ticket(number, attempts)
    record = Record(
        document=DocumentIdentity(id=ticket.entry.document_id, path=ticket.entry.path, media_type="text/plain"),
        status=Status.SUCCEEDED,
        origins=ticket.entry.origins,
        fields={A: field(), B: field(0, decision="review")},
    )
    return Made(ticket, record.model_copy(update=changes), None, b"raw %d" % number)


def read_rows(recipe: Recipe) -> dict[str, LedgerRow]:
    with LedgerFile.open(Path(str(recipe.ledger))) as ledger, ledger.read() as books:
        return books.ledger.read(f"k{number}" for number in range(20))


def states(receipts: Sequence[Receipt]) -> list[str]:
    return [receipt.state for receipt in receipts]


def test_a_batch_is_kept_with_all_that_the_outputs_need(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, settings=Settings(audit_share=1))
    receipts = keep_batch(recipe, [make(number) for number in range(3)])
    assert states(receipts) == ["done"] * 3
    assert [(receipt.ticket.entry.position, receipt.review) for receipt in receipts] == [(0, 1), (1, 1), (2, 1)]
    row = read_rows(recipe)["k1"]
    assert (row.document_id, row.state, row.attempts, row.review) == (f"{1:064x}", "done", 1, 1)
    account = json.loads(row.account)
    assert (account["error"], account["eligible"], account["audited"]) == (None, True, True)
    assert row.pieces is not None
    pieces = unpack_pieces(row.pieces)
    assert Record.model_validate_json(pieces.records) == make(1).record
    assert pieces.queue.count(b"\n") == 2  # an audited document is in the queue with all its fields


def test_where_no_files_are_wanted_none_are_prepared(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, makes_files=False)
    keep_batch(recipe, [make(1)])
    assert read_rows(recipe)["k1"].pieces is None


UNANSWERED = ("call-failed", "server-unavailable", "reply-missing", "budget-reached")


@pytest.mark.parametrize("code", UNANSWERED)
def test_a_question_without_an_answer_makes_a_document_incomplete(tmp_path: Path, code: str) -> None:
    assert states(keep_batch(make_recipe(tmp_path), [make(1, flags=(plain_flag(code),))])) == ["incomplete"]


def test_a_reply_that_came_and_was_of_no_use_is_an_answer(tmp_path: Path) -> None:
    assert states(keep_batch(make_recipe(tmp_path), [make(1, flags=(plain_flag("reply-invalid"),))])) == ["done"]


@pytest.mark.parametrize(("is_quarantined", "state"), [(False, "failed"), (True, "quarantined")])
def test_a_failure_is_kept_with_its_reason(tmp_path: Path, is_quarantined: bool, state: str) -> None:
    recipe = make_recipe(tmp_path)
    error = EmptySource("1.txt", "the file is empty", "Fetch it again")
    (receipt,) = keep_batch(recipe, [fail(make_ticket(1, 2), b"", error, is_quarantined=is_quarantined)])
    assert (receipt.state, receipt.status, receipt.reason) == (state, Status.FAILED, "EmptySource")
    row = read_rows(recipe)["k1"]
    assert (row.state, row.attempts) == (state, 2)
    assert json.loads(row.account)["error"]["message"] == "the file is empty. Fetch it again"


def test_a_later_try_replaces_an_earlier_one(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path)
    keep_batch(recipe, [fail(make_ticket(1), b"", ZeroDivisionError("once"))])
    keep_batch(recipe, [make(1, attempts=2)])
    row = read_rows(recipe)["k1"]
    assert (row.state, row.attempts, json.loads(row.account)["error"]) == ("done", 2, None)


def test_a_record_that_no_output_can_hold_fails_alone(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path)
    title = {"header.title": replace(field(), value="\ud800", raw="\ud800")}
    receipts = keep_batch(recipe, [make(1), make(2, fields=title), make(3)])
    assert states(receipts) == ["done", "failed", "done"]
    assert "surrogates not allowed" in json.loads(read_rows(recipe)["k2"].account)["error"]["message"]


def test_a_ledger_that_cannot_be_opened_is_wrong_for_all(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine, and no ledger at all", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"notes\.txt is not an SQLite database"):
        keep_batch(make_recipe(tmp_path, "first", ledger=str(tmp_path / "notes.txt")), [make(1)])
    (tmp_path / "torn.sqlite").write_bytes(b"SQLite format 3\0" + b"torn" * 500)
    with pytest.raises(OutputError, match=r"torn\.sqlite is damaged"):
        keep_batch(make_recipe(tmp_path, "second", ledger=str(tmp_path / "torn.sqlite")), [make(1)])


def test_another_run_into_a_folder_made_anew_is_kept_there(tmp_path: Path) -> None:
    """The process that keeps may be the one of an earlier run, with the earlier file still open."""
    keep_batch(make_recipe(tmp_path, "earlier"), [make(1)])
    for path in tmp_path.glob("ledger.sqlite*"):
        path.unlink()
    recipe = make_recipe(tmp_path, "later")
    keep_batch(recipe, [make(2)])
    assert list(read_rows(recipe)) == ["k2"]


# ---------------------------------------------------------------- a store


@pytest.fixture(params=["sqlite", "postgresql"])
def store_recipe(request: pytest.FixtureRequest, tmp_path: Path) -> Recipe:
    address = str(tmp_path / "s.sqlite")
    if request.param == "postgresql":
        address = request.getfixturevalue("postgres_schema")
    with Store.open(address) as store, store.write() as books:
        run_id = books.runs.create("bulk", None, {}).id
    return make_recipe(tmp_path, run_id, ledger=None, store=address)


def test_a_store_has_documents_extractions_and_the_runs_list_at_once(store_recipe: Recipe) -> None:
    failed = fail(make_ticket(3, 3), b"raw 3", RuntimeError("it ended"), is_quarantined=True)
    keep_batch(store_recipe, [make(1), make(2, flags=(plain_flag("call-failed"),)), failed])
    with Store.open(str(store_recipe.store)) as store, store.read() as books:
        rows = books.ledger.read(["k1", "k2", "k3"])
        documents, _ = books.runs.documents(store_recipe.run_id)
        assert [rows[f"k{number}"].state for number in (1, 2, 3)] == ["done", "incomplete", "quarantined"]
        assert [(one.position, one.state, one.attempts) for one in documents] == [
            (1, "done", 1),
            (2, "done", 1),
            (3, "quarantined", 3),
        ]
        assert [one.extraction_id for one in documents] == [rows[f"k{number}"].extraction_id for number in (1, 2, 3)]
        assert "it ended" in str(documents[2].problem)
        assert books.documents.newest_extraction(f"{1:064x}").record == make(1).record
        source = books.documents.source(f"{3:064x}")
        assert source is not None
        assert source.raw == b"raw 3"


def test_what_is_kept_twice_is_there_once(store_recipe: Recipe) -> None:
    """A worker that died behind its commit has its batch made once more."""
    for _ in range(2):
        keep_batch(store_recipe, [make(1), make(2)])
    with Store.open(str(store_recipe.store)) as store, store.read() as books:
        documents, _ = books.runs.documents(store_recipe.run_id)
        assert [one.position for one in documents] == [1, 2]
        assert len({one.extraction_id for one in documents}) == 2
        assert len(books.documents.cards()[0]) == 2
