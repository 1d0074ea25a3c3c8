"""What the equations find of injected errors, and what it costs: python eval/bench/localise.py [--tables N].

Made-up tables that balance are spoiled, one class of error after the other, and located: by the equations alone, and
with ordered grounding in front, where the spoiled table is a model's reply and the source prints the true one. Where
the source itself prints the error, grounding passes it, and the figures are those of the equations alone. At the end
the time of the search by number of wrong cells, and the same tables put to two solvers of integer programs, where the
extra `bench` is installed.

Exits with 1 when a table without error fails an equation, a wrong cell passes grounding, or a figure is worse than
the one to meet.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import track

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the forms that are filled stand with the tests

from eval.bench.localise_errors import CLASSES
from eval.bench.localise_figures import (
    ALTERED,
    BY_NAME,
    Measured,
    Times,
    check,
    draw_mixed,
    join_profiles,
    measure_class,
    time_search,
)
from eval.bench.localise_picture import Line, draw_outcomes
from eval.bench.localise_tables import PROFILES
from eval.bench.localise_tell import print_comparisons, print_outcomes, print_profiles, print_times

if TYPE_CHECKING:
    from eval.bench.localise_peers import Comparison

#: Classes that are put to the solvers: random cells, and slips, which are small sets of cells only by chance.
COMPARED = (*ALTERED.values(), "row left-packed, total misplaced", "neighbours in a row swapped")
Compared = Mapping[str, Mapping[str, "Comparison"]]


def compare_solvers(names: Sequence[str], tables: int, seed: int, progress: Console) -> Compared:
    """Both solvers over a few tables of each class; nothing where they are not installed."""
    if not tables or not all(map(find_spec, ("highspy", "pulp"))):
        progress.print("no comparison with solvers: none wanted, or the extra `bench` is not installed")
        return {}
    from eval.bench.localise_milp import SOLVERS  # noqa: PLC0415 - the extra
    from eval.bench.localise_peers import compare  # noqa: PLC0415

    return {
        name: {solver: compare(draw_mixed(name, tables, seed), solver) for solver in SOLVERS}
        for name in track(names, "solving integer programs", console=progress)
    }


def export(measured: Measured, times: Mapping[int, Times], compared: Compared) -> dict[str, Any]:
    """All figures, for JSON."""
    return {
        "errors": {
            name: {
                profile: {
                    "count": figures.count,
                    "failing": figures.failing,
                    "wrong_cells_past_grounding": figures.passed_wrong,
                    "equations": dict(figures.equations),
                    "region_cells": figures.regions,
                    "grounded": dict(figures.grounded),
                }
                for profile, figures in by_profile.items()
            }
            for name, by_profile in measured.items()
        },
        "milliseconds": {count: one._asdict() for count, one in times.items()},
        "solvers": {
            name: {solver: vars(one) for solver, one in by_solver.items()} for name, by_solver in compared.items()
        },
    }


def draw(measured: Measured) -> str:
    """The picture: the profiles with numbers."""
    joined = {error.name: join_profiles(measured[error.name]) for error in CLASSES if error.spoil}
    lines = [Line(name, one.count, one.equations, one.grounded) for name, one in joined.items()]
    count = max(line.count for line in lines)
    return draw_outcomes(lines, f"Injected errors in made-up tables, {count} of each class, and how many are located")


def main() -> int:
    """Measure and print; 1 when something is worse than it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=20, help="tables of each profile and generation, for each class")
    parser.add_argument("--peer-tables", type=int, default=1, help="the same, put to the solvers; 0 for none")
    parser.add_argument("--compare", nargs="*", choices=BY_NAME, default=COMPARED, help="classes put to the solvers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the outcomes as SVG")
    arguments = parser.parse_args()
    console, progress = Console(width=None if sys.stdout.isatty() else 200), Console(stderr=True)
    tables, seed = arguments.tables, arguments.seed
    measured = {
        error.name: {profile: measure_class(error, profile, tables, seed) for profile in PROFILES}
        for error in track(CLASSES, "injecting errors", console=progress)
    }
    times = {count: time_search(draw_mixed(name, tables, seed)) for count, name in ALTERED.items()}
    compared = compare_solvers(arguments.compare, arguments.peer_tables, seed, progress)
    print_outcomes(console, measured)
    print_profiles(console, measured)
    print_times(console, times)
    if compared:
        print_comparisons(console, compared)
    if arguments.json:
        figures = {"seed": seed, "tables": tables} | export(measured, times, compared)
        arguments.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1), encoding="utf-8")
    if arguments.picture:
        arguments.picture.write_text(draw(measured), encoding="utf-8")
    missed = check(measured)
    for line in missed or ["every figure to meet is met; no table without error fails; no wrong cell passes grounding"]:
        console.print(line, highlight=False)
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
