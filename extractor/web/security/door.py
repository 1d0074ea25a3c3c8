"""The door: what every request passes before any route, in this order.

    framing   one way only to say where the body ends, else 400 (a proxy might take the other one)
    host      a name that is ours, else 421 (a page of another site that had its name lead here)
    site      no request that another site's page makes behind its visitor's back, else 403
    visitor   by API key or cookie; or the local user, where no accounts are asked for
    rate      429 for whoever asks too often
    body      nobody sends one without a login, except to log in: else 401 before the first byte of it is read

Lives here: HTTP. Does not live here: passwords and sessions (logins), what a visitor may do (extractor.web.visitors).
"""

from __future__ import annotations

import re

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from extractor.web.entrance import LOCAL_USER, Entrance
from extractor.web.problems import PageOfProblem, Problem, is_for_programs, tell_problem
from extractor.web.security.logins import Logins
from extractor.web.security.throttle import Buckets, as_retry_after, name_network
from extractor.web.security.tokens import new_token
from extractor.web.visitors import Visitor, unauthorised

LOGIN_PATH = "/login"
_OPEN_PATHS = ("/static/", "/healthz", "/readyz")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
#: What browsers send along, and programs do not.
_MARKS_OF_BROWSERS = ("origin", "sec-fetch-site", "referer", "cookie")


class Door:
    """ASGI middleware. Sets `request.state.visitor` and `request.state.form_token`."""

    def __init__(
        self, app: ASGIApp, *, entrance: Entrance, logins: Logins, buckets: Buckets, show_page: PageOfProblem
    ) -> None:
        self._app = app
        self._entrance = entrance
        self._logins = logins
        self._buckets = buckets
        self._show_page = show_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        kept = request.cookies.get(self._entrance.form_cookie, "")
        is_new = not _TOKEN.fullmatch(kept)
        request.state.visitor, request.state.form_token = None, new_token() if is_new else kept
        send = self._give_form_token(send, request.state.form_token) if is_new else send
        try:
            await self._examine(request)
        except Problem as problem:
            answer = tell_problem if is_for_programs(request) else self._show_page
            await answer(request, problem)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _examine(self, request: Request) -> None:
        _check_framing(request)
        self._check_host(request)
        if request.url.path.startswith(_OPEN_PATHS):
            return
        self._check_site(request)
        visitor = request.state.visitor = await self._identify(request)
        address = name_network(request.client.host if request.client else "")
        wait = self._buckets.take(("account", visitor.name) if visitor else ("address", address))
        if wait > 0:
            detail = "Too many requests a minute from this account or address. Wait a moment."
            raise Problem(429, "too-many-requests", detail, {"Retry-After": as_retry_after(wait)})
        if visitor is None and request.method not in _SAFE and request.url.path != LOGIN_PATH:
            raise unauthorised()

    def _check_host(self, request: Request) -> None:
        if not self._entrance.knows_host(request.headers.get("host", "")):
            raise Problem(
                421,
                "unknown-host",
                "This service does not answer under that host name. Whoever runs it can add names with --host-name.",
            )

    def _check_site(self, request: Request) -> None:
        headers = request.headers
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        is_own = origin is None or origin.lower() == f"{self._entrance.scheme}://{headers['host'].lower()}"
        if request.method not in _SAFE:
            is_allowed = is_own and site in (None, "same-origin", "none")
        else:
            # A link from elsewhere may open a page; nothing else of ours is for other sites.
            is_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
            is_allowed = site in (None, "same-origin", "none") or is_link
        if not is_allowed:
            raise Problem(403, "other-site", "Another site's page made this request. Open the service's own page.")

    async def _identify(self, request: Request) -> Visitor | None:
        header = request.headers.get("authorization")
        if self._entrance.mode == "open":
            is_browser = any(mark in request.headers for mark in _MARKS_OF_BROWSERS)
            return Visitor(LOCAL_USER, "admin", request.state.form_token if is_browser else None, "open")
        if header is not None:
            kind, _, key = header.partition(" ")
            visitor = await run_in_threadpool(self._logins.by_key, key.strip()) if kind.lower() == "bearer" else None
            if visitor is None:
                raise unauthorised()
            return visitor
        token = request.cookies.get(self._entrance.session_cookie)
        return await run_in_threadpool(self._logins.by_session, token) if token else None

    def _give_form_token(self, send: Send, token: str) -> Send:
        """Set the cookie along with the first page."""
        entrance = self._entrance
        cookie = f"{entrance.form_cookie}={token}; Path=/; HttpOnly; SameSite=Strict"
        cookie += "; Secure" if entrance.is_behind_tls else ""

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.append("set-cookie", cookie)
            await send(message)

        return send_with_cookie


def _check_framing(request: Request) -> None:
    if "transfer-encoding" in request.headers and "content-length" in request.headers:
        detail = "The request says in two ways where its body ends. Send Content-Length or Transfer-Encoding, not both."
        raise Problem(400, "bad-framing", detail, {"Connection": "close"})
