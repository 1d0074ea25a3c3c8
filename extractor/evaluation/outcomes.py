"""One record against one label, field by field: what became of each, and whether it was accepted.

Lives here: the comparison of one document. Does not live here: any counting (metrics), running the program (runner).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, NamedTuple

from extractor.evaluation.labels import DocumentKind, Label, LabelledCell
from extractor.model import CellState, Record, RecordField, Value

#: What became of a field. `right`: as labelled. `wrong`: the record says something else. `open`: the record says that
#: it does not know (position_unknown, unparsable, not_read), or offers what equations imply. `missing`: labelled, and
#: not in the record. `invented`: in the record's tables, and not in the label.
Verdict = Literal["right", "wrong", "open", "missing", "invented"]

_OPEN = frozenset(
    {CellState.POSITION_UNKNOWN, CellState.UNPARSABLE, CellState.NOT_READ, CellState.INFERRED_BY_EQUATION}
)
_FACT_GROUPS = ("header", "narrative")
_QUOTES = ("narrative.problems.", "narrative.measures.")


class FieldOutcome(NamedTuple):
    """What became of one field.

    Attributes:
        group: section of the form, `header` or `narrative`.
        expected: state by the label; None for an invented field, and for a fact that the text does not state.
        printed: the labelled value.
        found: state by the record; None for a missing field.
        said: the value that the record gives.
        p_wrong: chance that the record's value is wrong, where a certificate gave one.
        flags: codes of the findings that name the field.
    """

    field_id: str
    group: str
    verdict: Verdict
    is_accepted: bool
    expected: CellState | None
    printed: Value | None
    found: CellState | None
    said: Value | None
    p_wrong: float | None = None
    flags: tuple[str, ...] = ()

    @property
    def is_table(self) -> bool:
        """Whether it is a cell of one of the form's tables; the others are facts of header and narrative."""
        return is_table_field(self.field_id)

    @property
    def is_nonzero(self) -> bool:
        """Whether the label prints a number other than 0."""
        return self.expected is CellState.VALUE and self.printed != 0

    @property
    def is_settled(self) -> bool:
        """Right, and nobody has to look: accepted, or a fact that is rightly left out."""
        return self.verdict == "right" and (self.is_accepted or self.found is None)

    @property
    def is_wrong_and_accepted(self) -> bool:
        """The one thing that must not happen."""
        return self.is_accepted and self.verdict != "right"


@dataclass(frozen=True, slots=True)
class DocumentOutcome:
    """What became of one document.

    Attributes:
        name, kind, layout, damage, severity: those of its label; a layout that the label does not know is what the
            source stage found.
        path: of the document, as it was given.
        generation: of its tables, by the label: one name, or `mixed`.
        status: of its record; `failed` where there is none.
        problem: why there is no record.
        fields: its fields; without a record all are missing.
        missing_replies: whether a reply was wanted and is in no file, or was not given by the server.
        unjudged: fields that are accepted and in no label: nobody says whether they are right.
        misplaced: fields that are accepted and whose token does not stand where the record says.
        source: by its label; documents of one source fare alike, and are drawn together for an interval.
        document_hash, label_hash: tell whether the document or its label is another one than before.
    """

    name: str
    kind: DocumentKind
    path: str
    layout: str
    generation: str
    status: str
    fields: tuple[FieldOutcome, ...]
    damage: str = ""
    severity: int = 0
    problem: str = ""
    missing_replies: bool = False
    versions: Mapping[str, str] = field(default_factory=dict)
    unjudged: tuple[str, ...] = ()
    misplaced: tuple[str, ...] = ()
    source: str = ""
    document_hash: str = ""
    label_hash: str = ""


def is_table_field(field_id: str) -> bool:
    """Whether a field is a cell of one of the form's tables, and no fact of header or narrative."""
    return _group(field_id) not in _FACT_GROUPS


def judge_fields(record: Record | None, label: Label) -> Iterator[FieldOutcome]:
    """Every labelled field, and every field of the record's tables that the label does not have.

    Args:
        record: None where the document could not be read: all its fields are missing.
    """
    fields = record.fields if record else {}
    codes: dict[str, list[str]] = {}
    for flag in record.flags if record else ():
        for field_id in flag.fields:
            codes.setdefault(field_id, []).append(flag.code)
    for field_id, cell in label.cells.items():
        found = fields.get(field_id)
        yield _outcome(field_id, _judge_cell(found, cell), cell, found, codes)
    for field_id, value in label.facts.items():
        found = fields.get(field_id)
        stated = None if value is None else LabelledCell(CellState.VALUE, _as_value(value))
        verdict = _judge_fact(found, value) if record else "missing"
        yield _outcome(field_id, verdict, stated, found, codes)
    for field_id, found in fields.items():
        if field_id not in label.cells and _group(field_id) in label.generation:
            yield _outcome(field_id, "invented", None, found, codes)


def list_misplaced(record: Record, text: str) -> Iterator[str]:
    """Accepted fields whose token does not stand at their first span, space and width aside.

    Args:
        text: of the document that the record is of.
    """
    for field_id, found in record.fields.items():
        if found.decision == "accepted" and found.raw is not None:
            shown = text[found.spans[0].start : found.spans[0].end] if found.spans else ""
            if _squeeze(shown) != _squeeze(found.raw):
                yield field_id


def list_unjudged(record: Record, label: Label) -> Iterator[str]:
    """Fields that the record accepts and the label does not know: a fact that it has no key for, an unlabelled table.

    Quoted problems and measures are no facts and are in no label.
    """
    for field_id, found in record.fields.items():
        is_judged = field_id in label.cells or field_id in label.facts or _group(field_id) in label.generation
        if found.decision == "accepted" and not is_judged and not field_id.startswith(_QUOTES):
            yield field_id


def _outcome(
    field_id: str,
    verdict: Verdict,
    label: LabelledCell | None,
    found: RecordField | None,
    codes: Mapping[str, list[str]],
) -> FieldOutcome:
    return FieldOutcome(
        field_id=field_id,
        group=_group(field_id),
        verdict=verdict,
        is_accepted=found is not None and found.decision == "accepted",
        expected=label.state if label else None,
        printed=label.value if label else None,
        found=found.state if found else None,
        said=found.value if found else None,
        p_wrong=found.p_wrong if found else None,
        flags=tuple(dict.fromkeys(codes.get(field_id, ()))),
    )


def _group(field_id: str) -> str:
    return field_id.partition(".")[0]


def _judge_cell(found: RecordField | None, cell: LabelledCell) -> Verdict:
    if found is None:
        return "missing"
    if found.state is cell.state and found.value == cell.value and _is_as_printed(found, cell):
        return "right"
    return "open" if found.state in _OPEN else "wrong"


def _is_as_printed(found: RecordField, cell: LabelledCell) -> bool:
    """A cell that holds more than its number keeps all of it."""
    return cell.raw is None or cell.state is not CellState.VALUE or _squeeze(found.raw) == _squeeze(cell.raw)


def _squeeze(text: str | None) -> str:
    return "".join(unicodedata.normalize("NFKC", text or "").split())


def _judge_fact(found: RecordField | None, value: object) -> Verdict:
    """A fact that the text does not state is right when it is left out."""
    if found is None:
        return "right" if value is None else "missing"
    if value is not None and found.value == _as_value(value):
        return "right"
    return "open" if found.state in _OPEN else "wrong"


def _as_value(value: object) -> Value | None:
    if value is None or isinstance(value, int | Decimal | str):
        return value
    return str(value)
