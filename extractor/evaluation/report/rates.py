"""Rates as rows of tables: by kind of document side by side, and within one kind by stratum.

Lives here: which rates are shown where, and their figures as text. Does not live here: measuring (metrics), HTML
(templates). Called by page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from extractor.evaluation.metrics import METRICS, Metrics, Rate, Stratum, measure, stratify
from extractor.evaluation.outcomes import DocumentOutcome
from extractor.evaluation.report.wording import name_section, write_count, write_per_cent, write_share
from extractor.forms import TABLE_SECTIONS

#: What a program would get right that reads nothing: it stands beside the rate, never in another place.
GUESSES: Mapping[str, str] = {"cells_right": "all_zero_guess", "facts_right": "facts_absent_guess"}
#: Must be none.
FORBIDDEN = frozenset({"accepted_wrong", "facts_accepted_wrong", "documents_accepted_wrong"})

_NAMES = {
    "all_zero_guess": "all-zero guess",
    "nonzero_recall": "non-zero recall",
    "nonzero_precision": "non-zero precision",
    "accepted_wrong": "accepted and wrong",
    "accepted_printed": "printed, accepted",
    "accepted_nonzero": "non-zero, accepted",
    "facts_absent_guess": "say-nothing guess",
    "facts_accepted_wrong": "facts accepted and wrong",
    "documents_accepted_wrong": "documents with anything accepted and wrong",
}
_STRATA: Mapping[Stratum, str] = {
    "layout": "layout",
    "generation": "generation of the form",
    "damage": "damage and severity",
}
_OF_CELLS = ("cells_right", "all_zero_guess", "accepted_nonzero", "accepted_wrong", "review_load")
_OF_FACTS = ("facts_right", "facts_absent_guess", "facts_accepted", "facts_accepted_wrong")


class RateCell(NamedTuple):
    """One rate as text. `bounds`: its interval in words; empty where there is none."""

    events: str
    cases: str
    share: str
    bounds: str
    is_forbidden: bool


class RateRow(NamedTuple):
    """One rate for several kinds. `guesses`: the baseline's, where the rate has one."""

    name: str
    text: str
    cells: tuple[RateCell | None, ...]
    guess_name: str
    guess_text: str
    guesses: tuple[RateCell | None, ...]


class RateTable(NamedTuple):
    """Rates by kind. `without_case`: names of the rates that no kind has a case of."""

    rows: tuple[RateRow, ...]
    without_case: tuple[str, ...]


class StratumRow(NamedTuple):
    """One stratum."""

    name: str
    documents: str
    cells: tuple[RateCell | None, ...]


class StratumTable(NamedTuple):
    """One kind's documents by one property. `heads`: name and explanation of each rate."""

    title: str
    heads: tuple[tuple[str, str], ...]
    rows: tuple[StratumRow, ...]


def name_rate(rate_id: str) -> str:
    """A rate's name for people."""
    return _NAMES.get(rate_id, rate_id.replace("_", " "))


def explain_rate(rate_id: str) -> str:
    """What it counts; other rates by their names."""
    text = METRICS[rate_id]
    for other in sorted(METRICS, key=len, reverse=True):
        if "_" in other:
            text = text.replace(other, f"“{name_rate(other)}”")
    return text


def draw_rate(rate_id: str, rate: Rate) -> RateCell | None:
    """One rate as text; None where it has no case."""
    if not rate.n:
        return None
    return RateCell(
        events=write_count(rate.count),
        cases=write_count(rate.n),
        share=write_share(rate.count, rate.n),
        bounds=_write_bounds(rate),
        is_forbidden=rate_id in FORBIDDEN and rate.count > 0,
    )


def draw_rates(measured: Sequence[Metrics]) -> RateTable:
    """All rates, a column for each kind."""
    shown = [name for name in METRICS if name not in GUESSES.values()]
    rows, without_case = [], []
    for name in shown:
        cells = tuple(draw_rate(name, metrics.rates[name]) for metrics in measured)
        if not any(cells):
            without_case.append(name_rate(name))
            continue
        guess = GUESSES.get(name)
        guesses = tuple(draw_rate(guess, metrics.rates[guess]) for metrics in measured) if guess else ()
        named = (name_rate(guess), explain_rate(guess)) if guess else ("", "")
        rows.append(RateRow(name_rate(name), explain_rate(name), cells, *named, guesses))
    return RateTable(tuple(rows), tuple(without_case))


def draw_strata(documents: Sequence[DocumentOutcome]) -> Iterator[StratumTable]:
    """Documents of one kind by part of the form; by layout, generation and damage where these differ."""
    groups = stratify(documents, "group")
    tables = {name: groups[name] for name in TABLE_SECTIONS if name in groups}
    facts = {name: groups[name] for name in groups if name not in tables}
    yield from _draw_stratum("section of the form", tables, _OF_CELLS)
    yield from _draw_stratum("place of the facts outside the tables", facts, _OF_FACTS)
    for by, title in _STRATA.items():
        strata = stratify(documents, by)
        if len(strata) > 1:
            yield from _draw_stratum(title, strata, _OF_CELLS)


def _draw_stratum(
    title: str, strata: Mapping[str, Sequence[DocumentOutcome]], rates: Sequence[str]
) -> Iterator[StratumTable]:
    rows = []
    for name, documents in strata.items():
        measured = measure(documents, resamples=0).rates
        cells = tuple(draw_rate(rate, measured[rate]) for rate in rates)
        if any(cells):
            rows.append(StratumRow(name_section(name), write_count(len(documents)), cells))
    if rows:
        yield StratumTable(f"By {title}", tuple((name_rate(rate), explain_rate(rate)) for rate in rates), tuple(rows))


def _write_bounds(rate: Rate) -> str:
    """The interval in words. That of an exact rate is about documents, and says so."""
    if rate.low is None or rate.high is None:
        return ""
    if not rate.is_exact:
        return f"95 %: {write_per_cent(rate.low)} – {write_per_cent(rate.high)} %"
    share = f"{write_per_cent(rate.high if rate.count == 0 else 1 - rate.low)} %"
    return f"in at most {share} of documents" if rate.count == 0 else f"exceptions in at most {share} of documents"
