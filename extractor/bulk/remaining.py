"""What is left of a plan: documents that no earlier start finished, with their bytes, and a count of the others.

Lives here: who is made again, and who is kept. Does not live here: making (engine), the ledger's rows
(extractor.store.ledger). Called by run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from extractor.bulk.beside import differ_beside, has_changed
from extractor.bulk.keeping import Keeper, Ticket, list_document
from extractor.bulk.making import Source
from extractor.bulk.plan import Entry, Plan
from extractor.bulk.recipe import MOST_ATTEMPTS, Recipe
from extractor.errors import DamagedSource, SourceError
from extractor.store.database import chunked
from extractor.store.ledger import LedgerMark, LedgerState
from extractor.store.store import Books

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Resume:
    """What a run does with documents that an earlier start finished or gave up.

    Attributes:
        is_fresh: all of them are made again.
        retries: those that failed are tried again however often they were, and those that were set aside.
    """

    is_fresh: bool = False
    retries: bool = False

    def takes(self, mark: LedgerMark) -> bool:
        """Whether a document that is this far is made again."""
        if self.is_fresh or mark.state == "done":
            return self.is_fresh
        return self.retries or (mark.state != "quarantined" and mark.attempts < MOST_ATTEMPTS)


#: What is finished is kept, what failed is tried again, three times in all.
GO_ON = Resume()


@dataclass(slots=True)
class Counted:
    """Documents that are over, whatever became of them. Each count belongs to one thread."""

    done: int = 0
    failed: int = 0
    quarantined: int = 0
    flagged: int = 0

    def count(self, state: LedgerState, review: int) -> None:
        """One more."""
        self.done += 1
        self.failed += state in ("failed", "quarantined")
        self.quarantined += state == "quarantined"
        self.flagged += bool(review)


class Remaining:
    """What a start has to do.

    Attributes:
        kept: documents of earlier starts, as far as the plan was gone through.
    """

    def __init__(self, plan: Plan, recipe: Recipe, keeper: Keeper, resume: Resume) -> None:
        self.kept = Counted()
        self._plan = plan
        self._recipe = recipe
        self._keeper = keeper
        self._resume = resume
        self._tickets = self._list_tickets()
        self._given = 0

    def sources(self) -> Iterator[Source]:
        """Documents that are not done yet, with their bytes, in the order of the plan. Read in a thread of its own."""
        for ticket in self._tickets:
            self._given += 1
            try:
                raw = self._plan.read(ticket.entry)
            except SourceError as error:
                yield Source(ticket, None, problem=error)
            else:
                yield Source(ticket, raw, problem=_doubt_sameness(ticket.entry, raw))

    def count_left(self, kept: int) -> int:
        """How many documents were to be made and are not, whether or not an earlier start made something of them.

        Args:
            kept: of those that were given.
        """
        return max(0, self._given - kept) + sum(1 for _ in self._tickets)

    def _list_tickets(self) -> Iterator[Ticket]:
        if self._resume.is_fresh:
            self._restart()
        for entries in chunked(self._plan.entries(), _PAGE):
            keys = [self._recipe.key(entry) for entry in entries]
            with self._keeper.read() as books:
                marks = books.ledger.find(keys)
                # Read otherwise since: the store would go on to show that, and the outputs this.
                others = books.ledger.find_superseded(keys) if self._recipe.store else set()
            kept = []
            for key, entry in zip(keys, entries, strict=True):
                mark = marks.get(key)
                if mark is None or self._resume.is_fresh:
                    yield Ticket(key, entry, 1)
                elif (key in others and mark.state == "done") or has_changed(entry.where, mark.account):
                    with self._keeper.write() as books:
                        books.ledger.restart([key])
                    yield Ticket(key, entry, 1)
                elif self._resume.takes(mark):
                    yield Ticket(key, entry, mark.attempts + 1)
                else:
                    kept.append((Ticket(key, entry, mark.attempts), mark))
            self._keep(kept)

    def _restart(self) -> None:
        """All at once, so that a start without `is_fresh` goes on where this one ends."""
        for entries in chunked(self._plan.entries(), _PAGE):
            with self._keeper.write() as books:
                books.ledger.restart(self._recipe.key(entry) for entry in entries)

    def _keep(self, kept: Sequence[tuple[Ticket, LedgerMark]]) -> None:
        """Documents of an earlier start: counted, and listed in the store's run."""
        for _, mark in kept:
            self.kept.count(mark.state, mark.review)
        if self._recipe.store and kept:
            with self._keeper.write() as books:
                runs = cast("Books", books).runs
                for ticket, mark in kept:
                    listed = list_document(self._recipe, ticket, mark.state, mark.document_id, mark.extraction_id)
                    runs.add_document(listed)


def _doubt_sameness(entry: Entry, raw: bytes) -> SourceError | None:
    """Equal bytes are one document, but what a page shows beside them may differ: no picture is left out silently."""
    if len(entry.origins) < 2 or not differ_beside((origin.path for origin in entry.origins), raw):
        return None
    problem = (
        "the same page lies in several folders with other pictures beside it, and would be read with the first ones"
    )
    return DamagedSource(entry.path, problem, "Give each folder in a run of its own")
