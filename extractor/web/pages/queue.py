"""The page of the queue: what waits, in order, with filters and progress.

Called by the application.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from extractor.store.shapes import Item, QueueFilter
from extractor.web.pages.filters import KINDS, read_filter, write_filter
from extractor.web.pages.labels import ask, name_code, name_section, severity_of, show_kind
from extractor.web.pages.rendering import choose_look, render_page
from extractor.web.pages.words import Words
from extractor.web.service import Service, get_service
from extractor.web.visitors import Reviewer

router = APIRouter(include_in_schema=False)

_PAGE = 50
_MOST_OPTIONS = 300
_MOST_CODES = 3


class QueueRow(NamedTuple):
    """An item in the list. `gain`: expected number of values that one look mends."""

    item: Item
    agency: str
    question: str
    kind: str
    codes: tuple[tuple[str, str], ...]
    gain: str


class Facet(NamedTuple):
    """One criterion of the filter with its options: value, words, how many wait."""

    name: str
    chosen: str
    options: tuple[tuple[str, str, int], ...]


@router.get("/")
def show_start(visitor: Reviewer) -> RedirectResponse:
    """The queue is where one begins."""
    return RedirectResponse("/queue", 303)


@router.get("/queue")
def show_queue(
    request: Request, service: Annotated[Service, Depends(get_service)], visitor: Reviewer, after: str | None = None
) -> HTMLResponse:
    """What waits."""
    chosen, words = read_filter(request.url.query), choose_look(request).words
    now = service.now()
    with service.store.read() as books:
        items, cursor = books.queue.page(chosen, after, _PAGE, now)
        counts = books.queue.counts(chosen, now)
        facets = books.queue.facets(now)
        has_documents = bool(items) or bool(books.documents.cards(limit=1)[0])
    return render_page(
        request,
        "queue.html",
        rows=[_make_row(item, words) for item in items],
        counts=counts,
        facets=_make_facets(facets, chosen, words),
        text=chosen.text or "",
        among=write_filter(chosen),
        is_filtered=chosen != QueueFilter(),
        empty=_say_empty(chosen, has_documents=has_documents),
        is_first=after is None,
        cursor=cursor,
    )


def _say_empty(chosen: QueueFilter, *, has_documents: bool) -> str:
    if chosen != QueueFilter():
        return "empty_filtered"
    return "empty_done" if has_documents else "empty_new"


def _make_row(item: Item, words: Words) -> QueueRow:
    # Not of single cells: some of them were picked to see how good accepted values are, and have no reason.
    told = item.codes[:_MOST_CODES] if show_kind(item) != "cells" else ()
    codes = tuple((severity_of(code), name_code(code, words)) for code in told)
    agency = item.agency_name or item.title or words("queue.unnamed")
    return QueueRow(
        item, agency, ask(item, words), show_kind(item), codes, f"{item.priority:.{0 if item.priority >= 10 else 2}f}"
    )


def _make_facets(found: dict[str, list[tuple[str, int]]], chosen: QueueFilter, words: Words) -> list[Facet]:
    kinds = [(kind, count) for kind, count in found.get("kind", []) if kind in KINDS]
    named = {
        "kind": (chosen.kind, [(kind, words(f"kind.{kind}"), count) for kind, count in kinds]),
        "section": (chosen.section, [(one, name_section(one, words), n) for one, n in found.get("section", [])]),
        "code": (chosen.code, [(code, name_code(code, words), count) for code, count in found.get("code", [])]),
        "site": (chosen.site, [(site, site, count) for site, count in found.get("site", [])]),
        "year": (
            chosen.report_year,
            sorted(((year, year, count) for year, count in found.get("report_year", [])), reverse=True),
        ),
    }
    return [
        Facet(name, "" if value is None else str(value), tuple(options[:_MOST_OPTIONS]))
        for name, (value, options) in named.items()
    ]
