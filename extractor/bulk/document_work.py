"""One submitted document: its bytes to a record, or to the record of its failure.

Lives here: reading bytes that have no file, asking the model, what a failure looks like. Does not live here: leases and
the order of documents (submitted), the stages (extractor.pipeline). Called by submitted.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from extractor.bulk.failures import Failure, describe_failure
from extractor.bulk.filing import tell_problem
from extractor.bulk.flow import ModelPart
from extractor.bulk.trial import try_markup
from extractor.confidence import Certificate
from extractor.errors import OutputError, ServerRefused, SettingsError
from extractor.llm.calls import BudgetReached
from extractor.model import Document, Page, Record
from extractor.pipeline import complete_document, draft_document, process_document
from extractor.settings import Settings
from extractor.sources import BegunDocument
from extractor.store.shapes import RunDocument, WorkState


class Finished(NamedTuple):
    """What is filed of one document. `raw` is None where the store has the bytes already."""

    record: Record
    state: WorkState
    text: str = ""
    pages: tuple[Page, ...] = ()
    raw: bytes | None = None
    problem: str | None = None


class DocumentReader:
    """Reads submitted documents, many at once. Computing is done in threads, pages in worker processes."""

    def __init__(
        self, folder: str, settings: Settings, model: ModelPart | None, certificate: Certificate | None
    ) -> None:
        """`folder`: an empty one, in which the documents seem to lie, so that none reaches a file of this machine."""
        self._path = str(Path(folder) / "document")
        self._settings = settings
        self._model = model
        self._certificate = certificate

    async def read(self, taken: RunDocument, raw: bytes) -> Finished:
        """Bytes -> what is filed of them.

        Raises:
            BudgetReached, ServerRefused, OutputError, SettingsError: wrong for every document alike.
            CancelledError: the worker ends.
        """
        try:
            document = await self._open(taken, raw)
            record = await self._process(document, taken)
        except (BudgetReached, ServerRefused, OutputError, SettingsError):
            raise
        except Exception as error:  # one bad document never stops the rest
            return self._fail(taken, error, "failed", raw)
        pages = document.paper.pages if document.paper else ()
        return Finished(record, "done", document.text, pages, raw)

    def give_up(self, taken: RunDocument, attempts: int) -> Finished:
        """What is filed of a document that the program did not survive."""
        problem = f"the program ended {attempts} times while it read this document; it is not tried again"
        return self._fail(taken, RuntimeError(problem), "quarantined", None)

    async def _open(self, taken: RunDocument, raw: bytes) -> Document:
        await asyncio.to_thread(try_markup, raw, self._path, self._settings)
        begun = await asyncio.to_thread(BegunDocument, raw, self._path, self._settings)
        try:
            document = await asyncio.to_thread(begun.finish)
        finally:
            begun.cancel()
        return replace(document, path=taken.name)

    async def _process(self, document: Document, taken: RunDocument) -> Record:
        model = self._model
        if model is None:
            process = partial(process_document, certificate=self._certificate)
            return await asyncio.to_thread(process, document, taken.origins)
        draft = await asyncio.to_thread(draft_document, document, taken.origins, model.policy)
        return await complete_document(draft, model.reader, model.policy, self._certificate, vision=model.vision)

    def _fail(self, taken: RunDocument, error: Exception, state: WorkState, raw: bytes | None) -> Finished:
        failure: Failure = describe_failure(taken.name, taken.document_id, taken.origins, error)
        return Finished(failure.record, state, raw=raw, problem=tell_problem(failure.record))
