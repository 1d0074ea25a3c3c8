"""Synthetic scans. See eval/scans/README.md.

python -m eval.scans generate --severity mild --count 5 --seed 1 --out DIR
python -m eval.scans evaluate --severity mild --count 100 --workers 2 --keep DIR
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from eval.scans.boxes import check_boxes
from eval.scans.evaluate import dump, print_report, summarise
from eval.scans.generate import LEVELS, make_scans, write_scans
from eval.scans.peers import PEERS, compare_peers
from eval.scans.results import Result, evaluate_scans
from extractor.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the commands."""
    options = read_options(arguments)
    return int(options.run(options))


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m eval.scans", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    generate = commands.add_parser("generate", help="write documents, labels and boxes")
    generate.add_argument("--out", type=Path, required=True)
    generate.set_defaults(run=run_generate)
    evaluate = commands.add_parser("evaluate", help="put documents through the program and judge them")
    evaluate.add_argument("--json", type=Path, help="write the figures to this file")
    evaluate.set_defaults(run=run_evaluate)
    boxes = commands.add_parser("boxes", help="whether the box of a value holds it")
    boxes.add_argument("--values", type=int, default=200, help="crops to read")
    boxes.set_defaults(run=run_boxes)
    peers = commands.add_parser("peers", help="the same documents through other programs")
    peers.add_argument("--peers", default=",".join(PEERS), help="some of them")
    peers.set_defaults(run=run_peers)
    for command, count in ((generate, 5), (evaluate, 100), (boxes, 20), (peers, 10)):
        command.add_argument("--severity", choices=LEVELS, default="mild")
        command.add_argument("--count", type=int, default=count, help="documents")
        command.add_argument("--seed", type=int, default=0, help="number of the first document")
    for command in (evaluate, boxes):
        command.add_argument("--workers", type=int, default=2, help="processes that read pages")
        command.add_argument("--keep", type=Path, help="folder of results; what it holds is not run again")
    return parser.parse_args(arguments)


def run_generate(options: argparse.Namespace) -> int:
    """Write a folder."""
    written = write_scans(options.out, make_scans(options.severity, options.count, options.seed))
    print(f"{written} synthetic documents in {options.out}")
    return 0


def run_evaluate(options: argparse.Namespace) -> int:
    """Judge documents; 1 where anything is accepted and wrong."""
    results = get_results(options)
    print_report(Console(width=None if sys.stdout.isatty() else 150), options.severity, results, options.workers)
    summary = summarise(options.severity, results, options.workers)
    if options.json:
        options.json.write_text(dump([summary]), encoding="utf-8")
    return 1 if summary["accepted_wrong"] else 0


def run_boxes(options: argparse.Namespace) -> int:
    """Look at the boxes of values."""
    numbers = range(options.seed, options.seed + options.count)
    check_boxes(options.severity, numbers, get_results(options), options.values, Console(width=150))
    return 0


def run_peers(options: argparse.Namespace) -> int:
    """Compare with other programs."""
    numbers = range(options.seed, options.seed + options.count)
    compare_peers(options.severity, numbers, options.peers.split(","), Console(width=150))
    return 0


def get_results(options: argparse.Namespace) -> list[Result]:
    """Results of the documents that the options name, with a progress bar."""
    numbers = range(options.seed, options.seed + options.count)
    settings = Settings(page_workers=options.workers)
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(options.severity, total=len(numbers))
        return evaluate_scans(options.severity, numbers, settings, options.keep, lambda: progress.advance(task))


if __name__ == "__main__":
    raise SystemExit(main())
