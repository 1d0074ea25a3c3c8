"""How `extractor compare` behaves where the truth is known: python eval/bench/compare.py [--runs 300].

Two questions. How often does it call one of two runs of the SAME version better or worse, which is a false alarm? And
how often does it notice that a version accepts one wrong value more in every hundred documents? Documents are drawn
with replacement from a pool that the real pipeline read; between two runs some fare otherwise by chance, as with a
model whose replies vary. See compare_noise.py. What the figures mean: eval/bench/README.md.

Exits with 1 when a planted value is not listed, or when false alarms are certainly more than one in a hundred.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the forms that are filled stand with the tests

from eval.bench.compare_noise import Noise, Pooled, build_pool, draw_sample, plant_errors, run_version, wrap
from extractor.evaluation.compare import LEVEL, Comparison, compare_evaluations
from extractor.evaluation.intervals import bound_documents

CALM = Noise()
RESTLESS = Noise(rows=0.2, whole=0.01)
NOISES = {
    "2 % of documents vary": Noise(rows=0.02),
    "20 % vary, 1 % fail": RESTLESS,
    "the same, and 1 % slip": Noise(rows=0.2, whole=0.01, slips=0.01),
}
POWER_NOISES = {"nothing": CALM, "20 % vary, 1 % fail": RESTLESS}
SIZES = (100, 200, 500, 1000, 2000)
ALARM_SIZE = 200
MOST_ALARMS = 0.01
POOL = 306  # each layout and generation about equally often


def draw_alarm(rng: Random, pool: Sequence[Pooled], noise: Noise) -> Comparison:
    """Two runs of one version over the same documents."""
    sample = draw_sample(rng, pool, ALARM_SIZE)
    return compare_evaluations(*(wrap(run_version(rng, sample, noise)) for _ in "AB"), seed=rng.getrandbits(32))


def is_alarm(comparison: Comparison) -> bool:
    """Whether any question is answered with better or worse."""
    return any(answer.verdict in ("better", "worse") for kind in comparison.kinds for answer in kind.answers)


def measure_alarms(pool: Sequence[Pooled], runs: int, progress: Console) -> tuple[Table, bool]:
    """False alarms by kind of noise, and whether they may be within the promise."""
    table = new_table(f"Unchanged code, {ALARM_SIZE} documents, {runs} runs for each line")
    for name in ("between two runs", "false alarms", "95 % interval", "list new accepted wrong values"):
        table.add_column(name, justify="left" if name == "between two runs" else "right")
    is_kept = True
    for name, noise in NOISES.items():
        alarms = listed = 0
        for run in track(range(runs), name, console=progress, transient=True):
            comparison = draw_alarm(Random(f"alarm/{name}/{run}"), pool, noise)
            alarms += is_alarm(comparison)
            listed += bool(comparison.new_accepted_wrong)
        low, high = bound_documents(alarms, runs)
        is_kept &= low <= MOST_ALARMS
        table.add_row(name, f"{alarms} of {runs}", f"{low:.1%} - {high:.1%}", f"{listed} of {runs}")
    return table, is_kept


def measure_power(pool: Sequence[Pooled], runs: int, progress: Console) -> tuple[Table, bool]:
    """Planted errors that are listed, and that are called significant, by number of documents."""
    table = new_table(f"B accepts one wrong value more in every 100 documents, {runs} runs for each line")
    table.add_column("varies besides")
    for name in ("documents", "planted", "list all of them", "worse by the test", "95 % interval"):
        table.add_column(name, justify="right")
    is_kept = True
    for name, noise in POWER_NOISES.items():
        for size in SIZES:
            listed = significant = 0
            for run in track(range(runs), f"{size} documents", console=progress, transient=True):
                rng = Random(f"power/{name}/{size}/{run}")
                sample = draw_sample(rng, pool, size)
                before, after = (run_version(rng, sample, noise) for _ in "AB")
                after, planted = plant_errors(rng, sample, after)
                comparison = compare_evaluations(wrap(before), wrap(after), seed=rng.getrandbits(32))
                listed += planted <= {(one.document, one.field) for one in comparison.new_accepted_wrong}
                significant += calls_worse(comparison)
            is_kept &= listed == runs
            low, high = bound_documents(significant, runs)
            shown = (f"{listed} of {runs}", f"{significant} of {runs}", f"{low:.1%} - {high:.1%}")
            table.add_row(name, f"{size:,}", str(size // 100), *shown)
        table.add_section()
    return table, is_kept


def calls_worse(comparison: Comparison) -> bool:
    """Whether the test finds that more wrong values are accepted."""
    answers = [answer for kind in comparison.kinds for answer in kind.answers]
    return any(answer.question == "accepted_wrong" and answer.verdict == "worse" for answer in answers)


def new_table(title: str) -> Table:
    """A table without borders."""
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)


def main() -> int:
    """Measure, print; 1 when a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=300, help="comparisons for each line")
    runs = parser.parse_args().runs
    progress, console = Console(stderr=True), Console(width=110, highlight=False)
    pool = build_pool(POOL)
    console.print(f"Pool: {len(pool)} generated documents, read by the rules. Level: {LEVEL:.1%} over all questions.")
    is_kept = True
    for measure in (measure_alarms, measure_power):
        table, is_fine = measure(pool, runs, progress)
        console.print(table)
        is_kept &= is_fine
    most = bound_documents(0, runs)[1]
    console.print(
        f"No alarm in {runs} runs shows only that false alarms are at most {most:.1%} (95 %, Clopper-Pearson)."
    )
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
