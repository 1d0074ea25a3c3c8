"""A small table of section 三 that balances, and systems by generation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from extractor.reconcile.system import System, load_system

Row = tuple[int, ...]
Build = Callable[..., dict[str, int]]

#: Natural persons, business, four columns of zeros, total. All other rows are zeros.
ROWS: Mapping[str, Row] = {
    "new_received": (137, 20, 0, 0, 0, 0, 157),
    "carried_in": (3, 0, 0, 0, 0, 0, 3),
    "granted": (90, 11, 0, 0, 0, 0, 101),
    "refused.internal_affairs": (38, 0, 0, 0, 0, 0, 38),
    "unable.not_held": (0, 9, 0, 0, 0, 0, 9),
    "results_total": (128, 20, 0, 0, 0, 0, 148),
    "carried_out": (12, 0, 0, 0, 0, 0, 12),
}


@pytest.fixture
def system() -> System:
    found = load_system("applications", "2021")
    assert found
    return found


@pytest.fixture
def table(system: System) -> Build:
    """A function: the table by field id, with the rows that are given in place of its own."""

    def build(**rows: Row) -> dict[str, int]:
        cells = ROWS | {name.replace("__", "."): row for name, row in rows.items()}
        section = system.section
        return {
            section.field_id(row.id, column.id): cells.get(row.id, (0,) * 7)[index]
            for row in section.rows
            for index, column in enumerate(row.columns)
        }

    return build
