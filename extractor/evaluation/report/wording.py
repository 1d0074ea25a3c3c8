"""How the page writes numbers, states and the form's places.

Lives here: counts and shares as text, what a cell prints and says in one short text, Chinese names of fields. Does
not live here: any counting. Called by every part of the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from itertools import groupby
from math import floor, log10

from extractor.evaluation.labels import DocumentKind
from extractor.forms import FormField, load_forms
from extractor.model import CellState, Value

KIND_MEANINGS: dict[DocumentKind, str] = {
    "real": "reports as found",
    "re-set": "a real report's figures in a file made for the purpose",
    "generated": "the official form with made-up figures",
    "corrupted": "damaged on purpose",
}

NOTHING = "—"
_MOST_DECIMALS = 6

_STATES = {
    CellState.VALUE: "a value",
    CellState.BLANK: "blank",
    CellState.NA_MARK: "a mark for nothing (/ or —)",
    CellState.ROW_ABSENT: "row not printed",
    CellState.POSITION_UNKNOWN: "column unknown",
    CellState.INFERRED_BY_EQUATION: "implied by equations",
    CellState.UNPARSABLE: "no readable number",
    CellState.NOT_READ: "not read",
}


def write_count(number: float) -> str:
    """A count with thousands apart; up to two decimals where it is a mean."""
    return f"{number:,.0f}" if number == int(number) else f"{number:,.2f}"


def write_share(count: float, n: float) -> str:
    """A share in per cent."""
    return NOTHING if n == 0 else f"{write_per_cent(count / n)} %"


def write_per_cent(share: float) -> str:
    """A share (0 to 1) in per cent, with as many decimals as tell it apart from nothing and from all."""
    per_cent = 100 * share
    distance = min(per_cent, 100 - per_cent)
    if distance <= 0:
        return f"{per_cent:.0f}"
    return f"{per_cent:.{min(max(1, 1 - floor(log10(distance))), _MOST_DECIMALS)}f}"


def write_plural(number: float, noun: str) -> str:
    """A count and its noun: "1 document", "2 documents"."""
    return f"{write_count(number)} {noun}{'' if number == 1 else 's'}"


def write_content(state: CellState | None, value: Value | None) -> str:
    """What stands in a field: its value, or its state in words."""
    if state is None:
        return NOTHING
    if value is None:
        return _STATES[state]
    text = f"{value:,}" if isinstance(value, int | Decimal) else value
    return text if state is CellState.VALUE else f"{text} ({_STATES[state]})"


def name_section(group: str) -> str:
    """A section by its number and Chinese title; `header` and `narrative` as they are."""
    names = load_forms().section_names.get(group)
    return "、".join(names[:2]) if names else group


def name_field(field_id: str, generation: str) -> str:
    """A cell by its row and column in that generation of the form; a fact by its id in words."""
    item = _list_items(generation).get(field_id)
    return _name_fact(field_id) if item is None else name_cell(item)


def name_cell(item: FormField) -> str:
    """A cell by its row and column."""
    return f"{_name_row(item)} · {item.column.labels[0]}"


def name_fields(field_ids: Sequence[str], generation: str, values: Mapping[str, str] | None = None) -> str:
    """Several fields of one group: rows with their columns, whole rows and whole tables as such.

    Args:
        field_ids: in the form's order.
        generation: of the form, for its labels; the newest one's where it has no such field.
        values: what stands in them; each field is then named with its own.
    """
    values = values or {}
    known = _list_items(generation)
    items = [known[field_id] for field_id in field_ids if field_id in known]
    facts = [f"{_name_fact(name)} {values.get(name, '')}".rstrip() for name in field_ids if name not in known]
    if items and not values and _is_whole_table(items):
        return "; ".join([f"{name_section(items[0].section)} (the whole table)", *facts])
    rows = [_name_cells(list(cells), values) for _, cells in groupby(items, key=lambda item: item.row)]
    return "; ".join([*rows, *facts])


def order_fields(field_ids: Iterable[str], generation: str) -> list[str]:
    """Fields as the form prints them, facts behind the tables by name."""
    places = {field_id: place for place, field_id in enumerate(_list_items(generation))}
    return sorted(field_ids, key=lambda field_id: (places.get(field_id, len(places)), field_id))


@cache
def _list_items(generation: str) -> dict[str, FormField]:
    """Every cell of every generation by id: the given one's first, then the newest one's."""
    items: dict[str, FormField] = {}
    for form in sorted(load_forms().national, key=lambda form: form.generation != generation):
        for section in form.sections.values():
            for item in section.fields:
                items.setdefault(item.id, item)
    return items


def _name_fact(field_id: str) -> str:
    group, _, fact = field_id.partition(".")
    return f"{group}: {fact.replace('_', ' ').replace('.', ' · ')}"


def _name_row(item: FormField) -> str:
    # The number of a row starts anew in each group of section 三, so that the group belongs to its name.
    group = item.row.group
    is_numbered_in_group = item.section == "applications" and group is not None and not group.startswith("三、")
    return f"{group} {item.row.labels[0]}" if is_numbered_in_group else item.row.labels[0]


def _name_cells(items: Sequence[FormField], values: Mapping[str, str]) -> str:
    columns = items[0].row.columns
    if not values and len(items) == len(columns) and len(columns) > 1:
        return f"{_name_row(items[0])} (all columns)"
    named = (f"{item.column.labels[0]} {values.get(item.id, '')}".rstrip() for item in items)
    return f"{_name_row(items[0])} · {'、'.join(named)}"


def _is_whole_table(items: Sequence[FormField]) -> bool:
    found = {item.id for item in items}
    tables = (form.sections.get(items[0].section) for form in load_forms().national)
    return any(table is not None and found == {item.id for item in table.fields} for table in tables)
