"""Lists of documents, as people leaf through them.

Lives here: cards and their filters. Does not live here: what a document holds (documents, whose Documents this is a
part of).
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select, tuple_

from extractor.errors import NotInStore
from extractor.model import Record
from extractor.store.database import read_time
from extractor.store.shapes import DocumentCard
from extractor.store.statements import read_cursor, write_cursor
from extractor.store.store_tables import DOCUMENTS, ITEMS

_OPEN_ITEMS = (
    select(func.count())
    .where(ITEMS.c.document_id == DOCUMENTS.c.id, ITEMS.c.state == "open")
    .scalar_subquery()
    .label("open_items")
)
_CARDS = select(DOCUMENTS, _OPEN_ITEMS)
_PLACE = tuple_(DOCUMENTS.c.added_at, DOCUMENTS.c.id)


class CardList:
    """Cards of documents; of one that was not read yet the status is empty."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def card(self, document_id: str) -> DocumentCard:
        """One document in short.

        Raises:
            NotInStore: there is no such document.
        """
        row = self._connection.execute(_CARDS.where(DOCUMENTS.c.id == document_id)).first()
        if row is None:
            raise NotInStore(f"document {document_id} is not in the store. Look it up in the list of documents.")
        return _card(row)

    def cards(  # noqa: PLR0917
        self,
        text: str | None = None,
        site: str | None = None,
        year: int | None = None,
        status: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> tuple[list[DocumentCard], str | None]:
        """Documents, the newest in the store first.

        Args:
            text: part of the name, the title or the agency.
            status: of the live record.
            after: the cursor that the page before gave.

        Returns:
            A page, and the cursor of the next one; None at the end.

        Raises:
            BadCursor: `after` is no cursor of this list.
        """
        query = _filter(_CARDS, text, site, year, status)
        if after is not None:
            query = query.where(tuple_(*read_cursor(after, str, str)) > _PLACE)
        query = query.order_by(DOCUMENTS.c.added_at.desc(), DOCUMENTS.c.id.desc()).limit(limit + 1)
        rows = self._connection.execute(query).all()
        cursor = write_cursor([rows[limit - 1].added_at, rows[limit - 1].id]) if len(rows) > limit else None
        return [_card(row) for row in rows[:limit]], cursor


def describe_record(record: Record) -> dict[str, Any]:
    """What lists show of a record, by column."""
    decisions = Counter(field.decision for field in record.fields.values())
    title, agency, year = (_read_fact(record, name) for name in ("title", "agency_name", "report_year"))
    # As it was read: who handed it in only guessed by its first bytes.
    kind = {"media_type": record.document.media_type} if record.document.media_type else {}
    return kind | {
        "title": title,
        "agency_name": agency,
        "report_year": int(year) if year and re.fullmatch("[0-9]{4}", year) else None,
        "live_status": record.status.value,
        "accepted": decisions["accepted"],
        "in_review": decisions["review"],
    }


def _read_fact(record: Record, name: str) -> str | None:
    field = record.fields.get(f"header.{name}")
    if field is None or field.value is None:
        return None
    return str(field.value).replace("\0", "")  # PostgreSQL keeps no such character in a text


def _filter(
    query: Select[Any], text: str | None, site: str | None, year: int | None, status: str | None
) -> Select[Any]:
    if text:
        query = query.where(DOCUMENTS.c.search.contains(text.lower(), autoescape=True))
    wanted = ((DOCUMENTS.c.site, site), (DOCUMENTS.c.report_year, year), (DOCUMENTS.c.live_status, status))
    for column, value in wanted:
        if value is not None:
            query = query.where(column == value)
    return query


def _card(row: Row[Any]) -> DocumentCard:
    return DocumentCard(
        id=row.id,
        name=row.name,
        media_type=row.media_type,
        url=row.url,
        site=row.site,
        title=row.title,
        agency_name=row.agency_name,
        report_year=row.report_year,
        live_status=row.live_status or "",
        accepted=row.accepted,
        in_review=row.in_review,
        open_items=row.open_items,
        updated_at=read_time(row.updated_at),
    )
