"""Taking a review back: whether it may be, and where its item stands then.

Lives here: the rules. Does not live here: the transaction (desk), which reviews count (rulings). Called by desk.
"""

from __future__ import annotations

from collections.abc import Sequence

from extractor.errors import ItemHeld, StaleItem
from extractor.review.rulings import list_counting
from extractor.store.shapes import Item, Review
from extractor.store.store import Books


def check_may_undo(review: Review, reviews: Sequence[Review], account: str, role: str) -> None:
    """Refuse what cannot be taken back, or not by this person.

    Args:
        review: to take back.
        reviews: all of its document.

    Raises:
        StaleItem: it is an undoing itself, was taken back already, or a later review is about the same fields.
        ItemHeld: it is somebody else's.
    """
    if review.kind == "undo":
        raise StaleItem(f"review {review.id} takes another one back, and cannot be taken back. Answer its item again.")
    counting = list_counting(reviews)
    if all(one.id != review.id for one in counting):
        raise StaleItem(f"review {review.id} was taken back already. Answer its item again.")
    if review.account != account and role != "admin":
        raise ItemHeld(f"review {review.id} is by {review.account}. Ask that person or an admin to take it back.")
    own = {one.field_id for one in review.fields}
    later = next((one for one in counting if one.id > review.id and own & {said.field_id for said in one.fields}), None)
    if later:
        raise StaleItem(f"review {review.id}: review {later.id} is about the same fields. Take that one back first.")


def reopen(books: Books, review: Review, reviews: Sequence[Review]) -> None:
    """Put an item back to where it was before a look; where another one asks the same by now, that one is enough."""
    if review.item_id is None:
        return
    item = books.queue.get(review.item_id)
    others = [one.key for one in books.queue.of_document(item.document_id) if one.id != item.id]
    if item.state == "gone" or item.key in others:
        return
    before = [
        one.account
        for one in list_counting(reviews)
        if one.item_id == item.id and one.round < review.round and one.kind == "decide"
    ]
    books.queue.change(
        item.id,
        state="open",
        round=review.round,
        answered_by=tuple(before),
        holder=None,
        held_until=None,
        settled_at=None,
    )


def find_asking(books: Books, review: Review) -> Item:
    """The item of a review; where it asks nothing any more, the open one that asks about the same, if there is one."""
    item = books.queue.get(_find_item_id(books, review))
    if review.kind == "undo" and (item.state != "open" or item.document_id != review.document_id):
        names = {one.field_id for one in review.fields}
        return next((one for one in books.queue.of_document(review.document_id) if names & set(one.fields)), item)
    return item


def _find_item_id(books: Books, review: Review) -> int:
    """The number of a review's item; of a word that was carried over, of the item by which it was said first."""
    while review.item_id is None and review.undoes is not None:
        review = books.reviews.get(review.undoes)
    return review.item_id or 0
