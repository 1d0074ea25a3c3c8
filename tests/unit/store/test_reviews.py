"""Reviews, which nobody can change afterwards. On both databases."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from extractor.errors import BadCursor, NotInStore
from extractor.model import CellState, Word
from extractor.store.shapes import FieldReview
from extractor.store.store import Store
from tests.unit.store.filler import NOON, ZERO, add_document, add_items, add_review, make_id, minutes

WORDS = (
    Word(CellState.BLANK, None, ""),
    Word(CellState.VALUE, "010-12345", "010-12345"),
    Word(CellState.VALUE, Decimal("3.0"), "3.0", "wan"),
    Word(CellState.NA_MARK, None, "/"),
)


def test_a_review_comes_out_as_it_went_in(store: Store) -> None:
    fields = tuple(FieldReview(f"f{place}", "corrected", ZERO, word, place / 8) for place, word in enumerate(WORDS))
    with store.write() as books:
        extraction_id = add_document(books, 1)
        (item,) = add_items(books, 1, 1.0)
        number = add_review(books, item, "li", fields=fields, note="第三页\n看不清", at=minutes(3))
        undo = add_review(books, item, "wang", kind="undo", undoes=number, fields=())
        review = books.reviews.get(number)
        assert (review.fields, review.note, review.at) == (fields, "第三页\n看不清", minutes(3))
        assert (review.kind, review.account, review.extraction_id) == ("decide", "li", extraction_id)
        assert (review.item_id, review.round, review.undoes) == (item.id, 1, None)
        assert [one.id for one in books.reviews.of_document(make_id(1))] == [number, undo]
        assert books.reviews.of_document(make_id(2)) == []
        with pytest.raises(NotInStore, match="review 9"):
            books.reviews.get(9)


def test_a_persons_reviews_are_leafed_through_newest_first(store: Store) -> None:
    with store.write() as books:
        add_document(books, 1)
        (item,) = add_items(books, 1, 1.0)
        mine = [add_review(books, item, name) for name in ("li", "wang", "li", "li")]
        first, after = books.reviews.of_account("li", None, 2)
        second, end = books.reviews.of_account("li", after, 2)
        assert [one.id for one in (*first, *second)] == [mine[3], mine[2], mine[0]]
        assert end is None
        with pytest.raises(BadCursor):
            books.reviews.of_account("li", "?", 2)


@pytest.mark.parametrize("table", ["reviews", "review_fields"])
@pytest.mark.parametrize("act", ["UPDATE {table} SET {column} = '{column}'", "DELETE FROM {table}", "TRUNCATE {table}"])
def test_the_database_itself_refuses_to_change_a_review(table: str, act: str, where: str, store: Store) -> None:
    if act.startswith("TRUNCATE"):
        if not where.startswith("postgresql"):
            pytest.skip("SQLite knows no TRUNCATE")
        act += " CASCADE"
    with store.write() as books:
        add_document(books, 1)
        (item,) = add_items(books, 1, 1.0)
        number = add_review(books, item, "li")
    column = {"reviews": "note", "review_fields": "field_id"}[table]
    with pytest.raises(IntegrityError, match="only ever added"), store.write() as books:
        books.reviews._connection.execute(text(act.format(table=table, column=column)))
    with store.read() as books:
        assert books.reviews.get(number).fields[0].field_id == "table_1.a"


def test_pairs_are_what_two_said_blind_to_each_other(store: Store) -> None:
    eight = Word(CellState.VALUE, 8, "8件")

    def say(*words: Word) -> list[FieldReview]:
        return [FieldReview(f"f{place}", "corrected", ZERO, word) for place, word in enumerate(words)]

    with store.write() as books:
        add_document(books, 1)
        both, alone, undone, himself = add_items(books, 1, 1.0, 1.0, 1.0, 1.0)
        add_review(books, himself, "li", fields=say(ZERO))
        add_review(books, himself, "li", fields=say(ZERO), round=2)  # nobody else was there
        add_review(books, both, "li", fields=say(ZERO, ZERO), at=NOON)
        add_review(books, both, "li", fields=say(eight, ZERO))  # he thought again
        add_review(books, both, "wang", fields=say(eight, WORDS[0]), round=2)
        add_review(books, both, "zhao", fields=say(ZERO, ZERO), round=3)
        add_review(books, alone, "li", fields=say(ZERO))
        first = add_review(books, undone, "li", fields=say(ZERO))
        add_review(books, undone, "li", kind="undo", undoes=first, fields=())
        add_review(books, undone, "wang", fields=say(ZERO), round=2)
        pairs = list(books.reviews.double_pairs())
    assert [(pair.field_id, pair.first.account, pair.second.account) for pair in pairs] == [
        ("f0", "li", "wang"),
        ("f1", "li", "wang"),
    ]
    assert [(pair.first.word, pair.second.word) for pair in pairs] == [(eight, eight), (ZERO, WORDS[0])]
    assert pairs[0].first.action == "corrected"
