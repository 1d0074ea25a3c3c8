"""What peers.py prints: two tables for each kind of documents, and what they do not show.

Does not live here: any figure (peers_run, peers_verdict).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from eval.bench.peers_misreading import LEVELS, NO_LEVEL
from eval.bench.peers_run import Program, Run

NOTES = """\
No model was asked. One simulated model answers every program over the same server. It knows the labels: at level 0 it
reads every number, also where no reader could (digits run together, rows torn from their labels), and says null where
nobody can know the column. At 1 % and 5 % so many values are misread (another digit, cells or rows that change places,
blanks as 0), the same ones whoever asks and however often; each reply may break off, at that rate for each 1,000
tokens; and numbers without a column are placed at that rate. At "guess" it reads all right, but always places numbers
without a column. It errs no more over 220 named fields than over one row: if real models do, that favours the peers
here. Real models err otherwise, and often less or more. The peers are told which generation the form is.
Accepted: nobody is sent to look. LangExtract's values count as accepted where their span stands in the text word for
word; all other peers' values are accepted as they come. A missing number is not counted as wrong, though no peer says
that it is missing.
Where the peers are better: no rules to write; any type of document, any language, any fact that can be named; one call
where ours takes up to six; they leave nobody work, where ours sends a person to look."""


class Key(NamedTuple):
    """What was run."""

    program: str
    kind: str
    level: str
    delay: float


def print_kind(console: Console, kind: str, programs: Sequence[Program], runs: Mapping[Key, Run]) -> None:
    """Both tables of one kind."""
    some = next(run for key, run in runs.items() if key.kind == kind)
    tally = some.tally
    console.rule(f"{kind}: {tally.documents} documents, {tally.printed:,} numbers printed, {tally.nonzero} not 0")
    console.print(build_costs(kind, programs, runs), build_values(kind, programs, runs), "")


def build_costs(kind: str, programs: Sequence[Program], runs: Mapping[Key, Run]) -> Table:
    """Calls and tokens a document, and seconds for all, where the model reads without a mistake."""
    delays = sorted({key.delay for key in runs if key.kind == kind})
    table = Table("a document", "calls", "input", "output", "schema besides", box=None, header_style="bold")
    for delay in delays:
        table.add_column(f"s, replies in {delay:g} s")
    table.add_column("CPU s")
    table.add_column("of it the start")
    for program in programs:
        found = [find_run(runs, program, kind, "0", delay) for delay in delays]
        first = found[0]
        if first is None:
            table.add_row(program.name, "not installed")
            continue
        count = first.tally.documents
        tokens = (first.input, first.output, first.schema)
        cells = [f"{first.calls / count:.1f}", *(f"{number / count:,.0f}" for number in tokens)]
        seconds = [f"{run.whole.seconds:.1f}" if run and run.whole else "" for run in found]
        cpu = [f"{one.cpu:.1f}" if one else "" for one in (first.whole, first.start)]
        table.add_row(program.name, *(cells if program.levels else [""] * 4), *seconds, *cpu)
    return _right_aligned(table)


def build_values(kind: str, programs: Sequence[Program], runs: Mapping[Key, Run]) -> Table:
    """What became of the numbers, and what is accepted wrong at each level."""
    table = Table("numbers", "right", "not 0", "wrong", "missing", "made up", "accepted, not 0", "facts", box=None)
    levels = [name for name in LEVELS if any(key.level == name for key in runs)]
    for name in levels:
        table.add_column(f"accepted wrong, {_show_level(name)}")
    for program in programs:
        run = find_run(runs, program, kind, "0")
        if run is None:
            table.add_row(program.name, "not installed")
            continue
        tally = run.tally
        counts = (tally.right, tally.nonzero_right, tally.wrong, tally.missing, tally.invented, tally.nonzero_accepted)
        silent = [find_run(runs, program, kind, name) for name in levels]
        shown = [_show_silent(run) for run in silent]
        table.add_row(program.name, *(f"{n:,}" for n in counts), f"{tally.facts_right}/{tally.facts}", *shown)
    return _right_aligned(table)


def _right_aligned(table: Table) -> Table:
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _show_level(name: str) -> str:
    return "guess" if LEVELS[name].guesses else f"{LEVELS[name].rate:.0%}"


def _show_silent(run: Run | None) -> str:
    if run is None:
        return ""
    wrong = run.tally.accepted_wrong + run.tally.facts_accepted_wrong
    return f"{wrong} in {run.tally.silent}" if wrong else "0"


def find_run(runs: Mapping[Key, Run], program: Program, kind: str, level: str, delay: float = 0.0) -> Run | None:
    """The run of a program; one that asks no model has one, whatever the level."""
    return runs.get(Key(program.name, kind, level if program.levels else NO_LEVEL, delay))


def list_errors(runs: Mapping[Key, Run]) -> list[str]:
    """What programs could not read where the model reads without a mistake, with the reason."""
    found: dict[str, list[str]] = {}
    for key, run in runs.items():
        if key.level == NO_LEVEL and key.delay == 0:
            for error in run.tally.errors:
                name, _, reason = error.partition(": ")
                found.setdefault(f"{key.program}: {reason}", []).append(name)
    return [f"{reason}: {len(names)} documents, such as {names[0]}" for reason, names in found.items()]


def as_json(runs: Mapping[Key, Run]) -> list[dict[str, Any]]:
    """All figures as plain data."""
    return [
        {
            **key._asdict(),
            "calls": run.calls,
            "input": run.input,
            "output": run.output,
            "schema": run.schema,
            "start": run.start,
            "whole": run.whole,
            **{name: getattr(run.tally, name) for name in run.tally.__dataclass_fields__},
        }
        for key, run in runs.items()
    ]
