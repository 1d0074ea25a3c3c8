"""Documents a second and a core, by kind, with one worker and with two: python eval/bench/kinds.py [--documents N].

The whole way of `extractor run`, from files to outputs, by the rules alone, in which worker processes that are already
there do the computing. Kinds are those that sites publish; born-digital PDFs and scans are drawn for the purpose
(synthetic: see eval/scans). Copies differ in bytes behind the document's end, so that no two are one document. Printed:
documents a second with one worker and with two, their ratio (the ideal is 2 on two idle cores, less what the main
process takes of them), and documents a second for each core that was busy.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from eval.scans.generate import make_scan  # noqa: E402
from extractor.bulk.plan import open_plan  # noqa: E402
from extractor.bulk.remaining import Resume  # noqa: E402
from extractor.bulk.run import run_documents  # noqa: E402
from extractor.settings import Settings  # noqa: E402

GOLD = ROOT / "eval" / "gold" / "re-set" / "docs"
WORKERS = (1, 2)
#: How many times fewer documents of a kind are read: a scan takes seconds.
SLOWER = {"pdf": 8, "docx": 4, "scan": 50}


class Timed(NamedTuple):
    """One run: seconds, and processor seconds of all processes together."""

    documents: int
    seconds: float
    cpu: float


def collect_kinds(folder: Path) -> Iterator[tuple[str, list[bytes], str]]:
    """Kind, a few documents of it, and their suffix. A kind that cannot be made here is left out, and said so."""
    yield "text", [path.read_bytes() for path in sorted((ROOT / "fixtures").glob("*.txt"))], ".txt"
    pages = sorted(GOLD.glob("*.html"))
    yield "html", [path.read_bytes() for path in pages], ".html"
    yield "markdown", [path.read_bytes() for path in sorted(GOLD.glob("*.md"))], ".md"
    if soffice := shutil.which("soffice"):
        yield "docx", list(convert(soffice, pages[:2], folder / "made")), ".docx"
    else:
        print("docx: not measured, LibreOffice is not there to make one", file=sys.stderr)
    yield "pdf", [make_scan("clean", number).raw for number in range(2)], ".pdf"
    yield "scan", [make_scan("mild", number).raw for number in range(2)], ".pdf"


def convert(soffice: str, pages: list[Path], out: Path) -> Iterator[bytes]:
    """Web pages as Word files."""
    for page in pages:
        wanted = ["--convert-to", "docx:MS Word 2007 XML", "--outdir", str(out)]
        command = [soffice, f"-env:UserInstallation=file://{out}/profile", "--headless", *wanted, str(page)]
        subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603
        yield (out / page.with_suffix(".docx").name).read_bytes()


def write_copies(folder: Path, bases: list[bytes], suffix: str, number: int) -> None:
    """Copies with other bytes behind the end."""
    folder.mkdir()
    for index in range(number):
        mark = f"\n<!-- {index} -->\n" if suffix in (".txt", ".html", ".md") else f"\n%{index}\n"
        (folder / f"{index:05}{suffix}").write_bytes(bases[index % len(bases)] + mark.encode())


def measure(documents: Path, out: Path, settings: Settings) -> Timed:
    """One run with workers that are there already."""
    before, started = read_cpu(), time.perf_counter()
    with open_plan([str(documents)], None, settings=settings, on_progress=lambda _: None) as plan:
        summary = run_documents(plan, out, settings, lambda _: None, resume=Resume(is_fresh=True))
    seconds, cpu = time.perf_counter() - started, read_cpu() - before
    if summary.failed or summary.left:
        raise ValueError(f"{documents}: {summary.failed} failed, such as {summary.account['errors'][:1]}")
    return Timed(summary.account["documents"], seconds, cpu)


def read_cpu() -> float:
    """Processor seconds of this process and its children, as far as they have them now."""
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0.0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() or path.parent.name == str(os.getpid()):
            total += (int(fields[11]) + int(fields[12])) / ticks
    return total


def print_all(found: Mapping[str, list[Timed]]) -> None:
    """The table."""
    table = Table(
        "kind", "documents", *(f"/s, {n} worker{'s' * (n > 1)}" for n in WORKERS), "ratio", "/s/core", box=None
    )
    for kind, runs in found.items():
        speeds = [run.documents / run.seconds for run in runs]
        table.add_row(
            kind,
            str(runs[0].documents),
            *(f"{speed:.2f}" for speed in speeds),
            f"{speeds[-1] / speeds[0]:.2f}",
            f"{runs[-1].documents / runs[-1].cpu:.2f}",
        )
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=400, help="of text; fewer of slower kinds")
    number = parser.parse_args().documents
    found: dict[str, list[Timed]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for kind, bases, suffix in collect_kinds(folder):
            count = max(4, number // SLOWER.get(kind, 1))
            write_copies(folder / kind, bases, suffix, count)
            write_copies(folder / f"{kind}-first", bases, suffix, 4)
            for workers in WORKERS:
                settings = Settings(page_workers=workers)
                measure(folder / f"{kind}-first", folder / f"out-{kind}-first", settings)
                found.setdefault(kind, []).append(measure(folder / kind, folder / f"out-{kind}", settings))
    print_all(found)


if __name__ == "__main__":
    main()
