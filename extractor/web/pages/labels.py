"""What fields, sections and reasons are called on a page.

Lives here: short names for people. Does not live here: the words of the page itself (words), the form's own labels
(extractor.forms). Called by every view.
"""

from __future__ import annotations

from functools import cache

from extractor.flags import CATALOGUE
from extractor.forms import load_forms
from extractor.store.shapes import Item
from extractor.web.pages.words import Words

_NUMERALS = {"header": "首", "overview": "一", "proactive_disclosure": "二", "applications": "三",
             "review_litigation": "四", "problems_improvements": "五", "other_matters": "六"}  # fmt: skip


@cache
def name_field(field_id: str) -> str:
    """A field by its form's labels: row · column, or the fact's name."""
    part, _, name = field_id.partition(".")
    forms = load_forms()
    if field_id in forms.fields:
        cell = forms.fields[field_id]
        return f"{cell.row.labels[0]} · {cell.column.labels[0]}"
    if part in ("header", "narrative") and name in forms.fact_labels:
        return forms.fact_labels[name]
    return field_id


def name_section(section: str, words: Words) -> str:
    """A section in short: its numeral and 表, or what it is called."""
    if section in ("proactive_disclosure", "applications", "review_litigation"):
        return words("section.table", numeral=_NUMERALS[section])
    if f"section.{section}" in words:
        return words(f"section.{section}")
    names = load_forms().section_names.get(section)
    return "、".join(names[:2]) if names else section


def name_code(code: str, words: Words) -> str:
    """A flag's code in a few words."""
    key = f"code.{code}"
    return words(key) if key in words else code


def ask(item: Item, words: Words) -> str:
    """The item's question in one sentence."""
    kind = show_kind(item)
    row = name_field(item.fields[0]).partition(" · ")[0] if item.fields else ""
    return words(f"ask.{kind}", section=name_section(item.section, words), row=row)


def show_kind(item: Item) -> str:
    """The kind that a reviewer is shown: he is not to know which items check what was accepted."""
    return "cells" if item.kind == "audit" else item.kind


def severity_of(code: str) -> str:
    """Severity of a flag's code; a code of a later program is a warning."""
    return CATALOGUE[code].severity if code in CATALOGUE else "warning"
