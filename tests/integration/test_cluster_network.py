"""A run over machines that share nothing but a network: nodes in network namespaces, with a disk of their own.

Long, and for root alone: `make soak`.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from eval.bench.copies import FIXTURES, mark
from extractor.bulk.cluster import connect
from extractor.bulk.flow import ModelPart
from extractor.bulk.plan import open_plan
from extractor.bulk.run import run_documents
from extractor.llm.budget import Limits
from extractor.llm.session import open_live
from extractor.settings import Settings
from extractor.store.store import Store
from tests.bulk_runs import ignore, read_outputs
from tests.loopback.labelled import load_truths
from tests.loopback.server import LoopbackServer, Options, running_server
from tests.loopback.simulated import SimulatedReader
from tests.nodes import LocalCluster

pytestmark = pytest.mark.soak

ROOT = Path(__file__).parents[2]
NODES, DOCUMENTS = 3, 30
NO_LIMIT = Limits()
#: The machine of driver, scheduler, database and model, as nodes see it: the far end of each one's cable.
HOME = "10.213.0.1"


@contextmanager
def networks(count: int) -> Iterator[list[str]]:
    """Names of network namespaces with a cable to this machine, and to nothing else."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and iproute2")
    mine = f"x{uuid4().hex[:6]}"
    names = [f"{mine}{number}" for number in range(count)]
    with ExitStack() as cleanup:
        for number, name in enumerate(names):
            try:
                call("ip", "netns", "add", name)
            except subprocess.CalledProcessError as error:
                pytest.skip(f"network namespaces are not allowed here: {error.stderr}")
            cleanup.callback(call, "ip", "netns", "del", name)  # its cable goes with it
            call("ip", "link", "add", f"{name}h", "type", "veth", "peer", "name", f"{name}n", "netns", name)
            call("ip", "addr", "add", f"{HOME}/32", "peer", f"10.213.1.{number + 1}/32", "dev", f"{name}h")
            call("ip", "link", "set", f"{name}h", "up")
            call("ip", "-n", name, "addr", "add", f"10.213.1.{number + 1}/32", "peer", f"{HOME}/32", "dev", f"{name}n")
            call("ip", "-n", name, "link", "set", f"{name}n", "up")
            call("ip", "-n", name, "link", "set", "lo", "up")
        yield names


def call(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603


@contextmanager
def reachable(target: str | int) -> Iterator[int]:
    """A port on HOME that leads to a socket of this machine: a path, or a port on its own loopback."""
    server = socket.create_server((HOME, 0))

    def pump(source: socket.socket, drain: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                drain.sendall(data)
            drain.shutdown(socket.SHUT_WR)
        except OSError:
            source.close()
            drain.close()

    def serve() -> None:
        while True:
            try:
                near, _ = server.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX if isinstance(target, str) else socket.AF_INET)
            far.connect(target if isinstance(target, str) else ("127.0.0.1", target))
            for ends in ((near, far), (far, near)):
                threading.Thread(target=pump, args=ends, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        server.close()


def write_documents(folder: Path) -> Path:
    folder.mkdir()
    seeds = sorted(FIXTURES.glob("*.txt"))
    for number in range(DOCUMENTS):
        text = seeds[number % len(seeds)].read_text(encoding="utf-8")
        (folder / f"{number:03}.txt").write_text(mark(text, number, marks_tables=False), encoding="utf-8")
    return folder


def read_all(documents: Path, out: Path, settings: Settings, address: str | None) -> dict[str, bytes]:
    with (
        Store.open(settings.store) as store,
        open_plan([str(documents)], None, settings=settings, on_progress=ignore) as plan,
        ExitStack() as cleanup,
    ):
        model = ModelPart.build("auto", open_live(settings, NO_LIMIT, NO_LIMIT, lambda _: None), settings)
        if address is None:
            summary = run_documents(plan, out, settings, ignore, model=model, store=store)
        else:
            cluster = connect("dask", address, settings, store, run=NO_LIMIT, document=NO_LIMIT, asks_model=True)
            cleanup.callback(cluster.close)
            cluster.expected = plan.documents
            make_engine = cluster.make_engine
            summary = run_documents(plan, out, settings, ignore, model=model, store=store, make_engine=make_engine)
    assert (summary.failed, summary.left) == (0, 0)
    return read_outputs(out)


def test_nodes_with_nothing_but_a_network_give_the_same_outputs_when_a_cable_is_cut(
    postgres: str, tmp_path: Path
) -> None:
    documents = write_documents(tmp_path / "documents")
    home = tmp_path / "cluster"
    home.mkdir()
    # Twelve seconds of silence are the least that Dask takes.
    own = {"EXTRACTOR_PAGE_WORKERS": "1", "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "12s"}
    reader = SimulatedReader(load_truths([ROOT / "eval" / "gold"]))
    with (
        networks(NODES) as names,
        running_server(reader, None, Options(delay=0.2)) as server,
        reachable(f"{psycopg.conninfo.conninfo_to_dict(postgres)['host']}/.s.PGSQL.5432") as database,
        reachable(server.port) as model,
    ):
        addresses = [make_schema(postgres, database) for _ in range(2)]
        settings = [make_settings(address, model) for address in addresses]
        expected = read_all(documents, tmp_path / "at_home", settings[0], None)
        cluster = LocalCluster(home, own, host=HOME)
        try:
            for name in names:
                # What lies on this machine's disk is not there: an empty one stands in front of it.
                hidden = f'mount -t tmpfs tmpfs {documents}; exec "$@"'
                cluster.add_node(enter=("ip", "netns", "exec", name, "unshare", "-m", "sh", "-c", hidden, "node"))
            cutter = threading.Thread(target=cut_when, args=(server, DOCUMENTS // 3, names[0]), daemon=True)
            cutter.start()
            found = read_all(documents, tmp_path / "away", settings[1], cluster.address)
            cutter.join(10)
            assert not cutter.is_alive()
        finally:
            cluster.close()
    assert found == expected


def cut_when(server: LoopbackServer, calls: int, name: str) -> None:
    """Cut a node's cable once so many more calls have come: it lives, and nobody hears of it."""
    before, ended = len(server.chats), threading.Event()
    while len(server.chats) - before < calls:
        ended.wait(0.05)
    call("ip", "link", "set", f"{name}h", "down")


def make_schema(postgres: str, port: int) -> str:
    schema = f"t{uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f'CREATE SCHEMA "{schema}"')
    return f"postgresql://postgres@{HOME}:{port}/postgres?options=-csearch_path%3D{schema}"


def make_settings(where: str, port: int) -> Settings:
    address = f"http://{HOME}:{port}/v1"
    return Settings(model="simulated", base_url=address, store=where, journal=where, concurrency=6, page_workers=1)
