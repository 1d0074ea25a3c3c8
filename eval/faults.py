"""How documents end when the server misbehaves: python -m eval.faults [--rate 0.3].

The fixtures and three made-up reports go the whole way of a run, once for each kind of fault, over real HTTP, read by
both readers, with a simulated reader behind the server. Counted: how the documents ended, findings, requests sent
for a call that had its reply already, and cells accepted wrong. Waits between two tries are shortened to nothing. Exits
with 1 when anything wrong was accepted, lost, or asked for again after its reply was kept.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from eval.simulate import is_right
from extractor.bulk.flow import ModelPart
from extractor.llm.asker import JournalAsker
from extractor.llm.budget import Budget, Limits
from extractor.llm.calls import ServerRefused, sampling_parameters
from extractor.llm.client import ModelClient
from extractor.llm.session import Session
from extractor.model import Document, Record
from extractor.pipeline import process_with_model
from extractor.settings import Settings
from extractor.sources import load_document, read_document
from extractor.store.journal import Journal
from tests.loopback.faults import KINDS, FaultKind, SeededFaults
from tests.loopback.generated import generate_balanced
from tests.loopback.labelled import load_truth
from tests.loopback.server import running_server
from tests.loopback.simulated import SimulatedReader
from tests.loopback.truths import Truth

ROOT = Path(__file__).resolve().parent.parent
LAYOUTS = ("tab_rows", "html_page", "pipe_cells_dropped")
MODEL_FLAGS = ("reply-", "call-", "server-", "not-grounded", "reader-disagreement")


def make_documents() -> list[tuple[Document, Truth]]:
    """The fixtures, and three made-up reports."""
    found = []
    for label in sorted((ROOT / "eval" / "gold").glob("*.json")):
        truth = load_truth(label)
        if truth is not None:
            found.append((load_document(ROOT / "fixtures" / f"{label.stem}.txt"), truth))
    for seed, layout in enumerate(LAYOUTS):
        made = generate_balanced(layout, "2021", seed)
        found.append((read_document(made.raw, layout, Settings()), made.truth))
    return found


async def go_on_at_once(_seconds: float) -> None:
    """Stand in for the wait between two tries."""


async def process_all(documents: list[tuple[Document, Truth]], settings: Settings) -> list[Record | Exception]:
    """All documents at once, as a run has them."""
    budget = Budget(Limits(), Limits(), None)
    journal = Journal.open(settings.journal)
    asker = JournalAsker(str(settings.model), sampling_parameters(settings), journal, cost=budget.cost)
    asker.client = ModelClient(settings, budget=budget, on_attempt=asker.book, sleep=go_on_at_once)
    session = Session(asker, journal, asker.client, budget)
    reader = ModelPart.build("both", session, settings).reader
    ways = (process_with_model(document, (), reader, "both") for document, _ in documents)
    results = await asyncio.gather(*ways, return_exceptions=True)
    await session.aclose()
    return [result for result in results if isinstance(result, Record | Exception)]


def count_wrong(record: Record, truth: Truth) -> int:
    """Cells that were accepted and are not as printed."""
    return sum(
        field.decision == "accepted" and not is_right(field, truth.cells[name])
        for name, field in record.fields.items()
        if name in truth.cells
    )


def measure(kind: FaultKind | None, rate: float, documents: list[tuple[Document, Truth]]) -> tuple[list[str], bool]:
    """One line of the table, and whether all is well."""
    faults = SeededFaults(7, {kind: rate} if kind else {}, seconds=0.01)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(SimulatedReader([truth for _, truth in documents]), faults) as server,
    ):
        settings = Settings(
            model="simulated-reader",
            base_url=server.base_url,
            journal=str(Path(folder) / "journal.sqlite"),
            call_timeout_s=1,
        )
        results = asyncio.run(process_all(documents, settings))
        names = Counter(seen.http.headers["x-client-request-id"] for seen in server.chats)
        before = len(server.chats)
        again = asyncio.run(process_all(documents, settings))
        with Journal.open(settings.journal) as journal:
            journal.export_replies(Path(folder) / "kept.jsonl")
        asked_again = {seen.http.headers["x-client-request-id"] for seen in server.chats[before:]}
        kept_first = {seen.http.headers["x-client-request-id"] for seen in server.chats[:before] if seen.fault is None}
    records = [result for result in results if isinstance(result, Record)]
    stopped = sum(isinstance(result, ServerRefused) for result in results)
    wrong = sum(
        count_wrong(result, truth)
        for result, (_, truth) in zip(results, documents, strict=True)
        if isinstance(result, Record)
    )
    wrong += sum(
        count_wrong(result, truth)
        for result, (_, truth) in zip(again, documents, strict=True)
        if isinstance(result, Record)
    )
    statuses = Counter(record.status.value for record in records)
    flags = Counter(flag.code for record in records for flag in record.flags if flag.code.startswith(MODEL_FLAGS))
    is_lost = len(records) + stopped != len(documents)
    line = [
        kind or "none",
        f"{len(faults.hits)}/{before}",
        ", ".join(f"{count} {name}" for name, count in sorted(statuses.items()))
        + f", {stopped} stopped" * bool(stopped),
        ", ".join(f"{count} {name}" for name, count in flags.most_common()) or "-",
        str(max(names.values(), default=0)),
        str(len(asked_again & kept_first)),
        str(wrong),
    ]
    return line, not (wrong or is_lost or asked_again & kept_first)


def main() -> int:
    """Measure and print; 1 when anything is not well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=0.3)
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 170)
    documents = make_documents()
    columns = (
        "fault",
        "hits/requests",
        "documents ended",
        "findings",
        "most tries",
        "kept and asked again",
        "accepted wrong",
    )
    table = Table(*columns, box=None, title=f"{len(documents)} documents, faults at {arguments.rate:.0%}, policy both")
    is_well = True
    for kind in track([None, *KINDS], console=Console(stderr=True)):
        line, is_fine = measure(kind, arguments.rate, documents)
        table.add_row(*line)
        is_well &= is_fine
    console.print(table)
    return 0 if is_well else 1


if __name__ == "__main__":
    raise SystemExit(main())
