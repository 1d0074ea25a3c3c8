"""Rates over documents: each counts what its explanation says, documents are the unit, kinds are never pooled."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.evaluation.labels import find_labels
from extractor.evaluation.metrics import METRICS, Rate, measure, stratify
from extractor.evaluation.outcomes import DocumentOutcome, FieldOutcome, Verdict, judge_fields
from extractor.model import CellState, DocumentIdentity, Record, RecordField, Status, Value

GOLD = Path(__file__).parents[3] / "eval" / "gold"
VALUE, BLANK = CellState.VALUE, CellState.BLANK
UNKNOWN, INFERRED = CellState.POSITION_UNKNOWN, CellState.INFERRED_BY_EQUATION


def field(  # noqa: PLR0917 - a table of cases reads better without names
    verdict: Verdict,
    accepted: bool,
    expected: CellState | None,
    printed: Value | None = None,
    found: CellState | None = None,
    said: Value | None = None,
    group: str = "applications",
) -> FieldOutcome:
    return FieldOutcome(f"{group}.x", group, verdict, accepted, expected, printed, found, said)


def document(*fields: FieldOutcome, name: str = "a", status: str = "succeeded", **other: object) -> DocumentOutcome:
    known: dict[str, object] = {"kind": "generated", "path": name, "layout": "l", "generation": "2021"} | other
    return DocumentOutcome(name=name, status=status, fields=fields, **known)  # type: ignore[arg-type]


def counts(*documents: DocumentOutcome) -> dict[str, tuple[float, float]]:
    return {name: rate[:2] for name, rate in measure(documents, resamples=0).rates.items()}


#: One field of each kind that a rate could mistake for another.
CELLS = (
    field("right", True, VALUE, 0, VALUE, 0),
    field("right", True, VALUE, 4, VALUE, 4),
    field("right", False, VALUE, 7, VALUE, 7),
    field("wrong", True, VALUE, 5, VALUE, 6),
    field("wrong", False, VALUE, 0, VALUE, 3),
    field("wrong", False, VALUE, 0, BLANK),
    field("right", True, BLANK, None, BLANK),
    field("wrong", True, BLANK, None, VALUE, 0),
    field("wrong", False, BLANK, None, VALUE, 5),
    field("open", False, VALUE, 9, UNKNOWN),
    field("open", False, VALUE, 2, INFERRED, 2),
    field("open", False, VALUE, 2, INFERRED, 1),
    field("missing", False, VALUE, 8),
    field("invented", False, None, None, VALUE, 1),
)
FACTS = (
    field("right", True, VALUE, "甲", VALUE, "甲", "header"),
    field("right", False, VALUE, "乙", VALUE, "乙", "header"),
    field("wrong", True, VALUE, 12, VALUE, 21, "narrative"),
    field("missing", False, VALUE, 3, group="narrative"),
    field("right", False, None, group="narrative"),
)


def test_each_rate_counts_what_it_says() -> None:
    assert counts(document(*CELLS, *FACTS)) == {
        "documents_unread": (0, 1),
        "documents_exact": (0, 1),
        "documents_accepted_wrong": (1, 1),
        "cells_right": (4, 13),
        "all_zero_guess": (3, 13),
        "cells_wrong": (5, 13),
        "cells_open": (3, 13),
        "missing": (1, 13),
        "unread_cells": (0, 13),
        "invented": (1, 13),  # of thirteen cells in the record: one labelled cell is missing, one is invented
        "nonzero_recall": (2, 7),
        "nonzero_precision": (2, 6),  # 4, 7, 6, 3, 5 and the invented 1
        "blank_as_zero": (1, 3),
        "zero_as_blank": (1, 3),
        "accepted_wrong": (2, 5),
        "accepted_printed": (2, 10),
        "accepted_nonzero": (1, 7),
        "residual_error": (3, 6),
        "flag_recall": (7, 9),  # the two that were accepted went unnoticed
        "flag_precision": (7, 8),
        "review_load": (8, 13),
        "inferred_agreeing": (1, 2),
        "facts_right": (3, 5),
        "facts_absent_guess": (1, 5),
        "facts_stated_right": (2, 4),
        "facts_accepted_wrong": (1, 2),
        "facts_accepted": (1, 4),
    }


def test_cells_of_an_unread_document_stay_in_n_and_have_their_own_line() -> None:
    read = document(field("right", True, VALUE, 4, VALUE, 4), field("right", False, None, group="header"))
    lost = document(
        field("missing", False, VALUE, 0), field("right", False, None, group="header"), name="b", status="failed"
    )
    got = counts(read, lost)
    assert (got["unread_cells"], got["missing"]) == ((1, 2), (0, 2))
    assert got["cells_right"] == (1, 2)
    assert got["all_zero_guess"] == (1, 2)
    assert got["facts_right"] == (1, 2)  # leaving out what was never looked for is no reading
    assert (got["documents_unread"], got["documents_exact"]) == ((1, 2), (1, 2))
    assert got["residual_error"] == (0, 1)  # a document that fails is noticed


def test_reading_nothing_and_saying_zero_is_the_baseline() -> None:
    """A record that says 0 in every cell gets as many right as all_zero_guess says, on real figures.

    Where a 0 has a note beside it (0①), all_zero_guess counts it and the record, which lacks the note, is not right.
    """
    for label in (file.label for file in find_labels([GOLD]) if file.label.kind != "corrupted"):
        zero = RecordField(VALUE, 0, "0", (), "template", "review")
        record = Record(
            document=DocumentIdentity(id=None, path="x"),
            status=Status.SUCCEEDED,
            origins=(),
            fields=dict.fromkeys(label.cells, zero),
        )
        got = counts(document(*judge_fields(record, label)))
        assert got["cells_right"] == got["all_zero_guess"]
        assert got["cells_right"][1] == len(label.cells) > 100


def test_accepted_wrong_fact_is_a_document_with_one_and_no_cell() -> None:
    got = counts(document(field("right", True, VALUE, 4, VALUE, 4), FACTS[2]))
    assert got["documents_accepted_wrong"] == (1, 1)
    assert got["accepted_wrong"] == (0, 1)
    assert got["documents_exact"] == (1, 1)


def test_kinds_are_never_pooled() -> None:
    cell = field("right", True, VALUE, 4, VALUE, 4)
    with pytest.raises(ValueError, match="generated, real"):
        measure([document(cell), document(cell, name="b", kind="real")])


def test_nothing_measured_is_no_share() -> None:
    empty = measure([])
    assert empty.documents == 0
    assert tuple(empty.rates) == tuple(METRICS)
    assert all(rate == Rate(0, 0) and rate.share is None for rate in empty.rates.values())


def test_strata_keep_every_document_and_split_severities_and_sections() -> None:
    cell, fact = field("right", True, VALUE, 4, VALUE, 4), FACTS[0]
    documents = [
        document(cell, fact, name="a"),
        document(cell, name="b", damage="glue", severity=2, layout=""),
        document(cell, name="c", damage="glue", severity=3),
    ]
    assert {key: len(part) for key, part in stratify(documents, "damage").items()} == {
        "glue, severity 2": 1,
        "glue, severity 3": 1,
        "none": 1,
    }
    assert sorted(stratify(documents, "layout")) == ["l", "unknown"]
    assert sorted(stratify(documents, "document")) == ["a", "b", "c"]
    groups = stratify(documents, "group")
    assert {key: [one.name for one in part] for key, part in groups.items()} == {
        "applications": ["a", "b", "c"],
        "header": ["a"],
    }
    assert counts(*groups["header"])["cells_right"] == (0, 0)
    assert counts(*groups["applications"])["facts_right"] == (0, 0)


@st.composite
def collections(draw: st.DrawFn) -> list[DocumentOutcome]:
    chosen = draw(st.lists(st.lists(st.sampled_from(CELLS + FACTS), max_size=6), min_size=1, max_size=6))
    failed = draw(st.lists(st.booleans(), min_size=len(chosen), max_size=len(chosen)))
    return [
        document(*fields, name=str(number), status="failed" if is_failed else "succeeded")
        for number, (fields, is_failed) in enumerate(zip(chosen, failed, strict=True))
    ]


@settings(deadline=None)
@given(collections(), st.randoms(use_true_random=False))
def test_the_order_of_documents_does_not_matter(documents: list[DocumentOutcome], rng: Random) -> None:
    """Neither the rates nor their intervals change, although these are drawn at random."""
    shuffled = list(documents)
    rng.shuffle(shuffled)
    assert measure(shuffled, resamples=50) == measure(documents, resamples=50)


@settings(deadline=None)
@given(collections())
def test_every_labelled_cell_is_counted_once(documents: list[DocumentOutcome]) -> None:
    got = counts(*documents)
    parts = ("cells_right", "cells_wrong", "cells_open", "missing", "unread_cells")
    assert sum(got[name][0] for name in parts) == got["cells_right"][1]
    assert {got[name][1] for name in parts} == {got["cells_right"][1]}
    assert all(0 <= count <= n for count, n in got.values())


@settings(deadline=None)
@given(collections())
def test_intervals_hold_the_rate(documents: list[DocumentOutcome]) -> None:
    for rate in measure(documents, resamples=200).rates.values():
        if rate.low is not None and rate.high is not None and rate.share is not None and rate.is_exact:
            assert rate.low <= rate.share <= rate.high
        if rate.low is not None and rate.high is not None:
            assert 0 <= rate.low <= rate.high <= 1


def test_documents_with_the_figures_of_one_source_are_drawn_together() -> None:
    """Ten layouts of one report are one report: they make no interval, and two reports no more than two."""
    right = [document(field("right", True, VALUE, 4, VALUE, 4), name=f"r{i}", source="one") for i in range(10)]
    wrong = [document(field("wrong", True, VALUE, 4, VALUE, 5), name=f"w{i}", source="other") for i in range(10)]
    alone = measure(right).rates["cells_right"]
    assert (alone.count, alone.n, alone.low, alone.high) == (10, 10, None, None)
    both = measure([*right, *wrong]).rates["cells_right"]
    assert (both.count, both.n, both.low, both.high) == (10, 20, 0, 1)
    apart = [document(*one.fields, name=one.name) for one in (*right, *wrong)]
    drawn = measure(apart).rates["cells_right"]
    assert drawn.low is not None
    assert drawn.high is not None
    assert 0.2 < drawn.low < drawn.high < 0.8
