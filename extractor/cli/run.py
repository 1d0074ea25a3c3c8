"""extractor run: many reports into one folder of tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
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
from extractor.cli.run_report import tell_summary
from extractor.cli.terminal import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_STOPPED,
    print_error,
    report_progress,
    usage_errors,
)

if TYPE_CHECKING:
    from extractor.settings import Settings
    from extractor.store.store import Store

# An empty line between examples: typer joins the lines of a paragraph.
EXAMPLES = """[bold]Examples[/bold]

[cyan]extractor run reports/ --out out[/cyan]   a folder with everything below it

[cyan]extractor run 'reports/**/*.html' extra.docx --out out[/cyan]   a pattern and a file

[cyan]extractor run reports/ --manifest sources.csv --out out[/cyan]   with url, site and fetched_at of each file

[cyan]extractor run --manifest sources.csv --out out[/cyan]   exactly the files that the manifest names

[cyan]extractor run reports/ --store store.sqlite[/cyan]   into a store; then extractor serve --store store.sqlite

[cyan]extractor run reports/ --audit-share 0.05 --out out[/cyan]   with a sample of accepted documents in queue.csv
"""


def run(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATH...", help="Files, folders (read recursively) or glob patterns.")
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
    Outputs of an earlier run are replaced only when the new ones are complete; a store takes each document as soon as
    it is read, and the same document again is no second one.
    Ctrl-C stops early and keeps what is done. So does a limit: exit code 3; the same command goes on later.
    Replies of a model are kept in a journal and never paid for twice.
    """
    with usage_errors():
        from extractor.bulk.plan import plan_inputs
        from extractor.bulk.run import run_documents
        from extractor.llm.calls import BudgetReached, ServerRefused

        settings = load_overridden(
            model, base_url, journal, store=store, certificate=certificate, audit_share=audit_share
        )
        _check_places(out, settings, force)
        plan = plan_inputs(paths or [], manifest, skip=[*_list_outputs(out), *_list_store_files(settings)])
        policy = choose_policy(readers, settings, replay)
        run_limits = limits(max_usd, max_tokens, max_calls)
        document_limits = limits(max_document_usd, max_document_tokens, max_document_calls)
        part = open_model(policy, settings, replay, run_limits, document_limits)
        asked = {
            "paths": paths or [],
            "manifest": manifest and str(manifest),
            "out": out and str(out),
            "force": force,
            "readers": policy,
            "replay": replay and str(replay),
            "certificate": settings.certificate and str(settings.certificate),
            "audit_share": settings.audit_share,
        }
        try:
            with _open_if_named(settings) as opened, report_progress() as on_progress:
                summary = run_documents(plan, out, settings, on_progress, model=part, store=opened, arguments=asked)
        except (BudgetReached, ServerRefused) as error:
            print_error(error)
            raise typer.Exit(EXIT_STOPPED) from None
    tell_summary(summary, plan.unmatched_rows)
    if summary.stopped_by:
        raise typer.Exit(EXIT_STOPPED)
    if summary.is_interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)
    if summary.failed:
        raise typer.Exit(EXIT_FAILED)


def _check_places(out: Path | None, settings: Settings, force: bool) -> None:
    from extractor.errors import SettingsError
    from extractor.export import check_out_dir

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
