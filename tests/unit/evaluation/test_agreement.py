"""Two labels of one document: what differs, and Cohen's kappa."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from extractor.evaluation.agreement import Difference, compare_labels
from extractor.evaluation.labels import Label, LabelledCell, load_label
from extractor.model import CellState

GOLD = sorted((Path(__file__).parents[3] / "eval" / "gold").glob("*.json"))


def label_of(*numbers: int) -> Label:
    cells = {f"a.b.{place}": LabelledCell(CellState.VALUE, number) for place, number in enumerate(numbers)}
    return Label("a", "a.txt", "real", {}, cells)


def test_label_agrees_with_itself() -> None:
    label = load_label(GOLD[1])
    agreement = compare_labels(label, label)
    assert (agreement.cells, agreement.cells_alike, agreement.facts, agreement.facts_alike) == (200, 200, 30, 30)
    assert (agreement.kappa, agreement.differences) == (1.0, ())


def test_what_differs_is_named_from_both_sides() -> None:
    one = load_label(GOLD[1])
    fact, cell = "narrative.wechat_items", "proactive_disclosure.penalties.decisions"
    other = replace(
        one,
        cells={**one.cells, cell: LabelledCell(CellState.VALUE, 8), "a.b.c": LabelledCell(CellState.BLANK)},
        facts={**one.facts, fact: 551},
    )
    agreement = compare_labels(one, other)
    assert agreement.differences == (
        Difference(cell, "8 8件(撤销1件、警告7件)", "8"),
        Difference("a.b.c", None, "blank"),
        Difference(fact, "not stated", "551"),
    )
    assert (agreement.cells, agreement.cells_alike, agreement.facts, agreement.facts_alike) == (201, 199, 30, 29)


def test_kappa_is_cohens() -> None:
    """The textbook's table: 20 and 15 alike of 50, 5 and 10 not; 0.7 observed, 0.5 by chance, kappa 0.4."""
    one = label_of(*[1] * 25, *[0] * 25)
    other = label_of(*[1] * 20, *[0] * 5, *[1] * 10, *[0] * 15)
    assert compare_labels(one, other).kappa == pytest.approx(0.4)


def test_kappa_of_zeros_alone_is_not_defined() -> None:
    """Where both write nothing but 0, agreement says nothing about their care."""
    assert compare_labels(label_of(0, 0), label_of(0, 0)).kappa is None


def test_kappa_below_chance_is_negative() -> None:
    assert compare_labels(label_of(0, 1), label_of(1, 0)).kappa == pytest.approx(-1)
