"""The service in a process of its own, and the store it works on. Only for tests and benchmarks."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]
_EXTRACTOR = (sys.executable, "-m", "extractor")


class Service:
    """A service that can be started, stopped in good order, or killed, and started again on the same port.

    Attributes:
        url: address, without a slash at its end.
    """

    def __init__(self, store: str, *options: str) -> None:
        self.port = find_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [*_EXTRACTOR, "serve", "--store", store, "--port", str(self.port), *options]
        # A file, not a pipe: nobody would read the pipe while a test runs.
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  as long as the service
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            RuntimeError: it ended, or does not get ready; with what it said.
        """
        self._process = subprocess.Popen(  # noqa: S603
            self._command, cwd=ROOT, stdout=self._log, stderr=self._log, text=True
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urlopen(f"{self.url}/readyz", timeout=5) as answer:  # noqa: S310
                    if answer.status == 200:
                        return
            except (URLError, OSError):
                time.sleep(0.05)
        raise RuntimeError(f"the service did not start: {self.read_log()}")

    def kill(self) -> None:
        """End it at once, wherever it stands, as a crash of the machine would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(30)

    def stop(self) -> None:
        """End it in good order."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(30)

    def read_log(self) -> str:
        """What it said so far."""
        self._log.seek(0)
        return self._log.read()

    def get(self, path: str) -> Any:
        """JSON of an address, as anybody without a login gets it."""
        with urlopen(self.url + path, timeout=30) as answer:  # noqa: S310
            return json.load(answer)


@contextmanager
def serve(store: str, *options: str) -> Iterator[Service]:
    """A service for as long as the block."""
    service = Service(store, *options)
    service.start()
    try:
        yield service
    finally:
        service.stop()


def find_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fill_store(path: Path) -> None:
    """The sample reports into a new store, as a user does it."""
    run_extractor("run", "fixtures", "--store", str(path), "--readers", "template")


def run_extractor(*arguments: str) -> str:
    """Run the program and return what it printed.

    Raises:
        RuntimeError: it failed; with what it said.
    """
    done = subprocess.run(  # noqa: S603
        [*_EXTRACTOR, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"extractor {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout
