"""Runs: jobs over many documents, and the work that waits in them.

Lives here: statements over these tables. Does not live here: the work itself (extractor.bulk, the service), what was
extracted (documents). Reached as Books.runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import Connection, Row, and_, func, or_, select, tuple_

from extractor.errors import NotInStore
from extractor.model import Record
from extractor.store.database import read_time, write_time
from extractor.store.packing import place_at, read_origins, unpack_record, write_origins
from extractor.store.rows import canonical_json, now
from extractor.store.shapes import Run, RunDocument, RunKind, RunState, WorkState
from extractor.store.statements import insert_or_replace, read_cursor, write_cursor
from extractor.store.store_tables import EXTRACTIONS, LIVE_RECORDS, RUN_DOCUMENTS, RUNS

_W = RUN_DOCUMENTS.c
_SHAPE = (
    _W.run_id,
    _W.position,
    _W.name,
    _W.origins,
    _W.state,
    _W.document_id,
    _W.extraction_id,
    _W.attempts,
    _W.problem,
)
_Row = Row[*tuple[Any, ...]]
_WAITING = _W.state.in_(("queued", "working"))
# Records are read in so many at a time: some megabytes.
_BATCH = 100


# Within the class `list` is a method.
_Runs = list[Run]
_RunDocuments = list[RunDocument]


class RunRecord(NamedTuple):
    """What a run made of one of its documents."""

    record: Record
    document: RunDocument


class Runs:
    """The runs of a store, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(self, kind: RunKind, created_by: str | None, arguments: Mapping[str, Any]) -> Run:
        """Open a run."""
        run = Run(uuid4().hex, kind, "open", now(), created_by, arguments=dict(arguments))
        values = {
            "id": run.id,
            "kind": kind,
            "state": run.state,
            "created_at": write_time(run.created_at),
            "created_by": created_by,
            "arguments": canonical_json(dict(arguments)),
            "account": "{}",
            "heard_at": write_time(run.created_at),
        }
        self._connection.execute(RUNS.insert(), values)
        return run

    def get(self, run_id: str) -> Run:
        """A run, with how far it is.

        Raises:
            NotInStore: there is no such run.
        """
        row = self._connection.execute(select(RUNS).where(RUNS.c.id == run_id)).first()
        if row is None:
            raise NotInStore(f"run {run_id} is not in the store. Look it up in the list of runs.")
        return self._count([row])[0]

    def list(self, after: str | None = None, limit: int = 50) -> tuple[_Runs, str | None]:
        """Runs, the newest first, and the cursor of the next page; None at the end.

        Raises:
            BadCursor: `after` is no cursor of this list.
        """
        query = select(RUNS).order_by(RUNS.c.created_at.desc(), RUNS.c.id.desc()).limit(limit + 1)
        if after is not None:
            query = query.where(tuple_(RUNS.c.created_at, RUNS.c.id) < tuple_(*read_cursor(after, str, str)))
        rows = self._connection.execute(query).all()
        cursor = write_cursor([rows[limit - 1].created_at, rows[limit - 1].id]) if len(rows) > limit else None
        return self._count(rows[:limit]), cursor

    def list_unfinished(self, kind: RunKind) -> _Runs:
        """Runs of a kind that are open, oldest first."""
        query = select(RUNS).where(RUNS.c.state == "open", RUNS.c.kind == kind)
        return self._count(self._connection.execute(query.order_by(RUNS.c.created_at, RUNS.c.id)).all())

    def note_alive(self, run_id: str) -> None:
        """Note that a run goes on; one that was given up because it was silent is open again."""
        values = {"heard_at": write_time(now()), "state": "open", "finished_at": None}
        self._connection.execute(RUNS.update().where(RUNS.c.id == run_id).values(values))

    def give_up_silent(self, now: datetime, silent_s: float) -> int:
        """Mark bulk runs as interrupted that nobody has heard of for so long: their program died.

        Submitted runs are not among them: their documents wait for any worker.

        Returns:
            How many there were.
        """
        last = func.coalesce(RUNS.c.heard_at, RUNS.c.created_at)
        is_silent = and_(
            RUNS.c.state == "open", RUNS.c.kind == "bulk", last < write_time(now - timedelta(seconds=silent_s))
        )
        values = {"state": "interrupted", "finished_at": last}
        return self._connection.execute(RUNS.update().where(is_silent).values(values)).rowcount

    def finish(self, run_id: str, state: RunState, account: Mapping[str, Any]) -> None:
        """Close a run."""
        values = {"state": state, "account": canonical_json(dict(account)), "finished_at": write_time(now())}
        self._connection.execute(RUNS.update().where(RUNS.c.id == run_id).values(values))

    # ---------------------------------------------------------------- its documents

    def add_document(self, document: RunDocument) -> None:
        """Write down one document of a run. One that stands at its position already is replaced."""
        values = {
            "run_id": document.run_id,
            "position": document.position,
            "name": document.name,
            "origins": write_origins(document.origins),
            "state": document.state,
            "document_id": document.document_id,
            "extraction_id": document.extraction_id,
            "attempts": document.attempts,
            "problem": document.problem,
        }
        # Who is queued again keeps his place in the line.
        insert_or_replace(self._connection, RUN_DOCUMENTS, values, once={"added_at": write_time(now())})

    def documents(self, run_id: str, after: str | None = None, limit: int = 50) -> tuple[_RunDocuments, str | None]:
        """Documents of a run in their order, and the cursor of the next page; None at the end.

        Raises:
            BadCursor: `after` is no cursor of this list.
        """
        query = select(*_SHAPE).where(_W.run_id == run_id).order_by(_W.position).limit(limit + 1)
        if after is not None:
            query = query.where(_W.position > read_cursor(after, int)[0])
        rows = self._connection.execute(query).all()
        cursor = write_cursor([rows[limit - 1].position]) if len(rows) > limit else None
        return [_document(row) for row in rows[:limit]], cursor

    def records(self, run_id: str, *, as_extracted: bool = False) -> Iterator[RunRecord]:
        """What a run made, in its order; documents that have no record are left out.

        Args:
            as_extracted: what this run extracted, without any person's word. Otherwise the record as it stands now,
                with the rulings, which rests on the newest extraction of the document, this run's or a later one's.
        """
        last = -1
        while rows := self._read_records(run_id, last):
            for row in rows:
                packed = row.record if as_extracted or row.live is None else row.live
                document = _document(row)
                yield RunRecord(place_at(unpack_record(packed), document), document)
            last = rows[-1].position

    def _read_records(self, run_id: str, last: int) -> Sequence[_Row]:
        query = (
            select(*_SHAPE, EXTRACTIONS.c.record, LIVE_RECORDS.c.record.label("live"))
            .join(EXTRACTIONS, EXTRACTIONS.c.id == _W.extraction_id)
            .outerjoin(LIVE_RECORDS, LIVE_RECORDS.c.document_id == _W.document_id)
            .where(_W.run_id == run_id, _W.position > last)
            .order_by(_W.position)
            .limit(_BATCH)
        )
        return self._connection.execute(query).all()

    # ---------------------------------------------------------------- work

    def take_work(self, worker: str, now: datetime, lease_s: float) -> RunDocument | None:
        """Take the document that waits longest, or one whose worker has not been heard of for too long.

        Args:
            worker: who takes it; only this one may renew it.

        Returns:
            The document, its attempt counted; None where nothing waits. Nobody else gets it while the lease lasts.
        """
        moment = write_time(now)
        is_free = or_(_W.state == "queued", and_(_W.state == "working", _W.leased_until <= moment))
        query = select(*_SHAPE).where(_WAITING, is_free).order_by(_W.added_at, _W.run_id, _W.position).limit(1)
        row = self._connection.execute(query.with_for_update(skip_locked=True)).first()
        if row is None:
            return None
        values = {
            "state": "working",
            "worker": worker,
            "leased_until": write_time(now + timedelta(seconds=lease_s)),
            "attempts": row.attempts + 1,
        }
        self._connection.execute(RUN_DOCUMENTS.update().where(_is(row.run_id, row.position)).values(values))
        return _document(row, state="working", attempts=row.attempts + 1)

    def renew_work(self, run_id: str, position: int, worker: str, now: datetime, lease_s: float) -> bool:
        """Hold a document for longer.

        Returns:
            False where it was given to somebody else meanwhile, or is done.
        """
        mine = and_(_is(run_id, position), _W.state == "working", _W.worker == worker)
        until = write_time(now + timedelta(seconds=lease_s))
        return self._connection.execute(RUN_DOCUMENTS.update().where(mine).values(leased_until=until)).rowcount == 1

    def finish_work(  # noqa: PLR0917
        self,
        run_id: str,
        position: int,
        state: WorkState,
        document_id: str | None = None,
        extraction_id: int | None = None,
        problem: str | None = None,
    ) -> None:
        """Write down how a document ended, or, with `queued`, that it waits again."""
        values: dict[str, Any] = {"state": state, "problem": problem, "worker": None, "leased_until": None}
        known = {"document_id": document_id, "extraction_id": extraction_id}
        values |= {name: value for name, value in known.items() if value is not None}
        self._connection.execute(RUN_DOCUMENTS.update().where(_is(run_id, position)).values(values))

    def _count(self, rows: Sequence[_Row]) -> _Runs:
        query = select(_W.run_id, _W.state, func.count()).where(_W.run_id.in_([row.id for row in rows]))
        counts: dict[str, dict[WorkState, int]] = {row.id: {} for row in rows}
        for run_id, state, count in self._connection.execute(query.group_by(_W.run_id, _W.state)):
            counts[run_id][state] = count
        return [_run(row, counts[row.id]) for row in rows]


def _is(run_id: str, position: int) -> Any:
    return and_(_W.run_id == run_id, _W.position == position)


def _run(row: _Row, counts: Mapping[WorkState, int]) -> Run:
    return Run(
        id=row.id,
        kind=row.kind,
        state=row.state,
        created_at=read_time(row.created_at),
        created_by=row.created_by,
        finished_at=None if row.finished_at is None else read_time(row.finished_at),
        arguments=json.loads(row.arguments),
        account=json.loads(row.account),
        counts=counts,
    )


def _document(row: _Row, **changed: Any) -> RunDocument:
    values = {column.name: getattr(row, column.name) for column in _SHAPE}
    return RunDocument(**(values | {"origins": read_origins(row.origins)} | changed))
