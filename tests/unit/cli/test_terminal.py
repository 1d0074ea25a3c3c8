"""Progress as a terminal and as a log get it: the bytes of a real process, on a real pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import unicodedata
from collections.abc import Mapping

import pytest

# A run as the engine tells it, with notices in between. The pauses let every stage be drawn more than once.
RUN = """
import sys, time
from extractor.bulk.progress import Progress
from extractor.cli.terminal import print_notice, report_progress

pause_s = 0 if "quick" in sys.argv else 0.21
with report_progress() as tell:
    for found in range(2):
        tell(Progress("plan", found, None, path="资料/" + "某某省某某市" * 9 + "/报告.html"))
        time.sleep(pause_s)
    for done in range(5):
        tell(Progress("read", done, 4, failed=1, flagged=done, in_flight=2, calls=done, calls_in_flight=1, usd=0.5))
        if done == 2:
            print_notice("The server says 429: calls in flight are lowered to 32 for now.")
        if done == 3 and "break" in sys.argv:
            print_notice("Ending.")
            raise SystemExit(3)
        time.sleep(pause_s)
    tell(Progress("write", 4, 4))
print("SUMMARY")
"""
ESCAPE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")


def _run_in_terminal(*arguments: str, width: int = 80, **environment: str) -> str:
    """What the program sends to a terminal of this width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    command = [sys.executable, "-c", RUN, *arguments]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=_environment(environment), close_fds=True
    ) as process:
        os.close(theirs)
        pieces = []
        while piece := _read(ours):
            pieces.append(piece)
        process.wait(timeout=30)
    os.close(ours)
    return b"".join(pieces).decode("utf-8")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # nobody holds the other end any more
        return b""


def _environment(changes: Mapping[str, str]) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    return {**plain, "TERM": "xterm-256color", **changes}


def _show_screen(sent: str, width: int = 80) -> tuple[list[str], bool]:
    """What stands on the screen after these bytes, and whether the cursor can be seen."""
    lines, row, column, is_visible, at = [""], 0, 0, True, 0
    while at < len(sent):
        if code := ESCAPE.match(sent, at):
            at = code.end()
            arguments, letter = code.groups()
            if letter == "A":
                row -= int(arguments or 1)
                assert row >= 0, "above the first line"
            elif letter == "K":
                assert arguments == "2"
                lines[row] = ""
            elif letter in "hl":
                assert arguments == "?25"
                is_visible = letter == "h"
            else:
                assert letter == "m", f"an escape that nobody expects: {code.group()!r}"
            continue
        char, at = sent[at], at + 1
        if char == "\r":
            column = 0
        elif char == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        else:
            assert char.isprintable(), repr(char)
            cells = 2 if unicodedata.east_asian_width(char) in "WF" else 1
            if column + cells > width:  # a terminal wraps by itself, and goes on in the next line
                row, column = row + 1, 0
                lines += [""] * (row + 1 - len(lines))
            lines[row] = lines[row][:column].ljust(column) + char * cells + lines[row][column + cells :]
            column += cells
    return [line.rstrip() for line in lines if line.strip()], is_visible


@pytest.fixture(scope="module")
def sent() -> str:
    return _run_in_terminal()


def test_live_lines_leave_nothing_but_what_others_said(sent: str) -> None:
    assert "looking for inputs 1 found" in ESCAPE.sub("", sent)
    assert "in flight 2, 1 calls" in ESCAPE.sub("", sent)
    screen, is_visible = _show_screen(sent)
    assert screen == ["The server says 429: calls in flight are lowered to 32 for now.", "SUMMARY"]
    assert is_visible


def test_while_it_runs_a_notice_stands_above_the_lines(sent: str) -> None:
    drawn = [match.end() for match in re.finditer("0.5000 USD", sent)]
    screen, is_visible = _show_screen(sent[: next(at for at in drawn if at > sent.index("429"))])
    assert screen[0].startswith("The server says 429")
    assert screen[1].startswith("reading ━")
    assert screen[2].startswith("  in flight 2, 1 calls · flagged 2 · failed 1")
    assert len(screen) == 4
    assert not is_visible


def test_live_lines_are_gone_after_an_error_too() -> None:
    screen, is_visible = _show_screen(_run_in_terminal("break"))
    assert screen == ["The server says 429: calls in flight are lowered to 32 for now.", "Ending."]
    assert is_visible


def test_narrow_terminals_are_not_overrun_and_get_no_colour_where_none_is_wanted() -> None:
    sent = _run_in_terminal(width=40, NO_COLOR="1")
    screen, _ = _show_screen(sent, width=40)
    assert screen == ["The server says 429: calls in flight are", " lowered to 32 for now.", "SUMMARY"]
    assert {code.group() for code in ESCAPE.finditer(sent) if code.group(2) == "m"} <= {"\x1b[0m", "\x1b[1m", "\x1b[2m"}


def test_a_terminal_that_cannot_move_gets_plain_lines() -> None:
    sent = _run_in_terminal("quick", TERM="dumb")
    assert "\x1b" not in sent
    assert "stage=read done=4 total=4" in sent


@pytest.mark.parametrize("colour", ["", "1"])
def test_a_log_gets_plain_lines_whatever_is_said_of_colours(colour: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", RUN, "quick"],
        capture_output=True,
        text=True,
        env=_environment({"FORCE_COLOR": colour} if colour else {}),
        timeout=60,
        check=True,
    )
    assert "\x1b" not in done.stderr
    assert "\r" not in done.stderr
    lines = [re.sub(r"^elapsed=\S+ | rate=.*", "", line) for line in done.stderr.splitlines()]
    expected = [
        "stage=plan done=0 total=unknown",
        "stage=plan done=1 total=unknown",
        "stage=read done=0 total=4",
        "The server says 429: calls in flight are lowered to 32 for now.",
        "stage=read done=4 total=4",
        "stage=write done=4 total=4",
    ]
    assert [line for line in lines if line in expected] == expected  # a slow machine has lines between
    assert done.stdout == "SUMMARY\n"
