"""Made-up figures for all three tables of the form, in realistic profiles.

Lives here: section 二's figures, and what profiles there are. Does not live here: sections 三 and 四, which
eval.bench.localise_tables draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from math import exp, log
from random import Random
from typing import NamedTuple

from eval.bench.localise_tables import PROFILES, make_table
from extractor.forms import load_forms
from extractor.model import Number

#: How often each kind of office is drawn: most tables hold something.
SHARES: Mapping[str, float] = {"all-zero": 0.1, "department": 0.35, "district": 0.35, "city": 0.2}


class _Sizes(NamedTuple):
    """Least and most of what an office of one kind counts, and how many of its cells hold anything."""

    nonzero: float
    documents: tuple[int, int]
    decisions: tuple[int, int]
    money: tuple[int, int]


_SIZES: Mapping[str, _Sizes] = {
    "all-zero": _Sizes(0, (0, 0), (0, 0), (0, 0)),
    "department": _Sizes(0.5, (1, 40), (1, 900), (1, 90_000)),
    "district": _Sizes(0.7, (1, 300), (10, 30_000), (100, 9_000_000)),
    "city": _Sizes(0.9, (2, 900), (100, 900_000), (10_000, 90_000_000)),
}
_DOCUMENT_ROWS = ("regulations", "normative_documents")
_CENTS = 100


def draw_figures(rng: Random, section: str, generation: str, profile: str) -> dict[str, Number]:
    """Figures for every cell of one table; sections 三 and 四 balance."""
    if section == "proactive_disclosure":
        return _draw_disclosure(rng, generation, _SIZES[profile])
    table = make_table(rng, section, generation, PROFILES[profile])
    return dict(table.read(table.cells))


def _draw_disclosure(rng: Random, generation: str, sizes: _Sizes) -> dict[str, Number]:
    form = load_forms().section("proactive_disclosure", generation)
    assert form is not None
    figures: dict[str, Number] = {}
    for item in form.fields:
        if rng.random() >= sizes.nonzero:
            figures[item.id] = 0
        elif item.column.is_decimal:
            figures[item.id] = _draw_money(rng, sizes)
        elif item.column.is_signed:
            figures[item.id] = rng.choice([-8, -3, -1, 1, 2, 11])
        else:
            is_stock = item.row.id in _DOCUMENT_ROWS or item.column.id in ("items_prev_year", "projects")
            figures[item.id] = _draw_size(rng, sizes.documents if is_stock else sizes.decisions)
    return figures


def _draw_money(rng: Random, sizes: _Sizes) -> Number:
    """Whole, or with two digits behind the point."""
    cents = _draw_size(rng, (sizes.money[0] * _CENTS, sizes.money[1] * _CENTS))
    return cents // _CENTS if rng.random() < 0.5 else Decimal(cents) / _CENTS


def _draw_size(rng: Random, bounds: tuple[int, int]) -> int:
    low, high = bounds
    return round(exp(rng.uniform(log(low), log(high)))) if low else 0
