"""What every command needs of the terminal: consoles, errors, exit codes.

Exit codes: 0 all well; 1 a file failed; 2 wrong usage, settings, output folder or store; 3 stopped before
the end (a limit, or the model's server); 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from extractor.bulk.progress import Progress

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
    print_notice(f"error: {error}")


def print_notice(text: str) -> None:
    """One line on stderr, above the lines of report_progress where these stand."""
    # Not typer.echo: it writes past the stream that keeps others out of the live lines.
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def open_console(*, is_error: bool = False) -> Console:
    """A console that is wide enough for the form when its output goes into a file or a pipe."""
    from rich.console import Console

    # Messages are wrapped by the terminal alone: a command that broke into lines could not be pasted.
    console = Console(stderr=is_error, highlight=False, soft_wrap=is_error)
    if not console.is_terminal:
        console.width = PIPED_WIDTH  # else 80, too narrow for the form
    return console


@contextmanager
def report_progress() -> Iterator[Callable[[Progress], None]]:
    """Live lines in a terminal, plain ones (key=value) in a log. What is printed meanwhile stands between them."""
    from extractor.console.progress import LiveProgress
    from extractor.console.progress_log import PlainProgress

    console = open_console(is_error=True)
    # Asked of the stream itself: FORCE_COLOR makes rich take any log for a terminal.
    is_drawn = console.file.isatty() and console.is_interactive
    with LiveProgress(console) if is_drawn else PlainProgress(print_notice) as on_progress:
        yield on_progress
