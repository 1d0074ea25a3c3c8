"""Reviews: what persons said, one after the other. Only ever added.

Lives here: statements over reviews. Does not live here: which of them counts (extractor.review). Reached as
Books.reviews.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, and_, select

from extractor.errors import NotInStore
from extractor.model import RulingAction, Word
from extractor.store.database import chunked, read_time, write_time
from extractor.store.packing import read_word, write_word
from extractor.store.shapes import FieldReview, Review, ReviewKind
from extractor.store.statements import insert_numbered, read_cursor, write_cursor
from extractor.store.store_tables import REVIEW_FIELDS, REVIEWS

_R, _F = REVIEWS.c, REVIEW_FIELDS.c


class Look(NamedTuple):
    """What one person said of one field."""

    account: str
    action: RulingAction
    word: Word


class DoublePair(NamedTuple):
    """What two persons said of one field, blind to each other."""

    field_id: str
    first: Look
    second: Look


class Reviews:
    """The reviews of a store, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self,
        *,
        kind: ReviewKind,
        document_id: str,
        extraction_id: int,
        item_id: int | None,
        round: int,  # noqa: A002
        account: str,
        at: datetime,
        fields: Sequence[FieldReview],
        note: str = "",
        undoes: int | None = None,
    ) -> int:
        """Write down what a person said. Nothing takes it back; a new review may say otherwise.

        Returns:
            Its number; a later one has a larger number.
        """
        values = {
            "kind": kind,
            "document_id": document_id,
            "extraction_id": extraction_id,
            "item_id": item_id,
            "round": round,
            "account": account,
            "at": write_time(at),
            "note": note,
            "undoes": undoes,
        }
        number = insert_numbered(self._connection, REVIEWS, values)
        if fields:
            rows = [_field_values(number, position, one) for position, one in enumerate(fields)]
            self._connection.execute(REVIEW_FIELDS.insert(), rows)
        return number

    def get(self, review_id: int) -> Review:
        """A review.

        Raises:
            NotInStore: there is no such review.
        """
        found = self._read(select(REVIEWS).where(_R.id == review_id))
        if not found:
            raise NotInStore(f"review {review_id} is not in the store. Look it up in its document's history.")
        return found[0]

    def of_document(self, document_id: str) -> list[Review]:
        """All that was said of a document, oldest first."""
        return self._read(select(REVIEWS).where(_R.document_id == document_id).order_by(_R.id))

    def of_account(self, account: str, after: str | None = None, limit: int = 50) -> tuple[list[Review], str | None]:
        """What a person said, newest first, and the cursor of the next page; None at the end.

        Raises:
            BadCursor: `after` is no cursor of this list.
        """
        query = select(REVIEWS).where(_R.account == account).order_by(_R.id.desc()).limit(limit + 1)
        if after is not None:
            query = query.where(_R.id < read_cursor(after, int)[0])
        found = self._read(query)
        return found[:limit], write_cursor([found[limit - 1].id]) if len(found) > limit else None

    def double_pairs(self) -> Iterator[DoublePair]:
        """Fields that two persons looked at, blind to each other: what the first said, and what the second said.

        Of several reviews of one item in one round the last counts, and none that was undone.
        """
        first, second = _last_look(1).subquery(), _last_look(2).subquery()
        same = and_(
            first.c.item_id == second.c.item_id,
            first.c.field_id == second.c.field_id,
            first.c.account != second.c.account,  # who was left alone with an item looked at it twice
        )
        columns = ("account", "action", "after_word")
        query = select(
            first.c.field_id,
            *(first.c[name].label(f"first_{name}") for name in columns),
            *(second.c[name].label(f"second_{name}") for name in columns),
        ).join_from(first, second, same)
        for row in self._connection.execute(query.order_by(first.c.item_id, first.c.position)):
            looks = (
                Look(getattr(row, f"{which}_account"), getattr(row, f"{which}_action"), read_word(getattr(row, word)))
                for which, word in (("first", "first_after_word"), ("second", "second_after_word"))
            )
            yield DoublePair(row.field_id, *looks)

    def _read(self, query: Select[Any]) -> list[Review]:
        rows = self._connection.execute(query).all()
        fields = self._read_fields([row.id for row in rows])
        return [_review(row, fields.get(row.id, ())) for row in rows]

    def _read_fields(self, numbers: Iterable[int]) -> dict[int, tuple[FieldReview, ...]]:
        found: dict[int, list[FieldReview]] = {}
        for chunk in chunked(numbers):
            query = select(REVIEW_FIELDS).where(_F.review_id.in_(chunk)).order_by(_F.review_id, _F.position)
            for row in self._connection.execute(query):
                before, after = read_word(row.before_word), read_word(row.after_word)
                one = FieldReview(row.field_id, row.action, before, after, row.p_wrong)
                found.setdefault(row.review_id, []).append(one)
        return {number: tuple(fields) for number, fields in found.items()}


def _last_look(number: int) -> Select[Any]:
    later = REVIEWS.alias()
    is_last = ~(
        select(later.c.id)
        .where(later.c.item_id == _R.item_id, later.c.round == _R.round, later.c.kind == "decide", later.c.id > _R.id)
        .exists()
    )
    undo = REVIEWS.alias()
    is_undone = select(undo.c.id).where(undo.c.kind == "undo", undo.c.undoes == _R.id).exists()
    return (
        select(_R.item_id, _R.account, _F.field_id, _F.position, _F.action, _F.after_word)
        .join(REVIEW_FIELDS, _F.review_id == _R.id)
        .where(_R.kind == "decide", _R.round == number, _R.item_id.is_not(None), is_last, ~is_undone)
    )


def _field_values(number: int, position: int, one: FieldReview) -> dict[str, Any]:
    return {
        "review_id": number,
        "position": position,
        "field_id": one.field_id,
        "action": one.action,
        "before_word": write_word(one.before),
        "after_word": write_word(one.after),
        "p_wrong": one.p_wrong,
    }


def _review(row: Row[Any], fields: tuple[FieldReview, ...]) -> Review:
    return Review(
        id=row.id,
        kind=row.kind,
        document_id=row.document_id,
        extraction_id=row.extraction_id,
        item_id=row.item_id,
        round=row.round,
        account=row.account,
        at=read_time(row.at),
        fields=fields,
        note=row.note,
        undoes=row.undoes,
    )
