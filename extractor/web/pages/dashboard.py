"""The dashboard: what waits, what was done, and how good flags, confidence and reviewers turn out to be.

Lives here: the route, and which picture stands for which figure. Does not live here: the figures (review.figures), how
a picture is drawn (pictures).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from extractor.review.figures import FEWEST_PAIRS, Agreement, Calibration, Figures, Reason, bound_share, draw_up_figures
from extractor.web.pages.labels import name_code, name_section
from extractor.web.pages.pictures import (
    Part,
    Point,
    draw_bar,
    draw_calibration,
    draw_columns,
    draw_interval,
)
from extractor.web.pages.rendering import choose_look, render_page
from extractor.web.pages.words import Words
from extractor.web.service import get_service
from extractor.web.visitors import Reviewer

router = APIRouter(include_in_schema=False)

_SPANS = (7, 30, 90, 365)
_MOST_ROWS = 12


@router.get("/dashboard", response_class=HTMLResponse)
def show_dashboard(request: Request, _: Reviewer, days: int = Query(default=30, ge=1, le=3660)) -> HTMLResponse:
    """All figures on one page."""
    service = get_service(request)
    with service.store.read() as books:
        figures = draw_up_figures(books, service.now(), days)
    return render_page(
        request,
        "dashboard.html",
        figures=figures,
        days=days,
        spans=_SPANS,
        **_draw(figures, choose_look(request).words),
    )


def _draw(figures: Figures, words: Words) -> dict[str, Any]:
    most_looks = max((one.looks for one in figures.people), default=0)
    most_expected = max((one.expected for one in figures.waiting), default=0)
    return {
        "columns": draw_columns(figures.days),
        "people": [(one, _bar("main", one.looks, most_looks)) for one in figures.people],
        "waiting": [
            (_name_kind(one.kind, words), one.items, one.expected, _bar("main", one.expected, most_expected))
            for one in figures.waiting
        ],
        "by_reason": _tally([(name_code(code, words), count) for code, count in figures.by_reason]),
        "more_reasons": max(0, len(figures.by_reason) - _MOST_ROWS),
        "by_site": _tally([(site or words("dashboard.unknown_site"), count) for site, count in figures.by_site]),
        "more_sites": max(0, len(figures.by_site) - _MOST_ROWS),
        "reasons": [(name_code(one.code, words), one, _draw_reason(one)) for one in figures.reasons],
        "calibration": _draw_calibration(figures.calibration),
        "agreement": [
            (_name_part(one, words), one, _bar("main", one.alike.count, one.alike.n)) for one in figures.agreement
        ],
        "audit": _draw_audit(figures),
        "fewest": FEWEST_PAIRS,
    }


def _bar(name: str, value: float, whole: float) -> Markup:
    return draw_bar([Part(name, value)], whole)


def _tally(rows: Sequence[tuple[str, int]]) -> list[tuple[str, int, Markup]]:
    most = max((count for _, count in rows), default=0)
    return [(name, count, _bar("main", count, most)) for name, count in rows[:_MOST_ROWS]]


def _draw_reason(one: Reason) -> Markup:
    names = ("changed", "confirmed", "source_wrong", "unknowable")
    return draw_bar([Part(name, getattr(one, name)) for name in names], one.n)


def _draw_calibration(bins: Sequence[Calibration]) -> Markup:
    most = max((one.wrong.n for one in bins), default=0)
    points = [
        Point(
            one.foretold, one.wrong.share or 0.0, *bound_share(one.wrong.count, one.wrong.n), weight=one.wrong.n / most
        )
        for one in bins
    ]
    return draw_calibration(points)


def _draw_audit(figures: Figures) -> Markup | None:
    if figures.audit is None:
        return None
    low, high = figures.audit.interval
    return draw_interval(figures.audit.documents.share or 0.0, low, high, min(1.0, 1.5 * high))


def _name_part(one: Agreement, words: Words) -> str:
    return name_section(one.section, words) if one.section else words("dashboard.all")


def _name_kind(kind: str, words: Words) -> str:
    return words("dashboard.audited" if kind == "audit" else f"kind.{kind}")
