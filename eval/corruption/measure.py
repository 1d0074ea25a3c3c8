"""What becomes of damaged documents: one document through the real pipeline, and the counts of many.

Lives here: the judging of one document and the tally. Does not live here: which documents (eval.corrupted), damage.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from eval.corruption.clean import Figures
from eval.corruption.make import Corrupted, make_corrupted
from extractor.errors import SourceError
from extractor.evaluation.outcomes import FieldOutcome, judge_fields
from extractor.model import CellState, Record
from extractor.pipeline import process_document
from extractor.settings import Settings
from extractor.sources import read_document


class Job(NamedTuple):
    """Documents to measure.

    Attributes:
        row: of the table, in which they are counted.
        kinds: one, several for a mix, none for clean documents.
        numbers: of the documents.
    """

    row: str
    kinds: tuple[str, ...]
    severity: int
    numbers: range


class AcceptedWrong(NamedTuple):
    """One field that is accepted, and is not what the label says."""

    document: str
    damage: str
    severity: int
    layout: str
    source: str
    field: str
    printed: str
    said: str
    raw: str | None


@dataclass
class Tally:
    """Counts over documents. `cells` are table cells; `printed` and `nonzero` those that print a number (not 0)."""

    documents: int = 0
    unreadable: int = 0
    cells: int = 0
    right: int = 0
    review: int = 0
    printed: int = 0
    printed_accepted: int = 0
    nonzero: int = 0
    nonzero_accepted: int = 0
    crashes: list[str] = field(default_factory=list)
    wrong: list[AcceptedWrong] = field(default_factory=list)
    layouts: Counter[str] = field(default_factory=Counter)

    def add(self, outcomes: Iterable[FieldOutcome]) -> None:
        """Count one document's table cells."""
        for outcome in outcomes:
            if not outcome.is_table or outcome.verdict == "invented":
                continue
            is_accepted = outcome.is_accepted and outcome.verdict == "right"
            self.cells += 1
            self.right += outcome.verdict == "right"
            self.review += not outcome.is_accepted
            self.printed += outcome.expected is CellState.VALUE
            self.printed_accepted += is_accepted and outcome.expected is CellState.VALUE
            self.nonzero += outcome.is_nonzero
            self.nonzero_accepted += is_accepted and outcome.is_nonzero

    def join(self, other: Tally) -> None:
        """Add the counts of other documents."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


def measure_job(job: Job, known: Sequence[Figures]) -> Tally:
    """Make the documents of a job and put each through the pipeline."""
    tally = Tally()
    numbers = job.numbers
    for document in make_corrupted(job.kinds, job.severity, len(numbers), numbers.start, known):
        measure_document(tally, document)
    return tally


def measure_document(tally: Tally, document: Corrupted) -> None:
    """Put one document through the pipeline and count what became of it."""
    tally.documents += 1
    tally.layouts[document.label.layout] += 1
    record = None
    try:
        record = process_document(read_document(document.raw, document.name, Settings()))
    except SourceError:
        tally.unreadable += 1
    except Exception as error:  # a crash is what this looks for
        tally.crashes.append(f"{document.name}: {error!r}")
    outcomes = list(judge_fields(record, document.label))
    tally.add(outcomes)
    tally.wrong += [_describe(document, outcome, record) for outcome in outcomes if outcome.is_wrong_and_accepted]


def _describe(document: Corrupted, outcome: FieldOutcome, record: Record | None) -> AcceptedWrong:
    assert record is not None
    label = document.label
    return AcceptedWrong(
        document=document.name,
        damage=label.damage,
        severity=label.severity,
        layout=label.layout,
        source=document.source,
        field=outcome.field_id,
        printed=_say(outcome.expected, outcome.printed),
        said=_say(outcome.found, outcome.said),
        raw=record.fields[outcome.field_id].raw,
    )


def _say(state: CellState | None, value: object) -> str:
    if state is CellState.VALUE:
        return str(value)
    return str(state) if state else "not stated"
