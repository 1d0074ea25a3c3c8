"""A bulk run's own entry in the store.

Lives here: opening and closing it. Does not live here: documents (keeping), documents that somebody submits to the
service (submitted), SQL (extractor.store). Called by run.

Of a run that was killed nobody says so: whoever opens the store next does.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from extractor.errors import StoreError
from extractor.model import Record
from extractor.review.sync import read_chances

if TYPE_CHECKING:
    from extractor.store.store import Store


#: A run that files nothing for so long has died; one that was only slow is open again with its next document.
SILENT_S = 15 * 60


class RunFiling:
    """A run as the store sees it. Left without `finish`, it is marked as interrupted.

    Attributes:
        chances: of errors by code; what reviewers find during the run counts for the next one.
    """

    def __init__(self, store: Store, arguments: Mapping[str, object]) -> None:
        self._store = store
        with store.write() as books:
            books.runs.give_up_silent(datetime.now(UTC), SILENT_S)
            self.run_id = books.runs.create("bulk", None, arguments).id
            self.chances = read_chances(books)
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

    def finish(self, account: Mapping[str, Any], *, is_interrupted: bool) -> None:
        """Close the run's entry.

        Args:
            account: what run.json says.
            is_interrupted: whether documents are left that were not tried.
        """
        with self._store.write() as books:
            books.runs.finish(self.run_id, "interrupted" if is_interrupted else "finished", account)
        self._is_finished = True
        with suppress(StoreError):  # workers have it open; a copy of the file alone is to be whole all the same
            self._store.settle()


def tell_problem(record: Record) -> str:
    """Why a document failed, for people."""
    return next((flag.message.en for flag in record.flags if flag.code == "source-failed"), "")
