"""The data files of the forms, read and built: the package's own, and those of the user's folder behind them.

Lives here: from TOML to forms, equations written out. Does not live here: what forms are (catalogue), what a user's
file may say (own). Called through extractor.forms by everything that reads or shows a report.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any

from extractor.forms.catalogue import TABLE_SECTIONS, Column, Equation, Form, Forms, Row, Section
from extractor.forms.labels import fold_label
from extractor.forms.own import read_own_forms, refuse
from extractor.settings import load_settings


def _build_section(section_id: str, data: Mapping[str, Any]) -> Section:
    columns = tuple(
        Column(
            id=item["id"],
            labels=tuple(item["labels"]),
            is_decimal=item.get("type") == "decimal",
            is_signed=item.get("signed", False),
            unit=item.get("unit"),
            over=item.get("over"),
        )
        for item in data["columns"]
    )
    by_id = {column.id: column for column in columns}
    rows = tuple(
        Row(
            id=item["id"],
            labels=tuple(item["labels"]),
            columns=tuple(by_id[name] for name in item["columns"]) if "columns" in item else columns,
            group=item.get("group") or item.get("part"),
            is_result=item.get("result", False),
        )
        for item in data["rows"]
    )
    equations = tuple(
        equation
        for item in data.get("equations", ())
        for equation in _write_out_equation(section_id, item, rows, columns)
    )
    return Section(section_id, data["title"], data["layout"], rows, columns, tuple(data.get("captions", ())), equations)


def _write_out_equation(
    section: str, item: Mapping[str, Any], rows: tuple[Row, ...], columns: tuple[Column, ...]
) -> Iterator[Equation]:
    """One relation of the data file -> one equation for each column or row."""
    results = [row.id for row in rows if row.is_result]

    def expand(terms: list[str]) -> list[str]:
        return [name for term in terms for name in (results if term == "@result" else [term])]

    left, right = expand(item["left"]), expand(item["right"])
    over_columns = item["for_each"] == "column"
    for fixed in [column.id for column in columns] if over_columns else [row.id for row in rows]:

        def field_id(term: str, fixed: str = fixed) -> str:
            return f"{section}.{term}.{fixed}" if over_columns else f"{section}.{fixed}.{term}"

        yield Equation(f"{item['id']}[{fixed}]", item["basis"], tuple(map(field_id, left)), tuple(map(field_id, right)))


def _build_form(data: Mapping[str, Any]) -> Form:
    recognise = data.get("recognise", {})
    return Form(
        generation=data["generation"],
        notice=data.get("notice", ""),
        sections={name: _build_section(name, data[name]) for name in TABLE_SECTIONS if name in data},
        marks=tuple(recognise.get("marks", ())),
        indicator_table=tuple(recognise.get("indicator_table", ())),
    )


@cache
def load_forms() -> Forms:
    """Load the package's data files, newest generation first, and behind them the forms of the user's own folder.

    Raises:
        SettingsError: a form of that folder cannot be used.
    """
    texts = {
        item.name: item.read_text(encoding="utf-8")
        for item in sorted(resources.files("extractor.forms").joinpath("data").iterdir(), key=lambda item: item.name)
        if item.name.endswith(".toml")
    }
    common = tomllib.loads(texts["common.toml"])
    forms = [_build_form(tomllib.loads(text)) for name, text in texts.items() if name != "common.toml"]
    forms.sort(key=lambda form: (bool(form.sections), form.generation), reverse=True)
    own = read_own_forms(load_settings().forms_dir)
    characters = common["characters"]
    built = Forms(
        generations={form.generation: form for form in forms},
        section_names={name: tuple(values) for name, values in common["sections"].items()},
        title_phrases=tuple(common["report"]["title_phrases"]),
        script=dict(zip(map(ord, characters["traditional"]), characters["simplified"], strict=True)),
        na_marks=frozenset(common["cells"]["not_applicable"]),
        count_units=tuple(common["cells"]["count_units"]),
        money_units=dict(common["cells"]["money_units"]),
        fact_labels=dict(common["facts"]),
        version=_hash_texts(*texts.values(), *(json.dumps(data, ensure_ascii=False) for data in own.values())),
    )
    for path, data in own.items():
        built = _add_own(built, path, data)
    return built


def _hash_texts(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def _add_own(forms: Forms, path: str, data: Mapping[str, Any]) -> Forms:
    """The forms with one more behind them. What the others call a cell or a heading keeps its meaning."""
    form = _build_form(data)
    if form.generation in forms.generations:
        raise refuse(path, f"generation {form.generation} is there already")
    for section in form.sections.values():
        cells = {item.id: item for item in section.fields}
        for item in cells.values():
            other = forms.fields.get(item.id)
            if other and (other.column.is_decimal, other.column.unit) != (item.column.is_decimal, item.column.unit):
                raise refuse(path, f"{item.id} is of another type or unit in another form: give it an id of its own")
        for equation in section.equations:
            if strange := [term for term in (*equation.left, *equation.right) if term not in cells]:
                raise refuse(path, f"equation {equation.id} needs the cell {strange[0]}, which its row does not have")
    names = {name: list(known) for name, known in forms.section_names.items()}
    for section_id, headings in data.get("headings", {}).items():
        for heading in headings:
            if forms.heading_index.get(fold_label(heading), section_id) != section_id:
                raise refuse(path, f"heading {heading} is that of another section")
            names[section_id].append(heading)
    return replace(
        forms,
        generations={**forms.generations, form.generation: form},
        section_names={name: tuple(dict.fromkeys(known)) for name, known in names.items()},
        title_phrases=tuple(dict.fromkeys((*forms.title_phrases, *data.get("title_phrases", ())))),
    )
