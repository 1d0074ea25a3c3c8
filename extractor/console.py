"""Terminal pictures: one record as the official form, many records as a table.

Lives here: how records look in a terminal (rich). Does not live here: reading files, arguments,
or what is written to disk. Called by cli.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Literal

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from extractor.forms import TABLE_SECTIONS, Equation, Row, Section, load_forms
from extractor.model import (
    HEADER_FIELDS,
    NARRATIVE_FIELDS,
    CellState,
    EquationResult,
    Flag,
    Record,
    RecordField,
    Span,
    Value,
)

Language = Literal["zh", "en", "both"]

_STATUS_STYLES = {"succeeded": "green", "partial": "yellow", "failed": "bold red", "not_a_report": "dim"}
_SEVERITY_STYLES = {"error": "red", "warning": "yellow", "info": "cyan"}
_SEVERITY_ORDER = {"error": 0, "warning": 1, "info": 2}
_EMPTY_MARKS = {CellState.BLANK: "·", CellState.ROW_ABSENT: "–", CellState.NOT_READ: "✗"}
_LEGEND = "· blank   – row absent   ? position unknown   ✗ unparsable or not read   ≈ inferred   "
_QUOTE_LISTS = {"narrative.problems.": "存在的问题 · problems", "narrative.measures.": "改进情况 · measures"}
_INDICATOR_COLUMNS = ("label", "unit", "this_year", "cumulative")
_UNPLACED_TITLE = "列不明 unplaced"
_EVIDENCE_SHOWN = 3
_FLAGS_OF_A_CODE_SHOWN = 5
_CONTEXT_CHARACTERS = 16
_EVIDENCE_CHARACTERS = 48
_RAW_CHARACTERS = 40
_ROW_LABEL_WIDTH = 26
_TOP_FLAGS = 3


def render_record(
    record: Record, document_text: str | None, lang: Language = "both", *, show_all: bool = False
) -> RenderableType:
    """One record: its facts, the form as a grid, what does not add up, and the evidence.

    Args:
        record: what to show.
        document_text: the source text that the record's spans count in; None shows no source lines.
        lang: language of the messages.
        show_all: every flag with every piece of evidence, not only the first few.
    """
    return _RecordView(record, document_text, lang, show_all)


def summary_table(records: Sequence[Record], total: int | None = None) -> RenderableType:
    """Records as rows, for the end of a run.

    Args:
        records: those to show, already chosen.
        total: documents in the run, when more than are shown.
    """
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("file", "status", "agency", "year", "form"):
        min_width = {"file": 20, "agency": 10}.get(name)
        table.add_column(name, overflow="fold", no_wrap=min_width is None, min_width=min_width)
    for name in ("accepted", "review", "≠"):
        table.add_column(name, justify="right")
    table.add_column("flags", overflow="ellipsis", no_wrap=True, min_width=24)
    for record in records:
        table.add_row(*_summarise_record(record))
    left_out = (total or len(records)) - len(records)
    notes = ["accepted: table values accepted / printed; review: fields for a person; ≠: equations that fail"]
    if left_out > 0:
        notes.append(f"{left_out} more documents are not shown; those here failed or have most to review")
    return Group(table, *(Text(note, style="dim") for note in notes))


# ---------------------------------------------------------------- summary


def _summarise_record(record: Record) -> tuple[Text, ...]:
    cells = load_forms().fields
    printed = [item for name, item in record.fields.items() if item.state is CellState.VALUE and name in cells]
    accepted = sum(item.decision == "accepted" for item in printed)
    review = sum(item.decision == "review" for item in record.fields.values())
    failed = sum(equation.result == "fail" for equation in record.equations)
    return (
        Text(record.document.path.replace("\\", "/").rpartition("/")[2]),
        Text(record.status.value, style=_STATUS_STYLES[record.status.value]),
        Text(_fact(record, "agency_name")),
        Text(_fact(record, "report_year")),
        Text("/".join(_generations(record))),
        Text(f"{accepted}/{len(printed)}"),
        Text(str(review), style="yellow" if review else "dim"),
        Text(str(failed), style="red" if failed else "dim"),
        Text(_list_codes(record.flags)),
    )


def _generations(record: Record) -> list[str]:
    """The form generations met; "absent" only where there is no other."""
    met = list(dict.fromkeys(record.generation.values()))
    return [generation for generation in met if generation != "absent"] or met


def _fact(record: Record, name: str) -> str:
    item = record.fields.get(f"header.{name}")
    return "" if item is None or item.value is None else _oneline(_show_value(item.value))


def _list_codes(flags: Iterable[Flag]) -> str:
    counts: dict[str, int] = {}
    for flag in sorted(flags, key=lambda flag: _SEVERITY_ORDER[flag.severity]):
        counts[flag.code] = counts.get(flag.code, 0) + 1
    shown = [f"{code} x{count}" if count > 1 else code for code, count in counts.items()]
    more = [f"+{len(shown) - _TOP_FLAGS}"] if len(shown) > _TOP_FLAGS else []
    return "\n".join(shown[:_TOP_FLAGS] + more)


# ---------------------------------------------------------------- one record


class _RecordView:
    """A record as a renderable: only when it is rendered is it known whether there are colours."""

    def __init__(self, record: Record, text: str | None, lang: Language, show_all: bool) -> None:
        self._record = record
        self._text = text
        self._lang = lang
        self._show_all = show_all
        failed = (equation for equation in record.equations if equation.result == "fail")
        self._failed = frozenset(name for equation in failed for name in equation.fields)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self._has_colour = console.color_system is not None and not console.no_color
        yield from self._render_header()
        for section_id in TABLE_SECTIONS:
            yield from self._render_section(section_id)
        if self._record.fields:
            yield self._render_legend()
        yield from self._render_narrative()
        yield from self._render_lists()
        yield from self._render_failed_equations()
        yield from self._render_flags()

    # -- facts

    def _render_header(self) -> Iterator[RenderableType]:
        record = self._record
        title = _fact(record, "title") or record.document.path
        yield Text.assemble((title, "bold"), "  ", (record.status.value, _STATUS_STYLES[record.status.value]))
        identity = [record.document.path, record.document.media_type, (record.document.id or "no id")[:12]]
        yield Text("  ".join(part for part in identity if part), style="dim", overflow="fold")
        facts = [
            Text.assemble((f"{self._fact_label(name)} ", "dim"), self._cell(f"header.{name}"))
            for name in HEADER_FIELDS
            if name != "title" and f"header.{name}" in record.fields
        ]
        if facts:
            yield Text("   ").join(facts)
        if model := record.versions.get("model"):
            yield Text(f"model {model}, replies {record.versions.get('replies', 'none')}", style="dim")
        for origin in record.origins:
            about = "  ".join(part for part in (origin.url, origin.site, origin.fetched_at) if part)
            if about:
                yield Text(f"{origin.path}: {about}", style="dim", overflow="fold")
        yield Text()

    def _fact_label(self, name: str) -> str:
        return name if self._lang == "en" else load_forms().fact_labels[name]

    def _render_narrative(self) -> Iterator[RenderableType]:
        present = [name for name in NARRATIVE_FIELDS if f"narrative.{name}" in self._record.fields]
        if not present:
            return
        yield Text("正文中的数字 · stated in the text", style="bold")
        for name in present:
            item = self._record.fields[f"narrative.{name}"]
            line = Text.assemble(
                f"  {self._fact_label(name)} ", self._cell(f"narrative.{name}"), f" {item.unit}" if item.unit else ""
            )
            yield line
            yield from self._quote(item.spans)
        yield Text()

    def _render_lists(self) -> Iterator[RenderableType]:
        """What only a model reads: quotes of section 五, and the indicator table of reports before 2019."""
        for prefix, title in _QUOTE_LISTS.items():
            quotes = [field_id for field_id in self._record.fields if field_id.startswith(prefix)]
            if quotes:
                yield Text(title, style="bold")
                yield from (Text.assemble("  ", self._cell(field_id), overflow="fold") for field_id in quotes)
                yield Text()
        rows = dict.fromkeys(name.rpartition(".")[0] for name in self._record.fields if name.startswith("indicators."))
        if rows:
            yield Text("指标表 · indicator table", style="bold")
            table = _new_table(show_header=True)
            for name in _INDICATOR_COLUMNS:
                table.add_column(name)
            for row in rows:
                present = (f"{row}.{name}" for name in _INDICATOR_COLUMNS)
                table.add_row(*(self._cell(name) if name in self._record.fields else "" for name in present))
            yield table

    # -- the form

    def _render_section(self, section_id: str) -> Iterator[RenderableType]:
        generation = self._record.generation.get(section_id)
        if generation is None:
            return
        section = load_forms().section(section_id, generation)
        if section is None:
            yield Text(f"{'、'.join(load_forms().section_names[section_id][:2])}  ({generation})", style="dim")
            return
        yield Text.assemble((section.title, "bold"), (f"  ({generation})", "dim"))
        if section.layout == "one_row":
            yield self._render_groups(section)
        elif all(row.columns == section.columns for row in section.rows):
            yield self._render_matrix(section)
        else:
            yield self._render_parts(section)

    def _render_parts(self, section: Section) -> Table:
        """Section 二: every part of the article has columns of its own, named in a line above its rows."""
        table = _new_table()
        table.add_column(no_wrap=True)
        for _ in range(max(len(row.columns) for row in section.rows)):
            table.add_column(overflow="fold", justify="right")
        if self._has_unplaced(section):
            table.add_column(overflow="fold")
        for group, rows in groupby(section.rows, key=lambda row: (row.group, row.columns)):
            part, columns = group
            table.add_row(Text(part or "", "dim"), *(Text(column.labels[0], "dim") for column in columns))
            for row in rows:
                blanks = [Text("")] * (len(table.columns) - 2 - len(row.columns)) if self._has_unplaced(section) else []
                table.add_row(
                    "  " + row.labels[0], *self._row_cells(section, row), *blanks, self._unplaced(section, [row])
                )
        return table

    def _render_matrix(self, section: Section) -> Table:
        """Section 三: rows by columns, group labels in lines of their own."""
        table = _new_table(show_header=True)
        table.add_column("", no_wrap=True, overflow="ellipsis", max_width=_ROW_LABEL_WIDTH, min_width=_ROW_LABEL_WIDTH)
        for column in section.columns:
            table.add_column(column.labels[0], overflow="fold", justify="right", header_style="dim")
        self._add_unplaced_column(table, section)
        seen: set[str] = set()
        for row in section.rows:
            if row.group and row.group not in seen:
                table.add_row(Text(row.group, "dim"))
                seen.add(row.group)
            label = ("  " if row.group else "") + row.labels[0]
            table.add_row(label, *self._row_cells(section, row), self._unplaced(section, [row]))
        return table

    def _render_groups(self, section: Section) -> Table:
        """Section 四: its groups of columns, one below the other."""
        table = _new_table(show_header=True)
        table.add_column("", no_wrap=True)
        for column in section.columns:
            table.add_column(column.labels[0], overflow="fold", justify="right", header_style="dim")
        self._add_unplaced_column(table, section)
        for row in section.rows:
            # The groups share one printed line, so that its surviving numbers belong to all of them.
            unplaced = self._unplaced(section, section.rows) if row is section.rows[0] else Text("")
            table.add_row(row.labels[0], *self._row_cells(section, row), unplaced)
        return table

    def _row_cells(self, section: Section, row: Row) -> list[Text]:
        return [self._cell(section.field_id(row.id, column.id)) for column in row.columns]

    def _add_unplaced_column(self, table: Table, section: Section) -> None:
        if self._has_unplaced(section):
            table.add_column(_UNPLACED_TITLE, overflow="fold", header_style="dim")

    def _has_unplaced(self, section: Section) -> bool:
        return bool(self._unplaced(section, section.rows))

    def _unplaced(self, section: Section, rows: Sequence[Row]) -> Text:
        """What is printed in the rows without a known column: surviving numbers, glued digits."""
        found: dict[tuple[str, tuple[Span, ...]], None] = {}
        for row in rows:
            for column in row.columns:
                item = self._record.fields.get(section.field_id(row.id, column.id))
                if item is not None and item.state in (CellState.POSITION_UNKNOWN, CellState.UNPARSABLE):
                    found |= {(other.raw, other.spans): None for other in item.candidates if other.raw}
        return Text(" ".join(_oneline(raw) for raw, _ in found), style="yellow")

    def _cell(self, name: str) -> Text:
        item = self._record.fields.get(name)
        if item is None:
            return Text("")
        is_failed, is_doubted = name in self._failed, item.decision == "review"
        style = "bold red" if is_failed else "yellow" if is_doubted else "green"
        text = _draw_field(item, style)
        if not self._has_colour:
            text.append("!" if is_failed else "*" if is_doubted else "")
        return text

    def _render_legend(self) -> Text:
        if not self._has_colour:
            return Text(_LEGEND + "* for review   ! in a failed equation\n", style="dim")
        colours = (("accepted", "green"), "   ", ("for review", "yellow"), "   ", ("in a failed equation", "bold red"))
        return Text.assemble((_LEGEND, "dim"), *colours, "\n")

    # -- findings

    def _render_failed_equations(self) -> Iterator[RenderableType]:
        failed = [result for result in self._record.equations if result.result == "fail"]
        if not failed:
            return
        yield Text(f"不成立的勾稽关系 · equations that fail ({len(failed)})", style="bold red")
        known = self._known_equations()
        for result in failed:
            yield Text("  " + describe_equation(result, known.get(result.id), self._record.fields), overflow="fold")
        yield Text()

    def _known_equations(self) -> Mapping[str, Equation]:
        sections = (load_forms().section(name, generation) for name, generation in self._record.generation.items())
        return {equation.id: equation for section in sections if section for equation in section.equations}

    def _render_flags(self) -> Iterator[RenderableType]:
        if not self._record.flags:
            return
        yield Text(f"需要复核 · flags ({len(self._record.flags)})", style="bold")
        ordered = sorted(self._record.flags, key=lambda flag: (_SEVERITY_ORDER[flag.severity], flag.code))
        for code, grouped in groupby(ordered, key=lambda flag: flag.code):
            flags = list(grouped)
            shown = flags if self._show_all else flags[:_FLAGS_OF_A_CODE_SHOWN]
            for flag in shown:
                yield from self._render_flag(flag)
            if len(flags) > len(shown):
                yield Text(f"  {len(flags) - len(shown)} more of {code} (--all)", style="dim")

    def _render_flag(self, flag: Flag) -> Iterator[RenderableType]:
        wording = {"zh": flag.message.zh, "en": flag.message.en}.get(
            self._lang, f"{flag.message.zh} / {flag.message.en}"
        )
        fields = f"  [{_list_some(flag.fields, self._show_all)}]" if flag.fields else ""
        head = Text.assemble((f"  {flag.severity} ", _SEVERITY_STYLES[flag.severity]), (flag.code, "bold"))
        head.append(f"  {_oneline(wording)}").append(fields, style="dim")
        yield head
        yield from self._quote(flag.spans)

    def _quote(self, spans: Sequence[Span]) -> Iterator[Text]:
        shown = spans if self._show_all else spans[:_EVIDENCE_SHOWN]
        if self._text is None:
            places = ", ".join(f"{span.start}-{span.end}" for span in shown)
            if places:
                yield Text(f"      at {places}", style="dim")
            return
        for span in shown:
            yield quote_span(self._text, span, has_colour=self._has_colour)
        if len(spans) > len(shown):
            yield Text(f"      {len(spans) - len(shown)} more places (--all)", style="dim")


# ---------------------------------------------------------------- pieces


def quote_span(text: str, span: Span, *, has_colour: bool = True) -> Text:
    """The source line of a span, cut to its surroundings, with the span marked."""
    line = text.count("\n", 0, span.start) + 1
    first = max(text.rfind("\n", 0, span.start) + 1, span.start - _CONTEXT_CHARACTERS)
    newline = text.find("\n", span.end)
    last = min(len(text) if newline < 0 else newline, span.end + _CONTEXT_CHARACTERS)
    marked = text[span.start : span.end]
    if len(marked) > _EVIDENCE_CHARACTERS:
        marked, last = marked[:_EVIDENCE_CHARACTERS] + "…", span.end
    marked = _oneline(marked)
    return Text.assemble(
        (f"      line {line}: ", "dim"),
        _oneline(text[first : span.start]),
        (marked if has_colour else f"[{marked}]", "reverse"),
        _oneline(text[span.end : last]),
    )


def describe_equation(result: EquationResult, equation: Equation | None, fields: Mapping[str, RecordField]) -> str:
    """A failed equation in words: its labels and the numbers as printed."""
    residual = "" if result.residual is None else f" (difference {_show_value(result.residual)})"
    if equation is None:
        return f"{result.id}: does not hold{residual}"
    left, right = (_add_up(side, fields) for side in (equation.left, equation.right))
    if len(equation.right) == 1:
        total = _label_of(equation.right[0], equation)
        sentence = f"{left}, printed {_show_term(equation.right[0], fields)} ({total})"
    else:
        sentence = f"{left} ≠ {right}"
    return f"{result.id} {_label_of(equation.left[0], equation, is_fixed=True)}: {sentence}{residual}"


def _add_up(terms: Sequence[str], fields: Mapping[str, RecordField]) -> str:
    values = [_number(name, fields) for name in terms]
    # Zeros say nothing in a sum of twenty-one terms; terms that are no value do.
    shown = [_show_term(name, fields) for name, value in zip(terms, values, strict=True) if value is None or value]
    zeros = values.count(0)
    if zeros > 1 and len(terms) > _TOP_FLAGS * 2:
        shown.append(f"{zeros} x 0")
    else:
        shown = [_show_term(name, fields) for name in terms]
    known = sum((value for value in values if value is not None), 0)
    return f"{' + '.join(shown)} {'≥' if None in values else '='} {_show_value(known)}"


def _number(name: str, fields: Mapping[str, RecordField]) -> int | Decimal | None:
    item = fields.get(name)
    is_number = item is not None and item.state is CellState.VALUE and isinstance(item.value, int | Decimal)
    return item.value if is_number else None  # type: ignore[union-attr,return-value]


def _show_term(name: str, fields: Mapping[str, RecordField]) -> str:
    value = _number(name, fields)
    return "?" if value is None else _show_value(value)


def _label_of(name: str, equation: Equation, *, is_fixed: bool = False) -> str:
    """The label that tells a term from its neighbours; with `is_fixed`, the one that all terms share."""
    item = load_forms().fields.get(name)
    if item is None:
        return name
    by_row = equation.id.endswith(f"[{item.row.id}]")
    return item.row.labels[0] if by_row == is_fixed else item.column.labels[0]


def _draw_field(item: RecordField, style: str) -> Text:
    if item.state is CellState.VALUE and item.value is not None:
        number, raw = _show_value(item.value), _oneline(item.raw or "")
        text = Text(_oneline(number), style=style)
        if raw and raw.strip() != number and raw.replace(",", "") != number and not isinstance(item.value, str):
            text.append(f" {raw[:_RAW_CHARACTERS]}", style="dim")
        return text
    if item.state is CellState.POSITION_UNKNOWN:
        return Text("?", style=style)
    if item.state is CellState.INFERRED_BY_EQUATION:
        return Text("≈" if item.value is None else f"≈{_show_value(item.value)}", style=style)
    if item.state is CellState.NA_MARK:
        return Text(_oneline(item.raw or "/"), style=style)
    if item.state is CellState.UNPARSABLE:
        return Text(f"✗ {_oneline(item.raw or '')[:_RAW_CHARACTERS]}".rstrip(), style=style)
    return Text(_EMPTY_MARKS[item.state], style=style)


def _new_table(*, show_header: bool = False) -> Table:
    return Table(box=box.SIMPLE, show_header=show_header, padding=(0, 1, 0, 0), pad_edge=False, collapse_padding=True)


def _show_value(value: Value) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _oneline(text: str) -> str:
    # Control characters of a scraped file must not steer the terminal.
    return "".join(char if char.isprintable() else "⏎" if char == "\n" else " " for char in text)


def _list_some(names: Sequence[str], show_all: bool) -> str:
    shown = names if show_all else names[:_EVIDENCE_SHOWN]
    more = f", … {len(names)} fields" if len(names) > len(shown) else ""
    return ", ".join(shown) + more
