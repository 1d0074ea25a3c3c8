"""One line of JSON for each request, and what is done about an error that nobody foresaw.

A line holds the request's number, method, route template, status, milliseconds, and the account's name. Never in it:
addresses with their query, bodies, document text, keys, passwords, cookies; of an error only its kind and where in the
program it arose, for its message may quote what was sent. Called by app and by `extractor serve`.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi.routing import iter_route_contexts
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from extractor.web.metrics import Metrics
from extractor.web.problems import PageOfProblem, Problem, is_for_programs, tell_problem

LOG = logging.getLogger("extractor.web")
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MOST_FRAMES = 12


class RequestLog:
    """ASGI middleware. Only SafeHeaders is further out, so that an error carries the headers, too."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, show_page: PageOfProblem) -> None:
        self._app = app
        self._metrics = metrics
        self._show_page = show_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        given = request.headers.get("x-request-id", "")
        number = request.state.request_id = given if _GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
        begun, status = time.perf_counter(), 0

        async def send_numbered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = number
            await send(message)

        try:
            await self._app(scope, receive, send_numbered)
        except Exception as error:
            LOG.error("error", extra={"facts": {"request": number, **describe_error(error)}})
            if status:  # half an answer is out: end the connection, so that nobody takes it for a whole one
                raise BrokenAnswer(number) from None
            await self._apologise(request)(scope, receive, send_numbered)
        finally:
            self._note(request, status, time.perf_counter() - begun)

    def _apologise(self, request: Request) -> ASGIApp:
        detail = "Something went wrong in the service. The log has more under the number of this request."
        problem = Problem(500, "internal-error", detail)
        return tell_problem(request, problem) if is_for_programs(request) else self._show_page(request, problem)

    def _note(self, request: Request, status: int, seconds: float) -> None:
        route = _name_route(request.scope)
        # Anybody can make up a method; each would be a time series of its own.
        method = request.method if request.method in _METHODS else "OTHER"
        self._metrics.count_request(method, route, status, seconds)
        visitor = getattr(request.state, "visitor", None)
        facts = {
            "request": request.state.request_id,
            "method": method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
            "account": visitor.name if visitor else None,
        }
        LOG.info("request", extra={"facts": facts})


_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


class BrokenAnswer(Exception):
    """An answer broke off after its beginning was sent; the reason is in the log under the request's number."""


def list_templates(routes: Sequence[BaseRoute]) -> dict[int, str]:
    """The whole path of every route, by the id of what the scope names as the route."""
    return {id(context.original_route): context.path or "-" for context in iter_route_contexts(routes)}


def _name_route(scope: Scope) -> str:
    """The template of the route that answered, `-` when there was none."""
    templates: Mapping[int, str] = scope["app"].state.templates if "app" in scope else {}
    return templates.get(id(scope.get("route")), "-")


def describe_error(error: BaseException) -> dict[str, Any]:
    """What may be written down of an error: kinds and places, no messages."""
    frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
    places = [f"{_shorten(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
    cause = error.__cause__ or error.__context__
    told = {"error": type(error).__qualname__, "places": places}
    return {**told, "cause": type(cause).__qualname__} if cause else told


def _shorten(path: str) -> str:
    """The part of a file's path that says which module it is."""
    return "/".join(path.replace("\\", "/").split("/")[-3:])


class JsonLines(logging.Formatter):
    """Log records as lines of JSON, errors without their messages."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"at": at, "level": record.levelname.lower(), "event": record.getMessage()}
        line |= getattr(record, "facts", {})
        if record.exc_info and record.exc_info[1]:
            line |= describe_error(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)
