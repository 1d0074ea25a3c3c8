"""What goes into the store and comes out of it, beside the journal: plain data.

Lives here: frozen data. Does not live here: SQL (the other modules of this package), what an item or a ruling means
(extractor.review). Loads no database library, so that whoever only needs the types pays nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from extractor.model import Origin, Page, Record, RulingAction, Word

# ---------------------------------------------------------------- documents and what was extracted


@dataclass(frozen=True, slots=True)
class StoredSource:
    """The bytes of one document, for those who show or read it.

    Attributes:
        id: sha256 of the bytes.
        name: as it was first found or sent.
    """

    id: str
    name: str
    media_type: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Extraction:
    """What one version of the program said about a document.

    The same words twice are one extraction. `record` is as extracted: no person's word is in it.

    Attributes:
        document_id: None for a file that could not be opened.
        text: the linear text that its spans are intervals of.
        pages: of a paged source; empty for others.
    """

    id: int
    document_id: str | None
    made_at: datetime
    record: Record
    text: str
    pages: tuple[Page, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentCard:
    """One document in a list.

    Attributes:
        live_status: of its newest extraction, with the rulings.
        open_items: items of the queue that wait.
    """

    id: str
    name: str
    media_type: str
    url: str | None
    site: str | None
    title: str | None
    agency_name: str | None
    report_year: int | None
    live_status: str
    accepted: int
    in_review: int
    open_items: int
    updated_at: datetime


# ---------------------------------------------------------------- runs

RunKind = Literal["bulk", "submitted"]
RunState = Literal["open", "finished", "interrupted"]
#: `queued` and `working` only in submitted runs. `failed`: the file could not be read. `quarantined`: the program died
#: over it again and again, nobody tries any more.
WorkState = Literal["queued", "working", "done", "failed", "quarantined"]


@dataclass(frozen=True, slots=True)
class Run:
    """A job over many documents. `counts`: documents by WorkState. `account`: what run.json says, when it is over."""

    id: str
    kind: RunKind
    state: RunState
    created_at: datetime
    created_by: str | None = None
    finished_at: datetime | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    account: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[WorkState, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunDocument:
    """One document of a run, in its order (`position`, from 0). `problem`: why it failed, for people."""

    run_id: str
    position: int
    name: str
    origins: tuple[Origin, ...]
    state: WorkState
    document_id: str | None = None
    extraction_id: int | None = None
    attempts: int = 0
    problem: str | None = None


# ---------------------------------------------------------------- the queue

#: What one look settles. `layout`: one question about a whole table's columns. `glued`: a table's divided digits.
#: `equation`: the cells among which an error is. `row`: one row. `table`: a table under one doubt. `facts`: facts
#: outside the tables. `cells`: single cells. `audit`: accepted values, looked at by nobody's wish (never told apart to
#: the reviewer). `document`: a document of which something could not be read at all.
ItemKind = Literal["layout", "glued", "equation", "row", "table", "facts", "cells", "audit", "document"]
#: `open`: waits for a look. `settled`: looked at by all who must. `gone`: what it asked was settled by another decision
#: or a new extraction.
ItemState = Literal["open", "settled", "gone"]


@dataclass(frozen=True, slots=True)
class ItemDraft:
    """An item as the policy makes it from a record, before it has a number.

    Attributes:
        key: names it within its document, the same as long as it asks the same.
        fields: what it asks about, in the order of the form.
        codes: flags that are the reason, most severe first.
        expected: expected number of wrong or missing values among its fields.
        looks: how many looks it takes (1 for one place of the source).
    """

    kind: ItemKind
    key: str
    section: str
    fields: tuple[str, ...]
    codes: tuple[str, ...]
    expected: float
    looks: float = 1


@dataclass(frozen=True, slots=True)
class Item:
    """An item of the queue.

    Attributes:
        priority: `expected / looks`, what the queue is ordered by, largest first.
        round: 1; of a document that two look at, 2 for the second look, and 3 where the two differ.
        looks_wanted: 2 for a document that two people look at, else 1.
        version: counts up whenever anything of it changes; who answers an older one is told so.
        holder, held_until: who has it, and how long.
        answered_by: who answered in earlier rounds, in order; nobody of them answers again.
    """

    id: int
    document_id: str
    kind: ItemKind
    key: str
    section: str
    fields: tuple[str, ...]
    codes: tuple[str, ...]
    expected: float
    looks: float
    priority: float
    state: ItemState
    round: int
    looks_wanted: int
    version: int
    holder: str | None
    held_until: datetime | None
    answered_by: tuple[str, ...]
    site: str | None
    agency_name: str | None
    report_year: int | None
    title: str | None
    name: str


class QueueFilter(NamedTuple):
    """Which items; None leaves a criterion out. `code`: one of its flags. `text`: part of agency, title or name."""

    kind: ItemKind | None = None
    section: str | None = None
    code: str | None = None
    site: str | None = None
    report_year: int | None = None
    document_id: str | None = None
    text: str | None = None
    round: int | None = None


class QueueCounts(NamedTuple):
    """How much waits. `held`: of the open ones, by somebody now. `settled_today` counts from midnight UTC."""

    open: int
    held: int
    settled: int
    settled_today: int
    expected: float


# ---------------------------------------------------------------- reviews

#: `carry`: the word on an earlier version of the source, taken over because the extraction says the same.
ReviewKind = Literal["decide", "undo", "carry"]


class FieldReview(NamedTuple):
    """What a review says of one field: what stood there before, and what it says.

    `p_wrong`: RecordField.p_wrong as the person met it; the dashboard confronts it with the word.
    """

    field_id: str
    action: RulingAction
    before: Word
    after: Word
    p_wrong: float | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """One act of a person. Reviews are only ever added; the store refuses to change or delete them.

    Attributes:
        item_id: None for a review that was carried over.
        extraction_id: what the person looked at.
        undoes: for `undo` the review that no longer counts; for `carry` the review that it repeats.
    """

    id: int
    kind: ReviewKind
    document_id: str
    extraction_id: int
    item_id: int | None
    round: int
    account: str
    at: datetime
    fields: tuple[FieldReview, ...]
    note: str = ""
    undoes: int | None = None


# ---------------------------------------------------------------- people

Role = Literal["reviewer", "admin"]


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may come in. `password_hash`: argon2; None for one that has API keys only."""

    name: str
    role: Role
    password_hash: str | None
    is_active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key for programs. Only a hash of it is kept; `prefix` are its first characters, to tell keys apart."""

    id: int
    account: str
    prefix: str
    key_hash: str
    created_at: datetime
    last_used_at: datetime | None
    is_revoked: bool


@dataclass(frozen=True, slots=True)
class Session:
    """A login. Only a hash of its cookie is kept."""

    token_hash: str
    account: str
    csrf_token: str
    created_at: datetime
    expires_at: datetime
