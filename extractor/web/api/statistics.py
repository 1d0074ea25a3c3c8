"""The dashboard's figures, for programs. What they mean is in review.figures and docs/review.md."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from extractor.review.figures import draw_up_figures
from extractor.web.service import Service, get_service
from extractor.web.shapes import CountsView, Shape
from extractor.web.visitors import Reviewer

router = APIRouter(tags=["statistics"])
Given = Annotated[Service, Depends(get_service)]
Days = Annotated[int, Query(ge=1, le=3660, description="how far back acts are counted, today included")]


class RateView(Shape):
    """`count` of `n`; `share` is null of nothing."""

    count: int
    n: int
    share: float | None


class WaitingView(Shape):
    """Open items of one kind."""

    kind: str
    items: int
    expected: float


class PersonView(Shape):
    """What one person did."""

    name: str
    looks: int
    fields: int
    seconds: float | None = Field(description="median of a look; null of too few")


class AgreementView(Shape):
    """How far two people who look blind at the same fields say the same."""

    section: str
    alike: RateView
    kappa: float | None = Field(description="Cohen's kappa; null where it is not defined")
    is_enough: bool = Field(description="whether there are pairs enough to say it aloud")


class ReasonView(Shape):
    """What fields under one flag turned out to be."""

    code: str
    changed: int
    confirmed: int
    source_wrong: int
    unknowable: int


class CalibrationView(Shape):
    """Fields whose chance of being wrong was in one range, and how many were."""

    low: float
    high: float
    foretold: float
    wrong: RateView


class AuditView(Shape):
    """Accepted values that were looked at unasked."""

    values: RateView
    documents: RateView
    interval: tuple[float, float] = Field(description="of the share of documents with a wrong value, at 95 %")


class SpentView(Shape):
    """What one model was asked."""

    model: str
    calls: int
    documents: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None


class StatisticsView(Shape):
    """Load, outcomes, confidence, cost."""

    since: datetime
    counts: CountsView
    waiting: list[WaitingView]
    days: list[tuple[str, int]] = Field(description="looks of each day")
    people: list[PersonView]
    by_reason: list[tuple[str, int]] = Field(description="open items by flag")
    by_site: list[tuple[str, int]] = Field(description="open items by site")
    reasons: list[ReasonView]
    calibration: list[CalibrationView]
    audit: AuditView | None
    spent: list[SpentView]
    documents: int = Field(description="documents on which anybody decided anything")
    looks_per_document: float | None
    seconds: float | None = Field(description="median of a look")


@router.get("/statistics", response_model=StatisticsView, summary="Load and outcomes")
def read_statistics(service: Given, visitor: Reviewer, days: Days = 30) -> StatisticsView:
    """The figures of the dashboard."""
    with service.store.read() as books:
        return StatisticsView.model_validate(draw_up_figures(books, service.now(), days))


@router.get("/agreement", response_model=list[AgreementView], summary="Agreement of two blind looks")
def read_agreement(service: Given, visitor: Reviewer) -> list[AgreementView]:
    """Share of like answers and Cohen's kappa, by section, over all pairs of blind looks."""
    with service.store.read() as books:
        figures = draw_up_figures(books, service.now(), 1)
    return [AgreementView.model_validate(agreement) for agreement in figures.agreement]
