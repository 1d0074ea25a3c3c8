"""Rows of a table that a reader found and could not divide into cells.

Lives here: finding them among the merged fields, with the tokens that survive. Does not live here: what the tokens
may mean. Called by splits (glued digits) and positions (lost positions).
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from extractor.forms import TABLE_SECTIONS, Column, Row, Section
from extractor.model import Candidate, CellState, Flag, Suggestion
from extractor.reconcile.merge import Merged

# The rules' own tokens: what a model proposed for the same row stands beside them.
_READER = "template"
# Findings that say no more than that a row could not be divided. Any other leaves open whose numbers these are.
_INDIVISIBLE = frozenset({"glued-digits", "position-unknown", "not-grounded"})
# Findings about numbers that no row claims: they may be the rest of the row in front of them, or of the one behind.
_STRAYS = frozenset({"unknown-row", "unclaimed-numbers"})


class Recovery(NamedTuple):
    """What could be said about the undivided rows of a document.

    Attributes:
        merged: all fields.
        suggestions: by field id.
        flags: findings.
        assumed: ids of the equations from which values were inferred; they are no evidence for these.
    """

    merged: dict[str, Merged]
    suggestions: dict[str, tuple[Suggestion, ...]]
    flags: tuple[Flag, ...]
    assumed: frozenset[str]


class OpenRow(NamedTuple):
    """One undivided row; in a `one_row` table all its cells.

    Attributes:
        id: of the row, or of the section.
        label: official label of the row, or the section's title.
        ordinal: digits of the next row's ordinal ("2" of "2.其他"), which may stand glued to this row; "" if none.
        columns, fields: its cells, in order.
        tokens: what is printed, in order; each has one span.
        is_doubted: whether a reader doubts that the tokens are this row's, or all of it: a label out of order, printed
            twice or misprinted, a row behind it missing, the text cut off, numbers of no row beside it.
    """

    id: str
    label: str
    ordinal: str
    columns: tuple[Column, ...]
    fields: tuple[str, ...]
    tokens: tuple[Candidate, ...]
    is_doubted: bool = False


def name_doubted(merged: Mapping[str, Merged], flags: Iterable[Flag]) -> frozenset[str]:
    """The fields that readers doubt for more than that their row could not be divided, and those beside strays."""
    doubts = [flag for flag in flags if flag.code not in _INDIVISIBLE]
    named = {field_id for flag in doubts for field_id in flag.fields}
    strays = [span.start for flag in doubts if flag.code in _STRAYS for span in flag.spans]
    return frozenset(named.union(*_fields_beside(merged, strays)))


def _fields_beside(merged: Mapping[str, Merged], strays: Iterable[int]) -> Iterator[set[str]]:
    """The fields of the tables whose numbers stand next to each of these places, in front and behind."""
    by_start: dict[int, set[str]] = {}
    for field_id, entry in merged.items():
        for span in entry.printed.spans if field_id.startswith(TABLE_SECTIONS) else ():
            by_start.setdefault(span.start, set()).add(field_id)
    starts = sorted(by_start)
    for stray in strays:
        place = bisect(starts, stray)
        yield from (by_start[start] for start in starts[max(place - 1, 0) : place + 1])


def find_open_rows(
    merged: Mapping[str, Merged], form: Section, state: CellState, doubted: Set[str] = frozenset()
) -> list[OpenRow]:
    """The rows of a table all of whose fields are in one state, without text of their own.

    Args:
        doubted: see name_doubted.
    """
    found = []
    for row_id, label, ordinal, rows in _list_lines(form):
        fields = tuple(form.field_id(row.id, column.id) for row in rows for column in row.columns)
        tokens = _surviving_tokens(merged, fields, state)
        if tokens:
            columns = tuple(column for row in rows for column in row.columns)
            found.append(OpenRow(row_id, label, ordinal, columns, fields, tokens, not doubted.isdisjoint(fields)))
    return found


def _list_lines(form: Section) -> Iterator[tuple[str, str, str, Sequence[Row]]]:
    """Id, label, the next label's ordinal, and the form's rows of each printed line of cells."""
    if form.layout == "one_row":
        yield form.id, form.title, "", form.rows
        return
    for row, following in zip(form.rows, (*form.rows[1:], None), strict=True):
        ordinal = following.ordinal.rstrip("．.、") if following else ""
        yield row.id, row.labels[0], ordinal if ordinal.isdigit() else "", (row,)


def _surviving_tokens(merged: Mapping[str, Merged], fields: Sequence[str], state: CellState) -> tuple[Candidate, ...]:
    """The tokens of a row; none when its fields do not all tell of one and the same undivided line."""
    printed = [merged[field_id].printed for field_id in fields if field_id in merged]
    if len(printed) < len(fields) or any(
        one.state is not state or one.reader != _READER or one.raw is not None or one.spans != printed[0].spans
        for one in printed
    ):
        return ()
    by_span = {
        one.spans[0]: one
        for one in reversed(merged[fields[0]].losing)
        if one.reader == _READER and one.state is state and one.raw is not None and len(one.spans) == 1
    }
    spans = printed[0].spans
    return tuple(by_span[span] for span in spans) if all(span in by_span for span in spans) else ()
