"""How much a request may send. Counted while it comes in, so that nothing large is ever kept of one that is too large.

Lives here: the size of bodies. Does not live here: how often somebody may ask (security.throttle), the size of one
document (extractor.sources, settings.max_source_mb). Called by app.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from extractor.web.problems import Problem

#: Largest body of anything but a submission of documents.
SMALL_BODY = 1_000_000
#: What a submission may need beside its files: names, addresses, boundaries.
_BESIDE_FILES = 2_000_000


class BodyLimit:
    """ASGI middleware. Whoever reads the body gets a Problem (413) when it is too large."""

    def __init__(self, app: ASGIApp, *, upload_paths: frozenset[str], upload_mb: int) -> None:
        self._app = app
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
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            if is_declared_too_large:
                raise self._refuse(limit)
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise self._refuse(limit)
            return message

        await self._app(scope, receive_counted, send)

    def _refuse(self, limit: int) -> Problem:
        detail = f"The request has more than the {limit / 1e6:.0f} MB that are taken. Send it in parts."
        return Problem(413, "too-large", detail, {"Connection": "close"})
