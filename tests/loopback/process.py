"""The server in a process of its own, so that it takes no time from the client's interpreter.

    with server_process("--delay", "1.0", "--say", '{"rows": []}') as server:
        ... server.base_url, server.stats()

The arguments are those of `python -m tests.loopback`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

from tests.loopback.messages import Json

_ROOT = Path(__file__).parents[2]


class ServerProcess(NamedTuple):
    """A running server."""

    port: int

    @property
    def base_url(self) -> str:
        """What a client is told."""
        return f"http://127.0.0.1:{self.port}/v1"

    def stats(self) -> Json:
        """Counts, tokens and CPU seconds so far."""
        with urlopen(f"http://127.0.0.1:{self.port}/stats", timeout=10) as response:
            return dict(json.load(response))


@contextmanager
def server_process(*arguments: str) -> Iterator[ServerProcess]:
    """Start the server and stop it again.

    Raises:
        RuntimeError: it did not start; what it said is on stderr.
    """
    command = [sys.executable, "-m", "tests.loopback", *arguments]
    process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        assert process.stdout is not None
        first = process.stdout.readline().strip()
        if not first.isdigit():
            raise RuntimeError(f"the loopback server did not start: {' '.join(command)}")
        yield ServerProcess(int(first))
    finally:
        process.terminate()
        process.wait(10)
