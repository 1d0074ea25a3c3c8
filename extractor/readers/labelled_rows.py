"""Tables in which every row has its label (sections 二 and 三).

Lives here: matching lines to the form's rows, the check of the header over each, and the doubts about rows:
repeated, missing, unknown, out of order. Called by tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise

from extractor.flags import make_flag
from extractor.forms import Column, Row, Section
from extractor.model import CellState, Document
from extractor.readers.atoms import Atom
from extractor.readers.lines import Line, TableLines, row_of, unknown_texts
from extractor.readers.placement import Placement, header_geometry
from extractor.readers.table_reader import TableReader, TableReading

_MOST_ABSENT_ROWS = 2
# How the form counts: 一、 and （一） and 1.
_LEVEL = re.compile(r"\s*(?:(?P<top>[一二三四五六七]、)|(?P<middle>[(（][一二三四五六七][)）])|(?P<inner>\d))")
# Marks that ran on from a cell: the label is known without them, and its empty cells are none.
_RAN_ON = re.compile(r"(?:[^\u3400-\u9fff)）\]】”\"』」》:：。;；\s]|无)\s*$")
_WORD = re.compile("[\u3400-\u9fff]{2}|[0-9]")


class LabelledRowsReader(TableReader):
    """A table in which every row has its label."""

    def __init__(self, document: Document, table: TableLines, section: Section) -> None:
        super().__init__(document, table, section)
        self.absent: list[Row] = []
        self.is_torn = False
        self.headers: dict[tuple[object, ...], tuple[dict[str, int], bool]] = {}
        self.after_empty = self._lines_after_empty()

    def read(self) -> TableReading:
        """Read the whole table."""
        rows: dict[str, list[Line]] = {}
        strays = list(self.table.strays)
        for line in self.table.lines:
            row = row_of(line, self.section)
            if row is not None:
                rows.setdefault(row.id, []).append(line)
            elif line.printed:
                strays.append(line)
        self._check_strays(strays)
        self.is_torn = (
            bool(self.reading.unread)
            or any(not line.slots for lines in rows.values() for line in lines)
            or self._has_unread_gap(rows)
        )
        for row in self.section.rows:
            self._read_row(row, rows.get(row.id, []))
        self._doubt_blanks()
        self._check_absent_rows()
        self._check_order()
        return self.finish()

    def _lines_after_empty(self) -> set[int]:
        """Lines that follow a label without cells: where no borders show cells, theirs may be its."""
        known = [line for line in self.table.lines if row_of(line, self.section)]
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
            self.add_all(field_ids, CellState.NOT_READ if self.is_torn else CellState.ROW_ABSENT)
            self.absent.extend([] if self.is_torn else [row])
        if len(lines) > 1:
            self.doubt("row-repeated", field_ids, [line.label.span() for line in lines if line.label])
        for line in lines:
            by_column, is_official = self._read_header(row, line)
            geometry = {self.section.field_id(row.id, column): place for column, place in by_column.items()}
            placement = self.read_line(line, row.columns, field_ids, geometry)
            if placement.outcome == "blank" and line.label and _RAN_ON.search(self.raw(line.label)):
                self.doubt("row-without-cells", field_ids, [line.label.span()])
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
            geometry = header_geometry(_header_over(line, row), row.columns, self.document.view)
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
        """One row may be missing in the report; many, or one at an end, mean that the table is cut off there.

        Where a row was lost in flattening, the row in front of the gap may have got its cells.
        """
        for before, row in pairwise(self.section.rows):
            if row in self.absent and before not in self.absent:
                fields = self._field_ids(before)
                found = [self.reading.candidates[name][0] for name in fields]
                if any(candidate.state is not CellState.BLANK for candidate in found):
                    self.doubt("row-before-gap", fields, found[0].spans)
        ends = self.section.rows[0], self.section.rows[-1]
        if len(self.absent) > _MOST_ABSENT_ROWS or any(row in self.absent for row in ends):
            fields = [field_id for row in self.absent for field_id in self._field_ids(row)]
            self.reading.flags.append(make_flag("rows-missing", fields=fields, count=len(self.absent)))

    def _has_unread_gap(self, found: Mapping[str, Sequence[Line]]) -> bool:
        """Whether something stands where a row is absent that is none of the form's labels: it may be that row."""
        order = list(self.section.rows_by_id)
        absent = {place for place, row_id in enumerate(order) if row_id not in found}
        lines = [(order.index(row.id), line) for line in self.table.lines if (row := row_of(line, self.section))]
        return any(
            self._holds_other_text(before, line)
            for (upper, before), (lower, line) in pairwise(lines)
            if absent & set(range(upper + 1, lower))
        )

    def _holds_other_text(self, before: Line, line: Line) -> bool:
        start = max([slot.end for slot in before.slots], default=before.label.end if before.label else 0)
        end = line.label.start if line.label else start
        known = [atom for atom in self.table.labels if start <= atom.start < end]
        starts = [start, *(atom.end for atom in known)]
        ends = [*(atom.start for atom in known), end]
        between = "".join(self.document.view[a:b] for a, b in zip(starts, ends, strict=True))
        return _WORD.search(between) is not None

    def _check_order(self) -> None:
        """Rows out of the form's order may be rows whose labels were torn off and put back wrongly.

        A misprinted label is trusted only where the order leaves room for no other row.
        """
        order = list(self.section.rows_by_id)
        found = [(row, line.label) for line in self.table.lines if line.slots and (row := row_of(line, self.section))]
        places = [-1, *(order.index(row.id) for row, _ in found), len(order)]
        grids = [label.grid if label else None for _, label in found]
        for grid in dict.fromkeys(grids):  # the pieces of a torn table may stand in any order
            members = [i for i, other in enumerate(grids) if other is grid]
            for member in _out_of_order([places[i + 1] for i in members]):
                row, label = found[members[member]]
                self.doubt("row-out-of-order", self._field_ids(row), [label.span()] if label else [])
        for i, (row, label) in enumerate(found, start=1):
            has_neighbours = places[i - 1] + 1 == places[i] == places[i + 1] - 1
            if label and self._is_doubtful(label, row) and not has_neighbours:
                self.reading.flags.append(
                    make_flag(
                        "label-inexact",
                        fields=self._field_ids(row),
                        spans=[label.span()],
                        raw=self.raw(label),
                        label=row.labels[0],
                    )
                )

    def _is_doubtful(self, label: Atom, row: Row) -> bool:
        """Whether a label is only like the row's, or counted in the way of another level of the form: （六） for 6."""
        printed, official = _LEVEL.match(self.raw(label)), _LEVEL.match(row.labels[0])
        return not label.is_exact or bool(printed and official and printed.lastgroup != official.lastgroup)


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
