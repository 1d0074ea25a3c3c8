"""The official form of one record as tables: sections 二, 三 and 四, ready to be drawn.

Lives here: the skeleton of every table (kept, for it depends on the form only) and its cells filled from a record.
Does not live here: what a cell shows (cells), HTML. Called by the views of items and documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import groupby
from typing import NamedTuple

from extractor.forms import TABLE_SECTIONS, Row, Section, load_forms
from extractor.model import CellState, Record
from extractor.web.pages.cells import CellView, Painter
from extractor.web.pages.sums import SumView

_UNPLACED = (CellState.POSITION_UNKNOWN, CellState.UNPARSABLE)


class SkeletonRow(NamedTuple):
    """A row of a table. `group`: a line in front of it, where one begins here. `id`: section and row."""

    id: str
    label: str
    group: str | None
    is_inner: bool
    fields: tuple[str, ...]


class Skeleton(NamedTuple):
    """A table, or the part of one whose rows have columns of their own.

    Attributes:
        heads: its columns' labels, each with the label above it, or "".
        section: the fields' section.
    """

    section: str
    part: str | None
    heads: tuple[tuple[str, str], ...]
    rows: tuple[SkeletonRow, ...]

    @property
    def overs(self) -> list[tuple[str, int]]:
        """The labels above the columns' labels, each with how many columns it spans; empty where there are none."""
        runs = [(over, len(list(heads))) for over, heads in groupby(self.heads, key=lambda head: head[1])]
        return runs if any(over for over, _ in runs) else []


class FormRow(NamedTuple):
    """A row with its cells. `unplaced`: what it prints without a known column. `sums`: those that fail along it."""

    bone: SkeletonRow
    cells: tuple[CellView, ...]
    unplaced: tuple[str, ...]
    sums: tuple[SumView, ...]


class FormTable(NamedTuple):
    """A table with its cells. `feet`: the sums that fail down its columns, in lines of one cell a column."""

    skeleton: Skeleton
    rows: tuple[FormRow, ...]
    has_unplaced: bool
    has_sums: bool
    feet: tuple[tuple[SumView | None, ...], ...]


class FormSection(NamedTuple):
    """One section. `outcome`: how it ended, where it has no table to show."""

    id: str
    title: str
    generation: str
    tables: tuple[FormTable, ...]
    outcome: str | None = None


def lay_out_form(record: Record, painter: Painter, sums: Mapping[str, SumView]) -> list[FormSection]:
    """All sections of a record's form.

    Args:
        record: the record.
        painter: makes its cells.
        sums: its failed equations by id.
    """
    return [_lay_out_section(record, name, painter, sums) for name in TABLE_SECTIONS if name in record.generation]


def _lay_out_section(record: Record, name: str, painter: Painter, sums: Mapping[str, SumView]) -> FormSection:
    generation = record.generation[name]
    section = load_forms().section(name, generation)
    if section is None:
        title = "、".join(load_forms().section_names[name][:2])
        return FormSection(name, title, generation, (), record.ledger.get(name, "absent"))
    own = [one for one in sums.values() if one.section == name]
    tables = tuple(
        _fill_table(record, skeleton, painter, own, is_one_line=section.layout == "one_row")
        for skeleton in build_skeletons(name, generation)
    )
    return FormSection(name, section.title, generation, tables)


def _fill_table(
    record: Record, skeleton: Skeleton, painter: Painter, sums: list[SumView], *, is_one_line: bool
) -> FormTable:
    by_row: dict[str, list[SumView]] = {}
    by_column: dict[str, list[SumView]] = {}
    for one in sums:
        (by_row if one.is_row else by_column).setdefault(one.along, []).append(one)
    loose = [_find_unplaced(record, row.fields) for row in skeleton.rows]
    if is_one_line:  # its groups share one printed line, so that what survives of it belongs to all of them
        loose = [dict.fromkeys(one for found in loose for one in found), *({} for _ in loose[1:])]
    unplaced = [tuple(raw for raw, _ in found) for found in loose]
    rows = tuple(
        FormRow(row, tuple(painter.paint(field) for field in row.fields), found, tuple(by_row.get(row.id, ())))
        for row, found in zip(skeleton.rows, unplaced, strict=True)
    )
    columns = [by_column.get(_column_of(skeleton, index), []) for index in range(len(skeleton.heads))]
    depth = max((len(column) for column in columns), default=0)
    feet = tuple(tuple(column[line] if line < len(column) else None for column in columns) for line in range(depth))
    return FormTable(skeleton, rows, any(unplaced), any(row.sums for row in rows), feet)


def _column_of(skeleton: Skeleton, index: int) -> str:
    section, _, column = skeleton.rows[0].fields[index].partition(".")
    return f"{section}.{column.rpartition('.')[2]}"


def _find_unplaced(record: Record, fields: tuple[str, ...]) -> dict[tuple[str, int], None]:
    """What is printed in a row without a known column (surviving numbers, glued digits), each place of it once."""
    found: dict[tuple[str, int], None] = {}
    for name in fields:
        item = record.fields.get(name)
        for other in item.candidates if item is not None and item.state in _UNPLACED else ():
            if other.raw:
                found[other.raw, other.spans[0].start if other.spans else -1] = None
    return found


@cache
def build_skeletons(name: str, generation: str) -> tuple[Skeleton, ...]:
    """The tables of a section in a generation: one, or one for each set of columns."""
    section = load_forms().section(name, generation)
    if section is None:
        return ()
    parts: list[tuple[str | None, list[Row]]] = []
    if all(row.columns == section.columns for row in section.rows) and not _is_parted(section):
        parts = [(None, list(section.rows))]
    else:
        for (group, _), rows in groupby(section.rows, key=lambda row: (row.group, row.columns)):
            parts.append((group, list(rows)))
    return tuple(_build_skeleton(section, part, rows) for part, rows in parts)


def _is_parted(section: Section) -> bool:
    """Whether the section's lines are parts with a heading each, as section 二 has them."""
    return section.id == "proactive_disclosure"


def _build_skeleton(section: Section, part: str | None, rows: list[Row]) -> Skeleton:
    heads = tuple((column.labels[0], column.over or "") for column in rows[0].columns)
    seen: set[str] = set()
    bones = []
    for row in rows:
        group = row.group if part is None and row.group and row.group not in seen else None
        seen |= {group} if group else set()
        names = tuple(section.field_id(row.id, column.id) for column in row.columns)
        inner = bool(part is None and row.group)
        bones.append(SkeletonRow(f"{section.id}.{row.id}", row.labels[0], group, inner, names))
    return Skeleton(section.id, part, heads, tuple(bones))
