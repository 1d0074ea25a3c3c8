"""Deciding and undoing by a request that may be sent again.

Lives here: what such a request says, the kept answer, and the count for Prometheus. Does not live here: what a decision
does (review.desk). Called by the API; the page counts here, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from extractor.errors import BadAnswer
from extractor.model import CellState, Unit
from extractor.review.answers import Answer, AnswerAction
from extractor.review.choices import choices
from extractor.review.desk import Decided
from extractor.store.store import Books
from extractor.web.keyed import Keep, hash_request
from extractor.web.metrics import Metrics
from extractor.web.service import Service
from extractor.web.shapes import DecisionView, ItemView
from extractor.web.text import LongText, ShortText
from extractor.web.visitors import Visitor


class FieldAnswer(BaseModel):
    """What is said of one field."""

    model_config = ConfigDict(extra="forbid")

    field_id: ShortText
    action: AnswerAction = Field(description="`as_suggested` corrects to the first suggestion")
    text: ShortText | None = Field(default=None, description="what is printed, as printed, where that is corrected")
    state: CellState | None = None
    unit: Unit | None = None

    def as_answer(self) -> Answer:
        """For the desk."""
        return Answer(self.field_id, self.action, self.text, self.state, self.unit)


class Decision(BaseModel):
    """An answer to an item: one for each of its fields, or one of its choices."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[int, Field(ge=0, le=2**31 - 1)] = Field(description="of the item as it was shown")
    answers: Annotated[list[FieldAnswer], Field(max_length=1000)] = Field(default_factory=list)
    choice: ShortText | None = Field(default=None, description="id of a choice of the task, in place of answers")
    note: LongText = ""


def pick_answers(service: Service, item_id: int, decision: Decision) -> Sequence[Answer]:
    """The answers that a request gives: those written out, or those of one of the item's choices.

    Raises:
        NotInStore: there is no such item.
        BadAnswer: both, or no such choice.
    """
    choice = decision.choice
    if choice is None:
        return [answer.as_answer() for answer in decision.answers]
    if decision.answers:
        raise BadAnswer("Send answers, one for each field of the item, or the id of one choice; not both.")
    with service.store.read() as books:
        item = books.queue.get(item_id)
        record = books.documents.live(item.document_id).record
    found = next((offered for offered in choices(item, record) if offered.id == choice), None)
    if found is None:
        raise BadAnswer(f"item {item_id} has no choice '{choice}'. Claim it to see its choices.")
    return found.answers


def decide_once(
    service: Service,
    visitor: Visitor,
    key: str | None,
    item_id: int,
    decision: Decision,
) -> Response:
    """Decide on an item, once for each key.

    Raises:
        NotInStore, ItemHeld, StaleItem, BadAnswer: see Desk.decide.
        Problem: see KeyedAnswers.answer.
    """

    def act(keep: Keep) -> DecisionView:
        # Here, for what a choice means is known no more when the request is sent again.
        answers = pick_answers(service, item_id, decision)

        def on_done(books: Books, decided: Decided) -> None:
            keep(books, _show(decided))

        version, note = decision.version, decision.note
        decided = service.desk.decide(item_id, version, visitor.name, answers, note, on_done=on_done)
        count_decision(service.metrics, decided, answers)
        return _show(decided)

    request = hash_request("decide", str(item_id), decision.model_dump_json())
    return service.keyed.answer(visitor.name, key, request, act)


def count_decision(metrics: Metrics, decided: Decided, answers: Sequence[Answer]) -> None:
    """Count the fields of a decision by their answers; those of a look that others must not see by none of them."""
    is_blind = decided.item.state == "open"
    for answer in answers:
        metrics.count_decision("blind" if is_blind else answer.action, 1)


def undo_once(service: Service, visitor: Visitor, key: str | None, review_id: int) -> Response:
    """Take a review back, once for each key.

    Raises:
        NotInStore, ItemHeld, StaleItem, BadAnswer: see Desk.undo.
        Problem: see KeyedAnswers.answer.
    """

    def act(keep: Keep) -> DecisionView:
        def on_done(books: Books, decided: Decided) -> None:
            keep(books, _show(decided))

        return _show(service.desk.undo(review_id, visitor.name, visitor.role, on_done=on_done))

    return service.keyed.answer(visitor.name, key, hash_request("undo", str(review_id)), act)


def _show(decided: Decided) -> DecisionView:
    record = decided.record
    return DecisionView(
        review_id=decided.review_id,
        item=ItemView.model_validate(decided.item),
        opened=[item.id for item in decided.opened],
        gone=list(decided.gone),
        status=record.status,
        in_review=sum(field.decision == "review" for field in record.fields.values()),
    )
