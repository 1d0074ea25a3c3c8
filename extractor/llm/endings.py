"""How one request to a model's server can end.

Lives here: frozen data and what follows from it. Does not live here: telling from an exception how
a request ended (exchange), or what is done about it (client). Called by both.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import BaseModel

from extractor.errors import ExtractorError
from extractor.llm.calls import ServerRefused, Usage
from extractor.telemetry.events import NO_ANSWER, Answer

_NOTHING = Usage()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One HTTP request and how it ended.

    Attributes:
        outcome: `ok`, `http-429` and the like, `timeout`, `connection`, `invalid`, `truncated`,
            `refused`, `filtered`, `not-sent` or `given-up` (the caller was cancelled).
        usage: what the request is counted at; marked as estimated where the server did not say.
        seconds: from sending to the end of the reply.
        mode: how the server was made to keep to the schema.
    """

    outcome: str
    usage: Usage
    seconds: float
    mode: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How one request ended, for the client to act on.

    Attributes:
        outcome: see Attempt.
        usage: what the server counted; zero when nothing was used, None when it may have worked but did not say.
        value: the validated reply when the outcome is `ok`.
        error: what the caller gets when nothing else can be tried; None when the outcome is `ok`.
        status: HTTP status; 0 when there was none.
        retry_after: seconds that the server asked to wait.
        complaint: what the server said against the request. It may quote the document: never shown.
        is_json: whether the reply was JSON, fitting or not.
        may_be_mode: whether the server may just not know this way of enforcing the schema.
        answer: what the server calls its reply.
    """

    outcome: str
    usage: Usage | None = _NOTHING
    value: BaseModel | None = None
    error: ExtractorError | None = None
    status: int = 0
    retry_after: float | None = None
    complaint: str = ""
    is_json: bool = False
    may_be_mode: bool = False
    answer: Answer = field(default=NO_ANSWER, repr=False, compare=False)  # another for requests that ended alike

    @property
    def is_outage(self) -> bool:
        """Whether the server did not work at all, as opposed to saying no."""
        return self.outcome in ("timeout", "connection") or self.outcome.startswith("http-5")

    @property
    def is_transient(self) -> bool:
        """Whether the same request may succeed later."""
        return self.is_outage or (
            self.outcome in ("http-429", "http-408") and not isinstance(self.error, ServerRefused)
        )
