"""What one page holds, before pages are put together: lines, tables, and where they stand.

Lives here: frozen data that passes between worker processes and the parent, so nothing but plain values. Does not
live here: any reading. All boxes are in the page's own units (extractor.model.Page), whoever found them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from extractor.model import Box, Doubt, Flag, Page


class Word(NamedTuple):
    """Characters that stand together. `confidence` 0 to 1 by the OCR engine, None from a text layer.

    A word never holds white space at its ends; inside only where the source itself has a space.
    """

    text: str
    box: Box
    confidence: float | None = None
    doubt: Doubt | None = None


class Line(NamedTuple):
    """Words of one printed line, left to right (of a vertical label: top to bottom)."""

    words: tuple[Word, ...]
    box: Box


class PageCell(NamedTuple):
    """One cell of a table. `lines` is empty only where there is no ink at all.

    `box` lies on the rules around the cell. Ink that nobody could read is a word UNREAD.
    """

    row: int
    column: int
    row_span: int
    column_span: int
    box: Box
    lines: tuple[Line, ...] = ()
    doubt: Doubt | None = None


class PageTable(NamedTuple):
    """A table with true geometry.

    Attributes:
        box: around the table.
        columns: x of the column edges, from left to right: one more than there are columns.
        rows: y of the row edges, from top to bottom: one more than there are rows.
        cells: in reading order (by row, then column); each slot of the grid belongs to exactly one cell.
    """

    box: Box
    columns: tuple[float, ...]
    rows: tuple[float, ...]
    cells: tuple[PageCell, ...]


@dataclass(frozen=True, slots=True)
class PageContent:
    """One page as read.

    Attributes:
        lines: outside the tables, from top to bottom.
        tables: from top to bottom.
        notices: findings about this page.
        hidden_chars: characters of the text layer that leave no ink and were left out.
    """

    page: Page
    lines: tuple[Line, ...] = ()
    tables: tuple[PageTable, ...] = ()
    notices: tuple[Flag, ...] = ()
    hidden_chars: int = 0
