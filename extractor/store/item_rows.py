"""Items of the queue as rows, and back.

Lives here: the conversion. Does not live here: any statement that changes something (queue, the only caller).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select

from extractor.store.database import read_time, write_time
from extractor.store.packing import read_texts, write_texts
from extractor.store.shapes import Item, ItemDraft
from extractor.store.store_tables import DOCUMENTS, ITEMS

_I = ITEMS.c
_FULL = (ITEMS, DOCUMENTS.c.agency_name, DOCUMENTS.c.title, DOCUMENTS.c.name)


def select_items() -> Select[Any]:
    """Items with what is shown of their documents."""
    return select(*_FULL).join(DOCUMENTS, DOCUMENTS.c.id == _I.document_id)


def rank_of(expected: float, looks: float) -> float:
    """What the queue is ordered by, smallest first."""
    return -(expected / looks)


def write_draft(draft: ItemDraft) -> dict[str, Any]:
    """The columns that a draft fills."""
    return {
        "kind": draft.kind,
        "key": draft.key,
        "section": draft.section,
        "fields": write_texts(draft.fields),
        "codes": write_texts(draft.codes),
        "expected": draft.expected,
        "looks": draft.looks,
        "rank": rank_of(draft.expected, draft.looks),
    }


def write_value(value: Any) -> Any:
    """A value of an item as its column holds it."""
    if isinstance(value, datetime):
        return write_time(value)
    return write_texts(value) if isinstance(value, tuple) else value


def read_item(row: Row[Any], now: datetime | None = None) -> Item:
    """The item of a row of select_items; a lease that is over at `now` is left out."""
    held_until = None if row.held_until is None else read_time(row.held_until)
    is_over = now is not None and held_until is not None and held_until <= now
    return Item(
        id=row.id,
        document_id=row.document_id,
        kind=row.kind,
        key=row.key,
        section=row.section,
        fields=read_texts(row.fields),
        codes=read_texts(row.codes),
        expected=row.expected,
        looks=row.looks,
        priority=-row.rank,
        state=row.state,
        round=row.round,
        looks_wanted=row.looks_wanted,
        version=row.version,
        holder=None if is_over else row.holder,
        held_until=None if is_over else held_until,
        answered_by=read_texts(row.answered_by),
        site=row.site,
        agency_name=row.agency_name,
        report_year=row.report_year,
        title=row.title,
        name=row.name,
    )
