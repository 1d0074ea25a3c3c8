"""A file with pages on its way through the workers: inspected, read page by page, put together.

Lives here: what is asked of the workers for one file, and what its failures mean. Does not live here: the workers
(workers), reading itself (tasks), the layout of the text (compose). Called by extractor.sources.pages.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import TypeVar

from extractor.errors import DamagedSource, MissingProgram, PagesNotRead, SourceError, SourceTooLarge, UnsupportedFormat
from extractor.flags import make_flag
from extractor.model import Flag, Page
from extractor.settings import Settings
from extractor.sources.base import Linear
from extractor.sources.detect import tell_picture
from extractor.sources.pages.compose import compose_pages
from extractor.sources.pages.shapes import PageContent
from extractor.sources.pages.tasks import PageFile, PageRead, Refusal, inspect_file, read_page
from extractor.sources.pages.workers import Task, TaskFailed, share_workers

T = TypeVar("T")

_FETCH_AGAIN = "Fetch it again, whole, or print it to a new PDF"


class Spill:
    """A copy of a file's bytes that worker processes can open. It has no name, so that no kill can leave it behind."""

    def __init__(self, raw: bytes) -> None:
        self._file = tempfile.TemporaryFile(prefix="extractor-")  # noqa: SIM115 - open as long as this object is
        self._file.write(raw)
        self._file.flush()
        self.file = PageFile(f"/proc/{os.getpid()}/fd/{self._file.fileno()}", tell_picture(raw) or "pdf")

    def close(self) -> None:
        """Give the copy up."""
        self._file.close()


class PagesUnderWay:
    """The pages of one file: asked for at once, waited for when they are wanted.

    Raises nothing when it is made; all that goes wrong comes with `wait`.
    """

    def __init__(self, raw: bytes, path: str, settings: Settings) -> None:
        self._path = path
        self._settings = _without_key(settings)
        self._spill = Spill(raw)
        self._workers = share_workers(settings)
        self._lock = threading.Lock()
        self._is_cancelled = False
        self._reads: list[Task[PageRead | Refusal]] = []
        self._inspection = self._submit(inspect_file)
        self._inspection.future.add_done_callback(self._ask_for_pages)

    def wait(self) -> Linear:
        """Wait for all pages and put them together. To be called once.

        Raises:
            SourceError: locked, damaged, no pages, too many, or not one that could be read.
            CancelledError: see cancel.
        """
        reads = self.wait_pages()
        linear = compose_pages([read.content for read in reads])
        return replace(linear, notices=(*linear.notices, *flag_ocr(reads)))

    def wait_pages(self) -> list[PageRead]:
        """The pages as read, in order. Raises as `wait`."""
        try:
            pages = self._wait_inspection()
            outcomes = list(map(self._wait, self._reads))
        finally:
            self.cancel()  # nothing is left to cancel unless something was raised
        failures = [outcome for outcome in outcomes if not isinstance(outcome, PageRead)]
        if len(failures) == len(pages):
            raise explain_failure(self._path, failures[0])
        return [
            outcome if isinstance(outcome, PageRead) else PageRead(_stand_in(page, outcome))
            for page, outcome in zip(pages, outcomes, strict=True)
        ]

    def cancel(self) -> None:
        """Withdraw what is not done; whoever waits gets a CancelledError."""
        with self._lock:
            self._is_cancelled = True
        self._workers.cancel(self._inspection)
        for task in self._reads:
            self._workers.cancel(task)
        self._spill.close()

    def _submit(self, function: Callable[..., T], *arguments: object) -> Task[T]:
        given = (self._spill.file, self._settings, *arguments)
        return self._workers.submit(function, *given, timeout_s=self._settings.page_timeout_s)

    def _ask_for_pages(self, inspection: Future[tuple[Page, ...] | Refusal]) -> None:
        """Called by a thread of the pool as soon as the pages are known, so that their reading waits for nobody."""
        if inspection.cancelled() or inspection.exception():
            return
        pages = inspection.result()
        with self._lock:
            if self._is_cancelled or self._reads or isinstance(pages, Refusal):
                return
            self._reads = [self._submit(read_page, page.number) for page in pages]

    def _wait_inspection(self) -> tuple[Page, ...]:
        pages = self._wait(self._inspection)
        if isinstance(pages, TaskFailed | Refusal):
            raise explain_failure(self._path, pages)
        if not pages:
            raise DamagedSource(self._path, "it has no pages", _FETCH_AGAIN)
        self._ask_for_pages(self._inspection.future)  # whoever waits may wake before the thread that does it
        return pages

    def _wait(self, task: Task[T]) -> T | TaskFailed:
        try:
            return self._workers.wait(task)
        except TaskFailed as error:
            return error


def call_for_file(
    raw: bytes, path: str, settings: Settings, function: Callable[..., T | Refusal], *arguments: object
) -> T:
    """Call `function(file, settings, *arguments)` in a worker and wait for its result.

    Raises:
        SourceError: it gave none.
    """
    spill, workers = Spill(raw), share_workers(settings)
    task = workers.submit(function, spill.file, _without_key(settings), *arguments, timeout_s=settings.page_timeout_s)
    try:
        result = workers.wait(task)
    except TaskFailed as error:
        raise explain_failure(path, error) from None
    finally:
        workers.cancel(task)
        spill.close()
    if isinstance(result, Refusal):
        raise explain_failure(path, result)
    return result


def _without_key(settings: Settings) -> Settings:
    """What workers may know: reading pages asks no server."""
    return settings.model_copy(update={"api_key": None})


_MEANINGS: dict[str, tuple[type[SourceError], str]] = {
    "locked": (UnsupportedFormat, "Save it without the password"),
    "damaged": (DamagedSource, _FETCH_AGAIN),
    "long": (SourceTooLarge, "Raise EXTRACTOR_MAX_PAGES if this really is one report"),
    "absent": (PagesNotRead, "Pages count from 1"),
    "memory": (PagesNotRead, "Raise EXTRACTOR_PAGE_MEMORY_MB if it really is so large"),
    "missing": (MissingProgram, ""),
    "unforeseen": (PagesNotRead, "Print it to a new PDF, and tell the maintainers of this program"),
}


def explain_failure(path: str, failure: TaskFailed | Refusal) -> SourceError:
    """What a task without a result means for its file."""
    if isinstance(failure, TaskFailed):
        return PagesNotRead(path, failure.problem, failure.remedy)
    error, remedy = _MEANINGS[failure.kind]
    return error(path, failure.problem, failure.remedy or remedy)


def _stand_in(page: Page, failure: TaskFailed | Refusal) -> PageContent:
    flag = make_flag("page-not-read", page=page.number, problem=failure.problem)
    return PageContent(replace(page, read_by="failed"), notices=(flag,))


def flag_ocr(reads: Sequence[PageRead]) -> tuple[Flag, ...]:
    """One `pages-by-ocr` flag for each reason."""
    reasons: dict[str, list[int]] = {}
    for read in reads:
        if read.ocr_reason:
            reasons.setdefault(read.ocr_reason, []).append(read.content.page.number)
    return tuple(
        make_flag("pages-by-ocr", pages=join_numbers(numbers), reason=reason) for reason, numbers in reasons.items()
    )


def join_numbers(numbers: Iterable[int]) -> str:
    """`1-3, 7` for 1, 2, 3, 7: rising numbers, those in a row as a range."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ", ".join("-".join(map(str, run)) for run in runs)
