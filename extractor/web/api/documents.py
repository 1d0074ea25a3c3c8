"""What is known of each document: its record, its text and source, its pages, what people said."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import PlainTextResponse, Response

from extractor.errors import NotInStore
from extractor.model import Record, Status
from extractor.store.store import Books
from extractor.web.headers import FRAME_POLICY
from extractor.web.problems import describe
from extractor.web.service import Service, get_service
from extractor.web.shapes import DocumentDetails, DocumentView, ItemView, Listing, PlaceView, ReviewView
from extractor.web.text import DocumentId, ShortText
from extractor.web.visitors import Reviewer

router = APIRouter(prefix="/documents", tags=["documents"])
Given = Annotated[Service, Depends(get_service)]
#: The same words twice are the same answer: a browser may keep it, and asks whether it changed.
_KEPT = "private, no-cache"


class _Wanted(BaseModel):
    """Which documents, and which page of them."""

    model_config = ConfigDict(extra="forbid")

    text: ShortText | None = Field(default=None, description="part of name, title or agency")
    site: ShortText | None = None
    year: Annotated[int, Field(ge=1900, le=2200)] | None = Field(default=None, description="year of the report")
    status: Status | None = None
    after: ShortText | None = Field(default=None, description="`next` of the page before")
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@router.get("", response_model=Listing[DocumentView], summary="Documents, newest first")
def list_documents(service: Given, visitor: Reviewer, wanted: Annotated[_Wanted, Query()]) -> Listing[DocumentView]:
    """The documents that were read."""
    with service.store.read() as books:
        cards, cursor = books.documents.cards(**dict(wanted))
    return Listing[DocumentView](entries=[DocumentView.model_validate(card) for card in cards], next=cursor)


@router.get("/{document_id}", response_model=DocumentDetails, responses=describe(404), summary="One document")
def read_document(service: Given, visitor: Reviewer, document_id: DocumentId) -> DocumentDetails:
    """What is known of a document, and the open questions about it."""
    with service.store.read() as books:
        card = books.documents.card(document_id)
        details = DocumentView.model_validate(card).model_dump()
        return DocumentDetails(
            **details,
            origins=list(books.documents.origins(document_id)),
            pages=list(books.documents.live(document_id).pages),
            items=[ItemView.model_validate(item) for item in books.queue.of_document(document_id)],
        )


@router.get("/{document_id}/record", response_model=Record, responses=describe(404), summary="The record of a document")
def read_record(
    service: Given,
    visitor: Reviewer,
    document_id: DocumentId,
    is_as_extracted: Annotated[
        bool, Query(alias="as_extracted", description="without what persons said of it")
    ] = False,
) -> Response:
    """The record as it stands, persons' words in it. docs/record.md explains every key."""
    with service.store.read() as books:
        record = _find_record(books, document_id, is_as_extracted=is_as_extracted)
    return Response(record.model_dump_json(), media_type="application/json")


@router.get(
    "/{document_id}/text",
    response_class=PlainTextResponse,
    responses=describe(404),
    summary="The text that spans are intervals of",
)
def read_text(service: Given, visitor: Reviewer, document_id: DocumentId) -> PlainTextResponse:
    """The source's text; `start` and `end` of a span count its characters."""
    with service.store.read() as books:
        text = books.documents.live(document_id).text
    return PlainTextResponse(text.encode("utf-8", "replace"))


@router.get(
    "/{document_id}/source",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}, **describe(404)},
    summary="The bytes of a document, as found",
)
def read_source(service: Given, visitor: Reviewer, document_id: DocumentId) -> Response:
    """The file. It comes from the web: open it with the care that you would take there."""
    with service.store.read() as books:
        source = books.documents.source(document_id)
    if source is None:
        raise NotInStore(f"document {document_id} is not in the store. Look it up in the list of documents.")
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(source.name, safe='', errors='replace')}",
        "Content-Security-Policy": FRAME_POLICY,
    }
    # Never the type that it claims: nothing of it may be shown by a browser under our name.
    return Response(source.raw, media_type="application/octet-stream", headers=headers)


@router.get(
    "/{document_id}/pages/{number}.png",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}, **describe(404)},
    summary="A page as a picture",
)
def draw_page(
    service: Given, visitor: Reviewer, document_id: DocumentId, number: Annotated[int, Path(ge=1, le=100_000)]
) -> Response:
    """A page of a PDF or scan, or a picture that the document shows. Where a field stands on it: see places."""
    png = service.images.draw(document_id, number)
    return Response(png, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})


@router.get(
    "/{document_id}/places",
    response_model=list[PlaceView],
    responses=describe(404),
    summary="Where a field's evidence stands on its pages",
)
def list_places(
    service: Given,
    visitor: Reviewer,
    document_id: DocumentId,
    field: Annotated[ShortText, Query(description="id of the field")],
) -> list[PlaceView]:
    """Boxes to draw over pictures of pages; none for a source without pages."""
    with service.store.read() as books:
        live = books.documents.live(document_id)
    found = live.record.fields.get(field)
    if found is None:
        raise NotInStore(f"document {document_id} has no field {field}. Its record lists the fields.")
    pages = {page.number: page for page in live.pages}
    places = [span.place for span in found.spans if span.place and span.place.page in pages]
    return [
        PlaceView(page=place.page, box=place.box, width=pages[place.page].width, height=pages[place.page].height)
        for place in places
    ]


@router.get(
    "/{document_id}/reviews",
    response_model=list[ReviewView],
    responses=describe(404),
    summary="What people said of a document",
)
def list_reviews(service: Given, visitor: Reviewer, document_id: DocumentId) -> list[ReviewView]:
    """Reviews, oldest first. Who may still have to look at it blind does not see what another one said."""
    with service.store.read() as books:
        books.documents.card(document_id)
    return [ReviewView.model_validate(review) for review in service.desk.history(document_id, visitor.name)]


def _find_record(books: Books, document_id: str, *, is_as_extracted: bool) -> Record:
    if is_as_extracted:
        return books.documents.newest_extraction(document_id).record
    return books.documents.live(document_id).record
