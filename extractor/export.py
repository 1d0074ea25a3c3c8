"""Records out of the house: JSON lines, CSV, Excel and Parquet, written as a stream.

Lives here: the shape of every output file, the codebook of their columns, and putting the files
into place whole or not at all. Does not live here: which documents there are, or any judgement of
a value: what is accepted was decided before. Called by bulk (writing), console and cli (codebook).
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, NamedTuple, Self

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from extractor.errors import OutputError
from extractor.forms import FormField, load_forms
from extractor.model import HEADER_FIELDS, NARRATIVE_FIELDS, CellState, Record, RecordField, Value

if sys.platform != "win32":
    import fcntl


OUTPUTS: dict[str, str] = {
    "table.xlsx": "one row a document, accepted values only; sheet `states` says why a cell is empty",
    "table.parquet": "the same table for pandas, R or DuckDB, the state beside every value",
    "values.csv": "one line a value: printed text, state, decision",
    "flags.csv": "the worklist: every finding with its message and place in the source",
    "records.jsonl": "everything about each document, one JSON record a line",
    "run.json": "versions, counts, errors and seconds of the run",
}
"""Every output file with what it is for; run.json is put into place last."""

XLSX_ROWS = 1_048_576
_XLSX_HEADER_ROWS = 2
_XLSX_CELL_CHARACTERS = 32_767
_XLSX_EXACT = 2**53  # beyond it, Excel silently rounds a whole number
_ZIP64_ROWS = 200_000  # about where a sheet's XML passes the 4 GB of a plain zip
_PARQUET_BATCH = 1_000
_INT64 = 2**63

Kind = Literal["int", "decimal", "text"]

# ---------------------------------------------------------------- the codebook


class CodebookEntry(NamedTuple):
    """One field of the outputs.

    Attributes:
        label: where it stands in the form, outermost first: section > group > row > column.
        unit: `wan` (ten thousand yuan), `yuan`, `as_printed` (see its `.unit` column) or "".
        generations: the form generations that have it; empty for facts outside the tables.
    """

    id: str
    label: str
    kind: Kind
    unit: str
    generations: tuple[str, ...]


_FACT_LABELS = {
    "title": "标题",
    "agency_name": "机关名称",
    "report_year": "报告年度",
    "published_on": "发布日期",
    "contact_phone": "联系电话",
    "contact_address": "联系地址",
    "website": "网站",
    "period_start": "统计期限起",
    "period_end": "统计期限止",
    "proactive_items_total": "主动公开政府信息总数",
    "website_items": "网站公开数",
    "wechat_items": "微信公开数",
    "applications_received": "收到申请数",
    "applications_answered": "答复（办结）申请数",
    "reviews": "行政复议数",
    "litigations": "行政诉讼数",
    "information_processing_fee_yuan": "信息处理费",
}


@cache
def load_codebook() -> tuple[CodebookEntry, ...]:
    """Every field that the outputs may hold: header, tables of all generations, narrative."""
    forms = load_forms()
    header = [_describe_fact("header", name, "int" if name == "report_year" else "text") for name in HEADER_FIELDS]
    cells = [
        CodebookEntry(
            item.id,
            label_path(item),
            "decimal" if item.column.is_decimal else "int",
            item.column.unit or "",
            tuple(form.generation for form in forms.national if _has_field(form.generation, item)),
        )
        for item in forms.fields.values()
    ]
    narrative = [
        _describe_fact("narrative", name, "decimal" if name.endswith("_yuan") else "int") for name in NARRATIVE_FIELDS
    ]
    return (*header, *cells, *narrative)


def label_path(item: FormField) -> str:
    """The printed labels that lead to a cell, outermost first."""
    section = next(form.sections[item.section] for form in load_forms().national if item.section in form.sections)
    parts = (section.title, item.row.group, item.row.labels[0], item.column.over, item.column.labels[0])
    return " > ".join(part for part in parts if part)


def _has_field(generation: str, item: FormField) -> bool:
    section = load_forms().section(item.section, generation)
    return section is not None and any(field.id == item.id for field in section.fields)


def _describe_fact(part: str, name: str, kind: Kind) -> CodebookEntry:
    place = "报告首部" if part == "header" else "正文"
    unit = "yuan" if name.endswith("_yuan") else ""
    return CodebookEntry(f"{part}.{name}", f"{place} > {_FACT_LABELS[name]}", kind, unit, ())


# ---------------------------------------------------------------- one row a document


class Column(NamedTuple):
    """One column of the table."""

    id: str
    label: str
    kind: Kind


class TableRow(NamedTuple):
    """One document as a row: its leading cells, then value and state for every field of the codebook."""

    leading: list[int | float | str | None]
    values: list[int | float | str | None]
    states: list[str | None]


LEADING_COLUMNS = (
    Column("document", "文件标识（sha256）", "text"),
    Column("path", "文件", "text"),
    Column("files", "相同文件数", "int"),
    Column("url", "网址", "text"),
    Column("site", "网站名称", "text"),
    Column("fetched_at", "抓取时间", "text"),
    Column("status", "处理结果", "text"),
    Column("title", "标题", "text"),
    Column("agency_name", "机关名称", "text"),
    Column("report_year", "报告年度", "int"),
    Column("published_on", "发布日期", "text"),
    Column("generation.proactive_disclosure", "表式：主动公开", "text"),
    Column("generation.applications", "表式：申请", "text"),
    Column("generation.review_litigation", "表式：复议诉讼", "text"),
    Column("accepted", "已采信项数", "int"),
    Column("review", "待复核项数", "int"),
)
_KEY_FACTS = ("title", "agency_name", "report_year", "published_on")
_FIRST_FACT = [column.id for column in LEADING_COLUMNS].index(_KEY_FACTS[0])
_PLAIN = (None, "value")
_DOES_NOT_FIT = "value_does_not_fit"
_ACCEPTED_WORDS: dict[CellState, str] = {state: state.value for state in CellState}
_REVIEW_WORDS: dict[CellState, str] = {state: f"review:{state}" for state in CellState}
STATES = (*_ACCEPTED_WORDS.values(), *_REVIEW_WORDS.values(), _DOES_NOT_FIT)
"""Every word that a state column may hold."""
_VALUE = CellState.VALUE  # reading a member off its enum class is slow, and this is read for every cell


class _TableLayout:
    """Where every field stands, worked out once for all documents."""

    def __init__(self) -> None:
        codebook = load_codebook()
        self.entries = codebook
        self.positions = {entry.id: (index, entry.kind) for index, entry in enumerate(codebook)}
        self.unit_fields = tuple(entry.id for entry in codebook if entry.unit == "as_printed")
        self._facts = tuple(self.positions[f"header.{name}"][0] for name in _KEY_FACTS)

    def lay_out(self, record: Record, unknown: dict[str, int]) -> TableRow:
        """One record as a row; fields that have no column are counted in `unknown`."""
        values: list[int | float | str | None] = [None] * len(self.entries)
        states: list[str | None] = [None] * len(self.entries)
        positions = self.positions
        accepted = 0
        for field_id, field in record.fields.items():
            place = positions.get(field_id)
            if field.decision == "accepted":
                accepted += 1
                words = _ACCEPTED_WORDS
            else:
                words = _REVIEW_WORDS
            if place is None:
                unknown[field_id] = unknown.get(field_id, 0) + 1
                continue
            index, kind = place
            states[index] = words[field.state]
            if words is _ACCEPTED_WORDS and field.state is _VALUE:
                values[index] = value = _fit_value(field.value, kind)
                if value is None:
                    states[index] = _DOES_NOT_FIT
        leading = self._lead(record, accepted)
        leading[_FIRST_FACT : _FIRST_FACT + len(_KEY_FACTS)] = [values[index] for index in self._facts]
        return TableRow(leading, values, states)

    def _lead(self, record: Record, accepted: int) -> list[int | float | str | None]:
        generation, origins = record.generation, record.origins
        # The first origin that says anything; records.jsonl keeps them all.
        origin = next((item for item in origins if item.url or item.site), origins[0] if origins else None)
        return [
            record.document.id,
            record.document.path,
            len(origins),
            origin.url if origin else None,
            origin.site if origin else None,
            origin.fetched_at if origin else None,
            record.status.value,
            *(None for _ in _KEY_FACTS),
            generation.get("proactive_disclosure"),
            generation.get("applications"),
            generation.get("review_litigation"),
            accepted,
            len(record.fields) - accepted,
        ]

    def units(self, record: Record) -> list[str | None]:
        """The printed unit of each accepted value whose column leaves the unit open."""
        found = (record.fields.get(field_id) for field_id in self.unit_fields)
        return [
            field.unit if field and field.decision == "accepted" and field.state is _VALUE else None for field in found
        ]


def _fit_value(value: Value | None, kind: Kind) -> int | float | str | None:
    """The value in its column's type; None when it does not fit (kept in records.jsonl and values.csv)."""
    if kind == "int" and type(value) is int and -_INT64 <= value < _INT64:
        return value
    if kind == "text":
        return None if value is None else _plain(value)
    if kind == "decimal":
        return float(value) if isinstance(value, int | Decimal) else None
    # A year may come as text, a count as Decimal; neither changes its meaning as a whole number.
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() else None
    elif isinstance(value, Decimal):
        value = int(value) if value == value.to_integral_value() else None
    return value if isinstance(value, int) and -_INT64 <= value < _INT64 else None


def _plain(value: Value) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)


# ---------------------------------------------------------------- CSV

_VALUES_HEADER = ("document", "path", "field", "state", "value", "unit", "raw", "decision")
_FLAGS_HEADER = ("document", "path", "code", "severity", "fields", "message_zh", "message_en", "evidence")
# What spreadsheets take for the start of a formula (the full-width forms: with a Chinese or Japanese input locale).
_FORMULA_STARTS = frozenset("=+-@＝＋－＠\t\r")
_HARMLESS = re.compile(r"[+\-＋－]?[\d０-９][\d０-９,，.．\s]*[%％]?|[-－]+")


def guard_cell(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would run as a formula; numbers and dashes stay as they are."""
    if not text or text[0] not in _FORMULA_STARTS or _HARMLESS.fullmatch(text):
        return text
    return "'" + text


def _encode_lines(lines: Sequence[tuple[str, ...]]) -> bytes:
    """CSV lines as bytes.

    Where no cell needs quotes, which the counts of separators show, plain joining gives the same
    bytes as the csv module at a third of its cost.
    """
    text = "".join(",".join(cells) + "\r\n" for cells in lines)
    commas = sum(map(len, lines)) - len(lines)
    if '"' in text or text.count(",") != commas or text.count("\n") != len(lines) or text.count("\r") != len(lines):
        buffer = io.StringIO()
        csv.writer(buffer).writerows(lines)
        text = buffer.getvalue()
    return text.encode()


def _value_line(document: str, path: str, field_id: str, field: RecordField) -> tuple[str, ...]:
    value, raw = field.value, field.raw or ""
    text = "" if value is None else guard_cell(value) if isinstance(value, str) else _plain(value)
    if raw != text:
        raw = guard_cell(raw)
    return document, path, field_id, field.state, text, field.unit or "", raw, field.decision


def _flag_lines(document: str, path: str, record: Record) -> list[tuple[str, ...]]:
    return [
        (
            document,
            path,
            flag.code,
            flag.severity,
            " ".join(flag.fields),
            guard_cell(flag.message.zh),
            guard_cell(flag.message.en),
            f"{flag.spans[0].start}-{flag.spans[0].end}" if flag.spans else "",
        )
        for flag in record.flags
    ]


# ---------------------------------------------------------------- Excel


class _XlsxTable:
    """table.xlsx: sheets `accepted`, `states` and `codebook`, in constant memory."""

    def __init__(self, path: Path, layout: _TableLayout) -> None:
        self.rows_left_out = 0
        self._row = _XLSX_HEADER_ROWS
        self._layout = layout
        options = {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False}
        self._workbook = xlsxwriter.Workbook(path, options)
        self._bold = self._workbook.add_format({"bold": True})
        self._columns = [
            *LEADING_COLUMNS,
            *(Column(entry.id, entry.label, entry.kind) for entry in layout.entries),
            *(Column(f"{field_id}.unit", "单位（按原文）", "text") for field_id in layout.unit_fields),
        ]
        self._letters = [xl_col_to_name(index) for index in range(len(self._columns))]
        self._no_cells = [None] * (len(LEADING_COLUMNS) - 2)
        self._accepted = self._add_sheet("accepted")
        self._states = self._add_sheet("states")
        self._write_codebook()

    def write(self, row: TableRow, units: Sequence[str | None]) -> None:
        if self._row >= XLSX_ROWS:
            self.rows_left_out += 1
            return
        cells = zip(self._letters, [*row.leading, *row.values, *units], strict=True)
        _append_row(self._accepted, self._row, ((letters, cell) for letters, cell in cells if cell is not None))
        doubts = zip(self._letters, [*row.leading[:2], *self._no_cells, *row.states], strict=False)
        _append_row(self._states, self._row, ((letters, word) for letters, word in doubts if word not in _PLAIN))
        self._row += 1

    def close(self) -> None:
        for sheet in (self._accepted, self._states):
            sheet.autofilter(_XLSX_HEADER_ROWS - 1, 0, max(self._row - 1, _XLSX_HEADER_ROWS), len(self._columns) - 1)
        if self._row > _ZIP64_ROWS:
            self._workbook.use_zip64()
        self._workbook.close()

    def abandon(self) -> None:
        """Release the file handles without writing the workbook; nothing to do once it is written."""
        for sheet in self._workbook.worksheets():
            if sheet.row_data_fh is not None:
                sheet.row_data_fh.close()
        self._workbook.fileclosed = True  # else xlsxwriter warns, and writes, when it is collected

    def _add_sheet(self, name: str) -> Worksheet:
        sheet: Worksheet = self._workbook.add_worksheet(name)
        sheet.freeze_panes(_XLSX_HEADER_ROWS, 2)
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


CODEBOOK_HEADER = ("id", "label_zh", "type", "unit", "generations")


def codebook_line(entry: CodebookEntry) -> tuple[str, ...]:
    """A codebook entry as text cells, in the order of CODEBOOK_HEADER."""
    return entry.id, entry.label, entry.kind, entry.unit, " ".join(entry.generations)


def _append_row(sheet: Worksheet, row: int, cells: Iterator[tuple[str, int | float | str]]) -> None:
    """Write one whole row: (column letters, value), empty cells left out, in column order.

    Reaches past the public write_number(), which costs ten times the rest of a document's outputs,
    to the two calls that it ends in: flush the row before, then write this row's XML. The tests read
    the sheets back with another library, so a release that changes this shows at once.
    """
    number = row + 1
    sheet._check_dimensions(row, 0)
    sheet._write_single_row(row)
    xml = "".join(
        f'<c r="{letters}{number}" t="inlineStr"><is><t xml:space="preserve">{_escape_text(sheet, cell)}</t></is></c>'
        if isinstance(cell, str)
        else f'<c r="{letters}{number}"><v>{cell!r}</v></c>'
        if -_XLSX_EXACT <= cell <= _XLSX_EXACT
        else f'<c r="{letters}{number}" t="inlineStr"><is><t>{cell}</t></is></c>'
        for letters, cell in cells
    )
    sheet.row_data_fh.write(f'<row r="{number}">{xml}</row>')


def _escape_text(sheet: Worksheet, text: str) -> str:
    if len(text) > _XLSX_CELL_CHARACTERS // 2:  # Excel counts in UTF-16
        text = text.encode("utf-16-le")[: 2 * _XLSX_CELL_CHARACTERS].decode("utf-16-le", "ignore")
    elif text.isalnum():
        return text
    escaped: str = sheet._escape_data(sheet._escape_control_characters(text))
    return escaped


# ---------------------------------------------------------------- Parquet


class _ParquetTable:
    """table.parquet: one row group a thousand documents, under one schema for all."""

    def __init__(self, path: Path, layout: _TableLayout) -> None:
        self._layout = layout
        self._rows: list[TableRow] = []
        self._units: list[list[str | None]] = []
        self._state_words = pa.array(STATES, pa.string())
        self._state_codes = {word: code for code, word in enumerate(STATES)}
        types = {"int": pa.int64(), "decimal": pa.float64(), "text": pa.string()}
        self._leading = [pa.field(column.id, types[column.kind]) for column in LEADING_COLUMNS]
        self._fields = [pa.field(entry.id, types[entry.kind]) for entry in layout.entries]
        self._state_type = pa.dictionary(pa.int8(), pa.string())
        self._schema = pa.schema(list(self._arrange_fields()))
        self._writer: Any = pq.ParquetWriter(path, self._schema, compression="zstd", write_statistics=False)

    def write(self, row: TableRow, units: list[str | None]) -> None:
        self._rows.append(row)
        self._units.append(units)
        if len(self._rows) >= _PARQUET_BATCH:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def abandon(self) -> None:
        """Release the file handle; the file is thrown away, or already closed."""
        self._rows.clear()
        with suppress(OSError):
            self._writer.close()

    def _arrange_fields(self) -> Iterator[Any]:
        yield from self._leading
        for field in self._fields:
            yield field
            yield pa.field(f"{field.name}.state", self._state_type)
        for field_id in self._layout.unit_fields:
            yield pa.field(f"{field_id}.unit", pa.string())

    def _flush(self) -> None:
        if self._rows:
            batch = pa.record_batch(list(self._arrange_arrays()), schema=self._schema)
            self._writer.write_batch(batch)
            self._rows, self._units = [], []

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


# ---------------------------------------------------------------- the writer


class OutputWriter:
    """Writes all outputs of one run, document by document, and puts them into place at the end.

    Until publish() everything stands in a hidden folder inside the output folder (inside, not
    beside it: an output folder is often a mount of its own, and a file moves atomically only
    within one file system). Leaving the context without publish() throws it away, so that earlier
    outputs stay whole; what a crash left behind is swept away by the next run.
    """

    def __init__(self, out_dir: Path) -> None:
        self._out_dir = out_dir
        self._unknown_fields: dict[str, int] = {}
        self._layout = _TableLayout()
        self._is_sealed = False
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        with self._as_output_error(), ExitStack() as cleanup:
            if not self._out_dir.exists():
                self._out_dir.mkdir(parents=True)
                cleanup.callback(_remove_if_empty, self._out_dir)
            _sweep_leftovers(self._out_dir)
            self._staging = Path(tempfile.mkdtemp(prefix=_STAGING_PREFIX, dir=self._out_dir))
            cleanup.callback(shutil.rmtree, self._staging, ignore_errors=True)
            cleanup.enter_context(_lock_folder(self._staging))
            self._open_files(cleanup)
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.close()

    def write(self, record: Record) -> None:
        """Add one document to every output.

        Raises:
            ValueError: the record holds what no output can (a lone surrogate); nothing was written of it.
            OutputError: the disk refused (full, gone).
        """
        # All that can fail on the record itself comes before the first byte.
        line = record.model_dump_json()
        row = self._layout.lay_out(record, self._unknown_fields)
        units = self._layout.units(record)
        document, path = record.document.id or "", guard_cell(record.document.path)
        values = [_value_line(document, path, field_id, field) for field_id, field in record.fields.items()]
        with self._as_output_error():
            self._records.write(f"{line}\n".encode())
            self._values.write(_encode_lines(values))
            if record.flags:
                self._flags.write(_encode_lines(_flag_lines(document, path, record)))
            self._xlsx.write(row, units)
            self._parquet.write(row, units)

    def seal(self) -> None:
        """Finish the tables; the run's own account (run.json) is still to come."""
        with self._as_output_error():
            self._xlsx.close()
            self._parquet.close()
            for file in (self._records, self._values, self._flags):
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
            for name in OUTPUTS:
                _flush_to_disk(self._staging / name)
            for name in OUTPUTS:
                os.replace(self._staging / name, self._out_dir / name)
        return tuple(self._out_dir / name for name in OUTPUTS)

    @property
    def xlsx_rows_left_out(self) -> int:
        """Documents beyond the rows that a sheet can hold; they are in every other output."""
        return self._xlsx.rows_left_out

    def _open_files(self, cleanup: ExitStack) -> None:
        self._records = cleanup.enter_context((self._staging / "records.jsonl").open("wb"))
        self._values = cleanup.enter_context((self._staging / "values.csv").open("wb"))
        self._flags = cleanup.enter_context((self._staging / "flags.csv").open("wb"))
        # The byte order mark is for Excel, which otherwise takes UTF-8 for the local code page.
        self._values.write(codecs.BOM_UTF8 + _encode_lines([_VALUES_HEADER]))
        self._flags.write(codecs.BOM_UTF8 + _encode_lines([_FLAGS_HEADER]))
        self._xlsx = _XlsxTable(self._staging / "table.xlsx", self._layout)
        cleanup.callback(self._xlsx.abandon)
        self._parquet = _ParquetTable(self._staging / "table.parquet", self._layout)
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
    names = {entry.name for entry in out_dir.iterdir() if not entry.name.startswith(_STAGING_PREFIX)}
    if names and not {"run.json", "records.jsonl"} <= names:
        raise OutputError(
            f"{out_dir}: holds {len(names)} files that are not outputs of an earlier run. "
            "Give another folder with --out, or --force to write beside them."
        )


_STAGING_PREFIX = ".extractor-unfinished-"


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _sweep_leftovers(out_dir: Path) -> None:
    for leftover in out_dir.glob(f"{_STAGING_PREFIX}*"):
        try:
            lock = _lock_folder(leftover)
        except BlockingIOError:
            raise OutputError(
                f"{out_dir}: another run is writing here. Wait for its end, or give another folder with --out."
            ) from None
        lock.close()
        shutil.rmtree(leftover, ignore_errors=True)


def _lock_folder(folder: Path) -> IO[str]:
    """Mark a staging folder as in use for as long as the file stays open; the system drops the lock after a crash."""
    lock = (folder / "lock").open("w", encoding="utf-8")
    if sys.platform != "win32":  # there, files of a live run cannot be deleted anyway
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise
    return lock


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
