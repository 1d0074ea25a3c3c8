"""Which column each cell of a region stands in: shown by the grid, or by count, or not certain.

Lives here: the one place of this package where columns are decided (docs/positions.md). Does not live here: any
comparison with a reply (rows).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from extractor.forms import Column, Row, Section, fold_label
from extractor.grounding.anchors import Anchor
from extractor.grounding.pieces import Piece
from extractor.grounding.regions import Region, TableRegions
from extractor.grounding.values import looks_glued
from extractor.model import Cell, Grid

# The share of a grid's rows that have one width where borders alone, and no merged cells, make rows unequal. Word's
# plain text of the form, with merged cells, stays under three quarters.
_LEAST_SHARE_OF_USUAL = 0.8


class TableDoubts(NamedTuple):
    """What the rest of a document says about the cells of one row.

    Attributes:
        has_surplus: whether some row with all its numbers has empty cells besides, so that an empty cell at either
            end of a row may be none of the form's.
        has_strays: whether numbers belong to no row, so that they may be an empty row's.
        text_end: where the document ends; what stands there may be cut off.
    """

    has_surplus: bool
    has_strays: bool
    text_end: int


def find_doubts(view: str, table: TableRegions, section: Section) -> TableDoubts:
    """Look at all of a table."""
    counts = {row.id: len(row.columns) for row in section.rows}
    return TableDoubts(
        any(r.row_id and len(r.printed) == counts[r.row_id] < len(r.slots) for r in table.rows),
        any(region.printed for region in table.unclaimed),
        find_text_end(view),
    )


def find_text_end(view: str) -> int:
    """Where the last printed character of a document ends."""
    return len(view.rstrip(" \t\n\x00|"))


def find_columns(view: str, anchor: Anchor, row: Row, doubts: TableDoubts) -> tuple[Piece, ...] | None:
    """The one cell of each column of a row, empty ones included; None where that is not certain."""
    region = anchor.region
    slots, printed = region.slots, region.printed
    is_full = len(printed) == len(row.columns)
    if anchor.is_torn or not slots or slots[-1].end >= doubts.text_end or (anchor.is_beside_strays and not is_full):
        return None
    if not printed:
        is_certain = len(slots) >= len(row.columns) and not doubts.has_strays
        return tuple(slots[: len(row.columns)]) if is_certain else None
    if not names_columns(region.header, row.columns) or any(looks_glued(view[p.start : p.end]) for p in printed):
        return None
    return _cells_under_header(region, row.columns) or _cells_by_count(view, region, row, doubts)


def _cells_by_count(view: str, region: Region, row: Row, doubts: TableDoubts) -> tuple[Piece, ...] | None:
    """As many tokens as columns, or as many cells where no empty one can have been dropped or added."""
    slots, printed = region.slots, region.printed
    if not are_whole(view, printed, region.label):
        return None
    if len(printed) == len(row.columns):
        return tuple(printed)
    is_odd = any(slot.grid and slot.cell and slot.cell.row in odd_rows(slot.grid) for slot in slots)
    if len(slots) != len(row.columns) or is_odd or any(map(hides_dropped_cells, slots)):
        return None
    return None if doubts.has_surplus and "empty" in (slots[0].kind, slots[-1].kind) else tuple(slots)


def are_whole(view: str, printed: Sequence[Piece], label: Piece | None = None) -> bool:
    """Whether each token is one cell: none spans several, adjoins other text, or goes on behind a line end."""
    if any(piece.cell and piece.cell.row_span * piece.cell.column_span > 1 for piece in printed):
        return False
    return all(piece.is_separated for piece in printed) and not _is_broken(view, printed, label)


def hides_dropped_cells(slot: Piece) -> bool:
    """Whether empty cells may have been dropped where this one stands."""
    return slot.grid is None or slot.grid.is_padded


def _is_broken(view: str, printed: Sequence[Piece], label: Piece | None) -> bool:
    """Whether cells that only spaces separate go on behind a line end: they may be another row's."""
    if any(piece.grid is not None for piece in printed):
        return False
    breaks = {"\n" in view[a.end : b.start] for a, b in pairwise(printed)}
    # Where cells go line by line, the first does not stand on the label's.
    is_beside_label = label is not None and "\n" not in view[label.end : printed[0].start]
    return len(breaks) > 1 or (True in breaks and is_beside_label)


def names_columns(header: Sequence[Piece], columns: Sequence[Column]) -> bool:
    """Whether a header names just these columns in the form's order.

    It may have two lines: the outer columns with the heading over the inner ones in its place, then the inner ones.
    """
    first: dict[str, int] = {}
    for place, ref in enumerate(ref for piece in header for ref in piece.refs if ref.role != "row"):
        first.setdefault(ref.id, place)
    ids = [column.id for column in columns]
    headings = [fold_label(column.over) if column.over else column.id for column in columns]
    if set(first) - set(headings) - set(ids) or not set(ids) <= set(first):
        return False
    if _is_ascending([first[column_id] for column_id in ids]):
        return True
    outer = list(dict.fromkeys(headings))
    inner = [column.id for column in columns if column.over]
    if not set(outer) <= set(first):
        return False
    return _is_ascending([first[item] for item in outer]) and _is_ascending([first[item] for item in inner])


def _is_ascending(places: Sequence[int]) -> bool:
    return all(a < b for a, b in pairwise(places))


def _cells_under_header(region: Region, columns: Sequence[Column]) -> tuple[Piece, ...] | None:
    """One cell under the label of each column, in the form's order, and nothing printed elsewhere."""
    heads = _header_cells(region, columns)
    by_column = {
        column: slot
        for slot in region.slots
        if slot.cell
        for column in range(slot.cell.column, slot.cell.column + slot.cell.column_span)
    }
    found = [slot for head in heads if (slot := by_column.get(head.column)) and _is_under(slot, head)]
    if not heads or len(found) < len(heads):
        return None
    edge = heads[-1].column + heads[-1].column_span
    is_shifted = max(by_column) >= edge or any(slot not in found for slot in region.printed)
    return None if is_shifted else tuple(found)


def _is_under(slot: Piece, head: Cell) -> bool:
    """Whether a cell is just as wide as the label over it; an empty one may be wider."""
    cell = slot.cell
    if cell is None or slot.kind == "empty":
        return cell is not None
    return (cell.column, cell.column_span, cell.row_span) == (head.column, head.column_span, 1)


def _header_cells(region: Region, columns: Sequence[Column]) -> list[Cell]:
    """The header's cells over the columns, if they stand in the region's grid from left to right behind its label."""
    label = region.label
    if label is None or label.grid is None or label.cell is None or not has_geometry(label.grid):
        return []
    by_id = {
        ref.id: piece.cell
        for piece in region.header
        if piece.grid is label.grid and piece.cell
        for ref in piece.refs
        if ref.role == "column"
    }
    heads = [by_id[column.id] for column in columns if column.id in by_id]
    starts = [label.cell.column + label.cell.column_span - 1, *(head.column for head in heads)]
    return heads if _is_ascending(starts) and len(heads) == len(columns) else []


@lru_cache(maxsize=64)
def has_geometry(grid: Grid) -> bool:
    """Whether the column numbers of a grid's cells say which cells stand under each other."""
    if grid.kind == "matrix":
        return True
    if grid.kind == "stream" or grid.is_padded:
        return False
    return len(set(Counter(cell.row for cell in grid.cells).values())) == 1


@lru_cache(maxsize=64)
def odd_rows(grid: Grid) -> frozenset[int]:
    """Rows that lost or gained a border: of another width than nearly all others of their grid.

    Where merged cells make rows unequal, as in Word's plain text, no width is that of nearly all, and none is odd.
    """
    if grid.kind != "rows" or grid.is_padded:
        return frozenset()
    widths = Counter(cell.row for cell in grid.cells)
    usual, count = Counter(widths.values()).most_common(1)[0]
    if count < _LEAST_SHARE_OF_USUAL * len(widths):
        return frozenset()
    return frozenset(row for row, width in widths.items() if width != usual)
