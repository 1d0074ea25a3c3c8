"""What the batch commands print.

Does not live here: the commands (batch).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from extractor.cli.terminal import open_console

if TYPE_CHECKING:
    from datetime import datetime

    from extractor.bulk.foresight import Foresight
    from extractor.llm.batch import BatchView, Selection
    from extractor.llm.batch_harvest import Harvest
    from extractor.settings import Settings

_PROBLEMS_SHOWN = 20


def tell_selection(found: Foresight, selection: Selection) -> None:
    """Say what is handed over and what is not."""
    failed = f", {found.failed} that cannot be read" if found.failed else ""
    typer.echo(f"{found.documents} documents{failed}; {found.on_record} replies are in the journal already")
    if selection.held_back:
        typer.echo(f"{selection.held_back} calls are in batches under way and are not handed over again")
    if selection.over_limit:
        typer.echo(f"{selection.over_limit} calls are left out: {selection.limit}", err=True)
    if not selection.taken:
        typer.echo("Nothing to hand over.")


def tell_mode(settings: Settings) -> None:
    """Say how replies are held to their schema, where nobody chose it."""
    if settings.reply_mode == "auto":
        typer.echo(
            "Replies are held to their schema by json_schema: a batch tries nothing out. "
            "Otherwise set EXTRACTOR_REPLY_MODE",
            err=True,
        )


def tell_status(views: Sequence[BatchView]) -> None:
    """Print the table of batches."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    if not views:
        typer.echo("No batches.")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("batch", no_wrap=True)
    for name in ("model", "state"):
        table.add_column(name, overflow="fold")
    for name in ("calls", "completed", "failed", "age"):
        table.add_column(name, justify="right")
    for view in views:
        counts = (view.remote.completed, view.remote.failed) if view.remote else ("-", "-")
        state = view.row.state if view.remote is None else f"{view.row.state} ({view.remote.status})"
        cells = (view.row.id, view.row.model, state, view.calls, *counts, _say_age(view.row.created_at))
        table.add_row(*(Text(str(cell)) for cell in cells))
    open_console().print(table)
    for view in views:
        if view.row.message:
            typer.echo(f"{view.row.id}: {view.row.message}")
    if any(view.row.state == "finished" for view in views):
        typer.echo("Next: extractor batch collect")


def _say_age(moment: datetime) -> str:
    from extractor.store.rows import now

    minutes = int((now() - moment).total_seconds() // 60)
    hours = minutes // 60
    return f"{minutes} min" if hours < 2 else f"{hours} h" if hours < 48 else f"{hours // 24} d"


def tell_harvest(harvest: Harvest) -> None:
    """Say what a batch brought."""
    spent = harvest.spent
    price = "price not set" if spent.unpriced_calls else f"{spent.cost_usd:.4f} USD"
    typer.echo(
        f"{harvest.state} {harvest.batch}: {harvest.replies} of {harvest.calls} calls have a reply; "
        f"{spent.input_tokens} tokens in, {spent.output_tokens} out, {price}"
    )
    for reason, count in harvest.without.most_common():
        typer.echo(f"  {count} without a reply: {reason}")
    for problem in harvest.problems[:_PROBLEMS_SHOWN]:
        typer.echo(f"  {problem}", err=True)
    if len(harvest.problems) > _PROBLEMS_SHOWN:
        typer.echo(f"  and {len(harvest.problems) - _PROBLEMS_SHOWN} more lines", err=True)


def tell_rest(view: BatchView) -> None:
    """Say how far a batch is that cannot be taken in yet."""
    remote = view.remote
    far = f" ({remote.status}, {remote.completed + remote.failed} of {view.calls} calls)" if remote else ""
    said = f": {view.row.message}" if view.row.message else ""
    typer.echo(f"{view.row.state} {view.row.id}{far}{said}")
