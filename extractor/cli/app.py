"""The command line: what can be said to the program, and where it goes.

Lives here: the application and the list of commands; each command is a file of this package. Does
not live here: any work. Heavy modules are imported inside the commands, so that --help answers at
once.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from extractor.cli import (
    accounts,
    batch,
    calibrate,
    compare,
    evaluate,
    export,
    forms,
    journal,
    label,
    panel,
    plan,
    run,
    serve,
    show,
)

_EPILOG = """[bold]Start here[/bold]

[cyan]extractor run reports/ --out out[/cyan]   then open out/table.xlsx; out/queue.csv is the worklist

[cyan]extractor show reports/one.html[/cyan]   look at one report and its evidence

[cyan]extractor run reports/ --store store.sqlite[/cyan]   then extractor serve --store store.sqlite: the review page

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
app.command(epilog=run.EXAMPLES)(run.run)
app.command(epilog=show.EXAMPLES)(show.show)
app.command(epilog=plan.EXAMPLES)(plan.plan)
app.command(epilog=export.EXAMPLES)(export.export)
app.command(epilog=serve.EXAMPLES)(serve.serve)
app.add_typer(accounts.app, name="accounts")
app.command(epilog=panel.EXAMPLES)(panel.panel)
app.add_typer(batch.app, name="batch")
app.add_typer(journal.app, name="journal")
app.command(epilog=forms.EXAMPLES)(forms.forms)
app.command(epilog=label.EXAMPLES)(label.label)
app.command("eval", epilog=evaluate.EXAMPLES)(evaluate.evaluate)
app.command(epilog=compare.EXAMPLES)(compare.compare)
app.command(epilog=calibrate.EXAMPLES)(calibrate.calibrate)


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
