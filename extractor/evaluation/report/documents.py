"""The documents one by one, worst first, each with the fields that are not both right and accepted.

Lives here: the order, the bound on their number, links to the evidence. Does not live here: lines of fields (fates),
HTML (templates). Called by page.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from extractor.evaluation.metrics import Rate, measure
from extractor.evaluation.outcomes import DocumentOutcome
from extractor.evaluation.report.fates import FateLine, draw_fates, is_settled
from extractor.evaluation.report.wording import name_field, write_content

#: So many documents of one kind are shown, the worst of them.
MOST_DOCUMENTS = 200
#: So many lines are shown of one document.
MOST_LINES = 60
# Fields accepted wrong that the head of the page names.
_MOST_NAMED = 20


class DocumentRow(NamedTuple):
    """One document.

    Attributes:
        anchor: its id on the page.
        rates: see metrics.METRICS.
        link: of the source file, relative to the page; empty where the file is not there.
        command: that shows it.
        unsettled: fields that are not both right and accepted; `lines` are about them.
        unjudged: names of accepted fields that no label judges.
        left_out: lines that are not shown.
    """

    anchor: str
    outcome: DocumentOutcome
    rates: Mapping[str, Rate]
    link: str
    command: str
    lines: tuple[FateLine, ...]
    unsettled: int
    unjudged: tuple[str, ...]
    left_out: int

    @property
    def accepted_wrong(self) -> int:
        """Table cells and facts."""
        return int(self.rates["accepted_wrong"].count + self.rates["facts_accepted_wrong"].count)


class WrongField(NamedTuple):
    """A field accepted wrong, for the head of the page."""

    document: str
    anchor: str
    place: str
    printed: str
    said: str


def order_documents(documents: Sequence[DocumentOutcome]) -> list[DocumentOutcome]:
    """Worst first: accepted wrong, then without a record, then by what is not right and what is left to a person."""

    def badness(document: DocumentOutcome) -> tuple[object, ...]:
        fields = document.fields
        return (
            -sum(field.is_wrong_and_accepted for field in fields),
            not document.problem,
            -sum(field.verdict != "right" for field in fields),
            -sum(not field.is_accepted for field in fields),
            document.name,
        )

    return sorted(documents, key=badness)


def draw_documents(documents: Sequence[DocumentOutcome], folder: Path, kind: str) -> Iterator[DocumentRow]:
    """The rows of one kind's documents, at most MOST_DOCUMENTS.

    Args:
        folder: in which the page will be; links start there.
    """
    for number, document in enumerate(order_documents(documents)[:MOST_DOCUMENTS], start=1):
        # Without a record all fields are missing, and one sentence has said so.
        lines = [] if document.problem else list(draw_fates(document.fields, document.generation))
        yield DocumentRow(
            anchor=f"{kind}-{number}",
            outcome=document,
            rates=measure([document], resamples=0).rates,
            link=link_source(document.path, folder),
            command=f"extractor show {shlex.quote(document.path)}",
            lines=tuple(lines[:MOST_LINES]),
            unsettled=sum(not is_settled(field) for field in document.fields),
            unjudged=tuple(name_field(field_id, document.generation) for field_id in document.unjudged),
            left_out=len(lines[MOST_LINES:]),
        )


def name_wrong(rows: Sequence[DocumentRow]) -> list[WrongField]:
    """Fields accepted wrong, one by one, at most _MOST_NAMED: they are what the page is opened for."""
    found = (
        WrongField(
            row.outcome.name,
            row.anchor,
            name_field(field.field_id, row.outcome.generation),
            write_content(field.expected, field.printed),
            write_content(field.found, field.said),
        )
        for row in rows
        for field in row.outcome.fields
        if field.is_wrong_and_accepted
    )
    return list(islice(found, _MOST_NAMED))


def link_source(path: str, folder: Path) -> str:
    """Where the source file is, as seen from the page's folder; empty where there is none to point at."""
    if not path or not Path(path).is_file():
        return ""
    try:
        return quote(Path(os.path.relpath(path, folder)).as_posix())
    except ValueError:  # another drive
        return Path(path).resolve().as_uri()
