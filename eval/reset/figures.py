"""The figures of a real report, from its label: what each cell is set with, and what a label may say of it afterwards.

Lives here: cells. Does not live here: running text (prose), files (documents).

Where the source lost the column of a lone number, it is set under 总计 (总计 of its group in section 四): somewhere it
must have stood, and an agency that fills in one cell of a row fills in the total. No other figure is changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from extractor.evaluation.labels import load_label
from extractor.forms import Row, Section, load_forms

#: A cell as labels write it: a number, "blank", "na_mark:/", "row_absent", {"value", "raw"}.
Item = Any
#: By section and row, the cells of the row.
Items = Mapping[str, Mapping[str, tuple[Item, ...]]]


@dataclass(frozen=True)
class Figures:
    """One report's figures.

    Attributes:
        generation: per table section.
        items: every row of the form; a row that the report does not print is all "row_absent".
        facts: numbers that its running text states, by name; those without one left out.
        header: facts of title, contact and signature, as labelled.
        counts: `problems` and `measures`, as labelled.
        not_evaluable: equations with an empty term, as labelled.
    """

    generation: Mapping[str, str]
    items: Items
    facts: Mapping[str, int | Decimal]
    header: Mapping[str, Any]
    counts: Mapping[str, int]
    not_evaluable: tuple[str, ...]

    def print_cells(self) -> dict[str, str]:
        """The text of every printed cell by field id, "" for an empty one."""
        return {
            section.field_id(row.id, column.id): _print(item)
            for section in self.sections()
            for row in section.rows
            for column, item in zip(row.columns, self.items[section.id][row.id], strict=True)
            if item != "row_absent"
        }

    def sections(self) -> list[Section]:
        """The form's tables in the report's generations."""
        forms = load_forms().generations
        return [forms[generation].sections[name] for name, generation in self.generation.items()]

    def hide_lost(self, *, keeps_blanks: bool) -> Items:
        """The rows as a reader of the file can know them.

        Args:
            keeps_blanks: whether the file shows where empty cells are. Where it does not, no number of a row with some
                empty cells can be placed; of a table that is one row, none at all.
        """
        if keeps_blanks:
            return self.items
        hidden: dict[str, dict[str, tuple[Item, ...]]] = {}
        for section in self.sections():
            rows = self.items[section.id]
            joined = [item for row in rows.values() for item in row]
            hidden[section.id] = {
                name: _hide(row, joined if section.layout == "one_row" else row) for name, row in rows.items()
            }
        return hidden


def load_figures(path: Path) -> Figures:
    """The figures of one label of the corpus."""
    load_label(path)  # says what is wrong with it
    data = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    forms = load_forms().generations
    items = {
        name: {
            row.id: tuple(_read_row(data[name], row, index))
            for index, row in enumerate(forms[generation].sections[name].rows)
        }
        for name, generation in data["generation"].items()
    }
    stated = {name: value for name, value in data["narrative"].items() if name != "quotes" and value is not None}
    return Figures(
        generation=data["generation"],
        items=items,
        facts=stated,
        header=data["header"],
        counts={name: data[f"{name}_count"] or 0 for name in ("problems", "measures")},
        not_evaluable=tuple(data.get("not_evaluable", ())),
    )


def _read_row(table: Mapping[str, Any], row: Row, index: int) -> Sequence[Item]:
    names = [column.id for column in row.columns]
    items = table[row.id] if row.id in table else [table[f"{row.id}.{name}"] for name in names]
    if "position_unknown" not in items:
        return list(items)
    kept = table["row_tokens"]
    tokens = kept[row.id] if isinstance(kept, dict) else kept[index : index + 1]
    if len(tokens) != 1:
        raise ValueError(f"{row.id}: {len(tokens)} numbers without their columns; only a lone one can be set")
    return ["blank"] * (len(names) - 1) + [int(tokens[0])]


def _print(item: Item) -> str:
    if isinstance(item, dict):
        return str(item["raw"])
    if item == "blank":
        return ""
    return item.partition(":")[2] if isinstance(item, str) else str(item)


def _hide(row: tuple[Item, ...], line: Sequence[Item]) -> tuple[Item, ...]:
    blanks = [item == "blank" for item in line]
    return ("position_unknown",) * len(row) if any(blanks) and not all(blanks) else row
