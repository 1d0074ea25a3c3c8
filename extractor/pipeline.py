"""The way through the house for one document. Saves nothing.

Lives here: the order of the stages, and how a document ends. Called by bulk and by the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version

from extractor.chunks import split_chunks
from extractor.confidence import decide_fields
from extractor.forms import load_forms
from extractor.model import (
    CellState,
    Decision,
    Document,
    DocumentIdentity,
    Origin,
    Reading,
    Record,
    RecordField,
    Status,
)
from extractor.readers.base import Reader
from extractor.readers.template import TemplateReader
from extractor.reconcile import Merged, compare_narrative, evaluate_equations, merge_readings

VERSIONS = {"extractor": version("extractor"), "forms": load_forms().version, "record": "1"}

_UNREAD = frozenset({CellState.POSITION_UNKNOWN, CellState.UNPARSABLE, CellState.NOT_READ})


def process_document(
    document: Document, origins: Sequence[Origin] = (), readers: Sequence[Reader] = (TemplateReader(),)
) -> Record:
    """Document -> Record.

    Args:
        document: see extractor.sources.load_document.
        origins: where the bytes were found; the document's own path when empty.
        readers: asked in order; the first that has a field says what is printed.
    """
    chunks = split_chunks(document)
    readings = [reader.read(document, chunks) for reader in readers]
    generation = dict(readings[0].generation)
    merged = merge_readings(readings)
    equations, failed = evaluate_equations(merged, generation)
    flags = (
        *document.notices,
        *(f for reading in readings for f in reading.flags),
        *failed,
        *compare_narrative(merged),
    )
    decisions = decide_fields({field_id: entry.printed for field_id, entry in merged.items()}, flags)
    status = _end(readings[0], merged)
    return Record(
        document=DocumentIdentity(id=document.id, path=document.path, media_type=document.media_type),
        status=status,
        origins=tuple(origins) or (Origin(path=document.path),),
        generation=generation,
        fields=_build_fields(merged, decisions),
        equations=equations,
        flags=flags,
        versions=VERSIONS,
    )


def _end(reading: Reading, merged: Mapping[str, Merged]) -> Status:
    """Partial means that something that exists could not be read; flags alone change nothing."""
    if not reading.is_report:
        return Status.NOT_A_REPORT
    if reading.unread or any(entry.printed.state in _UNREAD for entry in merged.values()):
        return Status.PARTIAL
    return Status.SUCCEEDED


def _build_fields(merged: Mapping[str, Merged], decisions: Mapping[str, Decision]) -> dict[str, RecordField]:
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
        )
        for field_id, (printed, losing) in merged.items()
    }
