"""What the desk hands out: an item with its document, a document, what a decision did. Plain data."""

from __future__ import annotations

from dataclasses import dataclass

from extractor.model import Page, Record
from extractor.store.shapes import DocumentCard, Item, Review


@dataclass(frozen=True, slots=True)
class Task:
    """An item, and what is needed to answer it.

    Attributes:
        record: the live one.
        text: what its spans are intervals of.
        url: of the document, where it was found on the web.
        name: of the document, as it was first found or sent.
        earlier: what was said of this document that this person may know.
        proposals: the two looks that differ, for whoever settles them; else empty.
    """

    item: Item
    record: Record
    text: str
    pages: tuple[Page, ...]
    url: str | None
    name: str
    media_type: str
    earlier: tuple[Review, ...]
    proposals: tuple[Review, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document as it stands. `items`: those that wait; `reviews`: oldest first, those that this person may know."""

    card: DocumentCard
    record: Record
    text: str
    pages: tuple[Page, ...]
    items: tuple[Item, ...]
    reviews: tuple[Review, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision did.

    Attributes:
        review_id: of the review that it is.
        item: as it is now; of an undone one that has gone, the item that asks about its fields now.
        record: the live one.
        opened: items that it opened.
        gone: ids of items whose question it answered, too.
    """

    review_id: int
    item: Item
    record: Record
    opened: tuple[Item, ...]
    gone: tuple[int, ...]
