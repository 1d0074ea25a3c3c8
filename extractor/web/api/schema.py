"""The OpenAPI document of the service.

Lives here: what it says of the API as a whole, and the route that serves it. Does not live here: any operation.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import JSONResponse

from extractor.web.problems import ProblemDetails
from extractor.web.visitors import Reviewer

PREFIX = "/api/v1"
router = APIRouter(tags=["service"])

_DESCRIPTION = """
Documents in, checked records out, and the queue of what a person should look at in between.

Come in with an API key (`Authorization: Bearer KEY`), or with the cookie of a login and, for whatever changes
something, its token in `X-CSRF-Token`. A service that only its own machine can reach may ask for neither.

Every error is an `application/problem+json` (RFC 9457) with a stable `code`. Lists are read page by page: `next` of one
is `after` of the next. Requests that carry an `Idempotency-Key` can be sent again without being done twice.
"""
_TAGS = [
    {"name": "runs", "description": "Documents handed in together, how far they are, and what came out."},
    {"name": "documents", "description": "What is known of each document, its source and its pages."},
    {"name": "queue", "description": "Questions for people: take one, try an answer, decide."},
    {"name": "reviews", "description": "What people said. Nothing of it is ever changed; an undo is a new one."},
    {"name": "statistics", "description": "Load, outcomes, agreement."},
    {"name": "accounts", "description": "Who may come in. For admins."},
    {"name": "service", "description": "The service itself."},
]


@router.get("/openapi.json", response_model=dict[str, Any], summary="This description")
def read_schema(request: Request, visitor: Reviewer) -> JSONResponse:
    """The OpenAPI document of this service."""
    return JSONResponse(request.app.openapi())


def describe_api(app: FastAPI) -> None:
    """Have `app.openapi()` describe the API; pages are left out of it where they are included."""

    def build() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title,
                version=app.version,
                openapi_version="3.1.0",
                description=_DESCRIPTION.strip(),
                routes=app.routes,
                tags=_TAGS,
            )
            components = schema.setdefault("components", {})
            components.setdefault("schemas", {})["ProblemDetails"] = ProblemDetails.model_json_schema(
                ref_template="#/components/schemas/{model}"
            )
            _lift_definitions(components["schemas"])
            components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            schema["security"] = [{"key": []}]
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = build  # type: ignore[method-assign]


def _lift_definitions(schemas: dict[str, Any]) -> None:
    """Definitions within a schema become schemas of their own, as references to them expect."""
    for schema in list(schemas.values()):
        for name, definition in schema.pop("$defs", {}).items():
            schemas.setdefault(name, definition)
