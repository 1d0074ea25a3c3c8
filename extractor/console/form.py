"""The official form as grids: sections 二, 三 and 四 of one record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from extractor.console.pieces import draw_field, new_table, oneline
from extractor.forms import Row, Section, load_forms
from extractor.model import CellState, Record, Span

_LEGEND = "· blank   – row absent   ? position unknown   ✗ unparsable or not read   ≈ inferred   "
_UNPLACED_TITLE = "列不明 unplaced"
_ROW_LABEL_WIDTH = 26


class FormView:
    """The tables of one record. `has_colour`: whether decisions show as colours, or as marks."""

    def __init__(self, record: Record, *, has_colour: bool) -> None:
        self._record = record
        self._has_colour = has_colour
        failed = (equation for equation in record.equations if equation.result == "fail")
        self._failed = frozenset(name for equation in failed for name in equation.fields)

    def render_section(self, section_id: str) -> Iterator[RenderableType]:
        """One section, as its table lays it out."""
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
        table = new_table()
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
        table = new_table(show_header=True)
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
        table = new_table(show_header=True)
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
        return [self.cell(section.field_id(row.id, column.id)) for column in row.columns]

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
        return Text(" ".join(oneline(raw) for raw, _ in found), style="yellow")

    def cell(self, name: str) -> Text:
        """One field, coloured by its decision."""
        item = self._record.fields.get(name)
        if item is None:
            return Text("")
        is_failed, is_doubted = name in self._failed, item.decision == "review"
        style = "bold red" if is_failed else "yellow" if is_doubted else "green"
        text = draw_field(item, style)
        if not self._has_colour:
            text.append("!" if is_failed else "*" if is_doubted else "")
        return text

    def render_legend(self) -> Text:
        """What the marks and colours mean."""
        if not self._has_colour:
            return Text(_LEGEND + "* for review   ! in a failed equation\n", style="dim")
        colours = (("accepted", "green"), "   ", ("for review", "yellow"), "   ", ("in a failed equation", "bold red"))
        return Text.assemble((_LEGEND, "dim"), *colours, "\n")
