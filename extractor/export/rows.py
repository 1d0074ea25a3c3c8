"""A record as one row of the table: leading columns, then value and state of every field.

Lives here: which column holds what. Does not live here: any file format. Called by excel and parquet.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from extractor.forms import Kind, load_codebook
from extractor.model import CellState, Record, Value

_INT64 = 2**63
# Lists of any length have no column; they are in values.csv and records.jsonl.
_LISTS = ("narrative.problems.", "narrative.measures.", "indicators.")


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
    Column("reviewed", "已由人核定项数", "int"),
)
_KEY_FACTS = ("title", "agency_name", "report_year", "published_on")
_FIRST_FACT = [column.id for column in LEADING_COLUMNS].index(_KEY_FACTS[0])
PLAIN_STATES = (None, "value")
"""What needs no word: nothing there, or a plain accepted value."""
_DOES_NOT_FIT = "value_does_not_fit"
_UNKNOWABLE = "unknowable"
_ACCEPTED_WORDS: dict[CellState, str] = {state: state.value for state in CellState}
_REVIEW_WORDS: dict[CellState, str] = {state: f"review:{state}" for state in CellState}
STATES = (*_ACCEPTED_WORDS.values(), *_REVIEW_WORDS.values(), _DOES_NOT_FIT, _UNKNOWABLE)
"""Every word that a state column may hold."""
_VALUE = CellState.VALUE  # reading a member off its enum class is slow, and this is read for every cell


class TableLayout:
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
        accepted = reviewed = 0
        for field_id, field in record.fields.items():
            place = positions.get(field_id)
            if field.decision == "accepted":
                accepted += 1
                words = _ACCEPTED_WORDS
            else:
                words = _REVIEW_WORDS
            reviewed += field.ruling is not None
            if place is None:
                if not field_id.startswith(_LISTS):
                    unknown[field_id] = unknown.get(field_id, 0) + 1
                continue
            index, kind = place
            states[index] = words[field.state]
            if field.ruling and field.ruling.action == "unknowable":
                states[index] = _UNKNOWABLE
            if words is _ACCEPTED_WORDS and field.state is _VALUE:
                values[index] = value = _fit_value(field.value, kind)
                if value is None:
                    states[index] = _DOES_NOT_FIT
        leading = self._lead(record, accepted, reviewed)
        leading[_FIRST_FACT : _FIRST_FACT + len(_KEY_FACTS)] = [values[index] for index in self._facts]
        return TableRow(leading, values, states)

    def _lead(self, record: Record, accepted: int, reviewed: int) -> list[int | float | str | None]:
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
            reviewed,
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
        return None if value is None else write_plain(value)
    if kind == "decimal":
        return float(value) if isinstance(value, int | Decimal) else None
    # A year may come as text, a count as Decimal; neither changes its meaning as a whole number.
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() else None
    elif isinstance(value, Decimal):
        value = int(value) if value == value.to_integral_value() else None
    return value if isinstance(value, int) and -_INT64 <= value < _INT64 else None


def write_plain(value: Value) -> str:
    """A value as text, decimals without an exponent."""
    return format(value, "f") if isinstance(value, Decimal) else str(value)
