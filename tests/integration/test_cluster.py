"""One run over three machines: the same outputs as at home, whoever dies on the way, and limits that hold for all.

Nodes in processes of their own, a simulated model over HTTP, PostgreSQL for store, journal and ledger.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast
from uuid import uuid4

import psycopg
import pytest
from distributed import Client

from eval.bench.copies import FIXTURES, mark
from extractor.bulk.cluster import connect
from extractor.bulk.cluster.pool import DaskPool
from extractor.bulk.cluster.worker import work_chunk
from extractor.bulk.flow import ModelPart
from extractor.bulk.plan import open_plan
from extractor.bulk.progress import Progress
from extractor.bulk.run import RunSummary, run_documents
from extractor.errors import SettingsError
from extractor.llm.budget import Limits
from extractor.llm.session import open_live
from extractor.settings import Settings
from extractor.store.journal import Journal
from extractor.store.store import Store
from tests.bulk_runs import ignore, read_outputs
from tests.loopback.answerers import CALL_DIGITS, CALL_HEADER
from tests.loopback.labelled import load_truths
from tests.loopback.server import LoopbackServer, Options, running_server
from tests.loopback.simulated import SimulatedReader
from tests.nodes import LocalCluster, running_cluster

ROOT = Path(__file__).parents[2]
DOCUMENTS = 60
NO_LIMIT = Limits()
KEY, SALT = "a-key-that-stays-at-home", "a salt"


@pytest.fixture(scope="module")
def server() -> Iterator[LoopbackServer]:
    reader = SimulatedReader(load_truths([ROOT / "eval" / "gold"]))
    with running_server(reader, None, Options(delay=0.1, api_key=KEY)) as server:
        yield server


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """No two ask alike, and one is no document."""
    folder = tmp_path_factory.mktemp("documents")
    seeds = sorted(FIXTURES.glob("*.txt"))
    for number in range(DOCUMENTS - 1):
        text = seeds[number % len(seeds)].read_text(encoding="utf-8")
        (folder / f"{number:03}.txt").write_text(mark(text, number, marks_tables=False), encoding="utf-8")
    (folder / "empty.txt").write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """The key and the salt do not travel: every node has its own."""
    own = {"EXTRACTOR_API_KEY": KEY, "EXTRACTOR_AUDIT_SALT": SALT, "EXTRACTOR_PAGE_WORKERS": "1"}
    with running_cluster(tmp_path_factory.mktemp("cluster"), 3, own) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def new_store(postgres: str) -> Callable[[], str]:
    """Addresses of empty schemas; the server ends with the session."""

    def make() -> str:
        schema = f"t{uuid4().hex}"
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f'CREATE SCHEMA "{schema}"')
        return f"{postgres}&options=-csearch_path%3D{schema}"

    return make


def make_settings(server: LoopbackServer, where: str, **more: Any) -> Settings:
    values = {"model": "simulated", "base_url": server.base_url, "api_key": KEY, "store": where, "journal": where}
    return Settings(**{**values, "concurrency": 6, "audit_salt": SALT, "audit_share": 0.3, "page_workers": 1, **more})


def run(
    documents: Path,
    out: Path,
    settings: Settings,
    address: str | None = None,
    *,
    on_progress: Callable[[Progress], None] = ignore,
    limits: Limits = NO_LIMIT,
) -> RunSummary:
    """At home, or with the address of a scheduler."""
    with (
        Store.open(settings.store) as store,
        open_plan([str(documents)], None, settings=settings, on_progress=ignore) as plan,
    ):
        model = ModelPart.build("auto", open_live(settings, limits, NO_LIMIT, lambda _: None), settings)
        if address is None:
            return run_documents(plan, out, settings, on_progress, model=model, store=store)
        with connect("dask", address, settings, store, run=limits, document=NO_LIMIT, asks_model=True) as cluster:
            cluster.expected = plan.documents
            make_engine = cluster.make_engine
            return run_documents(plan, out, settings, on_progress, model=model, store=store, make_engine=make_engine)


@pytest.fixture(scope="module")
def at_home(
    server: LoopbackServer, documents: Path, new_store: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """The outputs of one machine."""
    out = tmp_path_factory.mktemp("home") / "out"
    summary = run(documents, out, make_settings(server, new_store()))
    assert (summary.failed, summary.left) == (1, 0)
    return read_outputs(out)


class Site(NamedTuple):
    """Where a run takes place, and what comes out of it at home."""

    cluster: LocalCluster
    server: LoopbackServer
    documents: Path
    at_home: dict[str, bytes]


@pytest.fixture(scope="module")
def site(cluster: LocalCluster, server: LoopbackServer, documents: Path, at_home: dict[str, bytes]) -> Site:
    return Site(cluster, server, documents, at_home)


def wait_for_ever(pool: DaskPool) -> None:
    while pool.wait(0.1) is None:
        pass


def list_asked(server: LoopbackServer, first: int) -> list[str]:
    return [seen.http.headers[CALL_HEADER] for seen in server.chats[first:] if seen.status == 200]


def list_kept(where: str) -> set[str]:
    with Journal.open(where) as journal, journal._database.read() as connection:
        return {key[:CALL_DIGITS] for (key,) in connection.exec_driver_sql("SELECT key FROM replies")}


def test_a_dead_worker_and_a_dead_node_lose_nothing_and_nothing_is_paid_twice(
    site: Site, new_store: Callable[[], str], tmp_path: Path
) -> None:
    cluster, server, documents, at_home = site
    where, first = new_store(), len(server.chats)
    kept: list[tuple[int, set[str]]] = []  # how many calls had come, and which replies were kept before
    deaths = [(10, cluster.nodes[0].kill_worker), (25, cluster.nodes[1].kill)]

    def die() -> None:
        for calls, death in deaths:
            while len(server.chats) - first < calls:
                ended.wait(0.02)
            death()
            replies = list_kept(where)  # first: what is asked meanwhile may be kept by the end of it
            kept.append((len(server.chats), replies))

    ended = threading.Event()
    reaper = threading.Thread(target=die, daemon=True)
    reaper.start()
    seen: list[Progress] = []
    summary = run(documents, tmp_path / "out", make_settings(server, where), cluster.address, on_progress=seen.append)
    reaper.join(10)

    assert len(kept) == len(deaths)
    assert (summary.failed, summary.left, summary.stopped_by) == (1, 0, None)
    assert read_outputs(tmp_path / "out") == at_home
    for calls, replies in kept:
        assert not replies & set(list_asked(server, calls))
    asked = Counter(list_asked(server, first))
    assert len(asked) == DOCUMENTS - 1
    # Money is told as the server saw it: also what was asked by those who died, unless it was still under way.
    spent = summary.account["model"]["spent"]["calls"]
    assert len(asked) <= spent <= asked.total()
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)
    assert seen[-1].done == DOCUMENTS


def test_a_limit_holds_for_all_machines_and_the_next_starts_go_on(
    site: Site, new_store: Callable[[], str], tmp_path: Path
) -> None:
    cluster, server, documents, at_home = site
    settings, first = make_settings(server, new_store(), requests_per_minute=6000), len(server.chats)
    out = tmp_path / "out"
    summary = run(documents, out, settings, cluster.address, limits=Limits(max_calls=20))
    assert len(server.chats) - first == 20
    assert summary.stopped_by is not None
    assert summary.stopped_by.startswith("max_calls of the run is 20: 20 used")
    assert (summary.left, summary.is_interrupted) == (DOCUMENTS - 20, False)

    def interrupt(progress: Progress) -> None:
        if progress.done > 20 and not sent:
            sent.append(progress.done)
            os.kill(os.getpid(), signal.SIGINT)

    sent: list[int] = []
    summary = run(documents, out, settings, cluster.address, on_progress=interrupt)
    assert summary.is_interrupted
    assert 0 < summary.left < DOCUMENTS - 20
    asked = len(server.chats) - first
    assert asked == DOCUMENTS - summary.left  # what was under way was finished and kept; the empty one is the last
    summary = run(documents, out, settings, cluster.address)
    assert (summary.left, summary.kept) == (0, asked)
    assert len(server.chats) - first == DOCUMENTS - 1
    assert read_outputs(out) == at_home


def test_a_worker_with_another_salt_is_refused(
    cluster: LocalCluster, server: LoopbackServer, documents: Path, new_store: Callable[[], str], tmp_path: Path
) -> None:
    settings = make_settings(server, new_store(), audit_salt="another")
    with pytest.raises(SettingsError, match="EXTRACTOR_AUDIT_SALT is not that of the driver"):
        run(documents, tmp_path / "out", settings, cluster.address)


def test_a_cluster_without_workers_and_one_without_a_scheduler_are_refused(
    server: LoopbackServer, new_store: Callable[[], str], tmp_path: Path
) -> None:
    settings = make_settings(server, new_store())
    with running_cluster(tmp_path, 0, {}) as empty, Store.open(settings.store) as store:
        reach = partial(connect, "dask", empty.address, settings, store, run=NO_LIMIT, document=NO_LIMIT)
        with pytest.raises(SettingsError, match=r"has no worker after 3 s.*dask worker tcp://"):
            reach(asks_model=True, wait_s=3)
        pool = DaskPool(empty.address, Client(empty.address, set_as_default=False))
        pool.submit(0, work_chunk, {}, b"")
        empty.kill_scheduler()
        with pytest.raises(SettingsError, match=r"the scheduler at tcp://\S+ is gone.*the same command again"):
            wait_for_ever(pool)
        pool.close()
        with pytest.raises(SettingsError, match="no scheduler answers at tcp://"):
            reach(asks_model=True, wait_s=0.5)


@pytest.mark.parametrize(
    ("engine", "store", "journal", "message"),
    [
        ("ray", "postgresql://db/s", "postgresql://db/s", "--engine ray: not known. Give one of: dask"),
        ("dask", "store.sqlite", "postgresql://db/s", r"store: \S+ is a file.*needs a postgresql:// store"),
        ("dask", "postgresql://db/s", "journal.sqlite", r"journal: \S+ is a file.*needs a postgresql:// journal"),
        ("dask", None, "postgresql://db/s", "none is named. Name a postgresql:// address with --store"),
    ],
)
def test_what_no_other_machine_can_reach_is_refused(engine: str, store: str | None, journal: str, message: str) -> None:
    class Named:
        address = store

    settings, named = Settings(model="m", journal=journal), cast("Store | None", Named() if store else None)
    with pytest.raises(SettingsError, match=message):
        connect(engine, "tcp://127.0.0.1:1", settings, named, run=NO_LIMIT, document=NO_LIMIT, asks_model=True)
