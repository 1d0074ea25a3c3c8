"""What a filter of the queue means in SQL.

Lives here: conditions over open items. Does not live here: what is asked with them (queue, the only caller).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, FromClause, and_, or_, select

from extractor.store.database import write_time
from extractor.store.packing import write_texts
from extractor.store.shapes import QueueFilter
from extractor.store.store_tables import DOCUMENTS, ITEM_CODES, ITEMS

_I = ITEMS.c


# More people will not sit in front of one queue.
_MOST_HELD = 10_000


class Ordered(NamedTuple):
    """Where open items stand in the queue's order: tables, the columns that order them, and conditions."""

    source: FromClause
    order: tuple[ColumnElement[Any], ColumnElement[Any]]
    conditions: list[ColumnElement[bool]]


def order_items(wanted: QueueFilter) -> Ordered:
    """Open items in their order. With a flag its own rows lead: they stand in the same order."""
    if wanted.code is None:
        return Ordered(ITEMS, (_I.rank, _I.id), item_conditions(wanted))
    codes = ITEM_CODES.c
    conditions = [codes.code == wanted.code, *item_conditions(wanted._replace(code=None))]
    return Ordered(ITEM_CODES.join(ITEMS, _I.id == codes.item_id), (codes.rank, codes.item_id), conditions)


def item_conditions(
    wanted: QueueFilter, *, state: str = "open", items: FromClause = ITEMS
) -> list[ColumnElement[bool]]:
    """Conditions over ITEMS, or over a part of it."""
    here = items.c
    conditions: list[ColumnElement[bool]] = [here.state == state]
    columns = (
        (here.section, wanted.section),
        (here.site, wanted.site),
        (here.report_year, wanted.report_year),
        (here.document_id, wanted.document_id),
        (here.round, wanted.round),
    )
    conditions += [column == value for column, value in columns if value is not None]
    if wanted.kind is not None:
        conditions.append(here.kind.in_(list_kinds(wanted.kind)))
    if wanted.code is not None:
        conditions.append(_has(here.codes, wanted.code))
    if wanted.text:
        like = DOCUMENTS.c.search.contains(wanted.text.lower(), autoescape=True)
        conditions.append(here.document_id.in_(select(DOCUMENTS.c.id).where(like)))
    return conditions


def list_kinds(kind: str) -> tuple[str, ...]:
    """The kinds that a filter finds under one name: nobody can ask for single cells without those of the audit."""
    return ("cells", "audit") if kind == "cells" else (kind,)


def held_items(moment: datetime) -> FromClause:
    """Items that somebody has now. They are few; the limit makes the database find them before it asks more."""
    return select(ITEMS).where(_I.holder.is_not(None), _I.held_until > write_time(moment)).limit(_MOST_HELD).subquery()


def is_for(account: str, moment: datetime) -> ColumnElement[bool]:
    """Whether this person may take the item: nobody else has it, and he did not answer it in an earlier round."""
    return and_(_is_free(account, moment), or_(_I.answered_by == "[]", ~_has(_I.answered_by, account)))


def is_left_to(account: str, moment: datetime, answered_by: Collection[str]) -> ColumnElement[bool]:
    """Whether nobody else has the item, and all of these answered it in earlier rounds."""
    return and_(_is_free(account, moment), *(_has(_I.answered_by, name) for name in sorted(answered_by)))


def _is_free(account: str, moment: datetime) -> ColumnElement[bool]:
    return or_(_I.holder.is_(None), _I.held_until <= write_time(moment), _I.holder == account)


def _has(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Whether a text stands in a JSON list of texts: between quotes."""
    return column.contains(write_texts([text])[1:-1], autoescape=True)
