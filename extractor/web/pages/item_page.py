"""The answer to whoever works through the queue: an item's page, the next one, or why there is none.

Lives here: putting a task into the page. Does not live here: routes (items), what of a record is shown (item_view).
Called by items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from extractor.errors import ExtractorError
from extractor.review.choices import choices
from extractor.review.desk import Task
from extractor.store.shapes import QueueFilter, Review
from extractor.web.pages.filters import read_filter, write_filter
from extractor.web.pages.item_view import list_asked, list_reasons, view_form, view_history, view_source
from extractor.web.pages.labels import ask, name_code, show_kind
from extractor.web.pages.rendering import FRAGMENT_HEADER, choose_look, link_to, render_page, safe_link
from extractor.web.pages.sent import ACTIONS, Sent, read_skipped
from extractor.web.pages.words import Words
from extractor.web.service import Service, get_service
from extractor.web.visitors import Reviewer, Visitor

#: Of an item with more fields a script completes the lines of the form that are used.
_LONG = 40
_MOST_HISTORY = 30
_ANY = QueueFilter()


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a reviewer."""

    request: Request
    service: Service
    visitor: Visitor

    @property
    def words(self) -> Words:
        """In his language."""
        return choose_look(self.request).words

    @property
    def is_script(self) -> bool:
        """Whether a script asks for the inside of the page."""
        return self.request.headers.get(FRAGMENT_HEADER) == "main"


def _begin_visit(request: Request, service: Annotated[Service, Depends(get_service)], visitor: Reviewer) -> Visit:
    return Visit(request, service, visitor)


AVisit = Annotated[Visit, Depends(_begin_visit)]


@dataclass(frozen=True, slots=True)
class Course:
    """How somebody goes through the queue: among which items, and which of them he has skipped."""

    among: QueueFilter = _ANY
    skipped: tuple[int, ...] = ()

    @classmethod
    def of_query(cls, request: Request) -> Course:
        """As an address says it."""
        return cls(read_filter(request.url.query), read_skipped(request.query_params.get("skipped", "")))

    @classmethod
    def of_form(cls, sent: Sent) -> Course:
        """As an item's form says it."""
        return cls(read_filter(sent.among), sent.skipped)

    def link(self, path: str, **more: object) -> str:
        """An address that goes on with it."""
        kept = ",".join(map(str, self.skipped))
        return link_to(path, **dict(parse_qsl(write_filter(self.among))), skipped=kept, **more)


def go_on(visit: Visit, course: Course, told: str) -> Response:
    """The next item: at once for a script, by a redirect for a browser without one."""
    if not visit.is_script:
        return RedirectResponse(course.link("/next"), 303)
    task = visit.service.desk.claim_next(visit.visitor.name, course.among, course.skipped)
    if task is None and course.among.document_id is not None:  # this document is done: on with the others
        course = Course(course.among._replace(document_id=None), course.skipped)
        told = f"{told} {visit.words('item.document_done')}"
        task = visit.service.desk.claim_next(visit.visitor.name, course.among, course.skipped)
    if task is None:
        # The answer to a POST has no address of its own: the script goes there by itself.
        return Response(status_code=204, headers={"X-Go": Course(course.among).link("/queue")})
    return show_task(visit, task, course, told=told)


def show_task(
    visit: Visit,
    task: Task,
    course: Course,
    *,
    sent: Sent | None = None,
    problem: str = "",
    told: str = "",
    status: int = 200,
) -> HTMLResponse:
    """The page of an item.

    Args:
        visit: the request.
        task: the item with its document.
        course: what comes after it.
        sent: what was filled in and not kept.
        problem: why it was not kept.
        told: what a screen reader says first.
        status: of the answer.
    """
    item, record, words = task.item, task.record, visit.words
    with visit.service.store.read() as books:
        now = visit.service.now()
        counts = books.queue.counts(course.among, now)
        here = books.queue.counts(QueueFilter(document_id=item.document_id), now)
        latest, _ = books.reviews.of_account(visit.visitor.name, None, 1)
    answer = render_page(
        visit.request,
        "item.html",
        status=status,
        item=item,
        kind=show_kind(item),
        question=ask(item, words),
        agency=item.agency_name or item.title or words("queue.unnamed"),
        name=task.name,
        address=safe_link(task.url),
        choices=choices(item, record),
        reasons=list_reasons(item, record, words),
        asked=list_asked(item, record, words, task.proposals),
        actions=ACTIONS,
        is_long=len(item.fields) > _LONG and "each" not in visit.request.query_params,
        form=view_form(record, item.fields),
        source=view_source(item.document_id, record, task.text, task.pages, item),
        history=view_history(task.proposals or task.earlier[-_MOST_HISTORY:], words),
        proposals=task.proposals,
        undone={review.undoes for review in task.earlier if review.kind == "undo"},
        last=_last_decision(latest),
        counts=counts,
        left_here=here.open - 1,
        is_staying=course.among.document_id is not None,
        staying=write_filter(course.among._replace(document_id=item.document_id)),
        among=write_filter(course.among),
        skipped=",".join(map(str, course.skipped)),
        sent=sent,
        said=None,
        problem=problem,
        told=told or problem,
        name_code=name_code,
        renew_ms=int(visit.service.settings.lease_minutes * 20_000),
    )
    answer.headers["X-Item"] = str(item.id)
    return answer


def _last_decision(latest: list[Review]) -> Review | None:
    return latest[0] if latest and latest[0].kind == "decide" else None


def tell_gone(visit: Visit, item_id: int, error: ExtractorError) -> HTMLResponse:
    """Why an item cannot be answered now, and where to go on."""
    with visit.service.store.read() as books:
        item = books.queue.get(item_id)
    reason = "settled" if item.state != "open" else "held"
    answer = render_page(visit.request, "gone.html", status=409, item=item, reason=reason, detail=str(error))
    answer.headers["X-Gone"] = str(item.id)
    return answer
