"""queue.csv: one line for each field that a person should look at.

Lives here: the lines and the labels in them. Does not live here: why a field is looked at (flags.csv says it of the
doubted ones), which documents are audited (extractor.bulk.audit). Called by writer.

An audited document's accepted fields stand among the others in the same form. No column says which is which, and none
may: who knows that a value was accepted sees what he expects to see.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import NamedTuple

from extractor.export.delimited import describe_suggestions, guard_cell, write_value
from extractor.forms import load_forms
from extractor.model import Record, RecordField, Span

QUEUE_HEADER = (
    "document",
    "path",
    "url",
    "field",
    "section",
    "row",
    "column",
    "printed",
    "state",
    "value",
    "unit",
    "where",
    "suggested",
)
_PARTS = {"header": "报告首部", "narrative": "正文", "indicators": "指标表"}


class _Labels(NamedTuple):
    section: str
    row: str
    column: str = ""


def list_waiting(record: Record, *, is_audited: bool) -> frozenset[str]:
    """The fields that a person should look at: those in review, but for what somebody said cannot be known.

    Args:
        record: of one document.
        is_audited: accepted fields, too.
    """
    return frozenset(
        field_id
        for field_id, field in record.fields.items()
        if (is_audited and field.ruling is None) or (field.decision != "accepted" and not _is_unknowable(field))
    )


def _is_unknowable(field: RecordField) -> bool:
    return field.ruling is not None and field.ruling.action == "unknowable"


def queue_lines(document: str, path: str, record: Record, waiting: Collection[str]) -> list[tuple[str, ...]]:
    """The fields of a record to look at, in the order of the form.

    Args:
        document, path: as in the other files, `path` guarded.
        record: of the document.
        waiting: the fields.
    """
    url = guard_cell(next((origin.url for origin in record.origins if origin.url), ""))
    return [
        (document, path, url, field_id, *_labels_of(field_id), *_describe(field))
        for field_id, field in record.fields.items()
        if field_id in waiting
    ]


def _describe(field: RecordField) -> tuple[str, ...]:
    suggested, _ = describe_suggestions(field.suggestions)
    where = _place(field.spans[0]) if field.spans else ""
    return guard_cell(_printed(field)), field.state.value, write_value(field.value), field.unit or "", where, suggested


def _printed(field: RecordField) -> str:
    """The printed token; of a field that has none for certain, the tokens that may be its."""
    if field.raw is not None:
        return field.raw
    return " / ".join(dict.fromkeys(candidate.raw for candidate in field.candidates if candidate.raw))


def _place(span: Span) -> str:
    """Where it stands in the document's text, and in its grid, counted from 1."""
    parts = [f"{span.start}-{span.end}"]
    for name, number in (("table", span.table), ("row", span.row), ("cell", span.cell)):
        if number is not None:
            parts.append(f"{name} {number + 1}")
    return " ".join(parts)


def _labels_of(field_id: str) -> _Labels:
    known = _known_labels().get(field_id)
    if known:
        return known
    part, _, rest = field_id.partition(".")  # lists of any length: quotes, indicators
    return _Labels(_PARTS.get(part, part), rest)


@cache
def _known_labels() -> dict[str, _Labels]:
    """Section, row and column of every field of the form, as printed, and of every fact."""
    forms = load_forms()
    titles = {section.id: section.title for form in reversed(forms.national) for section in form.sections.values()}
    labels = {
        item.id: _Labels(
            titles[item.section],
            _join(item.row.group, item.row.labels[0]),
            _join(item.column.over, item.column.labels[0]),
        )
        for item in forms.fields.values()
    }
    for part in ("header", "narrative"):
        labels |= {f"{part}.{name}": _Labels(_PARTS[part], label) for name, label in forms.fact_labels.items()}
    return labels


def _join(*parts: str | None) -> str:
    return " > ".join(part for part in parts if part)
