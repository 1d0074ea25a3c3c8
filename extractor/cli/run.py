"""extractor run: many reports into one folder of tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extractor.cli.options import (
    AuditShareOption,
    BaseUrlOption,
    CertificateOption,
    DocumentCallsOption,
    DocumentTokensOption,
    DocumentUsdOption,
    JournalOption,
    MaxCallsOption,
    MaxTokensOption,
    MaxUsdOption,
    ModelOption,
    ReadersOption,
    ReplayOption,
    choose_policy,
    limits,
    load_overridden,
    names_store,
    open_model,
    open_store,
)
from extractor.cli.run_report import tell_broken_off, tell_summary
from extractor.cli.terminal import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_STOPPED,
    EXIT_USAGE,
    print_notice,
    report_progress,
    usage_errors,
)

if TYPE_CHECKING:
    from extractor.bulk.cluster import Cluster
    from extractor.llm.budget import Limits
    from extractor.readers.policy import Policy
    from extractor.settings import Settings
    from extractor.store.store import Store

# An empty line between examples: typer joins the lines of a paragraph.
EXAMPLES = """[bold]Examples[/bold]

[cyan]extractor run reports/ --out out[/cyan]   a folder with everything below it

[cyan]extractor run 'reports/**/*.html' extra.docx --out out[/cyan]   a pattern and a file

[cyan]extractor run reports/ --manifest sources.csv --out out[/cyan]   with url, site and fetched_at of each file

[cyan]extractor run --manifest sources.csv --out out[/cyan]   exactly the files that the manifest names

[cyan]extractor run county.zip pages.jsonl.gz --out out[/cyan]   archives and lines of JSON, read where they are

[cyan]extractor run reports/ --store store.sqlite[/cyan]   into a store; then extractor serve --store store.sqlite

[cyan]extractor run reports/ --store postgresql://… --engine dask --address tcp://HOST:8786[/cyan]   on many machines

[cyan]extractor run reports/ --audit-share 0.05 --out out[/cyan]   with a sample of accepted documents in queue.csv
"""


class Engines(StrEnum):
    """Where documents are read."""

    LOCAL = "local"
    DASK = "dask"


def run(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH...", help="Files, folders (read recursively), glob patterns, archives (zip, tar) or JSONL."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the outputs; made when missing.", show_default=False)
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE",
            help="Store for the review page (file or postgresql://…), beside --out or instead of it; it keeps a "
            "model's replies, too, unless a journal is named. Overrides EXTRACTOR_STORE.",
            show_default=False,
        ),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(help="CSV with a column 'path' and any of url, site, fetched_at: where each file came from."),
    ] = None,
    files_from: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="File with one path a line, read like PATH; - is standard input."),
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh/--resume",
            help="Read every document again. Else what an earlier start finished is kept: the same bytes at the same "
            "place, read in the same way.",
        ),
    ] = False,
    retry_quarantined: Annotated[
        bool,
        typer.Option(
            "--retry-quarantined",
            help="Try documents again that ended or blocked the program, and those that failed three times.",
        ),
    ] = False,
    engine: Annotated[
        Engines, typer.Option(help="Where documents are read: on this machine, or on a cluster of Dask workers.")
    ] = Engines.LOCAL,
    address: Annotated[
        str | None,
        typer.Option(
            help="Of the cluster's scheduler, such as tcp://10.0.0.5:8786; with --engine.", show_default=False
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write into a folder that holds other files; same names are replaced.")
    ] = False,
    certificate: CertificateOption = None,
    audit_share: AuditShareOption = None,
    readers: ReadersOption = None,
    replay: ReplayOption = None,
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    journal: JournalOption = None,
    max_usd: MaxUsdOption = None,
    max_tokens: MaxTokensOption = None,
    max_calls: MaxCallsOption = None,
    max_document_usd: DocumentUsdOption = None,
    max_document_tokens: DocumentTokensOption = None,
    max_document_calls: DocumentCallsOption = None,
) -> None:
    """Extract many reports into one folder of tables, or into a store for the review page, or both.

    One bad file never stops the rest; it is listed as failed, and the exit code is 1.
    What is finished is kept at once: however a run ends, the same command goes on from there. Outputs are replaced only
    when the new ones are complete.
    Ctrl-C begins nothing more, finishes what is under way and writes what is done; a second one ends at once. So does a
    limit: exit code 3. Replies of a model are kept in a journal and never paid for twice.
    """
    with usage_errors():
        from extractor.bulk.engine import Engine, get_workers_ready
        from extractor.bulk.plan import open_plan
        from extractor.bulk.remaining import Resume
        from extractor.bulk.run import run_documents
        from extractor.errors import OutputError, StoreError
        from extractor.llm.calls import BudgetReached, ServerRefused

        settings = load_overridden(
            model, base_url, journal, store=store, certificate=certificate, audit_share=audit_share
        )
        _check_places(out, settings, force)
        policy = choose_policy(readers, settings, replay)
        run_limits = limits(max_usd, max_tokens, max_calls)
        document_limits = limits(max_document_usd, max_document_tokens, max_document_calls)
        asked = {
            "paths": paths or [],
            "manifest": manifest and str(manifest),
            "files_from": files_from or [],
            "out": out and str(out),
            "force": force,
            "readers": policy,
            "replay": replay and str(replay),
            "certificate": settings.certificate and str(settings.certificate),
            "audit_share": settings.audit_share,
        }
        named = [settings.certificate, replay, *map(Path, files_from or [])]
        skip = [*_list_outputs(out), *_list_store_files(settings), *(path for path in named if path)]
        broken_by: Exception | None = None
        with _open_if_named(settings) as opened, report_progress() as on_progress, ExitStack() as cleanup:
            cluster = None
            if engine is Engines.LOCAL:
                get_workers_ready(settings)
            else:
                spending = (run_limits, document_limits)
                cluster = cleanup.enter_context(_connect(engine, address, settings, opened, policy, spending))
            plan = cleanup.enter_context(
                open_plan(
                    paths or [],
                    manifest,
                    skip=skip,
                    file_lists=files_from or [],
                    settings=settings,
                    on_progress=on_progress,
                )
            )
            if cluster:
                cluster.expected = plan.documents
            part = open_model(policy, settings, replay, run_limits, document_limits)
            try:
                summary = run_documents(
                    plan,
                    out,
                    settings,
                    on_progress,
                    model=part,
                    store=opened,
                    arguments=asked,
                    resume=Resume(is_fresh=fresh, retries=retry_quarantined),
                    make_engine=cluster.make_engine if cluster else Engine,
                )
            except (BudgetReached, ServerRefused, OutputError, StoreError) as error:
                broken_by = error  # told when the lines of progress are gone
    if broken_by:
        tell_broken_off(broken_by, opened.name if opened else str(out))
        is_stopped = isinstance(broken_by, BudgetReached | ServerRefused)
        raise typer.Exit(EXIT_STOPPED if is_stopped else EXIT_USAGE)
    tell_summary(summary, plan.unmatched_rows, plan.unmatched)
    if summary.stopped_by:
        raise typer.Exit(EXIT_STOPPED)
    if summary.is_interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)
    if summary.failed:
        raise typer.Exit(EXIT_FAILED)


def _connect(
    engine: Engines,
    address: str | None,
    settings: Settings,
    store: Store | None,
    policy: Policy,
    spending: tuple[Limits, Limits],
) -> Cluster:
    from extractor.bulk.cluster import connect
    from extractor.errors import SettingsError

    if address is None:
        raise SettingsError("a cluster has an address. Give its scheduler's with --address, such as tcp://HOST:8786.")
    run_limits, document_limits = spending
    asks_model = policy != "template"
    return connect(
        engine,
        address,
        settings,
        store,
        run=run_limits,
        document=document_limits,
        asks_model=asks_model,
        on_notice=print_notice,
    )


def _check_places(out: Path | None, settings: Settings, force: bool) -> None:
    from extractor.errors import SettingsError
    from extractor.export import check_out_dir
    from extractor.telemetry.watching import check_telemetry

    check_telemetry(settings)
    if out:
        check_out_dir(out, is_forced=force)
    elif not names_store(settings):
        raise SettingsError("nowhere to write to. Give a folder with --out, a store with --store, or both.")


def _list_outputs(out: Path | None) -> list[Path]:
    from extractor.export import OUTPUTS, PANEL_OUTPUTS

    return [out / name for name in (*OUTPUTS, *PANEL_OUTPUTS)] if out else []


def _list_store_files(settings: Settings) -> list[Path]:
    """The files of SQLite databases that may lie among the reports."""
    places = {settings.store, settings.journal}
    files = [place.removeprefix("sqlite:///") for place in places]
    return [Path(f"{file}{end}") for file in files if "://" not in file for end in ("", "-wal", "-shm")]


@contextmanager
def _open_if_named(settings: Settings) -> Iterator[Store | None]:
    if not names_store(settings):
        yield None
        return
    with closing(open_store(settings)) as store:
        typer.echo(f"Every document goes into {store.name} as soon as it is read", err=True)
        yield store
