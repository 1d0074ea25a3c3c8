"""What may happen in a run: the nouns that are told, and how loud each is in the log.

Lives here: frozen data without text of documents (see the package). Does not live here: who is told (watching), what is
made of it (lines, spans, measures). Made by bulk and llm.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple

#: What is done with one document, in this order. `ask` is the waiting for a model, `file` the writing of what was made.
StageName = Literal["load", "draft", "ask", "conclude", "file"]
Level = Literal["info", "warning", "error"]
#: So many digits of the key of a call are told: enough to find it in the journal.
SHOWN_KEY = 12


class StageTime(NamedTuple):
    """When a stage of one document was gone through: nanoseconds since 1970 by the clock of the process, seconds."""

    name: StageName
    began_ns: int
    seconds: float

    @property
    def ended_ns(self) -> int:
        """When it was over."""
        return self.began_ns + round(self.seconds * 1e9)


class Server(NamedTuple):
    """The model that is asked, where, and with what temperature (None: the server's own)."""

    model: str
    host: str
    port: int
    temperature: float | None


class Answer(NamedTuple):
    """What a server calls the reply that it gave; empty where it did not say."""

    reply_id: str = ""
    model: str = ""
    finish_reason: str = ""


NO_ANSWER = Answer()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened.

    Attributes:
        name: stable kebab-case name.
        level: how loud it is in the log; None keeps it out.
        at_ns: when, in nanoseconds since 1970.
    """

    name: ClassVar[str]
    level: ClassVar[Level | None] = "info"

    at_ns: int = field(default_factory=time.time_ns)


# ---------------------------------------------------------------- the run


@dataclass(frozen=True, slots=True)
class RunStarted(Event):
    """A run of so many documents begins. `readers`: whether and when a model is asked."""

    name = "run-started"

    documents: int
    readers: str
    model: str | None = None


@dataclass(frozen=True, slots=True)
class RunResumed(Event):
    """An earlier start was found, and is gone on with."""

    name = "run-resumed"


@dataclass(frozen=True, slots=True)
class RunEnded(Event):
    """The run is over.

    Attributes:
        documents: that are done, those of earlier starts (`kept`) among them.
        flagged: documents with fields for review.
        stopped_by: code of the error that ended it early; empty when it came to its end or was interrupted.
    """

    name = "run-ended"

    documents: int
    kept: int
    failed: int
    quarantined: int
    flagged: int
    is_interrupted: bool
    seconds: float
    stopped_by: str = ""


@dataclass(frozen=True, slots=True)
class Standing(Event):
    """How much is under way now; told about once a second.

    Attributes:
        waiting: documents that are not begun.
        in_flight: documents at work.
        calls_in_flight: requests that wait for the server.
    """

    name = "standing"
    level = None

    waiting: int
    in_flight: int
    calls_in_flight: int


@dataclass(frozen=True, slots=True)
class BatchKept(Event):
    """So many documents are safe: their transaction is through."""

    name = "batch-kept"

    documents: int
    seconds: float


# ---------------------------------------------------------------- documents


@dataclass(frozen=True, slots=True)
class DocumentEnded(Event):
    """A document was read, as far as it could be. In the log only where it failed, see lines.

    Attributes:
        document_id: hash of its bytes; None where they could not be had.
        position: in the plan, from 0.
        status: that of its record, or `quarantined`.
        reason: kind of the error where it failed.
        stages: what was gone through, and how long it took.
        attempts: how often it was tried, this time included.
        doubted: fields for review.
    """

    name = "document-read"
    level = None

    document_id: str | None
    position: int
    status: str
    stages: tuple[StageTime, ...] = ()
    attempts: int = 1
    doubted: int = 0
    reason: str = ""


# ---------------------------------------------------------------- the model


@dataclass(frozen=True, slots=True)
class CallEnded(Event):
    """One request, answered or not. It may have been paid for either way.

    Attributes:
        document_id: whose budget paid.
        task: id of the prompt.
        key: begin of the key of the call, under which the journal has it.
        outcome: see extractor.llm.endings.Attempt.
        mode: how the server was made to keep to the schema.
        seconds: from sending to the end of the reply.
        is_estimated: whether the server did not say how many tokens it used.
        usd: None where the price is not set.
        max_tokens: the limit that was sent along.
    """

    name = "call-ended"
    level = None

    document_id: str
    task: str
    key: str
    server: Server
    outcome: str
    mode: str
    seconds: float
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    is_estimated: bool
    usd: float | None
    max_tokens: int
    answer: Answer = NO_ANSWER


@dataclass(frozen=True, slots=True)
class ReplyFound(Event):
    """A call was answered by the journal, at no cost."""

    name = "reply-found"
    level = None

    document_id: str
    task: str
    key: str


@dataclass(frozen=True, slots=True)
class CallRetried(Event):
    """A request failed in a way that may pass, and is sent again after some seconds."""

    name = "call-retried"
    level = "warning"

    document_id: str
    task: str
    key: str
    reason: str
    tries: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class ServerDown(Event):
    """The server does not work at all: calls fail at once from now on."""

    name = "server-unavailable"
    level = "error"

    reason: str


@dataclass(frozen=True, slots=True)
class ServerBack(Event):
    """It works again."""

    name = "server-available"


@dataclass(frozen=True, slots=True)
class RateLowered(Event):
    """The server said 429: so many calls may be in flight from now on."""

    name = "rate-lowered"
    level = "warning"

    calls: int


@dataclass(frozen=True, slots=True)
class LimitReached(Event):
    """A call was not sent because of a limit of the run or of its document."""

    name = "budget-reached"
    level = "warning"

    scope: Literal["document", "run"]
    document_id: str


# ---------------------------------------------------------------- telemetry itself


@dataclass(frozen=True, slots=True)
class TelemetryLost(Event):
    """Not all of this could be handed over; the run itself lost nothing.

    Attributes:
        spans: that were made and not taken by the collector.
        metric_exports: that failed.
        events: that could not be worked up, or not be written to the log.
    """

    name = "telemetry-lost"
    level = "warning"

    spans: int
    metric_exports: int
    events: int
