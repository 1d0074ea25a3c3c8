"""Finding out what a server understands: how it keeps to a schema, and which parameters it takes.

Lives here: the choice of the mode by trial, and the adaptation of parameters. Does not live here:
what a mode looks like on the wire (request), sending. Called by the client; one of each a client.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, TypeVar

from extractor.llm.endings import Ending
from extractor.llm.request import MODES, Mode

Notice = Callable[[str], None]
T = TypeVar("T")


class ModeChoice:
    """Which mode the server understands: given by the operator, or found with the first call.

    A server that does not know a mode says so, or ignores it and replies with prose. Then the same
    call is sent in the next mode at once; this counts as no retry. One call at a time does that,
    the others wait for what it finds.
    """

    def __init__(self, reply_mode: Literal["auto"] | Mode, on_notice: Notice) -> None:
        self.chosen: Mode | None = None if reply_mode == "auto" else reply_mode
        self._first = 0
        self._on_notice = on_notice
        self._one_at_a_time = asyncio.Lock()

    async def ask(self, request: Callable[[Mode], Awaitable[tuple[Ending, T]]]) -> tuple[Ending, T]:
        """Send a request in the mode that the server understands.

        Args:
            request: sends one request in the given mode; what it gives beside the ending is passed on.
        """
        if self.chosen is None:
            async with self._one_at_a_time:
                if self.chosen is None:
                    return await self._try_modes(request)
        return await request(self.chosen)

    async def _try_modes(self, request: Callable[[Mode], Awaitable[tuple[Ending, T]]]) -> tuple[Ending, T]:
        for mode in MODES[self._first :]:
            ending, beside = await request(mode)
            is_last = mode == MODES[-1]
            if ending.outcome == "ok" or (is_last and ending.outcome == "invalid"):
                self._choose(mode)
            elif ending.is_json:
                # JSON of another shape: the server may not enforce the schema. Let the next call try further on.
                self._first = MODES.index(mode) + 1
            if is_last or not ending.may_be_mode:
                return ending, beside
        raise AssertionError("the last mode always returns")

    def _choose(self, mode: Mode) -> None:
        self.chosen = mode
        self._on_notice(f"The server keeps to the schema by {mode}; EXTRACTOR_REPLY_MODE={mode} spares the trial.")


class Dialect:
    """Which parameters the server takes, adapted when it complains about one of them."""

    def __init__(self, parameters: Mapping[str, object], on_notice: Notice) -> None:
        self._parameters = dict(parameters)
        self._limit = "max_tokens"
        self._on_notice = on_notice

    def say(self, max_output_tokens: int) -> dict[str, object]:
        """The parameters of one request."""
        return {self._limit: max_output_tokens, **self._parameters}

    def adapt(self, ending: Ending, sent: Mapping[str, object]) -> bool:
        """Learn from a refused request.

        Args:
            ending: how the request ended.
            sent: what say() gave for it; other calls may have adapted since.

        Returns:
            Whether the request should be sent again at once.
        """
        if ending.status not in (400, 422):
            return False
        if "max_tokens" in sent and "max_completion_tokens" in ending.complaint:
            if self._limit == "max_tokens":
                self._limit = "max_completion_tokens"
                self._on_notice("The server wants max_completion_tokens instead of max_tokens; it is sent from now on.")
            return True
        if "temperature" in sent and _complains(ending.complaint, "temperature"):
            if self._parameters.pop("temperature", None) is not None:
                self._on_notice("The server does not take the temperature; replies are sampled at its own from now on.")
            return True
        return False


def _complains(complaint: str, name: str) -> bool:
    """Whether a complaint is about the parameter: an error may also quote the whole request."""
    refusal = r"(?:unsupported|not support|unknown|unrecognized|invalid|not permitted|not allowed|must be|only)"
    near = rf"{refusal}.{{0,60}}\b{name}\b|\b{name}\b.{{0,60}}{refusal}|'param': '{name}'"
    return re.search(near, complaint, re.IGNORECASE) is not None
