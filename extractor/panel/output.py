"""panel.parquet and panel_flags.csv, put into place together.

Lives here: columns, types, lines. Does not live here: any check. Called by build.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from extractor.errors import OutputError
from extractor.export import PANEL_OUTPUTS
from extractor.export.delimited import encode_lines, guard_cell
from extractor.export.rows import STATES
from extractor.export.staging import move_into_place, open_staging
from extractor.forms import TABLE_SECTIONS
from extractor.panel.compare import Comparison
from extractor.panel.entries import BASES, Cell, Entry
from extractor.panel.findings import PanelFlag
from extractor.panel.relations import load_panel_fields, load_relations

FLAGS_HEADER = (
    *("code", "severity", "confirmed", "agency", "years", "documents", "paths", "fields", "values"),
    *("message_zh", "message_en"),
)
_BATCH = 1_000
_INT64 = 2**63
_STATE = pa.dictionary(pa.int8(), pa.string())
_TEXTS, _KEYS = pa.list_(pa.string()), pa.string()
_LEADING = (
    *(("agency", _KEYS), ("report_year", pa.int64()), ("document", _KEYS), ("path", _KEYS), ("status", _KEYS)),
    *(("site", _KEYS), ("agency_as_printed", _KEYS), ("agency_key", _KEYS), ("key_decision", _KEYS)),
    *((f"generation.{section}", _KEYS) for section in TABLE_SECTIONS),
    *(("documents_of_year", pa.int64()), ("previous_documents", _TEXTS), ("next_documents", _TEXTS)),
)
_STATE_CODES = {word: code for code, word in enumerate(STATES)}


class PanelRow(NamedTuple):
    """One document with its place in the panel.

    Attributes:
        agency, key: the series; None for a document that belongs to none.
        of_year: number of documents of the same year; None for a document that belongs to no series.
        previous, following: documents of the years before and behind.
        comparisons: with the year before.
    """

    entry: Entry
    agency: str | None = None
    key: str | None = None
    of_year: int | None = None
    previous: Sequence[Entry] = ()
    following: Sequence[Entry] = ()
    comparisons: Sequence[Comparison] = ()


class PanelWriter:
    """Writes both files into a staging folder, row by row; made by open_panel()."""

    def __init__(self, staging: Path, out_dir: Path, cleanup: ExitStack) -> None:
        self._staging, self._out_dir = staging, out_dir
        self._rows: list[list[Any]] = []
        self._schema = pa.schema([pa.field(name, kind) for name, kind in _list_columns()])
        self._flags: IO[bytes] = cleanup.enter_context((staging / "panel_flags.csv").open("wb"))
        self._flags.write(codecs.BOM_UTF8 + encode_lines([FLAGS_HEADER]))
        self._parquet: Any = pq.ParquetWriter(staging / "panel.parquet", self._schema, compression="zstd")
        cleanup.callback(_close_quietly, self._parquet)

    def write_row(self, row: PanelRow) -> None:
        """Add one document."""
        self._rows.append(_lay_out(row))
        if len(self._rows) >= _BATCH:
            self._flush()

    def write_flag(self, item: PanelFlag) -> None:
        """Add one finding."""
        self._flags.write(encode_lines([_flag_line(item)]))

    def publish(self) -> tuple[Path, ...]:
        """Finish both files and move them into place."""
        self._flush()
        self._parquet.close()
        self._flags.close()
        return move_into_place(self._staging, self._out_dir, PANEL_OUTPUTS)

    def _flush(self) -> None:
        if self._rows:
            columns = zip(*self._rows, strict=True)
            arrays = [_build_array(field.type, cells) for field, cells in zip(self._schema, columns, strict=True)]
            self._parquet.write_batch(pa.record_batch(arrays, schema=self._schema))
            self._rows = []


@contextmanager
def open_panel(out_dir: Path) -> Iterator[PanelWriter]:
    """A writer into the folder of a run. Without publish() earlier files stay as they were.

    Raises:
        OutputError: the disk refused, or a run is writing there.
    """
    try:
        with ExitStack() as cleanup:
            staging = cleanup.enter_context(open_staging(out_dir))
            yield PanelWriter(staging, out_dir, cleanup)
    except OSError as error:
        raise OutputError(
            f"{out_dir}: the panel cannot be written ({error.strerror or error}). Check that the folder may be "
            "written to, has room, and that none of its files is open elsewhere."
        ) from error


def _close_quietly(parquet: Any) -> None:
    with suppress(OSError):
        parquet.close()


# ---------------------------------------------------------------- panel.parquet


def _list_columns() -> Iterator[tuple[str, Any]]:
    yield from _LEADING
    for relation in load_relations():
        for part, kind in (("", _KEYS), (".basis", _KEYS), (".reason", _KEYS), (".residual", pa.int64())):
            yield f"{relation.id}{part}", kind
    for field_id in load_panel_fields():
        for part, kind in (("", pa.int64()), (".state", _STATE), (".doubted", pa.int64())):
            yield f"{field_id}{part}", kind


def _lay_out(row: PanelRow) -> list[Any]:
    entry = row.entry
    cells: list[Any] = [
        *(row.agency, entry.year, entry.document, entry.path, entry.status.value),
        *(" ".join(entry.sites) or None, entry.agency, row.key, entry.key_basis if row.agency else None),
        *(entry.generation[section] for section in TABLE_SECTIONS),
        *(row.of_year, [item.document for item in row.previous], [item.document for item in row.following]),
    ]
    found = {item.relation.id: item for item in row.comparisons}
    for relation in load_relations():
        item = found.get(relation.id)
        cells += (item.outcome, item.basis, item.reason, _fit(item.residual)) if item else (None,) * 4
    for cell in entry.cells:
        cells += _lay_out_cell(cell) if cell else (None,) * 3
    return cells


def _lay_out_cell(cell: Cell) -> tuple[int | None, int, int | None]:
    """Accepted number, state, and the number that was not accepted; states as in table.parquet."""
    amount = _fit(cell.amount)
    is_accepted = cell.basis == BASES[0]
    word = cell.state.value if cell.decision == "accepted" else f"review:{cell.state.value}"
    if is_accepted and amount is None:
        word = "value_does_not_fit"
    return (amount if is_accepted else None), _STATE_CODES[word], (None if is_accepted else amount)


def _fit(amount: int | None) -> int | None:
    return amount if amount is not None and -_INT64 <= amount < _INT64 else None


def _build_array(kind: Any, cells: Sequence[Any]) -> Any:
    if kind == _STATE:
        return pa.DictionaryArray.from_arrays(pa.array(cells, pa.int8()), pa.array(STATES, pa.string()))
    return pa.array(cells, kind)


# ---------------------------------------------------------------- panel_flags.csv


def _flag_line(item: PanelFlag) -> tuple[str, ...]:
    flag = item.flag
    return (
        flag.code,
        flag.severity,
        {None: "", True: "yes", False: "no"}[item.is_confirmed],
        guard_cell(item.agency),
        " ".join(map(str, item.years)),
        " ".join(entry.document or "-" for entry in item.entries),
        guard_cell(" | ".join(entry.path for entry in item.entries)),
        " ".join(flag.fields),
        guard_cell(item.values),
        guard_cell(flag.message.zh),
        guard_cell(flag.message.en),
    )
