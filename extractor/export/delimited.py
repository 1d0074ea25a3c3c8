"""values.csv and flags.csv: one line a field, one line a finding.

Lives here: the lines, and keeping spreadsheets from running text as a formula. Called by writer.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from extractor.export.rows import write_plain
from extractor.model import Record, RecordField, Ruling, Suggestion, Value

VALUES_HEADER = (
    "document",
    "path",
    "field",
    "state",
    "value",
    "unit",
    "raw",
    "decision",
    "suggested",
    "basis",
    "p_wrong",
    "ruling",
    "decided_by",
    "decided_at",
)
FLAGS_HEADER = ("document", "path", "code", "severity", "fields", "message_zh", "message_en", "evidence")
# What spreadsheets take for the start of a formula (the full-width forms: with a Chinese or Japanese input locale).
_FORMULA_STARTS = frozenset("=+-@＝＋－＠\t\r")
_QUOTED = re.compile('["\r\n]')
_HARMLESS = re.compile(r"[+\-＋－]?[\d０-９][\d０-９,，.．\s]*[%％]?|[-－]+")


def guard_cell(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would run as a formula; numbers and dashes stay as they are."""
    if not text or text[0] not in _FORMULA_STARTS or _HARMLESS.fullmatch(text):
        return text
    return "'" + text


def encode_lines(lines: Sequence[tuple[str, ...]]) -> bytes:
    """CSV lines as bytes. A line in which no cell needs quotes is joined, at a third of the csv module's cost."""
    return "".join([_encode_line(cells) for cells in lines]).encode()


def _encode_line(cells: tuple[str, ...]) -> str:
    line = ",".join(cells)
    if line.count(",") == len(cells) - 1 and not _QUOTED.search(line) and line:
        return line + "\r\n"
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()


def value_line(document: str, path: str, field_id: str, field: RecordField) -> tuple[str, ...]:
    """One field as a line of values.csv."""
    raw, text = field.raw or "", write_value(field.value)
    if raw != text:
        raw = guard_cell(raw)
    suggested, basis = describe_suggestions(field.suggestions) if field.suggestions else ("", "")
    p_wrong = "" if field.p_wrong is None else f"{field.p_wrong:.6g}"
    unit, decision = field.unit or "", field.decision
    found = (document, path, field_id, field.state, text, unit, raw, decision, suggested, basis, p_wrong)
    return (*found, *_describe_ruling(field.ruling)) if field.ruling else (*found, "", "", "")


def _describe_ruling(ruling: Ruling) -> tuple[str, str, str]:
    """What a person said, who, and when."""
    return ruling.action, guard_cell(" / ".join(ruling.by)), ruling.at


def write_value(value: Value | None) -> str:
    """A value as a cell, empty where there is none."""
    return "" if value is None else guard_cell(value) if isinstance(value, str) else write_plain(value)


def describe_suggestions(suggestions: Sequence[Suggestion]) -> tuple[str, str]:
    """The suggested values, best first, and what they rest on."""
    values = [write_plain(suggestion.value) for suggestion in suggestions]
    return " / ".join(values), "; ".join(dict.fromkeys(f"{one.method}: {one.basis}" for one in suggestions))


def flag_lines(document: str, path: str, record: Record) -> list[tuple[str, ...]]:
    """The findings of a record as lines of flags.csv."""
    return [
        (
            document,
            path,
            flag.code,
            flag.severity,
            " ".join(flag.fields),
            guard_cell(flag.message.zh),
            guard_cell(flag.message.en),
            f"{flag.spans[0].start}-{flag.spans[0].end}" if flag.spans else "",
        )
        for flag in record.flags
    ]
