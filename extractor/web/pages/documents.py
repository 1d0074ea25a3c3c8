"""The pages of documents: the list, one document to read, and its web page made harmless.

Called by the application.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from extractor.errors import NotInStore
from extractor.model import Status
from extractor.web.headers import FRAME_POLICY
from extractor.web.pages.harmless import make_harmless
from extractor.web.pages.item_view import list_flags, view_form, view_history, view_source
from extractor.web.pages.labels import ask
from extractor.web.pages.rendering import choose_look, render_page, safe_link
from extractor.web.service import Service, get_service
from extractor.web.text import DocumentId, clean_line
from extractor.web.visitors import Reviewer

router = APIRouter(include_in_schema=False)

_TheService = Annotated[Service, Depends(get_service)]
_PAGE = 50
_LONGEST = 200
_STATUSES = tuple(one.value for one in Status)


class _Search(NamedTuple):
    text: str
    status: str
    after: str | None


def _read_search(text: str = "", status: str = "", after: str | None = None) -> _Search:
    return _Search(clean_line(text)[:_LONGEST], status if status in _STATUSES else "", after)


@router.get("/documents")
def show_documents(
    request: Request, service: _TheService, visitor: Reviewer, search: Annotated[_Search, Depends(_read_search)]
) -> HTMLResponse:
    """What is in the store, the newest first."""
    with service.store.read() as books:
        cards, cursor = books.documents.cards(
            search.text or None, status=search.status or None, after=search.after, limit=_PAGE
        )
    return render_page(
        request,
        "documents.html",
        cards=cards,
        text=search.text,
        chosen=search.status,
        statuses=_STATUSES,
        cursor=cursor,
    )


@router.get("/documents/{document_id}")
def show_document(request: Request, document_id: DocumentId, service: _TheService, visitor: Reviewer) -> HTMLResponse:
    """One document, to read: what was extracted, what persons said, what waits."""
    words = choose_look(request).words
    view = service.desk.look(document_id, visitor.name)
    card, record, reviews = view.card, view.record, view.reviews
    return render_page(
        request,
        "document.html",
        card=card,
        name=card.name,
        agency=card.agency_name or card.title or words("queue.unnamed"),
        address=safe_link(card.url),
        form=view_form(record),
        source=view_source(document_id, record, view.text, view.pages),
        flags=list_flags(record, words),
        items=[(item, ask(item, words)) for item in view.items],
        history=view_history(reviews, words),
        undone={review.undoes for review in reviews if review.kind == "undo"},
    )


@router.get("/documents/{document_id}/frame")
def show_frame(document_id: DocumentId, service: _TheService, visitor: Reviewer) -> Response:
    """A document's web page for the sandboxed frame: its text and tables, and nothing that could run or be fetched."""
    with service.store.read() as books:
        source = books.documents.source(document_id)
        media_type = books.documents.live(document_id).record.document.media_type or ""
    if source is None or "html" not in media_type:
        raise NotInStore(f"document {document_id}: no web page of it is in the store. Look at its text.")
    with service.frames.take(visitor.name):
        harmless = make_harmless(source.raw)
    return HTMLResponse(harmless, headers={"Content-Security-Policy": FRAME_POLICY})
