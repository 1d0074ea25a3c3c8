"""extractor panel: the documents of a finished run, checked against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extractor.cli.terminal import open_console, usage_errors

if TYPE_CHECKING:
    from rich.table import Table

    from extractor.panel import PanelSummary

EXAMPLES = """[bold]Examples[/bold]

[cyan]extractor run reports/ --out out[/cyan]   first a run over the reports of several years

[cyan]extractor panel out[/cyan]   what does not fit from year to year, into out/panel_flags.csv

[cyan]extractor panel out --aliases names.csv[/cyan]   with names that are one agency (columns variant,agency)
"""

_RELATIONS = {
    "X1": "carried out = carried in a year later",
    "X2": "in force + issued - repealed = in force",
    "X3": "pending <= all cases a year later",
    "X4": "items + change = items of the year before",
}
_MOST_UNUSED = 5
_LONG_BYTES = 50_000_000  # below it, reading takes about a second and needs no report


def panel(
    out_dir: Annotated[Path, typer.Argument(metavar="OUT_DIR", help="Folder that `extractor run` wrote with --out.")],
    aliases: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV with columns variant,agency: names that are one agency."),
    ] = None,
) -> None:
    """Check the documents of a finished run against each other, agency by agency and year by year.

    Reads records.jsonl and writes panel.parquet and panel_flags.csv beside it; no record is changed. Names that are
    only alike are listed, never merged. Years hint at each other and prove nothing: see docs/panel.md.
    """
    with usage_errors():
        from extractor.panel import build_panel, read_aliases

        known = read_aliases(aliases) if aliases else {}
        with _report_bytes() as on_progress:
            summary = build_panel(out_dir, known, on_progress)
    _tell_summary(summary, out_dir)


@contextmanager
def _report_bytes() -> Iterator[Callable[[int, int], None]]:
    """A progress bar in a terminal, ten plain lines in a log when the file is long."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = open_console(is_error=True)
    if not console.is_terminal:
        told = [0]

        def tell_tenths(done: int, total: int) -> None:
            tenths = done * 10 // total
            if total >= _LONG_BYTES and tenths > told[0]:
                told[0] = tenths
                typer.echo(f"{tenths * 10} % of records.jsonl", err=True)

        yield tell_tenths
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def move(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, description="comparing" if done == total else "reading")

        yield move


def _tell_summary(summary: PanelSummary, out_dir: Path) -> None:
    from rich.text import Text

    from extractor.export import PANEL_OUTPUTS

    console = open_console()
    lines = [_describe_documents(summary)]
    if summary.repeated:
        lines.append(f"{summary.repeated} more records are of documents that are there already, and were left out")
    lines.append(f"Pairs of neighbouring years checked: {summary.pairs}")
    for line in lines:
        console.print(Text(line), soft_wrap=True)
    if summary.outcomes:
        console.print(_draw_outcomes(summary))
        if any(name.endswith(", not confirmed") for _, name in summary.outcomes):
            console.print(Text("* of these, so many rest on a number that was not accepted"), soft_wrap=True)
    counts = [f"  {code} {count}" for code, count in sorted(summary.flags.items())]
    lines = ["Findings (what they mean: docs/flags.md):", *counts] if counts else ["No findings."]
    lines += [f"  {item.agency}: {item.flag.message.en}" for item in summary.notable]
    lines += _list_unused(summary.unused_aliases)
    lines += ["", "Written:", *(f"  {path}   {PANEL_OUTPUTS[path.name]}" for path in summary.outputs)]
    lines += ["", "What to do next:", *(f"  {line}" for line in _advise(summary, out_dir))]
    for line in lines:
        console.print(Text(line), soft_wrap=True)


def _describe_documents(summary: PanelSummary) -> str:
    first = f"{summary.in_panel} of {summary.documents} documents have an agency and a year"
    if summary.years is None:
        return first
    years = "-".join(map(str, dict.fromkeys(summary.years)))
    agencies = "1 agency" if summary.agencies == 1 else f"{summary.agencies} agencies"
    agency_years = "1 agency year" if summary.agency_years == 1 else f"{summary.agency_years} agency years"
    return f"{first}: {agencies}, {agency_years}, {years}"


def _list_unused(variants: Sequence[str]) -> list[str]:
    more = [f"  … and {len(variants) - _MOST_UNUSED} more"] if len(variants) > _MOST_UNUSED else []
    return [f"  no document has the alias {variant}" for variant in variants[:_MOST_UNUSED]] + more


def _draw_outcomes(summary: PanelSummary) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("relation", no_wrap=True)
    for name in ("holds", "differs", "not evaluable"):
        table.add_column(name, justify="right")
    for family, said in _RELATIONS.items():
        counts = [_count_outcome(summary, family, name) for name in ("holds", "differs", "not-evaluable")]
        if any(count != "0" for count in counts):
            table.add_row(f"{family}  {said}", *counts)
    return table


def _count_outcome(summary: PanelSummary, family: str, outcome: str) -> str:
    doubted = summary.outcomes[family, f"{outcome}, not confirmed"]
    return f"{summary.outcomes[family, outcome]}{f' ({doubted}*)' if doubted else ''}"


def _advise(summary: PanelSummary, out_dir: Path) -> Iterator[str]:
    if summary.confirmed["carry-differs"]:
        yield "filter panel_flags.csv by `carry-differs`, confirmed `yes`   compare both reports with their originals"
    if summary.flags["carry-differs"] > summary.confirmed["carry-differs"]:
        yield "filter panel_flags.csv by `carry-differs`, confirmed `no`   first review the numbers that they rest on"
    if summary.flags["duplicate-year"]:
        yield "filter panel_flags.csv by `duplicate-year`   keep the right document of each year"
    if summary.flags["agency-variants"]:
        yield f"extractor panel {out_dir} --aliases names.csv   after writing down which names are one agency"
    if summary.flags["not-in-panel"]:
        yield "filter panel_flags.csv by `not-in-panel`   documents whose agency or year is missing"
    yield f"open {out_dir / 'panel.parquet'}   one row a document, sorted by agency and year"
