"""The forms: rows, columns, labels, field ids and equations of every generation.

Lives here: typed views of the data files and the label index over them. Does not live here: loading them (loading),
any reading of documents. Called by sources (headings), chunks, readers, reconcile and export.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from extractor.forms.labels import fold_label, split_ordinal
from extractor.forms.own import SECTIONS

TABLE_SECTIONS = SECTIONS

LabelRole = Literal["row", "column", "caption"]


class LabelRef(NamedTuple):
    """What a label may mean: a row, a column or a caption of one section.

    `ids` holds the row's or column's id; one label may serve several (规范性文件 is the same row
    in every generation; 总计 is a column of two tables and a row of one).
    """

    section: str
    role: LabelRole
    id: str


@dataclass(frozen=True, eq=False)
class Column:
    """One column of a table. `unit` is for money: `wan`, or `as_printed` where the form leaves it open."""

    id: str
    labels: tuple[str, ...]
    is_decimal: bool = False
    is_signed: bool = False
    unit: str | None = None
    over: str | None = None


@dataclass(frozen=True, eq=False)
class Row:
    """One row of a table; in a `one_row` table, one group of columns."""

    id: str
    labels: tuple[str, ...]
    columns: tuple[Column, ...]
    group: str | None = None
    is_result: bool = False

    @cached_property
    def ordinal(self) -> str:
        """The printed ordinal of the official label: "1.", "（七）", "一、" or ""."""
        return split_ordinal(self.labels[0])[0]


@dataclass(frozen=True)
class Equation:
    """A linear relation: sum of `left` = sum of `right`, once per column or per row."""

    id: str
    basis: Literal["official", "implied"]
    left: tuple[str, ...]
    right: tuple[str, ...]


class FormField(NamedTuple):
    """One cell of the form."""

    id: str
    section: str
    row: Row
    column: Column


@dataclass(frozen=True, eq=False)
class Section:
    """One section's table in one generation.

    Attributes:
        layout: `labelled_rows` (every row has its label) or `one_row` (the table's groups of
            columns are `rows`, and one unlabelled line of cells holds them all).
        equations: written out, over field ids.
    """

    id: str
    title: str
    layout: Literal["labelled_rows", "one_row"]
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    captions: tuple[str, ...]
    equations: tuple[Equation, ...]

    @cached_property
    def rows_by_id(self) -> dict[str, Row]:
        """Rows by id, in the form's order."""
        return {row.id: row for row in self.rows}

    @cached_property
    def fields(self) -> tuple[FormField, ...]:
        """Every cell, in the order of print."""
        return tuple(
            FormField(self.field_id(row.id, column.id), self.id, row, column)
            for row in self.rows
            for column in row.columns
        )

    def field_id(self, row_id: str, column_id: str) -> str:
        """The id of one cell: section.row.column."""
        return f"{self.id}.{row_id}.{column_id}"


@dataclass(frozen=True)
class Form:
    """One generation. Generations before the national form have no sections, only `marks`."""

    generation: str
    notice: str
    sections: Mapping[str, Section]
    marks: tuple[str, ...] = ()
    indicator_table: tuple[str, ...] = ()


@dataclass(frozen=True)
class Forms:
    """All generations and what they share. load_forms() builds it."""

    generations: Mapping[str, Form]
    section_names: Mapping[str, tuple[str, ...]]
    title_phrases: tuple[str, ...]
    script: Mapping[int, str]
    na_marks: frozenset[str]
    count_units: tuple[str, ...]
    money_units: Mapping[str, str]
    fact_labels: Mapping[str, str]
    version: str

    @cached_property
    def national(self) -> tuple[Form, ...]:
        """The generations with tables, newest first; those of the user behind them."""
        return tuple(form for form in self.generations.values() if form.sections)

    @cached_property
    def label_index(self) -> dict[str, tuple[LabelRef, ...]]:
        """Folded label -> everything that it may mean, over all generations."""
        index: dict[str, dict[LabelRef, None]] = {}
        for form in self.national:
            for section in form.sections.values():
                for ref, label in _labels_of(section):
                    index.setdefault(fold_label(label.translate(self.script)), {})[ref] = None
        return {label: tuple(refs) for label, refs in index.items()}

    @cached_property
    def heading_index(self) -> dict[str, str]:
        """Folded heading -> section id."""
        return {fold_label(name): section for section, names in self.section_names.items() for name in names[1:]}

    @cached_property
    def fields(self) -> dict[str, FormField]:
        """Every cell of every generation by id; the newest generation first."""
        found: dict[str, FormField] = {}
        for form in self.national:
            for section in form.sections.values():
                for item in section.fields:
                    found.setdefault(item.id, item)
        return found

    def section(self, section: str, generation: str) -> Section | None:
        """The table of a section in a generation; None where that generation has none."""
        form = self.generations.get(generation)
        return form.sections.get(section) if form else None


def _labels_of(section: Section) -> Iterator[tuple[LabelRef, str]]:
    for row in section.rows:
        role: LabelRole = "row" if section.layout == "labelled_rows" else "caption"
        for label in row.labels:
            yield LabelRef(section.id, role, row.id), label
    for column in section.columns:
        for label in column.labels:
            yield LabelRef(section.id, "column", column.id), label
    for caption in section.captions:
        yield LabelRef(section.id, "caption", fold_label(caption)), caption
