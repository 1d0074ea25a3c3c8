"""What a request is answered when it cannot be done: problem details (RFC 9457) for programs, a page for people.

Lives here: the one shape of every error, and which error of the house is which status. Does not live here: the page
(extractor.web.pages.errors), who may do what (visitors). Called by app.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from extractor.errors import (
    BadAnswer,
    ExtractorError,
    ItemHeld,
    NotInStore,
    OutputError,
    SourceError,
    StaleItem,
    StoreError,
)

MEDIA_TYPE = "application/problem+json"
_PREFIX = "urn:extractor:problem:"
_STATUSES: tuple[tuple[type[ExtractorError], int], ...] = (
    (NotInStore, 404),
    (ItemHeld, 409),
    (StaleItem, 409),
    (BadAnswer, 422),
    (SourceError, 422),
    (StoreError, 503),
    (OutputError, 507),
)
#: Nothing of these is told to the outside: they may name hosts, files, statements.
_OWN_AFFAIRS = (StoreError, OutputError)
_MOST_ERRORS = 20


class InvalidInput(BaseModel):
    """One thing that is wrong with what was sent. What was sent is not repeated."""

    where: str = Field(description="place in the request, e.g. `body.answers.0.action`", examples=["body.version"])
    problem: str = Field(examples=["Input should be a valid integer"])


class ProblemDetails(BaseModel):
    """Why a request failed (RFC 9457)."""

    type: str = Field(examples=[_PREFIX + "item-held"])
    title: str = Field(examples=["Conflict"])
    status: int = Field(examples=[409])
    detail: str = Field(description="for people, in English")
    code: str = Field(description="stable name, the end of `type`", examples=["item-held"])
    request_id: str = Field(description="as in the service's log")
    errors: list[InvalidInput] = Field(default_factory=list)


class Problem(HTTPException):
    """A request that is refused, by a part of the service that knows why.

    Attributes:
        code: stable kebab-case name.
        detail: one sentence with the remedy, for people.
    """

    def __init__(
        self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, errors: Sequence[Any] = ()
    ) -> None:
        super().__init__(status, detail, dict(headers) if headers else None)
        self.code = code
        self.errors = [InvalidInput.model_validate(error) for error in errors]

    @property
    def title(self) -> str:
        """The status in words."""
        return HTTPStatus(self.status_code).phrase


#: Answers a person's request with a page that says what is wrong.
PageOfProblem = Callable[[Request, Problem], Response]


def is_for_programs(request: Request) -> bool:
    """Whether an error is to be told as JSON: the API, and everybody who does not ask for a page."""
    path = request.url.path
    is_api = path.startswith("/api/") or path in ("/healthz", "/readyz", "/metrics")
    return is_api or "text/html" not in request.headers.get("accept", "")


def install_problems(app: FastAPI, show_page: PageOfProblem) -> None:
    """Have every error of the application answered as a Problem. What nobody foresaw is the request log's to answer."""

    def answer(request: Request, problem: Problem) -> Response:
        return tell_problem(request, problem) if is_for_programs(request) else show_page(request, problem)

    @app.exception_handler(HTTPException)
    def answer_http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 405:  # the router knows only the first of several routes of one address
            error.headers = {"Allow": ", ".join(_list_methods(request))}
        return answer(request, _read_http(error))

    @app.exception_handler(RequestValidationError)
    def answer_invalid(request: Request, error: RequestValidationError) -> Response:
        return answer(request, _read_invalid(error))

    @app.exception_handler(ExtractorError)
    def answer_own(request: Request, error: ExtractorError) -> Response:
        return answer(request, read_error(error))


def tell_problem(request: Request, problem: Problem) -> JSONResponse:
    """A Problem as JSON."""
    details = ProblemDetails(
        type=_PREFIX + problem.code,
        title=problem.title,
        status=problem.status_code,
        detail=problem.detail,
        code=problem.code,
        request_id=getattr(request.state, "request_id", ""),
        errors=problem.errors,
    )
    return JSONResponse(
        details.model_dump(mode="json"), problem.status_code, headers=problem.headers, media_type=MEDIA_TYPE
    )


def read_error(error: ExtractorError) -> Problem:
    """An error of the house as a Problem."""
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
    if isinstance(error, _OWN_AFFAIRS):
        return Problem(status, error.code, "The service cannot reach or write what it keeps. Try again in a minute.")
    return Problem(status, error.code, str(error))


def _read_http(error: HTTPException) -> Problem:
    if isinstance(error, Problem):
        return error
    phrase = HTTPStatus(error.status_code).phrase
    return Problem(error.status_code, phrase.lower().replace(" ", "-").replace("'", ""), error.detail, error.headers)


def _list_methods(request: Request) -> list[str]:
    """What may be done at the address of a request."""
    found: set[str] = set()
    for context in iter_route_contexts(request.app.routes):
        pattern = getattr(context, "path_regex", None)
        if pattern and pattern.match(request.url.path):
            found |= context.methods or set()
    return sorted(found)


def _read_invalid(error: RequestValidationError) -> Problem:
    # `input` and `ctx` are left out: they may hold a password, or the text of a document.
    found = [
        {"where": ".".join(str(part) for part in each["loc"]), "problem": str(each["msg"])} for each in error.errors()
    ]
    detail = "The request is not as this operation wants it; `errors` says where."
    return Problem(422, "invalid-request", detail, errors=found[:_MOST_ERRORS])


def describe(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route for OpenAPI: these statuses with problem details."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in sorted(statuses)}
