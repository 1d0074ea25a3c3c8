"""table.parquet: the table with the state beside every value, under one schema for all documents.

Lives here: types and row groups. Called by writer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from extractor.export.rows import LEADING_COLUMNS, STATES, TableLayout, TableRow

# Documents as Python's own objects, and as arrays of Arrow. Every row group costs half a megabyte of memory to the end,
# and as much again when the footer is written: a kilobyte for each of hundreds of columns.
_BATCH = 1_000
_GROUP = 5


class ParquetTable:
    """table.parquet: one row group for five thousand documents, under one schema for all."""

    def __init__(self, path: Path, layout: TableLayout) -> None:
        self._layout = layout
        self._rows: list[TableRow] = []
        self._units: list[list[str | None]] = []
        self._batches: list[Any] = []
        self._state_words = pa.array(STATES, pa.string())
        self._state_codes = {word: code for code, word in enumerate(STATES)}
        types = {"int": pa.int64(), "decimal": pa.float64(), "text": pa.string()}
        self._leading = [pa.field(column.id, types[column.kind]) for column in LEADING_COLUMNS]
        self._fields = [pa.field(entry.id, types[entry.kind]) for entry in layout.entries]
        self._state_type = pa.dictionary(pa.int8(), pa.string())
        self._schema = pa.schema(list(self._arrange_fields()))
        self._writer: Any = pq.ParquetWriter(path, self._schema, compression="zstd", write_statistics=False)

    def write(self, row: TableRow, units: list[str | None]) -> None:
        """Add one document."""
        self._rows.append(row)
        self._units.append(units)
        if len(self._rows) >= _BATCH:
            self._pack()

    def close(self) -> None:
        """Write what is left and the footer."""
        self._pack()
        self._flush()
        self._writer.close()

    def abandon(self) -> None:
        """Release the file handle; the file is thrown away, or already closed."""
        self._rows.clear()
        self._batches.clear()
        with suppress(OSError):
            self._writer.close()

    def _arrange_fields(self) -> Iterator[Any]:
        yield from self._leading
        for field in self._fields:
            yield field
            yield pa.field(f"{field.name}.state", self._state_type)
        for field_id in self._layout.unit_fields:
            yield pa.field(f"{field_id}.unit", pa.string())

    def _pack(self) -> None:
        if self._rows:
            self._batches.append(pa.record_batch(list(self._arrange_arrays()), schema=self._schema))
            self._rows, self._units = [], []
        if len(self._batches) >= _GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._batches:
            self._writer.write_table(pa.Table.from_batches(self._batches), row_group_size=_BATCH * _GROUP)
            self._batches = []

    def _arrange_arrays(self) -> Iterator[Any]:
        codes = self._state_codes
        for field, cells in zip(self._leading, _transpose(row.leading for row in self._rows), strict=True):
            yield pa.array(cells, field.type)
        values = _transpose(row.values for row in self._rows)
        states = _transpose(row.states for row in self._rows)
        for field, cells, words in zip(self._fields, values, states, strict=True):
            yield pa.array(cells, field.type)
            indices = pa.array([None if word is None else codes[word] for word in words], pa.int8())
            yield pa.DictionaryArray.from_arrays(indices, self._state_words)
        for units in _transpose(self._units):
            yield pa.array(units, pa.string())


def _transpose(rows: Any) -> Iterator[tuple[Any, ...]]:
    return zip(*rows, strict=True)
