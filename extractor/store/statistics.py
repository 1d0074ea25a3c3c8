"""How much is in the store, each figure by one statement.

Lives here: sums over documents and their flags as they stand. Does not live here: what reviewers did and found
(outcomes), the queue's counts (queue). Reached as Books.statistics.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, distinct, func, select

from extractor.store.store_tables import DOCUMENTS, EXTRACTIONS, FLAGGED_FIELDS


class Totals(NamedTuple):
    """How much is in the store. `accepted`, `in_review`: fields of the live records."""

    documents: int
    extractions: int
    accepted: int
    in_review: int


class FlagCount(NamedTuple):
    """How often a flag stands now. `fields`: that it names; a flag on a whole document names none."""

    code: str
    severity: str
    documents: int
    fields: int


class SiteCount(NamedTuple):
    """The documents of a site, and how many of their fields are accepted and how many wait."""

    site: str
    documents: int
    accepted: int
    in_review: int


class Statistics:
    """Figures over a store, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def totals(self) -> Totals:
        """How much is in the store."""
        counts = (
            select(func.count()).select_from(DOCUMENTS).scalar_subquery(),
            select(func.count()).select_from(EXTRACTIONS).scalar_subquery(),
            select(func.coalesce(func.sum(DOCUMENTS.c.accepted), 0)).scalar_subquery(),
            select(func.coalesce(func.sum(DOCUMENTS.c.in_review), 0)).scalar_subquery(),
        )
        return Totals(*map(int, self._connection.execute(select(*counts)).one()))

    def statuses(self) -> dict[str, int]:
        """Documents by the status of their live record; those not read yet under the empty name."""
        status = func.coalesce(DOCUMENTS.c.live_status, "")
        rows = self._connection.execute(select(status, func.count()).group_by(status).order_by(status))
        return {name: count for name, count in rows}  # noqa: C416

    def flags(self) -> list[FlagCount]:
        """Flags by code, those on most documents first."""
        table = FLAGGED_FIELDS
        documents = func.count(distinct(table.c.document_id))
        fields = func.count(func.nullif(table.c.field_id, ""))
        query = select(table.c.code, table.c.severity, documents, fields).group_by(table.c.code, table.c.severity)
        rows = self._connection.execute(query.order_by(documents.desc(), table.c.code, table.c.severity))
        return [FlagCount(*row) for row in rows]

    def flags_by_site(self) -> dict[tuple[str, str], int]:
        """Documents with a flag, by site and code; those of no known site under the empty name."""
        site, code = func.coalesce(DOCUMENTS.c.site, ""), FLAGGED_FIELDS.c.code
        query = select(site, code, func.count(distinct(FLAGGED_FIELDS.c.document_id))).join_from(
            FLAGGED_FIELDS, DOCUMENTS
        )
        rows = self._connection.execute(query.group_by(site, code).order_by(site, code))
        return {(name, flag): count for name, flag, count in rows}

    def sites(self) -> list[SiteCount]:
        """Documents by site, those with most fields in review first."""
        site = func.coalesce(DOCUMENTS.c.site, "")
        waiting = func.sum(DOCUMENTS.c.in_review)
        query = select(site, func.count(), func.sum(DOCUMENTS.c.accepted), waiting).group_by(site)
        rows = self._connection.execute(query.order_by(waiting.desc(), site))
        return [SiteCount(name, count, int(accepted), int(review)) for name, count, accepted, review in rows]
