"""Labelled documents as calibration sees them: each field's features, and whether its value is wrong.

Lives here: reading the documents the whole way, what is kept of each, and which documents belong together. Does not
live here: fitting (fit), losses (certify).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from extractor.bulk.flow import ModelPart
from extractor.bulk.works import Work
from extractor.confidence.decide import find_hard_doubts, is_certain
from extractor.confidence.features import measure_features
from extractor.errors import SettingsError
from extractor.evaluation.labels import DocumentKind, Label, LabelledFile
from extractor.evaluation.outcomes import is_table_field, judge_fields, list_unjudged
from extractor.evaluation.runner import describe_layout, find_paths, process_works
from extractor.model import CellState, Record
from extractor.settings import Settings
from extractor.sources import load_document

OnProgress = Callable[[int, int], None]


class FieldSample(NamedTuple):
    """A field of which the record claims to know what is printed.

    Attributes:
        features: see extractor.confidence.features.
        is_wrong: whether it is not as labelled.
        is_accepted: by the hard rules.
        is_open: whether a certificate may accept it: grounded, and no finding about the reading names it.
        is_printed, is_nonzero: whether the label has a number there, in a table; one other than 0.
    """

    field_id: str
    features: tuple[float, ...]
    is_wrong: bool
    is_accepted: bool
    is_open: bool
    is_printed: bool
    is_nonzero: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled document.

    Attributes:
        id: sha256 of its bytes.
        source: the same for documents that print the same figures, whatever their bytes.
        name, kind, layout: those of its label; a layout that it does not know is what the source stage found.
        fields: none for a document that could not be read: it has nothing to accept.
        printed, nonzero: labelled numbers of its tables, in the record or not; those other than 0.
        unjudged: accepted fields that the label says nothing about.
    """

    id: str
    source: str
    name: str
    kind: DocumentKind
    layout: str
    fields: tuple[FieldSample, ...]
    printed: int
    nonzero: int
    unjudged: int = 0


def collect_samples(
    groups: Sequence[Sequence[LabelledFile]], settings: Settings, model: ModelPart | None, on_progress: OnProgress
) -> list[list[Sample]]:
    """Read labelled documents and compare them with their labels: the samples of each group, in its order.

    Copies of the same bytes are one document, within a group and between groups.

    Args:
        groups: see labels.find_labels.
        model: asked for what its policy wants; None: the rules alone. It is closed at the end.
        on_progress: called after every document with how many of how many are done.

    Raises:
        SettingsError: a label whose document is not there; two labels of the same bytes that say different things.
        BudgetReached, ServerRefused: the model cannot be asked any more.
    """
    named = [[(hash_document(file), file) for file in group] for group in groups]
    once = _leave_out_copies([pair for group in named for pair in group])
    works = [Work(str(file.document), None, (), len(once)) for file in once.values()]
    results = process_works(works, settings, model)
    samples: dict[str, Sample] = {}
    for (document_id, file), (work, result) in zip(once.items(), results, strict=True):
        record = result if isinstance(result, Record) else None
        layout = file.label.layout or _look_at_layout(Path(work.path), record, settings)
        samples[document_id] = observe_document(record, file.label, document_id, layout)
        on_progress(len(samples), len(once))
    return [[samples[document_id] for document_id in dict.fromkeys(key for key, _ in group)] for group in named]


def observe_document(record: Record | None, label: Label, document_id: str, layout: str) -> Sample:
    """What calibration keeps of a document.

    Args:
        record: decided by the hard rules alone; None where the document could not be read.
    """
    numbers = [
        cell.value for name, cell in label.cells.items() if cell.state is CellState.VALUE and is_table_field(name)
    ]
    return Sample(
        id=document_id,
        source=_name_source(label) or document_id,
        name=label.name,
        kind=label.kind,
        layout=layout,
        fields=tuple(_observe_fields(record, label)) if record else (),
        printed=len(numbers),
        nonzero=sum(number != 0 for number in numbers),
        unjudged=sum(1 for _ in list_unjudged(record, label)) if record else 0,
    )


def count_by(samples: Sequence[Sample], name: str) -> dict[str, int]:
    """Documents by `kind` or `layout`, in the order of these."""
    found = sorted(str(getattr(sample, name)) for sample in samples)
    return {key: found.count(key) for key in dict.fromkeys(found)}


def _observe_fields(record: Record, label: Label) -> Iterator[FieldSample]:
    features: Mapping[str, tuple[float, ...]] = measure_features(record)
    # Most fields of a document have the features of another one: kept once, thousands of documents fit in memory.
    shared = {values: tuple(map(float, values)) for values in features.values()}
    hard = find_hard_doubts(record.flags)
    for outcome in judge_fields(record, label):
        values = features.get(outcome.field_id)
        if values is None:
            continue
        yield FieldSample(
            outcome.field_id,
            shared[values],
            outcome.verdict != "right",
            outcome.is_accepted,
            is_certain(record.fields[outcome.field_id]) and outcome.field_id not in hard,
            outcome.is_table and outcome.expected is CellState.VALUE,
            outcome.is_table and outcome.is_nonzero,
        )


def hash_document(file: LabelledFile) -> str:
    """The id of a labelled document.

    Raises:
        SettingsError: it is not there.
    """
    (path,) = find_paths([file])
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _leave_out_copies(pairs: Sequence[tuple[str, LabelledFile]]) -> dict[str, LabelledFile]:
    once: dict[str, LabelledFile] = {}
    for document_id, file in pairs:
        first = once.setdefault(document_id, file)
        if (first.label.cells, first.label.facts) != (file.label.cells, file.label.facts):
            raise SettingsError(
                f"{first.path} and {file.path} label the same bytes and say different things. Keep the right one."
            )
    return once


def _look_at_layout(path: Path, record: Record | None, settings: Settings) -> str:
    return describe_layout(load_document(path, settings)) if record else "not read"


def _name_source(label: Label) -> str:
    """The same for labels with the same numbers other than 0; empty where there is none."""
    numbers = sorted((name, str(cell.value)) for name, cell in label.cells.items() if cell.value)
    return hashlib.sha256(repr(numbers).encode()).hexdigest() if numbers else ""
