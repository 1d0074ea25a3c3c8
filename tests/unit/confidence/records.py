"""Records of a few fields, written by hand."""

from __future__ import annotations

from typing import Any

from extractor.flags import CATALOGUE
from extractor.model import (
    CellState,
    DocumentIdentity,
    EquationResult,
    Flag,
    Message,
    Origin,
    Record,
    RecordField,
    Span,
    Status,
)

A, B, C = (f"applications.granted.{name}" for name in ("total", "natural_person", "business"))


def field(value: Any = 3, **changes: Any) -> RecordField:
    given: dict[str, Any] = {
        "state": CellState.VALUE,
        "value": value,
        "raw": str(value),
        "spans": (Span(10, 11, table=0, row=1, cell=2),),
        "reader": "template",
        "decision": "accepted",
    }
    return RecordField(**given | changes)


def flag(code: str, *fields: str) -> Flag:
    return Flag(code, CATALOGUE[code].severity, Message("", ""), fields)


def equation(result: Any, *fields: str, verdict: Any = None) -> EquationResult:
    return EquationResult("E", result, None, fields, verdict)


def record(
    fields: dict[str, RecordField], flags: tuple[Flag, ...] = (), equations: tuple[EquationResult, ...] = ()
) -> Record:
    return Record(
        document=DocumentIdentity(id="0" * 64, path="a.txt", media_type="text/plain"),
        status=Status.SUCCEEDED,
        origins=(Origin(path="a.txt"),),
        fields=fields,
        flags=flags,
        equations=equations,
    )
