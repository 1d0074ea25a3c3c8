"""Events as they come in a run of documents that ask a model."""

from __future__ import annotations

from typing import Any

from extractor.telemetry.events import Answer, CallEnded, DocumentEnded, Server, StageTime

SECOND = 1_000_000_000
BEGIN = 1_700_000_000 * SECOND
SERVER = Server("model-a", "127.0.0.1", 8080, 0.0)


def make_stages(began_ns: int = BEGIN) -> tuple[StageTime, ...]:
    """load 1 s, draft 2 s, a second of waiting, ask 4 s, conclude 1 s."""
    at = [0, 1, 4, 8]
    names = ("load", "draft", "ask", "conclude")
    seconds = (1.0, 2.0, 4.0, 1.0)
    return tuple(
        StageTime(name, began_ns + start * SECOND, length)  # type: ignore[arg-type]
        for name, start, length in zip(names, at, seconds, strict=True)
    )


def make_call(document_id: str = "d1", **changes: Any) -> CallEnded:
    given: dict[str, Any] = {
        "task": "header",
        "key": "0123456789ab",
        "server": SERVER,
        "outcome": "ok",
        "mode": "json_schema",
        "seconds": 2.0,
        "input_tokens": 100,
        "output_tokens": 20,
        "cached_tokens": 5,
        "is_estimated": False,
        "usd": 0.25,
        "max_tokens": 500,
        "answer": Answer("chatcmpl-1", "model-a-2026", "stop"),
        "at_ns": BEGIN + 7 * SECOND,
    } | changes
    return CallEnded(document_id, **given)


def make_document(document_id: str | None = "d1", status: str = "succeeded", **changes: Any) -> DocumentEnded:
    given: dict[str, Any] = {"stages": make_stages(), "at_ns": BEGIN + 9 * SECOND} | changes
    return DocumentEnded(document_id, 3, status, **given)
