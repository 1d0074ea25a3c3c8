"""table.xlsx: accepted values, the states behind empty cells, and the codebook.

Lives here: the workbook. Called by writer. Only public calls of xlsxwriter are used, but for the two
attributes that abandon() needs, because the library knows no way to give a workbook up.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from extractor.export.rows import LEADING_COLUMNS, PLAIN_STATES, Column, TableLayout, TableRow
from extractor.forms import CODEBOOK_HEADER, codebook_line

XLSX_ROWS = 1_048_576
_HEADER_ROWS = 2
_CELL_CHARACTERS = 32_767
_EXACT = 2**53  # beyond it, Excel silently rounds a whole number
_ZIP64_ROWS = 200_000  # about where a sheet's XML passes the 4 GB of a plain zip


class ExcelTable:
    """table.xlsx: sheets `accepted`, `states` and `codebook`, in constant memory."""

    def __init__(self, path: Path, layout: TableLayout) -> None:
        self.rows_left_out = 0
        self._row = _HEADER_ROWS
        self._layout = layout
        options = {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False}
        self._workbook = xlsxwriter.Workbook(path, options)
        self._bold = self._workbook.add_format({"bold": True})
        self._columns = [
            *LEADING_COLUMNS,
            *(Column(entry.id, entry.label, entry.kind) for entry in layout.entries),
            *(Column(f"{field_id}.unit", "单位（按原文）", "text") for field_id in layout.unit_fields),
        ]
        self._accepted = self._add_sheet("accepted")
        self._states = self._add_sheet("states")
        self._write_codebook()

    def write(self, row: TableRow, units: Sequence[str | None]) -> None:
        """Add one document; beyond the last row of a sheet it is only counted."""
        if self._row >= XLSX_ROWS:
            self.rows_left_out += 1
            return
        for column, cell in enumerate((*row.leading, *row.values, *units)):
            if cell is not None:
                _write_cell(self._accepted, self._row, column, cell)
        for column, name in enumerate(row.leading[:2]):
            if name is not None:
                _write_cell(self._states, self._row, column, name)
        for column, word in enumerate(row.states, start=len(LEADING_COLUMNS)):
            if word not in PLAIN_STATES:
                self._states.write_string(self._row, column, str(word))
        self._row += 1

    def close(self) -> None:
        """Finish the workbook."""
        for sheet in (self._accepted, self._states):
            sheet.autofilter(_HEADER_ROWS - 1, 0, max(self._row - 1, _HEADER_ROWS), len(self._columns) - 1)
        if self._row > _ZIP64_ROWS:
            self._workbook.use_zip64()
        self._workbook.close()

    def abandon(self) -> None:
        """Release the file handles without writing the workbook; nothing to do once it is written."""
        for sheet in self._workbook.worksheets():
            if sheet.row_data_fh is not None:
                with suppress(OSError):  # what it still holds finds no room on a full disk
                    sheet.row_data_fh.close()
        self._workbook.fileclosed = True  # else xlsxwriter warns, and writes, when it is collected

    def _add_sheet(self, name: str) -> Worksheet:
        sheet: Worksheet = self._workbook.add_worksheet(name)
        sheet.freeze_panes(_HEADER_ROWS, 2)
        sheet.set_column(0, 0, 12)
        sheet.set_column(1, 1, 36)
        sheet.set_column(2, len(self._columns) - 1, 14)
        for row, texts in enumerate(zip(*((column.id, column.label) for column in self._columns), strict=True)):
            sheet.write_row(row, 0, texts, self._bold)
        return sheet

    def _write_codebook(self) -> None:
        sheet = self._workbook.add_worksheet("codebook")
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, 0, 48)
        sheet.set_column(1, 1, 90)
        sheet.write_row(0, 0, CODEBOOK_HEADER, self._bold)
        for row, entry in enumerate(self._layout.entries, start=1):
            sheet.write_row(row, 0, codebook_line(entry))


def _write_cell(sheet: Worksheet, row: int, column: int, cell: int | float | str) -> None:
    if isinstance(cell, str):
        sheet.write_string(row, column, _cut_text(cell))
    elif -_EXACT <= cell <= _EXACT:
        sheet.write_number(row, column, cell)
    else:
        sheet.write_string(row, column, str(cell))


def _cut_text(text: str) -> str:
    if text.startswith("<r>"):
        text = f" {text}"  # xlsxwriter takes such a string for markup of its own and writes it unescaped
    if len(text) <= _CELL_CHARACTERS // 2:  # Excel counts in UTF-16
        return text
    return text.encode("utf-16-le")[: 2 * _CELL_CHARACTERS].decode("utf-16-le", "ignore")
