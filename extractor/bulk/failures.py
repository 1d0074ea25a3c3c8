"""A file that could not be processed: its record, and what run.json says of it.

Lives here: turning an error into both. Called by run.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import NamedTuple

from extractor.bulk.inputs.paths import printable_path
from extractor.errors import ExtractorError, SourceError
from extractor.flags import make_flag
from extractor.model import DocumentIdentity, Origin, Record, Status
from extractor.pipeline import VERSIONS


@dataclass(frozen=True, slots=True)
class RunError:
    """A file that could not be processed. `traceback` is there when the error was not foreseen."""

    path: str
    error: str
    message: str
    traceback: str | None = None


class Failure(NamedTuple):
    """The record that stands for the file, with status `failed`, and its entry in run.json."""

    record: Record
    entry: RunError


def describe_failure(path: str, document_id: str | None, origins: tuple[Origin, ...], error: Exception) -> Failure:
    """Say what went wrong with one file, whatever it was."""
    shown = printable_path(path)
    if isinstance(error, SourceError):
        problem = f"{error.problem}. {error.remedy}"
    elif isinstance(error, ExtractorError):
        problem = str(error)
    else:
        problem = f"{type(error).__name__}: {error}"
    problem = _printable(problem)
    # `problem` says what a person can do; the place in our code helps only where the error was not foreseen.
    trace = None if isinstance(error, ExtractorError) else _printable("".join(traceback.format_exception(error)))
    record = Record(
        document=DocumentIdentity(id=document_id, path=shown),
        status=Status.FAILED,
        origins=origins,
        flags=(make_flag("source-failed", problem=problem),),
        versions=VERSIONS,
    )
    return Failure(record, RunError(shown, type(error).__name__, problem, trace))


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
