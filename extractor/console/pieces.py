"""Small pieces of text that every view of a record is made of.

Lives here: a value, a cell, a source line as text. Called by the other modules of this package.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rich import box
from rich.table import Table
from rich.text import Text

from extractor.model import CellState, Record, RecordField, Span, Value

STATUS_STYLES = {"succeeded": "green", "partial": "yellow", "failed": "bold red", "not_a_report": "dim"}
SEVERITY_STYLES = {"error": "red", "warning": "yellow", "info": "cyan"}
SEVERITY_ORDER = {"error": 0, "warning": 1, "info": 2}
MOST_SHOWN = 3
_EMPTY_MARKS = {CellState.BLANK: "·", CellState.ROW_ABSENT: "–", CellState.NOT_READ: "✗"}
_CONTEXT_CHARACTERS = 16
_EVIDENCE_CHARACTERS = 48
_RAW_CHARACTERS = 40


def quote_span(text: str, span: Span, *, has_colour: bool = True) -> Text:
    """The source line of a span, cut to its surroundings, with the span marked; on paper its page as well."""
    line = text.count("\n", 0, span.start) + 1
    first = max(text.rfind("\n", 0, span.start) + 1, span.start - _CONTEXT_CHARACTERS)
    newline = text.find("\n", span.end)
    last = min(len(text) if newline < 0 else newline, span.end + _CONTEXT_CHARACTERS)
    marked = text[span.start : span.end]
    if len(marked) > _EVIDENCE_CHARACTERS:
        marked, last = marked[:_EVIDENCE_CHARACTERS] + "…", span.end
    marked = oneline(marked)
    page = f"p. {span.place.page}, " if span.place else ""
    return Text.assemble(
        (f"      {page}line {line}: ", "dim"),
        oneline(text[first : span.start]),
        (marked if has_colour else f"[{marked}]", "reverse"),
        oneline(text[span.end : last]),
    )


def draw_field(item: RecordField, style: str) -> Text:
    """A field as a cell of the form: its value, or the mark of its state."""
    if item.state is CellState.VALUE and item.value is not None:
        number, raw = show_value(item.value), oneline(item.raw or "")
        text = Text(oneline(number), style=style)
        if raw and raw.strip() != number and raw.replace(",", "") != number and not isinstance(item.value, str):
            text.append(f" {raw[:_RAW_CHARACTERS]}", style="dim")
        return text
    if item.state is CellState.POSITION_UNKNOWN:
        return Text("?", style=style)
    if item.state is CellState.INFERRED_BY_EQUATION:
        return Text("≈" if item.value is None else f"≈{show_value(item.value)}", style=style)
    if item.state is CellState.NA_MARK:
        return Text(oneline(item.raw or "/"), style=style)
    if item.state is CellState.UNPARSABLE:
        return Text(f"✗ {oneline(item.raw or '')[:_RAW_CHARACTERS]}".rstrip(), style=style)
    return Text(_EMPTY_MARKS[item.state], style=style)


def new_table(*, show_header: bool = False) -> Table:
    """A table without borders."""
    return Table(box=box.SIMPLE, show_header=show_header, padding=(0, 1, 0, 0), pad_edge=False, collapse_padding=True)


def show_value(value: Value) -> str:
    """A value as text, decimals without an exponent."""
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def oneline(text: str) -> str:
    """Text that stays on one line."""
    # Control characters of a scraped file must not steer the terminal.
    return "".join(char if char.isprintable() else "⏎" if char == "\n" else " " for char in text)


def list_some(names: Sequence[str], show_all: bool) -> str:
    """The first few of many names."""
    shown = names if show_all else names[:MOST_SHOWN]
    more = f", … {len(names)} fields" if len(names) > len(shown) else ""
    return ", ".join(shown) + more


def fact(record: Record, name: str) -> str:
    """A header fact as text; empty where there is none."""
    item = record.fields.get(f"header.{name}")
    return "" if item is None or item.value is None else oneline(show_value(item.value))
