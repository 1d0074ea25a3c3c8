"""The log of a run: one line an event, as JSON or as words.

Lives here: the form of a line, and the file. Does not live here: which events there are and how loud they are (events).
Made by watching.

The logger is of nobody else: libraries log to theirs, quote headers and bodies there, and never come into this file.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, Literal, Self, TextIO

from extractor.errors import SettingsError
from extractor.telemetry.events import DocumentEnded, Event, Level, LimitReached, TelemetryLost

_LEVELS: Mapping[Level, int] = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
#: Of documents only those are in the log that somebody has to look after.
_LOUD_DOCUMENTS: Mapping[str, tuple[str, Level]] = {
    "failed": ("document-failed", "warning"),
    "quarantined": ("document-quarantined", "error"),
}
_PLAIN = re.compile(r"[\w.:/+-]+")


class LogLines:
    """Writes what is loud enough."""

    def __init__(self, stream: TextIO, form: Literal["json", "text"], run_id: str) -> None:
        self._handler = _CountingHandler(stream)
        self._handler.setFormatter(_JsonLines() if form == "json" else _TextLines())
        self._logger = logging.Logger("extractor.run")  # in no hierarchy
        self._logger.addHandler(self._handler)
        self._run_id = run_id
        self._stream = stream
        self._has_reached_limit = False

    @classmethod
    def open(cls, place: str, form: Literal["json", "text"], run_id: str) -> Self:
        """Open a log.

        Args:
            place: a file, to whose end is written, or `-` for stderr.
            form: of the lines.
            run_id: stands in every line.

        Raises:
            SettingsError: the file cannot be written.
        """
        if place == "-":
            return cls(sys.stderr, form, run_id)
        try:
            return cls(open(place, "a", encoding="utf-8", errors="backslashreplace"), form, run_id)
        except OSError as error:
            problem = error.strerror or type(error).__name__
            raise SettingsError(
                f"{place}: the log cannot be written ({problem}). Correct EXTRACTOR_LOG, or leave it out."
            ) from error

    def note(self, event: Event) -> None:
        """Write a line, if the event is to have one."""
        name, level = event.name, event.level
        if isinstance(event, DocumentEnded):
            name, level = _LOUD_DOCUMENTS.get(event.status, (name, level))
        if level is None or self._has_been_told(event):
            return
        facts = {"run": self._run_id, **_describe(event)}
        self._logger.log(_LEVELS[level], name, extra={"at_ns": event.at_ns, "facts": facts})

    def end(self, lost: TelemetryLost) -> None:
        """Close the log, with a last line if anything was lost.

        Args:
            lost: by others; lines that could not be written are added.
        """
        lost = replace(lost, events=lost.events + self._handler.lost)
        if lost.spans or lost.metric_exports or lost.events:
            self.note(lost)
        if self._stream is not sys.stderr:
            with suppress(OSError):
                self._stream.close()

    def _has_been_told(self, event: Event) -> bool:
        """The limit of a run is reached by every call that is left; one line says so."""
        if not isinstance(event, LimitReached) or event.scope == "document":
            return False
        told, self._has_reached_limit = self._has_reached_limit, True
        return told


class _CountingHandler(logging.StreamHandler[TextIO]):
    """A full disk must not end the run, nor fill the terminal."""

    lost = 0

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        self.lost += 1


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_head(record) | _facts(record), ensure_ascii=False)


class _TextLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        facts = " ".join(f"{name}={_quote(fact)}" for name, fact in _facts(record).items())
        return f"{' '.join(_head(record).values())} {facts}"


def _head(record: logging.LogRecord) -> dict[str, str]:
    at = datetime.fromtimestamp(getattr(record, "at_ns", 0) / 1e9, UTC).isoformat(timespec="milliseconds")
    return {"at": at, "level": record.levelname.lower(), "event": record.getMessage()}


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    return dict(getattr(record, "facts", {}))


def _describe(event: Event) -> dict[str, Any]:
    """What a line says of an event: not what is empty, and not how long each stage took (traces have it)."""
    facts = asdict(event)
    del facts["at_ns"]
    facts.pop("stages", None)
    if "document_id" in facts:
        facts = {"document": facts.pop("document_id"), **facts}
    return {
        name: round(fact, 3) if isinstance(fact, float) else fact
        for name, fact in facts.items()
        if fact is not None and fact != ""
    }


def _quote(fact: object) -> str:
    text = str(fact)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
