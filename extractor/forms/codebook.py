"""The codebook: every field that the outputs may hold, with its label, type and unit.

Lives here: the forms and the facts outside the tables as one list, in the order of the outputs. Does not live
here: their values. Called by export, console and cli.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, NamedTuple

from extractor.forms.catalogue import FormField
from extractor.forms.loading import load_forms
from extractor.model import HEADER_FIELDS, NARRATIVE_FIELDS

Kind = Literal["int", "decimal", "text"]


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
        _describe_fact("narrative", name, "decimal" if name.endswith(("_yuan", "_wan")) else "int")
        for name in NARRATIVE_FIELDS
    ]
    return (*header, *cells, *narrative)


def label_path(item: FormField) -> str:
    """The printed labels that lead to a cell, outermost first."""
    tables = (form.sections[item.section] for form in load_forms().national if item.section in form.sections)
    section = next(table for table in tables if table.rows_by_id.get(item.row.id) is item.row)
    parts = (section.title, item.row.group, item.row.labels[0], item.column.over, item.column.labels[0])
    return " > ".join(part for part in parts if part)


def _has_field(generation: str, item: FormField) -> bool:
    section = load_forms().section(item.section, generation)
    return section is not None and any(field.id == item.id for field in section.fields)


def _describe_fact(part: str, name: str, kind: Kind) -> CodebookEntry:
    place = "报告首部" if part == "header" else "正文"
    unit = next((unit for unit in ("yuan", "wan") if name.endswith(f"_{unit}")), "")
    return CodebookEntry(f"{part}.{name}", f"{place} > {load_forms().fact_labels[name]}", kind, unit, ())


CODEBOOK_HEADER = ("id", "label_zh", "type", "unit", "generations")


def codebook_line(entry: CodebookEntry) -> tuple[str, ...]:
    """A codebook entry as text cells, in the order of CODEBOOK_HEADER."""
    return entry.id, entry.label, entry.kind, entry.unit, " ".join(entry.generations)
