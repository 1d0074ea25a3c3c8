"""Tables over page breaks: the parts of one table on several pages become one.

Lives here: whether two tables are one by their column edges, and the rows and cells that the break cut in two. Does
not live here: what stands between the tables (compose looks at that first). Called by compose.

Cells of the two sides are put together only where that is certain: what they say together is a label of the form, and
neither says one alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from extractor.forms import fold_label, load_forms
from extractor.model import Page
from extractor.sources.pages.shapes import PageCell, PageTable
from extractor.sources.pages.spacing import is_wide, line_text
from extractor.sources.view import fold_view

# Shares of the page's width: how far edges of one column may lie apart, and how far a whole table may be shifted.
_SAME_EDGE = 0.012
_MOST_SHIFT = 0.12
_SAME_WIDTH = 0.04
# Edges that must coincide where the table's left side is missing on one page.
_FEWEST_EDGES = 4


class CellPart(NamedTuple):
    """A printed cell, or what a page holds of it."""

    page: Page
    cell: PageCell


class JoinedCell(NamedTuple):
    """A cell of a table that may stand on several pages; one part each page that cuts it."""

    row: int
    column: int
    row_span: int
    column_span: int
    parts: tuple[CellPart, ...]


class JoinedTable(NamedTuple):
    """A table of one page or several.

    Attributes:
        page: the page of its last part.
        edges: x of the column edges in units of that page.
        height: number of rows.
        cells: in reading order.
    """

    page: Page
    edges: tuple[float, ...]
    height: int
    cells: tuple[JoinedCell, ...]


def begin_table(page: Page, table: PageTable) -> JoinedTable:
    """A table of one page."""
    cells = tuple(JoinedCell(*cell[:4], (CellPart(page, cell),)) for cell in table.cells)
    return JoinedTable(page, table.columns, len(table.rows) - 1, cells)


def continue_table(upper: JoinedTable, lower: JoinedTable) -> JoinedTable | None:
    """Put a table and the first one of the next page together; None when they are not one table."""
    shared = _match_columns(upper, lower)
    if shared is None:
        return None
    upper_cells = _move_columns(upper.cells, shared.upper)
    lower_cells = _move_columns(lower.cells, shared.lower)
    above = {cell.column: cell for cell in upper_cells if cell.row + cell.row_span == upper.height}
    below = {cell.column: cell for cell in lower_cells if cell.row == 0}
    cut = _find_cut(above, below)
    shift = upper.height - cut.is_row
    cells = [_take_in(cell, below, cut) if cell is above.get(cell.column) else cell for cell in upper_cells]
    cells += [
        cell._replace(row=cell.row + shift) for cell in lower_cells if cell.row > 0 or cell.column not in cut.columns
    ]
    ordered = tuple(sorted(cells, key=lambda cell: (cell.row, cell.column)))
    return JoinedTable(lower.page, shared.edges, shift + lower.height, ordered)


# ---------------------------------------------------------------- columns


class _Columns(NamedTuple):
    """Common columns: for each edge of either table its number among all, and all edges on the lower one's page."""

    upper: tuple[int, ...]
    lower: tuple[int, ...]
    edges: tuple[float, ...]


def _match_columns(upper: JoinedTable, lower: JoinedTable) -> _Columns | None:
    """The edges of one table found among those of the other, after a shift (and, between scans, a little scaling)."""
    for moved in _bring_over(upper, lower):
        reach = _SAME_EDGE * lower.page.width
        if len(moved) >= len(lower.edges):
            places = _find_among(lower.edges, moved, reach)
            if places is not None:
                return _Columns(tuple(range(len(moved))), places, moved)
        else:
            places = _find_among(moved, lower.edges, reach)
            if places is not None:
                return _Columns(places, tuple(range(len(lower.edges))), lower.edges)
    return None


def _bring_over(upper: JoinedTable, lower: JoinedTable) -> Iterable[tuple[float, ...]]:
    """The upper table's edges on the lower one's page: by both outer edges, or by the right one alone."""
    scale = lower.page.width / upper.page.width
    edges = [edge * scale for edge in upper.edges]
    width, lower_width = edges[-1] - edges[0], lower.edges[-1] - lower.edges[0]
    shift = lower.edges[0] - edges[0]
    if abs(shift) > _MOST_SHIFT * lower.page.width:
        return
    if abs(lower_width / width - 1) <= _SAME_WIDTH:
        stretch = lower_width / width
        yield tuple(lower.edges[0] + (edge - edges[0]) * stretch for edge in edges)
    elif min(len(edges), len(lower.edges)) >= _FEWEST_EDGES:
        yield tuple(edge + lower.edges[-1] - edges[-1] for edge in edges)


def _find_among(edges: Sequence[float], all_edges: Sequence[float], reach: float) -> tuple[int, ...] | None:
    """For each edge the place of its own one among all; None when one has none within reach, or two share one."""
    places = [min(range(len(all_edges)), key=lambda place: abs(all_edges[place] - edge)) for edge in edges]
    is_near = all(abs(all_edges[place] - edge) <= reach for place, edge in zip(places, edges, strict=True))
    return tuple(places) if is_near and len(set(places)) == len(places) else None


def _move_columns(cells: Iterable[JoinedCell], places: Sequence[int]) -> list[JoinedCell]:
    return [
        cell._replace(
            column=places[cell.column], column_span=places[cell.column + cell.column_span] - places[cell.column]
        )
        for cell in cells
    ]


# ---------------------------------------------------------------- rows and cells cut by the break


_Cells = Mapping[int, JoinedCell]
"""Cells beside the break, by their column."""


class _Cut(NamedTuple):
    """What the break cut: a whole row, or single labels beside whole rows; the columns of the cells that it cut."""

    is_row: bool
    columns: frozenset[int]


def _take_in(cell: JoinedCell, below: _Cells, cut: _Cut) -> JoinedCell:
    """A cell above the break, with what of it stands below."""
    if cell.column not in cut.columns:
        return cell
    rest = below[cell.column]
    return cell._replace(row_span=cell.row_span + rest.row_span - cut.is_row, parts=(*cell.parts, *rest.parts))


def _find_cut(above: _Cells, below: _Cells) -> _Cut:
    """Compare the last row above the break with the first one below it."""
    columns = [
        column for column in sorted(above) if column in below and above[column].column_span == below[column].column_span
    ]
    if len(columns) == len(above) == len(below) and _is_one_row([(above[c], below[c]) for c in columns]):
        return _Cut(True, frozenset(columns))
    groups = [
        column
        for column in columns
        if _has_label_behind(below, column) and _is_cut_label(above[column], below[column], "caption")
    ]
    return _Cut(False, frozenset(groups))


def _is_one_row(pairs: Sequence[tuple[JoinedCell, JoinedCell]]) -> bool:
    """Whether the break went through one row: its label is in two parts, its numbers are on one side."""
    labels = [place for place, pair in enumerate(pairs) if _is_cut_label(*pair, "row")]
    if len(labels) != 1 or any(cell.row_span > 1 for cell in pairs[labels[0]]):
        return False
    before, behind = pairs[: labels[0]], pairs[labels[0] + 1 :]
    if not all(not _text(one) or not _text(other) or _is_cut_label(one, other, "caption") for one, other in before):
        return False
    return any(all(not _text(pair[side]) for pair in behind) for side in (0, 1))


def _has_label_behind(cells: _Cells, column: int) -> bool:
    """Whether the row has a label of its own behind this column."""
    return any(place > column and any(map(is_wide, _text(cell))) for place, cell in cells.items())


def _is_cut_label(one: JoinedCell, other: JoinedCell, role: Literal["row", "caption"]) -> bool:
    """Whether two texts together are a label of the form, and neither is one alone."""
    first, second = _text(one), _text(other)
    index = load_forms().label_index
    if not first or not second or fold_label(first) in index or fold_label(second) in index:
        return False
    return any(ref.role == role for ref in index.get(fold_label(first + second), ()))


def _text(cell: JoinedCell) -> str:
    return fold_view("".join(line_text(line) for part in cell.parts for line in part.cell.lines))
