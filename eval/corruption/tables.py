"""Damage to the shape of tables: cells, rows and merged cells lost, repeated or cut apart.

Lives here: kinds that act on boxes. A cell that can no longer be placed keeps as its truth what the clean page printed
there: whoever says that the position is unknown is not wrong, whoever says another number is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from random import Random

from eval.corruption.boxes import (
    find_reaching,
    name_row,
    remove_row,
    repeat_row,
    split_table,
    table_width,
    value_rows,
)
from eval.corruption.layouts import PAGE
from eval.corruption.registry import Stage, register
from eval.corruption.report import Report, ValueBox, lose_rows, map_tables, print_cells, tables_of, value_boxes
from extractor.evaluation.labels import LabelledCell
from extractor.model import CellState
from tests.flatten import Box, Table

_PAGE_NUMBERS = ("- {n} -", "第 {n} 页 共 6 页", "{n}", "— {n} —", "第{n}页")
_RESULTS = "三、本年度办理结果"


@register(
    Stage.EMPTIES,
    (0.05, 0.3, 1.0),
    "share of the zeros that are left empty, and so dropped",
    ("pipe_rows_padded", "pipe_cells_dropped"),
)
def dropped_empty_cells(report: Report, rng: Random, level: float) -> Report:
    """Empty cells dropped and each row filled up at its end, as trafilatura 1.x writes tables."""
    zeros = [box.field_id for box in value_boxes(report) if box.text == "0" and rng.random() < level]
    blank = LabelledCell(CellState.BLANK)
    emptied = print_cells(report, dict.fromkeys(zeros, ""), dict.fromkeys(zeros, blank))
    return map_tables(emptied, lambda _, table: (_drop_empty(table),))


def _drop_empty(table: Table) -> Table:
    """Rows without their empty boxes; the first one keeps its width, to which the others are filled up."""
    rows = [[box for box in row if box.text] or row[:1] for row in table]
    *head, last = rows[0]
    lost = table_width(table) - table_width(rows)
    return [[*head, replace(last, columns=last.columns + lost)], *rows[1:]]


@register(Stage.TABLES, (0.2, 0.6, 1.0), "share of the merged cells", (PAGE,))
def lost_colspan(report: Report, rng: Random, level: float) -> Report:
    """HTML whose cells have lost colspan, rowspan or both."""
    loses_columns, loses_rows = rng.choice(((True, True), (True, False), (False, True)))

    def shrink(box: Box) -> Box:
        if rng.random() >= level:
            return box
        return replace(box, columns=1 if loses_columns else box.columns, rows=1 if loses_rows else box.rows)

    return map_tables(report, lambda _, table: ([[shrink(box) for box in row] for row in table],))


@register(
    Stage.TABLES, (0.15, 1, 3), "at 1 share of the rows of every table; at 2 and 3 whole tables, at 3 their labels, too"
)
def glued_digits(report: Report, rng: Random, level: float) -> Report:
    """Nothing between the numbers of some rows, of all rows of a table, or of all tables."""
    sections = list(dict.fromkeys(section for section, _ in tables_of(report)))
    hit = sections if level < 1 else rng.sample(sections, min(len(sections), int(level)))
    with_label = level > 1

    def glue(section: str, table: Table) -> Iterable[Table]:
        if section not in hit:
            return (table,)
        return ([_glue_row(row, with_label) if rng.random() < level else row for row in table],)

    return map_tables(report, glue)


def _glue_row(row: list[Box], with_label: bool) -> list[Box]:
    values = [box for box in row if isinstance(box, ValueBox)]
    if not values:
        return row
    labels = [box for box in row if not isinstance(box, ValueBox)]
    run = replace(values[0], text="".join(box.text for box in values), columns=sum(box.columns for box in values))
    if with_label and labels:
        last = labels.pop()
        run = replace(run, text=last.text + run.text, columns=last.columns + run.columns)
    return [*labels, run]


@register(Stage.TABLES, (1, 2, 4), "page breaks in each table")
def split_tables(report: Report, rng: Random, level: float) -> Report:
    """Page breaks inside a table: page numbers, 续表, header rows repeated or missing."""
    repeats_labels = rng.random() < 0.5
    return map_tables(report, partial(_break_pages, rng, int(level), repeats_labels))


def _break_pages(rng: Random, count: int, repeats_labels: bool, _section: str, table: Table) -> list[str | Table]:
    rows = value_rows(table)
    header = table[: rows[0]]
    breaks = sorted(rng.sample(rows[1:], min(count, len(rows) - 1)))
    pieces: list[str | Table] = []
    offset = 0  # rows in front of what is left of the table, less the header rows that it got
    for page, row in enumerate(breaks, start=rng.randint(2, 5)):
        upper, table = split_table(table, row - offset, repeats_labels)
        offset = row
        if rng.random() < 0.5:
            table = [*header, *table]
            offset -= len(header)
        number = rng.choice(_PAGE_NUMBERS).format(n=page)
        between = [number] * (rng.random() < 0.7) + ["续表"] * (rng.random() < 0.4)
        pieces += [upper, *between]
    return [*pieces, table]


@register(Stage.TABLES, (1, 2, 5), "rows")
def lost_rows(report: Report, rng: Random, level: float) -> Report:
    """Rows that the report or the scrape leaves out."""
    return _change_rows(report, rng, int(level), removes=True)


@register(Stage.TABLES, (1, 2, 4), "rows")
def duplicate_row(report: Report, rng: Random, level: float) -> Report:
    """A row printed twice, one copy behind the other."""
    return _change_rows(report, rng, int(level), removes=False)


def _change_rows(report: Report, rng: Random, count: int, removes: bool) -> Report:
    names = [
        name_row(table[row])
        for section, table in tables_of(report)
        if section != "review_litigation"  # one row is all that it has
        for row in value_rows(table)
    ]
    chosen = set(rng.sample(names, count))

    def change(_section: str, table: Table) -> Iterable[Table]:
        for row in reversed(value_rows(table)):
            if name_row(table[row]) in chosen:
                table = remove_row(table, row) if removes else repeat_row(table, row)
        return (table,)

    changed = map_tables(report, change)
    return lose_rows(changed, chosen) if removes else changed


@register(Stage.TABLES, (1, 3, 20), "places where the merged label is printed again")
def repeated_label(report: Report, rng: Random, level: float) -> Report:
    """The merged label 三、本年度办理结果 printed several times."""

    def repeat(_section: str, table: Table) -> Iterable[Table]:
        for row in rng.sample(value_rows(table), min(int(level), len(value_rows(table)))):
            table = _cut_label(table, row)
        return (table,)

    return map_tables(report, repeat)


def _cut_label(table: Table, row: int) -> Table:
    reach = next((r for r in find_reaching(table, row) if table[r.row][r.index].text == _RESULTS), None)
    if reach is None:
        return table
    box = table[reach.row][reach.index]
    cut = [list(boxes) for boxes in table]
    cut[reach.row][reach.index] = replace(box, rows=row - reach.row)
    cut[row] = [replace(box, rows=box.rows - (row - reach.row)), *cut[row]]
    return cut
