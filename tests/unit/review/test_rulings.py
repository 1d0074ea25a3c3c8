"""Which review counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from extractor.model import CellState, Word
from extractor.review.answers import DOCUMENT
from extractor.review.rulings import fold_reviews
from extractor.store.shapes import FieldReview, Review, ReviewKind

BEFORE = Word(CellState.UNPARSABLE, None, "若干")
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def say(
    number: int,
    text: int | None,
    *,
    account: str = "an",
    kind: ReviewKind = "decide",
    item: int | None = 1,
    look: int = 1,
    undoes: int | None = None,
    field: str = "a.b.c",
    minute: int | None = None,
) -> Review:
    said = FieldReview(field, "unknowable", BEFORE, BEFORE)
    if text is not None:
        said = FieldReview(field, "corrected", BEFORE, Word(CellState.VALUE, text, str(text)))
    at = START + timedelta(minutes=number if minute is None else minute)
    return Review(number, kind, "d", 1, item, look, account, at, (said,), undoes=undoes)


def test_the_last_word_counts() -> None:
    ruling = fold_reviews([say(1, 5), say(2, 6, account="bo", item=2)])["a.b.c"]
    assert (ruling.word.value, ruling.by, ruling.review, ruling.at) == (6, ("bo",), 2, "2026-03-02T09:02:00+00:00")


def test_what_was_taken_back_does_not_count() -> None:
    assert fold_reviews([say(1, 5), say(2, 5, kind="undo", undoes=1)]) == {}
    both = [say(1, 5), say(2, 6, item=2), say(3, 6, kind="undo", undoes=2, item=2)]
    assert fold_reviews(both)["a.b.c"].word.value == 5


def test_a_first_blind_look_says_nothing() -> None:
    assert fold_reviews([say(1, 5)], twice={1}) == {}
    assert fold_reviews([say(1, 5)], twice={2})["a.b.c"].word.value == 5


def test_two_alike_count_for_both_and_two_unlike_for_nobody() -> None:
    alike = fold_reviews([say(1, 5), say(2, 5, account="bo", look=2)], twice={1})["a.b.c"]
    assert (alike.by, alike.review) == (("an", "bo"), 2)
    unlike = [say(1, 5), say(2, 6, account="bo", look=2)]
    assert fold_reviews(unlike, twice={1}) == {}
    third = fold_reviews([*unlike, say(3, 6, account="cy", look=3)], twice={1})["a.b.c"]
    assert (third.by, third.word.value) == (("bo", "cy"), 6)
    against_both = fold_reviews([*unlike, say(3, 7, account="cy", look=3)], twice={1})["a.b.c"]
    assert (against_both.by, against_both.word.value) == (("cy",), 7)


def test_who_looks_twice_because_he_is_alone_is_one_person() -> None:
    assert fold_reviews([say(1, 5), say(2, 5, look=2)], twice={1})["a.b.c"].by == ("an",)


def test_words_of_two_carried_at_once_are_the_words_of_two() -> None:
    def carry(number: int, account: str, minute: int) -> Review:
        return say(number, 5, account=account, kind="carry", item=None, undoes=number - 4, minute=minute)

    assert fold_reviews([carry(5, "an", 9), carry(6, "bo", 9)])["a.b.c"].by == ("an", "bo")
    assert fold_reviews([carry(5, "an", 9), carry(6, "bo", 10)])["a.b.c"].by == ("bo",)


def test_a_word_on_the_whole_document_is_no_field() -> None:
    assert fold_reviews([say(1, None, field=DOCUMENT)]) == {}
