"""A long run killed with -9 a hundred times: python eval/bench/kills.py [--documents N] [--kills N] [--in sqlite …].

The documents are the fixtures, each copy with words of its own, so that no two ask alike; the server answers as a model
that reads without a mistake. A run that nobody disturbs is compared with one that is killed at moments drawn from a
seed: most of them spread over the calls, a tenth at any time of a start, a tenth while the outputs are written. Every
other time the worker processes die as well. Printed are the requests: those that were under way at a kill are the only
ones that may be sent again. Exits with 1 when anything was lost, doubled, paid twice or left different.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from uuid import uuid4

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # what kills stands with the tests

from tests.kill_faults import list_faults
from tests.kills import Endured, Moment, Reference, Site, draw_moments, endure, open_site, run_undisturbed
from tests.postgres import running_postgres

#: `folder`: the ledger beside the outputs and a journal file, no store.
Kept = Literal["folder", "sqlite", "postgresql"]


@contextmanager
def make_store(kept: Kept, folder: Path) -> Iterator[str | None]:
    """The address of an empty store, None for a run without."""
    if kept == "postgresql":
        with running_postgres(folder / "postgres") as address:
            yield address
    else:
        yield str(folder / "store.sqlite") if kept == "sqlite" else None


def tell(kept: Kept, endured: Endured, faults: Sequence[str]) -> Table:
    """One killed run."""
    table = Table(title=f"kept in: {kept}", show_header=False, title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    rows = {
        "kills": endured.kills,
        "starts": endured.starts,
        "requests sent": endured.sent,
        "unique": len(endured.unique),
        "under way at kills": endured.lost,
        "sent again": endured.repeated,
        "sent again though in the journal": len(endured.paid_twice),
        "seconds": round(endured.seconds),
        "faults": len(faults),
    }
    for name, value in rows.items():
        table.add_row(name, f"{value:,}")
    return table


def kill(kept: Kept, site: Site, reference: Reference, moments: Sequence[Moment]) -> tuple[Endured, list[str]]:
    """Kill a run at these moments; what became of it, and what it changed."""
    folder = site.documents.parent / uuid4().hex
    folder.mkdir()
    with make_store(kept, folder) as store:
        endured = endure(site, folder / "out", store, moments)
        return endured, list(list_faults(site, reference, endured, folder / "out", store))


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--delay", type=float, default=0.1, help="seconds before a reply")
    parser.add_argument("--readers", default="auto")
    parser.add_argument("--in", dest="kept", nargs="+", default=["sqlite", "postgresql"], metavar="folder|sqlite|…")
    given = parser.parse_args()
    console = Console()
    console.print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    how = {"delay_s": given.delay, "concurrency": given.concurrency, "readers": given.readers}
    with (
        tempfile.TemporaryDirectory(prefix="kills-") as folder,
        open_site(Path(folder), given.documents, **how) as site,
    ):
        reference = run_undisturbed(site, Path(folder) / "undisturbed" / "out")
        calls = f"{len(reference.calls):,} calls"
        console.print(f"undisturbed: {given.documents:,} documents, {calls}, {reference.seconds:.0f} s")
        moments = draw_moments(random.Random(given.seed), given.kills, reference)
        has_faults = False
        for kept in given.kept:
            endured, faults = kill(kept, site, reference, moments)
            console.print(tell(kept, endured, faults), *faults, sep="\n")
            has_faults |= bool(faults)
    sys.exit(has_faults)


if __name__ == "__main__":
    main()
