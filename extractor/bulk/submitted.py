"""Documents that somebody submits to the service: taken from the store's queue, read, filed, one by one.

Lives here: the worker, its leases, what happens when the program dies over a document. Does not live here: one document
(document_work), what becomes of it in the store (extractor.review.intake), who submits (extractor.web). Run by the
service in a thread of its own; several processes may work off one store.

A document is taken under a lease. Whoever dies leaves it, and when the lease is over another worker takes it again. A
document is filed and finished in one transaction, so that each is done once. One that was left behind is tried alone,
so that it takes no others with it; after MOST_ATTEMPTS nobody tries it any more.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from tempfile import TemporaryDirectory
from threading import Event
from typing import TYPE_CHECKING, Any

from extractor.bulk.document_work import DocumentReader, Finished
from extractor.bulk.filing import SILENT_S
from extractor.bulk.flow import ModelPart, open_standing
from extractor.errors import OutputError, ServerRefused, SettingsError, StoreError
from extractor.export.counts import Counts
from extractor.llm.calls import BudgetReached
from extractor.model import Record
from extractor.pipeline import VERSIONS
from extractor.review.intake import file_record
from extractor.review.sync import read_chances
from extractor.settings import Settings
from extractor.store.shapes import RunDocument

if TYPE_CHECKING:
    from extractor.store.store import Books, Store

#: How often a document is tried that the program does not survive.
MOST_ATTEMPTS = 3
_IDLE_S = 0.25
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
#: Wrong for every document alike, and perhaps only for now: the worker waits and tries again.
_OUTAGES = (StoreError, OutputError, SettingsError, BudgetReached, ServerRefused)


class Worker:
    """Works off submitted runs until it is told to stop.

    Attributes:
        name: whose leases these are: machine, process, worker.
        problem: why nothing goes on at the moment (the store away, the model's server refusing), for people.
    """

    def __init__(
        self, store: Store, settings: Settings, model: ModelPart | None, stop: Event, *, lease_s: float = 60
    ) -> None:
        """Prepare; nothing is taken yet.

        Args:
            store: where the runs are.
            settings: for loading; certificate and model are those of the service.
            model: asked for what its policy wants; closed at the end. None: the rules alone.
            stop: set by whoever wants the worker to end.
            lease_s: seconds until a document that a dead worker left is taken again.

        Raises:
            SettingsError: the certificate cannot be used.
        """
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.problem: str | None = None
        self._store = store
        self._settings = settings
        self._model = model
        self._stop = stop
        self._lease_s = lease_s
        self._certificate = open_standing(model, settings).certificate
        # Twice as many documents as may be read at once: while pages are recognised, others are parsed or asked about.
        self._most = 2 * settings.count_page_workers()
        self._under_way: dict[asyncio.Task[None], RunDocument] = {}

    @property
    def under_way(self) -> int:
        """How many documents are at work now."""
        return len(self._under_way)

    def run(self) -> None:
        """Take and read documents until told to stop. What is under way then is given back."""
        # Pictures of a submitted page are looked for in its folder; this one is empty and stays so.
        with TemporaryDirectory(prefix="extractor-submitted-") as folder:
            self._reader = DocumentReader(folder, self._settings, self._model, self._certificate)
            asyncio.run(self._work())

    async def _work(self) -> None:
        pause_s = _FIRST_PAUSE_S
        try:
            while not self._stop.is_set():
                try:
                    await self._work_until_outage()
                except _OUTAGES as error:
                    self.problem = str(error)
                    await self._give_back()
                    await self._wait(pause_s)
                    pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        finally:
            await self._give_back()
            if self._model:
                await self._model.session.aclose()

    async def _work_until_outage(self) -> None:
        await asyncio.to_thread(self._prepare)
        renewed_at = time.monotonic()
        while not self._stop.is_set():
            self._collect()
            if time.monotonic() - renewed_at > self._lease_s / 4:
                await asyncio.to_thread(self._renew)
                renewed_at = time.monotonic()
            taken = await asyncio.to_thread(self._take) if self._has_room() else None
            if taken:
                self._under_way[asyncio.create_task(self._do(taken))] = taken
            elif self._under_way:
                await asyncio.wait(self._under_way, timeout=_IDLE_S, return_when=asyncio.FIRST_COMPLETED)
            else:
                await asyncio.sleep(_IDLE_S)

    def _has_room(self) -> bool:
        """One that was left behind works alone: it may be what the program died of."""
        return len(self._under_way) < self._most and all(taken.attempts == 1 for taken in self._under_way.values())

    def _collect(self) -> None:
        """Let go of what is finished.

        Raises:
            StoreError, OutputError, SettingsError, BudgetReached, ServerRefused: wrong for every document.
        """
        for task in [task for task in self._under_way if task.done()]:
            del self._under_way[task]
            task.result()
            self.problem = None

    async def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._stop.is_set():
            await asyncio.sleep(_IDLE_S)

    # ---------------------------------------------------------------- one document

    async def _do(self, taken: RunDocument) -> None:
        if taken.attempts > MOST_ATTEMPTS:
            finished = self._reader.give_up(taken, MOST_ATTEMPTS)
        else:
            if taken.attempts > 1:
                await self._wait_for_others()
            source = await asyncio.to_thread(self._load, taken)
            finished = await self._reader.read(taken, source)
        await asyncio.to_thread(self._file, taken, finished)  # to its end, whoever cancels: a thread goes on

    async def _wait_for_others(self) -> None:
        others = [task for task in self._under_way if task is not asyncio.current_task()]
        if others:
            await asyncio.wait(others)

    def _load(self, taken: RunDocument) -> bytes:
        with self._store.read() as books:
            source = books.documents.source(taken.document_id or "")
        return source.raw if source else b""

    def _file(self, taken: RunDocument, finished: Finished) -> None:
        """File and finish in one transaction: done once, or not at all."""
        with self._store.write() as books:
            if not self._holds(books, taken):
                return  # this machine slept: somebody else reads it
            document_id, extraction_id = file_record(
                books,
                record=finished.record,
                text=finished.text,
                pages=finished.pages,
                raw=finished.raw,
                name=taken.name,
                media_type=finished.record.document.media_type,
                made_at=datetime.now(UTC),
                settings=self._settings,
                chances=self._chances,
            )
            books.runs.finish_work(
                taken.run_id, taken.position, finished.state, document_id, extraction_id, finished.problem
            )
        self._close_run(taken.run_id)

    # ---------------------------------------------------------------- leases and runs

    def _take(self) -> RunDocument | None:
        with self._store.write() as books:
            return books.runs.take_work(self.name, datetime.now(UTC), self._lease_s)

    def _renew(self) -> None:
        with self._store.write() as books:
            books.runs.give_up_silent(datetime.now(UTC), SILENT_S)
            for taken in tuple(self._under_way.values()):
                self._holds(books, taken)

    async def _give_back(self) -> None:
        """End what is under way; whoever comes next need not wait for the leases to run out."""
        left = dict(self._under_way)
        self._under_way.clear()
        for task in left:
            task.cancel()
        results = await asyncio.gather(*left, return_exceptions=True)
        unfinished = [taken for taken, result in zip(left.values(), results, strict=True) if result is not None]
        try:
            await asyncio.to_thread(self._put_back, unfinished)
        except StoreError as error:
            self.problem = str(error)  # the leases run out

    def _put_back(self, unfinished: list[RunDocument]) -> None:
        """Queue them again; to be told to stop is no attempt that failed."""
        if unfinished:
            with self._store.write() as books:
                for taken in unfinished:
                    if self._holds(books, taken):
                        books.runs.add_document(replace(taken, state="queued", attempts=taken.attempts - 1))

    def _holds(self, books: Books, taken: RunDocument) -> bool:
        """Whether nobody else was given the document meanwhile; the lease is renewed by asking."""
        return books.runs.renew_work(taken.run_id, taken.position, self.name, datetime.now(UTC), self._lease_s)

    def _prepare(self) -> None:
        """What reviewers found so far, and runs whose last document was filed by somebody who died before saying so."""
        with self._store.write() as books:
            books.runs.give_up_silent(datetime.now(UTC), SILENT_S)
        with self._store.read() as books:
            self._chances = read_chances(books)
        after: str | None = None
        while True:
            with self._store.read() as books:
                runs, after = books.runs.list(after)
            for run in runs:
                if run.kind == "submitted" and run.state == "open":
                    self._close_run(run.id)
            if after is None:
                return

    def _close_run(self, run_id: str) -> None:
        with self._store.read() as books:
            run = books.runs.get(run_id)
            if run.state != "open" or run.counts.get("queued") or run.counts.get("working"):
                return
            account = self._give_account(made.record for made in books.runs.records(run_id, as_extracted=True))
        with self._store.write() as books:
            books.runs.finish(run_id, "finished", account)
            self._chances = read_chances(books)

    def _give_account(self, records: Iterable[Record]) -> Mapping[str, Any]:
        """What run.json says of a submitted run."""
        counts = Counts()
        for record in records:
            counts.count(record)
        return {
            "versions": VERSIONS,
            **counts.describe(),
            "model": self._model.describe() if self._model else None,
            "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
