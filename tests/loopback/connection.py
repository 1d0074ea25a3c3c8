"""One HTTP/1.1 connection: bytes in, requests out, responses back, alive until either side ends it.

Lives here: sockets and framing. Does not live here: what a request means (server).
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlsplit

import h11

from tests.loopback.messages import ApiError, HttpRequest, HttpResponse, Outcome, Silence

_READ = 1 << 18
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


class Connection:
    """A client's connection. `receive` and `send` take turns."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._state = h11.Connection(h11.SERVER)

    async def receive(self) -> HttpRequest | None:
        """The next request; None when the client is gone.

        Raises:
            ApiError: what came is not HTTP.
        """
        head: h11.Request | None = None
        parts: list[bytes] = []
        while True:
            try:
                event = self._state.next_event()
            except h11.RemoteProtocolError as error:
                raise ApiError(400, f"not an HTTP/1.1 request: {error}") from error
            if event is h11.NEED_DATA:
                if self._state.they_are_waiting_for_100_continue:
                    await self._write(self._state.send(h11.InformationalResponse(status_code=100, headers=[])))
                self._state.receive_data(await self._reader.read(_READ))
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                parts.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return _read_request(head, b"".join(parts))
            else:
                return None

    async def send(self, outcome: Outcome) -> bool:
        """Send a response, or what stands for none.

        Returns:
            Whether the connection can carry another request.
        """
        if isinstance(outcome, Silence):
            while outcome.is_held and await self._reader.read(_READ):
                pass
            return False
        await self._write(self._frame(outcome))
        if outcome.cut_after is not None or self._state.our_state is not h11.DONE:
            return False
        if self._state.their_state is not h11.DONE:
            return False
        self._state.start_next_cycle()
        return True

    def _frame(self, response: HttpResponse) -> bytes:
        headers = [
            ("content-type", response.media_type),
            ("content-length", str(len(response.body))),
            *response.headers.items(),
        ]
        start = h11.Response(
            status_code=response.status, headers=headers, reason=_REASONS.get(response.status, b"Unknown")
        )
        parts = [self._state.send(start), self._state.send(h11.Data(data=response.body[: response.cut_after]))]
        if response.cut_after is None:
            parts.append(self._state.send(h11.EndOfMessage()))
        return b"".join(part for part in parts if part)

    async def _write(self, data: bytes | None) -> None:
        if data:
            self._writer.write(data)
            await self._writer.drain()

    async def close(self) -> None:
        """Close the socket; a client that is gone already is no error."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return


def _read_request(head: h11.Request, body: bytes) -> HttpRequest:
    target = urlsplit(head.target.decode("ascii"))
    headers = {name.decode("ascii"): value.decode("latin-1") for name, value in head.headers}
    query = dict(parse_qsl(target.query)) if target.query else {}
    return HttpRequest(head.method.decode("ascii"), unquote(target.path), query, headers, body)
