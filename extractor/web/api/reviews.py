"""What people said, by number: taking a decision back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from extractor.web.decisions import undo_once
from extractor.web.keyed import IdempotencyKey
from extractor.web.problems import describe
from extractor.web.service import Service, get_service
from extractor.web.shapes import DecisionView
from extractor.web.text import Number
from extractor.web.visitors import Reviewer

router = APIRouter(prefix="/reviews", tags=["reviews"])
Given = Annotated[Service, Depends(get_service)]


@router.post("/{review_id}/undo", response_model=DecisionView, responses=describe(404, 409), summary="Take it back")
def undo_review(
    service: Given, visitor: Reviewer, review_id: Number, idempotency_key: IdempotencyKey = None
) -> Response:
    """Add a review that takes back an earlier one. By whoever made it, or an admin."""
    return undo_once(service, visitor, idempotency_key, review_id)
