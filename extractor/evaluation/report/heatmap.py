"""The form as a map of trouble: for every cell how many documents are not right, in review, or accepted wrong.

Lives here: the tallies of one kind of documents, laid out as the official form prints it. Does not live here: counting
(tallies), HTML (templates). Called by page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from extractor.evaluation.outcomes import DocumentOutcome
from extractor.evaluation.report.tallies import SectionTally, Tally, tally_sections
from extractor.evaluation.report.wording import name_cell, write_count, write_plural, write_share
from extractor.forms import Column, Form, FormField, Row, Section, load_forms

#: Steps of the shade; the first is no shade.
LEVELS = 5


class HeatCell(NamedTuple):
    """One cell of the map. `shade`: 0 to LEVELS, by the share that is not right; `load`: share in review, per cent."""

    tally: Tally
    title: str
    shade: int
    load: int


class HeadCell(NamedTuple):
    """One cell of a table's head."""

    text: str
    columns: int = 1
    rows: int = 1

    @property
    def scope(self) -> str:
        """For which cells it speaks."""
        return "colgroup" if self.columns > 1 else "col"


_Head = tuple[tuple[HeadCell, ...], ...]  # line by line


class HeatRow(NamedTuple):
    """One row: its label, empty where the form prints none, and its cells."""

    label: str
    cells: tuple[HeatCell, ...]


class HeatPart(NamedTuple):
    """Rows under one caption. `columns`: names of the part's own columns, where the form has such."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[HeatRow, ...]


class HeatTable(NamedTuple):
    """One section. `width`: columns behind the labels; `elsewhere`: what happened to fields that it does not print."""

    title: str
    width: int
    head: _Head
    parts: tuple[HeatPart, ...]
    summary: str
    elsewhere: str


class HeatMap(NamedTuple):
    """The sections of one generation of the form."""

    generation: str
    tables: tuple[HeatTable, ...]


def draw_heatmaps(documents: Sequence[DocumentOutcome]) -> tuple[HeatMap, ...]:
    """One map for each generation of the form among documents of one kind, newest first."""
    tallied = tally_sections(documents)
    maps = (HeatMap(form.generation, tuple(_draw_form(form, tallied))) for form in load_forms().national)
    return tuple(drawn for drawn in maps if drawn.tables)


def _draw_form(form: Form, tallied: Mapping[tuple[str, str], SectionTally]) -> Iterator[HeatTable]:
    for section_id, section in form.sections.items():
        counts = tallied.get((form.generation, section_id))
        if counts is not None:
            yield _draw_section(section, counts)


def _draw_section(section: Section, counts: SectionTally) -> HeatTable:
    if section.layout == "one_row":
        head, parts = _lay_out_one_row(section, counts)
    elif all(row.columns == section.columns for row in section.rows):
        head, parts = _lay_out_matrix(section, counts)
    else:
        head, parts = (), tuple(_lay_out_parts(section, counts))
    width = max(len(row.cells) for part in parts for row in part.rows)
    return HeatTable(
        title=section.title,
        width=width,
        head=head,
        parts=parts,
        summary=_summarise(section, counts),
        elsewhere=_tell_elsewhere(section, counts),
    )


def _lay_out_parts(section: Section, counts: SectionTally) -> Iterator[HeatPart]:
    """Section 二: every part has columns of its own."""
    for (caption, columns), rows in groupby(section.rows, key=lambda row: (row.group, row.columns)):
        names = tuple(column.labels[0] for column in columns)
        yield HeatPart(caption or "", names, tuple(_draw_row(section, row, counts) for row in rows))


def _lay_out_matrix(section: Section, counts: SectionTally) -> tuple[_Head, tuple[HeatPart, ...]]:
    """Section 三: the same columns throughout, rows under captions."""
    parts = tuple(
        HeatPart(caption or "", (), tuple(_draw_row(section, row, counts) for row in rows))
        for caption, rows in groupby(section.rows, key=lambda row: row.group)
    )
    return tuple(_draw_head(section.columns)), parts


def _draw_head(columns: Sequence[Column]) -> Iterator[tuple[HeadCell, ...]]:
    """Two lines where some columns stand under a common one."""
    if not any(column.over for column in columns):
        yield tuple(HeadCell(column.labels[0]) for column in columns)
        return
    first: list[HeadCell] = []
    for over, run in groupby(columns, key=lambda column: column.over):
        below = list(run)
        first += [HeadCell(over, columns=len(below))] if over else [HeadCell(c.labels[0], rows=2) for c in below]
    yield tuple(first)
    yield tuple(HeadCell(column.labels[0]) for column in columns if column.over)


def _lay_out_one_row(section: Section, counts: SectionTally) -> tuple[_Head, tuple[HeatPart, ...]]:
    """Section 四: one line of cells under groups of columns."""
    groups = tuple(HeadCell(row.labels[0], columns=len(row.columns)) for row in section.rows)
    columns = tuple(HeadCell(column.labels[0]) for row in section.rows for column in row.columns)
    cells = tuple(cell for row in section.rows for cell in _draw_row(section, row, counts).cells)
    return (groups, columns), (HeatPart("", (), (HeatRow("", cells),)),)


def _draw_row(section: Section, row: Row, counts: SectionTally) -> HeatRow:
    items = (FormField(section.field_id(row.id, column.id), section.id, row, column) for column in row.columns)
    cells = (_draw_cell(item, counts.fields) for item in items)
    return HeatRow(row.labels[0], tuple(cells))


def _draw_cell(item: FormField, tallies: Mapping[str, Tally]) -> HeatCell:
    tally = tallies.get(item.id, Tally())
    n = max(tally.documents, 1)
    shade = 0 if tally.not_right == 0 else min(LEVELS, 1 + tally.not_right * LEVELS // n)
    load = 100 * tally.in_review // n
    return HeatCell(tally, _describe(item, tally), shade, load)


def _describe(item: FormField, tally: Tally) -> str:
    name = name_cell(item)
    if not tally.documents:
        return f"{name}: in no label"
    documents = write_plural(tally.documents, "document")
    if tally.is_calm:
        return f"{name}: right and accepted in {documents}"
    parts = [f"{tally.not_right} not right", f"{tally.in_review} in review", f"{tally.accepted_wrong} accepted wrong"]
    if tally.invented:
        parts.append(f"{tally.invented} in no label")
    return f"{name}: {documents}, {', '.join(parts)}"


def _summarise(section: Section, counts: SectionTally) -> str:
    """The whole table in one line: also what stands for the map where it can not be seen."""
    tallies = [counts.fields.get(item.id, Tally()) for item in section.fields]
    cells = sum(tally.documents for tally in tallies)
    review = sum(tally.in_review for tally in tallies)
    not_right = sum(tally.not_right for tally in tallies)
    wrong = sum(tally.accepted_wrong for tally in tallies)
    return (
        f"{write_plural(counts.documents, 'document')}, {write_plural(cells, 'cell')}: "
        f"{write_count(not_right)} not right ({write_share(not_right, cells)}), "
        f"{write_count(review)} in review ({write_share(review, cells)}), {write_count(wrong)} accepted wrong"
    )


def _tell_elsewhere(section: Section, counts: SectionTally) -> str:
    """What happened to fields of another generation's table, so that nothing is lost from sight."""
    printed = {item.id for item in section.fields}
    others = [tally for field_id, tally in counts.fields.items() if field_id not in printed]
    fields = sum(tally.not_right for tally in others)
    if not fields:
        return ""
    wrong = write_count(sum(tally.accepted_wrong for tally in others))
    return f"Not on this form: {write_plural(fields, 'field')} of another generation, {wrong} of them accepted wrong."
