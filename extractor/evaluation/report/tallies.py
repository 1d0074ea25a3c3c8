"""Counts for the map of the form: what became of each field over the documents of one kind.

Lives here: counting, and which generation of the form a section counts under. Does not live here: the map (heatmap).
Called by heatmap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from extractor.evaluation.outcomes import DocumentOutcome, FieldOutcome
from extractor.forms import TABLE_SECTIONS, Form, load_forms


@dataclass(slots=True)
class Tally:
    """What became of one field over some documents.

    Attributes:
        documents: those whose label or whose record has the field.
        not_right: invented ones included.
        invented: those whose record has the field, and whose label has not.
    """

    documents: int = 0
    not_right: int = 0
    in_review: int = 0
    accepted_wrong: int = 0
    invented: int = 0

    def add(self, outcome: FieldOutcome) -> None:
        """Count one document more."""
        self.documents += 1
        self.not_right += outcome.verdict != "right"
        self.in_review += outcome.found is not None and not outcome.is_accepted
        self.accepted_wrong += outcome.is_wrong_and_accepted
        self.invented += outcome.verdict == "invented"

    @property
    def is_calm(self) -> bool:
        """Right and accepted everywhere."""
        return not (self.not_right or self.in_review)


@dataclass(slots=True)
class SectionTally:
    """One section in one generation: documents that have it, and tallies by field id."""

    documents: int = 0
    fields: dict[str, Tally] = field(default_factory=dict)


def tally_sections(documents: Sequence[DocumentOutcome]) -> dict[tuple[str, str], SectionTally]:
    """Counts by generation and section.

    Every section of a document counts under its own generation: documents may mix them.
    """
    tallied: dict[tuple[str, str], SectionTally] = {}
    for document in documents:
        for section_id, outcomes in _split_sections(document):
            section = tallied.setdefault(
                (_choose_generation(document, section_id, outcomes), section_id), SectionTally()
            )
            section.documents += 1
            for outcome in outcomes:
                section.fields.setdefault(outcome.field_id, Tally()).add(outcome)
    return tallied


def _split_sections(document: DocumentOutcome) -> Iterator[tuple[str, list[FieldOutcome]]]:
    for section_id in TABLE_SECTIONS:
        outcomes = [outcome for outcome in document.fields if outcome.group == section_id]
        if outcomes:
            yield section_id, outcomes


def _choose_generation(document: DocumentOutcome, section_id: str, outcomes: Sequence[FieldOutcome]) -> str:
    """The document's own generation; where it mixes them, the newest form that prints most of the section's fields."""
    forms = [form for form in load_forms().national if section_id in form.sections]
    named = [form for form in forms if form.generation == document.generation]
    labelled = {outcome.field_id for outcome in outcomes if outcome.verdict != "invented"}
    found = labelled or {outcome.field_id for outcome in outcomes}

    def count_printed(form: Form) -> int:
        return len(found & {item.id for item in form.sections[section_id].fields})

    return max(named or forms, key=count_printed).generation
