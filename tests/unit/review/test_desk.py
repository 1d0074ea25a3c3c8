"""Whole ways of a reviewer: take, answer, what the document says then, undo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import flatten
import pytest

from extractor.errors import BadAnswer, ItemHeld, NotInStore, StaleItem
from extractor.model import CellState, Status
from extractor.review.answers import Answer
from extractor.store.shapes import QueueFilter

from .conftest import Office, accept_all, answer_with, choose, lose_columns, place_twelves, print_form

FIXTURES = Path(__file__).parents[3] / "fixtures"
TRUE = flatten.make_values("2021", 4)
CELL = "applications.granted.natural_person"


# ---------------------------------------------------------------- whole documents


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("00[0234]*.txt")), ids=lambda path: path.name[:3])
def test_a_report_without_a_doubt_waits_for_nobody(office: Office, path: Path) -> None:
    document = office.file(path.read_bytes(), path.name)
    assert office.items(document) == []
    assert office.desk.claim_next("an") is None
    assert all(field.decision == "accepted" for field in office.live(document).fields.values())


def test_one_answer_settles_a_table_that_lost_its_columns(office: Office) -> None:
    document = office.file(next(FIXTURES.glob("001*.txt")).read_bytes(), "001.txt")
    assert [(item.kind, len(item.fields)) for item in office.items(document)] == [("layout", 161), ("layout", 15)]
    task = office.desk.claim_next("an")
    assert task is not None
    assert len(task.item.fields) == 161
    decided = office.desk.decide(task.item.id, task.item.version, "an", choose(task, "last-column"))
    cells = {name: decided.record.fields[name] for name in task.item.fields}
    for name, field in cells.items():
        assert field.decision == "accepted"
        assert field.ruling is not None
        assert field.ruling.by == ("an",)
        assert field.candidates[0].state is CellState.POSITION_UNKNOWN  # what was extracted stands beside it
        assert (field.state, field.value) == (
            (CellState.VALUE, 0) if name.endswith(".total") else (CellState.BLANK, None)
        )
    assert decided.record.ledger["applications"] == "read"
    assert decided.record.status is Status.PARTIAL  # the other table is open yet
    task = office.desk.claim_next("an")
    assert task is not None
    done = office.desk.decide(task.item.id, task.item.version, "an", choose(task, "last-column"))
    assert done.record.status is Status.SUCCEEDED
    assert not any(field.decision == "review" for field in done.record.fields.values())
    assert not any(flag.fields for flag in done.record.flags)
    assert office.desk.claim_next("an") is None


def test_glued_digits_are_settled_as_suggested(office: Office) -> None:
    document = office.file(print_form(TRUE, "glued"))
    while (task := office.desk.claim_next("an")) is not None:
        assert task.item.document_id == document
        known = {name: TRUE[name] for name in task.item.fields if name in TRUE}
        answers = answer_with(task, TRUE) if len(known) == len(task.item.fields) else accept_all(task)
        office.desk.decide(task.item.id, task.item.version, "an", answers)
    live = office.live(document)
    assert {name: live.fields[name].value for name in TRUE} == TRUE
    assert all(live.fields[name].decision == "accepted" for name in TRUE)
    assert {result.result for result in live.equations} == {"pass"}


# ---------------------------------------------------------------- failed equations


def test_the_right_value_clears_the_whole_region(office: Office) -> None:
    document = office.file(print_form(TRUE | {CELL: TRUE[CELL] + 1}))
    assert CELL in office.open_fields(document)
    task = office.desk.claim_next("an")
    assert task is not None
    assert task.item.kind == "equation"
    decided = office.desk.decide(task.item.id, task.item.version, "an", answer_with(task, TRUE))
    field = decided.record.fields[CELL]
    assert (field.value, field.candidates[0].value) == (TRUE[CELL], TRUE[CELL] + 1)
    assert not any(flag.code == "equation-failed" for flag in decided.record.flags)
    assert office.open_fields(document) == set()
    assert office.items(document) == []


def test_what_the_report_prints_wrong_is_the_reports_fault(office: Office) -> None:
    document = office.file(print_form(TRUE | {CELL: TRUE[CELL] + 1}))
    while (task := office.desk.claim_next("an")) is not None:
        office.desk.decide(task.item.id, task.item.version, "an", choose(task, "source-wrong"))
    live = office.live(document)
    failed = [result for result in live.equations if result.result == "fail"]
    assert failed
    assert {result.verdict for result in failed} == {"source_inconsistent"}
    assert "source-inconsistent" in {flag.code for flag in live.flags}
    assert office.open_fields(document) == set()
    assert live.fields[CELL].value == TRUE[CELL] + 1


def test_a_correction_that_contradicts_itself_is_asked_about_once_more(office: Office) -> None:
    document = office.file(next(FIXTURES.glob("001*.txt")).read_bytes(), "001.txt")
    total = "review_litigation.review.total"
    task = office.desk.claim_next("an", QueueFilter(section="review_litigation"))
    assert task is not None
    right = [Answer(name, "corrected", text="0") for name in task.item.fields]
    preview = office.desk.preview(task.item.id, task.item.version, "an", right)
    assert {result.result for result in preview.equations if result.id.startswith("E4")} == {"pass"}
    slip = [Answer(name, "corrected", text="7" if name == total else "0") for name in task.item.fields]
    decided = office.desk.decide(task.item.id, task.item.version, "an", slip)
    (failed,) = [result for result in decided.record.equations if result.result == "fail"]
    assert (failed.id, failed.verdict) == ("E4[review]", "inconclusive")
    assert decided.record.fields[total].decision == "review"
    (again,) = decided.opened
    assert (again.kind, set(again.fields)) == ("equation", set(failed.fields))
    # The same once more is no slip: then the report is wrong.
    task = office.desk.claim(again.id, "an")
    firm = office.desk.decide(task.item.id, task.item.version, "an", choose(task, "as-extracted"))
    (failed,) = [result for result in firm.record.equations if result.result == "fail"]
    assert failed.verdict == "source_inconsistent"
    assert firm.record.fields[total].decision == "accepted"
    assert all(item.section != "review_litigation" for item in office.items(document))


def test_a_correction_beside_accepted_values_asks_about_these(office: Office) -> None:
    document = office.file(print_form(TRUE | {CELL: "若干"}))
    task = office.desk.claim_next("an")
    assert task is not None
    assert task.item.fields == (CELL,)
    wrong = office.desk.decide(task.item.id, task.item.version, "an", [Answer(CELL, "corrected", text="9999")])
    assert {item.kind for item in wrong.opened} == {"equation"}
    assert CELL in {name for item in wrong.opened for name in item.fields}
    undone = office.desk.undo(wrong.review_id, "an", "reviewer")
    assert set(undone.gone) == {item.id for item in wrong.opened}
    assert undone.item.state == "open"
    assert undone.record.fields[CELL].state is CellState.UNPARSABLE
    task = office.desk.claim(undone.item.id, "an")
    right = office.desk.decide(task.item.id, task.item.version, "an", [Answer(CELL, "corrected", text=str(TRUE[CELL]))])
    assert right.opened == ()
    assert office.open_fields(document) == set()


# ---------------------------------------------------------------- leases and versions


def test_two_people_never_hold_one_item(office: Office) -> None:
    office.file(next(FIXTURES.glob("001*.txt")).read_bytes(), "001.txt")
    first, second = office.desk.claim_next("an"), office.desk.claim_next("bo")
    assert first is not None
    assert second is not None
    assert first.item.id != second.item.id
    assert office.desk.claim_next("cy") is None
    with pytest.raises(ItemHeld):
        office.desk.claim(first.item.id, "bo")
    with pytest.raises(ItemHeld):
        office.desk.decide(first.item.id, first.item.version, "bo", choose(first, "last-column"))
    office.desk.release(first.item.id, "an")
    assert office.desk.claim(first.item.id, "bo").item.holder == "bo"


def test_a_lease_runs_out_and_another_takes_the_item(office: Office) -> None:
    office.file(print_form(TRUE | {CELL: "若干"}))
    task = office.desk.claim_next("an")
    assert task is not None
    office.clock.wait(minutes=office.settings.lease_minutes + 1)
    with pytest.raises(StaleItem):
        office.desk.decide(task.item.id, task.item.version, "an", [Answer(CELL, "unknowable")])
    other = office.desk.claim_next("bo")
    assert other is not None
    assert other.item.version > task.item.version
    with pytest.raises(ItemHeld):
        office.desk.renew(task.item.id, "an")
    office.clock.wait(minutes=office.settings.lease_minutes - 1)
    office.desk.renew(other.item.id, "bo")
    office.clock.wait(minutes=office.settings.lease_minutes - 1)
    office.desk.decide(other.item.id, other.item.version, "bo", [Answer(CELL, "unknowable")])


def test_an_item_that_changed_is_looked_at_again(office: Office) -> None:
    office.file(print_form(TRUE | {CELL: "若干"}))
    task = office.desk.claim_next("an")
    assert task is not None
    with pytest.raises(StaleItem):
        office.desk.decide(task.item.id, task.item.version - 1, "an", [Answer(CELL, "unknowable")])
    office.desk.decide(task.item.id, task.item.version, "an", [Answer(CELL, "unknowable")])
    with pytest.raises(StaleItem):
        office.desk.decide(task.item.id, task.item.version, "an", [Answer(CELL, "unknowable")])
    with pytest.raises(StaleItem):
        office.desk.claim(task.item.id, "bo")
    with pytest.raises(NotInStore):
        office.desk.claim(task.item.id + 100, "bo")


def test_a_bad_answer_keeps_nothing(office: Office) -> None:
    document = office.file(print_form(TRUE | {CELL: "若干"}))
    task = office.desk.claim_next("an")
    assert task is not None
    for answers in (
        [],
        [Answer(CELL, "accepted")],
        [Answer("header.title", "accepted")],
        [Answer(CELL, "unknowable")] * 2,
    ):
        with pytest.raises(BadAnswer):
            office.desk.decide(task.item.id, task.item.version, "an", answers)
    assert office.desk.history(document, "an") == []
    assert office.the_item(document, "row").holder == "an"


# ---------------------------------------------------------------- words that stay, and undoing


def test_unknowable_stays_in_review_and_is_asked_no_more(office: Office) -> None:
    document = office.file(print_form(TRUE | {CELL: "若干"}))
    task = office.desk.claim_next("an")
    assert task is not None
    decided = office.desk.decide(task.item.id, task.item.version, "an", [Answer(CELL, "unknowable")], "糊了")
    field = decided.record.fields[CELL]
    assert (field.decision, field.state) == ("review", CellState.UNPARSABLE)
    assert field.ruling is not None
    assert field.ruling.action == "unknowable"
    assert office.items(document) == []
    (review,) = office.desk.history(document, "bo")
    assert (review.note, review.account, review.at.tzinfo is not None) == ("糊了", "an", True)


def test_undoing_brings_the_word_before_back(office: Office) -> None:
    document = office.file(print_form(TRUE | {CELL: "若干"}))
    task = office.desk.claim_next("an")
    assert task is not None
    first = office.desk.decide(task.item.id, task.item.version, "an", [Answer(CELL, "unknowable")])
    with pytest.raises(ItemHeld):
        office.desk.undo(first.review_id, "bo", "reviewer")
    undone = office.desk.undo(first.review_id, "bo", "admin")
    assert undone.record.fields[CELL].ruling is None
    with pytest.raises(StaleItem):
        office.desk.undo(first.review_id, "an", "reviewer")  # taken back already
    with pytest.raises(StaleItem):
        office.desk.undo(undone.review_id, "bo", "admin")  # an undoing is not undone
    again = office.desk.claim(undone.item.id, "bo")
    second = office.desk.decide(
        again.item.id, again.item.version, "bo", [Answer(CELL, "corrected", text=str(TRUE[CELL]))]
    )
    assert second.record.fields[CELL].ruling.by == ("bo",)  # type: ignore[union-attr]
    history = office.desk.history(document, "an")
    assert [(one.kind, one.account, one.undoes) for one in history] == [
        ("decide", "an", None),
        ("undo", "bo", first.review_id),
        ("decide", "bo", None),
    ]
    assert history[1].fields[0].before == history[0].fields[0].after


def test_a_question_about_the_whole_document_is_asked_once(office: Office) -> None:
    raw = print_form(TRUE).decode().split("三、收到和处理政府信息公开申请情况")[0].encode()
    document = office.file(raw)
    task = office.desk.claim(office.the_item(document, "document").id, "an")
    with pytest.raises(BadAnswer):
        office.desk.decide(task.item.id, task.item.version, "an", [])
    decided = office.desk.decide(task.item.id, task.item.version, "an", choose(task, "nothing"))
    assert all(item.kind != "document" for item in office.items(document))
    undone = office.desk.undo(decided.review_id, "an", "reviewer")
    assert undone.item.state == "open"


def test_what_follows_is_inside_the_decision(office: Office) -> None:
    document = office.file(print_form(TRUE | {CELL: "若干"}))
    task = office.desk.claim_next("an")
    assert task is not None

    def fail(books: object, decided: object) -> None:
        raise RuntimeError("the answer cannot be kept")

    with pytest.raises(RuntimeError):
        office.desk.decide(task.item.id, task.item.version, "an", [Answer(CELL, "unknowable")], on_done=fail)
    assert office.desk.history(document, "an") == []
    assert office.live(document).fields[CELL].ruling is None


# ---------------------------------------------------------------- what was shown is what is answered


def test_a_value_that_was_read_anew_under_a_reviewer_is_looked_at_again(office: Office) -> None:
    """He says "printed so" of what he saw, and the same bytes were read otherwise meanwhile."""
    raw = print_form(TRUE | {CELL: TRUE[CELL] + 1})
    document = office.file(raw)
    task = office.desk.claim_next("an")
    assert task is not None
    name = task.item.fields[0]
    with office.store.read() as books:
        read = books.documents.newest_extraction(document)
    field = read.record.fields[name]
    anew = replace(field, value=field.value, raw="9", candidates=())
    record = read.record.model_copy(update={"fields": read.record.fields | {name: anew}})
    office.file_as(record, read.text, raw)
    (item,) = [item for item in office.items(document) if item.id == task.item.id]
    assert (item.fields, item.codes) == (task.item.fields, task.item.codes)
    with pytest.raises(StaleItem, match="changed since it was shown"):
        office.desk.decide(task.item.id, task.item.version, "an", accept_all(task))
    assert office.desk.history(document, "an") == []
    again = office.desk.claim(task.item.id, "an")
    office.desk.decide(again.item.id, again.item.version, "an", accept_all(again))


def test_a_suggestion_that_another_answer_made_is_looked_at_first(office: Office) -> None:
    document = office.file(lose_columns())
    held = office.desk.claim(office.the_row(document, "applications.granted").id, "bo")
    task = office.desk.claim(office.the_row(document, "applications.new_received").id, "an")
    office.desk.decide(task.item.id, task.item.version, "an", place_twelves(task))
    assert office.the_row(document, "applications.granted").fields == held.item.fields
    with pytest.raises(StaleItem, match="changed since it was shown"):
        office.desk.decide(held.item.id, held.item.version, "bo", accept_all(held))


def test_an_answer_elsewhere_in_the_document_disturbs_nobody(office: Office) -> None:
    far = "review_litigation.review.upheld"
    document = office.file(print_form(TRUE | {CELL: "若干", far: "若干"}))
    asked = [next(item for item in office.items(document) if name in item.fields) for name in (CELL, far)]
    held, other = office.desk.claim(asked[0].id, "an"), office.desk.claim(asked[1].id, "bo")
    answers = [Answer(name, "corrected", text=str(TRUE[name])) for name in other.item.fields]
    office.desk.decide(other.item.id, other.item.version, "bo", answers)
    office.desk.decide(held.item.id, held.item.version, "an", accept_all(held))
