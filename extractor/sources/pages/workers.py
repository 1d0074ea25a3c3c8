"""Worker processes: started when first needed, killed when they hang, replaced when they die.

Lives here: the pool that a process shares among all its documents, and the queue in front of it. Does not live here:
the limits of a worker (worker_process), what it does (tasks), what is asked for a document (reading). Neither this
module nor what it imports loads pymupdf, OpenCV or the OCR engine.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from typing import Generic, TypeVar

from pebble import ProcessExpired, ProcessPool

from extractor.settings import Settings
from extractor.sources.pages.worker_process import OutOfMemory, call_task, prepare_worker

T = TypeVar("T")

# Libraries in C leak; after so many tasks a worker makes room for a new one.
_TASKS_OF_A_WORKER = 200
# A worker may have died of what others did (memory of the machine); twice is no accident.
_ATTEMPTS = 2
_CHECK_S = 2.0


class TaskFailed(Exception):
    """A task without a result.

    Attributes:
        problem: what went wrong, without the name of the file.
        remedy: what to do about it.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy


class NoWorkers(TaskFailed):
    """No process could be started: wrong for every task alike."""


class Task(Generic[T]):
    """A call that waits for a worker or is at work. `future` ends with the result, a TaskFailed, or cancelled."""

    def __init__(self, function: Callable[..., T], arguments: tuple[object, ...], timeout_s: int) -> None:
        self.function = function
        self.arguments = arguments
        self.timeout_s = timeout_s
        self.future: Future[T] = Future()
        self.attempts = 0
        self.inner: Future[T] | None = None


class Workers:
    """The worker processes, and the tasks in front of them: first come, first served.

    Only twice as many tasks as workers are handed to the pool at a time: what is still here can be withdrawn without
    killing a process.
    """

    def __init__(self, count: int, memory_mb: int) -> None:
        self._count = count
        self._memory_mb = memory_mb
        self._lock = threading.RLock()
        self._pool: ProcessPool | None = None
        self._waiting: deque[Task[object]] = deque()
        self._running: set[Task[object]] = set()

    def submit(self, function: Callable[..., T], *arguments: object, timeout_s: int) -> Task[T]:
        """Have a function of a module called in a worker. Arguments and result must be picklable.

        Args:
            timeout_s: seconds from when a worker begins; then it is killed.
        """
        task = Task(function, arguments, timeout_s)
        with self._lock:
            self._waiting.append(task)  # type: ignore[arg-type]
        self._advance()
        return task

    def wait(self, task: Task[T]) -> T:
        """The result of a task.

        Raises:
            TaskFailed: there is none.
            CancelledError: it was cancelled.
        """
        while True:
            try:
                return task.future.result(_CHECK_S)
            except TimeoutError:  # of this waiting only: tasks that took too long end with a TaskFailed
                self.check()

    def cancel(self, task: Task[T]) -> None:
        """Withdraw a task; a worker that is at it is killed."""
        task.future.cancel()
        with self._lock:  # behind the line above, so that it is either not begun any more or seen here
            inner = task.inner
        if inner is not None:
            inner.cancel()

    def close(self) -> None:
        """End all workers. What waits or runs is cancelled."""
        with self._lock:
            pool, self._pool = self._pool, None
            tasks = [*self._waiting, *self._running]
            self._waiting.clear()
            self._running.clear()
        for task in tasks:
            task.future.cancel()
        if pool is not None:
            _end_pool(pool)

    # ------------------------------------------------------------ the way through

    def _advance(self) -> None:
        with self._lock:
            while self._waiting and len(self._running) < 2 * self._count:
                task = self._waiting.popleft()
                if task.future.cancelled():
                    continue
                task.attempts += 1
                self._running.add(task)
                task.inner = self._schedule(task)
                task.inner.add_done_callback(partial(self._take_back, task))

    def _schedule(self, task: Task[object]) -> Future[object]:
        for _ in range(_ATTEMPTS):
            pool = self._pool = self._pool or _start_pool(self._count, self._memory_mb)
            try:
                return pool.schedule(call_task, args=(task.function, task.arguments), timeout=task.timeout_s)
            except RuntimeError:  # it broke when nobody looked
                self._drop(pool)
        failed: Future[object] = Future()
        failed.set_exception(BrokenProcessPool())
        return failed

    def _take_back(self, task: Task[object], inner: Future[object]) -> None:
        """A task that the pool is done with (called by a thread of the pool): settle it, or try it once more."""
        with self._lock:
            if task.inner is not inner:
                return
            self._running.discard(task)
            task.inner = None
            error = None if inner.cancelled() else inner.exception()
            is_tried_again = isinstance(error, ProcessExpired | BrokenProcessPool) and task.attempts < _ATTEMPTS
            if is_tried_again:
                self._waiting.appendleft(task)
        if not is_tried_again:  # not under the lock: who waits for it may have locks of their own
            _settle(task, inner, error)
        self._advance()

    def check(self) -> None:
        """To be called now and then by who waits: where the pool itself ended, its tasks do not come by themselves."""
        with self._lock:
            pool = self._pool
            if pool is None or pool.active:
                return
            self._drop(pool)
            lost = [(task, task.inner) for task in self._running if task.inner and not task.inner.done()]
        for _, inner in lost:
            inner.set_exception(BrokenProcessPool())

    def _drop(self, pool: ProcessPool) -> None:
        if self._pool is pool:
            self._pool = None
        # in a thread: this may be one of those that are waited for
        threading.Thread(target=_end_pool, args=(pool,), daemon=True).start()


def _settle(task: Task[object], inner: Future[object], error: BaseException | None) -> None:
    if inner.cancelled():
        task.future.cancel()
    if not task.future.set_running_or_notify_cancel():
        return
    if error is None:
        task.future.set_result(inner.result())
    else:
        task.future.set_exception(_explain(error, task.timeout_s))


def _explain(error: BaseException, timeout_s: int) -> TaskFailed:
    if isinstance(error, TimeoutError):
        return TaskFailed(
            f"it takes longer than {timeout_s} s to read", "Raise EXTRACTOR_PAGE_TIMEOUT_S if it really is so large"
        )
    if isinstance(error, ProcessExpired):
        return TaskFailed(
            f"the process that read it ended (code {error.exitcode})",
            "Print it to a new PDF; if that is not enough, raise EXTRACTOR_PAGE_MEMORY_MB",
        )
    if isinstance(error, BrokenProcessPool):
        return NoWorkers(
            "no process to read documents could be started",
            "A script that reads documents needs `if __name__ == '__main__':` around what it does",
        )
    if isinstance(error, OutOfMemory | MemoryError):  # outside the task itself: an import, a result
        return TaskFailed("it needs more memory than a page may take", "Raise EXTRACTOR_PAGE_MEMORY_MB")
    return TaskFailed(str(error), "Tell the maintainers of this program")


# ---------------------------------------------------------------- the pool


_shared: dict[tuple[int, int, int], Workers] = {}
_preloaded: list[str] = []


def preload_in_workers(module: str) -> None:
    """Have every worker that starts from now on import a module before its first task, whose time that would count."""
    if module not in _preloaded:
        _preloaded.append(module)


_shared_lock = threading.Lock()


def share_workers(settings: Settings) -> Workers:
    """The workers of this process; one set for all documents that are read with the same settings."""
    key = (os.getpid(), settings.count_page_workers(), settings.page_memory_mb)
    with _shared_lock:
        if key not in _shared:
            _shared[key] = Workers(*key[1:])
        return _shared[key]


@atexit.register
def close_workers() -> None:
    """End all worker processes of this process. They are started anew when needed."""
    with _shared_lock:
        mine = [workers for key, workers in _shared.items() if key[0] == os.getpid()]
        _shared.clear()
    for workers in mine:
        workers.close()


def _start_pool(count: int, memory_mb: int) -> ProcessPool:
    pool = ProcessPool(
        max_workers=count,
        max_tasks=_TASKS_OF_A_WORKER,
        initializer=prepare_worker,
        initargs=(os.getpid(), memory_mb, tuple(_preloaded)),
        context=multiprocessing.get_context("spawn"),
    )
    is_started = threading.Event()
    with _without_interrupts():
        threading.Thread(target=_host_pool, args=(pool, is_started), daemon=True).start()
    is_started.wait()
    return pool


def _host_pool(pool: ProcessPool, is_started: threading.Event) -> None:
    """Start the workers from a thread that lives as long as they do: a worker ends with the thread that made it."""
    try:
        is_running = pool.active  # this starts it
    finally:
        is_started.set()
    while is_running:
        time.sleep(_CHECK_S)
        is_running = pool.active


def _end_pool(pool: ProcessPool) -> None:
    pool.stop()
    pool.join()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Threads and processes that begin here never get Ctrl-C: it is for the main thread of the parent alone."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
