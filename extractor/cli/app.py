"""The command line: what can be said to the program, and where it goes.

Lives here: the application and the list of commands; each command is a file of this package. Does
not live here: any work. A command's file is imported when it is called, and what is heavy inside its
function, so that --help answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, ClassVar

import typer

from extractor.cli.lazy import LazyGroup, Source

_EPILOG = """[bold]Start here[/bold]

[cyan]extractor run reports/ --out out[/cyan]   then open out/table.xlsx; out/queue.csv is the worklist

[cyan]extractor show reports/one.html[/cyan]   look at one report and its evidence

[cyan]extractor run reports/ --store store.sqlite[/cyan]   then extractor serve --store store.sqlite: the review page

Settings: EXTRACTOR_<NAME> in the environment, or extractor.toml in the working directory.
"""


class _Commands(LazyGroup):
    sources: ClassVar[Mapping[str, Source]] = {
        "run": Source(
            "run", "Extract many reports into one folder of tables, or into a store for the review page, or both."
        ),
        "show": Source(
            "show", "Show one report: the form as a grid, failed equations, findings and the source lines behind them."
        ),
        "plan": Source("plan", "Say what a run would ask a model and what it would cost. Sends nothing."),
        "export": Source(
            "export", "Write the files of a run anew from a store, also while a run goes on or people decide."
        ),
        "serve": Source(
            "serve", "Serve the review page and the HTTP API over a store, and read what is submitted to it."
        ),
        "panel": Source(
            "panel", "Check the documents of a finished run against each other, agency by agency and year by year."
        ),
        "forms": Source("forms", "Show which generations of the form are known, and the codebook of their fields."),
        "label": Source(
            "label",
            "Write draft labels of documents, for a person to correct; check labels; compare two; take them from "
            "reviews.",
        ),
        "eval": Source("evaluate", "Measure the program against labelled documents, and fail on what must not happen."),
        "compare": Source("compare", "Say what B gains and loses against A, and whether that is more than chance."),
        "calibrate": Source(
            "calibrate", "Fit the chance that a value is wrong, and certify from which chance on values go to review."
        ),
        "accounts": Source(
            "accounts", "Say who may come in to the service (extractor serve): accounts, passwords, API keys."
        ),
        "batch": Source(
            "batch", "Ask in batches: the server answers within a day, at a lower price (half, as a rule)."
        ),
        "journal": Source("journal", "Look into the journal of model calls; export and import recorded replies."),
    }


app = typer.Typer(
    name="extractor",
    cls=_Commands,
    help="Read Chinese government disclosure reports (政府信息公开工作年度报告) from messy files into checked tables.",
    epilog=_EPILOG,
    rich_markup_mode="rich",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Entry point of the console script."""
    # A terminal in a Chinese code page cannot print every mark; a question mark beats a crash.
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="replace")
    try:
        app()
    except Exception as error:
        # Of the settings and the forms, which whatever is loaded first reads.
        from extractor.cli.terminal import EXIT_USAGE, print_error
        from extractor.errors import SettingsError

        if not isinstance(error, SettingsError):
            raise
        print_error(error)
        sys.exit(EXIT_USAGE)


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
