"""The bounds of a worker process, from inside.

Lives here: what a new worker does to itself, and how it calls a task. Does not live here: the processes (workers), the
tasks (tasks). Linux only.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import traceback
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_PR_SET_PDEATHSIG = 1  # of prctl(2): a signal for when the parent ends


class Crash(Exception):
    """What a task did not foresee, in one line. Unlike other exceptions it can always be pickled."""


def prepare_worker(parent: int, memory_mb: int) -> None:
    """Bound a new worker: memory, no core dumps, no output, and no life without its parent."""
    resource.setrlimit(resource.RLIMIT_DATA, (memory_mb * 1_000_000, memory_mb * 1_000_000))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # One that hangs in C runs no handler of Python's, and no thread of its own could end it.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before that
        os._exit(1)
    # The libraries write to both; the parent's own output is data, or a progress bar.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def call_task(function: Callable[..., T], arguments: tuple[object, ...]) -> T:
    """Call a task; what it raises can always be pickled.

    Raises:
        Crash: whatever it raised.
    """
    try:
        return function(*arguments)
    except Exception as error:
        raise Crash(traceback.format_exception_only(error)[-1].strip()) from None
