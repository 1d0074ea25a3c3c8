"""What becomes of a model's mistakes: python -m eval.simulate [--rates 0.01,0.05,0.2] [--policies both,auto,llm].

A simulated reader, which knows what the documents print, answers over real HTTP and makes one kind of mistake at a
given rate. Counted: cells that it spoiled, and how they ended: put right (asked again, or read by the rules), in
review, or accepted and wrong. But for the fixtures the documents are made up (the official form in several
flattenings, with numbers that are not all 0, some with empty cells and with characters lost from labels), so this says
what the checks notice, and nothing about how often any model errs. Exits with 1 when anything wrong was accepted.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from extractor.bulk.flow import ModelPart
from extractor.forms import TABLE_SECTIONS
from extractor.llm.budget import Limits
from extractor.llm.session import open_live
from extractor.model import CellState, Document, Record, RecordField
from extractor.pipeline import process_with_model
from extractor.readers.cells import read_cell
from extractor.readers.policy import Policy
from extractor.settings import Settings
from extractor.sources import load_document, read_document
from tests import flatten
from tests.loopback.generated import generate
from tests.loopback.labelled import load_truth
from tests.loopback.messages import Answer, ChatRequest
from tests.loopback.mistakes import KINDS, Mistakes
from tests.loopback.server import running_server
from tests.loopback.simulated import SimulatedReader
from tests.loopback.truths import Truth
from tests.mutations import drop_character_of_label

ROOT = Path(__file__).resolve().parent.parent
LAYOUTS = ("tab_cells", "html_page", "pipe_cells_kept", "bare_lines", "spaced_rows", "glued")
GENERATIONS = ("2021", "2019")
NOT_PRINTED = "(no such row)"
#: Chinese characters that a document has lost, anywhere: labels and headings no longer read as in the form.
LOST_CHARACTERS = (0, 20)
EMPTY_SHARES = (0.0, 0.1)


@dataclass(slots=True)
class Tally:
    """How cells ended. `nonzero` and `accepted` are of printed numbers other than 0."""

    documents: int = 0
    spoiled: int = 0
    put_right: int = 0
    in_review: int = 0
    accepted_wrong: int = 0
    nonzero: int = 0
    accepted: int = 0
    reviewed: int = 0
    fields: int = 0

    def add(self, record: Record, truth: Truth, spoiled: set[str]) -> None:
        """Count one document."""
        self.documents += 1
        facts = {
            f"narrative.{fact.fact}": fact.number for fact in truth.facts if read_cell(fact.number).value is not None
        }
        printed = {**truth.cells, **facts}
        tables = {i: field for i, field in record.fields.items() if i in facts or i.partition(".")[0] in TABLE_SECTIONS}
        right = {i for i, field in tables.items() if is_right(field, printed.get(i, NOT_PRINTED))}
        accepted = {i for i, field in tables.items() if field.decision == "accepted"}
        nonzero = {i for i, text in truth.cells.items() if text not in (None, "0")}
        self.accepted_wrong += len(accepted - right)
        self.spoiled += len(spoiled & set(tables))
        self.put_right += len(spoiled & right & accepted)
        self.in_review += len((spoiled & set(tables)) - accepted)
        self.nonzero += len(nonzero)
        self.accepted += len(nonzero & right & accepted)
        self.fields += len(tables)
        self.reviewed += len(set(tables) - accepted)


def is_right(field: RecordField, printed: str | None) -> bool:
    """Whether a field says what is printed."""
    if printed == NOT_PRINTED:
        return field.state is CellState.ROW_ABSENT
    if printed is None:
        return field.state is CellState.BLANK
    token = read_cell(printed)
    return field.state is token.state and field.value == token.value


def make_documents(seeds: int) -> Iterator[tuple[Document, Truth]]:
    """The fixtures, made-up documents, and what they print."""
    for label in sorted((ROOT / "eval" / "gold").glob("*.json")):
        if truth := load_truth(label):
            yield load_document(ROOT / "fixtures" / f"{label.stem}.txt"), truth
    places = product(LAYOUTS, GENERATIONS, range(seeds), LOST_CHARACTERS, EMPTY_SHARES)
    for layout, generation, seed, lost, empty in places:
        name = f"{layout}-{generation}-{seed}-{lost}-{empty}"
        rng = random.Random(name)
        values = flatten.as_printed(flatten.make_values(generation, seed))
        made = generate(layout, generation, {i: "" if rng.random() < empty else text for i, text in values.items()})
        charset = "gb18030" if layout == "html_page" else "utf-8"
        text = made.raw.decode(charset)
        for _ in range(lost):
            text = drop_character_of_label(rng, text)
        document = read_document(text.encode(charset), name, Settings())
        yield document, replace(made.truth, name=name, view=document.view)


class Switch:
    """Hands every request to the reader of the document that is being processed."""

    def __init__(self) -> None:
        self.reader: SimulatedReader | None = None

    def __call__(self, request: ChatRequest) -> Answer:
        assert self.reader is not None
        return self.reader(request)


async def measure(
    documents: Sequence[tuple[Document, Truth]], switch: Switch, base_url: str, policy: Policy, mistakes: Mistakes
) -> Tally:
    """Process all documents with one policy and one kind of mistake."""
    settings = Settings(model="simulated-reader", base_url=base_url, journal=":memory:")
    session = open_live(settings, Limits(), Limits(), lambda _: None)
    part = ModelPart.build(policy, session, settings)
    tally = Tally()
    for document, truth in documents:
        switch.reader = SimulatedReader([truth], mistakes)
        record = await process_with_model(document, (), part.reader, policy)
        tally.add(record, truth, {name for made in switch.reader.spoiled for name in made.fields})
    await session.aclose()
    return tally


def main() -> int:
    """Measure and print; 1 when anything accepted is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", default="0,0.01,0.05,0.2")
    parser.add_argument("--policies", default="both,auto,llm")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--seeds", type=int, default=1)
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 160)
    documents = list(make_documents(arguments.seeds))
    switch = Switch()
    columns = ("mistake", "rate", "policy", "spoiled cells", "put right", "in review", "accepted wrong")
    table = Table(*columns, "non-zero accepted", "review load", box=None, title=f"{len(documents)} documents")
    rates = [float(rate) for rate in arguments.rates.split(",")]
    wrong = 0
    with running_server(switch) as server:
        plan = [(kind, rate) for kind in arguments.kinds.split(",") for rate in rates if rate]
        plan = [("none", 0.0)] * (0 in rates) + plan
        for (kind, rate), policy in track(
            list(product(plan, arguments.policies.split(","))), console=Console(stderr=True)
        ):
            mistakes = Mistakes(1, {kind: rate} if rate else None)
            tally = asyncio.run(measure(documents, switch, server.base_url, policy, mistakes))
            wrong += tally.accepted_wrong
            table.add_row(
                kind,
                f"{rate:.0%}",
                policy,
                *map(str, (tally.spoiled, tally.put_right, tally.in_review, tally.accepted_wrong)),
                f"{tally.accepted}/{tally.nonzero}",
                f"{tally.reviewed}/{tally.fields}",
            )
    console.print(table)
    console.print(f"accepted and wrong: {wrong}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
