"""Where a run stands, as live lines in a terminal.

Lives here: the bar and the facts below it. Does not live here: lines for a log (progress_log), which of both it is
(cli.terminal), speed and counts (extractor.bulk.progress). Called by cli.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from extractor.bulk.progress import Pace, Progress, Speed, Stage
from extractor.console.amounts import show_amount, show_money, show_rate, show_span
from extractor.console.pieces import oneline

_WORDS: dict[Stage, str] = {"plan": "looking for inputs", "read": "reading", "write": "writing outputs"}
_HOW_TO_END = "what is in flight is finished first; Ctrl-C ends at once, what is kept stays"
_DRAWN_EVERY_S = 0.2
_INDENT, _GAP = "  ", " · "


class LiveProgress:
    """A bar with the facts below it, drawn anew a few times a second, and gone at the end."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        """Draw nothing yet.

        Args:
            console: a terminal. What others print while the lines stand appears above them.
            clock: seconds from any start.
        """
        # No thread: a run tells about itself once a second, and nothing moves that is not told.
        self._live = Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop")
        self._clock = clock
        self._pace = Pace(clock)
        self._drawn_at = -_DRAWN_EVERY_S
        self._stage: Stage | None = None

    def __enter__(self) -> Callable[[Progress], None]:
        self._live.start()
        return self._note

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def _note(self, progress: Progress) -> None:
        speed = self._pace.note(progress)
        is_due = self._clock() - self._drawn_at >= _DRAWN_EVERY_S or progress.stage != self._stage
        if is_due or progress.done == progress.total:
            self._drawn_at, self._stage = self._clock(), progress.stage
            self._live.update(ProgressLines(progress, speed), refresh=True)


class ProgressLines(NamedTuple):
    """The lines as rich draws them, at any width."""

    progress: Progress
    speed: Speed

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The bar, then as many lines as the facts need."""
        yield _draw_bar(self.progress, self.speed)
        if self.progress.stage == "plan" and self.progress.path:
            place = Text(f"{_INDENT}{oneline(self.progress.path)}", style="dim", no_wrap=True)
            place.truncate(options.max_width, overflow="ellipsis")
            yield place
        if self.progress.stage == "read":
            yield from _fill_lines(list(_list_facts(self.progress)), options.max_width)
            if self.progress.is_ending:
                yield Text(f"{_INDENT}{_HOW_TO_END}", no_wrap=True, overflow="ellipsis")


def _draw_bar(progress: Progress, speed: Speed) -> Table:
    row = Table.grid(padding=(0, 1, 0, 0), expand=progress.total is not None)
    word = Text("ending", style="bold yellow") if _is_ending(progress) else Text(_WORDS[progress.stage])
    pieces: list[RenderableType] = [word]
    row.add_column(no_wrap=True)
    if progress.total is not None:
        row.add_column(ratio=1)
        pieces.append(ProgressBar(total=max(progress.total, 1), completed=progress.done))
    for piece in (_show_done(progress), _show_rate(speed), _show_left(progress, speed)):
        if piece:
            row.add_column(no_wrap=True, justify="right")
            pieces.append(Text(piece))
    row.add_row(*pieces)
    return row


def _is_ending(progress: Progress) -> bool:
    return progress.is_ending and progress.stage == "read"


def _list_facts(progress: Progress) -> Iterator[Text]:
    calls = f", {progress.calls_in_flight:,} calls" if progress.asks_model else ""
    yield Text(f"in flight {progress.in_flight:,}{calls}")
    yield Text(f"flagged {progress.flagged:,}", style="yellow" if progress.flagged else "dim")
    yield Text(f"failed {progress.failed:,}", style="red" if progress.failed else "dim")
    if progress.quarantined:
        yield Text(f"quarantined {progress.quarantined:,}", style="bold red")
    if progress.asks_model:
        yield Text(f"calls {progress.calls:,} + {progress.cached:,} from journal")
    if progress.calls:
        yield Text(f"tokens {show_amount(progress.input_tokens)} in {show_amount(progress.output_tokens)} out")
        yield Text(show_money(progress.usd))


def _fill_lines(facts: Sequence[Text], width: int) -> Iterator[Text]:
    """Facts beside each other, never broken within."""
    line = Text()
    for fact in facts:
        if line and line.cell_len + len(_GAP) + fact.cell_len > width - len(_INDENT):
            yield _indent(line)
            line = Text()
        if line:
            line.append(_GAP, style="dim")
        line.append_text(fact)
    yield _indent(line)


def _indent(line: Text) -> Text:
    return Text(_INDENT, no_wrap=True, overflow="ellipsis").append_text(line)


def _show_done(progress: Progress) -> str:
    return f"{progress.done:,} found" if progress.total is None else f"{progress.done:,}/{progress.total:,}"


def _show_rate(speed: Speed) -> str:
    return "" if speed.rate is None else show_rate(speed.rate)


def _show_left(progress: Progress, speed: Speed) -> str:
    if progress.total is None or _is_ending(progress):
        return ""
    return "-:--:-- left" if speed.left_s is None else f"{show_span(speed.left_s)} left"
