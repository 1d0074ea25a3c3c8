"""The command line: run, show, forms.

Lives here: arguments, progress, exit codes and what is told to the operator. Does not live here:
any work. Exit codes: 0 all well; 1 a file failed; 2 wrong usage, settings or output folder; 130
interrupted. Heavy modules are imported inside the commands, so that --help answers at once.
"""

from __future__ import annotations

import csv
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from extractor.bulk.run import Progress, RunSummary
    from extractor.model import Record

_EXIT_FAILED = 1
_EXIT_USAGE = 2
_EXIT_INTERRUPTED = 130
_PIPED_WIDTH = 100

# An empty line between examples: typer joins the lines of a paragraph.
_RUN_EXAMPLES = """[bold]Examples[/bold]

[cyan]extractor run reports/ --out out[/cyan]   a folder with everything below it

[cyan]extractor run 'reports/**/*.html' extra.docx --out out[/cyan]   a pattern and a file

[cyan]extractor run reports/ --manifest sources.csv --out out[/cyan]   with url, site and fetched_at of each file

[cyan]extractor run --manifest sources.csv --out out[/cyan]   exactly the files that the manifest names
"""
_SHOW_EXAMPLES = """[bold]Examples[/bold]

[cyan]extractor show report.html[/cyan]   the form as a grid, with what needs a person below

[cyan]extractor show report.html --all --lang zh | less[/cyan]   every finding, in Chinese

[cyan]extractor show report.html --json > record.json[/cyan]   the record, as in records.jsonl
"""
_FORMS_EXAMPLES = """[bold]Examples[/bold]

[cyan]extractor forms[/cyan]   the generations that are known

[cyan]extractor forms 2021 --codebook[/cyan]   every field of one generation: id, label, type, unit

[cyan]extractor forms --codebook --csv > codebook.csv[/cyan]   all of them as CSV
"""
_EPILOG = """[bold]Start here[/bold]

[cyan]extractor run reports/ --out out[/cyan]   then open out/table.xlsx; out/flags.csv is the worklist

[cyan]extractor show reports/one.html[/cyan]   look at one report and its evidence

Settings: EXTRACTOR_<NAME> in the environment, or extractor.toml in the working directory.
"""

app = typer.Typer(
    name="extractor",
    help="Read Chinese government disclosure reports (政府信息公开工作年度报告) from messy files into checked tables.",
    epilog=_EPILOG,
    rich_markup_mode="rich",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Language(StrEnum):
    """Language of messages."""

    ZH = "zh"
    EN = "en"
    BOTH = "both"


def main() -> None:
    """Entry point of the console script."""
    # A terminal in a Chinese code page cannot print every mark; a question mark beats a crash.
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="replace")
    app()


def _print_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(f"extractor {version('extractor')}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass


# ---------------------------------------------------------------- run


@app.command(epilog=_RUN_EXAMPLES)
def run(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the outputs; made when missing.")],
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATH...", help="Files, folders (read recursively) or glob patterns.")
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(help="CSV with a column 'path' and any of url, site, fetched_at: where each file came from."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write into a folder that holds other files; same names are replaced.")
    ] = False,
) -> None:
    """Extract many reports into one folder of tables.

    One bad file never stops the rest; it is listed as failed, and the exit code is 1.
    Outputs of an earlier run are replaced only when the new ones are complete.
    Ctrl-C stops early and keeps what is done.
    """
    with _usage_errors():
        from extractor.bulk.plan import plan_inputs
        from extractor.bulk.run import run_documents
        from extractor.export import OUTPUTS, check_out_dir
        from extractor.settings import load_settings

        settings = load_settings()
        check_out_dir(out, is_forced=force)
        plan = plan_inputs(paths or [], manifest, skip=[out / name for name in OUTPUTS])
        asked = {"paths": paths or [], "manifest": manifest and str(manifest), "out": str(out), "force": force}
        with _report_progress() as on_progress:
            summary = run_documents(plan, out, settings, on_progress, arguments=asked)
    _tell_summary(summary, plan.unmatched_rows)
    if summary.is_interrupted:
        raise typer.Exit(_EXIT_INTERRUPTED)
    if summary.failed:
        raise typer.Exit(_EXIT_FAILED)


def _tell_summary(summary: RunSummary, unmatched_rows: Sequence[str]) -> None:
    from rich.text import Text

    from extractor.console import summary_table
    from extractor.export import OUTPUTS

    console = _open_console()
    if not summary.outputs:
        console.print("Interrupted before the first document: nothing was written, earlier outputs are as they were.")
        return
    account = summary.account
    console.print(summary_table(summary.notable, account["documents"]))
    counts = ", ".join(f"{count} {status}" for status, count in account["documents_by_status"].items() if count)
    values = account["table_values"]
    lines = [
        f"{account['documents']} documents ({counts}) from {account['files']} files in {account['seconds']} s",
        f"table values: {values['accepted']} of {values['printed']} printed accepted; "
        f"of those that are not zero {values['accepted_nonzero']} of {values['printed_nonzero']}; "
        f"{account['fields']['review']} fields for review",
    ]
    if summary.is_interrupted:
        lines.append("INTERRUPTED: the outputs hold only what was done so far")
    if unmatched_rows:
        lines.append(
            f"{len(unmatched_rows)} manifest rows name files that are not among the inputs: {unmatched_rows[0]} …"
        )
    if summary.xlsx_rows_left_out:
        lines.append(f"table.xlsx is full: {summary.xlsx_rows_left_out} documents are only in the other files")
    lines += ["", "Written:"]
    lines += [f"  {path}   {OUTPUTS[path.name]}" for path in summary.outputs]
    lines += ["", "What to do next:", *(f"  {line}" for line in _advise(summary))]
    for line in lines:
        console.print(Text(line), soft_wrap=True)


def _advise(summary: RunSummary) -> Iterator[str]:
    folder = summary.outputs[0].parent
    reviewable = [record for record in summary.notable if _count_review(record)]
    if reviewable:
        worst = max(reviewable, key=_count_review)
        command = f"extractor show {shlex.quote(worst.document.path)}"
        yield f"{command}   the report with most to review ({_count_review(worst)} fields)"
    yield f"open {folder / 'table.xlsx'}   accepted values; an empty cell's reason is on sheet 'states'"
    yield f"open {folder / 'flags.csv'}   the worklist: what a person should look at, and where"
    if summary.failed:
        yield f"see `errors` in {folder / 'run.json'}   why {summary.failed} files failed, and the remedy"


def _count_review(record: Record) -> int:
    return sum(field.decision == "review" for field in record.fields.values())


@contextmanager
def _report_progress() -> Iterator[Callable[[Progress], None]]:
    """A progress bar in a terminal, ten plain lines in a log."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = _open_console(is_error=True)
    if not console.is_terminal:
        yield _print_tenths
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        tasks = {
            "hash": bar.add_task("finding equal files", total=None),
            "extract": bar.add_task("reading", total=None),
        }
        yield lambda progress: bar.update(tasks[progress.stage], completed=progress.done, total=progress.total)


def _print_tenths(progress: Progress) -> None:
    tenths = progress.done * 10 // progress.total
    if progress.stage == "extract" and tenths > (progress.done - 1) * 10 // progress.total:
        typer.echo(f"{progress.done} of {progress.total} documents", err=True)


# ---------------------------------------------------------------- show


@app.command(epilog=_SHOW_EXAMPLES)
def show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="One report.")],
    lang: Annotated[Language, typer.Option(help="Language of the findings.")] = Language.BOTH,
    show_all: Annotated[bool, typer.Option("--all", help="Every finding and all of its evidence.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON.")] = False,
    svg: Annotated[Path | None, typer.Option(metavar="OUT", help="Save the picture as SVG.")] = None,
) -> None:
    """Show one report: the form as a grid, failed equations, findings and the source lines behind them."""
    from extractor.console import render_record
    from extractor.errors import SourceError

    with _usage_errors():
        from extractor.settings import load_settings

        settings = load_settings()
    try:
        from extractor.pipeline import process_document
        from extractor.sources import load_document

        document = load_document(file, settings)
    except SourceError as error:
        _print_error(error)
        raise typer.Exit(_EXIT_FAILED) from None
    record = process_document(document, ())
    if as_json:
        typer.echo(record.model_dump_json(indent=2))
        return
    picture = render_record(record, document.text, lang.value, show_all=show_all)
    if svg:
        with _usage_errors():
            _save_svg(picture, svg, file.name)
        typer.echo(f"saved {svg}")
        return
    _open_console().print(picture)


def _save_svg(picture: RenderableType, path: Path, title: str) -> None:
    from extractor.errors import OutputError
    from extractor.svg import export_svg

    try:
        path.write_text(export_svg(picture, title), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: the picture cannot be written ({error.strerror}). Check the folder.") from error


# ---------------------------------------------------------------- forms


@app.command(epilog=_FORMS_EXAMPLES)
def forms(
    generation: Annotated[str | None, typer.Argument(metavar="[GENERATION]", help="Only this one: 2021, 2019.")] = None,
    codebook: Annotated[bool, typer.Option("--codebook", help="List every field: id, label, type, unit.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV instead of a table.")] = False,
) -> None:
    """Show which generations of the form are known, and the codebook of their fields."""
    from extractor.errors import SettingsError
    from extractor.forms import load_forms

    known = load_forms().generations
    with _usage_errors():
        if generation is not None and generation not in known:
            raise SettingsError(f"{generation}: no such generation. Known are {', '.join(known)}.")
    header, lines = _list_codebook(generation) if codebook else _list_generations(generation)
    if as_csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows([header, *lines])
    else:
        _print_table(header, lines)


def _list_codebook(generation: str | None) -> tuple[Sequence[str], list[Sequence[str]]]:
    from extractor.forms import CODEBOOK_HEADER, codebook_line, load_codebook

    entries = (entry for entry in load_codebook() if generation is None or generation in entry.generations)
    return CODEBOOK_HEADER, [codebook_line(entry) for entry in entries]


def _list_generations(generation: str | None) -> tuple[Sequence[str], list[Sequence[str]]]:
    from extractor.forms import load_forms

    header = ("generation", "notice", "section", "rows", "columns", "cells", "equations")
    lines: list[Sequence[str]] = []
    for form in load_forms().generations.values():
        if generation not in (None, form.generation):
            continue
        if not form.sections:
            lines.append((form.generation, form.notice or "-", "no national table", "0", "0", "0", "0"))
        for section in form.sections.values():
            counts = (section.rows, section.columns, section.fields, section.equations)
            lines.append((form.generation, form.notice, section.id, *(str(len(items)) for items in counts)))
    return header, lines


def _print_table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, name in enumerate(header):
        is_count = all(line[index].isdigit() for line in lines) and name != "generation"
        table.add_column(name, justify="right" if is_count else "left", overflow="fold")
    for line in lines:
        table.add_row(*map(Text, line))
    _open_console().print(table)


# ---------------------------------------------------------------- terminal


@contextmanager
def _usage_errors() -> Iterator[None]:
    """What the operator can put right is one line on stderr and exit code 2."""
    from extractor.errors import OutputError, SettingsError

    try:
        yield
    except (SettingsError, OutputError) as error:
        _print_error(error)
        raise typer.Exit(_EXIT_USAGE) from None


def _print_error(error: Exception) -> None:
    typer.echo(f"error: {error}", err=True)


def _open_console(*, is_error: bool = False) -> Console:
    from rich.console import Console

    console = Console(stderr=is_error, highlight=False)
    if not console.is_terminal:
        console.width = _PIPED_WIDTH  # else 80, too narrow for the form
    return console
