"""Looking for slips in a label: the rows and cells of its form, and what kinds of numbers they may hold.

Does not live here: the format (label_file). Called by check.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from extractor.evaluation.label_file import LabelFile, Slip, Table
from extractor.evaluation.label_values import LabelledCell
from extractor.evaluation.labels import NO_FORM, Label
from extractor.forms import TABLE_SECTIONS, Column, Section, load_forms
from extractor.model import CellState


def check_rows(file: LabelFile) -> Iterator[Slip]:
    """Every cell of the document's form stands in the label once, and no other."""
    for section_id in TABLE_SECTIONS:
        name = file.generation.get(section_id)
        form = load_forms().section(section_id, name) if name else None
        if form:
            yield from _check_table(form, file.tables[section_id])
        elif name not in NO_FORM:
            known = ", ".join(known.generation for known in load_forms().national if section_id in known.sections)
            problem = f"the form is {name!r}" if name else "is missing"
            yield Slip(
                f"generation.{section_id}", problem, f'Write one of {known}, "pre2019", or "absent" without a table'
            )
        elif file.tables[section_id].entries:
            yield Slip(section_id, f"has cells, and generation says {name}", "Correct the generation, or take them out")


def _check_table(form: Section, table: Table) -> Iterator[Slip]:
    found: Counter[str] = Counter()
    for name, entry in table.entries.items():
        row = form.rows_by_id.get(name)
        if isinstance(entry, LabelledCell):
            found[f"{form.id}.{name}"] += 1
        elif row is None:
            yield Slip(f"{form.id}.{name}", "the form has no such row", "Correct its name, or `generation`")
        elif len(entry) != len(row.columns):
            columns = ", ".join(column.labels[0] for column in row.columns)
            problem = f"{len(entry)} cells, the row has {len(row.columns)}"
            yield Slip(f"{form.id}.{name}", problem, f"Write one for each column: {columns}")
            found.update(form.field_id(name, column.id) for column in row.columns)
        else:
            found.update(form.field_id(name, column.id) for column in row.columns)
    cells = {item.id: item for item in form.fields}
    for field_id in found:
        if field_id not in cells:
            yield Slip(field_id, "the form has no such cell", "Correct its name, or `generation`")
        elif found[field_id] > 1:
            yield Slip(field_id, "stands twice, in its row and by itself", "Take one of them out")
    missing = dict.fromkeys(f"{form.id}.{item.row.id}" for field_id, item in cells.items() if field_id not in found)
    for row_id in missing:
        yield Slip(
            row_id, "is missing", 'Write it; a row that the document does not print is "row_absent" in each cell'
        )


def check_values(label: Label) -> Iterator[Slip]:
    """Numbers are of the kind that their column holds."""
    for field_id, cell in label.cells.items():
        column = load_forms().fields[field_id].column
        if cell.state is CellState.VALUE and isinstance(cell.value, int | Decimal):
            yield from _check_number(field_id, cell.value, column)


def _check_number(field_id: str, value: int | Decimal, column: Column) -> Iterator[Slip]:
    if value < 0 and not column.is_signed:
        yield Slip(field_id, f"{value} is less than 0", "Look again")
    if value != int(value) and not column.is_decimal:
        yield Slip(field_id, f"{value} is no whole number", "Look again; what is no number is unparsable:…")
