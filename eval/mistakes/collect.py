"""Readings with mistakes, by a simulated reader over real HTTP and by the rules alone, compared with what is printed.

Lives here: running them. Does not live here: the documents (documents), figures (assess).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

from rich.console import Console
from rich.progress import track

from eval.corruption import KINDS, SEVERITIES, make_corrupted
from eval.mistakes.documents import Known, forget_rows, make_damaged, make_misread
from eval.simulate import Switch
from extractor.bulk.flow import ModelPart
from extractor.evaluation.calibration.dataset import Sample, observe_document
from extractor.llm.budget import Limits
from extractor.llm.session import open_live
from extractor.model import CellState, Record
from extractor.pipeline import process_document, process_with_model
from extractor.readers.policy import Policy
from extractor.settings import Settings
from extractor.sources import read_document
from tests.loopback.mistakes import ROW_MISTAKES, Mistakes
from tests.loopback.server import running_server
from tests.loopback.simulated import SimulatedReader

POLICIES: tuple[Policy, ...] = ("auto", "both", "llm")
#: Where a mistake is made: in the model's reply; in the text that everybody reads; in the structure of the document.
REPLY, TEXT, STRUCTURE = "reply", "text", "structure"

#: Documents of eval.corruption from this number on: the program was put right with those of small numbers.
_FIRST_DAMAGED = 90_000


class Trial(NamedTuple):
    """One reading of one document. `mistake` is the kind of mistakes that were made in it, `place` where."""

    place: str
    mistake: str
    policy: Policy
    sample: Sample


@dataclass(frozen=True)
class Design:
    """What is read: kinds and rates of mistakes, and how many damaged copies of each document."""

    mistakes: Sequence[str]
    rates: Sequence[float]
    copies: int


def collect_trials(known: Sequence[Known], design: Design) -> list[Trial]:
    """All readings of a design."""
    trials = [Trial(STRUCTURE, "damage", "template", sample) for one in known for sample in _read_damaged(one, design)]
    in_text = [mistake for mistake in design.mistakes if mistake in ROW_MISTAKES and mistake != "extra_row"]
    made_up = [one for one in known if one.printed]
    plan = [
        *((TEXT, *rest) for rest in product(in_text, design.rates, ("template", "both"))),
        *((REPLY, *rest) for rest in product(design.mistakes, design.rates, POLICIES)),
    ]
    switch = Switch()
    with running_server(switch) as server:
        for place, mistake, rate, policy in track(plan, "reading", console=Console(stderr=True)):
            if place == TEXT:
                read = [make_misread(one, mistake, rate) for one in made_up]
                reader = Mistakes()
            else:
                read = known[::3]  # asking takes its time
                reader = Mistakes(1, {mistake: rate})
            records = _read_all(read, switch, server.base_url, policy, reader)
            trials += [Trial(place, mistake, policy, _observe(*pair)) for pair in zip(read, records, strict=True)]
    return trials


def collect_damaged(count: int) -> list[Trial]:
    """Readings by the rules of documents damaged on purpose, `count` for each kind and severity of eval.corruption."""
    plan = list(product(KINDS, SEVERITIES))
    trials = []
    for kind, severity in track(plan, "reading", console=Console(stderr=True)):
        for made in make_corrupted(kind, severity, count, _FIRST_DAMAGED):
            record = process_document(read_document(made.raw, made.name, Settings()))
            sample = observe_document(record, made.label, made.name, made.label.layout)
            trials.append(Trial(STRUCTURE, kind, "template", sample))
    return trials


def _read_all(
    known: Sequence[Known], switch: Switch, base_url: str, policy: Policy, mistakes: Mistakes
) -> list[Record]:
    if policy == "template":
        return [process_document(one.document) for one in known]
    return asyncio.run(_ask_all(known, switch, base_url, policy, mistakes))


async def _ask_all(
    known: Sequence[Known], switch: Switch, base_url: str, policy: Policy, mistakes: Mistakes
) -> list[Record]:
    settings = Settings(model="simulated-reader", base_url=base_url, journal=":memory:")
    session = open_live(settings, Limits(), Limits(), lambda _: None)
    part = ModelPart.build(policy, session, settings)
    records = []
    for one in known:
        switch.reader = SimulatedReader([one.truth], mistakes)
        records.append(await process_with_model(one.document, (), part.reader, policy))
    await session.aclose()
    return records


def _read_damaged(known: Known, design: Design) -> Iterator[Sample]:
    for one in make_damaged(known, design.copies):
        record = process_document(one.document)
        # With its label destroyed, a row is not printed any more.
        absent = {name for name, field in record.fields.items() if field.state is CellState.ROW_ABSENT}
        yield _observe(one._replace(label=forget_rows(one.label, absent)), record)


def _observe(one: Known, record: Record) -> Sample:
    """A document is one unit, however often it is read and whatever is done to it."""
    return replace(observe_document(record, one.label, one.name, one.label.layout or "as found"), source=one.name)
