"""What goes into the journal and comes out of it: plain data.

Lives here: frozen data, and the one way in which JSON is written. Does not live here: SQL (journal,
tables), files (replay). Loads no library, so that whoever only needs the types pays nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Literal

Origin = Literal["live", "batch", "written by hand", "simulated"]

#: `prepared`: written down here, perhaps already sent. `submitted`: the server has it. `finished`:
#: the server is done, the replies are still there. `collected`: the replies are in the journal.
BatchState = Literal["prepared", "submitted", "finished", "collected", "failed", "expired", "cancelled"]

#: Keys of batches in these states must not be asked again: they are paid for, or may be.
IN_FLIGHT: tuple[BatchState, ...] = ("prepared", "submitted", "finished")


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def canonical_json(value: object) -> str:
    """The one spelling of a JSON value: sorted keys, no spaces, Chinese as it is."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, slots=True)
class StoredReply:
    """A validated reply to one call.

    Attributes:
        key: content hash of the call.
        task: id of the prompt.
        parameters: what was sent beside the text (temperature and the like).
        prompt_version: content hash of the prompt file.
        schema_hash: content hash of the reply's JSON Schema.
        reply: canonical JSON of the validated reply.
        origin: only `live` and `batch` replies were given by a model.
        request: what was sent, as JSON text; it holds text of the document. None when it is not kept.
        mode: how the server was held to the schema.
        cost_usd: None when the price is not known.
    """

    key: str
    task: str
    model: str
    parameters: Mapping[str, object]
    prompt_version: str
    schema_hash: str
    reply: str
    origin: Origin
    request: str | None = None
    mode: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    is_estimated: bool = False
    cost_usd: float | None = None
    created_at: datetime = field(default_factory=now)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request to a server, whatever came of it.

    Attributes:
        outcome: `ok`, or the code of the error.
        seconds: from sending to the end of the reply.
        cost_usd: None when the price is not known.
    """

    key: str
    run_id: str
    document_id: str
    task: str
    model: str
    outcome: str
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    is_estimated: bool = False
    cost_usd: float | None = None
    seconds: float = 0.0
    mode: str | None = None
    created_at: datetime = field(default_factory=now)


@dataclass(frozen=True, slots=True)
class Spent:
    """What requests cost together.

    `cost_usd` is the sum over those whose price is known; `unpriced_calls` counts the others.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: float = 0.0
    unpriced_calls: int = 0

    def plus(self, other: Spent) -> Spent:
        """The sum."""
        return Spent(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Spent)))


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import did. `conflicting`: keys that hold another reply here; they were left as they are."""

    added: int
    already_there: int
    conflicting: tuple[str, ...]

    def __add__(self, other: ImportSummary) -> ImportSummary:
        return ImportSummary(
            self.added + other.added,
            self.already_there + other.already_there,
            self.conflicting + other.conflicting,
        )


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One batch that was, or is about to be, handed to a server.

    Attributes:
        id: our own name for it, given before anything is sent.
        remote_id: the server's name for it, once it has one.
        input_file, output_file, error_file: the server's names of its files.
        message: what the server said when it went wrong.
    """

    id: str
    model: str
    base_url: str
    state: BatchState = "prepared"
    remote_id: str | None = None
    input_file: str | None = None
    output_file: str | None = None
    error_file: str | None = None
    message: str | None = None
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)
