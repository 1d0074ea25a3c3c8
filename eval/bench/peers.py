"""This program beside others, on the same documents and the same server: python eval/bench/peers.py [--quick].

Peers: a plain instructor call with a named field for every value, LangExtract, MarkItDown and Docling as readers in
front of such a call, and tables by pandas, MarkItDown, Docling and regular expressions without any model. They are
installed apart (--python, or EXTRACTOR_PEERS_PYTHON; eval/bench/README.md says how); one that is not there is printed
as such. The model is simulated, the same for all; what that can and cannot show is printed below the tables.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import track

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the server stands with the tests

from eval.bench.peers_documents import FOLDERS, ROOT, Case, load_cases
from eval.bench.peers_misreading import LEVELS, NO_LEVEL, form_beliefs
from eval.bench.peers_run import PROGRAMS, Bench, Program, Run
from eval.bench.peers_table import NOTES, Key, as_json, list_errors, print_kind

DEFAULT_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
SLOW_S = 1.0


def main() -> int:
    """Measure and print."""
    arguments = read_arguments()
    console = Console(width=None if sys.stdout.isatty() else 170)
    programs = [program for program in choose_programs(arguments.programs) if program.is_quick or not arguments.quick]
    kinds = [kind for kind in arguments.kinds if FOLDERS[kind].is_dir()]
    cases = {kind: load_cases([kind]) for kind in kinds}
    python = arguments.python if arguments.python.is_file() else None
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder), kinds, arguments.seed) as (base_url, log):
        bench = Bench(base_url, log, python, Path(folder), arguments.concurrency)
        versions = bench.find_versions()
        runs: dict[Key, Run] = {}

        def run(step: Step) -> None:
            for kind, found in bench.run(step.program, cases, step.level, step.delay).items():
                runs[Key(step.program.name, kind, step.level, step.delay)] = found
            if arguments.json:  # what is measured is kept, should a later program break off
                arguments.json.write_text(json.dumps({"versions": versions, "runs": as_json(dict(runs))}))

        present = [program for program in programs if all(versions[name] for name in program.needs)]
        for step in track(list(plan_timed(present, quick=arguments.quick)), console=Console(stderr=True)):
            run(step)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            others = list(plan_others(present))
            list(track(pool.map(run, others), total=len(others), console=Console(stderr=True)))
    for kind in kinds:
        print_kind(console, kind, programs, runs)
    print_around(console, cases, versions, runs, arguments.seed)
    return 0


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fixtures alone, no slow replies, fewer programs")
    parser.add_argument("--kinds", nargs="+", choices=list(FOLDERS))
    parser.add_argument(
        "--programs", nargs="+", metavar="WORD", default=[""], help="those with such a word in the name"
    )
    parser.add_argument("--python", type=Path, default=Path(os.environ.get("EXTRACTOR_PEERS_PYTHON", DEFAULT_PYTHON)))
    parser.add_argument("--concurrency", type=int, default=8, help="calls at once, of every program")
    parser.add_argument("--seed", type=int, default=1, help="of the model's mistakes")
    parser.add_argument("--json", type=Path, help="where all figures go, after every run")
    arguments = parser.parse_args()
    arguments.kinds = arguments.kinds or (["fixtures"] if arguments.quick else list(FOLDERS))
    return arguments


def choose_programs(words: Sequence[str]) -> list[Program]:
    """The programs whose name holds one of these words."""
    return [program for program in PROGRAMS if any(word in program.name for word in words)]


class Step(NamedTuple):
    """One start of a program."""

    program: Program
    level: str = NO_LEVEL
    delay: float = 0.0


def plan_timed(programs: Sequence[Program], *, quick: bool) -> Iterator[Step]:
    """What is timed, one after the other: a model without mistakes, that answers at once and after a second."""
    for program in programs:
        yield Step(program)
        if program.levels and program.is_quick and not quick:
            yield Step(program, delay=SLOW_S)


def plan_others(programs: Sequence[Program]) -> Iterator[Step]:
    """A model with mistakes: nothing is timed, so these may run side by side."""
    return (Step(program, level) for program in programs for level in program.levels[1:])


@contextmanager
def serve(folder: Path, kinds: Sequence[str], seed: int) -> Iterator[tuple[str, Path]]:
    """The server in its own process: its address, and its log."""
    log = folder / "calls.jsonl"
    log.touch()
    command = [
        sys.executable,
        "-m",
        "eval.bench.peers_server",
        "--log",
        str(log),
        "--seed",
        str(seed),
        "--kinds",
        *kinds,
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        if not port:
            raise RuntimeError(f"the server did not start: {' '.join(command)}")
        yield f"http://127.0.0.1:{port}/v1", log
    finally:
        process.terminate()
        process.wait(10)


def print_around(
    console: Console,
    cases: Mapping[str, Sequence[Case]],
    versions: dict[str, str | None],
    runs: dict[Key, Run],
    seed: int,
) -> None:
    """What is not in the tables: mistakes that were made, what could not be read, versions, machine, limits."""
    every = [case for some in cases.values() for case in some]
    for level in LEVELS.values():
        beliefs = form_beliefs(every, level, seed).values()
        spoiled, guessed = sum(len(belief.spoiled) for belief in beliefs), sum(belief.guessed for belief in beliefs)
        values = sum(len(case.truth.cells) for case in every)
        console.print(f"level {level.name}: {spoiled} of {values:,} values misread, {guessed} rows placed by guessing")
    for error in list_errors(runs):
        console.print(f"not read: {error}", markup=False, soft_wrap=True)
    installed = ", ".join(f"{name} {text or 'not installed'}" for name, text in versions.items())
    console.print(f"\n{installed}\n{NOTES}", soft_wrap=True)
    load = os.getloadavg()[0]
    console.print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {load:.1f}")


if __name__ == "__main__":
    raise SystemExit(main())
