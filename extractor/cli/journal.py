"""extractor journal: recorded replies out of the journal and into it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from extractor.cli.options import JournalOption, load_overridden
from extractor.cli.terminal import open_console, usage_errors

app = typer.Typer(
    help="Look into the journal of model calls; export and import recorded replies.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command("export")
def export_replies(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Replay file to write (JSON lines).")],
    journal: JournalOption = None,
    task: Annotated[list[str] | None, typer.Option(help="Only replies to this task; may be given again.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Only this model's replies; may be given again.")] = None,
    has_requests: Annotated[
        bool, typer.Option("--requests", help="Also what was sent, with the text of the documents.")
    ] = False,
) -> None:
    """Write recorded replies to a file, for `extractor run --replay FILE`. Texts of documents are left out."""
    with usage_errors():
        from extractor.store.journal import Journal

        with Journal.open(load_overridden(None, None, journal).journal) as opened:
            count = opened.export_replies(file, tasks=task, models=model, has_requests=has_requests)
    typer.echo(f"{count} replies written to {file}")


@app.command("import")
def import_replies(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Replay file.")], journal: JournalOption = None
) -> None:
    """Take the replies of a file into the journal. A reply that is there already stays as it is."""
    with usage_errors():
        from extractor.store.journal import Journal

        with Journal.open(load_overridden(None, None, journal).journal) as opened:
            summary = opened.import_replies(file)
    typer.echo(f"{summary.added} replies added, {summary.already_there} were there already")
    if summary.conflicting:
        typer.echo(f"{len(summary.conflicting)} differ from what the journal holds and were left out", err=True)
        raise typer.Exit(1)


@app.command()
def spent(
    journal: JournalOption = None,
    run: Annotated[str | None, typer.Option(help="Only this run's (`run_id` in run.json).")] = None,
) -> None:
    """Say what requests cost: all that were ever sent, or one run's."""
    with usage_errors():
        from extractor.store.journal import Journal

        with Journal.open(load_overridden(None, None, journal).journal) as opened:
            total = opened.spent(run)
    price = f"{total.cost_usd:.4f} USD"
    if total.unpriced_calls:
        price += f" and {total.unpriced_calls} requests whose price is not known"
    open_console().print(
        f"{total.calls} requests, {total.input_tokens} tokens in ({total.cached_tokens} cached), "
        f"{total.output_tokens} out, {price}"
    )
