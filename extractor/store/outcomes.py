"""What reviewers found, counted for the dashboard: one statement for each figure.

Lives here: sums over reviews with their items, and over the journal's attempts. Does not live here: how much is in the
store (documents, queue), rates and intervals (extractor.review.figures). Reached as Books.outcomes.

What a review found counts where it stands: the last one of a settled item that nobody undid.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, Subquery, and_, case, distinct, func, select

from extractor.model import RulingAction
from extractor.store.database import read_time, write_time
from extractor.store.shapes import ItemKind
from extractor.store.store_tables import ITEMS, REVIEW_FIELDS, REVIEWS
from extractor.store.tables import ATTEMPTS


class DayLoad(NamedTuple):
    """What one person did on one day (UTC, ISO 8601): looks, and fields that he decided in them."""

    day: str
    account: str
    looks: int
    fields: int


class Waiting(NamedTuple):
    """Open items of one kind, and how many wrong or missing values are expected among them."""

    kind: ItemKind
    items: int
    expected: float


class Found(NamedTuple):
    """Fields of items with the same flags on which reviewers said the same. `was_changed`: another word stands now."""

    codes: tuple[str, ...]
    action: RulingAction
    was_changed: bool
    fields: int


class Foretold(NamedTuple):
    """Reviewed fields whose p_wrong is under a bound, but not under the bound before: how many were wrong."""

    below: float
    fields: int
    wrong: int
    sum_p: float


class Audited(NamedTuple):
    """Accepted values of one document that somebody looked at: how many, and how many of them were wrong."""

    fields: int
    wrong: int


class Spent(NamedTuple):
    """What one model was asked. `cost_usd` is None where no price is known for some call."""

    model: str
    calls: int
    documents: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None


class Outcomes:
    """Sums over what is in the store, from a moment on where one is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def load(self, since: datetime) -> list[DayLoad]:
        """What everybody did on each day, in order of days and names."""
        day = func.substr(REVIEWS.c.at, 1, 10)
        statement = (
            select(day, REVIEWS.c.account, func.count(distinct(REVIEWS.c.id)), func.count(REVIEW_FIELDS.c.field_id))
            .select_from(REVIEWS.outerjoin(REVIEW_FIELDS, REVIEW_FIELDS.c.review_id == REVIEWS.c.id))
            .where(REVIEWS.c.kind == "decide", REVIEWS.c.at >= write_time(since))
            .group_by(day, REVIEWS.c.account)
            .order_by(day, REVIEWS.c.account)
        )
        return [DayLoad(*row) for row in self._connection.execute(statement)]

    def moments(self, since: datetime) -> list[tuple[str, datetime]]:
        """Account and time of every look, in this order: how long looks take follows from their distances."""
        statement = (
            select(REVIEWS.c.account, REVIEWS.c.at)
            .where(REVIEWS.c.kind == "decide", REVIEWS.c.at >= write_time(since))
            .order_by(REVIEWS.c.account, REVIEWS.c.at)
        )
        return [(account, read_time(at)) for account, at in self._connection.execute(statement)]

    def reviewed_documents(self, since: datetime) -> int:
        """Documents on which anybody decided anything."""
        statement = select(func.count(distinct(REVIEWS.c.document_id))).where(
            REVIEWS.c.kind == "decide", REVIEWS.c.at >= write_time(since)
        )
        return self._connection.execute(statement).scalar_one()

    def waiting_by_kind(self) -> list[Waiting]:
        """What is open, the most expected values first."""
        expected = func.sum(ITEMS.c.expected)
        statement = (
            select(ITEMS.c.kind, func.count(), expected)
            .where(ITEMS.c.state == "open")
            .group_by(ITEMS.c.kind)
            .order_by(expected.desc(), ITEMS.c.kind)
        )
        return [Waiting(*row) for row in self._connection.execute(statement)]

    def found_by_codes(self, since: datetime) -> list[Found]:
        """What flagged fields turned out to be; items of the audit are left out (`audited`)."""
        changed = REVIEW_FIELDS.c.before_word != REVIEW_FIELDS.c.after_word
        statement = (
            self._select_standing(since, ITEMS.c.codes, REVIEW_FIELDS.c.action, changed, func.count())
            .where(ITEMS.c.kind != "audit")
            .group_by(ITEMS.c.codes, REVIEW_FIELDS.c.action, changed)
            .order_by(ITEMS.c.codes, REVIEW_FIELDS.c.action, changed)
        )
        return [
            Found(tuple(json.loads(codes)), action, bool(was_changed), fields)
            for codes, action, was_changed, fields in self._connection.execute(statement)
        ]

    def foretold(self, since: datetime, bounds: tuple[float, ...]) -> list[Foretold]:
        """p_wrong at the time of the look, against what the look found. `bounds` ascend, the last is over 1."""
        p_wrong = REVIEW_FIELDS.c.p_wrong
        below = case(*((p_wrong < bound, bound) for bound in bounds), else_=bounds[-1]).label("below")
        statement = (
            self._select_standing(since, below, func.count(), func.sum(_IS_WRONG), func.sum(p_wrong))
            .where(p_wrong.is_not(None), REVIEW_FIELDS.c.action != "unknowable")
            .group_by(below)
            .order_by(below)
        )
        return [Foretold(*row) for row in self._connection.execute(statement)]

    def audited(self, since: datetime) -> list[Audited]:
        """Of each document in the audit: accepted values looked at. Those that nobody can know are left out."""
        statement = (
            self._select_standing(since, func.count(), func.sum(_IS_WRONG))
            .where(ITEMS.c.kind == "audit", REVIEW_FIELDS.c.action != "unknowable")
            .group_by(ITEMS.c.document_id)
        )
        return sorted(Audited(*row) for row in self._connection.execute(statement))

    def spent(self, since: datetime) -> list[Spent]:
        """What models were asked, by the journal in this database; the one with the most tokens first."""
        tokens = func.sum(ATTEMPTS.c.input_tokens + ATTEMPTS.c.output_tokens)
        without_price = func.sum(case((ATTEMPTS.c.cost_usd.is_(None), 1), else_=0))
        statement = (
            select(
                ATTEMPTS.c.model,
                func.count(),
                func.count(distinct(ATTEMPTS.c.document_id)),
                func.sum(ATTEMPTS.c.input_tokens),
                func.sum(ATTEMPTS.c.output_tokens),
                case((without_price == 0, func.sum(ATTEMPTS.c.cost_usd))),
            )
            .where(ATTEMPTS.c.created_at >= write_time(since))
            .group_by(ATTEMPTS.c.model)
            .order_by(tokens.desc(), ATTEMPTS.c.model)
        )
        return [Spent(*row) for row in self._connection.execute(statement)]

    def _select_standing(self, since: datetime, *columns: Any) -> Select[Any]:
        """These columns, over the fields of the review that settled each item."""
        standing = _find_standing(since)
        tables = standing.join(ITEMS, and_(ITEMS.c.id == standing.c.item_id, ITEMS.c.state == "settled")).join(
            REVIEW_FIELDS, REVIEW_FIELDS.c.review_id == standing.c.review_id
        )
        return select(*columns).select_from(tables)


_IS_WRONG = case(
    (and_(REVIEW_FIELDS.c.action == "corrected", REVIEW_FIELDS.c.before_word != REVIEW_FIELDS.c.after_word), 1), else_=0
)


def _find_standing(since: datetime) -> Subquery:
    undo = REVIEWS.alias("undo")
    undone = select(undo.c.undoes).where(undo.c.kind == "undo")
    return (
        select(REVIEWS.c.item_id, func.max(REVIEWS.c.id).label("review_id"))
        .where(
            REVIEWS.c.kind == "decide",
            REVIEWS.c.item_id.is_not(None),
            REVIEWS.c.at >= write_time(since),
            REVIEWS.c.id.not_in(undone),
        )
        .group_by(REVIEWS.c.item_id)
        .subquery("standing")
    )
