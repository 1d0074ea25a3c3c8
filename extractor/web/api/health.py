"""Whether the service is there, whether it can work, and its numbers for Prometheus. Outside of the versioned API."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.responses import PlainTextResponse, Response

from extractor.store.shapes import QueueFilter
from extractor.web.problems import describe
from extractor.web.service import Service, get_service
from extractor.web.visitors import Watcher

router = APIRouter(tags=["service"])
Given = Annotated[Service, Depends(get_service)]
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Health(BaseModel):
    """It is."""

    status: Literal["ok"] = "ok"


@router.get("/healthz", response_model=Health, responses=describe(421, 422), summary="Whether the program answers")
def tell_alive() -> Health:
    """Does not ask the database."""
    return Health()


@router.get("/readyz", response_model=Health, responses=describe(421, 422, 503), summary="Whether it can work")
def tell_ready(service: Given) -> Health:
    """Asks the database; 503 where it does not answer."""
    with service.store.read() as books:
        books.runs.list(None, 1)
    return Health()


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses=describe(401, 403, 421, 422, 429, 503),
    summary="Numbers for Prometheus",
)
def expose_metrics(service: Given, visitor: Watcher) -> Response:
    """Requests, queue, documents in work. For admins and programs with a key."""
    with service.store.read() as books:
        queue = books.queue.counts(QueueFilter(), service.now())
        runs = books.runs.list_unfinished("submitted")
    waiting = sum(run.counts.get("queued", 0) + run.counts.get("working", 0) for run in runs)
    body = service.metrics.expose(queue, waiting, is_working=service.is_working())
    return Response(body, media_type=_METRICS_TYPE)
