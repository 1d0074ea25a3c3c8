"""Whether a run of a hundred thousand documents is only longer: python eval/bench/scaling.py [--sizes N ...].

`extractor run` as an operator types it, by the rules alone, over copies of the fixtures (each with words of its own, so
that no two are one document), with the outputs written at the end. Memory is what the whole family of processes has of
its own (proportional set size), looked at twice a second. Seconds are of the whole command, without what a start costs
(a run of one document); processor seconds are of all its processes, and say the same on a machine with other work.
Printed are the ratios to the smallest size. Exits with 1 when memory grows by more than a fifth, or processor time a
document by more than a tenth.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from eval.bench.copies import FIXTURES, mark  # noqa: E402

MOST_MEMORY, MOST_TIME = 1.2, 1.1
_LOOK_S = 0.5
_FOLDER = 1000  # files in one folder


class Scaled(NamedTuple):
    """One run. `cpu`: processor seconds of all processes. Megabytes; `main` of the first process alone."""

    documents: int
    seconds: float
    cpu: float
    family_mb: float
    main_mb: float
    out_mb: float

    def ms(self, start: Scaled) -> float:
        """Milliseconds a document, without what a start costs."""
        return 1000 * (self.seconds - start.seconds) / self.documents

    def cpu_ms(self, start: Scaled) -> float:
        """The same of processor time."""
        return 1000 * (self.cpu - start.cpu) / self.documents


def write_copies(folder: Path, number: int) -> None:
    """Documents in folders of a thousand."""
    seeds = [path.read_text(encoding="utf-8") for path in sorted(FIXTURES.glob("*.txt"))]
    for index in range(number):
        place = folder / f"{index // _FOLDER:04}"
        place.mkdir(parents=True, exist_ok=True)
        text = mark(seeds[index % len(seeds)], index, marks_tables=False)
        (place / f"{index:06}.txt").write_text(text, encoding="utf-8")


def run(documents: Path, out: Path, count: int) -> Scaled:
    """Run, and watch its memory.

    Raises:
        ValueError: not every document was written.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EXTRACTOR_")}
    command = [sys.executable, "-m", "extractor", "run", str(documents), "--out", str(out)]
    started, family, main = time.perf_counter(), 0.0, 0.0
    with (out.parent / "said.txt").open("w", encoding="utf-8") as said:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=said, stderr=said)  # noqa: S603
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            sizes = {pid: read_pss(pid) for pid in list_family(process.pid)}
            family, main = max(family, sum(sizes.values())), max(main, sizes.get(process.pid, 0.0))
            time.sleep(_LOOK_S)
    seconds = time.perf_counter() - started
    _, status, used = ended
    process.returncode = os.waitstatus_to_exitcode(status)  # Popen was not asked
    with (out / "records.jsonl").open("rb") as lines:
        written = sum(1 for _ in lines)
    if process.returncode or written != count:
        raise ValueError(f"{written} of {count} documents, exit code {process.returncode}: see {out.parent}/said.txt")
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 1e6
    return Scaled(count, seconds, used.ru_utime + used.ru_stime, family, main, size)


def list_family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for one in found:
        try:
            children = Path(f"/proc/{one}/task").glob("*/children")
            found += [int(child) for path in children for child in path.read_text(encoding="ascii").split()]
        except OSError:
            continue  # it has ended
    return found


def read_pss(pid: int) -> float:
    """Megabytes of a process, pages that it shares counted in part."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1000
    except OSError:
        pass
    return 0.0


def print_all(runs: Sequence[Scaled], start: Scaled) -> bool:
    """The table. Whether the targets are met."""
    first = runs[0]
    table = Table(
        "documents", "s", "ms/document", "ratio", "peak MB", "ratio", "of it the main process", "out MB", box=None
    )
    for one in runs:
        table.add_row(
            f"{one.documents:,}",
            f"{one.seconds:.1f}",
            f"{one.ms(start):.2f}",
            f"{one.ms(start) / first.ms(start):.3f}",
            f"{one.cpu_ms(start):.2f}",
            f"{one.cpu_ms(start) / first.cpu_ms(start):.3f}",
            f"{one.family_mb:.0f}",
            f"{one.family_mb / first.family_mb:.3f}",
            f"{one.main_mb:.0f}",
            f"{one.out_mb:.0f}",
        )
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    print(f"a start: {start.seconds:.1f} s, {start.cpu:.1f} s of CPU")
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    last = runs[-1]
    return last.family_mb <= MOST_MEMORY * first.family_mb and last.cpu_ms(start) <= MOST_TIME * first.cpu_ms(start)


def main() -> int:
    """Measure and print; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    sizes = parser.parse_args().sizes
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        runs = []
        write_copies(folder / "one", 1)
        start = run(folder / "one", folder / "out-one", 1)
        for size in sizes:
            write_copies(folder / f"{size}", size)
            runs.append(run(folder / f"{size}", folder / f"out-{size}", size))
            print(f"{size:,} documents: {runs[-1].seconds:.1f} s", file=sys.stderr)
        return 0 if print_all(runs, start) else 1


if __name__ == "__main__":
    sys.exit(main())
