"""Documents, items and reviews for the tests of the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from extractor.flags import make_flag
from extractor.model import (
    CellState,
    DocumentIdentity,
    Origin,
    Record,
    RecordField,
    Status,
    Word,
)
from extractor.store.shapes import FieldReview, Item, ItemDraft
from extractor.store.store import Books

NOON = datetime(2026, 11, 3, 12, 0, 0, 250, UTC)
ZERO = Word(CellState.VALUE, 0, "0")


def minutes(count: float) -> datetime:
    return NOON + timedelta(minutes=count)


def make_id(number: int) -> str:
    return f"{number:064x}"


def make_field(value: Any, **changes: Any) -> RecordField:
    return replace(RecordField(CellState.VALUE, value, str(value), (), "template", "accepted"), **changes)


def make_record(number: int, **changes: Any) -> Record:
    record = Record(
        document=DocumentIdentity(make_id(number), f"in/{number}.txt", "text/plain"),
        status=Status.SUCCEEDED,
        origins=(Origin(f"in/{number}.txt"),),
        fields={
            "header.title": make_field(f"甲{number}局2023年政府信息公开工作年度报告"),
            "header.agency_name": make_field(f"甲{number}局"),
            "header.report_year": make_field(2023),
            "table_1.a": make_field(0, decision="review"),
        },
        flags=(make_flag("glued-digits", fields=["table_1.a"]), make_flag("sections-out-of-order")),
    )
    return record.model_copy(update=changes)


def add_document(books: Books, number: int, origins: Sequence[Origin] = (), **changes: Any) -> int:
    """A document with everything; the number of its extraction."""
    record = make_record(number, **changes)
    books.documents.add_source(make_id(number), f"{number}.txt", "text/plain", f"原文 {number}".encode())
    books.documents.add_origins(make_id(number), origins or record.origins)
    extraction_id, _ = books.documents.add_extraction(make_id(number), record, f"原文 {number}", (), NOON)
    books.documents.save_live(make_id(number), extraction_id, record)
    return extraction_id


def make_draft(key: str, **changes: Any) -> ItemDraft:
    return replace(ItemDraft("row", key, "table_1", ("table_1.a",), ("glued-digits",), 1.0), **changes)


def add_items(books: Books, number: int, *expected: float, **changes: Any) -> list[Item]:
    """Items on a document that is there, one for each expected number of wrong values."""
    drafts = [make_draft(f"k{place}", expected=value, **changes) for place, value in enumerate(expected)]
    return books.queue.add(make_id(number), drafts)


def add_review(books: Books, item: Item, account: str, **changes: Any) -> int:
    values: dict[str, Any] = {
        "kind": "decide",
        "document_id": item.document_id,
        "extraction_id": books.documents.newest_extraction(item.document_id).id,
        "item_id": item.id,
        "round": item.round,
        "account": account,
        "at": NOON,
        "fields": [FieldReview("table_1.a", "accepted", ZERO, ZERO, 0.25)],
    }
    return books.reviews.add(**(values | changes))
