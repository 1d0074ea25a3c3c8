"""extractor run: many reports into one folder of tables."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    open_model,
)
from extractor.cli.terminal import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_STOPPED,
    open_console,
    print_error,
    report_progress,
    usage_errors,
)

if TYPE_CHECKING:
    from extractor.bulk.run import RunSummary
    from extractor.model import Record

# An empty line between examples: typer joins the lines of a paragraph.
EXAMPLES = """[bold]Examples[/bold]

[cyan]extractor run reports/ --out out[/cyan]   a folder with everything below it

[cyan]extractor run 'reports/**/*.html' extra.docx --out out[/cyan]   a pattern and a file

[cyan]extractor run reports/ --manifest sources.csv --out out[/cyan]   with url, site and fetched_at of each file

[cyan]extractor run --manifest sources.csv --out out[/cyan]   exactly the files that the manifest names

[cyan]extractor run reports/ --audit-share 0.05 --out out[/cyan]   with a sample of accepted documents in queue.csv
"""


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
    """Extract many reports into one folder of tables.

    One bad file never stops the rest; it is listed as failed, and the exit code is 1.
    Outputs of an earlier run are replaced only when the new ones are complete.
    Ctrl-C stops early and keeps what is done. So does a limit: exit code 3; the same command goes on later.
    Replies of a model are kept in a journal and never paid for twice.
    """
    with usage_errors():
        from extractor.bulk.plan import plan_inputs
        from extractor.bulk.run import run_documents
        from extractor.export import OUTPUTS, PANEL_OUTPUTS, check_out_dir
        from extractor.llm.calls import BudgetReached, ServerRefused

        settings = load_overridden(model, base_url, journal, certificate=certificate, audit_share=audit_share)
        check_out_dir(out, is_forced=force)
        plan = plan_inputs(paths or [], manifest, skip=[out / name for name in (*OUTPUTS, *PANEL_OUTPUTS)])
        policy = choose_policy(readers, settings, replay)
        run_limits = limits(max_usd, max_tokens, max_calls)
        document_limits = limits(max_document_usd, max_document_tokens, max_document_calls)
        part = open_model(policy, settings, replay, run_limits, document_limits)
        asked = {
            "paths": paths or [],
            "manifest": manifest and str(manifest),
            "out": str(out),
            "force": force,
            "readers": policy,
            "replay": replay and str(replay),
            "certificate": settings.certificate and str(settings.certificate),
            "audit_share": settings.audit_share,
        }
        try:
            with report_progress() as on_progress:
                summary = run_documents(plan, out, settings, on_progress, model=part, arguments=asked)
        except (BudgetReached, ServerRefused) as error:
            print_error(error)
            raise typer.Exit(EXIT_STOPPED) from None
    _tell_summary(summary, plan.unmatched_rows)
    if summary.stopped_by:
        raise typer.Exit(EXIT_STOPPED)
    if summary.is_interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)
    if summary.failed:
        raise typer.Exit(EXIT_FAILED)


def _tell_summary(summary: RunSummary, unmatched_rows: Sequence[str]) -> None:
    from rich.text import Text

    from extractor.console import summary_table
    from extractor.export import OUTPUTS

    console = open_console()
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
    if summary.stopped_by:
        lines.append(f"STOPPED: {summary.stopped_by}")
        lines.append("The outputs hold only what was done so far; the same command goes on where this one stopped")
    if account["model"]:
        lines += _describe_model(account["model"], account["fields"])
    else:
        lines.append("read by the rules alone, without a model (--readers says who reads)")
    lines.append(summary.standing)
    if account["audit"]["share"]:
        audit = account["audit"]
        lines.append(f"audit sample: {audit['documents']} of {audit['eligible']} documents with accepted values")
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


def _describe_model(model: Mapping[str, Any], fields: Mapping[str, int]) -> Iterator[str]:
    """Whose replies these are, and what they cost. What no model said is never called a model's."""
    kinds = ", ".join(
        f"{item['count']} {item['origin']}{', from the journal' if item['from_journal'] and model['is_live'] else ''}"
        for item in model["replies"]
    )
    yield f"model {model['name']}, policy {model['policy']}: replies: {kinds or 'none'}"
    both, alone = fields["confirmed"], fields["read_by_model"]
    yield f"  {both} values read alike by both readers, {alone} by the model alone (quotes included)"
    if not model["is_live"]:
        yield "  replayed from a file, no server was asked. To ask your own: EXTRACTOR_MODEL, with EXTRACTOR_BASE_URL"
        yield "  for a local server (Ollama, vLLM, llama.cpp) or EXTRACTOR_API_KEY for a hosted one, and no --replay"
    if model["missing"]:
        yield f"  {model['missing']} questions have no recorded reply; their documents were read without it"
    spent = model["spent"]
    if spent["calls"]:
        price = "price not set" if spent["usd"] is None else f"{spent['usd']} USD"
        yield f"  {spent['calls']} requests, {spent['input_tokens']} tokens in, {spent['output_tokens']} out, {price}"


def _advise(summary: RunSummary) -> Iterator[str]:
    folder = summary.outputs[0].parent
    reviewable = [record for record in summary.notable if _count_review(record)]
    if reviewable:
        worst = max(reviewable, key=_count_review)
        command = f"extractor show {shlex.quote(worst.document.path)}"
        yield f"{command}   the report with most to review ({_count_review(worst)} fields)"
    yield f"open {folder / 'table.xlsx'}   accepted values; an empty cell's reason is on sheet 'states'"
    yield f"open {folder / 'queue.csv'}   the worklist: what a person should look at, and where; flags.csv says why"
    if summary.failed:
        yield f"see `errors` in {folder / 'run.json'}   why {summary.failed} files failed, and the remedy"


def _count_review(record: Record) -> int:
    return sum(field.decision == "review" for field in record.fields.values())
