"""A cluster of nodes in processes of their own. Only for tests and benchmarks.

A node is what stands on a machine: a watcher (Dask's nanny) and its worker, with a folder of their own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
#: Far more than a start takes; what hangs should fail and not hang.
PATIENCE_S = 120


class Node:
    """A machine of the cluster.

    Attributes:
        pid: of its watcher.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid

    def find_worker(self) -> psutil.Process:
        """The process that makes documents, with processes of its own."""
        children = psutil.Process(self.pid).children()
        return next(child for child in children if "resource_tracker" not in " ".join(child.cmdline()))

    def kill_worker(self) -> None:
        """What an overflowing memory does; the watcher starts another one."""
        self.find_worker().kill()

    def kill(self) -> None:
        """What a power cut does."""
        everything = [psutil.Process(self.pid), *psutil.Process(self.pid).children(recursive=True)]
        for process in everything:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()


class LocalCluster:
    """Scheduler and nodes on this machine.

    Attributes:
        address: of the scheduler.
        scheduler_pid: its process.
        nodes: in the order in which they were started; those that were killed stay in the list.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], *, host: str = "127.0.0.1") -> None:
        """Start a scheduler.

        Args:
            folder: for logs and the nodes' folders.
            environment: of workers, beside what this process has; EXTRACTOR_ variables are theirs alone.
            host: where the scheduler listens.
            enter: the command in front of every command, to run it elsewhere.
        """
        self._folder = folder
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("EXTRACTOR_")}
        self._environment |= {"DASK_DISTRIBUTED__WORKER__DAEMON": "False", "PYTHONPATH": str(ROOT), **environment}
        self.nodes: list[Node] = []
        place = folder / "scheduler.json"
        arguments = (
            "--host",
            host,
            "--port",
            "0",
            "--no-dashboard",
            "--no-show",
            "--scheduler-file",
            str(place),
        )
        self._scheduler = self._start("dask_scheduler", *arguments, home=folder)
        deadline = time.monotonic() + PATIENCE_S
        while not place.exists() or not place.read_text():
            if time.monotonic() > deadline or self._scheduler.poll() is not None:
                raise RuntimeError((folder / "dask_scheduler.log").read_text())
            time.sleep(0.05)
        self.scheduler_pid = self._scheduler.pid
        self.address: str = json.loads(place.read_text())["address"]

    def add_node(self, *, threads: int = 1, enter: Sequence[str] = ()) -> Node:
        """Start one more node; it joins when it is ready.

        Args:
            enter: the command in front of its own, to run it elsewhere.
        """
        home = self._folder / f"node{len(self.nodes)}"
        home.mkdir()
        arguments = ("--nworkers", "1", "--nthreads", str(threads), "--no-dashboard", "--local-directory", str(home))
        node = Node(self._start("dask_worker", self.address, *arguments, home=home, enter=enter))
        self.nodes.append(node)
        return node

    def kill_scheduler(self) -> None:
        """The one thing that nobody replaces."""
        self._scheduler.kill()

    def close(self) -> None:
        """End everything."""
        for node in self.nodes:
            with suppress(psutil.NoSuchProcess):
                node.kill()
        self._scheduler.send_signal(signal.SIGKILL)
        self._scheduler.wait()

    def _start(self, program: str, *arguments: str, home: Path, enter: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        command = [*enter, sys.executable, "-m", f"distributed.cli.{program}", *arguments]
        with (home / f"{program}.log").open("wb") as log:
            return subprocess.Popen(  # noqa: S603
                command, cwd=home, env=self._environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )


@contextmanager
def running_cluster(folder: Path, nodes: int, environment: Mapping[str, str]) -> Iterator[LocalCluster]:
    """A cluster for as long as the block; its nodes may still be coming up."""
    cluster = LocalCluster(folder, environment)
    try:
        for _ in range(nodes):
            cluster.add_node()
        yield cluster
    finally:
        cluster.close()
