"""The queue: items that wait for a look, who has them, and how much there is.

Lives here: statements over items. Does not live here: what an item asks and when it is settled (extractor.review),
what a filter means (filters). Reached as Books.queue.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, case, func, or_, select, tuple_

from extractor.errors import ItemHeld, NotInStore, StaleItem, StoreError
from extractor.store.database import write_time
from extractor.store.filters import held_items, is_for, is_left_to, item_conditions, order_items
from extractor.store.item_rows import rank_of, read_item, select_items, write_draft, write_value
from extractor.store.packing import read_texts
from extractor.store.rows import now as this_moment
from extractor.store.shapes import Item, ItemDraft, QueueCounts, QueueFilter
from extractor.store.statements import read_cursor, write_cursor
from extractor.store.store_tables import DOCUMENTS, ITEM_CODES, ITEMS
from extractor.store.tallies import Tally, keeping_tallies, read_facets, read_tally

_I = ITEMS.c
#: What `change` may change.
_CHANGEABLE = frozenset(
    {
        "kind",
        "state",
        "round",
        "looks_wanted",
        "holder",
        "held_until",
        "answered_by",
        "section",
        "fields",
        "codes",
        "expected",
        "looks",
        "settled_at",
    }
)
_ALL = QueueFilter()
#: An item is looked at this often at most, the last time by whoever settles it.
_ROUNDS = 3
# How long another's claim of the best item is waited out: it takes some milliseconds.
_PATIENCE_S, _PAUSE_S = 5.0, 0.003


class Queue:
    """The queue of a store, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # ---------------------------------------------------------------- items

    def get(self, item_id: int) -> Item:
        """An item.

        Raises:
            NotInStore: there is no such item.
        """
        return self._get(select_items().where(_I.id == item_id), item_id)

    def of_document(self, document_id: str, states: Sequence[str] = ("open",)) -> list[Item]:
        """The items of a document, in the order in which they were made."""
        query = select_items().where(_I.document_id == document_id, _I.state.in_(states)).order_by(_I.id)
        return [read_item(row) for row in self._connection.execute(query)]

    def add(self, document_id: str, drafts: Iterable[ItemDraft], looks_wanted: int = 1) -> list[Item]:
        """Open items on a document. Of two open items of one document the keys differ.

        Raises:
            NotInStore: there is no such document.
        """
        query = select(DOCUMENTS.c.site, DOCUMENTS.c.report_year).where(DOCUMENTS.c.id == document_id)
        document = self._connection.execute(query.with_for_update(key_share=True)).mappings().first()
        if document is None:
            raise NotInStore(f"document {document_id} is not in the store. Add it first.")
        rows = [write_draft(draft) | dict(document) for draft in drafts]
        shared = {"document_id": document_id, "state": "open", "round": 1, "looks_wanted": looks_wanted, "version": 1}
        if not rows:
            return []
        rows = [row | shared | {"answered_by": "[]"} for row in rows]
        insert = ITEMS.insert().returning(_I.id, sort_by_parameter_order=True)
        with keeping_tallies(self._connection, _I.document_id == document_id):
            numbers = list(self._connection.execute(insert, rows).scalars())
        self._add_codes(zip(numbers, rows, strict=True))
        query_new = select_items().where(_I.id.in_(numbers)).order_by(_I.id)
        return [read_item(row) for row in self._connection.execute(query_new)]

    def change(self, item_id: int, **columns: Any) -> Item:
        """Change an item; its version counts up.

        Args:
            item_id: which.
            columns: fields of Item by name; `settled_at` is this moment where it is not given.

        Raises:
            NotInStore: there is no such item.
        """
        unknown = columns.keys() - _CHANGEABLE
        if unknown:
            raise TypeError(f"an item has no {', '.join(sorted(unknown))} to change")
        if columns.get("state") == "settled":
            columns.setdefault("settled_at", this_moment())
        before = self._lock(item_id)
        values = {name: write_value(value) for name, value in columns.items()}
        if columns.keys() & {"expected", "looks"}:
            expected, looks = columns.get("expected", before.expected), columns.get("looks", before.looks)
            values["rank"] = rank_of(expected, looks)
        values["version"] = _I.version + 1
        with keeping_tallies(self._connection, _I.id == item_id):
            self._connection.execute(ITEMS.update().where(_I.id == item_id).values(values))
        if columns.keys() & {"state", "codes", "expected", "looks"}:
            self._renew_codes(item_id)
        return self.get(item_id)

    # ---------------------------------------------------------------- who has it

    def next_free(
        self,
        account: str,
        wanted: QueueFilter = _ALL,
        now: datetime | None = None,
        skip: Sequence[int] = (),
        answered_by: Collection[str] | None = None,
    ) -> Item | None:
        """The item of the highest priority that this person may have, kept from others until the transaction ends.

        Args:
            account: nobody else's item, and none that he answered in an earlier round.
            now: to which a lease is compared; this moment when None.
            skip: items that he put off.
            answered_by: instead, only items that all of these answered in earlier rounds; empty: none at all.

        Returns:
            The item, not held yet; None where nothing waits for him.
        """
        if answered_by is not None and not 0 < len(answered_by) < _ROUNDS:
            return None  # so many never answer one item
        moment = now or this_moment()
        source, order, conditions = order_items(wanted)
        is_wanted = is_for(account, moment) if answered_by is None else is_left_to(account, moment, answered_by)
        query = select(_I.id).select_from(source).where(*conditions, is_wanted)
        if skip:
            query = query.where(_I.id.not_in(skip))
        query = query.order_by(*order).limit(1)
        locking = query.with_for_update(of=ITEMS, skip_locked=True, key_share=True)
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            found = self._connection.execute(locking).scalar()
            if found is not None:
                return self.get(found)
            # In PostgreSQL the last items may be skipped because others are taking or settling them right now. To wait
            # for their locks could close a circle of waiting, so it is asked again.
            if self._connection.dialect.name == "sqlite" or self._connection.execute(query).scalar() is None:
                return None
            if time.monotonic() > deadline:
                raise StoreError("store: all items that wait are locked by others. Try again.")
            time.sleep(_PAUSE_S)

    def hold(self, item_id: int, account: str, until: datetime, now: datetime | None = None) -> Item:
        """Give an item to a person, or let him keep it for longer. Its version counts up only when the holder changes.

        Raises:
            ItemHeld: somebody else has it at `now`.
            StaleItem: it is not open any more.
            NotInStore: there is no such item.
        """
        moment = now or this_moment()
        change = {
            "holder": account,
            "held_until": write_time(until),
            "version": _I.version + case((_I.holder == account, 0), else_=1),
        }
        is_free = or_(_I.holder.is_(None), _I.holder == account, _I.held_until <= write_time(moment))
        update = ITEMS.update().where(_I.id == item_id, _I.state == "open", is_free).values(change)
        changed = self._connection.execute(update).rowcount
        item = self.get(item_id)
        if not changed and item.state != "open":
            raise StaleItem(f"item {item_id} was settled meanwhile. Take another one.")
        if not changed:
            raise ItemHeld(f"item {item_id} is held by {item.holder}. Take another one.")
        return item

    def release(self, item_id: int, account: str) -> None:
        """Give an item back. Nothing happens where this person does not have it."""
        change = {"holder": None, "held_until": None, "version": _I.version + 1}
        self._connection.execute(ITEMS.update().where(_I.id == item_id, _I.holder == account).values(change))

    # ---------------------------------------------------------------- lists and counts

    def page(
        self, wanted: QueueFilter = _ALL, after: str | None = None, limit: int = 50, now: datetime | None = None
    ) -> tuple[list[Item], str | None]:
        """Open items in the queue's order, and the cursor of the next page; None at the end.

        A lease that is over at `now` is not shown.

        Raises:
            BadCursor: `after` is no cursor of this list.
        """
        moment = now or this_moment()
        source, order, conditions = order_items(wanted)
        query = select(*order).select_from(source).where(*conditions)
        if after is not None:
            query = query.where(tuple_(*order) > tuple_(*read_cursor(after, float, int)))
        places = self._connection.execute(query.order_by(*order).limit(limit + 1)).all()
        numbers = [number for _, number in places[:limit]]
        rows = self._connection.execute(select_items().where(_I.id.in_(numbers)).order_by(_I.rank, _I.id))
        cursor = write_cursor(list(places[limit - 1])) if len(places) > limit else None
        return [read_item(row, moment) for row in rows], cursor

    def counts(self, wanted: QueueFilter = _ALL, now: datetime | None = None) -> QueueCounts:
        """How much waits, and how much is done. Items that are gone are not counted."""
        moment = now or this_moment()
        opened, settled = (self._tally(wanted, state) for state in ("open", "settled"))
        midnight = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        conditions = item_conditions(wanted, state="settled")
        today = select(func.count()).where(*conditions, _I.settled_at >= write_time(midnight))
        of_held = held_items(moment)
        held = select(func.count()).select_from(of_held).where(*item_conditions(wanted, items=of_held))
        return QueueCounts(
            open=opened.items,
            held=self._connection.execute(held).scalar_one(),
            settled=settled.items,
            settled_today=self._connection.execute(today).scalar_one(),
            expected=opened.expected,
        )

    def facets(self, now: datetime | None = None) -> dict[str, list[tuple[str, int]]]:
        """What open items can be filtered by, and how many there are of each, most first.

        Keys: `kind`, `section`, `site`, `report_year`, `code`. What a document does not state is left out.
        """
        del now  # whoever holds an item, it is open
        return read_facets(self._connection)

    def _tally(self, wanted: QueueFilter, state: str) -> Tally:
        kept = read_tally(self._connection, wanted, state)
        if kept is not None:
            return kept
        query = select(func.count(), func.coalesce(func.sum(_I.expected), 0.0))
        return Tally(*self._connection.execute(query.where(*item_conditions(wanted, state=state))).one())

    def _get(self, query: Select[Any], item_id: int) -> Item:
        row = self._connection.execute(query).first()
        if row is None:
            raise NotInStore(f"item {item_id} is not in the queue. Look it up in the list of items.")
        return read_item(row)

    def _lock(self, item_id: int) -> Item:
        """The item, which nobody else changes until the transaction ends."""
        query = select_items().where(_I.id == item_id)
        return self._get(query.with_for_update(of=ITEMS, key_share=True), item_id)

    def _add_codes(self, items: Iterable[tuple[int, dict[str, Any]]]) -> None:
        rows = [
            {"item_id": number, "code": code, "rank": row["rank"]}
            for number, row in items
            for code in dict.fromkeys(read_texts(row["codes"]))
        ]
        if rows:
            self._connection.execute(ITEM_CODES.insert(), rows)

    def _renew_codes(self, item_id: int) -> None:
        self._connection.execute(ITEM_CODES.delete().where(ITEM_CODES.c.item_id == item_id))
        query = select(_I.codes, _I.rank).where(_I.id == item_id, _I.state == "open")
        row = self._connection.execute(query).mappings().first()
        if row is not None:
            self._add_codes([(item_id, dict(row))])
