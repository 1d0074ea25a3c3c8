"""Blind double looks: who looks when, and who may see what.

Lives here: the rounds of an item that two people look at. Does not live here: which documents (sampling), what both
together say (rulings), how far they agree (agreement). Called by desk.

Round 1 and 2 are looks of two people who do not see each other's; where they differ, round 3 shows both to a third
person. Where everybody who can look has looked already, an admin settles it, be it one of the two; without an admin,
whoever comes first: no item waits for somebody who is not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from extractor.errors import ItemHeld
from extractor.review.rulings import LAST_ROUND, find_agreed, list_counting
from extractor.store.shapes import FieldReview, Item, Review
from extractor.store.store import Books


def choose_next_round(item: Item, said: Sequence[FieldReview], reviews: Iterable[Review]) -> int | None:
    """The round after an answer; None where it settles the item.

    Args:
        item: as it was answered.
        said: the answer.
        reviews: of the document, this answer among them or not.
    """
    if item.looks_wanted < 2 or item.round >= LAST_ROUND:
        return None
    if item.round == 1:
        return 2
    first = _find_look(item, 1, reviews)
    second = _find_look(item, 2, reviews)
    agreed = find_agreed(first, second) if first and second else ()
    return None if len(agreed) == len(said) else LAST_ROUND


def check_may_answer(books: Books, item: Item, account: str) -> None:
    """Refuse whoever answered an earlier round.

    Raises:
        ItemHeld: it is for somebody else.
    """
    if account not in item.answered_by:
        return
    before = find_last_resort(books, account)
    if before and before <= set(item.answered_by):
        return
    raise ItemHeld(f"item {item.id}: {account} looked at it already, and another person is to. Take another one.")


def find_last_resort(books: Books, account: str) -> frozenset[str]:
    """By whom an item must be answered before this person may answer it once more.

    Returns:
        Everybody who can look, and himself: then nobody else is left to ask. Empty where he never may: there is an
        admin, and it is not he.
    """
    active = [one for one in books.people.accounts() if one.is_active]
    admins = [one.name for one in active if one.role == "admin"]
    known = books.people.account(account)  # who works without accounts has none, and is his own admin
    if known and admins and account not in admins:
        return frozenset()
    return frozenset({account, *(one.name for one in active)})


def hide_first_looks(reviews: Iterable[Review], items: Iterable[Item], account: str) -> list[Review]:
    """What a person may know: not the looks of others at what still waits for a second blind one.

    An item may go away half done and its fields be asked about in another one: the look at it stays hidden, too.
    """
    unfinished = {item.id: item for item in items if item.looks_wanted > 1 and item.round < LAST_ROUND}
    asked = {name for item in unfinished.values() if item.state == "open" for name in item.fields}
    blind = {
        item.id
        for item in unfinished.values()
        if item.state == "open" or (item.state == "gone" and not asked.isdisjoint(item.fields))
    }
    return [review for review in reviews if review.account == account or review.item_id not in blind]


def list_proposals(item: Item, reviews: Iterable[Review]) -> tuple[Review, ...]:
    """The two looks that differ; none before both are done."""
    if item.round < LAST_ROUND:
        return ()
    reviews = list(reviews)
    found = (_find_look(item, number, reviews) for number in (1, 2))
    return tuple(review for review in found if review)


def _find_look(item: Item, number: int, reviews: Iterable[Review]) -> Review | None:
    looks = [one for one in list_counting(reviews) if one.item_id == item.id and one.round == number]
    return looks[-1] if looks else None
