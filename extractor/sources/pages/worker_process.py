"""The bounds of a worker process, from inside.

Lives here: what a new worker does to itself, how it calls a task, and what shows that its memory has ended. Does not
live here: the processes (workers), the tasks (tasks). Linux only.
"""

from __future__ import annotations

import ctypes
import errno
import importlib
import os
import resource
import signal
import traceback
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

_PR_SET_PDEATHSIG = 1  # of prctl(2): a signal for when the parent ends

# How libraries in C say it. A thread without room for its stack is told to try again: only memory is bounded here.
_OUT_OF_MEMORY = (
    "alloc(",
    "malloc",
    "bad alloc",
    "bad_alloc",
    "failed to allocate",
    "insufficient memory",
    "out of memory",
    "can't start new thread",
    os.strerror(errno.ENOMEM).lower(),
    os.strerror(errno.EAGAIN).lower(),
)


class Crash(Exception):
    """What a task did not foresee, in one line. Unlike other exceptions it can always be pickled."""


class OutOfMemory(Crash):
    """The worker's memory ended."""


def prepare_worker(parent: int, memory_mb: int, modules: Sequence[str] = ()) -> None:
    """Bound a new worker: memory, no core dumps, no output, and no life without its parent. Then import modules."""
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
    for module in modules:
        importlib.import_module(module)


def call_task(function: Callable[..., T], arguments: tuple[object, ...]) -> T:
    """Call a task; what it raises can always be pickled.

    Raises:
        OutOfMemory: it needs more than the worker has.
        Crash: whatever else it raised.
    """
    try:
        return function(*arguments)
    except Exception as error:
        kind = OutOfMemory if is_out_of_memory(error) else Crash
        raise kind(traceback.format_exception_only(error)[-1].strip()) from None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that memory has ended; each library has its own, and its own words."""
    return isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in _OUT_OF_MEMORY)
