"""The running service: one server process, the worker in a thread beside it, and their end in good order.

Lives here: uvicorn's settings, the lines that are printed. Does not live here: the application (app), the worker's work
(bulk.submitted). Called by `extractor serve`.
"""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
import webbrowser
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from extractor.bulk.submitted import Worker
from extractor.errors import SettingsError
from extractor.settings import Settings
from extractor.store.store import Store
from extractor.web.app import create_app
from extractor.web.entrance import Entrance
from extractor.web.request_log import LOG, JsonLines, describe_error

if TYPE_CHECKING:
    from extractor.bulk.flow import ModelPart

#: How long answers that are under way may take when the service is told to end.
_GRACE_S = 10
#: How long the worker may take to give back what it has.
_WORKER_GRACE_S = 20


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the service listens, to whom, and what it does besides. `port` 0 takes a free one."""

    host: str
    port: int
    entrance: Entrance
    has_worker: bool = True
    is_opening: bool = False


def serve_store(store: Store, settings: Settings, listening: Listening, model: ModelPart | None) -> bool:
    """Serve until told to end (Ctrl-C, SIGTERM).

    Returns:
        Whether it ended because it was told to.

    Raises:
        SettingsError: the address cannot be listened on, or the certificate cannot be used.
    """
    set_up_log()
    stop = threading.Event()
    worker = Worker(store, settings, model, stop) if listening.has_worker else None
    thread = threading.Thread(target=_work, args=(worker,), name="worker", daemon=True) if worker else None
    bound = _bind(listening)
    app = create_app(
        store,
        settings,
        listening.entrance,
        is_working=lambda: thread is not None and thread.is_alive(),
        is_stopping=stop.is_set,
    )
    server = _Server(_configure(app, listening), stop)
    if thread:
        thread.start()
    address = f"http://{_show_host(listening.host)}:{bound.getsockname()[1]}"
    _tell(address, store, listening)
    try:
        server.run(sockets=[bound])
    finally:
        stop.set()
        bound.close()
        if thread:
            thread.join(_WORKER_GRACE_S)
    return server.started


def set_up_log() -> None:
    """Lines of JSON on stderr, the server's own beside ours."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name in (LOG.name, "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO if name == LOG.name else logging.WARNING)


class _Server(uvicorn.Server):
    """Tells answers that would go on for ever that it is about to end, as soon as it is told itself."""

    def __init__(self, config: uvicorn.Config, stop: threading.Event) -> None:
        super().__init__(config)
        self._stop = stop

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End; a second Ctrl-C does not wait for answers that are under way.

        In place of the server's own handler, which sends itself the signal once more after the last answer: SIGTERM
        would then end the program before the worker gave back what it has.
        """
        self._stop.set()
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def _configure(app: object, listening: Listening) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_config=None,
        http="h11",  # the strict one, whatever is installed: it takes no header of any length, and no two hosts
        access_log=False,  # RequestLog does it, without addresses
        server_header=False,
        # Only a proxy on this machine is believed, and only where one was announced.
        proxy_headers=listening.entrance.is_behind_tls,
        forwarded_allow_ips="127.0.0.1,::1",
        timeout_graceful_shutdown=_GRACE_S,
        ws="none",
        h11_max_incomplete_event_size=32_768,
    )


def _bind(listening: Listening) -> socket.socket:
    family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
    bound = socket.socket(family)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((listening.host.strip("[]"), listening.port))
    except OSError as error:
        bound.close()
        raise SettingsError(
            f"{listening.host}:{listening.port}: cannot be listened on ({error.strerror or error}). "
            "Give another address or port (--host, --port)."
        ) from error
    bound.listen(128)
    return bound


def _work(worker: Worker) -> None:
    try:
        worker.run()
    except Exception as error:
        LOG.error("worker ended", extra={"facts": describe_error(error)})
        raise


def _show_host(host: str) -> str:
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104  shown, not listened on
    return f"[{name}]" if ":" in name and not name.startswith("[") else name


def _tell(address: str, store: Store, listening: Listening) -> None:
    entrance = listening.entrance
    who = "this machine, without a login" if entrance.mode == "open" else "everybody with an account or an API key"
    lines = [
        f"Review page:  {address}/queue",
        f"HTTP API:     {address}/api/v1  (described in {address}/api/v1/openapi.json)",
        f"Store:        {store.name}",
        f"Open to:      {who}",
        "Ctrl-C ends it; decisions are kept as they are made.",
    ]
    print("\n".join(lines), flush=True)  # noqa: T201
    if listening.is_opening:
        webbrowser.open(f"{address}/queue")
