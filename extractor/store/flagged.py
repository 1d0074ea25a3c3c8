"""Flagged fields as rows, so that they can be counted and filtered without reading a record.

Lives here: keeping them in step with the live record, for operators who ask with SQL. Does not live here: what waits in
the queue (tallies). Called by documents.
"""

from __future__ import annotations

from sqlalchemy import Connection, and_, or_, select

from extractor.model import Record
from extractor.store.database import chunked
from extractor.store.store_tables import FLAGGED_FIELDS


def replace_flagged(connection: Connection, document_id: str, record: Record) -> None:
    """Make the rows of a document those of its record. Only what differs is written: few do after one decision."""
    table = FLAGGED_FIELDS
    wanted = {(flag.code, field_id): flag.severity for flag in record.flags for field_id in (flag.fields or ("",))}
    query = select(table.c.code, table.c.field_id, table.c.severity).where(table.c.document_id == document_id)
    kept = {(row.code, row.field_id): row.severity for row in connection.execute(query)}
    gone = [key for key, severity in kept.items() if wanted.get(key) != severity]
    for chunk in chunked(gone, 200):
        which = or_(*(and_(table.c.code == code, table.c.field_id == field_id) for code, field_id in chunk))
        connection.execute(table.delete().where(table.c.document_id == document_id, which))
    new = [
        {"document_id": document_id, "code": code, "field_id": field_id, "severity": severity}
        for (code, field_id), severity in wanted.items()
        if kept.get((code, field_id)) != severity
    ]
    if new:
        connection.execute(table.insert(), new)
