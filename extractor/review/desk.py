"""The desk: who takes which item, what he is shown, and what his answer does.

Lives here: leases, versions, decisions and their undoing, each in one transaction. Does not live here: what is asked
(items), how answers are read (answers), what counts (rulings), who looks second (rounds), what may be taken back
(undoing), SQL (extractor.store). Called by the service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from extractor.errors import ItemHeld, StaleItem
from extractor.model import Record, Ruling
from extractor.pipeline import apply_rulings
from extractor.review.answers import Answer, read_answers
from extractor.review.priors import Chances
from extractor.review.rounds import (
    check_may_answer,
    choose_next_round,
    find_last_resort,
    hide_first_looks,
    list_proposals,
)
from extractor.review.rulings import fold_reviews
from extractor.review.sync import list_twice, read_chances, sync_document
from extractor.review.tasks import Decided, DocumentView, Task
from extractor.review.undoing import check_may_undo, find_asking, reopen
from extractor.settings import Settings
from extractor.store.shapes import FieldReview, Item, QueueFilter, Review
from extractor.store.store import Books, Store

Clock = Callable[[], datetime]
OnDone = Callable[[Books, Decided], None]
_ALL = ("open", "settled", "gone")
_ANY = QueueFilter()
#: How long what reviewers found may be out of date in the worth of new items.
_CHANCES_LAST = timedelta(minutes=15)

__all__ = ["Decided", "Desk", "DocumentView", "Task"]


def now_utc() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class Desk:
    """Everything that a reviewer does. Threads may share it."""

    def __init__(self, store: Store, settings: Settings, clock: Clock = now_utc) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._lease = timedelta(minutes=settings.lease_minutes)
        self._chances: tuple[datetime, Chances] | None = None

    # ---------------------------------------------------------------- taking and showing

    def claim_next(self, account: str, wanted: QueueFilter = _ANY, skip: Sequence[int] = ()) -> Task | None:
        """Hold the item that is worth most, and show it; None where nothing waits for this person."""
        now = self._clock()
        with self._store.write() as books:
            item = books.queue.next_free(account, wanted, now, skip)
            if item is None:
                item = books.queue.next_free(account, wanted, now, skip, find_last_resort(books, account))
            if item is None:
                return None
            books.queue.hold(item.id, account, now + self._lease, now)
        return self.look_at(item.id, account)

    def claim(self, item_id: int, account: str) -> Task:
        """Hold one item, and show it.

        Raises:
            NotInStore: there is no such item.
            ItemHeld: somebody else has it, or it is not for this person.
            StaleItem: it waits no longer.
        """
        now = self._clock()
        with self._store.write() as books:
            item = _check_open(books.queue.get(item_id))
            check_may_answer(books, item, account)
            books.queue.hold(item_id, account, now + self._lease, now)
        return self.look_at(item_id, account)

    def look_at(self, item_id: int, account: str) -> Task:
        """Show an item without holding it.

        Raises:
            NotInStore: there is no such item.
        """
        with self._store.read() as books:
            item = books.queue.get(item_id)
            live = books.documents.live(item.document_id)
            card = books.documents.card(item.document_id)
            items = books.queue.of_document(item.document_id, _ALL)
            reviews = books.reviews.of_document(item.document_id)
        return Task(
            item=item,
            record=live.record,
            text=live.text,
            pages=live.pages,
            url=card.url,
            name=card.name,
            media_type=card.media_type,
            earlier=tuple(hide_first_looks(reviews, items, account)),
            proposals=list_proposals(item, reviews),
        )

    def look(self, document_id: str, account: str) -> DocumentView:
        """Show a document and all that waits of it.

        Raises:
            NotInStore: there is no such document, or it was not read yet.
        """
        with self._store.read() as books:
            live = books.documents.live(document_id)
            card = books.documents.card(document_id)
            items = books.queue.of_document(document_id, _ALL)
            reviews = books.reviews.of_document(document_id)
        opened = tuple(item for item in items if item.state == "open")
        earlier = tuple(hide_first_looks(reviews, items, account))
        return DocumentView(card, live.record, live.text, live.pages, opened, earlier)

    def history(self, document_id: str, account: str) -> list[Review]:
        """What persons said of a document, oldest first; without first looks whose second one is still to come."""
        with self._store.read() as books:
            items = books.queue.of_document(document_id, _ALL)
            return hide_first_looks(books.reviews.of_document(document_id), items, account)

    def renew(self, item_id: int, account: str) -> Item:
        """Hold an item for longer; also after the lease ran out, while nobody else took it.

        Raises:
            NotInStore, ItemHeld, StaleItem: see claim.
        """
        now = self._clock()
        with self._store.write() as books:
            item = _check_open(books.queue.get(item_id))
            if item.holder != account:
                raise ItemHeld(f"item {item_id} is not held by {account} any more. Take it again.")
            return books.queue.hold(item_id, account, now + self._lease, now)

    def release(self, item_id: int, account: str) -> Item:
        """Give an item back; nothing happens where this person does not have it.

        Raises:
            NotInStore: there is no such item.
        """
        with self._store.write() as books:
            books.queue.release(item_id, account)
            return books.queue.get(item_id)

    # ---------------------------------------------------------------- answering

    def preview(self, item_id: int, version: int, account: str, answers: Iterable[Answer]) -> Record:
        """The record as it would stand after these answers, which may be some of the item's. Nothing is kept.

        Raises:
            NotInStore, ItemHeld, StaleItem: see decide.
            BadAnswer: an answer cannot be read.
        """
        with self._store.read() as books:
            item = self._check_held(books, item_id, version, account)
            extraction = books.documents.newest_extraction(item.document_id)
            live = books.documents.live(item.document_id)
            items = books.queue.of_document(item.document_id, _ALL)
            reviews = books.reviews.of_document(item.document_id)
        said = read_answers(item, live.record, answers, is_whole=False)
        at = self._clock().isoformat()
        tried = {one.field_id: Ruling(one.action, (account,), at, 0, one.after) for one in said}
        return apply_rulings(extraction.record, fold_reviews(reviews, list_twice(items)) | tried)

    def decide(
        self,
        item_id: int,
        version: int,
        account: str,
        answers: Iterable[Answer],
        note: str = "",
        *,
        on_done: OnDone | None = None,
    ) -> Decided:
        """Answer an item: every field of it.

        Args:
            version: of the item as it was shown.
            note: for whoever looks later.
            on_done: called inside the transaction, at its end.

        Raises:
            NotInStore: there is no such item.
            ItemHeld: somebody else has it, or it is not for this person.
            StaleItem: it changed, was settled, or the lease ran out: take it again.
            BadAnswer: the answers cannot be read, or are not those of the item.
        """
        now = self._clock()
        with self._store.write() as books:
            books.documents.lock(books.queue.get(item_id).document_id)
            item = self._check_held(books, item_id, version, account)
            live = books.documents.live(item.document_id)
            said = read_answers(item, live.record, answers)
            number = books.reviews.add(
                kind="decide",
                document_id=item.document_id,
                extraction_id=live.id,
                item_id=item.id,
                round=item.round,
                account=account,
                at=now,
                fields=[one._replace(p_wrong=_p_wrong(live.record, one)) for one in said],
                note=note,
            )
            following = choose_next_round(item, said, books.reviews.of_document(item.document_id))
            if following is None:
                books.queue.change(item.id, state="settled", holder=None, held_until=None, settled_at=now)
            else:
                answered_by = (*item.answered_by, account)
                books.queue.change(item.id, round=following, answered_by=answered_by, holder=None, held_until=None)
            return self._conclude(books, books.reviews.get(number), on_done, live.record)

    def undo(self, review_id: int, account: str, role: str, *, on_done: OnDone | None = None) -> Decided:
        """Take a decision back by a new review: the word before it stands again, and its item is open.

        Args:
            role: an admin may take back what others said.

        Raises:
            NotInStore: there is no such review.
            ItemHeld: it is somebody else's.
            StaleItem: it was taken back already, or a later review is about the same fields.
        """
        with self._store.write() as books:
            review = books.reviews.get(review_id)
            books.documents.lock(review.document_id)
            reviews = books.reviews.of_document(review.document_id)
            check_may_undo(review, reviews, account, role)
            number = books.reviews.add(
                kind="undo",
                document_id=review.document_id,
                extraction_id=books.documents.newest_extraction(review.document_id).id,
                item_id=review.item_id,
                round=review.round,
                account=account,
                at=self._clock(),
                fields=[one._replace(before=one.after, after=one.before) for one in review.fields],
                undoes=review.id,
            )
            reopen(books, review, reviews)
            return self._conclude(books, books.reviews.get(number), on_done)

    # ---------------------------------------------------------------- parts

    def _check_held(self, books: Books, item_id: int, version: int, account: str) -> Item:
        item = _check_open(books.queue.get(item_id))
        check_may_answer(books, item, account)
        is_lease_over = item.held_until is None or item.held_until <= self._clock()
        if item.holder not in (None, account) and not is_lease_over:
            raise ItemHeld(f"item {item_id} is held by {item.holder}. Take another one.")
        if item.holder != account or is_lease_over:
            raise StaleItem(f"item {item_id}: the lease ran out. Take it again and look whether it changed.")
        if item.version != version:
            raise StaleItem(f"item {item_id} changed since it was shown. Look at it again.")
        return item

    def _conclude(self, books: Books, review: Review, on_done: OnDone | None, shown: Record | None = None) -> Decided:
        """What follows from a review that was just added."""
        extraction = books.documents.newest_extraction(review.document_id)
        synced = sync_document(books, extraction, self._settings, self._find_chances(books), shown)
        decided = Decided(review.id, find_asking(books, review), synced.record, synced.opened, synced.gone)
        if on_done:
            on_done(books, decided)
        return decided

    def _find_chances(self, books: Books) -> Chances:
        """What is known of each code; read anew now and then, never for every decision."""
        now = self._clock()
        if self._chances is None or now - self._chances[0] >= _CHANCES_LAST:
            self._chances = (now, read_chances(books))
        return self._chances[1]


def _check_open(item: Item) -> Item:
    if item.state != "open":
        raise StaleItem(f"item {item.id} waits no longer ({item.state}). Take another one.")
    return item


def _p_wrong(record: Record, said: FieldReview) -> float | None:
    field = record.fields.get(said.field_id)
    return field.p_wrong if field else None
