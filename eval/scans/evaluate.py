"""What becomes of synthetic scans, one severity at a time: the figures, and every value that is accepted and wrong.

Lives here: the report. Does not live here: running (results), what each rate means (extractor.evaluation.metrics).
"""

from __future__ import annotations

import json
import os
import platform
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from eval.scans.results import Result
from extractor.evaluation.findings import say_found, say_printed
from extractor.evaluation.metrics import Rate, measure
from extractor.evaluation.outcomes import FieldOutcome

#: What is shown, in order.
RATES: Mapping[str, str] = {
    "cells_right": "cells right",
    "all_zero_guess": "  a program that says 0 for all of them",
    "cells_wrong": "cells wrong",
    "cells_open": "cells left open",
    "missing": "cells missing",
    "unread_cells": "cells of documents not read",
    "invented": "cells invented",
    "nonzero_recall": "non-zero values right (recall)",
    "nonzero_precision": "non-zero values said that are right (precision)",
    "blank_as_zero": "blank cells read as 0",
    "zero_as_blank": "zeros read as blank",
    "accepted_nonzero": "non-zero values right and accepted",
    "accepted_printed": "printed numbers right and accepted",
    "accepted_wrong": "accepted cells that are wrong",
    "facts_stated_right": "stated facts right (header, narrative)",
    "facts_accepted": "stated facts right and accepted",
    "facts_accepted_wrong": "accepted facts that are wrong",
    "documents_exact": "documents with every cell right",
    "documents_unread": "documents not read",
}


def print_report(console: Console, level: str, results: Sequence[Result], workers: int) -> None:
    """The figures of one severity."""
    outcomes = [result.outcome for result in results]
    rates = measure(outcomes).rates
    pages = sum(result.pages for result in results)
    table = Table("synthetic scans", "count / n", "share", "95 %", box=None, title=_name(level, results))
    for name, words in RATES.items():
        table.add_row(words, *show_rate(rates[name]))
    console.print(table)
    statuses = Counter(outcome.status for outcome in outcomes)
    console.print("documents by status: " + ", ".join(f"{name} {n}" for name, n in sorted(statuses.items())))
    seconds = sum(result.seconds for result in results)
    console.print(
        f"{seconds / pages:.2f} s a page with {workers} worker(s) ({seconds:.0f} s, {pages} pages; "
        f"{os.cpu_count()} CPUs, {platform.machine()}); "
        f"largest memory of a worker {max(result.peak_mb for result in results)} MB"
    )
    for line in list_problems(results):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def list_problems(results: Sequence[Result]) -> Iterator[str]:
    """Every accepted wrong value, every document that could not be read, every accepted value at a wrong place."""
    found = [(result, field) for result in results for field in list_accepted_wrong(result)]
    yield f"accepted and wrong: {len(found)} in {len({result.outcome.name for result, _ in found})} documents"
    for result, field in found:
        yield f"  {result.outcome.name} ({result.profile}) {field.field_id}: {_describe(field)}"
    for result in results:
        if result.outcome.problem:
            yield f"  {result.outcome.name} not read: {result.outcome.problem}"
        if result.outcome.misplaced:
            yield f"  {result.outcome.name}: tokens not where the record says: {', '.join(result.outcome.misplaced)}"


def list_accepted_wrong(result: Result) -> list[FieldOutcome]:
    """The one thing that must not happen."""
    return [field for field in result.outcome.fields if field.is_wrong_and_accepted]


def summarise(level: str, results: Sequence[Result], workers: int) -> dict[str, Any]:
    """The figures of one severity for a file."""
    rates = measure([result.outcome for result in results]).rates
    return {
        "kind": "synthetic scans" if level != "clean" else "synthetic PDFs with text",
        "severity": level,
        "documents": len(results),
        "pages": sum(result.pages for result in results),
        "profiles": dict(sorted(Counter(result.profile for result in results).items())),
        "statuses": dict(sorted(Counter(result.outcome.status for result in results).items())),
        "rates": {name: [rates[name].count, rates[name].n, rates[name].low, rates[name].high] for name in RATES},
        "workers": workers,
        "seconds": round(sum(result.seconds for result in results), 1),
        "largest_worker_mb": max(result.peak_mb for result in results),
        "accepted_wrong": [
            {"document": result.outcome.name, "field": field.field_id, "what": _describe(field)}
            for result in results
            for field in list_accepted_wrong(result)
        ],
        "not_read": {result.outcome.name: result.outcome.problem for result in results if result.outcome.problem},
        "fingerprint": results[0].fingerprint,
    }


def dump(summaries: Sequence[dict[str, Any]]) -> str:
    """Summaries as JSON."""
    return json.dumps(summaries, ensure_ascii=False, indent=1) + "\n"


def _name(level: str, results: Sequence[Result]) -> str:
    names = [result.outcome.name for result in results]
    return f"{level}: {len(names)} documents, {names[0]} to {names[-1]}"


def show_rate(rate: Rate) -> tuple[str, str, str]:
    """Count and n, share, interval."""
    share = "-" if rate.share is None else f"{rate.share:.2%}"
    interval = "" if rate.low is None or rate.high is None else f"{rate.low:.1%} to {rate.high:.1%}"
    return f"{rate.count:.0f} / {rate.n:.0f}", share, interval


def _describe(field: FieldOutcome) -> str:
    return f"{say_printed(field)}, accepted as {say_found(field)}"  # type: ignore[arg-type]
