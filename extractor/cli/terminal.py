"""What every command needs of the terminal: consoles, errors, exit codes.

Exit codes: 0 all well; 1 a file failed; 2 wrong usage, settings, output folder or store; 3 stopped before
the end (a limit, or the model's server); 130 interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from extractor.bulk.works import Progress

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_STOPPED = 3
EXIT_INTERRUPTED = 130
PIPED_WIDTH = 100


class Language(StrEnum):
    """Language of messages."""

    ZH = "zh"
    EN = "en"
    BOTH = "both"


@contextmanager
def usage_errors() -> Iterator[None]:
    """What the operator can put right is one line on stderr and exit code 2."""
    from extractor.errors import NotInStore, OutputError, ServerRefused, SettingsError, StoreError

    try:
        yield
    except (SettingsError, OutputError, StoreError, NotInStore, ServerRefused) as error:
        print_error(error)
        raise typer.Exit(EXIT_USAGE) from None


def print_error(error: Exception) -> None:
    """One line on stderr."""
    typer.echo(f"error: {error}", err=True)


def open_console(*, is_error: bool = False) -> Console:
    """A console that is wide enough for the form when its output goes into a file or a pipe."""
    from rich.console import Console

    console = Console(stderr=is_error, highlight=False)
    if not console.is_terminal:
        console.width = PIPED_WIDTH  # else 80, too narrow for the form
    return console


@contextmanager
def report_progress() -> Iterator[Callable[[Progress], None]]:
    """A progress bar in a terminal, ten plain lines in a log."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = open_console(is_error=True)
    if not console.is_terminal:
        yield _print_tenths
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        tasks = {
            "hash": bar.add_task("finding equal files", total=None),
            "extract": bar.add_task("reading", total=None),
        }
        yield lambda progress: bar.update(tasks[progress.stage], completed=progress.done, total=progress.total)


def _print_tenths(progress: Progress) -> None:
    tenths = progress.done * 10 // progress.total
    if progress.stage == "extract" and tenths > (progress.done - 1) * 10 // progress.total:
        typer.echo(f"{progress.done} of {progress.total} documents", err=True)
