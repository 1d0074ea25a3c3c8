"""One record against one label: how many cells are right, and what was accepted.

Lives here: counting for one document. Does not live here: intervals, comparison of versions.
Accepted and wrong stands beside the accepted share, always: refusing everything is no way to be right.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from extractor.evaluation.labels import Label, LabelledCell
from extractor.model import CellState, Record, RecordField


@dataclass(frozen=True, slots=True)
class Score:
    """Counts over the table cells of one document, and over its facts.

    Attributes:
        cells: labelled cells.
        right: state and value as labelled.
        wrong: read, but not as labelled.
        inferred, inferred_agreeing: cells whose value was inferred by equations, and those of them with the label's
            number. Agreement, not accuracy: nobody read them.
        missing: labelled and not in the record.
        invented: in the record's tables and not in the label.
        accepted_wrong: wrong and accepted all the same: must be none.
        printed, printed_nonzero: cells that print a number, and a number other than 0.
        accepted, accepted_nonzero: those of them that are right and accepted.
        all_zero: cells that a guess of 0 everywhere would get right.
        facts, facts_right: header and narrative facts (absence counts), and those that agree.
        facts_accepted_wrong: facts accepted with another value than the label's.
        errors: one line for each cell that is not right.
    """

    cells: int
    right: int
    wrong: int
    inferred: int
    inferred_agreeing: int
    missing: int
    invented: int
    accepted_wrong: int
    printed: int
    printed_nonzero: int
    accepted: int
    accepted_nonzero: int
    all_zero: int
    facts: int
    facts_right: int
    facts_accepted_wrong: int
    errors: tuple[str, ...]


def score_record(record: Record, label: Label) -> Score:
    """Count one document."""
    found = {field_id: record.fields.get(field_id) for field_id in label.cells}
    right = {i for i, cell in label.cells.items() if _agrees(found[i], cell)}
    read = {i for i, field in found.items() if field is not None}
    inferred = {i for i in read if record.fields[i].state is CellState.INFERRED_BY_EQUATION}
    agreeing = {i for i in inferred if _number(record.fields[i]) == label.cells[i].value}
    accepted = {i for i in read if record.fields[i].decision == "accepted"}
    printed = {i for i, cell in label.cells.items() if cell.state is CellState.VALUE}
    nonzero = {i for i in printed if label.cells[i].value != 0}
    tables = {i for i in record.fields if i.partition(".")[0] not in ("header", "narrative")}
    facts_right = {i for i, value in label.facts.items() if _fact(record.fields.get(i)) == value}
    stated = {i for i in label.facts if (field := record.fields.get(i)) and field.decision == "accepted"}
    return Score(
        cells=len(label.cells),
        right=len(right),
        wrong=len(read - right - agreeing),
        inferred=len(inferred),
        inferred_agreeing=len(agreeing),
        missing=len(label.cells) - len(read),
        invented=len(tables - set(label.cells)),
        accepted_wrong=len(accepted - right),
        printed=len(printed),
        printed_nonzero=len(nonzero),
        accepted=len(printed & right & accepted),
        accepted_nonzero=len(nonzero & right & accepted),
        all_zero=len(printed - nonzero),
        facts=len(label.facts),
        facts_right=len(facts_right),
        facts_accepted_wrong=len(stated - facts_right),
        errors=tuple(_describe(i, label.cells[i], found[i]) for i in label.cells if i not in right | agreeing),
    )


def _agrees(field: RecordField | None, cell: LabelledCell) -> bool:
    if field is None or field.state is not cell.state:
        return False
    return cell.state is not CellState.VALUE or _number(field) == cell.value


def _number(field: RecordField) -> int | Decimal | None:
    return field.value if isinstance(field.value, int | Decimal) else None


def _fact(field: RecordField | None) -> object:
    return None if field is None else field.value


def _describe(field_id: str, cell: LabelledCell, field: RecordField | None) -> str:
    printed = cell.state.value if cell.value is None else f"{cell.value:g}"
    said = "missing" if field is None else f"{field.state.value} {field.raw or ''}".strip()
    return f"{field_id}: label {printed}, read {said}"
