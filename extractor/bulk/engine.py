"""The engine of a run: documents to worker processes, questions to the model, results back to be kept.

    sources --read--> draft_batch (worker) --questions--> model (this loop) --answers--> finish_batch (worker)

Nothing waits in a line that has no end: only so many documents are on their way at once, and the next one is read when
one of them is kept. Whatever finishes first is kept first; the order of the outputs is made at the end.

Lives here: who goes next, how much is under way, and how it ends. Does not live here: what workers do (making,
keeping), the calls (extractor.llm), where sources come from (run), what is told (progress). One engine a run.
"""

from __future__ import annotations

import asyncio
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from extractor.bulk.flow import ModelPart
from extractor.bulk.keeping import Receipt
from extractor.bulk.making import Answered, Drafted, Halt, Source, draft_batch, finish_batch, get_ready, set_aside
from extractor.bulk.recipe import Recipe
from extractor.errors import OutputError, SettingsError, SourceError, StoreError
from extractor.llm.calls import BudgetReached, ServerRefused
from extractor.pipeline import Questions, ask_about
from extractor.settings import Settings
from extractor.sources import BegunDocument, reads_in_processes
from extractor.sources.pages.workers import NoWorkers, TaskFailed, preload_in_workers, share_workers
from extractor.telemetry.clock import StageClock

# Documents of one task, and of one transaction: as many as share the cost of both without holding up a small run.
_BATCH = 8
_MOST_BATCH = 16
_BATCH_BYTES = 4_000_000
# Bytes of sources on their way at once.
_MOST_BYTES = 128_000_000
_TICK_S = 1.0

_T = TypeVar("_T")

preload_in_workers(draft_batch.__module__)


def get_workers_ready(settings: Settings) -> None:
    """Start the worker processes; they come up while the caller does something else."""
    for _ in range(settings.count_page_workers()):
        share_workers(settings).submit(get_ready, timeout_s=settings.page_timeout_s)


class Engine:
    """Makes documents and keeps them until there are none left, or something ends it.

    Attributes:
        in_flight: documents at work.
        stopped_by: why it ended before the last document: a limit, or a server that refuses every call.
        is_interrupted: whether somebody ended it.
    """

    def __init__(
        self,
        recipe: Recipe,
        model: ModelPart | None,
        *,
        on_kept: Callable[[Sequence[Receipt]], None],
        on_tick: Callable[[], None] = lambda: None,
    ) -> None:
        """Set up; nothing begins yet.

        Args:
            model: asked for what its policy wants; it is closed at the end.
            on_kept: told of every batch, when it is safe.
            on_tick: called about once a second.
        """
        self.in_flight = 0
        self.stopped_by: BudgetReached | ServerRefused | None = None
        self.is_interrupted = False
        self._recipe = recipe
        self._model = model
        self._on_kept = on_kept
        self._on_tick = on_tick
        settings = recipe.settings
        self._workers = share_workers(settings)
        self._count = settings.count_page_workers()
        # While one document is being parsed, another one asks: twice as many as calls.
        self._most_asking = 2 * settings.concurrency if model else 0
        self._most = self._most_asking + 2 * _BATCH * (self._count + 1)
        self._bytes = 0
        self._answered: deque[Answered] = deque()
        self._finishing = 0
        self._is_ending = False

    def run(self, sources: Iterator[Source]) -> None:
        """Make and keep what `sources` gives; it is read in a thread, as far ahead as there is room.

        Ctrl-C (or SIGTERM) ends it in good order: what is asked is answered and kept. A second one ends it at once.

        Raises:
            OutputError, StoreError, SettingsError: wrong for every document; what was kept stays.
        """
        with asyncio.Runner() as runner, ThreadPoolExecutor(1, "sources") as self._reader:
            try:
                runner.run(self._run(sources))
            except asyncio.CancelledError:
                self.is_interrupted = True
            except BaseExceptionGroup as group:
                raise _first(group) from None

    # ---------------------------------------------------------------- the loop

    async def _run(self, sources: Iterator[Source]) -> None:
        self._slots = asyncio.Semaphore(max(1, self._most_asking))
        self._paper = asyncio.Semaphore(2 * self._count)
        self._room = asyncio.Condition()
        ticker = asyncio.create_task(self._tick())
        try:
            with self._heed_signals():
                async with asyncio.TaskGroup() as self._group:
                    self._group.create_task(self._read(sources))
        finally:
            ticker.cancel()
            if self._model:
                await self._model.session.aclose()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            self._on_tick()

    async def _read(self, sources: Iterator[Source]) -> None:
        """Read as far ahead as there is room."""
        loop = asyncio.get_running_loop()
        while True:
            async with self._room:
                await self._room.wait_for(self._may_read)
            if self._is_ending:
                return
            batch = await loop.run_in_executor(self._reader, _take, sources)
            if not batch:
                return
            self.in_flight += len(batch)
            self._bytes += _weigh(batch)
            plain = [source for source in batch if not _has_pages(source)]
            if plain:
                self._start(self._make(plain))
            for source in batch:
                if _has_pages(source):
                    self._start(self._make_paged(source))

    def _may_read(self) -> bool:
        if self._is_ending:
            return True
        is_room = self.in_flight + _BATCH <= self._most and self._bytes < _MOST_BYTES
        return is_room or self.in_flight == 0

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._group.create_task(work)

    async def _let_go(self, count: int, size: int) -> None:
        async with self._room:
            self.in_flight -= count
            self._bytes -= size
            self._room.notify_all()

    # ---------------------------------------------------------------- one batch, one document

    async def _make(self, sources: Sequence[Source]) -> None:
        try:
            made = await self._in_worker(draft_batch, self._recipe, sources)
        except TaskFailed as failed:
            await self._make_alone(sources, failed)
            return
        size = _weigh(sources)
        receipts = [one for one in made if isinstance(one, Receipt)]
        for drafted in made:
            if isinstance(drafted, Drafted):
                self._start(self._ask(drafted))
        await self._let_go(len(receipts), size)
        self._tell(receipts)

    async def _make_alone(self, sources: Sequence[Source], failed: TaskFailed) -> None:
        """One of them ended its process or never came back: which one shows when each is alone."""
        if len(sources) > 1:
            for source in sources:
                await self._make([source])
            return
        source = sources[0]
        receipts = await self._in_worker(set_aside, self._recipe, source.ticket, source.raw, _say(failed))
        await self._let_go(1, _weigh(sources))
        self._tell(receipts)

    async def _make_paged(self, source: Source) -> None:
        """Its pages are read by processes of their own; only the waiting is a thread's."""
        async with self._paper:
            if self._is_ending:  # a page takes seconds, and many documents may wait here
                await self._let_go(1, _weigh([source]))
                return
            clock = StageClock()
            try:
                begun = BegunDocument(source.raw or b"", source.where, self._recipe.settings)
                try:
                    with clock.measure("load"):
                        source = source._replace(document=await asyncio.to_thread(begun.finish))
                finally:
                    begun.cancel()
            except (OutputError, SettingsError):
                raise
            except Exception as error:
                source = source._replace(problem=_picklable(error))
            source = source._replace(stages=clock.taken)
        await self._make([source])

    async def _ask(self, drafted: Drafted) -> None:
        async with self._slots:
            if self._is_ending or self._model is None:
                await self._let_go(1, 0)
                return
            questions: Questions = pickle.loads(drafted.questions)  # noqa: S301 - from a worker of ours
            clock = StageClock(drafted.stages)
            try:
                with clock.measure("ask"):
                    answers = await ask_about(questions, self._model.reader, self._model.vision)
                answered = Answered(drafted, answers)
            except (BudgetReached, ServerRefused) as error:
                self._stop(error)
                await self._let_go(1, 0)
                return
            except (OutputError, StoreError, SettingsError):
                raise
            except Exception as error:  # one bad document never stops the rest
                answered = Answered(drafted, (), _picklable(error))
        self._answered.append(answered._replace(drafted=drafted._replace(stages=clock.taken)))
        self._finish_some()

    def _finish_some(self) -> None:
        """As many batches as there are workers; what comes meanwhile is the next batch."""
        while self._answered and self._finishing < self._count:
            batch = [self._answered.popleft() for _ in range(min(len(self._answered), _MOST_BATCH))]
            self._finishing += 1
            self._start(self._finish(batch))

    async def _finish(self, batch: Sequence[Answered]) -> None:
        try:
            receipts = await self._finish_or_set_aside(batch)
        finally:
            self._finishing -= 1
        await self._let_go(len(batch), 0)
        self._tell(receipts)
        self._finish_some()

    async def _finish_or_set_aside(self, batch: Sequence[Answered]) -> list[Receipt]:
        try:
            return await self._in_worker(finish_batch, self._recipe, batch)
        except TaskFailed as failed:
            if len(batch) > 1:
                return [one for answered in batch for one in await self._finish_or_set_aside([answered])]
            return await self._in_worker(set_aside, self._recipe, batch[0].drafted.ticket, None, _say(failed))

    def _tell(self, receipts: Sequence[Receipt]) -> None:
        if receipts:
            self._on_kept(receipts)

    async def _in_worker(self, function: Callable[..., _T | Halt], *arguments: object) -> _T:
        """Have a worker do something.

        Raises:
            TaskFailed: it ended, or took too long.
            OutputError, StoreError, SettingsError: wrong for every document.
        """
        task = self._workers.submit(function, *arguments, timeout_s=self._recipe.settings.page_timeout_s)
        future = asyncio.wrap_future(task.future)
        try:
            while not (await asyncio.wait([future], timeout=2 * _TICK_S))[0]:
                self._workers.check()
        except asyncio.CancelledError:
            future.cancel()
            self._workers.cancel(task)
            raise
        try:
            result = future.result()
        except NoWorkers as error:
            raise SettingsError(f"{error.problem}. {error.remedy}.") from error
        if isinstance(result, Halt):
            raise result.kind(result.message)
        return result

    # ---------------------------------------------------------------- how it ends

    def _stop(self, error: BudgetReached | ServerRefused) -> None:
        """Send nothing more; what is under way is paid for and ends as usual."""
        if self.stopped_by is None:
            self.stopped_by = error
        if self._model:
            self._model.session.stop()
        self._end()

    def interrupt(self) -> None:
        """Begin nothing more; what is asked is answered and kept. A second time: end at once."""
        if self.is_interrupted and self._main:
            self._main.cancel()
        self.is_interrupted = True
        self._end()

    def _end(self) -> None:
        self._is_ending = True
        self._waking = asyncio.create_task(self._let_go(0, 0))  # whoever waits for room need not

    @contextmanager
    def _heed_signals(self) -> Iterator[None]:
        self._main = asyncio.current_task()
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.interrupt)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)


def _take(sources: Iterator[Source]) -> list[Source]:
    """The next batch, in the reading thread. Empty at the end."""
    batch: list[Source] = []
    for source in sources:
        batch.append(source)
        if len(batch) == _BATCH or _weigh(batch) > _BATCH_BYTES:
            break
    return batch


def _weigh(sources: Sequence[Source]) -> int:
    return sum(len(source.raw or b"") for source in sources)


def _has_pages(source: Source) -> bool:
    is_to_be_read = source.document is None and source.problem is None
    return is_to_be_read and source.raw is not None and reads_in_processes(source.raw)


def _say(failed: TaskFailed) -> str:
    return f"{failed.problem}; it is set aside and not tried again"


def _picklable(error: Exception) -> Exception:
    """As it is where it can go to another process, else its words."""
    if isinstance(error, SourceError):
        return error
    with suppress(Exception):
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
        if str(copy) == str(error):
            return error
    return RuntimeError(f"{type(error).__name__}: {error}")


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that ended the rest."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
