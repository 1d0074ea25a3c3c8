"""Who asks, and what he may: the dependencies that every route but the login declares.

Lives here: Visitor, Reviewer, Admin, Keyholder and the check of the CSRF token. Does not live here: how somebody is
recognised (security.identify, which runs before any route). Called by every router.

    def handler(visitor: Reviewer) -> ...      a reviewer or an admin
    def handler(visitor: Admin) -> ...         an admin

A form of a page carries `csrf_token` in a hidden field of that name; a script sends it as X-CSRF-Token. Where nobody is
logged in yet (the login form) `token_for_forms(request)` is the token, and CheckedForm the dependency.
"""

from __future__ import annotations

import hmac
from typing import Annotated, Literal, NamedTuple, cast

from fastapi import Depends, Request

from extractor.store.shapes import Role
from extractor.web.problems import Problem

CSRF_FIELD = "csrf_token"
CSRF_HEADER = "x-csrf-token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class Visitor(NamedTuple):
    """Who asks.

    Attributes:
        csrf_token: what his forms must carry; None for a program, which needs none.
        way: how he came in: `open` (no accounts), by a `session`, by an API `key`.
    """

    name: str
    role: Role
    csrf_token: str | None
    way: Literal["open", "session", "key"] = "session"


def find_visitor(request: Request) -> Visitor | None:
    """Who asks, None for somebody without a login; for what anybody may see."""
    return cast("Visitor | None", getattr(request.state, "visitor", None))


def token_for_forms(request: Request) -> str:
    """The CSRF token that forms on a page for this request must carry, with or without a login."""
    visitor = find_visitor(request)
    return (visitor.csrf_token if visitor else None) or cast(str, request.state.form_token)


async def require_reviewer(request: Request) -> Visitor:
    """Somebody with a login or a key, and with the right token where he changes anything."""
    visitor = find_visitor(request)
    if visitor is None:
        raise unauthorised()
    if visitor.csrf_token is not None:
        await _check_token(request, visitor.csrf_token)
    return visitor


Reviewer = Annotated[Visitor, Depends(require_reviewer)]


async def require_admin(visitor: Reviewer) -> Visitor:
    """An admin."""
    if visitor.role != "admin":
        raise Problem(403, "admins-only", "Only an admin may do this. Ask one, or log in as one.")
    return visitor


Admin = Annotated[Visitor, Depends(require_admin)]


async def require_watcher(visitor: Reviewer) -> Visitor:
    """A program with a key, or an admin."""
    if visitor.role != "admin" and visitor.way != "key":
        raise Problem(403, "keys-only", "Only an admin or a program with an API key may do this.")
    return visitor


Watcher = Annotated[Visitor, Depends(require_watcher)]


async def check_form(request: Request) -> None:
    """The right token in the form of somebody who has no login yet."""
    await _check_token(request, token_for_forms(request))


#: For the route of the login form: `def log_in(_: CheckedForm, ...)`.
CheckedForm = Annotated[None, Depends(check_form)]


def unauthorised() -> Problem:
    """What somebody without a login is told."""
    return Problem(
        401,
        "login-needed",
        "Log in, or send an API key as 'Authorization: Bearer KEY' (extractor accounts key NAME makes one).",
        {"WWW-Authenticate": 'Bearer realm="extractor"'},
    )


async def _check_token(request: Request, wanted: str) -> None:
    if request.method in _SAFE:
        return
    given = request.headers.get(CSRF_HEADER)
    if given is None and request.headers.get("content-type", "").startswith(_FORMS):
        value = (await request.form()).get(CSRF_FIELD)
        given = value if isinstance(value, str) else None
    if given is None or not hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode()):
        raise Problem(403, "wrong-token", "The form is of an earlier login. Open the page anew and send it again.")
