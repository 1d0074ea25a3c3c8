"""The figures of eval/bench/localise.py as tables on the terminal.

Lives here: printing. Does not live here: any counting (localise_figures, localise_peers).
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from textwrap import wrap
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table as Shown

from eval.bench.localise_errors import CLASSES
from eval.bench.localise_figures import KNOWN, Measured, Times, join_profiles, summarise
from eval.bench.localise_outcomes import GroundedOutcome, Outcome
from eval.bench.localise_tables import PROFILES

if TYPE_CHECKING:  # the solvers are an extra
    from eval.bench.localise_peers import Comparison


def print_outcomes(console: Console, measured: Measured) -> None:
    """A line a class: the equations alone, and what grounding adds."""
    joined = {name: join_profiles(figures) for name, figures in measured.items()}
    outcomes = [one for one in Outcome if any(figures.equations[one] for figures in joined.values())]
    table = Shown(title="errors in tables with numbers, equations alone, and with grounding in front", box=None)
    columns = ("n", "detected", *outcomes, "located, to meet", "cells in region", "grounded: detected", "and located")
    table.add_column("error", no_wrap=True)
    for column in columns:
        table.add_column("\n".join(wrap(column, 12)), justify="right")
    for error in (error for error in CLASSES if error.spoil):
        figures = joined[error.name]
        known = KNOWN.get(error.name)
        caught = figures.count - figures.grounded[GroundedOutcome.SILENT]
        table.add_row(
            error.name,
            str(figures.count),
            share(figures.failing, figures.count),
            *(share(figures.equations[one], figures.count) if figures.equations[one] else "" for one in outcomes),
            f"{100 * known.located:.0f} %" if known else "",
            f"{median(figures.regions):.0f}" if figures.regions else "",
            share(caught, figures.count),
            share(figures.grounded[GroundedOutcome.LOCATED], figures.count),
        )
    console.print(table)


def print_profiles(console: Console, measured: Measured) -> None:
    """Located, and explained wrongly, profile by profile."""
    table = Shown(title="the same by profile: located (unique but wrong), equations alone", box=None)
    table.add_column("error")
    for profile in PROFILES:
        table.add_column(profile, justify="right")
    for error in (error for error in CLASSES if error.spoil):
        cells = []
        for figures in measured[error.name].values():
            located, wrong = (figures.equations[one] for one in (Outcome.LOCATED, Outcome.WRONG))
            cells.append(share(located, figures.count) + (f" ({share(wrong, figures.count)})" if wrong else ""))
        table.add_row(error.name, *cells)
    console.print(table)


def share(part: int, whole: int) -> str:
    """Per cent, never rounded to 0 or 100 where it is neither; a dash where there is nothing to count."""
    if not whole:
        return "-"
    per_cent = 100 * part / whole
    return f"{per_cent:.0f} %" if part in (0, whole) or 1 <= per_cent <= 99 else f"{per_cent:.1f} %"


def print_times(console: Console, times: Mapping[int, Times]) -> None:
    """Milliseconds of the search."""
    table = Shown(title="milliseconds of locate_errors, equations alone", box=None)
    for column in ("cells altered", "n", "median", "p95", "p99", "max"):
        table.add_column(column, justify="right")
    for count, one in times.items():
        table.add_row(str(count), str(one.count), *(f"{value:.2f}" for value in one[1:]))
    console.print(table)


def print_comparisons(console: Console, compared: Mapping[str, Mapping[str, Comparison]]) -> None:
    """The solvers beside the search, over the same tables."""
    table = Shown(title="the same tables as integer programs, all ties up to 5", box=None)
    left = ("error", "solver", "the search", "smallest sets of the solver")
    numbers = ("n", "search ms", "solver ms", "ratio", "same sets", "cheaper slip")
    for column in (*left[:2], *numbers, *left[2:]):
        table.add_column(column, justify="left" if column in left else "right")
    for name, by_solver in compared.items():
        for solver, one in by_solver.items():
            search, solved = summarise(one.search), summarise(one.solver)
            table.add_row(
                name,
                solver,
                str(search.count),
                f"{search.median:.1f}, {search.max:.0f}",
                f"{solved.median:.0f}, {solved.max:.0f}",
                f"{solved.median / search.median:.0f}",
                f"{one.same}/{one.small}",
                f"{one.by_slip}/{one.small}",
                ", ".join(f"{count} {outcome}" for outcome, count in one.outcomes.most_common()),
                ", ".join(f"{count} {kind}" for kind, count in one.sets.most_common()),
            )
    console.print(table)
