"""Deciding and undoing by a request that may be sent again.

Lives here: the kept answer, and the count for Prometheus. Does not live here: what a decision does (review.desk).
Called by the API.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from starlette.responses import Response

from extractor.errors import BadAnswer
from extractor.review.answers import Answer
from extractor.review.choices import choices
from extractor.review.desk import Decided
from extractor.store.store import Books
from extractor.web.keyed import Keep, hash_request
from extractor.web.service import Service
from extractor.web.shapes import DecisionView, ItemView
from extractor.web.visitors import Visitor


def pick_answers(service: Service, item_id: int, choice: str | None, answers: Sequence[Answer]) -> Sequence[Answer]:
    """The answers that a request gives: those written out, or those of one of the item's choices.

    Raises:
        NotInStore: there is no such item.
        BadAnswer: both, or no such choice.
    """
    if choice is None:
        return answers
    if answers:
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
    request: str,
    *,
    item_id: int,
    version: int,
    answers: Sequence[Answer],
    note: str,
) -> Response:
    """Decide on an item, once for each key.

    Raises:
        NotInStore, ItemHeld, StaleItem, BadAnswer: see Desk.decide.
        Problem: see KeyedAnswers.answer.
    """

    def act(keep: Keep) -> DecisionView:
        def on_done(books: Books, decided: Decided) -> None:
            keep(books, _show(decided))

        decided = service.desk.decide(item_id, version, visitor.name, answers, note, on_done=on_done)
        for action, count in sorted(Counter(answer.action for answer in answers).items()):
            service.metrics.count_decision(action, count)
        return _show(decided)

    return service.keyed.answer(visitor.name, key, request, act)


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
