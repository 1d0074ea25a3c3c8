"""A batch as the server describes it.

Lives here: the data, reading it out of what the library gives, and not knowing whether there is one.
Does not live here: asking the server (batch_server). Loads no library.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from extractor.llm.calls import ServerUnavailable

if TYPE_CHECKING:
    from openai.types import Batch

#: The key under which a batch carries our name for it.
METADATA = "extractor_batch"
_SHOWN_PLACES = 5


class CreationUnknown(ServerUnavailable):
    """The server may have made a batch, or not: it did not say."""


@dataclass(frozen=True, slots=True)
class RemoteBatch:
    """A batch as the server describes it.

    Attributes:
        name: our name for it; None where it carries none.
        problems: short codes of what is wrong with a failed batch.
    """

    id: str
    status: str
    name: str | None
    input_file: str
    output_file: str | None
    error_file: str | None
    total: int
    completed: int
    failed: int
    problems: str


def describe_batch(batch: Batch) -> RemoteBatch:
    """Read the library's object."""
    counts = batch.request_counts
    return RemoteBatch(
        id=batch.id,
        status=batch.status,
        name=(batch.metadata or {}).get(METADATA),
        input_file=batch.input_file_id,
        output_file=batch.output_file_id or None,
        error_file=batch.error_file_id or None,
        total=counts.total if counts else 0,
        completed=counts.completed if counts else 0,
        failed=counts.failed if counts else 0,
        problems=_describe_problems(batch),
    )


def _describe_problems(batch: Batch) -> str:
    """Codes and line numbers of what is wrong; never the server's sentences, which may quote a document."""
    places: dict[str, list[int]] = {}
    for problem in (batch.errors.data if batch.errors else None) or ():
        code = problem.code if problem.code and problem.code.replace("_", "").isalnum() else "unnamed problem"
        places.setdefault(code, []).extend([problem.line] if problem.line is not None else [])
    return "; ".join(code + _say_lines(lines) for code, lines in places.items())


def _say_lines(lines: list[int]) -> str:
    if not lines:
        return ""
    more = f" and {len(lines) - _SHOWN_PLACES} more" if len(lines) > _SHOWN_PLACES else ""
    return f" (line {', '.join(map(str, lines[:_SHOWN_PLACES]))}{more})"
