"""Batches: many requests in a file, answered by and by, in the states of the real service.

A batch moves on by one state whenever a client looks at it (retrieve or list), and not before
`BatchPace.seconds` have passed since its last move: the states that a client sees do not depend on
the machine's speed. Does not live here: the checks on an input file (batch_lines),
the answering of one line (server).
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

from tests.loopback.batch_lines import describe_problem, read_lines
from tests.loopback.messages import ApiError, Json, to_bytes
from tests.loopback.uploads import Files

ENDPOINTS = ("/v1/chat/completions",)
_ENDED = ("completed", "failed", "expired", "cancelled")

#: Answers one line, by its custom_id and body: status and body of the response.
AnswerLine = Callable[[str, Json], Awaitable[tuple[int, Json]]]


@dataclass(frozen=True, slots=True)
class BatchPace:
    """How batches go.

    Attributes:
        seconds: least time in each state.
        answered: this many requests of a batch are answered, then its time is up and it expires; None for all.
        is_failing: the service fails the batch while it is validated.
        most_requests: a batch with more lines fails.
    """

    seconds: float = 0.0
    answered: int | None = None
    is_failing: bool = False
    most_requests: int = 50_000


@dataclass(slots=True)
class _Batch:
    info: Json
    lines: list[Json] = field(default_factory=list)
    outputs: list[Json] = field(default_factory=list)
    errors: list[Json] = field(default_factory=list)
    moved_at: float = 0.0


class Batches:
    """The batches of one server."""

    def __init__(self, files: Files, answer: AnswerLine, pace: BatchPace) -> None:
        self.pace = pace
        self._files = files
        self._answer = answer
        self._batches: dict[str, _Batch] = {}
        self._ids = count(1)

    def create(self, body: Json) -> Json:
        """Begin a batch.

        Raises:
            ApiError: the input file does not exist, or a parameter is wrong.
        """
        for name in ("input_file_id", "endpoint", "completion_window"):
            if not isinstance(body.get(name), str):
                raise ApiError(400, f"Missing required parameter: '{name}'.", "missing_required_parameter", name)
        if body["endpoint"] not in ENDPOINTS:
            raise ApiError(400, f"Invalid value: '{body['endpoint']}'.", "invalid_value", "endpoint")
        if body["completion_window"] != "24h":
            raise ApiError(400, "The only completion_window is '24h'.", "invalid_value", "completion_window")
        file = self._files.find(body["input_file_id"], "input_file_id")
        if file.info["purpose"] != "batch":
            raise ApiError(400, "The input file must have the purpose 'batch'.", None, "input_file_id")
        info = _describe(f"batch_{next(self._ids):06d}", body)
        self._batches[info["id"]] = _Batch(info, moved_at=time.monotonic())
        return dict(info)

    async def retrieve(self, batch_id: str) -> Json:
        """A batch, moved on by one state if its time has come."""
        batch = self._find(batch_id)
        await self._move(batch)
        return dict(batch.info)

    async def list_page(self, after: str | None, limit: int) -> Json:
        """Batches, the newest first, behind the one named `after`."""
        ids = list(reversed(self._batches))
        if after is not None:
            self._find(after)
            ids = ids[ids.index(after) + 1 :]
        data = [await self.retrieve(batch_id) for batch_id in ids[:limit]]
        return {
            "object": "list",
            "data": data,
            "first_id": data[0]["id"] if data else None,
            "last_id": data[-1]["id"] if data else None,
            "has_more": len(ids) > limit,
        }

    def cancel(self, batch_id: str) -> Json:
        """Stop a batch; what is answered so far stays.

        Raises:
            ApiError: it is over already.
        """
        batch = self._find(batch_id)
        status = batch.info["status"]
        if status in _ENDED:
            raise ApiError(409, f"Cannot cancel a batch with status '{status}'.", None, None)
        _enter(batch, "cancelling")
        return dict(batch.info)

    def _find(self, batch_id: str) -> _Batch:
        if batch_id not in self._batches:
            raise ApiError(404, f"No batch found with id '{batch_id}'.", None, "batch_id")
        return self._batches[batch_id]

    # ------------------------------------------------------------ states

    async def _move(self, batch: _Batch) -> None:
        if time.monotonic() - batch.moved_at < self.pace.seconds:
            return
        batch.moved_at = time.monotonic()
        match batch.info["status"]:
            case "validating":
                self._validate(batch)
            case "in_progress":
                await self._answer_some(batch)
            case "finalizing":
                self._finish(batch, "completed")
            case "cancelling":
                self._finish(batch, "cancelled")

    def _validate(self, batch: _Batch) -> None:
        content = self._files.find(batch.info["input_file_id"]).content
        batch.lines, problems = read_lines(content, batch.info["endpoint"], self.pace.most_requests)
        if self.pace.is_failing:
            problems = [describe_problem("token_limit_exceeded", "Enqueued token limit reached for this model.")]
        if problems:
            batch.info["errors"] = {"object": "list", "data": problems}
            _enter(batch, "failed")
            return
        batch.info["request_counts"]["total"] = len(batch.lines)
        _enter(batch, "in_progress")

    async def _answer_some(self, batch: _Batch) -> None:
        """Half of the lines at the first look, the rest at the second: a batch can be cancelled in between."""
        done = len(batch.outputs) + len(batch.errors)
        total = len(batch.lines)
        limit = total if self.pace.answered is None else min(total, self.pace.answered)
        goal = min(limit, total if done else (total + 1) // 2)
        counts = batch.info["request_counts"]
        for line in batch.lines[done:goal]:
            status, body = await self._answer(line["custom_id"], line["body"])
            is_good = status == 200
            response = {"status_code": status, "request_id": f"req_{next(self._ids)}", "body": body}
            (batch.outputs if is_good else batch.errors).append(self._line(line["custom_id"], response, None))
            counts["completed" if is_good else "failed"] += 1
            if batch.info["status"] != "in_progress":  # cancelled while a line was being answered
                return
        if goal == total:
            _enter(batch, "finalizing")
        elif goal == limit:
            self._expire(batch, batch.lines[goal:])

    def _expire(self, batch: _Batch, rest: Iterable[Json]) -> None:
        message = "This request could not be executed before the completion window expired."
        for line in rest:
            batch.errors.append(self._line(line["custom_id"], None, {"code": "batch_expired", "message": message}))
            batch.info["request_counts"]["failed"] += 1
        self._finish(batch, "expired")

    def _line(self, custom_id: str, response: Json | None, error: Json | None) -> Json:
        return {"id": f"batch_req_{next(self._ids)}", "custom_id": custom_id, "response": response, "error": error}

    def _finish(self, batch: _Batch, status: Literal["completed", "expired", "cancelled"]) -> None:
        """Write the two files; as with the real service, their lines stand in another order than the input's."""
        name = batch.info["id"]
        shuffle = random.Random(name).shuffle
        for key, suffix, lines in (
            ("output_file_id", "output", batch.outputs),
            ("error_file_id", "error", batch.errors),
        ):
            if lines:
                shuffle(lines)
                content = b"".join(to_bytes(line) + b"\n" for line in lines)
                batch.info[key] = self._files.add(f"{name}_{suffix}.jsonl", "batch_output", content)["id"]
        _enter(batch, status)


def _describe(batch_id: str, body: Json) -> Json:
    now = int(time.time())
    moments = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")
    return {
        "id": batch_id,
        "object": "batch",
        "endpoint": body["endpoint"],
        "errors": None,
        "input_file_id": body["input_file_id"],
        "completion_window": body["completion_window"],
        "status": "validating",
        "output_file_id": None,
        "error_file_id": None,
        "created_at": now,
        "expires_at": now + 24 * 3600,
        **{f"{moment}_at": None for moment in moments},
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": body.get("metadata"),
    }


def _enter(batch: _Batch, status: str) -> None:
    batch.info["status"] = status
    batch.info[f"{status}_at"] = int(time.time())
