"""Rates over labelled documents as tables.

Lives here: how they look in a terminal. Does not live here: what they count (extractor.evaluation.definitions). Called
by `extractor eval`. Needs the extra `evaluation`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from extractor.evaluation.definitions import DOCUMENT_RATES, FACT_RATES
from extractor.evaluation.labels import KINDS
from extractor.evaluation.metrics import Metrics, Rate, Stratum, measure, stratify
from extractor.evaluation.outcomes import DocumentOutcome

#: Rates that should be 0; anything else stands out.
_NEVER = frozenset({"accepted_wrong", "facts_accepted_wrong", "documents_accepted_wrong"})
_STRATA: tuple[Stratum, ...] = ("group", "generation", "layout", "damage")
# The rates of the tables of strata: what is right beside its baseline, what is wrong beside what is accepted.
_KEY_RATES = ("cells_right", "all_zero_guess", "nonzero_recall", "accepted_nonzero", "accepted_wrong")
_NOTE = (
    "95 % intervals over whole documents, those of one source as one; (documents): nothing or everything counts, and "
    "the interval is about documents in which any case does otherwise. What each rate means: eval/README.md"
)


def metrics_tables(
    documents: Sequence[DocumentOutcome], *, resamples: int = 2000, seed: int = 0
) -> Iterator[RenderableType]:
    """For each kind of document its rates, and the main ones by stratum wherever there is more than one.

    Args:
        documents: of any kinds; these are never pooled.
        resamples, seed: see extractor.evaluation.metrics.measure.
    """
    by_kind = stratify(documents, "kind")
    for kind in KINDS:
        if kind in by_kind:
            mine = by_kind[kind]
            number = "1 document" if len(mine) == 1 else f"{len(mine)} documents"
            yield draw_rates(measure(mine, resamples=resamples, seed=seed), f"{kind}: {number}")
            strata = {by: stratify(mine, by) for by in _STRATA}
            yield draw_strata({by: parts for by, parts in strata.items() if len(parts) > 1}, f"{kind}, in parts")
    if documents:
        yield Text(_NOTE, style="dim")


def draw_rates(metrics: Metrics, title: str) -> RenderableType:
    """All rates of one kind of documents that have a case."""
    table = _new_table(title)
    table.add_column("rate", no_wrap=True)
    for name in ("share", "count", "of", "95 % interval"):
        table.add_column(name, justify="right", no_wrap=True)
    for _, names in groupby(metrics.rates, key=_find_part):
        for name in names:
            rate = metrics.rates[name]
            if rate.n:
                style = "bold red" if name in _NEVER and rate.count else ""
                cells = (write_share(rate), f"{rate.count:,}", f"{rate.n:,}", _write_interval(rate))
                table.add_row(Text(name.replace("_", " ")), *cells, style=style)
        table.add_section()
    return table


def draw_strata(strata: Mapping[Stratum, Mapping[str, Sequence[DocumentOutcome]]], title: str) -> RenderableType:
    """The main rates by stratum, counts without intervals."""
    if not strata:
        return Group()
    table = _new_table(title)
    table.add_column("part", overflow="fold", min_width=24)
    table.add_column("docu-\nments", justify="right", no_wrap=True)
    for name in _KEY_RATES:
        table.add_column(name.replace("_", "\n", 1).replace("_", " "), justify="right", no_wrap=True)
    for by, parts in strata.items():
        for name, documents in parts.items():
            rates = measure(documents, resamples=0).rates
            if not any(rates[key].n for key in _KEY_RATES):
                continue  # header and narrative hold no table cells
            cells = (Text(f"{rates[key].count:,}/{rates[key].n:,}") for key in _KEY_RATES)
            table.add_row(Text(f"{by}: {name}"), f"{len(documents):,}", *cells)
        table.add_section()
    return table


def write_share(rate: Rate) -> str:
    """In per cent, and never rounded to nothing or to everything."""
    if rate.share is None:
        return "–"
    if rate.is_exact:
        return f"{rate.share:.0%}"
    return f"{min(max(rate.share, 0.0001), 0.9999):.2%}"


def _write_interval(rate: Rate) -> str:
    if rate.low is None or rate.high is None:
        return "–"
    return f"{rate.low:.2%} – {rate.high:.2%}{' (documents)' if rate.is_exact else ''}"


def _find_part(name: str) -> int:
    return 0 if name in DOCUMENT_RATES else 2 if name in FACT_RATES else 1


def _new_table(title: str) -> Table:
    return Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False
    )
