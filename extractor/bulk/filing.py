"""The store's part in a run: each finished document goes in by a transaction of its own.

Lives here: the run's own entry, the order of its documents, the bytes of files that failed. Does not live here: what
becomes of a document in the store (extractor.review.intake), SQL (extractor.store), the loop (run), documents that
somebody submits to the service (submitted). Called by run.

What is committed stays, however the run ends. The same documents filed again are the same documents: nothing is there
twice, and no word of a person is lost. Of a run that was killed nobody says so: whoever opens the store next does.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from extractor.bulk.works import Work
from extractor.errors import StoreError
from extractor.model import Document, Record, Status
from extractor.review.intake import file_record
from extractor.review.sync import read_chances
from extractor.settings import Settings
from extractor.store.shapes import RunDocument

if TYPE_CHECKING:
    from extractor.store.store import Store


#: A run that files nothing for so long has died; one that was only slow is open again with its next document.
SILENT_S = 15 * 60


class RunFiling:
    """A run as the store sees it. Left without `finish`, it is marked as interrupted."""

    def __init__(self, store: Store, settings: Settings, arguments: Mapping[str, object]) -> None:
        self._store = store
        self._settings = settings
        with store.write() as books:
            books.runs.give_up_silent(datetime.now(UTC), SILENT_S)
            self.run_id = books.runs.create("bulk", None, arguments).id
            self._chances = read_chances(books)  # what reviewers find during the run counts for the next one
        self._is_finished = False

    @property
    def name(self) -> str:
        """The store's name, without any password."""
        return self._store.name

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._is_finished:
            with suppress(StoreError):  # the store may be what ended the run
                self.finish({}, is_interrupted=True)

    def add(self, position: int, work: Work, record: Record, document: Document | None) -> None:
        """File one document.

        Args:
            position: its number in the run, from 0.
            work: the file.
            record: what was made of it.
            document: as it was read; None where it could not be.

        Raises:
            StoreError: the store cannot be reached or written.
        """
        has_failed = record.status is Status.FAILED
        raw = document.raw if document else read_within(work.path, self._settings)
        with self._store.write() as books:
            document_id, extraction_id = file_record(
                books,
                record=record,
                text=document.text if document else "",
                pages=document.paper.pages if document and document.paper else (),
                raw=raw,
                name=record.document.path,
                media_type=record.document.media_type,
                made_at=datetime.now(UTC),
                settings=self._settings,
                chances=self._chances,
            )
            books.runs.note_alive(self.run_id)
            books.runs.add_document(
                RunDocument(
                    run_id=self.run_id,
                    position=position,
                    name=record.document.path,
                    origins=record.origins,
                    state="failed" if has_failed else "done",
                    document_id=document_id,
                    extraction_id=extraction_id,
                    attempts=1,
                    problem=tell_problem(record) if has_failed else None,
                )
            )

    def finish(self, account: Mapping[str, Any], *, is_interrupted: bool) -> None:
        """Close the run's entry.

        Args:
            account: what run.json says.
            is_interrupted: whether documents are left that were not tried.
        """
        with self._store.write() as books:
            books.runs.finish(self.run_id, "interrupted" if is_interrupted else "finished", account)
        self._is_finished = True


def tell_problem(record: Record) -> str:
    """Why a document failed, for people."""
    return next((flag.message.en for flag in record.flags if flag.code == "source-failed"), "")


def read_within(path: str, settings: Settings) -> bytes | None:
    """The bytes of a file; None where it cannot be read, or is larger than a source may be."""
    limit = settings.max_source_mb * 1_000_000
    try:
        with Path(path).open("rb") as file:
            raw = file.read(limit + 1)
    except OSError:
        return None
    return raw if len(raw) <= limit else None
