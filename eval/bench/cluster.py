"""What a cluster costs beside one machine: python eval/bench/cluster.py [--documents N] [--nodes N] [--reply-s S].

The same documents the whole way, from files to outputs, into a store on PostgreSQL: once on this machine with as many
processes as there are nodes, once over nodes in processes of their own with one process each, which share the same
cores. So the difference is what the cluster adds: handing out, travelling, a second event loop, limits in the database.
Nodes are up and warm before the clock starts, as those of a real cluster are.

Printed: seconds, the ratio, milliseconds a document; whose CPU time it is; and on paper, from these parts, where more
cores stop helping: the driver reads, packs and counts every document, the scheduler hands it on, and the store takes
every batch. Machines are noisy: compare figures of one sitting.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import psutil
import psycopg
from distributed import Client

from extractor.bulk.cluster import connect
from extractor.bulk.engine import Engine
from extractor.bulk.engines import MakeEngine, RunEngine
from extractor.bulk.flow import ModelPart
from extractor.bulk.keeping import Receipt
from extractor.bulk.plan import open_plan
from extractor.bulk.progress import Progress
from extractor.bulk.recipe import Recipe
from extractor.bulk.run import run_documents
from extractor.llm.budget import Limits
from extractor.llm.session import open_live
from extractor.settings import Settings
from extractor.store.store import Store

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # server, nodes and database stand with the tests

from eval.bench.copies import write_documents
from tests.bulk_runs import LASTING, ignore
from tests.loopback.process import ServerProcess, server_process
from tests.nodes import LocalCluster, running_cluster
from tests.postgres import running_postgres

ROOT = Path(__file__).resolve().parents[2]
NO_LIMIT = Limits()
CONCURRENCY = 64
CORES = (2, 16, 64)
DATABASE_CORES = 8


class Measured(NamedTuple):
    """One run, from the first document to the last; milliseconds a document.

    Attributes:
        took: by the clock.
        cpu: of the process that the run is in.
        filed: of the transactions in the store, as their processes saw them.
    """

    took: float
    cpu: float
    filed: float


class Site(NamedTuple):
    """Where runs take place."""

    documents: Path
    out: Path
    server: ServerProcess
    postgres: str
    postgres_pid: int

    def count(self) -> int:
        """How many documents there are."""
        return sum(1 for _ in self.documents.iterdir())

    def make_settings(self, page_workers: int, *, asks_model: bool) -> Settings:
        """Of one run, with a store of its own."""
        schema = f"b{uuid4().hex}"
        with psycopg.connect(self.postgres, autocommit=True) as connection:
            connection.execute(f'CREATE SCHEMA "{schema}"')
        where = f"{self.postgres}&options=-csearch_path%3D{schema}"
        return Settings(
            model="simulated-reader" if asks_model else None,
            base_url=self.server.base_url,
            store=where,
            journal=where,
            concurrency=CONCURRENCY,
            reply_mode="json_schema",
            page_workers=page_workers,
        )


def run(site: Site, name: str, settings: Settings, address: str | None = None) -> Measured:
    """What `extractor run` does.

    Raises:
        ValueError: a document is missing.
    """
    batches: dict[int, float] = {}  # a batch is one transaction; when it began, and its seconds
    ended: list[tuple[float, float]] = []

    def note(progress: Progress) -> None:
        if progress.stage == "read":
            ended[:] = [(time.perf_counter(), time.process_time())]

    with ExitStack() as cleanup:
        store = cleanup.enter_context(Store.open(settings.store))
        plan = cleanup.enter_context(open_plan([str(site.documents)], None, settings=settings, on_progress=ignore))
        session = open_live(settings, NO_LIMIT, NO_LIMIT, lambda _: None) if settings.model else None
        model = ModelPart.build("auto", session, settings) if session else None
        usual: MakeEngine = Engine
        if address:
            asks = model is not None
            cluster = connect("dask", address, settings, store, run=NO_LIMIT, document=NO_LIMIT, asks_model=asks)
            cleanup.callback(cluster.close)
            cluster.expected = plan.documents
            usual = cluster.make_engine

        def make_engine(
            recipe: Recipe,
            model: ModelPart | None,
            *,
            on_kept: Callable[[Sequence[Receipt]], None],
            on_tick: Callable[[], None],
        ) -> RunEngine:
            def keep(receipts: Sequence[Receipt]) -> None:
                batches.update((receipt.stages[-1].began_ns, receipt.stages[-1].seconds) for receipt in receipts)
                on_kept(receipts)

            return usual(recipe, model, on_kept=keep, on_tick=on_tick)

        began, cpu = time.perf_counter(), time.process_time()
        summary = run_documents(
            plan, site.out / name, settings, note, model=model, store=store, make_engine=make_engine
        )
        if summary.failed or summary.left:
            raise ValueError(f"{name}: {summary.failed} failed, {summary.left} left")
        took = (ended[0][0] - began, ended[0][1] - cpu, sum(batches.values()))
        return Measured(*(1000 * seconds / plan.documents for seconds in took))


@contextmanager
def counting_cpu(**pids: int) -> Iterator[dict[str, float]]:
    """CPU seconds inside, of processes and all that they start, by the names that they are given under."""

    def look() -> dict[str, float]:
        return {name: sum(map(cpu_of, [psutil.Process(pid), *list_children(pid)])) for name, pid in pids.items()}

    before, used = look(), dict[str, float]()
    yield used
    used |= {name: seconds - before[name] for name, seconds in look().items()}


def list_children(pid: int) -> list[psutil.Process]:
    """Of a process, and theirs."""
    return psutil.Process(pid).children(recursive=True)


def cpu_of(process: psutil.Process) -> float:
    """Seconds of user and system time."""
    times = process.cpu_times()  # of children that ended, too
    return times.user + times.system + times.children_user + times.children_system


def warm(site: Site, processes: int, cluster: LocalCluster | None = None) -> None:
    """Have every process load what it needs, as those have that stay up."""
    while cluster and len(list_workers(cluster)) < len(cluster.nodes):
        time.sleep(0.1)
    few = site._replace(documents=site.documents.with_name("few"))
    run(few, "warm", few.make_settings(processes, asks_model=True), cluster.address if cluster else None)


def list_workers(cluster: LocalCluster) -> list[str]:
    """Those that have joined."""
    with Client(cluster.address, set_as_default=False) as client:
        return list(client.scheduler_info(n_workers=-1)["workers"])


def print_way(name: str, measured: Measured, home: Measured) -> None:
    """One line of the table."""
    took, cpu, filed = measured
    print(f"{name:28} {took:8.2f} {1000 / took:9.1f} {took / home.took:7.3f} {cpu:8.2f} {filed:8.2f}")


def print_paper(per_core: float, driver: float, scheduler: float, database: float) -> None:
    """Documents a second with more cores, and what bounds them. Arguments: milliseconds of one core a document."""
    # A database server has cores of its own; filing goes side by side but for a batch's last statements.
    cores = {"driver": 1, "scheduler": 1, "database": DATABASE_CORES}
    costs = {"driver": driver, "scheduler": max(scheduler, 0.001), "database": max(database, 0.001)}
    bounds = {name: 1000 * cores[name] / cost for name, cost in costs.items()}
    told = ", ".join(f"{name} {rate:,.0f}" for name, rate in bounds.items())
    print(f"\non paper, documents/s; a database with {DATABASE_CORES} cores; bounds: {told}")
    for count in CORES:
        found = {"cores": count * 1000 / per_core} | bounds
        who = min(found, key=lambda name: found[name])
        print(f"  {count:3} cores {found[who]:8,.0f}  bounded by {who}; the cores alone would do {found['cores']:,.0f}")


def measure(site: Site, nodes: int, *, asks_model: bool) -> None:
    """All ways, with a model or by the rules alone."""
    warm(site, 1)
    one = run(site, "one", site.make_settings(1, asks_model=asks_model))
    warm(site, nodes)
    with counting_cpu(database=site.postgres_pid) as used_at_home:
        home = run(site, "home", site.make_settings(nodes, asks_model=asks_model))
    with (
        tempfile.TemporaryDirectory() as folder,
        running_cluster(Path(folder), 0, {"EXTRACTOR_PAGE_WORKERS": "1"}) as up,
    ):
        for _ in range(nodes):
            up.add_node(threads=2)
        warm(site, 1, up)
        with counting_cpu(scheduler=up.scheduler_pid) as used:
            away = run(site, "cluster", site.make_settings(1, asks_model=asks_model), up.address)
    one_place, other = site.out / "home", site.out / "cluster"
    differing = [name for name in LASTING if (one_place / name).read_bytes() != (other / name).read_bytes()]
    scheduler = 1000 * used["scheduler"] / site.count()
    database = 1000 * used_at_home["database"] / site.count()
    print(f"\n{'with a model' if asks_model else 'rules alone'}; outputs that differ: {differing or 'none'}")
    print(f"{'':28} {'ms/doc':>8} {'docs/s':>9} {'ratio':>7} {'cpu here':>8} {'filing':>8}")
    print_way("one process", one, home)
    print_way(f"{nodes} processes", home, home)
    print_way(f"cluster, {nodes} nodes", away, home)
    print(f"the cluster adds {away.took - home.took:.2f} ms a document")
    print(f"CPU ms a document: scheduler {scheduler:.2f} (its heartbeats inside), database {database:.2f}")
    print_paper(one.took, away.cpu, scheduler, database)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=500)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--reply-s", type=float, default=0.5)
    arguments = parser.parse_args()
    machine = f"{platform.machine()}, Python {platform.python_version()}, {os.cpu_count()} cores"
    print(f"{machine}; {arguments.documents} documents, replies after {arguments.reply_s:g} s, {CONCURRENCY} at once")
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)  # PostgreSQL is another user
        documents = write_documents(folder / "many", arguments.documents, marks_tables=False)
        write_documents(folder / "few", 5 * arguments.nodes, marks_tables=False)
        options = ("--simulate", str(ROOT / "eval" / "gold"), "--delay", str(arguments.reply_s))
        server = cleanup.enter_context(server_process(*options))
        postgres = cleanup.enter_context(running_postgres(folder / "postgres"))
        pid = int((folder / "postgres" / "postmaster.pid").read_text().partition("\n")[0])
        site = Site(documents, folder / "out", server, postgres, pid)
        for asks_model in (False, True):
            measure(site, arguments.nodes, asks_model=asks_model)
        print(f"\nload average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
