"""Documents: their bytes, where they were found, what was extracted from them, and the record as it stands.

Lives here: statements over these tables. Does not live here: lists for people (cards), what a ruling does to a record
(extractor.pipeline), when an item opens (extractor.review). Reached as Books.documents.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select

from extractor.errors import NotInStore
from extractor.model import Page, Record
from extractor.store.cards import CardList, describe_record
from extractor.store.database import read_time, write_time
from extractor.store.flagged import replace_flagged
from extractor.store.packing import (
    fingerprint_extraction,
    pack_pages,
    pack_raw,
    pack_record,
    pack_text,
    unpack_pages,
    unpack_raw,
    unpack_record,
    unpack_text,
)
from extractor.store.places import Places, no_document
from extractor.store.rows import now
from extractor.store.shapes import Extraction, StoredSource
from extractor.store.statements import insert_new, insert_numbered
from extractor.store.store_tables import DOCUMENTS, EXTRACTIONS, LIVE_RECORDS, SOURCES

_EXTRACTION = (
    EXTRACTIONS.c.id,
    EXTRACTIONS.c.document_id,
    EXTRACTIONS.c.made_at,
    EXTRACTIONS.c.record,
    EXTRACTIONS.c.text,
    EXTRACTIONS.c.pages,
)
_LATEST = EXTRACTIONS.c.seen_at.desc(), EXTRACTIONS.c.id.desc()


class Documents(CardList, Places):
    """The documents of a store, within one transaction."""

    def add_source(self, document_id: str, name: str, media_type: str, raw: bytes) -> bool:
        """Keep a document's bytes; what is kept already stays as it is.

        Returns:
            Whether it was new.
        """
        moment = write_time(now())
        values = {
            "id": document_id,
            "name": name,
            "media_type": media_type,
            "added_at": moment,
            "updated_at": moment,
            "accepted": 0,
            "in_review": 0,
            "search": name.lower(),
        }
        if not insert_new(self._connection, DOCUMENTS, values):
            return False
        is_packed, kept = pack_raw(raw)
        row = {"document_id": document_id, "is_packed": is_packed, "raw": kept}
        self._connection.execute(SOURCES.insert(), row)
        return True

    def source(self, document_id: str) -> StoredSource | None:
        """A document's bytes; None where there is no such document."""
        query = select(DOCUMENTS.c.id, DOCUMENTS.c.name, DOCUMENTS.c.media_type, SOURCES.c.is_packed, SOURCES.c.raw)
        query = query.join(SOURCES).where(DOCUMENTS.c.id == document_id)
        row = self._connection.execute(query).first()
        if row is None:
            return None
        return StoredSource(row.id, row.name, row.media_type, unpack_raw(row.is_packed, row.raw))

    # ---------------------------------------------------------------- what was extracted

    def add_extraction(
        self, document_id: str | None, record: Record, text: str, pages: Iterable[Page], made_at: datetime
    ) -> tuple[int, bool]:
        """Keep what was extracted. The same record, wherever found, over the same text is kept once.

        Args:
            document_id: None for a file that could not be opened.
            record: without rulings.
            text: what its spans are intervals of.

        Returns:
            Its number, and whether it is new.
        """
        fingerprint = fingerprint_extraction(record, text)
        moment = write_time(made_at)
        if document_id is not None:
            self.lock(document_id)
        query = select(EXTRACTIONS.c.id).where(
            EXTRACTIONS.c.fingerprint == fingerprint, EXTRACTIONS.c.document_id.is_not_distinct_from(document_id)
        )
        known: int | None = self._connection.execute(query).scalar()
        if known is not None:
            again = EXTRACTIONS.update().where(EXTRACTIONS.c.id == known, EXTRACTIONS.c.seen_at < moment)
            self._connection.execute(again.values(seen_at=moment))
            return known, False
        values = {
            "document_id": document_id,
            "fingerprint": fingerprint,
            "made_at": moment,
            "seen_at": moment,
            "record": pack_record(record),
            "text": pack_text(text),
            "pages": pack_pages(tuple(pages)),
        }
        return insert_numbered(self._connection, EXTRACTIONS, values), True

    def extraction(self, extraction_id: int) -> Extraction:
        """What was extracted, as it was.

        Raises:
            NotInStore: there is no such extraction.
        """
        query = select(*_EXTRACTION).where(EXTRACTIONS.c.id == extraction_id)
        row = self._connection.execute(query).first()
        if row is None:
            raise NotInStore(f"extraction {extraction_id} is not in the store. Look it up in its run or document.")
        return _extraction(row, row.record)

    def newest_extraction(self, document_id: str) -> Extraction:
        """What was extracted last, without rulings.

        Raises:
            NotInStore: there is no such document, or nothing was extracted from it yet.
        """
        query = select(*_EXTRACTION).where(EXTRACTIONS.c.document_id == document_id).order_by(*_LATEST).limit(1)
        row = self._connection.execute(query).first()
        if row is None:
            raise no_document(document_id)
        return _extraction(row, row.record)

    # ---------------------------------------------------------------- as it stands

    def save_live(self, document_id: str, extraction_id: int, record: Record) -> None:
        """Keep the record with the rulings; lists, filters and statistics follow it.

        Raises:
            NotInStore: there is no such document.
        """
        self.lock(document_id)
        values = {"extraction_id": extraction_id, "record": pack_record(record)}
        update = LIVE_RECORDS.update().where(LIVE_RECORDS.c.document_id == document_id).values(values)
        if not self._connection.execute(update).rowcount:
            self._connection.execute(LIVE_RECORDS.insert(), {"document_id": document_id} | values)
        self.describe(document_id, describe_record(record))
        replace_flagged(self._connection, document_id, record)

    def live(self, document_id: str) -> Extraction:
        """The newest extraction; its record has the rulings in it.

        Raises:
            NotInStore: there is no such document, or nothing was extracted from it yet.
        """
        query = select(*_EXTRACTION, LIVE_RECORDS.c.record.label("live")).join(
            LIVE_RECORDS, LIVE_RECORDS.c.extraction_id == EXTRACTIONS.c.id
        )
        row = self._connection.execute(query.where(LIVE_RECORDS.c.document_id == document_id)).first()
        if row is None:
            raise no_document(document_id)
        return _extraction(row, row.live)


def _extraction(row: Any, record: bytes) -> Extraction:
    return Extraction(
        id=row.id,
        document_id=row.document_id,
        made_at=read_time(row.made_at),
        record=unpack_record(record),
        text=unpack_text(row.text),
        pages=unpack_pages(row.pages),
    )
