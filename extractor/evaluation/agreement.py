"""Two labels of one document, made without sight of each other: where they differ, and how well they agree.

Does not live here: which of the two is right; that is read in the document. Called by `extractor label --compare`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from extractor.evaluation.labels import Label, LabelledCell
from extractor.review.agreement import measure_kappa


class Difference(NamedTuple):
    """A field that two labels do not read alike; None where one of them does not have it."""

    field_id: str
    one: str | None
    other: str | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two labels of one document compare.

    Attributes:
        cells, facts: fields of tables, and of header and narrative, that either label has.
        cells_alike, facts_alike: those that both have and read alike.
        kappa: Cohen's kappa over the cells that both have (Cohen 1960, A coefficient of agreement for nominal
            scales), each different reading a category: what agreement is left beyond that of two people who write as
            many zeros as these, anywhere. None where chance alone would agree everywhere.
        differences: in the order of the first label.
    """

    cells: int
    cells_alike: int
    facts: int
    facts_alike: int
    kappa: float | None
    differences: tuple[Difference, ...]


def compare_labels(one: Label, other: Label) -> Agreement:
    """Compare two labels of one document."""
    cells = _say_cells(one), _say_cells(other)
    facts = _say_facts(one), _say_facts(other)
    cell_differences, fact_differences = _differ(*cells), _differ(*facts)
    count, fact_count = (len(first.keys() | second.keys()) for first, second in (cells, facts))
    return Agreement(
        cells=count,
        cells_alike=count - len(cell_differences),
        facts=fact_count,
        facts_alike=fact_count - len(fact_differences),
        kappa=measure_kappa((cells[0][name], cells[1][name]) for name in cells[0] if name in cells[1]),
        differences=(*cell_differences, *fact_differences),
    )


def _differ(one: Mapping[str, str], other: Mapping[str, str]) -> list[Difference]:
    names = dict.fromkeys((*one, *other))
    return [Difference(name, one.get(name), other.get(name)) for name in names if one.get(name) != other.get(name)]


def _say_cells(label: Label) -> dict[str, str]:
    return {name: _say(cell) for name, cell in label.cells.items()}


def _say_facts(label: Label) -> dict[str, str]:
    return {name: "not stated" if value is None else str(value) for name, value in label.facts.items()}


def _say(cell: LabelledCell) -> str:
    parts = (cell.state.value if cell.value is None else str(cell.value), cell.raw)
    return " ".join(part for part in parts if part)
