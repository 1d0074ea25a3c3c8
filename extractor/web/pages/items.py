"""The pages on which items are answered: one item, the next one, its preview, skipping, undoing.

Lives here: requests and what they are answered. Does not live here: what an answer does (extractor.review.desk), the
page (item_page). Called by the application.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from extractor.errors import BadAnswer, ExtractorError, ItemHeld, StaleItem
from extractor.model import Record
from extractor.review.answers import DOCUMENT, SAYS, Answer
from extractor.review.choices import choices
from extractor.store.shapes import Item
from extractor.web.decisions import count_decision
from extractor.web.pages.consequences import compare_records
from extractor.web.pages.item_page import AVisit, Course, Visit, go_on, show_task, tell_gone
from extractor.web.pages.item_view import view_form
from extractor.web.pages.labels import name_field
from extractor.web.pages.rendering import render_part
from extractor.web.pages.sent import Sent, make_answers, read_sent
from extractor.web.text import Number

router = APIRouter(include_in_schema=False)


async def _read_form(request: Request) -> Sent:
    form: FormData = await request.form()
    return read_sent(form)


_TheForm = Annotated[Sent, Depends(_read_form)]


@router.get("/next")
def show_next(visit: AVisit) -> Response:
    """The best item that waits, held for the visitor from now on."""
    course = Course.of_query(visit.request)
    task = visit.service.desk.claim_next(visit.visitor.name, course.among, course.skipped)
    if task is None:
        return RedirectResponse(Course(course.among).link("/queue"), 303)
    return RedirectResponse(course.link(f"/items/{task.item.id}"), 303)


@router.get("/items/{item_id}")
def show_item(visit: AVisit, item_id: Number) -> Response:
    """One item, held for the visitor from now on."""
    try:
        task = visit.service.desk.claim(item_id, visit.visitor.name)
    except (ItemHeld, StaleItem) as error:
        return tell_gone(visit, item_id, error)
    return show_task(visit, task, Course.of_query(visit.request))


@router.post("/items/{item_id}/decide")
def decide_item(visit: AVisit, item_id: Number, sent: _TheForm) -> Response:
    """Keep a decision and show the next item."""
    item, record = _read_item(visit, item_id)
    try:
        answers = _answers_of(item, record, sent)
        missing = len(item.fields) - len(answers)
        if item.fields and missing > 0:
            raise BadAnswer(visit.words("item.missing", count=missing))
        decided = visit.service.desk.decide(item_id, sent.version, visit.visitor.name, answers, sent.note)
    except (BadAnswer, StaleItem, ItemHeld) as error:
        return _show_refusal(visit, item_id, sent, error)
    count_decision(visit.service.metrics, decided, answers)
    return go_on(visit, Course.of_form(sent), visit.words("item.saved", count=max(1, len(item.fields))))


@router.post("/items/{item_id}/preview")
def preview_item(visit: AVisit, item_id: Number, sent: _TheForm) -> HTMLResponse:
    """What the answers so far would change: the form with them, and what follows. Nothing is kept."""
    item, record = _read_item(visit, item_id)
    problem, said = "", None
    after, answered = record, frozenset[str]()
    try:
        answers = _answers_of(item, record, sent)
        if answers:
            after = visit.service.desk.preview(item_id, sent.version, visit.visitor.name, answers)
            said = compare_records(record, after, visit.words)
            answered = frozenset(answer.field_id for answer in answers)
    except BadAnswer as error:
        problem = _say(visit, error, item.fields)
    except (StaleItem, ItemHeld):
        problem = visit.words("item.stale")
    shown = view_form(after, item.fields, answered)
    return HTMLResponse(render_part(visit.request, "preview.html", form=shown, said=said, problem=problem))


@router.post("/items/{item_id}/skip")
def skip_item(visit: AVisit, item_id: Number, sent: _TheForm) -> Response:
    """Let an item go and show the next one."""
    visit.service.desk.release(item_id, visit.visitor.name)
    course = Course.of_form(sent)
    return go_on(visit, Course(course.among, (*course.skipped, item_id)), visit.words("item.skipped"))


@router.post("/items/{item_id}/renew")
def renew_item(visit: AVisit, item_id: Number) -> Response:
    """Hold an item for longer."""
    visit.service.desk.renew(item_id, visit.visitor.name)
    return Response(status_code=204)


@router.post("/reviews/{review_id}/undo")
def undo_review(visit: AVisit, review_id: Number) -> Response:
    """Take a decision back and show its item again."""
    decided = visit.service.desk.undo(review_id, visit.visitor.name, visit.visitor.role)
    if not visit.is_script:
        return RedirectResponse(f"/items/{decided.item.id}", 303)
    told = visit.words("item.undone")
    try:
        task = visit.service.desk.claim(decided.item.id, visit.visitor.name)
    except (ItemHeld, StaleItem):  # taken back all the same; somebody else has its question
        return go_on(visit, Course(), told)
    return show_task(visit, task, Course(), told=told)


def _read_item(visit: Visit, item_id: int) -> tuple[Item, Record]:
    with visit.service.store.read() as books:
        item = books.queue.get(item_id)
        return item, books.documents.live(item.document_id).record


def _answers_of(item: Item, record: Record, sent: Sent) -> tuple[Answer, ...]:
    if not item.fields:
        return make_answers(sent, (DOCUMENT,), {DOCUMENT}, choices(item, record))
    acceptable = {name for name in item.fields if name in record.fields and record.fields[name].state in SAYS}
    return make_answers(sent, item.fields, acceptable, choices(item, record))


def _show_refusal(visit: Visit, item_id: int, sent: Sent, error: ExtractorError) -> Response:
    """The item as it is now, with what was typed and why it was not kept."""
    try:
        task = visit.service.desk.claim(item_id, visit.visitor.name)
    except (ItemHeld, StaleItem) as gone:
        return tell_gone(visit, item_id, gone)
    is_bad = isinstance(error, BadAnswer)
    problem = _say(visit, error, task.item.fields) if isinstance(error, BadAnswer) else visit.words("item.stale")
    return show_task(visit, task, Course.of_form(sent), sent=sent, problem=problem, status=422 if is_bad else 409)


def _say(visit: Visit, error: BadAnswer, fields: Sequence[str]) -> str:
    """What is wrong with an answer, in the visitor's language, its field by the form's label."""
    said = error.zh if visit.words.lang == "zh" else str(error)
    named = next((name for name in fields if said.startswith(name)), "")
    return name_field(named) + said.removeprefix(named) if named else said
