"""What the text says against what the tables print.

Lives here: the comparisons of TEMPLATE section 9. Each allows every reading of the phrase that real
reports use; only what fits none of them is flagged. Scopes may differ, so this is never an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from extractor.flags import make_flag
from extractor.model import CellState, Flag
from extractor.reconcile.merge import Merged


class Comparison(NamedTuple):
    """A narrative fact and the sums of table cells that it may be."""

    fact: str
    readings: tuple[tuple[str, ...], ...]


_A, _R = "applications", "review_litigation"
COMPARISONS = (
    # "收到 N 件": new ones only, or together with those carried in; both uses are real.
    Comparison(
        "applications_received", ((f"{_A}.new_received.total",), (f"{_A}.new_received.total", f"{_A}.carried_in.total"))
    ),
    Comparison("applications_answered", ((f"{_A}.results_total.total",),)),
    Comparison("reviews", ((f"{_R}.review.total",),)),
    Comparison(
        "litigations",
        (
            (f"{_R}.litigation_direct.total", f"{_R}.litigation_after_review.total"),
            (f"{_R}.litigation_direct.total",),
            (f"{_R}.litigation_after_review.total",),
            (f"{_R}.review.total", f"{_R}.litigation_direct.total", f"{_R}.litigation_after_review.total"),
        ),
    ),
)


def compare_narrative(merged: Mapping[str, Merged]) -> tuple[Flag, ...]:
    """Flag each narrative fact that fits none of its readings, with the cells that it may concern.

    A comparison with a cell that is no value is left out: nothing can be said.
    """
    flags = []
    for comparison in COMPARISONS:
        fact = f"narrative.{comparison.fact}"
        stated = _value(merged, fact)
        sums = [_sum(merged, terms) for terms in comparison.readings]
        if stated is None or None in sums or stated in sums:
            continue
        cells = dict.fromkeys(term for terms in comparison.readings for term in terms)
        printed = " / ".join(str(amount) for amount in dict.fromkeys(sums))
        spans = [span for field_id in (fact, *cells) for span in merged[field_id].printed.spans[:1]]
        # A number that a model alone found in the text says nothing against a table.
        is_sure = merged[fact].printed.reader == "template" or bool(merged[fact].confirmed_by)
        fields = (fact, *cells) if is_sure else (fact,)
        flags.append(make_flag("narrative-differs", fields=fields, spans=spans, stated=stated, printed=printed))
    return tuple(flags)


def _value(merged: Mapping[str, Merged], field_id: str) -> int | None:
    entry = merged.get(field_id)
    if entry is None or entry.printed.state is not CellState.VALUE or not isinstance(entry.printed.value, int):
        return None
    return entry.printed.value


def _sum(merged: Mapping[str, Merged], terms: tuple[str, ...]) -> int | None:
    values = [_value(merged, term) for term in terms]
    return None if None in values else sum(value for value in values if value is not None)
