"""Where documents were found, and what is told of them in lists and in the queue.

Lives here: statements over places, the lock on a document, and the columns that repeat what its record says. Does not
live here: what was extracted (documents, whose Documents this is a part of).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from extractor.errors import NotInStore
from extractor.model import Origin
from extractor.store.database import write_time
from extractor.store.rows import now
from extractor.store.store_tables import DOCUMENTS, ITEMS, ORIGINS
from extractor.store.tallies import keeping_tallies


class Places:
    """Where the documents of a store were found."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self, document_id: str) -> None:
        """Let no other writer touch this document until the transaction ends. In SQLite writers are alone anyway.

        Raises:
            NotInStore: there is no such document.
        """
        query = select(DOCUMENTS.c.id).where(DOCUMENTS.c.id == document_id).with_for_update(key_share=True)
        if self._connection.execute(query).first() is None:
            raise no_document(document_id)

    def add_origins(self, document_id: str, origins: Sequence[Origin]) -> None:
        """Write down where a document was found, each place once.

        Raises:
            NotInStore: there is no such document.
        """
        self.lock(document_id)
        known = set(self.origins(document_id))
        new = [origin for origin in dict.fromkeys(origins) if origin not in known]
        if not new:
            return
        rows = [
            {
                "document_id": document_id,
                "path": origin.path,
                "url": origin.url,
                "site": origin.site,
                "fetched_at": origin.fetched_at,
            }
            for origin in new
        ]
        self._connection.execute(ORIGINS.insert(), rows)
        all_of_them = (*self.origins(document_id),)
        url = next((origin.url for origin in all_of_them if origin.url), None)
        site = next((origin.site for origin in all_of_them if origin.site), None)
        self.describe(document_id, {"url": url, "site": site})

    def origins(self, document_id: str) -> tuple[Origin, ...]:
        """Where a document was found, in the order in which it was said."""
        query = select(ORIGINS.c.path, ORIGINS.c.url, ORIGINS.c.site, ORIGINS.c.fetched_at)
        query = query.where(ORIGINS.c.document_id == document_id).order_by(ORIGINS.c.id)
        return tuple(Origin(*row) for row in self._connection.execute(query))

    def predecessor(self, document_id: str, origins: Sequence[Origin]) -> str | None:
        """The newest other document that was found before this one at one of these places.

        A place is an address, or, where none is known, a path.
        """
        if not origins:
            return None
        place = or_(*(_is_at(origin) for origin in origins))
        own = select(func.min(ORIGINS.c.id)).where(place, ORIGINS.c.document_id == document_id).scalar_subquery()
        query = select(ORIGINS.c.document_id).where(place, ORIGINS.c.document_id != document_id)
        query = query.where(ORIGINS.c.id < func.coalesce(own, 2**62)).order_by(ORIGINS.c.id.desc()).limit(1)
        return self._connection.execute(query).scalar()

    def describe(self, document_id: str, values: dict[str, Any]) -> None:
        """Change what lists show of a document (columns of DOCUMENTS), and what the queue repeats of it."""
        query = select(DOCUMENTS).where(DOCUMENTS.c.id == document_id)
        known = dict(self._connection.execute(query).mappings().one())
        new = known | values
        search = "\n".join(part for part in (new["name"], new["title"], new["agency_name"]) if part).lower()
        change = values | {"search": search, "updated_at": write_time(now())}
        self._connection.execute(DOCUMENTS.update().where(DOCUMENTS.c.id == document_id).values(change))
        repeated = {name: new[name] for name in ("site", "report_year") if new[name] != known[name]}
        if repeated:
            which = ITEMS.c.document_id == document_id
            with keeping_tallies(self._connection, which):
                self._connection.execute(ITEMS.update().where(which).values(repeated))


def _is_at(origin: Origin) -> ColumnElement[bool]:
    if origin.url:
        return ORIGINS.c.url == origin.url
    return and_(ORIGINS.c.path == origin.path, ORIGINS.c.url.is_(None))


def no_document(document_id: str) -> NotInStore:
    """What is said of a document that is not there."""
    problem = f"document {document_id} is not in the store, or not read yet"
    return NotInStore(f"{problem}. Look it up in the list of documents.")
