"""What the API says: the shapes of its answers. What is kept is in store.shapes; these are made from it by attribute.

A change here is a change for every program that uses the service: add, do not rename.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from extractor.model import CellState, Origin, Page, Record, RulingAction, Unit, Value
from extractor.store.shapes import ItemKind, ItemState, ReviewKind, Role, RunKind, RunState, WorkState

Entry = TypeVar("Entry")


class Shape(BaseModel):
    """Base of all of them."""

    model_config = ConfigDict(from_attributes=True)


class Listing(Shape, Generic[Entry]):
    """One page of a list."""

    entries: list[Entry]
    next: str | None = Field(description="`after` of the next page; null on the last one")


# ---------------------------------------------------------------- runs


class RunView(Shape):
    """A job over many documents."""

    id: str
    kind: RunKind
    state: RunState
    created_at: datetime
    created_by: str | None
    finished_at: datetime | None
    counts: Mapping[WorkState, int] = Field(description="documents by state")
    arguments: Mapping[str, Any]
    account: Mapping[str, Any] = Field(description="what run.json says, when the run is over")


class RunDocumentView(Shape):
    """One document of a run."""

    position: int = Field(description="from 0, in the order of the submission")
    name: str
    origins: list[Origin]
    state: WorkState
    document_id: str | None
    attempts: int
    problem: str | None = Field(description="why it failed, for people")


class RunProgress(Shape):
    """Data of each event of a run's progress."""

    state: RunState
    counts: Mapping[WorkState, int]


# ---------------------------------------------------------------- documents


class DocumentView(Shape):
    """One document in a list."""

    id: str = Field(description="sha256 of the bytes")
    name: str
    media_type: str
    url: str | None
    site: str | None
    title: str | None
    agency_name: str | None
    report_year: int | None
    live_status: str
    accepted: int = Field(description="fields that nobody needs to look at")
    in_review: int = Field(description="fields that a person should look at")
    open_items: int
    updated_at: datetime


#: All kinds but one: that accepted values are looked at unasked is told to nobody who looks (store.shapes.ItemKind).
ShownKind = Literal["layout", "glued", "equation", "row", "table", "facts", "cells", "document"]


class ItemView(Shape):
    """A question of the queue."""

    id: int
    document_id: str
    kind: ShownKind
    section: str
    fields: list[str] = Field(description="what it asks about; a decision answers each of them")
    codes: list[str] = Field(
        description="flags that are the reason, most severe first; not told of `cells`, some of which were picked to "
        "see how good accepted values are"
    )
    expected: float = Field(description="expected number of wrong or missing values among its fields")
    looks: float
    priority: float = Field(description="`expected / looks`; the queue is ordered by it, largest first")
    state: ItemState
    round: int
    version: int = Field(description="to be sent back with a decision")
    holder: str | None
    held_until: datetime | None
    site: str | None
    agency_name: str | None
    report_year: int | None
    title: str | None
    name: str

    @field_validator("kind", mode="before")
    @classmethod
    def _hide_audit(cls, kind: ItemKind) -> ItemKind:
        return "cells" if kind == "audit" else kind

    @model_validator(mode="after")
    def _hide_reasons(self) -> ItemView:
        if self.kind == "cells":
            self.codes = []
        return self


class DocumentDetails(DocumentView):
    """One document."""

    origins: list[Origin]
    pages: list[Page]
    items: list[ItemView] = Field(description="open questions about it")


class PlaceView(Shape):
    """Where a piece of a field's evidence stands on a page."""

    page: int
    box: tuple[float, float, float, float] = Field(description="left, top, right, bottom in the page's units")
    width: float = Field(description="of the page, in the same units")
    height: float


# ---------------------------------------------------------------- reviews


class WordView(Shape):
    """What somebody, or the extraction, says is printed."""

    state: CellState
    value: Value | None
    raw: str | None
    unit: Unit | None


class FieldReviewView(Shape):
    """What a review says of one field."""

    field_id: str
    action: RulingAction
    before: WordView
    after: WordView


class ReviewView(Shape):
    """One act of a person."""

    id: int
    kind: ReviewKind
    document_id: str
    extraction_id: int
    item_id: int | None
    round: int
    account: str
    at: datetime
    fields: list[FieldReviewView]
    note: str
    undoes: int | None


class CountsView(Shape):
    """How much waits."""

    open: int
    held: int
    settled: int
    settled_today: int
    expected: float = Field(description="wrong or missing values expected among the open ones")


class ChoiceView(Shape):
    """An answer to a whole item at once, by its id."""

    id: str
    zh: str
    en: str


class TaskView(Shape):
    """An item that the caller now holds, with what is needed to answer it."""

    item: ItemView
    record: Record
    choices: list[ChoiceView]
    url: str | None
    name: str
    media_type: str
    proposals: list[ReviewView] = Field(
        description="in round 3 the two looks that differ, for the caller to settle; else empty"
    )


class DecisionView(Shape):
    """What became of a decision."""

    review_id: int
    item: ItemView
    opened: list[int] = Field(description="items that it opened, by number")
    gone: list[int] = Field(description="items that it made needless")
    status: str = Field(description="of the document now")
    in_review: int = Field(description="fields of the document that still wait for a person")


# ---------------------------------------------------------------- people


class AccountView(Shape):
    """Somebody who may come in."""

    name: str
    role: Role
    is_active: bool
    has_password: bool
    created_at: datetime
    keys: list[KeyView]


class KeyView(Shape):
    """An API key, by its first characters."""

    id: int
    account: str
    prefix: str
    created_at: datetime
    last_used_at: datetime | None
    is_revoked: bool


class NewKeyView(KeyView):
    """A key that was just made. It is shown this once."""

    key: str
