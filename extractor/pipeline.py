"""The way through the house for one document. Saves nothing.

Lives here: the order of the stages, and how a document ends. Called by bulk and by the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

from extractor.chunks import split_chunks
from extractor.confidence import Certificate, decide_fields, govern_record
from extractor.forms import TABLE_SECTIONS, load_forms
from extractor.model import (
    Chunk,
    Decision,
    Document,
    DocumentIdentity,
    Origin,
    Outcome,
    Reading,
    Record,
    RecordField,
    Status,
    Suggestion,
)
from extractor.readers.looks import Looks, choose_looks
from extractor.readers.policy import Asks, Policy, choose_asks
from extractor.readers.template import TemplateReader
from extractor.reconcile import (
    Merged,
    compare_narrative,
    compare_readings,
    doubt_lone_model,
    evaluate_equations,
    examine_ink,
    explain_failures,
    flag_absent,
    flag_doubts,
    flag_unconfirmed,
    join_flags,
    keep_ledger,
    list_unread_pages,
    merge_generations,
    merge_readings,
    order_readings,
    place_record,
    recover_lost,
)
from extractor.revision import apply_rulings

if TYPE_CHECKING:
    from extractor.readers.llm import LlmReader
    from extractor.readers.llm.vision import VisionReader

__all__ = [
    "VERSIONS",
    "Draft",
    "Questions",
    "apply_rulings",
    "ask_about",
    "complete_document",
    "conclude_document",
    "draft_document",
    "process_document",
    "process_with_model",
]

# Findings about the document's make-up, which the rules alone look at.
_ABOUT_THE_WHOLE = frozenset({"table-missing", "section-missing", "sections-out-of-order", "indicator-table-not-read"})

VERSIONS = {"extractor": version("extractor"), "forms": load_forms().version, "record": "3"}


def process_document(
    document: Document, origins: Sequence[Origin] = (), certificate: Certificate | None = None
) -> Record:
    """Document -> Record, by the template reader alone: no network, no key.

    Args:
        document: see extractor.sources.load_document.
        origins: where the bytes were found; the document's own path when empty.
        certificate: one that stands for this reading (extractor.confidence.standing); None decides by the hard rules.
    """
    reading = TemplateReader().read(document, split_chunks(document))
    return _govern(_conclude(document, origins, [reading]), certificate)


async def process_with_model(
    document: Document,
    origins: Sequence[Origin],
    model: LlmReader,
    policy: Policy,
    certificate: Certificate | None = None,
    *,
    vision: VisionReader | None = None,
) -> Record:
    """Document -> Record, with a model asked for what the policy wants of it.

    Args:
        model: the reader that asks.
        policy: `auto` asks for what the template reader left open and for the narrative; `both` and
            `llm` ask for everything; `llm` then leaves the template's values out.
        certificate: see process_document. What is asked does not depend on it.
        vision: the reader that shows pictures of the paper; None where the model takes none.

    Raises:
        BudgetReached: the run's limit; the document is not finished and can be read later.
        ServerRefused: the server refuses every call alike.
    """
    return await complete_document(draft_document(document, origins, policy), model, policy, certificate, vision=vision)


class Questions(NamedTuple):
    """What is to be asked about a document, and what is needed for asking."""

    document: Document
    chunks: Sequence[Chunk]
    asks: Asks
    looks: Looks


class Draft(NamedTuple):
    """A document as the rules alone read it, and what is to be asked about it.

    Attributes:
        record: by the rules alone; None where it was left behind on the way to another process.
    """

    questions: Questions
    origins: Sequence[Origin]
    template: Reading
    record: Record | None


def draft_document(document: Document, origins: Sequence[Origin], policy: Policy) -> Draft:
    """The part of process_with_model in front of the model: computing alone, no waiting."""
    chunks = split_chunks(document)
    template = TemplateReader().read(document, chunks)
    record = _conclude(document, origins, [template])
    asks = choose_asks(policy, document, chunks, template, record)
    looks = choose_looks(policy, document, chunks, template, record)
    return Draft(Questions(document, chunks, asks, looks), origins, template, record)


async def complete_document(
    draft: Draft,
    model: LlmReader,
    policy: Policy,
    certificate: Certificate | None = None,
    *,
    vision: VisionReader | None = None,
) -> Record:
    """The part of process_with_model from the first question on. See there."""
    return conclude_document(draft, await ask_about(draft.questions, model, vision), policy, certificate)


async def ask_about(questions: Questions, model: LlmReader, vision: VisionReader | None = None) -> list[Reading]:
    """The part of process_with_model that waits: what the model says, in as many readings as were asked for.

    Raises:
        BudgetReached, ServerRefused: see process_with_model.
    """
    readings = []
    if questions.asks:
        readings.append(await model.read(questions.document, questions.chunks, questions.asks))
    if vision and questions.looks:
        readings.append(await vision.read(questions.document, questions.looks))
    return readings


def conclude_document(
    draft: Draft, answers: Sequence[Reading], policy: Policy, certificate: Certificate | None = None
) -> Record:
    """The part of process_with_model behind the model: computing alone, no waiting.

    Args:
        answers: see ask_about; the first is the model's own where anything was asked.
    """
    if not answers:
        alone = draft.record or _conclude(draft.questions.document, draft.origins, [draft.template])
        return _govern(alone, certificate)
    first, *others = answers
    readings = [draft.template, *answers]
    if policy == "llm" and draft.questions.asks:
        readings = [_add_missing(first, draft.template), *others]
    return _govern(_conclude(draft.questions.document, draft.origins, readings), certificate)


def _govern(record: Record, certificate: Certificate | None) -> Record:
    return govern_record(record, certificate) if certificate else record


def _add_missing(reading: Reading, template: Reading) -> Reading:
    """What is not there, whoever reads: tables without their heading, headings without their table."""
    unread = [name for name in template.unread if name in TABLE_SECTIONS and name not in reading.generation]
    flags = [flag for flag in template.flags if flag.code in _ABOUT_THE_WHOLE]
    return replace(reading, unread=(*reading.unread, *unread), flags=(*flags, *reading.flags))


def _conclude(document: Document, origins: Sequence[Origin], readings: Sequence[Reading]) -> Record:
    """Readings -> Record: merge, recover what the page lost, check, decide."""
    readings = order_readings(readings)
    generation = merge_generations(readings)
    printed = merge_readings(readings)
    ink = examine_ink(printed, document)
    ink_flags = flag_doubts(ink)
    findings = [*ink_flags, *(flag for reading in readings for flag in reading.flags)]
    merged, implied, recovery_flags, assumed = recover_lost(printed, generation, findings)
    equations = evaluate_equations(merged, generation, assumed)
    doubts = (
        *flag_absent(document, merged),
        *join_flags(readings, merged),
        *compare_readings(merged),
        *recovery_flags,
        *ink_flags,
        *flag_unconfirmed(ink, merged, generation, equations),
        *doubt_lone_model(merged, equations),
        *compare_narrative(merged),
    )
    failures = explain_failures(merged, generation, equations, doubts, ink)
    flags = (*doubts, *failures.flags)
    decisions = decide_fields({field_id: entry.printed for field_id, entry in merged.items()}, flags)
    unread_pages = list_unread_pages(document)
    ledger = keep_ledger(merged, generation, [*_still_unread(readings), *unread_pages])
    record = Record(
        document=DocumentIdentity(id=document.id, path=document.path, media_type=document.media_type),
        status=_end(readings[0].is_report or bool(unread_pages), ledger),
        origins=tuple(origins) or (Origin(path=document.path),),
        generation=generation,
        fields=_build_fields(merged, decisions, implied | failures.suggestions),
        equations=failures.equations,
        flags=flags,
        ledger=ledger,
        versions=VERSIONS | {name: text for reading in readings for name, text in reading.versions.items()},
    )
    return place_record(record, document.paper) if document.paper else record


def _still_unread(readings: Sequence[Reading]) -> list[str]:
    """What one reader could not read and no other one read instead."""
    first, *others = readings
    # A table that only one of them read is read; a second reading that failed takes nothing away.
    covered = {section for other in others for section in other.generation}
    covered |= {section for section, name in first.generation.items() if others and name != "absent"}
    covered |= {"header"} if "header.title" in first.candidates and others else set()
    if any(field_id.startswith("indicators.") for other in others for field_id in other.candidates):
        covered.add("indicator_table")
    return [name for reading in readings for name in reading.unread if name not in covered]


def _end(is_report: bool, ledger: Mapping[str, Outcome]) -> Status:
    """Partial means that something that exists could not be read; flags alone change nothing."""
    if not is_report:
        return Status.NOT_A_REPORT
    return Status.PARTIAL if "failed" in ledger.values() else Status.SUCCEEDED


def _build_fields(
    merged: Mapping[str, Merged],
    decisions: Mapping[str, Decision],
    suggestions: Mapping[str, tuple[Suggestion, ...]],
) -> dict[str, RecordField]:
    return {
        field_id: RecordField(
            state=printed.state,
            value=printed.value,
            unit=printed.unit,
            raw=printed.raw,
            spans=printed.spans,
            reader=printed.reader,
            decision=decisions[field_id],
            candidates=losing,
            suggestions=suggestions.get(field_id, ()),
            confirmed_by=confirmed_by,
        )
        for field_id, (printed, losing, confirmed_by) in merged.items()
    }
