"""The study of simulated mistakes (eval/mistakes): what is made wrong where, and that documents stay one unit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import pytest

from eval.mistakes.assess import describe, rank_by_document
from eval.mistakes.collect import REPLY, STRUCTURE, TEXT, Design, Trial, collect_trials
from eval.mistakes.documents import Known, make_known, make_misread
from extractor.evaluation.calibration.fit import FEWEST_SOURCES
from extractor.model import CellState


@pytest.fixture(scope="module")
def known() -> list[Known]:
    return list(islice((one for one in make_known(is_quick=True) if one.printed), 18))


@pytest.fixture(scope="module")
def trials(known: list[Known]) -> list[Trial]:
    return collect_trials(known, Design(("digit_error",), (0.2,), 1))


def count_wrong(trials: Sequence[Trial], place: str, *, is_open_only: bool) -> int:
    fields = [field for trial in trials if trial.place == place for field in trial.sample.fields]
    return sum(field.is_wrong and (field.is_open or not is_open_only) for field in fields)


def test_mistakes_in_replies_and_structure_leave_nothing_wrong_that_a_threshold_could_accept(
    trials: list[Trial],
) -> None:
    assert count_wrong(trials, REPLY, is_open_only=True) == 0
    assert count_wrong(trials, STRUCTURE, is_open_only=True) == 0
    assert count_wrong(trials, TEXT, is_open_only=True) > 50


def test_whatever_is_done_to_a_document_it_is_one_unit(known: list[Known], trials: list[Trial]) -> None:
    assert {trial.sample.id for trial in trials} == {trial.sample.source for trial in trials}
    assert {trial.sample.id for trial in trials} <= {one.name for one in known}
    assert len({one.name for one in known}) == len(known) >= FEWEST_SOURCES


def test_a_misread_text_is_another_text_and_a_lost_row_is_absent_by_the_label(known: list[Known]) -> None:
    changed = make_misread(known[0], "digit_error", 1.0)
    assert changed.document.text != known[0].document.text
    assert changed.label == known[0].label
    short = make_misread(known[0], "dropped_row", 0.5)
    absent = [name for name, cell in short.label.cells.items() if cell.state is CellState.ROW_ABSENT]
    assert absent
    assert not set(absent) & short.truth.cells.keys()
    assert len(short.document.text) < len(known[0].document.text)


def test_each_field_is_ranked_once_by_a_fit_that_did_not_see_it(trials: list[Trial]) -> None:
    ranked = rank_by_document(trials, "all features", 0.01)
    assert len(ranked) == sum(len(trial.sample.fields) for trial in trials)
    misread = [one for one in ranked if (one.place, one.mistake) == (TEXT, "digit_error")]
    auroc = describe(misread, is_open_only=True, resamples=0).auroc.value
    assert auroc is not None
    assert auroc > 0.7
