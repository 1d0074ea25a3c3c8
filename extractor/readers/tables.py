"""One table of the form -> candidates for its fields.

Lives here: from lines to fields in a given generation, the check of the header, and the doubts
that follow. Does not live here: classifying cells (atoms), grouping them (lines), deciding columns
(placement), deciding the generation over all tables (template).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate, pairwise

from extractor.flags import make_flag
from extractor.forms import Column, Row, Section, fold_label
from extractor.model import Candidate, Cell, CellState, Chunk, Document, Flag, Grid, Paragraph, Span, Unit
from extractor.readers.atoms import Atom, grid_atoms, run_atoms
from extractor.readers.lines import Line, TableLines, collect_lines, unknown_texts
from extractor.readers.placement import Placement, header_geometry, place_cells

_READER = "template"
_MOST_ABSENT_ROWS = 2


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


def collect_table(document: Document, chunk: Chunk) -> TableLines:
    """The lines of a chunk's table, in order of print."""
    parts = [(run[0], list(run_atoms(document.view, *run, chunk.section))) for run in chunk.runs]
    for cells in chunk.table:
        atoms = list(grid_atoms(document, cells, chunk.section))
        parts.append((atoms[0].start, atoms))
    parts += _torn_pieces(document, chunk)
    return collect_lines(atom for _, atoms in sorted(parts, key=lambda part: part[0]) for atom in atoms)


def _torn_pieces(document: Document, chunk: Chunk) -> list[tuple[int, list[Atom]]]:
    """What stands in short lines between the grids of one table: labels or numbers torn from their rows."""
    indexes = {part.grid for part in chunk.table}
    grids = [block for block in document.blocks if isinstance(block, Grid) and block.index in indexes]
    if len(grids) < 2:
        return []
    return [
        (block.start, list(run_atoms(document.view, block.start, block.end, chunk.section)))
        for block in document.blocks
        if isinstance(block, Paragraph)
        and grids[0].end <= block.start
        and block.end <= grids[-1].start
        and "。" not in document.view[block.start : block.end]
    ]


def score_generation(table: TableLines, section: Section) -> int:
    """How well a generation explains a table: its labels that are printed, less the rows that it cannot hold.

    A line with cells whose label is no row of the generation (2019's （六）其他处理 seen as 2021's
    group) counts against it.
    """
    known = _labels_of(section)
    score = sum(1 for label in table.labels if label.folded in known)
    return score - sum(1 for line in table.lines if line.printed and not _row_of(line, section))


@lru_cache(maxsize=64)
def _labels_of(section: Section) -> frozenset[str]:
    labels = [label for row in section.rows for label in row.labels]
    labels += [label for column in section.columns for label in column.labels]
    labels += list(section.captions)
    return frozenset(fold_label(label) for label in labels)


def _row_of(line: Line, section: Section) -> Row | None:
    rows = section.rows_by_id if section.layout == "labelled_rows" else {}
    return next((rows[row_id] for row_id in line.row_ids if row_id in rows), None)


def read_table(document: Document, table: TableLines, section: Section) -> TableReading:
    """Read a table as one generation's.

    Args:
        document: the document that the table stands in.
        table: the table's lines.
        section: the table of the generation that was decided for it.
    """
    if section.layout == "one_row":
        return _OneRowTable(document, table, section).read()
    return _LabelledTable(document, table, section).read()


class _Table:
    """What both layouts share: making candidates and collecting doubts."""

    def __init__(self, document: Document, table: TableLines, section: Section) -> None:
        self.document = document
        self.table = table
        self.section = section
        self.reading = TableReading()
        self.text_end = len(document.view.rstrip(" \t\n\x00|"))
        self.has_surplus = any(
            (row := _row_of(line, section)) and len(line.printed) == len(row.columns) < len(line.slots)
            for line in table.lines
        )
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
        has_surplus = self.has_surplus or line.is_interrupted
        placement = place_cells(line.slots, field_ids, geometry, _label_edge(line), has_surplus)
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
            if not _suits(column, token.value):
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


def _suits(column: Column, value: int | Decimal | None) -> bool:
    if value is None:
        return True
    return (column.is_signed or value >= 0) and (column.is_decimal or isinstance(value, int))


class _LabelledTable(_Table):
    """A table in which every row has its label."""

    def __init__(self, document: Document, table: TableLines, section: Section) -> None:
        super().__init__(document, table, section)
        self.absent: list[Row] = []
        self.headers: dict[tuple[object, ...], tuple[dict[str, int], bool]] = {}
        self.after_empty = self._lines_after_empty()

    def read(self) -> TableReading:
        rows: dict[str, list[Line]] = {}
        strays = list(self.table.strays)
        for line in self.table.lines:
            row = _row_of(line, self.section)
            if row is not None:
                rows.setdefault(row.id, []).append(line)
            elif line.printed:
                strays.append(line)
        self._check_strays(strays)
        for row in self.section.rows:
            self._read_row(row, rows.get(row.id, []))
        self._doubt_blanks()
        self._check_absent_rows()
        self._check_order()
        return self.finish()

    def _lines_after_empty(self) -> set[int]:
        """Lines that follow a label without cells: where no borders show cells, theirs may be its."""
        known = [line for line in self.table.lines if _row_of(line, self.section)]
        return {
            id(line)
            for before, line in pairwise(known)
            if not before.slots and before.label is not None and before.label.row is None
        }

    def _field_ids(self, row: Row) -> list[str]:
        return [self.section.field_id(row.id, column.id) for column in row.columns]

    def _read_row(self, row: Row, lines: list[Line]) -> None:
        field_ids = self._field_ids(row)
        lines = [line for line in lines if line.slots] or lines[:1]
        if not lines:
            # Where the table is torn the row may be there without its label: unread, not absent.
            is_torn = bool(self.reading.unread)
            self.add_all(field_ids, CellState.NOT_READ if is_torn else CellState.ROW_ABSENT)
            self.absent.extend([] if is_torn else [row])
        if len(lines) > 1:
            self.doubt("row-repeated", field_ids, [line.label.span() for line in lines if line.label])
        for line in lines:
            by_column, is_official = self._read_header(row, line)
            geometry = {self.section.field_id(row.id, column): place for column, place in by_column.items()}
            placement = self.read_line(line, row.columns, field_ids, geometry)
            if placement.outcome == "placed":
                self._check_columns(row, line, placement, geometry, is_official)
                if id(line) in self.after_empty and line.label:
                    self.doubt("row-without-cells", field_ids, [line.label.span()])

    def _read_header(self, row: Row, line: Line) -> tuple[dict[str, int], bool]:
        """The geometry that the header over a line gives, and whether it names the columns in order."""
        # All lines under one header share its list of labels: it is looked at once.
        key = (id(line.header), line.label and id(line.label.grid), row.columns)
        if key not in self.headers:
            seen = [ref.id for atom in line.header for ref in atom.refs if ref.role == "column"]
            geometry = header_geometry(_header_over(line, row), row.columns)
            self.headers[key] = (geometry, _is_official_order(seen, row.columns))
        return self.headers[key]

    def _check_columns(
        self, row: Row, line: Line, placement: Placement, geometry: dict[str, int], is_official: bool
    ) -> None:
        """Cells placed by count need a header that names the columns in the form's order."""
        if placement.by_geometry:
            if any(geometry[a] > geometry[b] for a, b in pairwise(self._field_ids(row))):
                self.doubt("columns-reordered", self._field_ids(row), [])
        elif not is_official:
            self.doubt("columns-unverified", self._field_ids(row), [line.label.span()] if line.label else [])

    def _check_strays(self, strays: Sequence[Line]) -> None:
        unknown, numbers = unknown_texts(strays)
        for code, found in (("unknown-row", unknown), ("unclaimed-numbers", numbers)):
            for stray in found:
                raws = [self.raw(slot) for slot in stray.slots if slot.is_printed]
                self.doubt(code, [], [slot.span() for slot in stray.printed], " ".join(raws)[:40])
                self.reading.unread.extend(raws[:1])

    def _doubt_blanks(self) -> None:
        """Where numbers of the table belong to no row, no empty cell is certain."""
        blanks = [name for name, found in self.reading.candidates.items() if found[0].state is CellState.BLANK]
        for code in ("unknown-row", "unclaimed-numbers"):
            if code in self.doubts:
                self.doubt(code, blanks, [])

    def _check_absent_rows(self) -> None:
        """One row may be missing in the report; many, or the last one, mean that the table is cut off."""
        if len(self.absent) > _MOST_ABSENT_ROWS or self.section.rows[-1] in self.absent:
            last = [row for row in self.section.rows if row not in self.absent][-1:]  # may be cut off, too
            fields = [field_id for row in (*last, *self.absent) for field_id in self._field_ids(row)]
            self.reading.flags.append(make_flag("rows-missing", fields=fields, count=len(self.absent)))

    def _check_order(self) -> None:
        """Rows out of the form's order may be rows whose labels were torn off and put back wrongly.

        A misprinted label is trusted only where the order leaves room for no other row.
        """
        order = list(self.section.rows_by_id)
        found = [(row, line.label) for line in self.table.lines if line.slots and (row := _row_of(line, self.section))]
        places = [-1, *(order.index(row.id) for row, _ in found), len(order)]
        grids = [label.grid if label else None for _, label in found]
        for grid in dict.fromkeys(grids):  # the pieces of a torn table may stand in any order
            members = [i for i, other in enumerate(grids) if other is grid]
            for member in _out_of_order([places[i + 1] for i in members]):
                row, label = found[members[member]]
                self.doubt("row-out-of-order", self._field_ids(row), [label.span()] if label else [])
        for i, (row, label) in enumerate(found, start=1):
            if label and not label.is_exact and not places[i - 1] < places[i] < places[i + 1]:
                self.reading.flags.append(
                    make_flag(
                        "label-inexact",
                        fields=self._field_ids(row),
                        spans=[label.span()],
                        raw=self.raw(label),
                        label=row.labels[0],
                    )
                )


class _OneRowTable(_Table):
    """A table of groups of columns over one unlabelled line of cells (section 四)."""

    def read(self) -> TableReading:
        lines = self._data_lines()
        line = Line(None, (), [slot for line in lines for slot in line.slots])
        while line.slots and line.slots[0].kind == "text":  # a label such as 件数 in front of the cells
            line.slots.pop(0)
        field_ids = [item.id for item in self.section.fields]
        columns = [item.column for item in self.section.fields]
        placement = self.read_line(line, columns, field_ids, self._geometry(line))
        if len(lines) > 1:  # the form has one; the count may fit by accident
            self.doubt(
                "unclaimed-numbers",
                field_ids,
                [slot.span() for slot in lines[0].printed],
                self.raw(lines[0].printed[0]),
            )
        if placement.outcome == "placed" and not placement.by_geometry and not self._has_official_header():
            self.doubt("columns-unverified", field_ids, [label.span() for label in self.table.labels[:1]])
        return self.finish()

    def _data_lines(self) -> list[Line]:
        """The lines of cells under the header: those with numbers, else the last empty one."""
        strays = [line for line in self.table.strays if any(slot.kind == "cell" for slot in line.slots)]
        with_numbers = [line for line in strays if any(s.is_printed and s.kind == "cell" for s in line.slots)]
        return with_numbers or strays[-1:]

    def _leaves(self) -> list[Atom]:
        return [atom for atom in self.table.labels if any(ref.role == "column" for ref in atom.refs)]

    def _groups(self) -> list[Atom]:
        return [atom for atom in self.table.labels if any(ref.id in self.section.rows_by_id for ref in atom.refs)]

    def _has_official_header(self) -> bool:
        """Whether all groups and all their columns are named, in the form's order."""
        columns = [column.id for row in self.section.rows for column in row.columns]
        leaves = [ref.id for atom in self._leaves() for ref in atom.refs if ref.role == "column"]
        groups = [ref.id for atom in self._groups() for ref in atom.refs if ref.id in self.section.rows_by_id]
        return leaves == columns and list(dict.fromkeys(groups)) == list(self.section.rows_by_id)

    def _geometry(self, line: Line) -> dict[str, int]:
        """Field id -> grid column, where one matrix holds header and cells: leaf under group."""
        grids = {atom.grid for atom in (*self._leaves(), *self._groups(), *line.slots)}
        if len(grids) != 1 or None in grids or next(iter(grids)).kind != "matrix":  # type: ignore[union-attr]
            return {}
        found: dict[str, int] = {}
        for leaf in self._leaves():
            column = _cell_of(leaf).column
            over = [
                g for g in self._groups() if _cell_of(g).column <= column < _cell_of(g).column + _cell_of(g).column_span
            ]
            if len(over) != 1:
                return {}
            row_id = next(ref.id for ref in over[0].refs if ref.id in self.section.rows_by_id)
            column_id = next(ref.id for ref in leaf.refs if ref.role == "column")
            found[self.section.field_id(row_id, column_id)] = column
        return found


def _cell_of(atom: Atom) -> Cell:
    if atom.grid is None or atom.cell is None:
        raise ValueError("an atom of running text stands in no cell")
    return atom.grid.cells[atom.cell]


def _out_of_order(places: Sequence[int]) -> list[int]:
    """Positions that stand behind something greater or in front of something smaller."""
    highest_before = [-1, *accumulate(places, max)]
    lowest_behind = [*reversed([*accumulate(reversed(places), min)])]
    return [
        i
        for i, place in enumerate(places)
        if highest_before[i] > place or (i + 1 < len(places) and lowest_behind[i + 1] < place)
    ]


def _header_over(line: Line, row: Row) -> Sequence[Atom]:
    """The labels of the row's columns; none when they stand in another grid than the row."""
    ids = {column.id for column in row.columns}
    header = [atom for atom in line.header if any(ref.role == "column" and ref.id in ids for ref in atom.refs)]
    if line.label is None or any(atom.grid is not line.label.grid for atom in header):
        return ()
    return header


def _label_edge(line: Line) -> int:
    """The first grid column to the right of the row's label."""
    if line.label is None or line.label.grid is None or line.label.cell is None:
        return 0
    cell = _cell_of(line.label)
    return cell.column + cell.column_span


def _is_official_order(seen: Sequence[str], columns: Sequence[Column]) -> bool:
    """Whether a header, read in order of print, names the columns in the form's order.

    A header of two lines names the outer columns first; so the order is checked among the columns
    that stand under the same heading.
    """
    first = {column_id: place for place, column_id in reversed(list(enumerate(seen)))}
    if any(column.id not in first for column in columns):
        return False
    for over in {column.over for column in columns}:
        places = [first[column.id] for column in columns if column.over == over]
        if places != sorted(places):
            return False
    return True
