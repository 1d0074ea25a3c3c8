"""How much a request may send. Counted while it comes in, so that nothing large is ever kept of one that is too large.

Lives here: the size and the pace of bodies. Does not live here: how often somebody may ask (security.throttle), the
size of one document (extractor.sources, settings.max_source_mb). Called by app.
"""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from extractor.web.problems import Problem

#: Largest body of anything but a submission of documents.
SMALL_BODY = 1_000_000
#: How long a sender may leave his body where it is. A proxy in front of the service has its own limit.
LONGEST_PAUSE_S = 60.0
#: What a submission may need beside its files: names, addresses, boundaries.
_BESIDE_FILES = 2_000_000


class BodyLimit:
    """ASGI middleware. Whoever reads the body gets a Problem when it is too large (413) or stands still (408)."""

    def __init__(
        self, app: ASGIApp, *, upload_paths: frozenset[str], upload_mb: int, longest_pause_s: float = LONGEST_PAUSE_S
    ) -> None:
        self._app = app
        self._longest_pause_s = longest_pause_s
        self._upload_paths = upload_paths
        self._upload_mb = upload_mb

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_upload = scope["path"] in self._upload_paths
        limit = self._upload_mb * 1_000_000 + _BESIDE_FILES if is_upload else SMALL_BODY
        declared = Headers(scope=scope).get("content-length", "")
        is_declared_too_large = declared.isdecimal() and int(declared[:20]) > limit
        received, is_whole = 0, False

        async def receive_counted() -> Message:
            nonlocal received, is_whole
            if is_whole:  # what comes now is the end of the connection, some day
                return await receive()
            if is_declared_too_large:
                raise self._refuse(limit)
            try:
                message = await asyncio.wait_for(receive(), self._longest_pause_s)
            except TimeoutError:
                detail = "The request stopped coming before its end. Send it again."
                raise Problem(408, "too-slow", detail, {"Connection": "close"}) from None
            is_whole = not message.get("more_body", False)
            received += len(message.get("body", b""))
            if received > limit:
                raise self._refuse(limit)
            return message

        await self._app(scope, receive_counted, send)

    def _refuse(self, limit: int) -> Problem:
        detail = f"The request has more than the {limit / 1e6:.0f} MB that are taken. Send it in parts."
        return Problem(413, "too-large", detail, {"Connection": "close"})
