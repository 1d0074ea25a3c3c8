"""Blind double looks: who looks when, and who may see what.

Lives here: the rounds of an item that two people look at. Does not live here: which documents (sampling), what both
together say (rulings), how far they agree (agreement). Called by desk.

Round 1 and 2 are looks of two people who do not see each other's; where they differ, round 3 shows both to a third
person. Where there is no third one, an admin settles it, be it one of the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from extractor.errors import ItemHeld
from extractor.review.rulings import LAST_ROUND, find_agreed, list_counting
from extractor.review.sync import list_active
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
    others = [name for name in list_active(books) if name not in item.answered_by]
    known = books.people.account(account)
    is_admin = known is None or known.role == "admin"
    is_alone = not [name for name in list_active(books) if name != account]
    if is_alone or (item.round == LAST_ROUND and is_admin and not others):
        return
    raise ItemHeld(f"item {item.id}: {account} looked at it already, and another person is to. Take another one.")


def hide_first_looks(reviews: Iterable[Review], items: Iterable[Item], account: str) -> list[Review]:
    """What a person may know: not the looks of others at an item that still waits for a second blind one."""
    blind = {item.id for item in items if item.state == "open" and item.looks_wanted > 1 and item.round < LAST_ROUND}
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
