"""Ctrl-C, held back where it would leave half a file.

Lives here: holding it back. What an interrupt means for a run is said in run, which calls this.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hold_interrupts(*, is_final: bool = False) -> Iterator[None]:
    """Hold Ctrl-C back while files are written, so that none has half a record.

    Args:
        is_final: the outputs are being put into place anyway: there is nothing left to interrupt.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pending: list[int] = []
    previous = signal.signal(signal.SIGINT, lambda number, _frame: pending.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
    if pending and not is_final:
        raise KeyboardInterrupt
