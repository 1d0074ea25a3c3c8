"""One call for everything: the baselines of tokens.py, told apart only by what they ask and in which shape.

Lives here: the models, instructions and texts of two calls, the tables as a label prints them, and the call itself.
Does not live here: what is counted (tokens).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from pydantic import BaseModel, create_model

from extractor.evaluation import Label
from extractor.forms import Section, load_forms
from extractor.llm.prompts import load_prompt
from extractor.llm.wire import HeaderFacts, NarrativeFacts
from extractor.model import Document
from extractor.readers.llm.render import render_older

_WHOLE = 1_000_000  # more tokens than any document has


class Baseline(NamedTuple):
    """One call for everything: what is asked, in which mode, and the tables' part of the reply."""

    model: type[BaseModel]
    mode: str
    system: str
    text: str
    tables: Mapping[str, Any]


def build_flat(document: Document, label: Label) -> Baseline:
    """As first attempts have it: every cell a field, instructor's own mode, the text as it is."""
    ids = [field_id for section in find_sections(label.generation) for field_id in name_fields(section)]
    tables = {field_id.replace(".", "_"): find_number(label, field_id) for field_id in ids}
    model = build_report((name, float | None) for name in tables)
    return Baseline(model, "TOOLS", "提取政府信息公开年度报告的数据。", document.text, tables)


def build_nested(document: Document, label: Label) -> Baseline:
    """The best single call that names its cells, told about the facts what our prompts tell, but for the examples."""
    sections = list(find_sections(label.generation))
    rules = [load_prompt(task).instruction.partition("\n\n## ")[0] for task in ("header", "narrative")]
    tables = {
        section.id: {
            row.id.replace(".", "_"): {c.id: find_number(label, section.field_id(row.id, c.id)) for c in row.columns}
            for row in section.rows
        }
        for section in sections
    }
    return Baseline(
        build_report((section.id, build_section(section)) for section in sections),
        "JSON_SCHEMA",
        "\n".join(("抄录各表的数，只抄不算，空格和没印出的写null。", *rules)),
        "\n".join(render_older(document, _WHOLE)),
        tables,
    )


def build_report(tables: Iterable[tuple[str, Any]]) -> type[BaseModel]:
    """The model of a whole report: its tables, and the facts of the running text as we ask for them."""
    kinds: dict[str, Any] = {name: (kind, ...) for name, kind in tables}
    return create_model("Report", __base__=(HeaderFacts, NarrativeFacts), **kinds)


def build_section(section: Section) -> type[BaseModel]:
    """Row -> column -> number."""
    kinds: dict[str, Any] = {
        row.id.replace(".", "_"): (build_row(tuple(column.id for column in row.columns)), ...) for row in section.rows
    }
    return create_model(section.id, **kinds)


@cache
def build_row(columns: tuple[str, ...]) -> type[BaseModel]:
    """Rows with the same columns share a class: the schema stays small."""
    kinds: dict[str, Any] = dict.fromkeys(columns, (float | None, ...))
    return create_model("_".join(columns), **kinds)


def find_number(label: Label, field_id: str) -> float | None:
    """A cell as a plain number; None where the label has none."""
    cell = label.cells.get(field_id)
    if cell is None or cell.value is None:
        return None
    return int(cell.value) if cell.value == int(cell.value) else cell.value


def ask_once(baseline: Baseline, model: str, base_url: str) -> None:
    """Ask; instructor checks the reply."""
    import instructor  # noqa: PLC0415 - half a second each, for nothing where only the counting is used
    import openai  # noqa: PLC0415

    client = instructor.from_openai(openai.OpenAI(base_url=base_url, api_key="-"), mode=instructor.Mode[baseline.mode])
    client.create(
        model=model,
        response_model=baseline.model,
        messages=[{"role": "system", "content": baseline.system}, {"role": "user", "content": baseline.text}],
        max_retries=0,
    )


def find_sections(generation: Mapping[str, str]) -> Iterator[Section]:
    """The tables that a document has, each in its generation."""
    found = (load_forms().section(section, name) for section, name in generation.items())
    return (section for section in found if section)


def name_fields(section: Section) -> list[str]:
    """The ids of all fields of a table."""
    return [section.field_id(row.id, column.id) for row in section.rows for column in row.columns]
