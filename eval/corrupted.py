"""What damage does to the reading: python -m eval.corrupted [--count N] [--mixes N] [--kinds a,b+c] [--severities 1,2].

Reports with exact truth are damaged in known ways (eval/corruption; docs/corruption.md), read by the rules alone, and
judged cell by cell. Every accepted value that is not what the label says is listed, with the name of its document,
from which it can be made again: --write FOLDER --kinds KIND --severities S --seed NUMBER --count 1.

Exits with 1 when a document crashes the program, or when a value is accepted wrong that eval/corruption/explained.toml
does not explain. Nothing here says how often real files are damaged so: the kinds are counted apart, and never
together with real documents.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import groupby
from pathlib import Path
from random import Random

from rich.console import Console
from rich.progress import track
from rich.table import Table

from eval.corruption import KINDS, SEVERITIES, Corrupted, draw_mix, make_corrupted, write_folder
from eval.corruption.clean import CORPUS, GOLD, Figures, load_figures
from eval.corruption.explained import Explanation, explain, load_explanations
from eval.corruption.measure import AcceptedWrong, Job, Tally, measure_job

_PER_JOB = 25
_MIX, _CLEAN = "mix", "clean"
#: What is counted together: kinds of damage, and severity.
Row = tuple[str, int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, or write a folder; see the module's docstring for the exit code."""
    options = read_options(arguments)
    known = load_figures([GOLD, *([CORPUS] if options.corpus else [])])
    jobs = list(plan_jobs(options))
    if options.write:
        written = write_folder(
            options.write,
            (
                document
                for job in jobs
                for document in make_corrupted(job.kinds, job.severity, len(job.numbers), job.numbers.start, known)
            ),
        )
        print(f"{written} documents and labels in {options.write}")
        return 0
    explanations = load_explanations()  # a slip in the file is told before the work, not after it
    return report(measure_jobs(jobs, known, options.workers), known, explanations, options)


def report(
    rows: Mapping[Row, Tally],
    known: Sequence[Figures],
    explanations: Sequence[Explanation],
    options: argparse.Namespace,
) -> int:
    """Print what was measured, write the files that were asked for, and say how to exit."""
    console = Console(width=None if sys.stdout.isatty() else 170)
    console.print(_show_table(rows))
    unexplained = _show_wrong(console, rows, explanations)
    crashes = [crash for tally in rows.values() for crash in tally.crashes]
    for crash in crashes:
        console.print(f"crash: {crash}", markup=False)
    if options.json:
        options.json.write_text(_dump(rows, explanations), encoding="utf-8")
    if options.keep:
        _keep_wrong(options.keep, rows, known)
    return 1 if unexplained or crashes else 0


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", default=",".join(KINDS), help="kinds, or mixes of them such as slash+cut_off")
    parser.add_argument("--severities", default=",".join(map(str, SEVERITIES)))
    parser.add_argument("--count", type=int, default=10, help="documents for each kind and severity")
    parser.add_argument("--mixes", type=int, default=0, help="mixes drawn for each severity; a document each")
    parser.add_argument("--clean", type=int, default=0, help="undamaged documents")
    parser.add_argument("--seed", type=int, default=0, help="number of the first document")
    parser.add_argument("--corpus", action="store_true", help="take figures of the reports beside the checkout, too")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, help="write counts and accepted wrong values to this file")
    parser.add_argument("--keep", type=Path, help="write documents with accepted wrong values to this folder")
    parser.add_argument("--write", type=Path, help="measure nothing: write documents and labels to this folder")
    return parser.parse_args(arguments)


# ---------------------------------------------------------------- what is measured


def plan_jobs(options: argparse.Namespace) -> Iterator[Job]:
    """The documents in small portions."""
    severities = [int(severity) for severity in options.severities.split(",")]
    plan = [(name, severity, options.count) for name in options.kinds.split(",") if name for severity in severities]
    plan += [(_CLEAN, 0, options.clean)]
    for name, severity, count in plan:
        kinds = () if name == _CLEAN else tuple(name.split("+"))
        for first in range(options.seed, options.seed + count, _PER_JOB):
            yield Job(name, kinds, severity, range(first, min(first + _PER_JOB, options.seed + count)))
    for severity in severities:
        rng = Random(f"mixes/{severity}/{options.seed}")
        for number in range(options.seed, options.seed + options.mixes):
            yield Job(_MIX, draw_mix(rng), severity, range(number, number + 1))


def measure_jobs(jobs: Sequence[Job], known: Sequence[Figures], workers: int) -> dict[Row, Tally]:
    """Measure all, in several processes; the result does not depend on how many."""
    found: dict[int, Tally] = {}
    with ProcessPoolExecutor(workers) as pool:
        waiting = {pool.submit(measure_job, job, known): i for i, job in enumerate(jobs)}
        for done in track(as_completed(waiting), total=len(waiting), console=Console(stderr=True)):
            found[waiting[done]] = done.result()
    rows: dict[Row, Tally] = {}
    for i, job in enumerate(jobs):
        rows.setdefault((job.row, job.severity), Tally()).join(found[i])
    return rows


# ---------------------------------------------------------------- what is shown


def _show_table(rows: Mapping[Row, Tally]) -> Table:
    columns = (
        "damage",
        "severity",
        "documents",
        "cells right",
        "accepted wrong",
        "in documents",
        "accepted of printed",
    )
    table = Table(*columns, "of non-zero", "in review", "crashes", box=None)
    for (damage, severity), tally in rows.items():
        table.add_row(
            damage,
            str(severity),
            str(tally.documents) + (f" ({tally.unreadable} unreadable)" if tally.unreadable else ""),
            _share(tally.right, tally.cells),
            str(len(tally.wrong)),
            str(len({wrong.document for wrong in tally.wrong})),
            _share(tally.printed_accepted, tally.printed),
            _share(tally.nonzero_accepted, tally.nonzero),
            _share(tally.review, tally.cells),
            str(len(tally.crashes)),
        )
    return table


def _share(count: int, whole: int) -> str:
    return f"{count}/{whole} {count / whole:.1%}" if whole else "-"


def _show_wrong(console: Console, rows: Mapping[Row, Tally], explanations: Sequence[Explanation]) -> int:
    """List every accepted wrong value by kind of damage and document, and count those without an explanation."""
    unexplained = 0
    for (damage, severity), tally in rows.items():
        for document, found in groupby(tally.wrong, key=lambda wrong: wrong.document):
            values = list(found)
            heading = f"{damage} {severity}: {document} ({values[0].layout}, {values[0].source})"
            lines = [heading]
            for wrong in values:
                known = _explain(wrong, explanations)
                unexplained += known is None
                note = f"explained: {known.id}" if known else "NOT EXPLAINED"
                said = f"printed {wrong.printed}, said {wrong.said}, raw {wrong.raw!r}"
                lines.append(f"    {wrong.field}: {said} [{note}]")
            console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
    total = sum(len(tally.wrong) for tally in rows.values())
    documents = sum(tally.documents for tally in rows.values())
    console.print(f"accepted wrong: {total} in {documents} documents, {unexplained} not explained")
    return unexplained


def _explain(wrong: AcceptedWrong, explanations: Sequence[Explanation]) -> Explanation | None:
    return explain(explanations, wrong.damage, wrong.layout, wrong.field, wrong.said)


def _dump(rows: Mapping[Row, Tally], explanations: Sequence[Explanation]) -> str:
    data = []
    for (damage, severity), tally in rows.items():
        counts = {name: value for name, value in vars(tally).items() if isinstance(value, int)}
        wrong = [
            {**one._asdict(), "explained": known.id if (known := _explain(one, explanations)) else None}
            for one in tally.wrong
        ]
        more = {"layouts": dict(sorted(tally.layouts.items())), "crashes": tally.crashes, "accepted_wrong": wrong}
        data.append({"damage": damage, "severity": severity, **counts, **more})
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def _keep_wrong(folder: Path, rows: Mapping[Row, Tally], known: Sequence[Figures]) -> None:
    """Write the documents that hold an accepted wrong value, with their labels."""
    names = sorted({wrong.document for tally in rows.values() for wrong in tally.wrong})

    def remake() -> Iterator[Corrupted]:
        for name in names:
            damage, severity, number = Path(name).stem.rsplit("-", 2)
            kinds = () if damage == _CLEAN else tuple(damage.split("+"))
            yield from make_corrupted(kinds, int(severity), 1, int(number), known)

    print(f"{write_folder(folder, remake())} documents in {folder}")


if __name__ == "__main__":
    raise SystemExit(main())
