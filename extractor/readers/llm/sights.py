"""Rows of a table -> the pieces of paper that show them, few and small, with the table's header.

Lives here: which boxes are cut out, and which rows go into one call. Does not live here: which rows are worth a look
(extractor.readers.looks), cutting (extractor.sources.pages), asking (vision). Pure: nothing is opened.

One piece is a strip over neighbouring rows, from their labels to their last cells. The header goes along as the first
piece, or in one piece with the rows right below it: two pieces cost more tokens than the rows between them. A label
that spans more rows than a strip shows is left out of it; every row has one of its own. The form's note on what adds
up, in the corner of section 三, is not shown: a model that reads it balances the books.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from extractor.model import Box, Cell, CellPlace, Document, Grid, Page, Paper
from extractor.readers.llm.render import find_header, render_table
from extractor.readers.looks import RowLook, TableLook

# Rows that are not asked for and may stand in a strip between two that are.
_MOST_BETWEEN = 2
# Half of the longest table. More rows make a reply fail more often, and it is lost as a whole.
_MOST_ROWS = 13
_MOST_PIECES = 4
# A longer text in the corner of a header names no column of labels: it is the note.
_LONGEST_CORNER = 10
# Around a piece, in heights of the page: boxes lie on the rules, and the rules are to be seen.
_MARGIN = 0.003


class Piece(NamedTuple):
    """A rectangle of one page, in the page's units."""

    page: int
    box: Box


@dataclass(frozen=True, slots=True)
class Sight:
    """What one call shows. `has_header`: whether the first piece begins with the table's header."""

    pieces: tuple[Piece, ...]
    rows: tuple[RowLook, ...]
    has_header: bool


class _Band(NamedTuple):
    """Rows of one grid, first and last included."""

    grid: int
    first: int
    last: int


class _Strip(NamedTuple):
    band: _Band
    rows: tuple[RowLook, ...]


def plan_sights(document: Document, paper: Paper, look: TableLook) -> tuple[Sight, ...]:
    """Cut the rows of one table into sights, in order of print.

    Args:
        paper: where the document stands.
        look: rows of which each has its cells in one row of a grid.
    """
    return tuple(_SightPlan(document, paper, look).plan())


class _SightPlan:
    """Plans the sights of one table."""

    def __init__(self, document: Document, paper: Paper, look: TableLook) -> None:
        self.look = look
        self.document = document
        self.paper = paper
        self.grids = {block.index: block for block in document.blocks if isinstance(block, Grid)}
        self.lines = render_table(document, look.chunk, look.form) if look.form.layout == "labelled_rows" else []

    def plan(self) -> Iterator[Sight]:
        group: list[_Strip] = []
        header: _Band | None = None
        for strip in self._split_strips():
            own = self._find_header(strip)
            if group and (own != header or len(group) + 2 > _MOST_PIECES or _count_rows([*group, strip]) > _MOST_ROWS):
                yield self._make_sight(header, group)
                group = []
            group.append(strip)
            header = own
        if group:
            yield self._make_sight(header, group)

    # ------------------------------------------------------------ strips

    def _split_strips(self) -> Iterator[_Strip]:
        """Runs of rows on one page that are near enough to each other to be shown in one piece."""
        rows = sorted(self.look.rows, key=lambda row: _place_of(row)[:2])
        run: list[RowLook] = []
        for row in rows:
            if run and not self._go_together(run, row):
                yield _make_strip(run)
                run = []
            run.append(row)
        if run:
            yield _make_strip(run)

    def _go_together(self, run: Sequence[RowLook], row: RowLook) -> bool:
        before, place = _place_of(run[-1]), _place_of(row)
        is_near = before[0] == place[0] and place[1] - before[1] <= _MOST_BETWEEN + 1
        if before[:2] == place[:2]:  # the groups of a table of one row of cells
            return True
        return is_near and len(run) < _MOST_ROWS and self._page_of(run[-1]) == self._page_of(row)

    def _page_of(self, row: RowLook) -> int:
        return self.paper.cells[_place_of(row)].page

    # ------------------------------------------------------------ header

    def _find_header(self, strip: _Strip) -> _Band | None:
        """The rows of the header over a strip: those that name columns; over a lone row of cells, all rows above."""
        band = strip.band
        if not self.lines:
            return _Band(band.grid, 0, band.first - 1) if band.first else None
        start = min(cell.start for cell in self.grids[band.grid].cells if cell.row == band.first)
        starts = {line.start for line in find_header(self.lines, start)}
        found = [(grid.index, cell.row) for grid in self.grids.values() for cell in grid.cells if cell.start in starts]
        if not found:
            return None
        last = max(found)
        rows = [row for grid, row in found if grid == last[0]]
        return _Band(last[0], min(rows), max(rows))

    # ------------------------------------------------------------ pieces

    def _make_sight(self, header: _Band | None, strips: Sequence[_Strip]) -> Sight:
        rows = tuple(row for strip in strips for row in strip.rows)
        first_column = min(_place_of(row)[2] for row in rows)
        bands = [strip.band for strip in strips]
        over: Piece | None = None
        is_one = header is not None and self._is_one_with(header, bands[0], first_column)
        if header and is_one:
            bands[0] = _Band(header.grid, header.first, bands[0].last)
        elif header:
            over = self._find_piece(header, first_column)
        pieces = (over, *(self._find_piece(band) for band in bands))
        return Sight(tuple(filter(None, pieces)), rows, is_one or over is not None)

    def _is_one_with(self, header: _Band, band: _Band, first_column: int) -> bool:
        """Whether a header stands right above a strip, and shows no note beside the names of the columns."""
        if header.grid != band.grid or band.first - header.last > _MOST_BETWEEN + 1:
            return False
        corner = (cell for cell in self._cells(header) if cell.column + cell.column_span <= first_column)
        if any(len("".join(self.document.view[cell.start : cell.end].split())) > _LONGEST_CORNER for cell in corner):
            return False
        return len({place.page for one in (header, band) for place in self._places(one)}) == 1

    def _find_piece(self, band: _Band, first_column: int = 0) -> Piece | None:
        """Around all cells that stand in these rows alone, from a column on.

        A band that a page break cuts is shown where it begins.
        """
        places = self._places(band, first_column)
        if not places:
            return None
        page = min(place.page for place in places)
        box = _surround(place.box for place in places if place.page == page)
        return Piece(page, _widen(box, self.paper.pages[page - 1]))

    def _places(self, band: _Band, first_column: int = 0) -> list[CellPlace]:
        keys = [(band.grid, cell.row, cell.column) for cell in self._cells(band) if cell.column >= first_column]
        return [self.paper.cells[key] for key in keys if key in self.paper.cells]

    def _cells(self, band: _Band) -> list[Cell]:
        cells = self.grids[band.grid].cells
        return [cell for cell in cells if band.first <= cell.row and cell.row + cell.row_span - 1 <= band.last]


def _place_of(row: RowLook) -> tuple[int, int, int]:
    """Grid, row and column of a row's first cell."""
    first = row.cells[0]
    if first.table is None or first.row is None or first.cell is None:
        raise ValueError("a row to look at has its cells in a grid")
    return first.table, first.row, first.cell


def _make_strip(run: Sequence[RowLook]) -> _Strip:
    grid, first, _ = _place_of(run[0])
    return _Strip(_Band(grid, first, _place_of(run[-1])[1]), tuple(run))


def _count_rows(strips: Iterable[_Strip]) -> int:
    return sum(len(strip.rows) for strip in strips)


def _widen(box: Box, page: Page) -> Box:
    left, top, right, bottom = box
    margin = _MARGIN * max(page.width, page.height)
    return (
        max(0.0, left - margin),
        max(0.0, top - margin),
        min(page.width, right + margin),
        min(page.height, bottom + margin),
    )


def _surround(boxes: Iterable[Box]) -> Box:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)
