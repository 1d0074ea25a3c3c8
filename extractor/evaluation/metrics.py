"""Rates over labelled documents: how much is right, how much is accepted, what slips through.

Lives here: measuring them, and splitting documents into strata. Does not live here: what each rate counts
(definitions), what became of a field (outcomes), how intervals are made (intervals), scores that rank (ranking), tables
for people (console). Called by `extractor eval`, its report, and the gate. Needs numpy and scipy (extra `evaluation`).

Every rate has its count and n beside it. n of a rate over labelled cells takes in the cells of documents that could
not be read at all: they are not right, and have a line of their own (`unread_cells`). Table cells and facts (header
and narrative) are counted apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from extractor.evaluation.definitions import DOCUMENT_RATES, FIELD_RATES, Case, make_case
from extractor.evaluation.intervals import interval_shares
from extractor.evaluation.outcomes import DocumentOutcome, FieldOutcome

Stratum = Literal["kind", "group", "layout", "generation", "damage", "document"]


#: What is measured, in the order in which it is shown: id and explanation.
METRICS: Mapping[str, str] = DOCUMENT_RATES | {name: definition.text for name, definition in FIELD_RATES.items()}


class Rate(NamedTuple):
    """A share with what it is a share of.

    Attributes:
        count: events.
        n: cases.
        low, high: 95 % interval over documents; None where fewer than two documents hold a case, or none was asked
            for. See intervals.interval_shares, and `is_exact`.
    """

    count: float  # type: ignore[assignment]  # in front of tuple.count, which nobody needs of a rate
    n: float
    low: float | None = None
    high: float | None = None

    @property
    def share(self) -> float | None:
        """Events by cases; None without a case."""
        return self.count / self.n if self.n else None

    @property
    def is_exact(self) -> bool:
        """Whether the interval is about documents with any event (or any exception), as no case or every one is one."""
        return self.count in (0, self.n)


@dataclass(frozen=True, slots=True)
class Metrics:
    """All rates over some documents of one kind, by their ids, in the order of METRICS."""

    documents: int
    rates: Mapping[str, Rate]


def measure(documents: Sequence[DocumentOutcome], *, resamples: int = 2000, seed: int = 0) -> Metrics:
    """All rates over some documents.

    Args:
        documents: of one kind, in any order. Those of one source are one unit of the intervals.
        resamples: draws for the intervals; 0 for no intervals.
        seed: of the draws.

    Raises:
        ValueError: documents of several kinds, which no rate may pool. Split them with stratify(..., "kind").
    """
    kinds = sorted({document.kind for document in documents})
    if len(kinds) > 1:
        raise ValueError(f"documents of several kinds are never pooled ({', '.join(kinds)}): split them by kind first")
    tallies = np.array([_tally(document) for document in documents], dtype=np.int64).reshape(-1, len(METRICS), 2)
    counts, sizes = tallies.transpose(2, 1, 0)
    units = _join_sources(documents, tallies).transpose(2, 1, 0)
    intervals = interval_shares(units[0], units[1], resamples=resamples, seed=seed)
    rates = {
        name: Rate(int(count.sum()), int(size.sum()), *(interval or (None, None)))
        for name, count, size, interval in zip(METRICS, counts, sizes, intervals, strict=True)
    }
    return Metrics(len(documents), rates)


def _join_sources(documents: Sequence[DocumentOutcome], tallies: NDArray[np.int64]) -> NDArray[np.int64]:
    """The tallies of documents that have their figures from one source, added up: they are no independent draws."""
    units: dict[tuple[str, str], int] = {}
    places = [
        units.setdefault(("source", one.source) if one.source else ("document", one.name), len(units))
        for one in documents
    ]
    joined = np.zeros((len(units), *tallies.shape[1:]), dtype=np.int64)
    np.add.at(joined, places, tallies)
    return joined


def stratify(documents: Sequence[DocumentOutcome], by: Stratum) -> dict[str, tuple[DocumentOutcome, ...]]:
    """Documents split by a property, for measure(); keys in their own order.

    Args:
        by: `group` keeps of each document the fields of one section (or of header, narrative); `damage` tells the
            severities apart, and calls documents without damage `none`.
    """
    strata: dict[str, list[DocumentOutcome]] = {}
    for document in documents:
        for key, part in _split_groups(document) if by == "group" else [(_name_stratum(document, by), document)]:
            strata.setdefault(key, []).append(part)
    return {key: tuple(strata[key]) for key in sorted(strata)}


def _name_stratum(document: DocumentOutcome, by: Stratum) -> str:
    names = {
        "kind": document.kind,
        "layout": document.layout or "unknown",
        "generation": document.generation,
        "damage": f"{document.damage}, severity {document.severity}" if document.damage else "none",
        "document": document.name,
    }
    return names[by]


def _split_groups(document: DocumentOutcome) -> Iterator[tuple[str, DocumentOutcome]]:
    groups: dict[str, list[FieldOutcome]] = {}
    for field in document.fields:
        groups.setdefault(field.group, []).append(field)
    for group, fields in groups.items():
        yield group, replace(document, fields=tuple(fields))


def _tally(document: DocumentOutcome) -> list[tuple[int, int]]:
    """Events and cases of every metric in one document."""
    is_unread = document.status == "failed"
    cases = Counter(make_case(field, is_unread) for field in document.fields)
    cells = [case for case in cases if case.is_cell]
    is_exact = bool(cells) and all(case.is_right for case in cells)
    is_betrayed = any(case.is_accepted and not case.is_right for case in cases)
    whole = [(is_unread, True), (is_exact, bool(cells)), (is_betrayed, True)]  # in the order of DOCUMENT_RATES
    weights = [(number, _weigh(case)) for case, number in cases.items()]
    return whole + [
        (
            sum(number * weight[rate][0] for number, weight in weights),
            sum(number * weight[rate][1] for number, weight in weights),
        )
        for rate in range(len(FIELD_RATES))
    ]


@lru_cache(maxsize=4096)
def _weigh(case: Case) -> tuple[tuple[bool, bool], ...]:
    """For each rate over fields whether the case is an event, and whether it is a case at all."""
    judged = ((item, item.is_case(case)) for item in FIELD_RATES.values())
    return tuple((is_case and item.is_event(case), is_case) for item, is_case in judged)
