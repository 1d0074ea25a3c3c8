"""Tokens and calls a document, against asking everything at once: python eval/bench/tokens.py [FOLDER_OF_LABELS …].

The labelled documents are read over real HTTP by the policies that ask a model, with replies that are true to the
label, and whatever is asked again. Beside them two baselines ask instructor once for a whole document: `flat`, one
model of 200 named fields as first attempts have it, and `nested`, the best that one call for everything can do:
section, row and column, one line of JSON, plain numbers, the text without blanks. Facts of the running text are asked
for and answered alike everywhere, the header by `auto` only where the rules left it open.

Input is the text of all messages; what frames them, about seven tokens a call, is left out. Schema is
`response_format` or `tools` as sent. Exits with 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from extractor.bulk.flow import ModelPart
from extractor.errors import SourceError
from extractor.evaluation import Label, load_label
from extractor.llm.budget import Limits
from extractor.llm.session import open_live
from extractor.llm.tokens import count_tokens
from extractor.llm.wire import HeaderFacts, NarrativeFacts
from extractor.model import CellState, Document, Record
from extractor.pipeline import process_document, process_with_model
from extractor.readers.policy import Policy
from extractor.settings import Settings
from extractor.sources import load_document

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the simulated reader stands with the tests

from eval.bench.one_call import ask_once, build_flat, build_nested, find_sections, name_fields
from tests.loopback.labelled import load_truth
from tests.loopback.messages import Answer, ChatRequest, answer_json
from tests.loopback.questions import Recogniser
from tests.loopback.replies import write_json
from tests.loopback.server import running_server
from tests.loopback.simulated import SimulatedReader

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (ROOT / "eval" / "gold", ROOT.parent / "shared" / "corpus" / "labels")
POLICIES: tuple[Policy, ...] = ("auto", "both", "llm")
MODEL = "simulated-reader"
MOST_TABLE_SHARE, MOST_TOTAL_SHARE = 0.5, 0.6
FACT_KEYS = {*HeaderFacts.model_fields, *NarrativeFacts.model_fields}

Counter = Callable[[str], int]


@dataclass(slots=True)
class Sum:
    """Calls and tokens of one way to read; `tables` and `facts` are output, `total` leaves the schema out."""

    calls: int = 0
    table_calls: int = 0
    input: int = 0
    table_input: int = 0  # of the calls about tables, whatever else they are about
    tables: int = 0
    facts: int = 0
    total: int = 0
    schema: int = 0

    def __add__(self, other: Sum) -> Sum:
        return Sum(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(Sum)))


class Exchange(NamedTuple):
    """One request as it came over the wire, and its answer."""

    request: ChatRequest
    answer: Answer

    @property
    def reply(self) -> dict[str, Any]:
        """The answer's JSON."""
        return dict(json.loads(self.answer.content or "{}"))

    def weigh(self, count: Counter) -> Sum:
        """What it cost. Where a reply holds both, the tables are counted by themselves and the facts are the rest."""
        body, reply = self.request.body, self.reply
        table_part = {name: value for name, value in reply.items() if name not in FACT_KEYS}
        sent = sum(count(message["content"]) for message in body["messages"])
        said = count(write_json(reply))
        tables = count(write_json(table_part)) if table_part else 0
        schema = {name: body[name] for name in ("response_format", "tools") if name in body}
        return Sum(
            calls=1,
            table_calls=int(bool(table_part)),
            input=sent,
            table_input=sent if table_part else 0,
            tables=tables,
            facts=said - tables,
            total=sent + said,
            schema=count(write_json(schema)),
        )


class Listener:
    """Stands behind the server: has requests answered, and keeps them."""

    def __init__(self) -> None:
        self.answerer: Callable[[ChatRequest], Answer] = SimulatedReader([])
        self.heard: list[Exchange] = []

    def __call__(self, request: ChatRequest) -> Answer:
        answer = self.answerer(request)
        self.heard.append(Exchange(request, answer))
        return answer

    def listen(self, answerer: Callable[[ChatRequest], Answer], ask: Callable[[], object]) -> list[Exchange]:
        """What is said while something is asked."""
        self.answerer, self.heard = answerer, []
        ask()
        return self.heard


# ---------------------------------------------------------------- ours


def ask_by_policy(document: Document, policy: Policy, base_url: str) -> None:
    """Read one document as a run does that finds nothing in its journal."""

    async def read() -> None:
        session = open_live(settings, Limits(), Limits(), lambda _: None)
        try:
            await process_with_model(document, (), ModelPart.build(policy, session, settings).reader, policy)
        finally:
            await session.aclose()

    settings = Settings(model=MODEL, base_url=base_url, reply_mode="json_schema", journal=":memory:")
    asyncio.run(read())


def find_settled(record: Record) -> set[str]:
    """Tables in which the template reader left nothing open that any reader could know."""

    def is_settled(field_id: str) -> bool:
        field = record.fields[field_id]
        return field.decision == "accepted" or field.state is CellState.POSITION_UNKNOWN

    return {section.id for section in find_sections(record.generation) if all(map(is_settled, name_fields(section)))}


def count_needless(exchanges: Iterable[Exchange], settled: set[str]) -> int:
    """Calls about tables that were settled."""
    sections = [Recogniser().read(exchange.request).section for exchange in exchanges]
    return sum(section is not None and section.id in settled for section in sections)


def join_facts(exchanges: Iterable[Exchange]) -> dict[str, Any]:
    """All that replies say beside tables: what a baseline says about the same document."""
    facts: dict[str, Any] = dict.fromkeys(HeaderFacts.model_fields) | {n: [] for n in NarrativeFacts.model_fields}
    for exchange in exchanges:
        for name, value in exchange.reply.items():
            if name in FACT_KEYS:
                facts[name] = facts[name] + value if isinstance(value, list) else value
    return facts


# ---------------------------------------------------------------- measuring


class Measured(NamedTuple):
    """What was said about one document, by the way it was read; and how many calls were about settled tables."""

    name: str
    exchanges: dict[str, list[Exchange]]
    needless: int


def measure_folders(folders: Iterable[Path]) -> Iterator[Measured]:
    """Every labelled document that can be read, once."""
    listener, seen = Listener(), set()
    with running_server(listener) as server:
        for path in (path for folder in folders for path in sorted(folder.glob("*.json"))):
            label = load_label(path)
            files = [parent / label.file for parent in path.resolve().parents]
            try:
                document = load_document(next(file for file in files if file.is_file()))
            except SourceError:
                continue  # of a kind that is not read
            if document.id not in seen:
                seen.add(document.id)
                yield measure(path, document, label, listener, server.base_url)


def measure(path: Path, document: Document, label: Label, listener: Listener, base_url: str) -> Measured:
    """One document in every way."""
    truth = load_truth(path)
    assert truth is not None
    reader = SimulatedReader([truth])
    exchanges = {
        policy: listener.listen(reader, lambda policy=policy: ask_by_policy(document, policy, base_url))
        for policy in POLICIES
    }
    facts = join_facts(exchanges["llm"])
    for name, baseline in (("nested", build_nested(document, label)), ("flat", build_flat(document, label))):
        answer = answer_json({**facts, **baseline.tables})
        exchanges[name] = listener.listen(
            lambda _, answer=answer: answer, lambda b=baseline: ask_once(b, MODEL, base_url)
        )
    settled = find_settled(process_document(document))
    return Measured(path.stem, exchanges, count_needless(exchanges["auto"], settled))


def load_counters() -> dict[str, Counter]:
    """The vocabularies at hand."""
    counters: dict[str, Counter] = {"DeepSeek": count_tokens}
    with suppress(ImportError):  # the extra `bench`
        from rs_bpe.bpe import openai  # noqa: PLC0415

        counters["o200k"] = openai.o200k_base().count
    return counters


# ---------------------------------------------------------------- telling


def count_ways(exchanges: Mapping[str, Sequence[Exchange]], counter: Counter) -> dict[str, Sum]:
    """One document's tokens, by the way it was read."""
    return {way: sum((one.weigh(counter) for one in said), Sum()) for way, said in exchanges.items()}


def print_sums(console: Console, sums: Mapping[str, Mapping[str, Sum]], vocabulary: str) -> None:
    """A line a document and way to read it, and one for all documents."""
    columns = "document|read by|calls|for tables|input|for tables|tables out|facts out|total|schema besides"
    table = Table(*columns.split("|"), title=f"tokens by {vocabulary}'s vocabulary", box=None, title_justify="left")
    for name, ways in sums.items():
        for way, counted in ways.items():
            values = (getattr(counted, field.name) for field in fields(Sum))
            table.add_row(name if way == POLICIES[0] else "", way, *(f"{value:,}" for value in values))
    console.print(table)


def check_target(sums: Mapping[str, Mapping[str, Sum]], way: str, what: str, most: float) -> bool:
    """Print one target, over all documents and for the worst one; whether all of them together keep it."""
    shares = {name: getattr(ways[way], what) / max(1, getattr(ways["nested"], what)) for name, ways in sums.items()}
    together = shares.pop("all")
    worst = max(shares, key=shares.__getitem__)
    verdict = "kept" if together <= most else f"missed by {together - most:.3f}"
    print(f"{way}, {what}, as a share of nested: {together:.3f}, at most {most}: {verdict}", end="")
    print(f" (the worst document: {shares[worst]:.3f}, {worst})")
    return together <= most


def main() -> int:
    """Measure and print; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    folders = parser.parse_args().folders or [folder for folder in FOLDERS if folder.is_dir()]
    console = Console(width=None if sys.stdout.isatty() else 160)
    measured = list(measure_folders(folders))
    is_kept = True
    for vocabulary, counter in load_counters().items():
        sums = {one.name: count_ways(one.exchanges, counter) for one in measured}
        ways = sums[measured[0].name]
        sums["all"] = {way: sum((counted[way] for counted in sums.values()), Sum()) for way in ways}
        print_sums(console, sums, vocabulary)
        is_kept &= check_target(sums, "llm", "tables", MOST_TABLE_SHARE)
        is_kept &= check_target(sums, "auto", "total", MOST_TOTAL_SHARE)
    needless = sum(one.needless for one in measured)
    print(f"calls of auto about tables that the template reader settles: {needless}")
    return 0 if is_kept and not needless else 1


if __name__ == "__main__":
    raise SystemExit(main())
