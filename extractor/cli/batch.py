"""extractor batch: ask in batches, at a lower price and within a day."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from extractor.cli.batch_report import tell_harvest, tell_mode, tell_rest, tell_selection, tell_status
from extractor.cli.options import (
    NO_MODEL,
    BaseUrlOption,
    JournalOption,
    MaxCallsOption,
    MaxTokensOption,
    MaxUsdOption,
    ModelOption,
    Readers,
    ReadersOption,
    choose_policy,
    limits,
    load_overridden,
)
from extractor.cli.terminal import (
    EXIT_FAILED,
    EXIT_STOPPED,
    print_error,
    report_progress,
    usage_errors,
)

if TYPE_CHECKING:
    from extractor.llm.batch import BatchDesk, Selection
    from extractor.llm.batch_harvest import Harvest
    from extractor.settings import Settings

_T = TypeVar("_T")

_OVERVIEW = """[bold]Examples[/bold]

[cyan]extractor batch submit reports/ --model gpt-4.1-mini[/cyan]   hand over what a run would ask

[cyan]extractor batch status[/cyan]   how far the server is

[cyan]extractor batch collect[/cyan]   take in what is finished; then: extractor run reports/ --out out
"""
_SUBMIT = """[bold]Examples[/bold]

[cyan]extractor batch submit reports/ --model gpt-4.1-mini[/cyan]   everything that has no reply yet

[cyan]extractor batch submit reports/ --model gpt-4.1-mini --max-usd 20[/cyan]   as much of it as 20 USD surely pay for
"""
_STATUS = """[bold]Examples[/bold]

[cyan]extractor batch status[/cyan]   the batches under way, and the last that are over
"""
_COLLECT = """[bold]Examples[/bold]

[cyan]extractor batch collect[/cyan]   again at any time: nothing is taken in or counted twice
"""
_ENDED_SHOWN = 10

app = typer.Typer(
    help="Ask in batches: the server answers within a day, at a lower price (half, as a rule).",
    epilog=_OVERVIEW,
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(epilog=_SUBMIT)
def submit(
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
    max_usd: MaxUsdOption = None,
    max_tokens: MaxTokensOption = None,
    max_calls: MaxCallsOption = None,
) -> None:
    """Hand over what a run would ask, in batches.

    Calls whose reply the journal holds and calls of batches under way are left out: the command may be given again.
    A limit counts the most that calls can cost; what does not fit is not handed over, and the exit code is 3.
    """
    with usage_errors(), _stops(), TemporaryDirectory(prefix="extractor-batch-") as folder:
        from extractor.bulk.foresight import foresee_calls
        from extractor.bulk.plan import open_plan
        from extractor.errors import SettingsError
        from extractor.llm.batch import Selection

        settings = load_overridden(model, base_url, journal)
        policy = choose_policy(readers or Readers.AUTO, settings, None)
        if policy == "template":
            raise SettingsError(f"there is nothing to hand over without a model. {NO_MODEL}")
        selection = Selection.open(Path(folder), settings, limits(max_usd, max_tokens, max_calls))
        selection.in_flight |= _work(settings, _prepare)
        with (
            report_progress() as on_progress,
            open_plan(
                paths or [], manifest, file_lists=files_from or [], settings=settings, on_progress=on_progress
            ) as plan,
        ):
            found = foresee_calls(plan, policy, settings, on_progress, on_call=selection.take)
        selection.files.close()
        tell_selection(found, selection)
        if selection.taken:
            tell_mode(settings)
            _work(settings, lambda desk: _send(desk, selection, str(settings.model)))
    if selection.over_limit:
        raise typer.Exit(EXIT_STOPPED)


@app.command(epilog=_STATUS)
def status(base_url: BaseUrlOption = None, journal: JournalOption = None) -> None:
    """Ask the server how far it is, and list the batches."""
    with usage_errors(), _stops():
        views = _work(load_overridden(None, base_url, journal), lambda desk: desk.refresh(ended=_ENDED_SHOWN))
    tell_status(views)


@app.command(epilog=_COLLECT)
def collect(base_url: BaseUrlOption = None, journal: JournalOption = None) -> None:
    """Take in the replies of batches that are over: finished, expired or cancelled.

    Then `extractor run` answers from the journal. Calls without a reply are free again: the next `submit` hands
    them over, and `run` asks them live. Lines that cannot be used are listed, and the exit code is 1.
    """
    with usage_errors(), _stops():
        settings = load_overridden(None, base_url, journal)
        harvests = _work(settings, lambda desk: _collect(desk, settings))
    if any(harvest.without for harvest in harvests):
        typer.echo("Calls without a reply are free: extractor run asks them live, extractor batch submit once more")
    if any(harvest.problems for harvest in harvests):
        raise typer.Exit(EXIT_FAILED)


# ---------------------------------------------------------------- doing


async def _prepare(desk: BatchDesk) -> set[str]:
    """See that the server takes batches before documents are read, and which calls are with it."""
    await desk.server.check()
    await desk.settle()
    return desk.journal.keys_in_flight()


async def _send(desk: BatchDesk, selection: Selection, model: str) -> None:
    for part in selection.files.parts:
        view = await desk.send(part, model)
        if view:
            typer.echo(f"{view.row.state} {view.row.id}: {view.calls} calls")
    typer.echo("Next: extractor batch status; when batches are over, extractor batch collect")


async def _collect(desk: BatchDesk, settings: Settings) -> list[Harvest]:
    from extractor.llm.batch_harvest import Harvest, collect_batches

    harvests: list[Harvest] = []
    is_idle = True
    async for found in collect_batches(desk, settings):
        is_idle = False
        if isinstance(found, Harvest):
            harvests.append(found)
            tell_harvest(found)
        else:
            tell_rest(found)
    if is_idle:
        typer.echo("No batches to collect.")
    return harvests


@contextmanager
def _stops() -> Iterator[None]:
    """What the server refuses or cannot do ends the command; what is done stays."""
    from extractor.llm.calls import CallError, ServerRefused

    try:
        yield
    except (CallError, ServerRefused) as error:
        print_error(error)
        raise typer.Exit(EXIT_STOPPED) from None


def _work(settings: Settings, work: Callable[[BatchDesk], Awaitable[_T]]) -> _T:
    """Do something with journal and server open, and pass on what the operator should know."""

    async def do() -> _T:
        from extractor.llm.batch import BatchDesk
        from extractor.llm.batch_server import BatchServer
        from extractor.store.journal import Journal

        server = BatchServer(settings)
        try:
            with Journal.open(settings.journal) as journal:
                desk = BatchDesk(journal, server)
                try:
                    return await work(desk)
                finally:
                    for notice in desk.notices:
                        typer.echo(notice, err=True)
        finally:
            await server.aclose()

    return asyncio.run(do())
