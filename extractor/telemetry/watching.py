"""Who listens to a run, and telling them.

Lives here: opening what the settings ask for, for as long as a run goes on. Does not live here: what is told (events),
the log (lines), the collector (exporting and its parts, loaded only where they are wanted). `watch_run` is called by
bulk; `tell` by whoever has something to tell.

The listeners are those of the context, like a logger or the current span: what happens in the depth of a call need not
be handed through everything above it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple, Protocol

from extractor.errors import SettingsError
from extractor.settings import Settings
from extractor.telemetry.events import Event, TelemetryLost
from extractor.telemetry.lines import LogLines

if TYPE_CHECKING:
    from extractor.telemetry.exporting import Export

#: Seconds that the end of a run waits for a collector.
_FLUSH_S = 5.0
_NO_EXTRA = (
    "telemetry is set to otlp, but OpenTelemetry is not installed. "
    "Install extractor[otel], or set EXTRACTOR_TELEMETRY=off."
)


class Watcher(Protocol):
    """Whoever is told."""

    def note(self, event: Event) -> None:
        """Take notice, quickly."""


class Watch:
    """All who are told of one run. What goes wrong with them is counted and never the run's trouble."""

    def __init__(self, *watchers: Watcher) -> None:
        self._watchers = watchers
        self.lost = 0

    def note(self, event: Event) -> None:
        """Tell everybody."""
        for watcher in self._watchers:
            try:
                watcher.note(event)
            except Exception:  # what is told about a run must not end it
                self.lost += 1


_NOBODY = Watch()
_WATCH: ContextVar[Watch] = ContextVar("watch", default=_NOBODY)


def tell(event: Event) -> None:
    """Something happened. Where nobody listens, this does nothing."""
    _WATCH.get().note(event)


@contextmanager
def gather_events() -> Iterator[list[Event]]:
    """Keep what is told inside, for a process that works for another one: that one tells it again, where it is heard.

    Yields:
        The events, in the order in which they were told.
    """
    gathered: list[Event] = []
    token = _WATCH.set(Watch(_Gathering(gathered)))
    try:
        yield gathered
    finally:
        _WATCH.reset(token)


class _Gathering(NamedTuple):
    events: list[Event]

    def note(self, event: Event) -> None:
        self.events.append(event)


def check_telemetry(settings: Settings) -> None:
    """Say at once what would only show after long planning.

    Raises:
        SettingsError: what `telemetry` needs is not installed.
    """
    if settings.telemetry == "otlp":
        _load_export()


@contextmanager
def watch_run(settings: Settings, run_id: str) -> Iterator[None]:
    """Let those who are named in the settings listen to everything that is told inside.

    Args:
        settings: `telemetry`, `log` and `log_format`.
        run_id: stands in every line and every trace.

    Raises:
        SettingsError: the log cannot be opened, what `telemetry` needs is not installed, or an OTEL_* variable is
            wrong.
    """
    if settings.telemetry == "off" and not settings.log:
        yield
        return
    log = LogLines.open(settings.log, settings.log_format, run_id) if settings.log else None
    export = _open_export(run_id) if settings.telemetry == "otlp" else None
    watch = Watch(*(watcher for watcher in (log, export) if watcher))
    token = _WATCH.set(watch)
    try:
        yield
    finally:
        _WATCH.reset(token)
        spans, exports = export.close(_FLUSH_S) if export else (0, 0)
        if log:
            log.end(TelemetryLost(spans, exports, watch.lost))


def _open_export(run_id: str) -> Export:
    try:
        return _load_export()(run_id)
    except ValueError as error:
        problem = f"OpenTelemetry cannot be set up: {str(error).rstrip('.')}"
        raise SettingsError(f"{problem}. Correct the OTEL_* variable, or set EXTRACTOR_TELEMETRY=off.") from error


def _load_export() -> type[Export]:
    try:
        from extractor.telemetry.exporting import Export  # noqa: PLC0415 - only who wants it has it installed
    except ImportError as error:
        raise SettingsError(_NO_EXTRA) from error
    return Export
