"""Putting the outputs of a run into place, whole or not at all.

Lives here: the order of files. Does not live here: the staging folder (staging), and the shape of any file (its own
module). Called by bulk and stored.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from xlsxwriter.exceptions import XlsxWriterException

from extractor.errors import OutputError
from extractor.export.delimited import FLAGS_HEADER, VALUES_HEADER, encode_lines, flag_lines, guard_cell, value_line
from extractor.export.excel import ExcelTable
from extractor.export.parquet import ParquetTable
from extractor.export.queue import QUEUE_HEADER, list_waiting, queue_lines
from extractor.export.rows import TableLayout, TableRow
from extractor.export.staging import STAGING_PREFIX, WORK_FOLDER, move_into_place, open_staging
from extractor.model import Record

OUTPUTS: dict[str, str] = {
    "table.xlsx": "one row a document, accepted values only; sheet `states` says why a cell is empty",
    "table.parquet": "the same table for pandas, R or DuckDB, the state beside every value",
    "values.csv": "one line a value: printed text, state, decision, and who decided",
    "queue.csv": "the worklist: one line for each field that a person should look at, and where",
    "flags.csv": "the reasons: every finding with its message and place in the source",
    "records.jsonl": "everything about each document, one JSON record a line",
    "run.json": "versions, counts, errors and seconds of the run",
}
"""Every output file with what it is for; run.json is put into place last."""
PANEL_OUTPUTS: dict[str, str] = {
    "panel.parquet": "one row a document, by agency and year: carried over, stocks, and how they fit the year before",
    "panel_flags.csv": "what does not fit between documents, and what is missing or there twice",
}
"""The same of extractor.panel, which reads records.jsonl: a new run takes them away."""


class Prepared(NamedTuple):
    """One document as every output will hold it. `unknown`: how many of its fields have no column, by field."""

    records: bytes
    values: bytes
    queue: bytes
    flags: bytes
    row: TableRow
    units: list[str | None]
    unknown: dict[str, int]


def prepare_document(
    layout: TableLayout, record: Record, *, is_audited: bool = False, waiting: Collection[str] | None = None
) -> Prepared:
    """All that can fail on the record itself, before the first byte is written.

    Args:
        layout: of the table, made once.
        record: of one document.
        is_audited: whether its accepted fields go into queue.csv, too.
        waiting: the fields that go into queue.csv, where something else than the record knows.

    Raises:
        ValueError: the record holds what no output can (a lone surrogate).
    """
    document, path = record.document.id or "", guard_cell(record.document.path)
    if waiting is None:
        waiting = list_waiting(record, is_audited=is_audited)
    unknown: dict[str, int] = {}
    return Prepared(
        records=f"{record.model_dump_json()}\n".encode(),
        values=encode_lines([value_line(document, path, *item) for item in record.fields.items()]),
        queue=encode_lines(queue_lines(document, path, record, waiting)),
        flags=encode_lines(flag_lines(document, path, record)),
        row=layout.lay_out(record, unknown),
        units=layout.units(record),
        unknown=unknown,
    )


class OutputWriter:
    """Writes all outputs of one run, document by document, and puts them into place at the end.

    Until publish() everything stands in a staging folder. Leaving the context without publish() throws it away, so
    that earlier outputs stay whole; what a crash left behind is swept away by the next run.
    """

    def __init__(self, out_dir: Path) -> None:
        self._out_dir = out_dir
        self._unknown_fields: dict[str, int] = {}
        self._layout = TableLayout()
        self._is_sealed = False
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        with self._as_output_error(), ExitStack() as cleanup:
            if not self._out_dir.exists():
                self._out_dir.mkdir(parents=True)
                cleanup.callback(_remove_if_empty, self._out_dir)
            self._staging = cleanup.enter_context(open_staging(self._out_dir))
            self._open_files(cleanup)
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # closing a file writes what is left of it; none of it is wanted any more
            self._cleanup.close()

    def write(self, record: Record, *, is_audited: bool = False, waiting: Collection[str] | None = None) -> None:
        """Add one document to every output. See prepare_document and put."""
        self.put(prepare_document(self._layout, record, is_audited=is_audited, waiting=waiting))

    def put(self, prepared: Prepared) -> None:
        """Write what was prepared into every output.

        Raises:
            OutputError: the disk refused (full, gone).
        """
        with self._as_output_error():
            self._records.write(prepared.records)
            self._values.write(prepared.values)
            self._queue.write(prepared.queue)
            self._flags.write(prepared.flags)
            self._xlsx.write(prepared.row, prepared.units)
            self._parquet.write(prepared.row, prepared.units)
        for field_id, count in prepared.unknown.items():
            self._unknown_fields[field_id] = self._unknown_fields.get(field_id, 0) + count

    def seal(self) -> None:
        """Finish the tables; the run's own account (run.json) is still to come."""
        with self._as_output_error():
            self._xlsx.close()
            self._parquet.close()
            for file in (self._records, self._values, self._queue, self._flags):
                file.close()
        self._is_sealed = True

    def publish(self, run: Mapping[str, object]) -> tuple[Path, ...]:
        """Write run.json and move every file into place.

        Args:
            run: the account of the run; what the writer itself knows is added.

        Returns:
            The files, in the order of OUTPUTS.

        Raises:
            OutputError: a file could not be replaced (open in Excel, say).
        """
        if not self._is_sealed:
            self.seal()
        account = {
            **run,
            "outputs": list(OUTPUTS),
            "xlsx_rows_left_out": self.xlsx_rows_left_out,
            "fields_not_in_table": self._unknown_fields,
        }
        with self._as_output_error():
            text = json.dumps(account, ensure_ascii=False, indent=2) + "\n"
            (self._staging / "run.json").write_text(text, encoding="utf-8")
            for name in PANEL_OUTPUTS:
                (self._out_dir / name).unlink(missing_ok=True)
            return move_into_place(self._staging, self._out_dir, OUTPUTS)

    @property
    def xlsx_rows_left_out(self) -> int:
        """Documents beyond the rows that a sheet can hold; they are in every other output."""
        return self._xlsx.rows_left_out

    def _open_files(self, cleanup: ExitStack) -> None:
        self._records = cleanup.enter_context((self._staging / "records.jsonl").open("wb"))
        self._values = cleanup.enter_context((self._staging / "values.csv").open("wb"))
        self._queue = cleanup.enter_context((self._staging / "queue.csv").open("wb"))
        self._flags = cleanup.enter_context((self._staging / "flags.csv").open("wb"))
        # The byte order mark is for Excel, which otherwise takes UTF-8 for the local code page.
        self._values.write(codecs.BOM_UTF8 + encode_lines([VALUES_HEADER]))
        self._queue.write(codecs.BOM_UTF8 + encode_lines([QUEUE_HEADER]))
        self._flags.write(codecs.BOM_UTF8 + encode_lines([FLAGS_HEADER]))
        self._xlsx = ExcelTable(self._staging / "table.xlsx", self._layout)
        cleanup.callback(self._xlsx.abandon)
        self._parquet = ParquetTable(self._staging / "table.parquet", self._layout)
        cleanup.callback(self._parquet.abandon)

    @contextmanager
    def _as_output_error(self) -> Iterator[None]:
        try:
            yield
        except (OSError, XlsxWriterException) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise OutputError(
                f"{self._out_dir}: the outputs cannot be written ({reason}). "
                "Check that the folder may be written to, has room, and that none of its files is open elsewhere; "
                "or give another folder with --out."
            ) from error


def check_out_dir(out_dir: Path, *, is_forced: bool = False) -> None:
    """Refuse a folder that holds something other than earlier outputs.

    Raises:
        OutputError: it is no folder, or holds files of somebody else and `is_forced` is not set.
    """
    if out_dir.exists() and not out_dir.is_dir():
        raise OutputError(f"{out_dir}: is a file. Give a folder with --out.")
    if is_forced or not out_dir.is_dir():
        return
    names = {entry.name for entry in out_dir.iterdir() if not entry.name.startswith(STAGING_PREFIX)}
    is_ours = WORK_FOLDER in names or {"run.json", "records.jsonl"} <= names
    if names and not is_ours:
        raise OutputError(
            f"{out_dir}: holds {len(names)} files that are not outputs of an earlier run. "
            "Give another folder with --out, or --force to write beside them."
        )


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
