"""Finished documents kept: a batch is one transaction in the ledger, and in the store where there is one.

Lives here: what stands in the ledger, and what happens where a record cannot be kept. Does not live here: making the
record (making), putting the outputs together (publish), the rows (extractor.store.ledger). Runs in worker processes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

from extractor.bulk.audit import has_accepted, is_in_sample
from extractor.bulk.beside import list_beside
from extractor.bulk.failures import Failure, RunError, describe_failure
from extractor.bulk.filing import tell_problem
from extractor.bulk.plan import Entry
from extractor.bulk.recipe import Recipe
from extractor.errors import OutputError, SettingsError, StoreError
from extractor.export import prepare_document
from extractor.export.counts import Counts
from extractor.export.pieces import pack_pieces
from extractor.export.rows import TableLayout
from extractor.model import Document, Record, Status
from extractor.review.intake import file_record
from extractor.store.database import is_deadlock
from extractor.store.ledger import LedgerBooks, LedgerFile, LedgerRow, LedgerState, LedgerTable
from extractor.store.shapes import RunDocument, WorkState
from extractor.store.store import Books, Store
from extractor.telemetry.clock import StageClock
from extractor.telemetry.events import StageTime

_MOST_DEADLOCKS = 5
# A question without an answer; the server may answer another time. A page or picture that was not read took too long
# or too much, which another time, or with more of either, may end otherwise.
_UNANSWERED = frozenset({"call-failed", "server-unavailable", "reply-missing", "budget-reached", "page-not-read"})


class Ticket(NamedTuple):
    """A document on its way: which one, under which key, and how often it was tried, this time included."""

    key: str
    entry: Entry
    attempts: int


class Made(NamedTuple):
    """What was made of a document.

    Attributes:
        document: as it was read; None where it could not be.
        raw: its bytes; None where they could not be read.
        error: what run.json says of a failure.
        stages: that it went through.
    """

    ticket: Ticket
    record: Record
    document: Document | None
    raw: bytes | None
    error: RunError | None = None
    is_quarantined: bool = False
    stages: tuple[StageTime, ...] = ()


class Receipt(NamedTuple):
    """A document is kept: what the run needs to know of it.

    Attributes:
        review: how many of its fields a person must look at.
        stages: that it went through; the last is the transaction, the same for all documents in it.
        reason: kind of the error where it failed.
    """

    ticket: Ticket
    state: LedgerState
    status: Status
    review: int
    stages: tuple[StageTime, ...]
    reason: str


class Keeper(Protocol):
    """A store, or the ledger of an output folder."""

    def read(self) -> AbstractContextManager[HoldsLedger]:
        """For reading."""

    def write(self) -> AbstractContextManager[HoldsLedger]:
        """One transaction."""

    def close(self) -> None:
        """At the end."""


class HoldsLedger(Protocol):
    """What both have."""

    @property
    def ledger(self) -> LedgerTable:
        """The ledger."""


def open_keeper(recipe: Recipe) -> Keeper:
    """The database that a run is kept in.

    Raises:
        SettingsError, StoreError, OutputError: it cannot be opened.
    """
    # Who waits for another writer longer than a task may take is killed, and a document blamed for it.
    patience_s = min(60, recipe.settings.page_timeout_s / 2)
    if recipe.store:
        return Store.open(recipe.store, lock_timeout_s=patience_s)
    return LedgerFile.open(Path(recipe.ledger or ""), lock_timeout_s=patience_s)


_open: dict[str, Keeper] = {}  # of this process, by the run: it works for one at a time


def _share_keeper(recipe: Recipe) -> Keeper:
    # By the run and not by its address: a file there may be another one since an earlier run of the same program.
    if recipe.run_id not in _open:
        for keeper in _open.values():
            keeper.close()
        _open.clear()
        _open[recipe.run_id] = open_keeper(recipe)
    return _open[recipe.run_id]


def fail(ticket: Ticket, raw: bytes | None, error: Exception, *, is_quarantined: bool = False) -> Made:
    """What is kept of a document that could not be read."""
    entry = ticket.entry
    failure: Failure = describe_failure(entry.path, entry.document_id, entry.origins, error)
    return Made(ticket, failure.record, None, raw, failure.entry, is_quarantined)


def find_receipt(recipe: Recipe, ticket: Ticket) -> Receipt | None:
    """The receipt of a document that was kept at this very try, if it was."""
    with _share_keeper(recipe).read() as books:
        row = books.ledger.read([ticket.key]).get(ticket.key)
    if row is None or row.attempts != ticket.attempts:
        return None
    account = json.loads(row.account)
    reason = account["error"]["error"] if account["error"] else ""
    return Receipt(ticket, row.state, Status(next(iter(account["counts"]["statuses"]))), row.review, (), reason)


def keep_batch(recipe: Recipe, batch: Sequence[Made]) -> list[Receipt]:
    """Keep documents in one transaction: all of them are kept, or none.

    Raises:
        OutputError, StoreError: the database cannot be written; what was kept before stays.
    """
    ready = [_prepare(recipe, made) for made in batch]
    try:
        return _commit(recipe, ready)
    except (OutputError, StoreError, SettingsError):
        raise
    except Exception as error:  # one record that no table can hold never stops the rest
        if len(ready) > 1:
            return [receipt for one in ready for receipt in keep_batch(recipe, [one.made])]
        made = ready[0].made
        return _commit(recipe, [_prepare(recipe, fail(made.ticket, None, error))])


class _Ready(NamedTuple):
    made: Made
    account: str
    pieces: bytes | None
    review: int


def _prepare(recipe: Recipe, made: Made) -> _Ready:
    """All that can fail on the record itself, before the transaction."""
    try:
        return _describe(recipe, made)
    except Exception as error:
        return _describe(recipe, fail(made.ticket, made.raw, error))


def _describe(recipe: Recipe, made: Made) -> _Ready:
    record = made.record
    is_audited = is_in_sample(record, recipe.settings)
    pieces = None
    if recipe.makes_files:
        pieces = pack_pieces(prepare_document(_layout(), record, is_audited=is_audited))
    counts = Counts()
    counts.count(record)
    account: dict[str, Any] = {
        "counts": counts.pack(),
        "error": asdict(made.error) if made.error else None,
        "eligible": has_accepted(record),
        "audited": is_audited,
    }
    if made.document and made.document.media_type == "text/html":
        account["beside"] = list_beside(made.ticket.entry.where, made.raw)
    text = json.dumps(account, ensure_ascii=False, separators=(",", ":"))
    text.encode()  # a lone surrogate shows here
    return _Ready(made, text, pieces, counts.decisions["review"])


_layout = cache(TableLayout)


def _commit(recipe: Recipe, batch: Sequence[_Ready]) -> list[Receipt]:
    for _ in range(_MOST_DEADLOCKS):
        try:
            return _try_commit(recipe, batch)
        except StoreError as error:  # somebody at the review page may hold what we want, and want what we hold
            if not is_deadlock(error):
                raise
    return _try_commit(recipe, batch)


def _try_commit(recipe: Recipe, batch: Sequence[_Ready]) -> list[Receipt]:
    clock = StageClock()
    with clock.measure("file"), _share_keeper(recipe).write() as books:
        if isinstance(books, LedgerBooks):
            rows = [_file(recipe, books, ready) for ready in batch]
        else:
            store = cast("Books", books)
            with store.counting_once():
                rows = [_file(recipe, books, ready) for ready in batch]
            # What all batches change comes last, and in one order: until then they go side by side, and no two wait
            # for each other.
            store.runs.note_alive(recipe.run_id)
        books.ledger.put(rows)
    return [_receive(ready, row, clock.taken) for ready, row in zip(batch, rows, strict=True)]


def _receive(ready: _Ready, row: LedgerRow, filed: tuple[StageTime, ...]) -> Receipt:
    made = ready.made
    reason = made.error.error if made.error else ""
    return Receipt(made.ticket, row.state, made.record.status, ready.review, (*made.stages, *filed), reason)


def _file(recipe: Recipe, books: HoldsLedger, ready: _Ready) -> LedgerRow:
    """The row of the ledger; in a store also document, extraction, queue and the run's own list."""
    made = ready.made
    state = _tell_state(made)
    document_id, extraction_id = made.record.document.id, None
    if not isinstance(books, LedgerBooks):
        document_id, extraction_id = _file_in_store(recipe, cast("Books", books), made, state)
    key, _, attempts = made.ticket
    return LedgerRow(key, document_id, state, attempts, ready.review, extraction_id, ready.account, ready.pieces)


def _tell_state(made: Made) -> LedgerState:
    if made.is_quarantined:
        return "quarantined"
    if made.record.status is Status.FAILED:
        return "failed"
    return "incomplete" if any(flag.code in _UNANSWERED for flag in made.record.flags) else "done"


def _file_in_store(recipe: Recipe, books: Books, made: Made, state: LedgerState) -> tuple[str | None, int]:
    record, document = made.record, made.document
    document_id, extraction_id = file_record(
        books,
        record=record,
        text=document.text if document else "",
        pages=document.paper.pages if document and document.paper else (),
        raw=made.raw,
        name=record.document.path,
        media_type=record.document.media_type,
        made_at=datetime.now(UTC),
        settings=recipe.settings,
        chances=recipe.chances,
    )
    books.runs.add_document(
        list_document(recipe, made.ticket, state, document_id, extraction_id, problem=tell_problem(record))
    )
    return document_id, extraction_id


def list_document(
    recipe: Recipe,
    ticket: Ticket,
    state: LedgerState,
    document_id: str | None,
    extraction_id: int | None,
    *,
    problem: str | None = None,
) -> RunDocument:
    """A document as the store's run lists it."""
    listed: WorkState = "done" if state == "incomplete" else state
    return RunDocument(
        run_id=recipe.run_id,
        position=ticket.entry.position,
        name=ticket.entry.path,
        origins=ticket.entry.origins,
        state=listed,
        document_id=document_id,
        extraction_id=extraction_id,
        attempts=ticket.attempts,
        problem=None if listed == "done" else problem,
    )


def at_place(document: Document, entry: Entry) -> Document:
    """The document under the path that is shown."""
    return document if document.path == entry.path else replace(document, path=entry.path)
