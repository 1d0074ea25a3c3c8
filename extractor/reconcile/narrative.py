"""What the text says against what the tables print.

Lives here: the comparisons of TEMPLATE section 9. Each allows every reading of the phrase that real
reports use; only what fits none of them is flagged. Scopes may differ, so this is never an error. Does not live here:
the text against itself (extractor.readers.narrative_sums).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from extractor.flags import make_flag
from extractor.model import Candidate, CellState, Flag, Unit
from extractor.reconcile.amounts import list_possible, show_printed
from extractor.reconcile.merge import Merged


class Comparison(NamedTuple):
    """A narrative fact and the sums of table cells that it may be.

    Attributes:
        readings: a term is a field id; with a `*` for one part of it, all cells of the document's form that it fits.
        is_witness: whether the fact doubts cells that are read. What came in and what was disputed is mostly told of
            the same body as in the tables. Rows in words are often those of one office, of the whole district or of a
            campaign, and seldom say so: they doubt no cell that is printed plainly.
    """

    fact: str
    readings: tuple[tuple[str, ...], ...]
    is_witness: bool = False


_A, _R, _D = "applications", "review_litigation", "proactive_disclosure.normative_documents"
_GRANTED, _PARTLY = f"{_A}.granted.total", f"{_A}.partially_granted.total"
COMPARISONS = (
    Comparison("normative_documents_issued", ((f"{_D}.issued",),)),
    Comparison("normative_documents_repealed", ((f"{_D}.repealed",),)),
    Comparison("normative_documents_in_force", ((f"{_D}.in_force",),)),
    # "收到 N 件": new ones only, or together with those carried in; both uses are real.
    Comparison(
        "applications_received",
        ((f"{_A}.new_received.total",), (f"{_A}.new_received.total", f"{_A}.carried_in.total")),
        is_witness=True,
    ),
    Comparison("applications_carried_in", ((f"{_A}.carried_in.total",),)),
    # "予以公开 N 件" may be all that was given, in full or in part.
    Comparison("applications_granted", ((_GRANTED,), (_GRANTED, _PARTLY))),
    Comparison("applications_partially_granted", ((_PARTLY,),)),
    Comparison("applications_granted_or_partially_granted", ((_GRANTED, _PARTLY),)),
    Comparison("applications_refused", ((f"{_A}.refused.*.total",),)),
    Comparison("applications_unable", ((f"{_A}.unable.*.total",),)),
    Comparison("applications_not_processed", ((f"{_A}.not_processed.*.total",),)),
    Comparison("applications_other_result", ((f"{_A}.other_result.*.total",),)),
    Comparison("applications_answered", ((f"{_A}.results_total.total",),), is_witness=True),
    Comparison("applications_carried_out", ((f"{_A}.carried_out.total",),)),
    Comparison("reviews", ((f"{_R}.review.total",),), is_witness=True),
    Comparison(
        "litigations",
        (
            (f"{_R}.litigation_direct.total", f"{_R}.litigation_after_review.total"),
            (f"{_R}.litigation_direct.total",),
            (f"{_R}.litigation_after_review.total",),
            (f"{_R}.review.total", f"{_R}.litigation_direct.total", f"{_R}.litigation_after_review.total"),
        ),
        is_witness=True,
    ),
)
# A number that a model alone found in the text says nothing against a table.
_WITNESSES = ("template", "person")
_FEE, _FEE_CELL = "narrative.admin_fees_wan", "proactive_disclosure.admin_fees.amount_wan"
_YUAN: Mapping[Unit | None, int] = {"yuan": 1, "wan": 10_000, None: 10_000}


def compare_narrative(merged: Mapping[str, Merged]) -> tuple[Flag, ...]:
    """Flag each narrative fact that fits none of its readings.

    The places of all cells that a fact may concern stand in the flag; the cells that it doubts, among its fields. A
    fact that the text states several times fits where one of its numbers does, or their sum: parts of an area are
    stated one by one. A comparison with a cell of which nothing is known is left out: nothing can be said.
    """
    return (*_compare_counts(merged), *_compare_fee(merged))


def _compare_counts(merged: Mapping[str, Merged]) -> Iterator[Flag]:
    for comparison in COMPARISONS:
        fact = f"narrative.{comparison.fact}"
        stated = _stated(merged, fact)
        readings = [_expand(merged, terms) for terms in comparison.readings]
        amounts = [_sum(merged, terms) for terms in readings]
        values = [item.value for item in stated if isinstance(item.value, int)]
        possible = {*values, sum(values)}
        if not values or any(possible & amount for amount in amounts) or not all(amounts):
            continue
        cells = dict.fromkeys(term for terms in readings for term in terms)
        printed = " / ".join(dict.fromkeys(_say(merged, *pair) for pair in zip(readings, amounts, strict=True)))
        doubted = _list_doubted(merged, comparison, tuple(cells))
        spans = [span for field_id in (fact, *cells) for span in merged[field_id].printed.spans[:1]]
        said = " / ".join(map(_say_stated, stated))
        yield make_flag("narrative-differs", fields=(fact, *doubted), spans=spans, stated=said, printed=printed)


def _list_doubted(merged: Mapping[str, Merged], comparison: Comparison, cells: tuple[str, ...]) -> tuple[str, ...]:
    """The cells that the fact doubts: those that are open anyway, and where it is a witness, those that are read."""
    fact = merged[f"narrative.{comparison.fact}"]
    if fact.printed.reader not in _WITNESSES and not fact.confirmed_by:
        return ()
    is_open = [name for name in cells if merged[name].printed.state is not CellState.VALUE]
    return cells if comparison.is_witness and not is_open else tuple(is_open)


def _stated(merged: Mapping[str, Merged], fact: str) -> list[Candidate]:
    """What the reader of the fact found for it, in order of print."""
    entry = merged.get(fact)
    own = [item for item in (entry.printed, *entry.losing) if item.reader == entry.printed.reader] if entry else []
    return [item for item in own if item.state is CellState.VALUE]


def _say_stated(item: Candidate) -> str:
    """The number; of words that stand for 0, these too."""
    words = "".join((item.raw or "").split())
    return f"{item.value}（{words}）" if words and not item.value and not words.isdigit() else str(item.value)


def _expand(merged: Mapping[str, Merged], terms: tuple[str, ...]) -> tuple[str, ...]:
    """The terms with every `*` replaced by the rows that the document's form has."""
    found: list[str] = []
    for term in terms:
        head, star, tail = term.partition("*")
        found += [name for name in merged if name.startswith(head) and name.endswith(tail)] if star else [term]
    return tuple(found)


def _sum(merged: Mapping[str, Merged], terms: tuple[str, ...]) -> frozenset[int]:
    """What the terms may come to together; empty where nothing can be said.

    Where one term alone is compared, the splits of a run of digits are all looked at. In a sum every term must be one
    number: the splits of several rows depend on one another.
    """
    if len(terms) == 1:
        return list_possible(merged, terms[0])
    amounts = [list_possible(merged, term) for term in terms]
    if not amounts or any(len(amount) != 1 for amount in amounts):
        return frozenset()
    return frozenset((sum(value for amount in amounts for value in amount),))


def _say(merged: Mapping[str, Merged], terms: tuple[str, ...], amounts: frozenset[int]) -> str:
    """A sum as a number; a run of digits as printed."""
    return str(next(iter(amounts))) if len(amounts) == 1 else show_printed(merged, terms[0])


# ---------------------------------------------------------------- the fee


def _compare_fee(merged: Mapping[str, Merged]) -> Iterator[Flag]:
    """The 行政事业性收费 of the text against that of section 二, in whatever unit each is printed.

    They differ where they do at the coarser one of the two precisions: 9.6亿 is never read, 96171.6万元 and
    961716000元 are the same. 信息处理费 is another fee and is compared with nothing.
    """
    stated = _stated(merged, _FEE)
    printed = merged[_FEE_CELL].printed if _FEE_CELL in merged else None
    amount = _read_money(printed) if printed else None
    if (
        not stated
        or printed is None
        or amount is None
        or any(_is_same_money(_read_money(one), amount) for one in stated)
    ):
        return
    said = " / ".join(_say_money(one) for one in stated)
    spans = [*merged[_FEE].printed.spans[:1], *printed.spans[:1]]
    yield make_flag("narrative-differs", fields=(_FEE,), spans=spans, stated=said, printed=_say_money(printed))


class _Money(NamedTuple):
    """An amount in yuan, and the step of its last printed digit."""

    yuan: Decimal
    step: Decimal


def _is_same_money(one: _Money | None, other: _Money) -> bool:
    return one is None or abs(one.yuan - other.yuan) < max(one.step, other.step)


def _say_money(item: Candidate) -> str:
    return f"{item.value}{'元' if item.unit == 'yuan' else '万元'}"


def _read_money(item: Candidate) -> _Money | None:
    """None where it is no amount in a known unit. Without a unit the cell has its column's, 万元."""
    if item.state is not CellState.VALUE or not isinstance(item.value, int | Decimal) or item.unit not in _YUAN:
        return None
    value, factor = Decimal(item.value), _YUAN[item.unit]
    exponent = value.as_tuple().exponent
    step = Decimal(1).scaleb(exponent) if isinstance(exponent, int) else Decimal(1)
    return _Money(value * factor, step * factor)
