"""A number that the running text states, and the text around it.

Lives here: what the rules find and what speaks for or against it looks at. Does not live here: any rule
(narrative_rules, narrative_row_rules, narrative_items) and any objection (narrative_objections).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from extractor.model import Chunk, Document, Unit
from extractor.readers.header import find_report_year
from extractor.readers.narrative_times import Times
from extractor.readers.prose import Prose
from extractor.readers.title import find_title

MONEY_FACTS = frozenset(("information_processing_fee_yuan", "admin_fees_wan"))
_UNIT_OF_MONEY: dict[str, Unit] = {"元": "yuan", "万元": "wan"}


@dataclass(frozen=True, slots=True)
class Statement:
    """A match of a rule, as intervals in the prose.

    `start` is where its words begin, `position` and `end` are what is printed for the value, and
    `behind` is where the rest of the sentence goes on.
    """

    field: str
    value: int | Decimal
    start: int
    position: int
    end: int
    object: str = ""
    unit: Unit | None = None
    is_zero_phrase: bool = False
    behind: int = 0


class Context(NamedTuple):
    """What stands around a statement: before its value in the clause and the sentence, and behind it."""

    clause: str
    sentence: str
    behind: str


@dataclass
class Text:
    """The running text with what the rules and objections need to know."""

    document: Document
    chunks: Sequence[Chunk]
    prose: Prose
    known_year: int | None = None
    # Where the last review or litigation was accepted: the next sentence may go on about them.
    last_case: int = -1
    # Beginnings of clauses -> whether the clauses before speak of another body. Filled while statements are judged.
    others_before: dict[int, bool | None] = field(default_factory=dict)

    @cached_property
    def report_year(self) -> int | None:
        """The year that the report is about."""
        return self.known_year or find_report_year(self.document, self.chunks, self.prose)

    @cached_property
    def times(self) -> Times:
        """Where the text names years and parts of them."""
        return Times(self.prose.text)

    @cached_property
    def agency(self) -> str:
        """The agency's name as its title gives it, without spaces; empty where it gives none."""
        title = find_title(self.document, self.chunks)
        return "".join(self.document.view[slice(*title.agency)].split()) if title and title.agency else ""

    def section(self, position: int) -> str:
        """The section in which a place of the prose stands."""
        source = self.prose.source(position)
        return next((chunk.section for chunk in self.chunks if chunk.start <= source < chunk.end), "header")


def build_statement(name: str, match: re.Match[str], start: int, words: str = "") -> Statement | None:
    """A printed count as a statement; None where it has decimals and is no money.

    Args:
        match: of a pattern with the groups `number` and `unit`.
        start: where the words of the statement begin.
        words: what is counted.
    """
    number = match["number"].replace(",", "")
    if "." in number and name not in MONEY_FACTS:
        return None
    value = Decimal(number) if "." in number else int(number)
    unit = _UNIT_OF_MONEY.get(match["unit"])
    return Statement(name, value, start, *match.span("number"), object=words, unit=unit, behind=match.end())


def named_object(match: re.Match[str] | None) -> str:
    """What a rule's match names as counted; empty where it names nothing."""
    return match["object"] or "" if match and "object" in match.re.groupindex else ""
