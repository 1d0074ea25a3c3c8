"""Documents per second, the whole way, on one core: python eval/bench/throughput.py [--documents N] [--profile].

The seeds, each made distinct by a comment, are read from disk, processed and written to all outputs as `extractor
The seeds, each made distinct by a comment, are read from disk, processed and written to all outputs as `extractor
run` does it, its worker and its main process on the same core. Printed: documents per second, milliseconds by stage,
and the ratio to the least that any program must
do for the same result: read and hash the file, and serialise the finished record. Machines are noisy: compare
figures of one run only.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from extractor.bulk.plan import open_plan
from extractor.bulk.remaining import Resume
from extractor.bulk.run import run_documents
from extractor.chunks import split_chunks
from extractor.export import OutputWriter
from extractor.pipeline import process_document
from extractor.readers.template import TemplateReader
from extractor.settings import Settings
from extractor.sources import load_document

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
REPEATS = 5


def make_inputs(folder: Path, count: int) -> list[Path]:
    """Copies of the seeds with different hashes."""
    seeds = sorted(FIXTURES.glob("*.txt"))
    paths = []
    for number in range(count):
        path = folder / f"{number:06}.txt"
        path.write_bytes(seeds[number % len(seeds)].read_bytes() + f"\n<!-- {number} -->\n".encode())
        paths.append(path)
    return paths


def best_of(run: Callable[[], object], count: int) -> float:
    """Milliseconds a document, the best of several passes."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times) / count * 1000


def measure_stages(paths: list[Path], folder: Path) -> dict[str, float]:
    """Milliseconds a document of every stage by itself."""
    settings = Settings()
    documents = [load_document(path, settings) for path in paths]
    chunks = [split_chunks(document) for document in documents]
    records = [process_document(document) for document in documents]

    def write() -> None:
        with OutputWriter(folder / "stage") as writer:
            for record in records:
                writer.write(record)
            writer.publish({})

    count = len(paths)
    return {
        "load (read, decode, split)": best_of(lambda: [load_document(path, settings) for path in paths], count),
        "chunks": best_of(lambda: [split_chunks(document) for document in documents], count),
        "template reader": best_of(
            lambda: [TemplateReader().read(d, c) for d, c in zip(documents, chunks, strict=True)], count
        ),
        "process_document (chunks to record)": best_of(lambda: [process_document(d) for d in documents], count),
        "write all outputs": best_of(write, count),
        "floor: read, hash, serialise": best_of(
            lambda: [
                (hashlib.sha256(path.read_bytes()).digest(), record.model_dump_json())
                for path, record in zip(paths, records, strict=True)
            ],
            count,
        ),
    }


def run(folder: Path) -> None:
    """The whole way, every document made again."""
    settings = Settings()
    with open_plan([str(folder / "in")], None, settings=settings, on_progress=lambda _: None) as plan:
        run_documents(plan, folder / "out", settings, lambda _: None, resume=Resume(is_fresh=True))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=500)
    parser.add_argument(
        "--profile", action="store_true", help="where the time of the main process goes, by pyinstrument"
    )
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "in").mkdir()
        paths = make_inputs(folder / "in", arguments.documents)
        whole = best_of(lambda: run(folder), len(paths))
        stages = measure_stages(paths[:100], folder)
        print(f"{platform.machine()}, Python {platform.python_version()}, one core, {len(paths)} documents")
        print(f"whole way: {1000 / whole:.0f} documents/s ({whole:.2f} ms each)")
        for name, milliseconds in stages.items():
            print(f"  {milliseconds:6.2f} ms  {name}")
        print(f"ratio to the floor: {whole / stages['floor: read, hash, serialise']:.1f}")
        if arguments.profile:
            print_profile(lambda: run(folder))


def print_profile(work: Callable[[], object]) -> None:
    """Where the time goes."""
    from pyinstrument import Profiler  # noqa: PLC0415 - only wanted with --profile

    with Profiler(interval=0.0005) as profiler:
        work()
    print(profiler.output_text(unicode=True, show_all=False))


if __name__ == "__main__":
    main()
