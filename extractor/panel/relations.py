"""The relations between the reports of two neighbouring years of one agency (TEMPLATE section 8).

Lives here: which cells of the earlier year must agree with which of the later one, and the list of all cells that the
panel keeps. Does not live here: their evaluation (compare). Called by every other module of the panel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from extractor.forms import load_forms

APPLICATIONS = "applications"
DISCLOSURE = "proactive_disclosure"
REVIEWS = "review_litigation"

SPLIT_COLUMNS = ("issued", "repealed", "in_force")
"""The cells of a row of section 二 that X2 binds, in the order of print."""
# A stock of the form of 2019 for which its table has no outflow: shown, but no relation can be stated for it.
_STOCK_WITHOUT_RELATION = "total_disclosed"


@dataclass(frozen=True, slots=True)
class Relation:
    """`sum of sign * cell = 0` over cells of two years; with `is_bound`, `<= 0`.

    Attributes:
        id: family and what it is stated for: `X1[total]`.
        code: the flag that is raised where it does not hold.
        section: the table.
        before: field id and sign in the earlier year.
        after: the same in the later year.
        name: label of the column or row that it is stated for, as printed in the form.
    """

    id: str
    code: str
    section: str
    before: tuple[tuple[str, int], ...]
    after: tuple[tuple[str, int], ...]
    name: str
    is_bound: bool = False

    @property
    def family(self) -> str:
        """`X1`, `X2`, `X3` or `X4`."""
        return self.id.partition("[")[0]


@cache
def load_relations() -> tuple[Relation, ...]:
    """Every relation of every form, in the order of print.

    X1: what one year carries out is what the next carries in, for each column.
    X2: documents in force, plus issued, minus repealed, are those in force a year later (form of 2021).
    X3: cases pending at the end of a year are among all cases of the next; a bound.
    X4: items of the previous year plus their change are what the next report calls the previous year's (form of 2019).
    """
    found: dict[str, Relation] = {}
    for form in load_forms().national:
        for build, section in ((_carry, APPLICATIONS), (_stock, DISCLOSURE), (_pending, REVIEWS)):
            if section in form.sections:
                for relation in build(form.generation):
                    found.setdefault(relation.id, relation)
    return tuple(sorted(found.values(), key=lambda relation: relation.family))


def _carry(generation: str) -> Iterator[Relation]:
    section = load_forms().generations[generation].sections[APPLICATIONS]
    for column in section.columns:
        carried_out, carried_in = (section.field_id(row, column.id) for row in ("carried_out", "carried_in"))
        name = column.labels[0]
        yield Relation(f"X1[{column.id}]", "carry-differs", section.id, ((carried_out, 1),), ((carried_in, -1),), name)


def _stock(generation: str) -> Iterator[Relation]:
    section = load_forms().generations[generation].sections[DISCLOSURE]
    for row in section.rows:
        ids = {column.id: section.field_id(row.id, column.id) for column in row.columns}
        if all(name in ids for name in SPLIT_COLUMNS):
            issued, repealed, in_force = (ids[name] for name in SPLIT_COLUMNS)
            after = ((issued, 1), (repealed, -1), (in_force, -1))
            yield Relation(f"X2[{row.id}]", "stock-differs", section.id, ((in_force, 1),), after, row.labels[0])
        if "items_prev_year" in ids:
            items, change = ids["items_prev_year"], ids["items_change"]
            before = ((items, 1), (change, 1))
            yield Relation(f"X4[{row.id}]", "stock-differs", section.id, before, ((items, -1),), row.labels[0])


def _pending(generation: str) -> Iterator[Relation]:
    section = load_forms().generations[generation].sections[REVIEWS]
    for row in section.rows:
        pending, total = (section.field_id(row.id, column) for column in ("pending", "total"))
        relation_id, name = f"X3[{row.id}]", row.labels[0]
        yield Relation(relation_id, "pending-vanished", section.id, ((pending, 1),), ((total, -1),), name, True)


@cache
def load_panel_fields() -> tuple[str, ...]:
    """Every cell that the panel keeps: the terms of all relations, and stocks that no relation binds."""
    terms = {field_id for relation in load_relations() for field_id, _ in (*relation.before, *relation.after)}
    return tuple(
        field_id
        for field_id, item in load_forms().fields.items()
        if field_id in terms or item.column.id == _STOCK_WITHOUT_RELATION
    )
