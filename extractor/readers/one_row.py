"""A table of groups of columns over one unlabelled line of cells (section 四).

Lives here: finding that line and the header's geometry. Called by tables.
"""

from __future__ import annotations

from extractor.forms import load_forms
from extractor.readers.atoms import Atom
from extractor.readers.lines import Line
from extractor.readers.table_reader import TableReader, TableReading, cell_of


class OneRowReader(TableReader):
    """A table of groups of columns over one unlabelled line of cells (section 四)."""

    def read(self) -> TableReading:
        """Read the whole table."""
        lines = self._data_lines()
        line = Line(None, (), [slot for line in lines for slot in line.slots])
        while line.slots and self._is_label(line.slots[0]):
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
        with_numbers = [
            line
            for line in strays
            if any(slot.is_printed and (slot.kind == "cell" or self._holds_digits(slot)) for slot in line.slots)
        ]
        return with_numbers or strays[-1:]

    def _is_label(self, slot: Atom) -> bool:
        """Whether a text in front of the cells is a label, such as 件数: marks (无 too) and letters are a cell's."""
        text = self.document.view[slot.start : slot.end]
        words = [char for char in text if "\u3400" <= char <= "\u9fff" and char not in load_forms().na_marks]
        return slot.kind == "text" and not self._holds_digits(slot) and bool(words)

    def _holds_digits(self, slot: Atom) -> bool:
        return any(char.isdigit() for char in self.document.view[slot.start : slot.end])

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
            column = cell_of(leaf).column
            over = [
                g for g in self._groups() if cell_of(g).column <= column < cell_of(g).column + cell_of(g).column_span
            ]
            if len(over) != 1:
                return {}
            row_id = next(ref.id for ref in over[0].refs if ref.id in self.section.rows_by_id)
            column_id = next(ref.id for ref in leaf.refs if ref.role == "column")
            found[self.section.field_id(row_id, column_id)] = column
        return found
