"""extractor plan: what a run would ask and cost, before anything is spent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extractor.cli.options import (
    NO_MODEL,
    BaseUrlOption,
    JournalOption,
    ModelOption,
    Readers,
    ReadersOption,
    choose_policy,
    load_overridden,
)
from extractor.cli.terminal import open_console, report_progress, usage_errors

if TYPE_CHECKING:
    from extractor.bulk.foresight import Foresight
    from extractor.settings import Price

EXAMPLES = """[bold]Examples[/bold]

[cyan]extractor plan reports/ --model qwen-plus[/cyan]   documents, calls, tokens and price of a run with policy auto

[cyan]extractor plan reports/ --model qwen-plus --readers both[/cyan]   the same if the model reads everything
"""


def plan(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH...", help="Files, folders (read recursively), glob patterns, archives (zip, tar) or JSONL."
        ),
    ] = None,
    manifest: Annotated[Path | None, typer.Option(help="CSV with a column 'path', as for run.")] = None,
    files_from: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="File with one path a line, as for run.")
    ] = None,
    readers: ReadersOption = None,
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    journal: JournalOption = None,
) -> None:
    """Say what a run would ask a model and what it would cost. Sends nothing.

    Replies that the journal holds cost nothing and are not counted. Rows that fail the check are asked
    again in a run; that cannot be foreseen.
    """
    with usage_errors():
        from extractor.bulk.foresight import foresee_calls
        from extractor.bulk.plan import open_plan
        from extractor.errors import SettingsError

        settings = load_overridden(model, base_url, journal)
        policy = choose_policy(readers or Readers.AUTO, settings, None)
        if policy == "template":
            raise SettingsError(f"there is nothing to plan without a model. {NO_MODEL}")
        with (
            report_progress() as on_progress,
            open_plan(
                paths or [], manifest, file_lists=files_from or [], settings=settings, on_progress=on_progress
            ) as documents,
        ):
            found = foresee_calls(documents, policy, settings, on_progress)
        tell_foresight(found, settings.prices.get(str(settings.model)), str(settings.model), policy)


def tell_foresight(found: Foresight, price: Price | None, model: str, policy: str) -> None:
    """Print what was found out."""
    from rich import box
    from rich.table import Table

    console = open_console()
    if found.calls:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("task")
        table.add_column("calls", justify="right")
        for task, count in sorted(found.calls.items()):
            table.add_row(task, str(count))
        console.print(table)
    failed = f", {found.failed} that cannot be read" if found.failed else ""
    lines = [
        f"{found.documents} documents{failed}; model {model}, policy {policy}",
        f"{found.calls.total()} calls to send; {found.on_record} answers are in the journal already and cost nothing",
    ]
    if found.calls:
        lines += [
            f"{found.input_tokens} tokens in, about {found.output_tokens} out (at most {found.most_output_tokens}), "
            "counted with DeepSeek's vocabulary; others differ by some 15 %",
            _say_price(found, price, model),
        ]
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)


def _say_price(found: Foresight, price: Price | None, model: str) -> str:
    from extractor.llm.budget import cost_usd
    from extractor.llm.calls import Usage

    if price is None:
        return f'no price is set for {model}: add [prices."{model}"] with input and output (USD for a million tokens)'
    about = cost_usd(Usage(found.input_tokens, found.output_tokens), price)
    most = cost_usd(Usage(found.input_tokens, found.most_output_tokens), price)
    batch = cost_usd(Usage(found.input_tokens, found.output_tokens), price, is_batch=True)
    return f"about {about:.4f} USD, at most {most:.4f} without what is asked again; about {batch:.4f} as a batch"
