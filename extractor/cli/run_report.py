"""What the run command prints at its end.

Does not live here: the command (run).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from extractor.cli.terminal import open_console

if TYPE_CHECKING:
    from extractor.bulk.run import RunSummary
    from extractor.model import Record


def tell_summary(summary: RunSummary, unmatched_rows: Sequence[str]) -> None:
    """Say how a run ended, what was written, and what to do next."""
    from rich.text import Text

    from extractor.console import summary_table
    from extractor.export import OUTPUTS

    console = open_console()
    if not summary.account:
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
    if account["store"]:
        lines.append(f"  {account['store']['name']}   store: documents, records, queue; this is run {summary.run_id}")
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
    store = summary.account["store"]
    if store:
        place = shlex.quote(store["name"])
        yield f"extractor serve --store {place}   the review page: decide what is in doubt"
        yield f"extractor export --store {place} --out FOLDER   the output files, with what people decided"
    reviewable = [record for record in summary.notable if _count_review(record)]
    if reviewable:
        worst = max(reviewable, key=_count_review)
        command = f"extractor show {shlex.quote(worst.document.path)}"
        yield f"{command}   the report with most to review ({_count_review(worst)} fields)"
    if not summary.outputs:
        return
    folder = summary.outputs[0].parent
    yield f"open {folder / 'table.xlsx'}   accepted values; an empty cell's reason is on sheet 'states'"
    yield f"open {folder / 'queue.csv'}   the worklist: what a person should look at, and where; flags.csv says why"
    if summary.failed:
        yield f"see `errors` in {folder / 'run.json'}   why {summary.failed} files failed, and the remedy"


def _count_review(record: Record) -> int:
    return sum(field.decision == "review" for field in record.fields.values())
