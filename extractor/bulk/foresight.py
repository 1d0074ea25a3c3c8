"""What a run would ask: every call without a reply on record, before anything is sent.

Lives here: a run with a session that answers from the journal alone, of which nothing is kept. Does
not live here: sending (extractor.llm.client, extractor.llm.batch), what is told about it (cli).
What is asked again because a reply failed the check cannot be foreseen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from extractor.bulk.engine import Engine
from extractor.bulk.flow import ModelPart
from extractor.bulk.keeping import Receipt, Ticket
from extractor.bulk.making import Source
from extractor.bulk.plan import Plan
from extractor.bulk.progress import Progress
from extractor.bulk.recipe import Recipe
from extractor.errors import SourceError
from extractor.llm.calls import Call
from extractor.llm.session import open_recorded
from extractor.llm.tokens import count_image_tokens, count_tokens
from extractor.llm.wire import HeaderFacts, NarrativeFacts, OlderReport
from extractor.model import Status
from extractor.readers.policy import Policy
from extractor.settings import Settings
from extractor.store.ledger import LedgerFile

# Tokens of usual replies, measured over labelled reports; a table's reply grows with its rows.
_USUAL: Mapping[type, int] = {HeaderFacts: 130, NarrativeFacts: 420, OlderReport: 500}
_PER_LINE = 19
_MOST_TABLE_LINES = 26


@dataclass(slots=True)
class Foresight:
    """What a run would do.

    Attributes:
        documents: documents that can be read; `failed` those that cannot.
        on_record: calls whose reply is there already.
        calls: calls to send, by task.
        input_tokens: of all calls to send, by the tokenizer of extractor.llm.tokens.
        output_tokens: what such replies usually have; `most_output_tokens` the limit that is sent along.
    """

    documents: int = 0
    failed: int = 0
    on_record: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    input_tokens: int = 0
    output_tokens: int = 0
    most_output_tokens: int = 0

    def add(self, call: Call) -> None:
        """Count one call that would be sent."""
        self.calls[call.task] += 1
        self.input_tokens += _count_system(call.system) + count_tokens(call.user)
        self.input_tokens += sum(count_image_tokens(image.data) for image in call.images)
        self.output_tokens += _usual_output(call)
        self.most_output_tokens += call.max_output_tokens


_system_counts: dict[str, int] = {}


def _count_system(system: str) -> int:
    """Instructions are few and the same for every document."""
    if system not in _system_counts:
        _system_counts[system] = count_tokens(system)
    return _system_counts[system]


def _usual_output(call: Call) -> int:
    usual = _USUAL.get(call.schema) or _PER_LINE * min(call.user.count("\n"), _MOST_TABLE_LINES)
    return min(usual, call.max_output_tokens)


def foresee_calls(
    plan: Plan,
    policy: Policy,
    settings: Settings,
    on_progress: Callable[[Progress], None],
    on_call: Callable[[str, Call], None] = lambda key, call: None,
) -> Foresight:
    """Find out what a run would ask.

    Args:
        plan: the documents.
        policy: who would read.
        settings: of the run; the journal is looked into, and made where there is none.
        on_progress: called after every batch of documents.
        on_call: called with key and call of everything that would be sent, each key once.

    Raises:
        SettingsError: no model is set, or the journal cannot be used.
    """
    seen: set[str] = set()
    found = Foresight()

    def note(key: str, call: Call) -> None:
        if key not in seen:
            seen.add(key)
            found.add(call)
            on_call(key, call)

    def count(receipts: Sequence[Receipt]) -> None:
        failed = sum(receipt.status is Status.FAILED for receipt in receipts)
        found.failed += failed
        found.documents += len(receipts) - failed
        done = found.documents + found.failed
        on_progress(Progress("read", done, plan.documents, failed=found.failed, path=receipts[-1].ticket.entry.path))

    session = open_recorded(settings, None, note)
    with TemporaryDirectory(prefix="extractor-foresight-") as folder:
        recipe = _make_recipe(policy, settings, Path(folder) / "ledger.sqlite")
        engine = Engine(recipe, ModelPart.build(policy, session, settings), on_kept=count)
        with closing(LedgerFile.open(Path(folder) / "ledger.sqlite")):
            engine.run(_list_sources(plan))
    if engine.is_interrupted:
        raise KeyboardInterrupt
    found.on_record = sum(session.asker.replied.values())
    return found


def _make_recipe(policy: Policy, settings: Settings, ledger: Path) -> Recipe:
    """A recipe whose records are thrown away."""
    return Recipe(
        settings=settings.model_copy(update={"api_key": None}),
        policy=policy,
        certificate=None,
        signature="foresight",
        ledger=str(ledger),
        store=None,
        run_id="foresight",
        chances=None,
        makes_files=False,
    )


def _list_sources(plan: Plan) -> Iterator[Source]:
    for entry in plan.entries():
        ticket = Ticket(str(entry.position), entry, 1)
        try:
            yield Source(ticket, plan.read(entry))
        except SourceError as error:
            yield Source(ticket, None, problem=error)
