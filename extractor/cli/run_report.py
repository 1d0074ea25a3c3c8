"""What the run command says when a run is over, however it ended.

Lives here: what was done, and what to do next. Does not live here: the command (run), progress (terminal), what the
account holds (extractor.bulk.run).
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from extractor.cli.terminal import open_console, print_error, print_notice

if TYPE_CHECKING:
    from extractor.bulk.run import RunSummary
    from extractor.model import Record

_SHOWN = 10
_RETRY = "--retry-quarantined"
_FRESH = "--fresh"  # what was read anew before the end need not be read once more
_PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s]+@")


def tell_summary(summary: RunSummary, unmatched_rows: Sequence[str], unmatched: int) -> None:
    """Say how a run ended, what was written, and what to do next.

    Args:
        summary: of the run; `account` says state, reason and progress (see RunFile.describe).
        unmatched_rows: the first rows of the manifest that name no input.
        unmatched: how many there are.
    """
    from rich.text import Text

    from extractor.console import summary_table

    console = open_console()
    account = summary.account
    lines: list[str] = []
    if summary.outputs or account.get("store"):
        console.print(summary_table(_choose_worst(summary.notable), account["documents"], console.width))
        lines += ["", *_describe_work(summary)]
        if unmatched:
            lines.append(f"{unmatched:,} manifest rows name files that are not among the inputs: {unmatched_rows[0]} …")
        lines += ["", *_list_places(summary)]
    lines += [*_describe_end(account), "", "What to do next:"]
    for command, use in (*_advise_again(account), *_advise(summary)):
        lines += [f"  {command}", f"      {use}"]
    for line in lines:
        console.print(Text(line), soft_wrap=True)


def tell_broken_off(error: Exception, kept_in: str) -> None:
    """Say on stderr why a run broke off, and how it goes on.

    Args:
        error: with file, problem and remedy.
        kept_in: where finished documents are: a ledger or a store.
    """
    print_error(error)
    print_notice(f"What was finished is kept in {kept_in}. When that is put right, go on with")
    print_notice(f"  {say_command()}")


def say_command(*more: str) -> str:
    """The command that was given, to be pasted into a shell, so that it goes on.

    Args:
        more: options that it is to have beside its own.

    Returns:
        A line for a shell; words where there is none: it held a password, or read a list from standard input.
    """
    program, *arguments = sys.argv
    if any(_PASSWORD.search(argument) for argument in arguments):
        return " ".join(["the same command (it holds a password, so it is not repeated here)", *_with(more)])
    if "-" in arguments or "--files-from=-" in arguments:
        return " ".join(["the same command, with the same list on standard input", *_with(more)])
    kept = [argument for argument in arguments if argument not in (*more, _FRESH)]
    return shlex.join([*_name_program(program), *kept[:1], *more, *kept[1:]])


def _with(more: Sequence[str]) -> list[str]:
    return ["and", *more] if more else []


def _name_program(program: str) -> list[str]:
    name = os.path.basename(program)
    if name == "__main__.py":
        return [sys.executable, "-m", "extractor"]
    found = shutil.which(name)
    return [name if found and os.path.realpath(found) == os.path.realpath(program) else program]


# ---------------------------------------------------------------- what was done


def _describe_work(summary: RunSummary) -> Iterator[str]:
    from extractor.console.amounts import show_rate, show_span

    account, kept = summary.account, summary.account["kept"]
    new = account["documents"] - kept
    counts = ", ".join(f"{count:,} {status}" for status, count in account["documents_by_status"].items() if count)
    yield f"{account['documents']:,} documents from {account['files']:,} files: {counts or 'none'}"
    seconds = account["seconds"]
    pace = f", {show_rate(new / seconds)}" if new and seconds else ""
    span = show_span(seconds) if seconds >= 10 else f"{seconds:.1f} s"
    yield f"{new:,} read in {span}{pace}" + (f"; {kept:,} kept from an earlier start" if kept else "")
    values = account["table_values"]
    yield (
        f"table values: {values['accepted']:,} of {values['printed']:,} printed accepted; of those that are not zero "
        f"{values['accepted_nonzero']:,} of {values['printed_nonzero']:,}; {account['fields']['review']:,} fields "
        "for review"
    )
    if account["model"]:
        yield from _describe_model(account["model"], account["fields"])
    else:
        yield "read by the rules alone, without a model (--readers says who reads)"
    yield summary.standing
    if account["audit"]["share"]:
        audit = account["audit"]
        yield f"audit sample: {audit['documents']:,} of {audit['eligible']:,} documents with accepted values"
    if summary.xlsx_rows_left_out:
        yield f"table.xlsx is full: {summary.xlsx_rows_left_out:,} documents are only in the other files"


def _describe_model(model: Mapping[str, Any], fields: Mapping[str, int]) -> Iterator[str]:
    """Whose replies these are, and what they cost. What no model said is never called a model's."""
    from extractor.console.amounts import show_money

    kinds = ", ".join(
        f"{item['count']:,} {item['origin']}{', from the journal' if item['from_journal'] and model['is_live'] else ''}"
        for item in model["replies"]
    )
    yield f"model {model['name']}, policy {model['policy']}: replies: {kinds or 'none'}"
    both, alone = fields["confirmed"], fields["read_by_model"]
    yield f"  {both:,} values read alike by both readers, {alone:,} by the model alone (quotes included)"
    if not model["is_live"]:
        yield "  replayed from a file, no server was asked. To ask your own: EXTRACTOR_MODEL, with EXTRACTOR_BASE_URL"
        yield "  for a local server (Ollama, vLLM, llama.cpp) or EXTRACTOR_API_KEY for a hosted one, and no --replay"
    if model["missing"]:
        yield f"  {model['missing']:,} questions have no recorded reply; their documents were read without it"
    spent = model["spent"]
    if spent["calls"]:
        tokens = f"{spent['input_tokens']:,} tokens in, {spent['output_tokens']:,} out"
        yield f"  {spent['calls']:,} requests, {tokens}, {show_money(spent['usd'])}"


def _list_places(summary: RunSummary) -> Iterator[str]:
    if summary.outputs:
        yield f"Written into {summary.outputs[0].parent}: {', '.join(path.name for path in summary.outputs)}"
    store = summary.account["store"]
    if store:
        yield f"Filed in {store['name']}: documents, records, queue; this is run {summary.run_id}"


# ---------------------------------------------------------------- how it ended, and what to do


def _describe_end(account: Mapping[str, Any]) -> Iterator[str]:
    if account["state"] == "finished":
        return
    done = account.get("documents", 0)
    left = f", {account['left']:,} are left" if account.get("left") else ""
    yield ""
    if done:
        yield f"{account['state'].upper()}: {done:,} documents are done and kept{left}"
    else:
        yield f"{account['state'].upper()} before the first document was done; earlier outputs are as they were"
    if account["reason"]:
        yield f"  {account['reason']}"


def _advise_again(account: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The command to run again, and what it does then."""
    command, progress = say_command(), account["progress"] or {}
    if account["state"] != "finished":
        yield command, "goes on; nothing is read or paid for twice"
        return
    failed, quarantined = progress.get("failed", 0), progress.get("quarantined", 0)
    if failed > quarantined or account.get("incomplete"):
        yield command, "tries again what failed or stayed unanswered, three times in all; keeps the rest"
    if quarantined:
        yield say_command(_RETRY), "tries what ended or blocked the program, too"


def _advise(summary: RunSummary) -> Iterator[tuple[str, str]]:
    """What to look at, and what for."""
    store = summary.account.get("store")
    if store:
        # A password is not repeated: a word to be replaced is plainer than an address that does not work.
        place = "ADDRESS" if "***" in store["name"] else shlex.quote(store["name"])
        yield f"extractor serve --store {place}", "the review page: decide what is in doubt"
        yield f"extractor export --store {place} --out FOLDER", "the output files, with what people decided"
    worst = max(summary.notable, key=_count_review, default=None)
    if worst and _count_review(worst) and os.path.isfile(worst.document.path):  # not in an archive
        command = f"extractor show {shlex.quote(worst.document.path)}"
        yield command, f"the report with most to review ({_count_review(worst)} fields)"
    if not summary.outputs:
        return
    folder = summary.outputs[0].parent
    yield str(folder / "table.xlsx"), "accepted values; an empty cell's reason is on sheet 'states'"
    yield str(folder / "queue.csv"), "the worklist: what a person should look at, and where; flags.csv says why"
    if summary.failed:
        yield str(folder / "run.json"), f"`errors`: why {summary.failed:,} documents failed, and the remedy"


def _choose_worst(records: Sequence[Record]) -> list[Record]:
    """The few with most to look at, in the order of the run."""
    worst = sorted(records, key=lambda record: (record.status.value != "failed", -_count_review(record)))[:_SHOWN]
    return [record for record in records if any(record is one for one in worst)]


def _count_review(record: Record) -> int:
    return sum(field.decision == "review" for field in record.fields.values())
