"""Pages -> Linear: one text, one list of grids, and the place of every word and cell on paper.

Lives here: the order of what stands on the pages, and writing it. Does not live here: what is furniture (furniture),
which tables are one (page_breaks), which lines are one paragraph (paragraphs), white space (spacing), reading a page.
Called by extractor.sources.pages. Pure functions: nothing is opened, nothing is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Literal

from extractor.model import Cell, CellPlace, Flag, Grid, InkedText, Page, Paper
from extractor.sources.base import Linear
from extractor.sources.blocks import Table, TableCell, flag_hidden, settle_table
from extractor.sources.pages.furniture import find_furniture
from extractor.sources.pages.page_breaks import CellPart, JoinedCell, JoinedTable, begin_table, continue_table
from extractor.sources.pages.paragraphs import PrintedLine, find_typesetting, join_text
from extractor.sources.pages.shapes import Line, PageContent
from extractor.sources.pages.spacing import between_cell_lines, between_parts, between_words, line_text

_Printed = PrintedLine | JoinedTable
_UNREAD_PAGE: Literal["unread page"] = "unread page"
_Item = _Printed | Literal["unread page"]
"""What stands on the pages, one after another."""


def compose_pages(pages: Sequence[PageContent]) -> Linear:
    """Put pages together.

    Page numbers and running heads are left out; a table over a page break is one grid; the lines of a paragraph are
    one line of text, in cells too. A table that only arranges (see blocks.settle_table) becomes running text.

    Args:
        pages: in order.

    Returns:
        Linear text with matrix grids; its `paper` has every word of the text, and every cell, empty ones included.
    """
    items = list(_settle(_join_tables(_order_items(pages))))
    setting = find_typesetting([item for item in items if isinstance(item, PrintedLine)])
    writer = _Writer()
    previous: _Item = _UNREAD_PAGE
    for item in items:
        if isinstance(previous, PrintedLine) and isinstance(item, PrintedLine):
            writer.write(join_text(previous, item, setting))
        elif item is not _UNREAD_PAGE:
            writer.end_line()
        if isinstance(item, PrintedLine):
            writer.write_line(item.page, item.line)
        elif isinstance(item, JoinedTable):
            writer.write_table(item)
        previous = item
    return writer.finish([content.page for content in pages], _join_notices(pages))


def _join_notices(pages: Iterable[PageContent]) -> tuple[Flag, ...]:
    """The findings of all pages, each once, and how much of their text is hidden."""
    pages = list(pages)
    found: list[Flag] = []
    for flag in (flag for page in pages for flag in page.notices):
        if flag not in found:
            found.append(flag)
    return (*flag_hidden(sum(page.hidden_chars for page in pages)), *found)


# ---------------------------------------------------------------- what stands where


def _order_items(pages: Sequence[PageContent]) -> Iterator[_Item]:
    """Lines and tables from top to bottom, page by page, without furniture."""
    for content, furniture in zip(pages, find_furniture(pages), strict=True):
        if content.page.read_by == "failed":
            yield _UNREAD_PAGE
        lines = [line for number, line in enumerate(content.lines) if number not in furniture and line.words]
        for table in content.tables:
            middle = _middle(table.box)
            above = [line for line in lines if _middle(line.box) < middle]
            lines = [line for line in lines if _middle(line.box) >= middle]
            yield from (PrintedLine(content.page, line) for line in above)
            yield begin_table(content.page, table)
        yield from (PrintedLine(content.page, line) for line in lines)


def _middle(box: tuple[float, float, float, float]) -> float:
    return (box[1] + box[3]) / 2


def _join_tables(items: Iterable[_Item]) -> Iterator[_Item]:
    """The parts of a table on pages that follow each other, put together."""
    waiting: JoinedTable | None = None
    for item in items:
        if waiting is not None and isinstance(item, JoinedTable) and item.page.number > waiting.page.number:
            joined = continue_table(waiting, item)
            if joined is not None:
                waiting = joined
                continue
        if waiting is not None:
            yield waiting
        waiting = item if isinstance(item, JoinedTable) else None
        if waiting is None:
            yield item
    if waiting is not None:
        yield waiting


def _settle(items: Iterable[_Item]) -> Iterator[_Item]:
    """Make running text of tables that hold no data."""
    columns = count(1)
    for item in items:
        if not isinstance(item, JoinedTable) or _holds_data(item):
            yield item
            continue
        for cell in item.cells:
            column = next(columns)
            yield from (PrintedLine(part.page, line, column) for part in cell.parts for line in part.cell.lines)


def _holds_data(joined: JoinedTable) -> bool:
    cells = [
        TableCell(
            cell.row_span,
            cell.column_span,
            cell.row,
            cell.column,
            ["\n".join(line_text(line) for part in cell.parts for line in part.cell.lines)],
        )
        for cell in joined.cells
    ]
    table = Table(len(joined.edges) - 1, cells)
    return any(block is table for block in settle_table(table))


# ---------------------------------------------------------------- writing


class _Writer:
    """Collects the text, and where everything in it stands."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._position = 0
        self._words: list[InkedText] = []
        self._grids: list[Grid] = []
        self._places: dict[tuple[int, int, int], CellPlace] = {}

    def write(self, text: str) -> None:
        self._texts.append(text)
        self._position += len(text)

    def end_line(self) -> None:
        if self._texts:
            self.write("\n")

    def write_line(self, page: Page, line: Line) -> None:
        last = None
        for word in line.words:
            if last is not None:
                self.write(between_words(last, word))
            start = self._position
            self.write(word.text)
            self._words.append(InkedText(start, self._position, page.number, word.box, word.confidence, word.doubt))
            last = word

    def write_table(self, table: JoinedTable) -> None:
        """Write a table as other sources do: cells separated by tabs, rows by line ends."""
        start, index = self._position, len(self._grids)
        cells: list[Cell] = []
        for cell in table.cells:
            if cells:
                self.write("\t" if cells[-1].row == cell.row else "\n")
            cell_start = self._position
            self._write_cell(cell)
            cells.append(Cell(cell_start, self._position, *cell[:4]))
            self._places[index, cell.row, cell.column] = _place_cell(cell)
        width = len(table.edges) - 1
        self._grids.append(Grid(index, start, self._position, "matrix", width, is_padded=False, cells=tuple(cells)))

    def _write_cell(self, cell: JoinedCell) -> None:
        last = ""
        for part in (part for part in cell.parts if part.cell.lines):
            lines = part.cell.lines
            if last:
                self.write(between_parts(last, line_text(lines[0])))
            for line, gap in zip(lines, [*between_cell_lines(part.cell.box, lines), ""], strict=True):
                self.write_line(part.page, line)
                self.write(gap)
            last = line_text(lines[-1])

    def finish(self, pages: Iterable[Page], notices: tuple[Flag, ...]) -> Linear:
        self.end_line()
        paper = Paper(tuple(pages), tuple(self._words), self._places)
        return Linear("".join(self._texts), tuple(self._grids), notices, paper)


def _place_cell(cell: JoinedCell) -> CellPlace:
    """The place of a cell; of one that a page break cut, its first part with ink."""
    shown: CellPart = next((part for part in cell.parts if part.cell.lines), cell.parts[0])
    doubt = next((part.cell.doubt for part in cell.parts if part.cell.doubt), None)
    return CellPlace(shown.page.number, shown.cell.box, doubt)
