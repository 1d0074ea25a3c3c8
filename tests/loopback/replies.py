"""A table's reply before it is written as JSON, and what differs between two of them.

Made by simulated, changed by mistakes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest

from extractor.forms import Section
from extractor.llm.prompts import row_numbers
from tests.loopback.truths import Cells


@dataclass(frozen=True)
class TableReply:
    """Rows of one table.

    Attributes:
        rows: cells by row id, in the form's order. Fewer cells than columns where the text does not show the empty
            ones. A number beyond the form's rows stands for itself.
        asked: ids of the rows that were asked for.
    """

    section: Section
    rows: Mapping[str, Cells]
    asked: tuple[str, ...]

    def with_rows(self, changed: Mapping[str, Cells]) -> TableReply:
        """The same with other rows."""
        return replace(self, rows=changed)

    def width(self, row: str) -> int:
        """How many columns a row of the form has."""
        return len(self.section.rows_by_id[row].columns)

    def write(self) -> str:
        """The reply as the wire schema wants it, rows numbered as in the prompt."""
        numbers = {row: number for number, row in row_numbers(self.section).items()}
        return write_json({"rows": [[numbers.get(row, row), *cells] for row, cells in self.rows.items()]})


def find_changes(before: TableReply, after: TableReply) -> tuple[str, ...]:
    """The fields in which two replies differ; the bare number of a row that the form does not have."""
    changed: list[str] = []
    for row in dict.fromkeys((*before.rows, *after.rows)):
        if before.rows.get(row) == after.rows.get(row):
            continue
        if row not in before.section.rows_by_id:
            changed.append(row)
            continue
        columns = before.section.rows_by_id[row].columns
        is_one_sided = row not in before.rows or row not in after.rows
        pairs = zip_longest(before.rows.get(row, ()), after.rows.get(row, ()))
        differing = [is_one_sided or was != now for was, now in pairs]
        changed += [
            before.section.field_id(row, column.id)
            for column, is_changed in zip(columns, differing, strict=False)
            if is_changed
        ]
    return tuple(changed)


def write_json(value: Mapping[str, object]) -> str:
    """A reply as models write it: one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
