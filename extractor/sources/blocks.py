"""Blocks -> Linear: the lines and tables that a parser collects, laid out as text with grids.

Lives here: what web pages and Word files share once their markup is understood: collecting lines and
cells, the geometry of row and column spans, telling a data table from one that only arranges, and writing it
all one after another. Does not live here: any markup. Called by extractor.sources.html and .word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from extractor.flags import make_flag
from extractor.model import Cell, Flag, Grid
from extractor.sources.base import Linear

_SPACES = re.compile(r"[ \t\n\r\f]+")


def flag_hidden(chars: int) -> tuple[Flag, ...]:
    """The `hidden-text` flag for that many characters, if any."""
    return (make_flag("hidden-text", count=chars),) if chars else ()


def count_shown(text: str) -> int:
    """Characters that would leave ink."""
    return len(text) - sum(map(str.isspace, text)) if text else 0


def collapse_spaces(text: str) -> str:
    """Make each run of white space one space, as HTML does."""
    return _SPACES.sub(" ", text)


@dataclass(slots=True)
class TableCell:
    """A cell, before its table is laid out. `row_span` 0 means to the end of its row group."""

    row_span: int = 1
    column_span: int = 1
    row: int = 0
    column: int = 0
    blocks: list[Block] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The cell's own lines."""
        return "\n".join([block for block in self.blocks if isinstance(block, str)])


@dataclass(slots=True)
class Table:
    """A table with placed cells in reading order. Width 0: its geometry is not usable."""

    width: int
    cells: list[TableCell]


Block = str | Table
"""A finished line, or a table."""


class Collected(NamedTuple):
    """What a parser found in a file, before it is laid out.

    Attributes:
        blocks: in order; pictures are marks (extractor.sources.pictures) until they are read.
        complete: adds to the text that was laid out what the parser has to say of the file.
    """

    blocks: Sequence[Block]
    complete: Callable[[Linear], Linear]


MAX_COLUMNS = 1000
"""A wider table is no table of a report, and its geometry is not worth the memory."""
MAX_COLUMN_SPAN = 64
"""A wider span means "the whole row"."""
_ARTICLE_CHARS = 200
_FEWEST_NUMBERS = 6
_NUMBER_CELL = re.compile(r"[\s0-9０-９.,，%/／—–\-]+[件个项条元万]{0,2}\s*")
_BLANKS = " \t\n\r\f\v\u00a0\u3000\u2002\u2003\u2009\u200b\ufeff\u2060"


class BlockWriter:
    """Collects lines and tables; cells (and text boxes) collect their own in between."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._line: list[str] = []
        self._outer: list[tuple[list[Block], list[str]]] = []

    def add_text(self, text: str) -> None:
        """Add text as it is to the line under way."""
        if text:
            self._line.append(text)

    def add_collapsed(self, text: str) -> None:
        """Add text with runs of HTML white space made one space, none at the start of a line."""
        text = collapse_spaces(text)
        if text[:1] == " " and (not self._line or self._line[-1][-1] == " "):
            text = text[1:]
        if text:
            self._line.append(text)

    def end_line(self) -> None:
        """End the line under way if there is one (the edge of a block)."""
        if not self._line:
            return
        line = "".join(self._line).rstrip(" ")
        self._line.clear()
        if line:
            self._blocks.append(line)

    def break_line(self) -> None:
        """End the line under way even when it is empty, but never leave two empty lines."""
        if any(text != " " for text in self._line):
            self.end_line()
            return
        self._line.clear()
        if self._blocks and self._blocks[-1] != "":
            self._blocks.append("")

    def add_blocks(self, blocks: Iterable[Block]) -> None:
        """Add finished blocks after the line under way."""
        self.end_line()
        self._blocks.extend(blocks)

    def open_cell(self) -> None:
        """Collect apart, until close_cell."""
        self._outer.append((self._blocks, self._line))
        self._blocks, self._line = [], []

    def close_cell(self) -> list[Block]:
        """What was collected since open_cell; the line that was under way then goes on."""
        self.end_line()
        blocks = self._blocks
        if blocks and blocks[-1] == "":
            blocks.pop()
        self._blocks, self._line = self._outer.pop()
        return blocks

    def finish(self) -> list[Block]:
        """All blocks."""
        self.end_line()
        return self._blocks


def place_cells(rows: Sequence[Sequence[TableCell]], group_ends: Sequence[int]) -> int:
    """Give every cell its row and column, as browsers do, and cut spans to what the table has.

    Where spans overlap, the cell keeps its place and loses the columns that are taken, so that no slot
    has two cells. (HTML Living Standard, 4.9.12.1 "Forming a table".)

    Args:
        rows: the cells by row in the source.
        group_ends: for each row the end (half-open) of its row group, which row spans do not cross.

    Returns:
        The number of columns; 0 when it is over MAX_COLUMNS.
    """
    usual_width = max((sum(_usual_span(cell) for cell in row) for row in rows), default=0)
    free_from: list[int] = []  # per column the first row that nothing from above reaches into
    for row_number, row in enumerate(rows):
        column = 0
        for cell in row:
            while column < len(free_from) and free_from[column] > row_number:
                column += 1
            if cell.column_span > MAX_COLUMN_SPAN:
                cell.column_span = max(1, min(cell.column_span, usual_width - column))
            end = column + cell.column_span
            if end > MAX_COLUMNS:
                return 0
            free_from.extend([0] * (end - len(free_from)))
            group_end = group_ends[row_number]
            bottom = min(row_number + cell.row_span, group_end) if cell.row_span else group_end
            taken = next((at for at in range(column, end) if free_from[at] > row_number), end)
            cell.row, cell.column = row_number, column
            cell.row_span, cell.column_span = bottom - row_number, taken - column
            free_from[column:end] = [max(bottom, reach) for reach in free_from[column:end]]
            column = end
    return len(free_from)


def _usual_span(cell: TableCell) -> int:
    return cell.column_span if cell.column_span <= MAX_COLUMN_SPAN else 1


def settle_table(table: Table) -> list[Block]:
    """Decide what a closed table is: itself when it holds data, else the blocks of its cells.

    Tables inside it are settled already. Inside a data table they become text of their cell.
    """
    if _is_layout(table):
        return [block for cell in table.cells for block in cell.blocks]
    for cell in table.cells:
        cell.blocks = [line for block in cell.blocks for line in _flatten(block)]
    return [table]


def _is_layout(table: Table) -> bool:
    """Whether the table only arranges: one column, mostly other tables, or an article without numbers."""
    rows = {cell.row for cell in table.cells}
    if not table.width or len(rows) == len(table.cells):
        return True
    nested = sum(len(block.cells) for cell in table.cells for block in cell.blocks if isinstance(block, Table))
    texts = [text for cell in table.cells if (text := cell.text.strip(_BLANKS))]
    if nested >= len(texts):
        return True
    is_article = any(len(text) >= _ARTICLE_CHARS for text in texts)
    return is_article and sum(1 for text in texts if _NUMBER_CELL.fullmatch(text)) < _FEWEST_NUMBERS


def _flatten(block: Block) -> list[str]:
    if isinstance(block, str):
        return [block]
    return "".join(text for text, _ in _write_cells(block)).split("\n")


def _write_cells(table: Table) -> Iterable[tuple[str, TableCell | None]]:
    """The text of a data table in pieces: cells, and what separates them."""
    last: TableCell | None = None
    for cell in table.cells:
        if last is not None:
            yield ("\t" if cell.row == last.row else "\n"), None
        yield cell.text, cell
        last = cell


def lay_out(blocks: Iterable[Block], notices: tuple[Flag, ...]) -> Linear:
    """Write blocks one after another, and note where the cells of tables came to stand."""
    parts: list[str] = []
    grids: list[Grid] = []
    position = 0
    for block in blocks:
        if isinstance(block, str):
            text = block
        else:
            text, cells = _write_table(block, position)
            end = position + len(text)
            grids.append(Grid(len(grids), position, end, "matrix", block.width, is_padded=False, cells=cells))
        parts.append(text)
        parts.append("\n")
        position += len(text) + 1
    return Linear("".join(parts), tuple(grids), notices)


def _write_table(table: Table, position: int) -> tuple[str, tuple[Cell, ...]]:
    pieces: list[str] = []
    cells: list[Cell] = []
    for text, cell in _write_cells(table):
        if cell is not None:
            start = position + len(text) - len(text.lstrip(_BLANKS))
            end = max(start, position + len(text.rstrip(_BLANKS)))
            cells.append(Cell(start, end, cell.row, cell.column, cell.row_span, cell.column_span))
        pieces.append(text)
        position += len(text)
    return "".join(pieces), tuple(cells)
