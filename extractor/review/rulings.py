"""All reviews of a document -> the word that stands on each field.

Lives here: which review counts. Does not live here: storing them (extractor.store), what a word does to the record
(extractor.pipeline.apply_rulings). Called by intake and desk.

Reviews are only ever added. The last one on a field counts, without those that were undone. Where two people look, the
first look alone says nothing; where both say the same, it is the word of both; where they differ, the third one's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from extractor.model import Ruling
from extractor.review.answers import DOCUMENT, is_same_word
from extractor.store.shapes import FieldReview, Review

#: The look by which two different ones are settled.
LAST_ROUND = 3


def fold_reviews(reviews: Sequence[Review], twice: Collection[int] = frozenset()) -> dict[str, Ruling]:
    """Fold a document's reviews.

    Args:
        reviews: oldest first.
        twice: ids of the items that two people look at.

    Returns:
        The standing word by field id.
    """
    rulings: dict[str, Ruling] = {}
    looks: dict[int | None, list[Review]] = {}
    for review in list_counting(reviews):
        earlier = looks.setdefault(review.item_id, []) if review.item_id in twice else []
        if review.item_id in twice and review.round < LAST_ROUND:
            agreed = [one for first in earlier for one in find_agreed(first, review)]
        else:
            agreed = list(review.fields)
        for one in agreed:
            said_before = (*_list_joined(rulings.get(one.field_id), one, review), *_list_alike(earlier, one))
            rulings[one.field_id] = _rule(one, review, said_before)
        earlier.append(review)
    rulings.pop(DOCUMENT, None)
    return rulings


def list_counting(reviews: Iterable[Review]) -> list[Review]:
    """The decisions that nobody undid, and those carried over, oldest first."""
    reviews = list(reviews)
    undone = {review.undoes for review in reviews if review.kind == "undo"}
    return [review for review in reviews if review.kind != "undo" and review.id not in undone]


def find_agreed(first: Review, second: Review) -> tuple[FieldReview, ...]:
    """What the second look says of the fields on which both say the same."""
    said = {one.field_id: one for one in first.fields}
    return tuple(one for one in second.fields if one.field_id in said and is_agreed(said[one.field_id], one))


def is_agreed(one: FieldReview, other: FieldReview) -> bool:
    """Whether two people say the same of a field."""
    return one.action == other.action and is_same_word(one.after, other.after)


def _rule(said: FieldReview, review: Review, others: tuple[str, ...]) -> Ruling:
    by = tuple(dict.fromkeys((*others, review.account)))
    return Ruling(said.action, by, review.at.isoformat(), review.id, said.after)


def _list_alike(looks: Iterable[Review], said: FieldReview) -> list[str]:
    """Who said the same of a field in an earlier look at its item."""
    return [
        look.account for look in looks for one in look.fields if one.field_id == said.field_id and is_agreed(one, said)
    ]


def _list_joined(before: Ruling | None, said: FieldReview, review: Review) -> tuple[str, ...]:
    """Words of two people are carried over one by one: together they are again the word of both."""
    if review.kind != "carry" or before is None or before.at != review.at.isoformat():
        return ()
    return before.by if before.action == said.action and is_same_word(before.word, said.after) else ()
