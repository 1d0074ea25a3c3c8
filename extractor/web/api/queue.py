"""The queue, for programs that review or watch: what waits, taking an item, trying an answer, deciding."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from extractor.model import Record
from extractor.review.choices import choices
from extractor.review.desk import Task
from extractor.store.shapes import QueueFilter
from extractor.web.decisions import Decision, decide_once, pick_answers
from extractor.web.keyed import IdempotencyKey
from extractor.web.problems import describe
from extractor.web.service import Service, get_service
from extractor.web.shapes import (
    ChoiceView,
    CountsView,
    DecisionView,
    ItemView,
    Listing,
    ReviewView,
    ShownKind,
    TaskView,
)
from extractor.web.text import Number, ShortText
from extractor.web.visitors import Reviewer

router = APIRouter(prefix="/queue", tags=["queue"])
Given = Annotated[Service, Depends(get_service)]
_Year = Annotated[int, Field(ge=1900, le=2200)]


class Criteria(BaseModel):
    """Which items."""

    model_config = ConfigDict(extra="forbid")

    kind: ShownKind | None = None
    section: ShortText | None = None
    code: ShortText | None = Field(default=None, description="one of the item's flags")
    site: ShortText | None = None
    report_year: _Year | None = None
    document_id: ShortText | None = None
    text: ShortText | None = Field(default=None, description="part of agency, title or name")
    round: Annotated[int, Field(ge=1, le=3)] | None = None

    def as_filter(self) -> QueueFilter:
        """For the store."""
        return QueueFilter(**{name: getattr(self, name) for name in QueueFilter._fields})


class Wish(BaseModel):
    """What the caller would like to work on."""

    model_config = ConfigDict(extra="forbid")

    filter: Criteria = Field(default_factory=Criteria)
    skip: Annotated[list[Annotated[int, Field(ge=1, le=2**63 - 1)]], Field(max_length=1000)] = Field(
        default_factory=list, description="items that the caller does not want now"
    )


class _Wanted(Criteria):
    """Which items, and which page of them."""

    after: ShortText | None = Field(default=None, description="`next` of the page before")
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@router.get("", response_model=Listing[ItemView], summary="What waits, most useful first")
def list_items(service: Given, visitor: Reviewer, wanted: Annotated[_Wanted, Query()]) -> Listing[ItemView]:
    """Open items in the order in which they are given out."""
    with service.store.read() as books:
        items, cursor = books.queue.page(wanted.as_filter(), wanted.after, wanted.limit, service.now())
    return Listing[ItemView](entries=[ItemView.model_validate(item) for item in items], next=cursor)


@router.get("/counts", response_model=CountsView, summary="How much waits")
def count_items(service: Given, visitor: Reviewer, criteria: Annotated[Criteria, Query()]) -> CountsView:
    """Open, held and settled items, and what is expected to be found among the open ones."""
    with service.store.read() as books:
        return CountsView.model_validate(books.queue.counts(criteria.as_filter(), service.now()))


@router.post(
    "/claim",
    response_model=TaskView,
    responses={204: {"description": "Nothing waits"}},
    summary="Take the most useful item",
)
def claim_next(service: Given, visitor: Reviewer, wish: Annotated[Wish, Body(default_factory=Wish)]) -> Response:
    """Hold the first free item. It stays with the caller until it is decided, released, or its lease runs out."""
    task = service.desk.claim_next(visitor.name, wish.filter.as_filter(), tuple(wish.skip))
    return _show_task(task) if task else Response(status_code=204)


@router.get("/{item_id}", response_model=ItemView, responses=describe(404), summary="One item")
def read_item(service: Given, visitor: Reviewer, item_id: Number) -> ItemView:
    """An item as it is now, open or not."""
    with service.store.read() as books:
        return ItemView.model_validate(books.queue.get(item_id))


@router.post("/{item_id}/claim", response_model=TaskView, responses=describe(404, 409), summary="Take one item")
def claim_item(service: Given, visitor: Reviewer, item_id: Number) -> Response:
    """Hold this item; 409 where somebody else has it."""
    return _show_task(service.desk.claim(item_id, visitor.name))


@router.post("/{item_id}/renew", response_model=ItemView, responses=describe(404, 409), summary="Hold it longer")
def renew_item(service: Given, visitor: Reviewer, item_id: Number) -> ItemView:
    """Begin the lease of an item anew."""
    return ItemView.model_validate(service.desk.renew(item_id, visitor.name))


@router.post("/{item_id}/release", response_model=ItemView, responses=describe(404, 409), summary="Give it back")
def release_item(service: Given, visitor: Reviewer, item_id: Number) -> ItemView:
    """Let somebody else have the item."""
    return ItemView.model_validate(service.desk.release(item_id, visitor.name))


@router.post(
    "/{item_id}/preview",
    response_model=Record,
    responses=describe(404, 409),
    summary="What the record would say after an answer",
)
def preview_decision(service: Given, visitor: Reviewer, item_id: Number, decision: Decision) -> Response:
    """Put an answer through all checks and keep nothing."""
    answers = pick_answers(service, item_id, decision)
    record = service.desk.preview(item_id, decision.version, visitor.name, answers)
    return Response(record.model_dump_json(), media_type="application/json")


@router.post(
    "/{item_id}/decisions",
    response_model=DecisionView,
    responses=describe(404, 409),
    summary="Answer an item",
)
def decide(
    service: Given, visitor: Reviewer, item_id: Number, decision: Decision, idempotency_key: IdempotencyKey = None
) -> Response:
    """Decide on every field of an item that the caller holds.

    409 where the item changed, or the lease ran out, since it was shown: take it again and look at it.
    """
    return decide_once(service, visitor, idempotency_key, item_id, decision)


def _show_task(task: Task) -> Response:
    view = TaskView(
        item=ItemView.model_validate(task.item),
        record=task.record,
        choices=[ChoiceView.model_validate(choice) for choice in choices(task.item, task.record)],
        url=task.url,
        name=task.name,
        media_type=task.media_type,
        proposals=[ReviewView.model_validate(review) for review in task.proposals],
    )
    return Response(view.model_dump_json(), media_type="application/json")
