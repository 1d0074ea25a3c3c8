"""One field as a cell of a page: its value or the mark of its state, and why a person should look.

Lives here: signs, classes and places of a cell. Does not live here: tables (form), HTML. Called by form, item_view
and document_view.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import NamedTuple

from extractor.model import CellState, Record, RecordField, Span, Value, Word

_GLYPHS = {CellState.BLANK: "·", CellState.ROW_ABSENT: "–", CellState.NOT_READ: "✗", CellState.POSITION_UNKNOWN: "?"}
_RULING_SIGNS = {"accepted": "✓", "corrected": "✎", "source_wrong": "⚑", "unknowable": "∅"}
#: Reason of a mark by the state that says it; else `sum` or `doubt`.
_STATE_REASONS = {
    CellState.POSITION_UNKNOWN: "place",
    CellState.UNPARSABLE: "unread",
    CellState.NOT_READ: "unread",
    CellState.INFERRED_BY_EQUATION: "inferred",
}
_REASON_SIGNS = {"sum": "≠", "doubt": "!", "unread": "", "place": "", "inferred": ""}
_MOST_RAW = 40
#: More places of one field than these are not told apart on a page.
_MOST_PLACES = 24


class CellView(NamedTuple):
    """A cell, ready to be drawn.

    Attributes:
        shown: the value as text, or the glyph of its state.
        note: as printed, where that is not the value.
        glyph: key of the words for a glyph, or "".
        reason: `place`, `unread`, `inferred`, `sum`, `doubt`, `ruled`, or "" for one that nobody asks about.
        sign: drawn beside it, so that colour is never alone.
        told: key of the words for sign and reason, or "".
        spans: where it stands in the text: "12-14 30-31".
        lines: how failed equations run through it, as CSS classes (sums.draw_lines).
        is_asked: whether the item asks about it.
        is_new: whether it shows an answer that is not saved yet.
    """

    field: str
    shown: str
    note: str
    glyph: str
    reason: str
    sign: str
    told: str
    spans: str
    lines: str
    is_asked: bool
    is_new: bool


class Painter:
    """Makes the cells of one record.

    Args:
        record: as it is, or as it would be after the answers.
        asked: fields of the item.
        answered: fields that the record shows with answers which are not saved.
        lines: of the fields in failed equations, how these run (sums.draw_lines).
    """

    def __init__(
        self, record: Record, lines: Mapping[str, str], asked: Collection[str] = (), answered: Collection[str] = ()
    ) -> None:
        self._record = record
        self._lines = lines
        self._asked = frozenset(asked)
        self._answered = frozenset(answered)

    def paint(self, name: str) -> CellView:
        """The cell of one field; an empty one for a field that the record does not have."""
        item = self._record.fields.get(name)
        if item is None:
            return CellView(name, "", "", "", "", "", "", "", "", False, False)
        shown, note, glyph = show_field(item)
        is_asked = name in self._asked
        reason, sign, told = self._find_reason(name, item, is_asked=is_asked)
        found = find_spans(item)
        return CellView(
            field=name,
            shown=shown,
            note=note,
            glyph=glyph,
            reason=reason,
            sign=sign,
            told=told,
            spans=" ".join(f"{span.start}-{span.end}" for span in found),
            lines=self._lines.get(name, ""),
            is_asked=is_asked,
            is_new=name in self._answered,
        )

    def _find_reason(self, name: str, item: RecordField, *, is_asked: bool) -> tuple[str, str, str]:
        if item.ruling is not None:
            action = item.ruling.action
            return "ruled", _RULING_SIGNS[action], f"action.{action}"
        if item.decision == "review" and item.state in _STATE_REASONS:
            reason = _STATE_REASONS[item.state]
        elif name in self._lines:
            reason = "sum"
        elif item.decision == "review" or is_asked:
            reason = "doubt"
        else:
            return "", "", ""
        return reason, _REASON_SIGNS[reason], f"reason.{reason}"


def find_spans(item: RecordField) -> tuple[Span, ...]:
    """Where a field stands in the source; for one without a place of its own where its candidates do."""
    found = item.spans or tuple(span for other in item.candidates for span in other.spans)
    return tuple(dict.fromkeys(found))[:_MOST_PLACES]


def show_field(item: RecordField) -> tuple[str, str, str]:
    """A field as (value or glyph, as printed where that differs, key of the glyph's words)."""
    return show_word(Word(item.state, item.value, item.raw, item.unit))


def show_word(word: Word) -> tuple[str, str, str]:
    """What somebody says a field prints, as show_field does."""
    raw = (word.raw or "").strip()
    if word.state is CellState.VALUE and word.value is not None:
        number = show_value(word.value)
        is_alike = isinstance(word.value, str) or raw.replace(",", "") == number
        return number, "" if is_alike else raw[:_MOST_RAW], ""
    if word.state is CellState.NA_MARK:
        return raw or "/", "", ""
    if word.state is CellState.INFERRED_BY_EQUATION:
        return f"≈{'' if word.value is None else show_value(word.value)}", "", f"state.{word.state.value}"
    if word.state is CellState.UNPARSABLE:
        return "✗", raw[:_MOST_RAW], f"state.{word.state.value}"
    return _GLYPHS.get(word.state, "?"), "", f"state.{word.state.value}"


def show_value(value: Value) -> str:
    """A value as text, decimals without an exponent."""
    return format(value, "f") if isinstance(value, Decimal) else str(value)
