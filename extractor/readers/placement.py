"""Which column a cell belongs to: by the grid's geometry, or by count, or not at all.

Lives here: the one place where a position is decided. The rule: a column is never guessed. Cells
are placed when the grid's header shows their columns, or when exactly as many stand behind the
label as the form has columns there; otherwise their positions are unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from extractor.forms import Column, fold_label
from extractor.grounding.placement import has_geometry
from extractor.readers.atoms import Atom

# So many characters of a label tell which one it is, where there is one place for it.
_LEAST_OF_LABEL = 2
# Fewer cells than these may well be empty behind the numbers of a row.
_FEWEST_EMPTY_BEHIND = 4
# More digits than these, and nothing behind them, are no count, whatever the number of cells.
_LONGEST_COUNT = 4
# A row so wide ends in a total: a first cell without one stands for the row as soon as it holds two digits.
_WIDE_ROW = 5

Outcome = Literal["placed", "blank", "unknown", "glued", "no_cells"]


class Placement(NamedTuple):
    """Where the cells of one row belong.

    Attributes:
        outcome: `placed`: `cells` holds one atom a column; `blank`: cells are there and all are
            empty; `unknown`: something is printed, its columns are not known; `glued`: digits of
            several cells stand together; `no_cells`: nothing stands behind the label.
        by_geometry: whether the header's geometry decided.
    """

    outcome: Outcome
    cells: tuple[Atom, ...] = ()
    by_geometry: bool = False


def place_cells(
    slots: Sequence[Atom],
    fields: Sequence[str],
    geometry: Mapping[str, int],
    label_edge: int,
    has_surplus: bool = False,
) -> Placement:
    """Place the cells of one row.

    Args:
        slots: the cells behind the row's label, in order.
        fields: ids of the form's cells in this row, in order.
        geometry: field id -> column of the grid, from the grid's own header; empty when the
            source has no true geometry.
        label_edge: first grid column to the right of the row's labels.
        has_surplus: whether rows of the table have empty cells beside those of the form, so that an
            empty cell at either end may be none of the form's.
    """
    printed = [slot for slot in slots if slot.is_printed]
    if len({slot.grid is None for slot in slots}) > 1:
        return Placement("unknown")  # some stand in a grid, others were torn from it or are none of it
    placed = _place_by_geometry(slots, printed, fields, geometry, label_edge)
    if placed:
        return Placement("glued") if _is_run_of_row(placed) else Placement("placed", placed, by_geometry=True)
    if not slots:
        return Placement("no_cells")
    if not printed:
        return Placement("blank" if _blanks_are_certain(slots, fields) else "no_cells")
    return _place_by_count(slots, printed, fields, has_surplus)


def _place_by_count(
    slots: Sequence[Atom], printed: Sequence[Atom], fields: Sequence[str], has_surplus: bool
) -> Placement:
    """As many cells as the form has: the printed ones, or all where the empty ones are certain to be the form's."""
    is_glued = _looks_glued(printed)
    if len(printed) == len(fields):
        return Placement("glued") if is_glued else Placement("placed", tuple(printed))
    has_doubtful_end = has_surplus and not (slots[0].is_printed and slots[-1].is_printed)
    if len(slots) == len(fields) and not has_doubtful_end and not _hides_dropped_cells(slots):
        return Placement("glued") if is_glued or _is_run_of_row(slots) else Placement("placed", tuple(slots))
    return Placement("glued" if is_glued or _is_one_run(printed, fields) else "unknown")


def _place_by_geometry(
    slots: Sequence[Atom], printed: Sequence[Atom], fields: Sequence[str], geometry: Mapping[str, int], label_edge: int
) -> tuple[Atom, ...] | None:
    """One cell for each column where the header says, every printed cell used; else None."""
    if not geometry or any(geometry.get(field_id, -1) < label_edge for field_id in fields):
        return None
    by_grid_column: dict[int, Atom] = {}
    for slot in slots:
        if slot.grid is None or slot.cell is None:
            return None
        cell = slot.grid.cells[slot.cell]
        if slot.is_printed and (cell.row_span > 1 or cell.column_span > 1):
            return None  # one number for several cells
        for covered in range(cell.column, cell.column + cell.column_span):
            by_grid_column[covered] = slot
    found = [by_grid_column.get(geometry[field_id]) for field_id in fields]
    cells = tuple(slot for slot in found if slot is not None)
    # Anything printed elsewhere, or any cell behind the last column, shows that the row was shifted.
    last = max(geometry[field_id] for field_id in fields)
    is_shifted = any(slot not in cells for slot in printed) or max(by_grid_column, default=0) > last
    if len(cells) < len(fields) or is_shifted or _looks_glued(printed):
        return None
    return cells


def _hides_dropped_cells(slots: Sequence[Atom]) -> bool:
    return any(slot.grid is None or slot.grid.is_padded for slot in slots)


def _blanks_are_certain(slots: Sequence[Atom], fields: Sequence[str]) -> bool:
    """A row of empty cells is complete, or was filled up."""
    return all(slot.grid is not None for slot in slots) and (len(slots) >= len(fields) or _hides_dropped_cells(slots))


def _is_run_of_row(cells: Sequence[Atom]) -> bool:
    """Whether all digits from a row's last number on may stand in its cell: one for each cell, or more than a count.

    A number behind others is doubted only where so many empty cells follow that none of them can be trusted. The cells
    of a true table are what they are: nothing filled them up.
    """
    if all(cell.grid is not None and cell.grid.kind == "matrix" for cell in cells):
        return False
    last = max((i for i, cell in enumerate(cells) if cell.is_printed), default=len(cells))
    rest = len(cells) - last
    if rest < (2 if last == 0 else _FEWEST_EMPTY_BEHIND):
        return False
    value = cells[last].token.value
    length = cells[last].end - cells[last].start if value is None else len(str(abs(int(value))))
    if last == 0 and len(cells) >= _WIDE_ROW:
        return length > 1
    return length >= min(rest, _LONGEST_COUNT + 1)


def _looks_glued(printed: Sequence[Atom]) -> bool:
    return any(slot.token.is_glued for slot in printed)


def _is_one_run(printed: Sequence[Atom], fields: Sequence[str]) -> bool:
    """Fewer tokens than cells, in text where nothing but the labels separates them."""
    return len(printed) < len(fields) and any(not slot.is_separated for slot in printed)


def header_geometry(header: Sequence[Atom], columns: Sequence[Column], view: str) -> dict[str, int]:
    """Column id -> grid column, from column labels that stand in one grid of true geometry.

    In a table with cells of its own, one label of which only a part can be read is taken for that label where all
    others are in the form's order and it stands in the one place left for it.
    Empty when the labels are in no such grid, or when a flattener may have moved them: two labels
    over one column, or, where rows are only lines of text, rows of unequal width or an order of
    columns that is not the form's.
    """
    found: dict[str, int] = {}
    for atom in header:
        if atom.grid is None or atom.cell is None or not has_geometry(atom.grid):
            return {}
        cell = atom.grid.cells[atom.cell]
        if cell.column_span > 1:
            return {}
        for ref in atom.refs:
            if ref.role == "column":
                found[ref.id] = cell.column
    if len(set(found.values())) < len(found):
        return {}
    order = [found[column.id] for column in columns if column.id in found]
    is_matrix = bool(header) and header[0].grid is not None and header[0].grid.kind == "matrix"
    is_official = order == sorted(order)
    if is_matrix and is_official:
        found |= _place_torn(found, columns, header, view)
    return found if is_matrix or is_official else {}


def _place_torn(
    found: Mapping[str, int], columns: Sequence[Column], header: Sequence[Atom], view: str
) -> dict[str, int]:
    grid, unread = header[0].grid, [place for place, column in enumerate(columns) if column.id not in found]
    if grid is None or len(unread) != 1 or not unread[0]:
        return {}
    (place,) = unread
    before = found[columns[place - 1].id]
    after = found[columns[place + 1].id] if place + 1 < len(columns) else grid.width
    rows = {grid.cells[atom.cell].row for atom in header if atom.cell is not None}
    cells = [cell for cell in grid.cells if cell.row in rows and cell.column == before + 1 and cell.column_span == 1]
    texts = [text for cell in cells if (text := fold_label(view[cell.start : cell.end]))]
    labels = [fold_label(label) for label in columns[place].labels]
    is_torn = bool(texts) and all(
        len(text) >= _LEAST_OF_LABEL and any(text in label for label in labels) for text in texts
    )
    return {columns[place].id: before + 1} if after == before + 2 and is_torn else {}
