"""Where a run stands: the noun, its pace, and run.json while the run goes on.

Lives here: what is told about a run that goes on, how fast it is, and the file that others may watch. Does not live
here: how it looks (extractor.console.progress, cli.terminal), and what run.json says of a run that is over (run). Made
by everything that reads many documents; RunFile is run's alone.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

from extractor.errors import ServerRefused
from extractor.llm.calls import BudgetReached
from extractor.model import Status

Stage = Literal["plan", "read", "write"]
RunState = Literal["running", "finished", "interrupted", "stopped", "failed"]

#: The account of the outputs that lie in the folder, put aside while run.json tells of a run that goes on.
EARLIER_ACCOUNT = "earlier-run.json"
_INTERVAL_S = 2.0
# Batches come in leaps, and a scan takes a minute: fewer advances, or less time, would make the rate jump.
_WINDOW_S = 60.0
_FEWEST_ADVANCES = 8
_SPACING_S = 0.5


class Progress(NamedTuple):
    """Where a run stands. All counts are of the run as a whole; calls, tokens, money and time of this start.

    Attributes:
        stage: `plan` (looking for inputs), `read` (documents), `write` (putting the outputs together).
        done: places found; documents over, whatever became of them, the kept ones among them; documents written.
        total: of the same; None where it is not known yet.
        kept: documents that an earlier start had finished.
        failed: documents that could not be read.
        quarantined: those among them that ended or blocked the program.
        flagged: documents with fields in review.
        in_flight: documents at work.
        calls_in_flight: requests to the model's server that wait for their reply.
        calls: requests sent.
        cached: replies that came from the journal instead.
        input_tokens: of the requests.
        output_tokens: of their replies.
        usd: what they cost; None where the price is not set.
        seconds: since the start.
        path: what was finished last.
        status: of the document at `path`.
        is_ending: nothing new is begun, because somebody ended the run, or a limit did; what is in flight is finished.
    """

    stage: Stage
    done: int
    total: int | None
    kept: int = 0
    failed: int = 0
    quarantined: int = 0
    flagged: int = 0
    in_flight: int = 0
    calls_in_flight: int = 0
    calls: int = 0
    cached: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = None
    seconds: float = 0.0
    path: str = ""
    status: Status | None = None
    is_ending: bool = False

    @property
    def asks_model(self) -> bool:
        """Whether a model has a part in this run, as far as can be seen yet."""
        return bool(self.calls or self.cached or self.calls_in_flight)


class Speed(NamedTuple):
    """How fast a stage is.

    Attributes:
        rate: of `done` a second, without what was kept; None at the very beginning.
        left_s: seconds until the stage's end at this rate; None where nobody can tell.
    """

    rate: float | None = None
    left_s: float | None = None


class Pace:
    """The speed of the last minute, or of the last few advances where these took longer."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stage: Stage | None = None
        self._marks: deque[tuple[float, int]] = deque()  # when, and how many were done then

    def note(self, progress: Progress) -> Speed:
        """Take in how far the run is now; another stage begins anew."""
        now, done = self._clock(), progress.done - (progress.kept if progress.stage == "read" else 0)
        if progress.stage != self._stage:
            self._stage = progress.stage
            self._marks.clear()
        if not self._marks:
            self._marks.append((now, done))
        last_at, last_done = self._marks[-1]
        if done != last_done and now - last_at >= _SPACING_S:
            self._marks.append((now, done))
        while len(self._marks) > _FEWEST_ADVANCES and now - self._marks[1][0] > _WINDOW_S:
            self._marks.popleft()
        return self._tell(now, done, None if progress.total is None else progress.total - progress.done)

    def _tell(self, now: float, done: int, left: int | None) -> Speed:
        since, before = self._marks[0]
        if now <= since or (len(self._marks) == 1 and done == before):
            return Speed()  # nothing is over yet, which says nothing about the rate
        rate = max(0.0, (done - before) / (now - since))
        if left is None or (left > 0 and not rate):
            return Speed(rate)
        return Speed(rate, left / rate if left > 0 else 0.0)


class RunFile:
    """run.json of a run that goes on, replaced whole every two seconds.

    What it said of the outputs that lie in the folder is put aside, and stays as long as they do. When the run has new
    ones, its account is put into place with them (extractor.export) and takes what describe() gives with it. When it
    has none, end() says so, or the error that leaves the context.

    Nothing here ends a run: a disk that is full ends it where documents are kept.
    """

    def __init__(
        self, hidden_dir: Path | None, opening: Mapping[str, Any], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Nothing is written yet.

        Args:
            hidden_dir: a folder in that of the outputs, for what nobody looks at; it exists. None: there are no
                outputs, and no file is written.
            opening: what is known from the beginning: versions, started_at, arguments.
            clock: seconds from any start.
        """
        self._hidden = hidden_dir
        self._opening = dict(opening)
        self._clock = clock
        self._pace = Pace(clock)
        self._progress: Progress | None = None
        self._speed = Speed()
        self._written_at = clock()
        self._is_over = False

    def __enter__(self) -> Self:
        if self._hidden:
            with suppress(OSError):
                if _put_aside(self._hidden):
                    self._opening["earlier_account"] = f"{self._hidden.name}/{EARLIER_ACCOUNT}"
        self._write("running")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.end(*_describe_end(error))
        elif self._hidden and not self._is_over:  # the account of new outputs is in place
            with suppress(OSError):
                (self._hidden / EARLIER_ACCOUNT).unlink(missing_ok=True)

    def note(self, progress: Progress) -> None:
        """Take in how far the run is now, and write it where two seconds have passed."""
        self._progress, self._speed = progress, self._pace.note(progress)
        if self._clock() - self._written_at >= _INTERVAL_S:
            self._write("running")

    def end(self, state: RunState, reason: str | None = None) -> None:
        """Say how a run ended that put no outputs into place; the earlier ones are as they were."""
        if not self._is_over:
            self._is_over = True
            self._write(state, reason)

    def describe(self, state: RunState, reason: str | None = None) -> dict[str, Any]:
        """What run.json says at every time, in the account of a run that is over, too."""
        return {
            "state": state,
            "reason": reason,
            "updated_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "progress": describe_progress(self._progress, self._speed) if self._progress else None,
        }

    def _write(self, state: RunState, reason: str | None = None) -> None:
        self._written_at = self._clock()
        if self._hidden is None:
            return
        text = json.dumps({**self.describe(state, reason), **self._opening}, ensure_ascii=False, indent=2)
        # A name of a file that is no text becomes an escape, which JSON knows.
        raw = f"{text}\n".encode("utf-8", "backslashreplace")
        with suppress(OSError):  # full, gone: `updated_at` grows old, and the run goes on
            _replace(self._hidden.parent / "run.json", raw, self._hidden)


def _put_aside(hidden_dir: Path) -> bool:
    """Keep the account of the outputs that lie there. Returns whether there is one."""
    path, earlier = hidden_dir.parent / "run.json", hidden_dir / EARLIER_ACCOUNT
    if path.exists():
        text = path.read_bytes()
        with suppress(ValueError, TypeError):
            if "outputs" in json.loads(text):  # not of a run that broke off
                _replace(earlier, text, hidden_dir)
    return earlier.exists()


def _replace(path: Path, text: bytes, hidden_dir: Path) -> None:
    """Write a file whole or not at all."""
    unfinished = hidden_dir / f"{path.name}.new"
    try:
        unfinished.write_bytes(text)
        os.replace(unfinished, path)
    except OSError:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise


def describe_progress(progress: Progress, speed: Speed) -> dict[str, Any]:
    """Progress and speed as plain data: numbers in the units of Progress, null where nobody knows."""
    return {
        **progress._asdict(),
        "usd": None if progress.usd is None else round(progress.usd, 6),
        "seconds": round(progress.seconds, 1),
        "rate": None if speed.rate is None else round(speed.rate, 3),
        "eta_seconds": None if speed.left_s is None else round(speed.left_s),
    }


def _describe_end(error: BaseException) -> tuple[RunState, str | None]:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", None
    if isinstance(error, BudgetReached | ServerRefused):
        return "stopped", str(error)
    return "failed", str(error) or type(error).__name__
