"""Relations between two years: what counts, and what it is worth."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from extractor.model import CellState, Status
from extractor.panel.compare import Comparison, compare_years
from extractor.panel.entries import Basis, Cell, Entry
from extractor.panel.relations import load_panel_fields
from extractor.panel.series import Year

OUT, IN = "applications.carried_out.total", "applications.carried_in.total"
X1 = "X1[total]"
BLANK = Cell(CellState.BLANK, "accepted", None, None)
LOST = Cell(CellState.POSITION_UNKNOWN, "review", None, None)


def _cell(amount: int, basis: Basis = "accepted") -> Cell:
    state = {"inferred": CellState.INFERRED_BY_EQUATION, "suggested": CellState.UNPARSABLE}.get(basis, CellState.VALUE)
    return Cell(state, "accepted" if basis == "accepted" else "review", amount, basis)


def _entry(cells: Mapping[str, Cell], key_basis: Basis = "accepted", generation: str = "2021") -> Entry:
    fields = tuple(cells.get(field_id) for field_id in load_panel_fields())
    forms = dict.fromkeys(("proactive_disclosure", "applications", "review_litigation"), generation)
    return Entry(1, 0, "id", "path", Status.SUCCEEDED, (), "甲县", 2021, key_basis, forms, fields)


def _compare(before: Entry | tuple[Entry, ...], after: Entry | tuple[Entry, ...]) -> dict[str, Comparison]:
    years = [
        Year(2021 + index, side if type(side) is tuple else (side,))  # type: ignore[arg-type]
        for index, side in enumerate((before, after))
    ]
    return {item.relation.id: item for item in compare_years(*years)}


@pytest.mark.parametrize(
    ("carried_out", "carried_in", "said"),
    [
        (_cell(1), _cell(1), ("holds", "accepted", 0, None)),
        (_cell(3), _cell(1), ("differs", "accepted", 2, None)),
        (_cell(1), _cell(1, "review"), ("holds", "review", 0, None)),
        (_cell(1, "review"), _cell(0, "inferred"), ("differs", "inferred", 1, None)),
        (_cell(1, "suggested"), _cell(1, "inferred"), ("holds", "suggested", 0, None)),
        (_cell(0), BLANK, ("not-evaluable", None, None, "no-value")),
        (LOST, _cell(0), ("not-evaluable", None, None, "no-value")),
        (None, _cell(0), ("not-evaluable", None, None, "no-table")),
    ],
)
def test_an_outcome_is_worth_its_weakest_term(
    carried_out: Cell | None, carried_in: Cell, said: tuple[object, ...]
) -> None:
    found = _compare(_entry({OUT: carried_out} if carried_out else {}), _entry({IN: carried_in}))[X1]
    assert (found.outcome, found.basis, found.residual, found.reason) == said
    assert found.is_confirmed == (found.basis == "accepted")


def test_a_doubted_year_or_agency_weakens_every_term() -> None:
    found = _compare(_entry({OUT: _cell(1)}, key_basis="review"), _entry({IN: _cell(1)}))[X1]
    assert (found.outcome, found.basis) == ("holds", "review")


def test_what_neither_year_has_is_not_counted() -> None:
    assert set(_compare(_entry({OUT: _cell(1)}), _entry({IN: _cell(1)}))) == {X1}


def test_a_stock_follows_from_the_year_before() -> None:
    row = "proactive_disclosure.normative_documents"
    later = {f"{row}.issued": _cell(88), f"{row}.repealed": _cell(55), f"{row}.in_force": _cell(698)}
    relation = "X2[normative_documents]"
    assert _compare(_entry({f"{row}.in_force": _cell(665)}), _entry(later))[relation].outcome == "holds"
    broken = _compare(_entry({f"{row}.in_force": _cell(700)}), _entry(later))[relation]
    assert (broken.outcome, broken.residual) == ("differs", 35)


def test_stocks_of_two_forms_are_not_compared() -> None:
    row = "proactive_disclosure.normative_documents"
    earlier = _entry({f"{row}.total_disclosed": _cell(11)}, generation="2019")
    later = {f"{row}.issued": _cell(0), f"{row}.repealed": _cell(0), f"{row}.in_force": _cell(11)}
    found = _compare(earlier, _entry(later))["X2[normative_documents]"]
    assert (found.outcome, found.reason) == ("not-evaluable", "forms-differ")


def test_items_of_2019_may_shrink() -> None:
    row = "proactive_disclosure.licences"
    earlier = _entry({f"{row}.items_prev_year": _cell(5), f"{row}.items_change": _cell(-2)}, generation="2019")
    later = _entry({f"{row}.items_prev_year": _cell(3)}, generation="2019")
    assert _compare(earlier, later)["X4[licences]"].outcome == "holds"


@pytest.mark.parametrize(("pending", "total", "outcome"), [(2, 2, "holds"), (2, 5, "holds"), (2, 1, "differs")])
def test_pending_cases_are_a_bound(pending: int, total: int, outcome: str) -> None:
    before = _entry({"review_litigation.review.pending": _cell(pending)})
    after = _entry({"review_litigation.review.total": _cell(total)})
    assert _compare(before, after)["X3[review]"].outcome == outcome


# ---------------------------------------------------------------- several documents of one year


def test_of_several_documents_the_strongest_word_counts() -> None:
    before = (_entry({OUT: _cell(7, "review")}), _entry({OUT: LOST}), _entry({OUT: _cell(1)}))
    found = _compare(before, _entry({IN: _cell(1)}))[X1]
    assert (found.outcome, found.basis) == ("holds", "accepted")
    assert found.terms[0][2].entry is before[2]


def test_equally_strong_documents_that_differ_decide_nothing() -> None:
    before = (_entry({OUT: _cell(2)}), _entry({OUT: _cell(1)}))
    found = _compare(before, _entry({IN: _cell(1)}))[X1]
    assert (found.outcome, found.reason) == ("not-evaluable", "documents-differ")
