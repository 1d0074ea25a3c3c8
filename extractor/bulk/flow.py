"""Many documents that ask a model: all on their way at once, handed over in the order of the run.

Lives here: a model's part in a run, how many documents overlap, and that nothing is left behind when the run ends
early. Does not live here: the calls (extractor.llm), one document (pipeline), what is done with records (run).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from extractor.bulk.loading import count_begun
from extractor.bulk.works import Made, Work
from extractor.confidence import Certificate
from extractor.confidence.standing import Standing, collect_versions, open_certificate
from extractor.errors import OutputError, SettingsError
from extractor.llm.calls import BudgetReached, ServerRefused
from extractor.model import Box, Document
from extractor.pipeline import complete_document, draft_document
from extractor.readers.llm import LlmReader
from extractor.readers.llm.vision import CROP_DPI, Crop, VisionReader
from extractor.readers.policy import Policy
from extractor.settings import Settings
from extractor.sources import begin_document, load_document, needs_processes, open_page
from extractor.sources.pages import crop_page_png

if TYPE_CHECKING:
    from extractor.llm.session import Session

# A slow document holds the later ones back in memory; no more than this for each one at work.
_WAITING = 4


@dataclass(frozen=True, slots=True)
class ModelPart:
    """A model's part in a run: when it is asked, who reads its replies, and where they come from."""

    policy: Policy
    reader: LlmReader
    session: Session
    vision: VisionReader | None = None

    @classmethod
    def build(cls, policy: Policy, session: Session, settings: Settings) -> ModelPart:
        """Put a reader on a session."""
        asker, name = session.asker, session.model
        vision = VisionReader(asker, name, settings, _cut_with(settings)) if settings.vision else None
        return cls(policy, LlmReader(asker, name, settings), session, vision)

    def describe(self) -> dict[str, Any]:
        """For run.json: policy, model, kinds of replies, what was spent."""
        return {"policy": self.policy, **self.session.describe()}


def _cut_with(settings: Settings) -> Crop:
    """Pieces of paper, cut by worker processes."""

    def crop(document: Document, number: int, boxes: Sequence[Box]) -> Sequence[bytes]:
        if document.paper is None:
            raise ValueError(f"{document.path} has no pages")
        page = document.paper.pages[number - 1]
        file = open_page(document, page, settings)
        return crop_page_png(file.raw, file.path, file.number, boxes, settings, dpi=CROP_DPI, turn=page.turn)

    return crop


def open_standing(model: ModelPart | None, settings: Settings) -> Standing:
    """What the certificate of the settings may do in a run.

    Args:
        model: None for the rules alone.

    Raises:
        SettingsError: the certificate cannot be used.
    """
    readers, name = (str(model.policy), model.session.model) if model else ("template", None)
    if model and model.vision:
        readers += "+vision"
    return open_certificate(settings.certificate, collect_versions(readers, name, settings.prompts_dir))


def process_concurrently(
    works: Sequence[Work], model: ModelPart, settings: Settings, certificate: Certificate | None = None
) -> Generator[tuple[Work, Made | Exception]]:
    """Process documents, as many at once as there may be calls, and yield them in order.

    Args:
        certificate: see process_with_model.

    Raises:
        BudgetReached, ServerRefused: the run cannot go on; requests under way are waited for, their documents not.
        OutputError, SettingsError: wrong for every file alike.
    """
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        # Twice as many documents as calls: while one is being parsed, another one asks.
        slots = asyncio.Semaphore(2 * settings.concurrency)
        gates = _Gates(slots, asyncio.Lock(), asyncio.Semaphore(count_begun(settings)))
        waiting: deque[tuple[Work, asyncio.Task[Made]]] = deque()
        remaining = iter(works)
        try:
            while True:
                while len(waiting) < _WAITING * settings.concurrency and (work := next(remaining, None)):
                    process = _process(work, model, settings, gates, certificate=certificate)
                    waiting.append((work, loop.create_task(process)))
                if not waiting:
                    return
                work, task = waiting[0]
                runner.run(_finish(task))
                waiting.popleft()
                yield work, _result(task)
        except (BudgetReached, ServerRefused):
            model.session.stop()  # requests under way are paid for: their replies go into the journal
            runner.run(_settle([task for _, task in waiting]))
            raise
        finally:
            runner.run(_close([task for _, task in waiting], model.session))


class _Gates(NamedTuple):
    """What documents wait at.

    Attributes:
        slots: for as many as may be at work at once.
        turn: for computing, one at a time: replies that came in go first.
        paper: for as many as may have their pages read.
    """

    slots: asyncio.Semaphore
    turn: asyncio.Lock
    paper: asyncio.Semaphore


async def _process(
    work: Work, model: ModelPart, settings: Settings, gates: _Gates, *, certificate: Certificate | None
) -> Made:
    waited_for = await _wait_for_pages(work, settings, gates.paper)
    async with gates.slots:
        async with gates.turn:
            document = waited_for or load_document(Path(work.path), settings)
            await asyncio.sleep(0)
            draft = draft_document(document, work.origins, model.policy)
            await asyncio.sleep(0)
        record = await complete_document(draft, model.reader, model.policy, certificate, vision=model.vision)
        return Made(document, record)


async def _wait_for_pages(work: Work, settings: Settings, paper: asyncio.Semaphore) -> Document | None:
    """A document that processes of their own read, at least in part; only the waiting is a thread's."""
    if not needs_processes(work.path, settings):
        return None
    async with paper:
        document = begin_document(work.path, settings)
        try:
            return await asyncio.to_thread(document.finish)
        finally:
            document.cancel()


async def _finish(task: asyncio.Task[Made]) -> None:
    await asyncio.wait([task])


def _result(task: asyncio.Task[Made]) -> Made | Exception:
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, Exception) and not isinstance(
        error, BudgetReached | ServerRefused | OutputError | SettingsError
    ):
        return error  # one bad file never stops the rest
    raise error


async def _settle(tasks: Sequence[asyncio.Task[Made]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


async def _close(tasks: Sequence[asyncio.Task[Made]], session: Session) -> None:
    for task in tasks:
        task.cancel()
    await _settle(tasks)
    await session.aclose()
