"""What reading a table of any layout needs: candidates of one row of cells, and the doubts they raise.

Lives here: the base of the two layouts (labelled_rows, one_row). Does not live here: which lines make up the
table (tables), and which column a cell belongs to (placement).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from extractor.flags import make_flag
from extractor.forms import Column, Section
from extractor.grounding.placement import odd_rows
from extractor.model import Candidate, Cell, CellState, Document, Flag, Grid, Span, Unit
from extractor.readers.atoms import Atom
from extractor.readers.lines import Line, TableLines, row_of
from extractor.readers.placement import Placement, place_cells

_READER = "template"


@dataclass(slots=True)
class TableReading:
    """What one table says in one generation.

    Attributes:
        candidates: by field id; several where a row is printed more than once.
        unread: labels or numbers that exist and could not be read.
    """

    candidates: dict[str, tuple[Candidate, ...]] = field(default_factory=dict)
    flags: list[Flag] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


class TableReader:
    """What both layouts share: making candidates and collecting doubts."""

    def __init__(self, document: Document, table: TableLines, section: Section) -> None:
        self.document = document
        self.table = table
        self.section = section
        self.reading = TableReading()
        self.text_end = len(document.view.rstrip(" \t\n\x00|"))
        self.has_surplus = any(
            (row := row_of(line, section)) and len(row.columns) < len(line.slots) for line in table.lines
        )
        self.inner_blanks: dict[int, bool] = {}
        self.doubts: dict[str, tuple[list[str], list[Span], list[str]]] = {}

    def doubt(self, code: str, fields: Iterable[str], spans: Iterable[Span], raw: str = "") -> None:
        """Note a doubt; one flag a code and table, so that a person meets it once."""
        known = self.doubts.setdefault(code, ([], [], []))
        known[0].extend(fields)
        known[1].extend(spans)
        if raw:
            known[2].append(raw)

    def read_line(
        self, line: Line, columns: Sequence[Column], field_ids: list[str], geometry: dict[str, int]
    ) -> Placement:
        """Make the candidates of one row of cells.

        Args:
            geometry: field id -> grid column, where the grid's header tells.
        """
        has_surplus = self.has_surplus or line.is_interrupted or self._may_be_filled(line)
        placement = place_cells(line.slots, field_ids, geometry, _label_edge(line), has_surplus)
        if placement.outcome == "placed" and self._is_broken(line):
            placement = Placement("unknown")
        if line.slots and line.slots[-1].end >= self.text_end:
            self.doubt("cut-off", field_ids, [line.slots[-1].span()])
        label_spans = [line.label.span()] if line.label else []
        if placement.outcome == "placed":
            for field_id, column, atom in zip(field_ids, columns, placement.cells, strict=True):
                self.add_cell(field_id, column, atom, line.header)
        elif placement.outcome == "blank":
            candidate = Candidate(state=CellState.BLANK, spans=(line.slots[0].span(),), reader=_READER)
            for field_id in field_ids:
                self.add(field_id, candidate)
        elif placement.outcome == "no_cells":
            self.add_all(field_ids, CellState.NOT_READ)
            self.doubt("row-without-cells", field_ids, label_spans)
            self.reading.unread.extend(field_ids)
        else:
            self._add_unplaced(line, field_ids, is_glued=placement.outcome == "glued")
        return placement

    def _may_be_filled(self, line: Line) -> bool:
        """Whether the line's empty cells may be what a flattener filled it up with.

        So where bars alone stand behind its last number, and every row of its grid has empty cells at its end only.
        """
        if not line.printed or line.slots[-1].is_printed or any(slot.grid is None for slot in line.slots):
            return False
        grids = {slot.grid for slot in line.slots if slot.grid}
        if any(grid.kind == "matrix" for grid in grids):
            return False
        behind = self.document.view[line.printed[-1].end : line.slots[-1].end + 1]
        return "|" in behind and not any(self._has_inner_blank(grid) for grid in grids)

    def _has_inner_blank(self, grid: Grid) -> bool:
        """Whether an empty cell stands in front of a filled one of its row."""
        if grid.index not in self.inner_blanks:
            filled = [bool(self.document.view[cell.start : cell.end].strip(" \t\n\x00")) for cell in grid.cells]
            self.inner_blanks[grid.index] = any(
                one.row == other.row and not is_filled and is_next_filled
                for (one, is_filled), (other, is_next_filled) in pairwise(zip(grid.cells, filled, strict=True))
            )
        return self.inner_blanks[grid.index]

    def _is_broken(self, line: Line) -> bool:
        """Whether the row lost a border beside an empty cell, or its cells go on behind a line end.

        They may then be another column's or row's. Where only spaces separate cells, one cell a line is no break,
        nor is a row on one line; but where cells go line by line, the first does not stand on the label's.
        """
        printed = line.printed
        grids = {id(slot.grid): slot.grid for slot in line.slots if slot.grid}  # mostly one; to hash a grid takes long
        odd = {key: odd_rows(grid) for key, grid in grids.items()}
        is_odd = any(slot.grid and cell_of(slot).row in odd[id(slot.grid)] for slot in line.slots)
        if is_odd and len(printed) < len(line.slots):
            return True
        if any(slot.grid is not None for slot in printed):
            return False
        breaks = {"\n" in self.document.view[a.end : b.start] for a, b in pairwise(printed)}
        return len(breaks) > 1 or (True in breaks and self._begins_beside_label(line))

    def _begins_beside_label(self, line: Line) -> bool:
        return line.label is not None and "\n" not in self.document.view[line.label.end : line.printed[0].start]

    def _add_unplaced(self, line: Line, field_ids: list[str], is_glued: bool) -> None:
        """Cells whose columns are not known: every field of the row gets every surviving token."""
        state = CellState.UNPARSABLE if is_glued else CellState.POSITION_UNKNOWN
        spans = tuple(slot.span() for slot in line.printed)
        tokens = tuple(
            Candidate(
                state=state,
                value=None if is_glued else slot.token.value,
                raw=self.raw(slot),
                spans=(slot.span(),),
                reader=_READER,
            )
            for slot in line.printed
        )
        for field_id in field_ids:
            self.add(field_id, Candidate(state=state, spans=spans, reader=_READER))
            for token in tokens:
                self.add(field_id, token)
        self.doubt("glued-digits" if is_glued else "position-unknown", field_ids, spans)

    def finish(self) -> TableReading:
        """Turn the doubts into flags."""
        for code, (fields, spans, raws) in self.doubts.items():
            shown = "、".join(dict.fromkeys(raws[:3])) + (" …" if len(set(raws)) > 3 else "")
            self.reading.flags.append(make_flag(code, fields=dict.fromkeys(fields), spans=spans, raw=shown))
        return self.reading

    def add(self, field_id: str, candidate: Candidate) -> None:
        """Add one more candidate."""
        self.reading.candidates[field_id] = (*self.reading.candidates.get(field_id, ()), candidate)

    def add_all(self, field_ids: Iterable[str], state: CellState, spans: Iterable[Span] = ()) -> None:
        """Give all cells of a row the same state without a value."""
        candidate = Candidate(state=state, spans=tuple(spans), reader=_READER)
        for field_id in field_ids:
            self.add(field_id, candidate)

    def raw(self, atom: Atom) -> str:
        """The token as printed."""
        return self.document.text[atom.start : atom.end]

    def add_cell(self, field_id: str, column: Column, atom: Atom, header: Sequence[Atom]) -> None:
        """Add the candidate of one placed cell, and the doubts that its content raises."""
        token = atom.token
        span = atom.span()
        if not atom.is_printed:
            self.add(field_id, Candidate(CellState.BLANK, spans=(span,), reader=_READER))
            return
        unit = self._unit(column, token.unit, header) if column.unit else token.unit
        raw = self.document.text[atom.start : atom.end]
        self.add(field_id, Candidate(token.state, token.value, unit, raw, (span,), _READER))
        if token.state is CellState.UNPARSABLE:
            self.doubt("unparsable-cell", [field_id], [span], raw)
        elif token.state is CellState.VALUE:
            is_plain_zero = unit == "unknown" and not token.value  # 0 of any unit is 0
            if unit and column.unit not in ("as_printed", unit) and not is_plain_zero:
                self.doubt("unit-differs", [field_id], [span], raw)
            if not suits_column(column, token.value):
                self.doubt("not-a-count", [field_id], [span], raw)
            if not atom.is_separated:
                self.doubt("cell-not-separated", [field_id], [span])

    def _unit(self, column: Column, printed: Unit | None, header: Sequence[Atom]) -> Unit | None:
        """The unit of a money cell as printed: in the cell, else in the column's label, else unknown."""
        if printed:
            return printed
        label = next((a for a in header if any(ref.id == column.id and ref.role == "column" for ref in a.refs)), None)
        text = self.document.view[label.start : label.end] if label else ""
        if "万元" in text:
            return "wan"
        if "元" in text:
            return "yuan"
        return "wan" if column.unit == "wan" and label is None else "unknown"


def suits_column(column: Column, value: int | Decimal | None) -> bool:
    """Whether a number may stand in a column: counts are whole and not negative."""
    if value is None:
        return True
    return (column.is_signed or value >= 0) and (column.is_decimal or isinstance(value, int))


def cell_of(atom: Atom) -> Cell:
    """The grid cell that an atom stands in."""
    if atom.grid is None or atom.cell is None:
        raise ValueError("an atom of running text stands in no cell")
    return atom.grid.cells[atom.cell]


def _label_edge(line: Line) -> int:
    """The first grid column to the right of the row's label."""
    if line.label is None or line.label.grid is None or line.label.cell is None:
        return 0
    cell = cell_of(line.label)
    return cell.column + cell.column_span
