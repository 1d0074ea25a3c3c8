"""The shape of replies: what a model may answer, nothing more.

Lives here: pydantic models that strict JSON Schema modes accept (every property required, no
defaults, no unions but with null). A row is one list of strings, its number first: as objects with
named keys the same table costs a quarter more tokens, with a key for every cell twice as many.
Does not live here: what a reply means (extractor.readers) and whether it is true
(extractor.grounding).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict

FactName = Literal[
    "proactive_items_total",
    "website_items",
    "wechat_items",
    "applications_received",
    "applications_answered",
    "reviews",
    "litigations",
    "information_processing_fee_yuan",
]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _take_integer(value: object) -> object:
    """Servers that enforce nothing write 5 for "5". A broken number is not taken: its writing may be lost."""
    return str(value) if type(value) is int else value


CellText = Annotated[str | None, BeforeValidator(_take_integer)]


class RowReply(NamedTuple):
    """One row of a reply: the row's number in the prompt, and its cells (verbatim text, or null for an empty cell)."""

    row: str
    cells: tuple[str | None, ...]


class TableRows(_Wire):
    """Rows of one table: row number first, then the cells from left to right."""

    rows: list[list[CellText]]


class HeaderFacts(_Wire):
    """What title, contact and signature say, verbatim."""

    title: str | None
    agency_name: str | None
    report_year: str | None
    published_on: str | None
    contact_phone: str | None
    contact_address: str | None
    website: str | None
    period_start: str | None
    period_end: str | None


class StatedFact(_Wire):
    """A number that the text states: verbatim, and the words around it."""

    fact: FactName
    number: str
    quote: str


class NarrativeFacts(_Wire):
    """Numbers of the running text, and the sentences that name problems and measures."""

    facts: list[StatedFact]
    problems: list[str]
    measures: list[str]


class OlderReport(_Wire):
    """A report before the national form: the same, and the rows of its indicator table.

    A row of `indicators` is label, unit, this year, cumulative.
    """

    facts: list[StatedFact]
    problems: list[str]
    measures: list[str]
    indicators: list[list[CellText]]


class PageTable(_Wire):
    """One table on a page image, by the number of its section."""

    section: Literal["二", "三", "四"]
    rows: list[list[CellText]]


class PageRows(_Wire):
    """All rows of the form that a page image shows."""

    tables: list[PageTable]


def split_rows(rows: Sequence[Sequence[str | None]]) -> tuple[RowReply, ...]:
    """Rows as the model gave them -> number and cells; rows without a number are left out."""
    return tuple(RowReply(row[0].strip(), tuple(row[1:])) for row in rows if row and row[0] and row[0].strip())
