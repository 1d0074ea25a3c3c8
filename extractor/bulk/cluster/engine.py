"""The engine of a run over many machines: the same verbs as that of one machine (extractor.bulk.engine).

    sources --chunks--> workers --receipts--> on_kept

Only as many chunks are on their way as the workers take at once; the next one is read when one is over. What a chunk
makes is in the store before the driver hears of it.

Lives here: which chunk goes when, what is done with one whose workers died, how it ends. Does not live here: Dask
(pool), what a worker does (worker), connecting (connecting).
"""

from __future__ import annotations

import asyncio
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from extractor.bulk.cluster.order import Report, take_versions
from extractor.bulk.cluster.pool import DaskPool, Ended, WorkersDied
from extractor.bulk.cluster.shares import Shares
from extractor.bulk.cluster.worker import work_chunk
from extractor.bulk.cluster.writing import OrderBook
from extractor.bulk.flow import ModelPart
from extractor.bulk.keeping import Receipt
from extractor.bulk.making import Halt, Source, set_aside
from extractor.bulk.recipe import Recipe
from extractor.errors import OutputError, ServerRefused
from extractor.llm.budget import Limits
from extractor.llm.calls import BudgetReached
from extractor.store.quota import Ousted
from extractor.store.store import Store
from extractor.telemetry.watching import tell

# As much as makes up for handing over, and little enough that who dies with it loses little.
_MOST_DOCUMENTS = 64
_FEWEST_DOCUMENTS = 4
_MOST_BYTES = 6_000_000  # Dask complains from 10 MB on
_TICK_S = 1.0


@dataclass(frozen=True, slots=True)
class _Chunk:
    number: int
    sources: Sequence[Source]
    share: int


class ClusterEngine:
    """Has documents made by the workers of a cluster until there are none left, or something ends it.

    Attributes:
        in_flight: documents that were handed out.
        stopped_by: why it ended before the last document: a limit, or a server that refuses every call.
        is_interrupted: whether somebody ended it.
    """

    def __init__(
        self,
        pool: DaskPool,
        store: Store,
        recipe: Recipe,
        model: ModelPart | None,
        *,
        limits: tuple[Limits, Limits],
        expected: int,
        on_kept: Callable[[Sequence[Receipt]], None],
        on_tick: Callable[[], None] = lambda: None,
        on_notice: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Set up; nothing begins yet.

        Args:
            model: whose policy and name the workers take over; it takes in what they spend. It is closed by the caller.
            limits: of the run and of each document.
            expected: about how many documents there are, so that the last chunks are small.
            on_kept: told of every chunk, when it is safe.
            on_tick: called about once a second.
            on_notice: told what workers say that the operator should know, each thing once.
        """
        self.in_flight = 0
        self.stopped_by: BudgetReached | ServerRefused | None = None
        self.is_interrupted = False
        self._pool, self._store = pool, store
        self._recipe = recipe
        self._model = model
        self._on_kept, self._on_tick, self._on_notice = on_kept, on_tick, on_notice
        self._noticed: set[str] = set()
        self._expected = expected
        self._is_ending = self._is_over = self._is_read = False
        self._shares = Shares(recipe.settings.concurrency if model else 1 << 30)
        self._waiting: deque[Sequence[Source]] = deque()  # halves of chunks whose workers died
        self._under_way: dict[int, _Chunk] = {}
        self._next_number = 0
        self._versions = take_versions()
        self._book = OrderBook(recipe, model, *limits)

    def run(self, sources: Iterator[Source]) -> None:
        """Have made and kept what `sources` gives; it is read as far ahead as there are workers.

        Ctrl-C (or SIGTERM) ends it in good order: chunks under way are finished. A second one ends it at once.

        Raises:
            SettingsError: the scheduler is gone, or a worker is not as it must be.
            OutputError, StoreError: wrong for every document; what was kept stays.
        """
        with self._heed_signals(), self._book.open_purse():
            try:
                while self._hand_out(sources) and not self._is_over:
                    if ended := self._pool.wait(_TICK_S):
                        self._take_in(self._under_way.pop(ended.number), ended)
                    self._on_tick()
            finally:
                if self._model:
                    with suppress(OutputError):  # calls of workers that died are known to the journal alone
                        self._model.session.recount()
                    asyncio.run(self._model.session.aclose())

    # ---------------------------------------------------------------- handing out

    def _hand_out(self, sources: Iterator[Source]) -> bool:
        """As many chunks as the workers take at once. Returns whether anything is left."""
        slots = self._pool.count_slots()
        if not slots:
            self._notice("The cluster has no worker now; the run waits for one.")
        while not self._is_ending and len(self._under_way) < slots:
            share = self._shares.take(slots - len(self._under_way))
            if share is None:
                break
            chunk = self._waiting.popleft() if self._waiting else self._read_chunk(sources, slots)
            if not chunk:
                self._shares.give_back(share)
                self._is_read = True
                break
            self._send(_Chunk(self._next_number, chunk, share))
            self._next_number += 1
        return bool(self._under_way) or not (self._is_ending or (self._is_read and not self._waiting))

    def _read_chunk(self, sources: Iterator[Source], slots: int) -> list[Source]:
        """The next chunk; towards the end they become small, so that all workers end together."""
        most = max(_FEWEST_DOCUMENTS, min(_MOST_DOCUMENTS, self._expected // (3 * max(1, slots))))
        chunk: list[Source] = []
        size = 0
        for source in sources:
            chunk.append(source)
            size += len(source.raw or b"")
            if len(chunk) >= most or size >= _MOST_BYTES:
                break
        self._expected -= len(chunk)
        self.in_flight += len(chunk)
        return chunk

    def _send(self, chunk: _Chunk) -> None:
        new = [source.ticket.key for source in chunk.sources if source.ticket.attempts == 1]
        with self._store.write() as books:  # what stands there is of a run that is to be made anew
            books.ledger.clear(new)
        self._under_way[chunk.number] = chunk
        payload = self._book.write(chunk.number, chunk.share, chunk.sources)
        self._pool.submit(chunk.number, work_chunk, self._versions, payload)

    # ---------------------------------------------------------------- taking in

    def _take_in(self, chunk: _Chunk, ended: Ended) -> None:
        self._shares.give_back(chunk.share)
        if isinstance(ended.error, WorkersDied):
            self._take_apart(chunk)
        elif isinstance(ended.error, Ousted):  # by a twin of it that is gone as well
            self._waiting.append(chunk.sources)
        elif ended.error:
            raise ended.error
        else:
            report: Report = pickle.loads(ended.payload or b"")  # noqa: S301 - from a worker of ours
            self._take_report(chunk, report)

    def _take_report(self, chunk: _Chunk, report: Report) -> None:
        tickets = {source.ticket.key: source.ticket for source in chunk.sources}
        receipts = [receipt._replace(ticket=tickets[receipt.ticket.key]) for receipt in report.receipts]
        self.in_flight -= len(chunk.sources)
        if self._model and report.spent:
            self._model.session.count_elsewhere(report.spent, report.replied, report.missing)
        if report.reply_mode:
            self._book.learn_reply_mode(report.reply_mode)
        for event in report.events:
            tell(event)
        for notice in report.notices:
            self._notice(notice)
        if receipts:
            self._on_kept(receipts)
        if report.stopped and self.stopped_by is None:
            kind, message = report.stopped
            is_limit = kind == BudgetReached.__name__
            self.stopped_by = BudgetReached(message, "run") if is_limit else ServerRefused(message)
            self._is_ending = True

    def _notice(self, notice: str) -> None:
        if notice not in self._noticed:
            self._noticed.add(notice)
            self._on_notice(notice)

    def _take_apart(self, chunk: _Chunk) -> None:
        """One of its documents may be what its workers died of: which one shows when each is alone."""
        if len(chunk.sources) > 1:
            middle = len(chunk.sources) // 2
            self._waiting.extend((chunk.sources[:middle], chunk.sources[middle:]))
            return
        source = chunk.sources[0]
        problem = "every worker that was given this document died; it is set aside and not tried again"
        kept = set_aside(self._recipe, source.ticket, source.raw, problem)
        if isinstance(kept, Halt):
            raise kept.kind(kept.message)
        self.in_flight -= 1
        self._on_kept(kept)

    # ---------------------------------------------------------------- how it ends

    def interrupt(self) -> None:
        """Hand out nothing more; what is under way is finished. A second time: end at once."""
        self._is_over = self.is_interrupted
        self.is_interrupted = self._is_ending = True

    @contextmanager
    def _heed_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(number, lambda *_: self.interrupt()) for number in numbers]
        try:
            yield
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)
