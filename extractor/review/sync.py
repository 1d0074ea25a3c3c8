"""The live record and the open items of a document, brought up to date with what persons said.

Lives here: what happens after any change of reviews or extraction, in the caller's transaction. Does not live here: the
change itself (desk, intake), the cut into items (items). Called by these two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

from extractor.model import Record, RecordField
from extractor.pipeline import apply_rulings
from extractor.review.items import group_items
from extractor.review.priors import Chances, Finding
from extractor.review.rulings import fold_reviews
from extractor.review.sampling import select_audit, select_twice
from extractor.settings import Settings
from extractor.store.shapes import Extraction, Item, ItemDraft
from extractor.store.store import Books

_ALL = ("open", "settled", "gone")
_EVER = datetime(1, 1, 1, tzinfo=UTC)


class Synced(NamedTuple):
    """The live record, and what became of the queue: items opened, and ids of those whose question has gone."""

    record: Record
    opened: tuple[Item, ...]
    gone: tuple[int, ...]


def sync_document(
    books: Books, extraction: Extraction, settings: Settings, chances: Chances, shown: Record | None = None
) -> Synced:
    """Make the live record and the items of a document from its extraction and its reviews.

    An item between two looks of different people keeps its fields, whatever else is found meanwhile.

    Args:
        books: of the caller's transaction, the document locked.
        extraction: the newest one of the document.
        settings: shares of audit and double looks, and their salt.
        chances: of errors by code, for the worth of items.
        shown: the live record until now, where the caller has read it already.
    """
    document_id = extraction.document_id or ""
    items = books.queue.of_document(document_id, _ALL)
    reviews = books.reviews.of_document(document_id)
    rulings = fold_reviews(reviews, list_twice(items))
    record = apply_rulings(extraction.record, rulings) if rulings else extraction.record
    queue = _Queue(books, document_id, items, _count_looks(books, document_id, settings))
    queue.note_changes(record, shown)
    books.documents.save_live(document_id, extraction.id, record)
    drafts = group_items(
        record,
        is_audited=_is_audited(document_id, extraction.record, settings),
        taken={name for item in queue.kept for name in item.fields},
        chances=chances,
    )
    return Synced(record, *queue.ask(_leave_out_answered(drafts, items)))


def list_twice(items: Iterable[Item]) -> frozenset[int]:
    """The items that two people look at."""
    return frozenset(item.id for item in items if item.looks_wanted > 1)


def read_chances(books: Books) -> Chances:
    """The chances of errors by code, after what reviewers found so far. Reads all reviews: not for every decision."""
    found: dict[str, Finding] = {}
    for one in books.outcomes.found_by_codes(_EVER):
        if one.action == "unknowable":
            continue
        for code in one.codes:
            before = found.get(code, Finding(0, 0))
            wrong = one.fields if one.was_changed else 0
            found[code] = Finding(before.looked_at + one.fields, before.wrong + wrong)
    return Chances(found)


def _is_audited(document_id: str, extracted: Record, settings: Settings) -> bool:
    salt = settings.audit_salt.get_secret_value()
    has_accepted = any(field.decision == "accepted" for field in extracted.fields.values())
    return has_accepted and bool(select_audit((document_id,), settings.audit_share, salt))


def _count_looks(books: Books, document_id: str, settings: Settings) -> int:
    """Two for a document drawn for it, where there are two people to look."""
    salt = settings.audit_salt.get_secret_value()
    if not select_twice((document_id,), settings.double_review_share, salt):
        return 1
    return 2 if len(list_active(books)) > 1 else 1


def list_active(books: Books) -> list[str]:
    """The people who can look, by name."""
    return [account.name for account in books.people.accounts() if account.is_active]


def _leave_out_answered(drafts: Iterable[ItemDraft], items: Iterable[Item]) -> list[ItemDraft]:
    """Questions about a document as a whole have no field that would say that they were answered."""
    answered = {
        (item.key, code) for item in items if not item.fields and item.state == "settled" for code in item.codes
    }
    return [draft for draft in drafts if draft.fields or not all((draft.key, code) in answered for code in draft.codes)]


def _show(field: RecordField | None) -> object:
    """What a reviewer sees of a field and may say yes to."""
    return field and (field.state, field.value, field.raw, field.unit, field.suggestions, field.candidates)


class _Queue:
    """The open items of one document, on their way to what is to be asked now."""

    def __init__(self, books: Books, document_id: str, items: Iterable[Item], looks_wanted: int) -> None:
        self.books = books
        self.document_id = document_id
        self.looks_wanted = looks_wanted
        opened = [item for item in items if item.state == "open"]
        self.kept = [item for item in opened if item.answered_by]
        self.waiting = {item.key: item for item in opened if not item.answered_by}
        self.changed: set[int] = set()

    def note_changes(self, record: Record, shown: Record | None) -> None:
        """See which open items show something else in this record than in the one that is kept still.

        "Printed so" and "as suggested" are said of what was shown: who holds such an item has to look again.
        """
        opened = [*self.kept, *self.waiting.values()]
        if not opened:
            return
        before = shown or self.books.documents.live(self.document_id).record
        self.changed = {
            item.id
            for item in opened
            if any(_show(before.fields.get(name)) != _show(record.fields.get(name)) for name in item.fields)
        }

    def ask(self, drafts: Iterable[ItemDraft]) -> tuple[tuple[Item, ...], tuple[int, ...]]:
        """Open what is new, change what asks something else, and close what has nothing left to ask."""
        drafts = self._name_apart(drafts)
        wanted = {draft.key for draft in drafts}
        gone = [item for key, item in self.waiting.items() if key not in wanted]
        for item in gone:
            self.books.queue.change(item.id, state="gone", holder=None, held_until=None)
        for draft in drafts:
            if draft.key in self.waiting:
                self._update(self.waiting[draft.key], draft)
        for item in self.kept:
            if item.id in self.changed:
                self.books.queue.change(item.id)
        new = [draft for draft in drafts if draft.key not in self.waiting]
        opened = self.books.queue.add(self.document_id, new, self.looks_wanted)
        return tuple(opened), tuple(item.id for item in gone)

    def _name_apart(self, drafts: Iterable[ItemDraft]) -> list[ItemDraft]:
        """Keys that none of the kept items has: beside one of these, the rest of its place is asked about, too."""
        taken = {item.key for item in self.kept}
        named = []
        for draft in drafts:
            key = draft.key
            while key in taken:
                key += "+"
            named.append(replace(draft, key=key))
        return named

    def _update(self, item: Item, draft: ItemDraft) -> None:
        """Change an item that asks something else now. What it is worth alone is no reason to disturb its holder."""
        if item.id in self.changed or (item.kind, item.fields, item.codes) != (draft.kind, draft.fields, draft.codes):
            self.books.queue.change(
                item.id,
                kind=draft.kind,
                fields=draft.fields,
                codes=draft.codes,
                section=draft.section,
                expected=draft.expected,
                looks=draft.looks,
            )
