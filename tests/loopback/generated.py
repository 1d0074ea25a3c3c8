"""Truths of documents that tests make: the official form with given values (tests.flatten)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from extractor.settings import Settings
from extractor.sources import read_document
from tests import flatten
from tests.loopback.truths import Truth

_HEADER = {
    "title": flatten.TITLE,
    "agency_name": "某某市民政局",
    "report_year": "2023",
    "published_on": "2024年1月16日",
    "period_start": "2023年1月1日",
    "period_end": "2023年12月31日",
}


class Generated(NamedTuple):
    """A made document: its bytes, and what it prints."""

    raw: bytes
    truth: Truth


def generate(layout: str, generation: str, printed: Mapping[str, str]) -> Generated:
    """The form of a generation in one of flatten.LAYOUTS.

    Args:
        layout: its name there.
        generation: of all three tables.
        printed: text of every field, "" for an empty cell.
    """
    raw = flatten.LAYOUTS[layout](flatten.build_tables(generation, printed))
    document = read_document(raw, layout, Settings())
    cells = {field_id: text or None for field_id, text in printed.items()}
    keeps = layout in flatten.KEEPING
    return Generated(raw, Truth(layout, document.view, cells, keeps_blanks=keeps, header=_HEADER))


def generate_balanced(layout: str, generation: str = "2021", seed: int = 0) -> Generated:
    """The same with made-up numbers that satisfy the form's equations."""
    return generate(layout, generation, flatten.as_printed(flatten.make_values(generation, seed)))
