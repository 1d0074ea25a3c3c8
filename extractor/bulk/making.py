"""Documents made in worker processes: bytes to what is asked about them, and answers to records that are kept.

Lives here: the two tasks of a worker. Does not live here: what they call (extractor.sources, extractor.pipeline),
keeping (keeping), which documents and when (engine). A batch is one task, so that handing over costs little.
"""

from __future__ import annotations

import gc
import pickle
from collections.abc import Sequence
from typing import NamedTuple

from extractor.bulk.keeping import Made, Receipt, Ticket, at_place, fail, find_receipt, keep_batch
from extractor.bulk.recipe import Recipe
from extractor.errors import ExtractorError, OutputError, SettingsError, StoreError
from extractor.model import Document, Reading
from extractor.pipeline import Draft, conclude_document, draft_document, process_document
from extractor.sources import read_document
from extractor.telemetry.clock import StageClock
from extractor.telemetry.events import StageTime

# Objects between two walks of the cyclic garbage collector: a document makes thousands and no cycles, and the walks
# took a sixth of a run.
_OBJECTS = 20_000


class Source(NamedTuple):
    """A document to make.

    Attributes:
        raw: its bytes; None where they could not be read.
        document: where it was read already (pages and pictures are, by processes of their own).
        problem: why it could not be read.
        stages: that it went through before.
    """

    ticket: Ticket
    raw: bytes | None
    document: Document | None = None
    problem: Exception | None = None
    stages: tuple[StageTime, ...] = ()

    @property
    def where(self) -> str:
        """The path that its bytes seem to have, for the pictures beside a page; one that leads nowhere in archives."""
        entry = self.ticket.entry
        return entry.where or entry.path


class Drafted(NamedTuple):
    """A document about which something is to be asked.

    Attributes:
        questions: extractor.pipeline.Questions, pickled.
        rest: of the draft, pickled: nobody needs it before the answers are there.
        stages: that it went through up to here.
    """

    ticket: Ticket
    questions: bytes
    rest: bytes
    stages: tuple[StageTime, ...]


class Answered(NamedTuple):
    """A document with what a model said about it. `problem`: what went wrong in asking, unforeseen."""

    drafted: Drafted
    answers: Sequence[Reading]
    problem: Exception | None = None


class Halt(NamedTuple):
    """What is wrong for every document alike. Errors with more than a message do not go through a pipe."""

    kind: type[ExtractorError]
    message: str


def get_ready() -> None:
    """Nothing but what importing this module does: the first batch need not wait for it."""


def draft_batch(recipe: Recipe, sources: Sequence[Source]) -> list[Drafted | Receipt] | Halt:
    """Read documents; those about which nothing is to be asked are kept at once.

    Returns:
        One item for each source, in any order.
    """
    gc.set_threshold(_OBJECTS)
    try:
        begun = [_begin(recipe, source) for source in sources]
        drafted = [one for one in begun if isinstance(one, Drafted)]
        made = [one for one in begun if isinstance(one, Made)]
        return [*drafted, *(keep_batch(recipe, made) if made else ())]
    except (OutputError, StoreError, SettingsError) as error:
        return Halt(type(error), str(error))


def finish_batch(recipe: Recipe, answered: Sequence[Answered]) -> list[Receipt] | Halt:
    """Make records of drafts and answers, and keep them."""
    gc.set_threshold(_OBJECTS)
    try:
        return keep_batch(recipe, [_finish(recipe, one) for one in answered])
    except (OutputError, StoreError, SettingsError) as error:
        return Halt(type(error), str(error))


def set_aside(recipe: Recipe, ticket: Ticket, raw: bytes | None, problem: str) -> list[Receipt] | Halt:
    """Keep a document that no process survives as one that is not tried again."""
    try:
        # Who was killed behind the end of the transaction has kept it.
        kept = find_receipt(recipe, ticket)
        return [kept] if kept else keep_batch(recipe, [fail(ticket, raw, RuntimeError(problem), is_quarantined=True)])
    except (OutputError, StoreError, SettingsError) as error:
        return Halt(type(error), str(error))


def _begin(recipe: Recipe, source: Source) -> Drafted | Made:
    ticket, clock = source.ticket, StageClock(source.stages)
    try:
        if source.problem:
            raise source.problem
        document = at_place(source.document or _load(recipe, source, clock), ticket.entry)
        if recipe.policy == "template":
            with clock.measure("conclude"):
                record = process_document(document, ticket.entry.origins, recipe.certificate)
            return Made(ticket, record, document, source.raw, stages=clock.taken)
        with clock.measure("draft"):
            draft = draft_document(document, ticket.entry.origins, recipe.policy)
        if draft.questions.asks or (recipe.settings.vision and draft.questions.looks):
            # Not the record by the rules alone: it is made anew with the answers.
            rest = pickle.dumps((draft.origins, draft.template), 5)
            return Drafted(ticket, pickle.dumps(draft.questions, 5), rest, clock.taken)
        with clock.measure("conclude"):
            record = conclude_document(draft, (), recipe.policy, recipe.certificate)
        return Made(ticket, record, document, source.raw, stages=clock.taken)
    except (OutputError, StoreError, SettingsError):
        raise
    except Exception as error:  # one bad file never stops the rest
        return fail(ticket, source.raw, error)._replace(stages=clock.taken)


def _load(recipe: Recipe, source: Source, clock: StageClock) -> Document:
    with clock.measure("load"):
        return read_document(source.raw or b"", source.where, recipe.settings)


def _finish(recipe: Recipe, answered: Answered) -> Made:
    drafted, clock = answered.drafted, StageClock(answered.drafted.stages)
    questions = pickle.loads(drafted.questions)  # noqa: S301 - what this program wrote a moment ago
    try:
        if answered.problem:
            raise answered.problem
        origins, template = pickle.loads(drafted.rest)  # noqa: S301
        draft = Draft(questions, origins, template, None)
        with clock.measure("conclude"):
            record = conclude_document(draft, answered.answers, recipe.policy, recipe.certificate)
    except (OutputError, StoreError, SettingsError):
        raise
    except Exception as error:
        return fail(drafted.ticket, questions.document.raw, error)._replace(stages=clock.taken)
    return Made(drafted.ticket, record, questions.document, questions.document.raw, stages=clock.taken)
