"""Two people look at the same document, blind to each other; where they differ, a third one settles it."""

from __future__ import annotations

import flatten
import pytest

from extractor.errors import ItemHeld, StaleItem
from extractor.review.agreement import measure_kappa
from extractor.review.answers import Answer
from extractor.review.desk import Task
from extractor.settings import Settings
from extractor.store.shapes import QueueFilter

from .conftest import Office, accept_all, lose_columns, place_twelves, print_form

TRUE = flatten.make_values("2021", 4)
CELL = "applications.granted.natural_person"


@pytest.fixture
def twice(office: Office) -> Office:
    office.settings = Settings(double_review_share=1)
    office.hire("an", "bo", "cy")
    return office


def answer(office: Office, account: str, text: str, document: str | None = None) -> tuple[Task, int]:
    task = office.desk.claim_next(account, QueueFilter(document_id=document))
    assert task is not None
    done = office.desk.decide(task.item.id, task.item.version, account, [Answer(CELL, "corrected", text=text)])
    return task, done.review_id


def test_a_first_look_says_nothing_and_nobody_else_sees_it(twice: Office) -> None:
    document = twice.file(print_form(TRUE | {CELL: "若干"}))
    before = twice.live(document)
    answer(twice, "an", str(TRUE[CELL]))
    assert twice.live(document) == before
    assert twice.desk.claim_next("an") is None
    (item,) = twice.items(document)
    assert (item.round, item.answered_by, item.holder) == (2, ("an",), None)
    with pytest.raises(ItemHeld):
        twice.desk.claim(item.id, "an")
    task = twice.desk.claim_next("bo")
    assert task is not None
    assert task.earlier == ()
    assert task.proposals == ()
    assert twice.desk.history(document, "bo") == []
    assert len(twice.desk.history(document, "an")) == 1


def test_two_alike_are_the_word_of_both(twice: Office) -> None:
    document = twice.file(print_form(TRUE | {CELL: "若干"}))
    answer(twice, "an", str(TRUE[CELL]))
    answer(twice, "bo", f" {TRUE[CELL]} ")
    field = twice.live(document).fields[CELL]
    assert field.ruling is not None
    assert (field.ruling.by, field.value, field.decision) == (("an", "bo"), TRUE[CELL], "accepted")
    assert twice.items(document) == []
    assert len(twice.desk.history(document, "cy")) == 2


def test_two_that_differ_go_to_a_third_who_sees_both(twice: Office) -> None:
    document = twice.file(print_form(TRUE | {CELL: "若干"}))
    answer(twice, "an", "5000")
    answer(twice, "bo", "6000")
    assert twice.live(document).fields[CELL].ruling is None
    for account in ("an", "bo"):
        assert twice.desk.claim_next(account) is None
    task = twice.desk.claim_next("cy")
    assert task is not None
    assert task.item.round == 3
    assert [(one.account, one.fields[0].after.value) for one in task.proposals] == [("an", 5000), ("bo", 6000)]
    twice.desk.decide(task.item.id, task.item.version, "cy", [Answer(CELL, "source_wrong", text="6000")])
    ruling = twice.live(document).fields[CELL].ruling
    assert ruling is not None
    assert (ruling.by, ruling.word.value) == (("cy",), 6000)  # nobody else said that the report is wrong


def test_without_a_third_person_an_admin_settles_it(office: Office) -> None:
    office.settings = Settings(double_review_share=1)
    office.hire("an")
    office.hire("bo", role="admin")
    document = office.file(print_form(TRUE | {CELL: "若干"}))
    answer(office, "an", "5000")
    answer(office, "bo", "6000")
    (item,) = office.items(document)
    with pytest.raises(ItemHeld):
        office.desk.claim(item.id, "an")
    assert office.desk.claim_next("an") is None
    task = office.desk.claim_next("bo")
    assert task is not None
    assert (task.item.id, len(task.proposals)) == (item.id, 2)
    office.desk.decide(task.item.id, task.item.version, "bo", [Answer(CELL, "source_wrong", text="6000")])
    assert office.live(document).fields[CELL].value == 6000


def test_without_third_person_and_admin_one_of_the_two_settles_it(office: Office) -> None:
    office.settings = Settings(double_review_share=1)
    office.hire("an", "bo")
    document = office.file(print_form(TRUE | {CELL: "若干"}))
    answer(office, "an", str(TRUE[CELL]))
    answer(office, "bo", "6000")
    (item,) = office.items(document)
    task = office.desk.claim_next("an")
    assert task is not None
    assert (task.item.id, task.item.round) == (item.id, 3)
    said = [Answer(CELL, "corrected", text=str(TRUE[CELL]))]
    office.desk.decide(item.id, task.item.version, "an", said)
    assert office.items(document) == []


def test_nothing_waits_for_a_person_who_has_left(office: Office) -> None:
    office.settings = Settings(double_review_share=1)
    office.hire("an", "bo")
    document = office.file(print_form(TRUE | {CELL: "若干"}))
    answer(office, "an", str(TRUE[CELL]))
    assert office.desk.claim_next("an") is None
    with office.store.write() as books:
        books.people.change_account("bo", is_active=False)
    answer(office, "an", str(TRUE[CELL]))
    assert office.items(document) == []
    ruling = office.live(document).fields[CELL].ruling
    assert ruling is not None
    assert ruling.by == ("an",)


def test_while_there_is_a_third_person_an_admin_does_not_judge_himself(office: Office) -> None:
    office.settings = Settings(double_review_share=1)
    office.hire("an", "cy")
    office.hire("bo", role="admin")
    document = office.file(print_form(TRUE | {CELL: "若干"}))
    answer(office, "an", "5000")
    answer(office, "bo", "6000")
    (item,) = office.items(document)
    with pytest.raises(ItemHeld):
        office.desk.claim(item.id, "bo")
    assert office.desk.claim(item.id, "cy").proposals


def test_who_is_alone_looks_once(office: Office) -> None:
    office.settings = Settings(double_review_share=1)
    office.hire("an", role="admin")
    document = office.file(print_form(TRUE | {CELL: "若干"}))
    answer(office, "an", str(TRUE[CELL]))
    assert office.items(document) == []
    assert office.live(document).fields[CELL].value == TRUE[CELL]


def test_looks_are_taken_back_from_the_last(twice: Office) -> None:
    document = twice.file(print_form(TRUE | {CELL: "若干"}))
    _, first = answer(twice, "an", str(TRUE[CELL]))
    _, second = answer(twice, "bo", str(TRUE[CELL]))
    with pytest.raises(StaleItem):
        twice.desk.undo(first, "an", "reviewer")
    undone = twice.desk.undo(second, "bo", "reviewer")
    assert (undone.item.state, undone.item.round, undone.item.answered_by) == ("open", 2, ("an",))
    assert twice.live(document).fields[CELL].ruling is None
    undone = twice.desk.undo(first, "an", "reviewer")
    assert (undone.item.round, undone.item.answered_by) == (1, ())
    answer(twice, "bo", str(TRUE[CELL]))
    answer(twice, "an", str(TRUE[CELL]))
    ruling = twice.live(document).fields[CELL].ruling
    assert ruling is not None
    assert ruling.by == ("bo", "an")


def test_an_item_between_two_looks_keeps_its_fields(twice: Office) -> None:
    """Another item's answer clears it; the second look is had all the same."""
    wrong = {CELL: "若干", "applications.granted.total": TRUE["applications.granted.total"]}
    document = twice.file(print_form(TRUE | wrong | {"review_litigation.review.corrected": "若干"}))
    first = twice.desk.claim_next("an")
    assert first is not None
    answers = [Answer(name, "corrected", text=str(TRUE[name])) for name in first.item.fields]
    twice.desk.decide(first.item.id, first.item.version, "an", answers)
    other = next(item for item in twice.items(document) if item.id != first.item.id)
    for account in ("an", "bo"):
        task = twice.desk.claim(other.id, account)
        answers = [Answer(name, "corrected", text=str(TRUE[name])) for name in task.item.fields]
        twice.desk.decide(task.item.id, task.item.version, account, answers)
    (left,) = twice.items(document)
    assert (left.id, left.fields, left.round) == (first.item.id, first.item.fields, 2)


def test_agreement_is_counted_over_pairs(twice: Office) -> None:
    for number, second in enumerate(["7", "8", "8"]):
        document = twice.file(print_form(TRUE | {CELL: "若" * (number + 1)}))
        answer(twice, "an", "7" if number < 2 else "8", document)
        answer(twice, "bo", second, document)
    with twice.store.read() as books:
        pairs = list(books.reviews.double_pairs())
    said = [(pair.first.word.value, pair.second.word.value) for pair in pairs]
    assert sorted(said) == [(7, 7), (7, 8), (8, 8)]
    assert measure_kappa(said) == pytest.approx(0.4)  # 2 of 3 alike; by chance 4 of 9


def test_who_looks_second_answers_what_he_saw(twice: Office) -> None:
    """What two people settle elsewhere makes suggestions here."""
    document = twice.file(lose_columns())
    number = twice.the_row(document, "applications.granted").id
    first = twice.desk.claim(number, "cy")
    twice.desk.decide(number, first.item.version, "cy", accept_all(first))
    held = twice.desk.claim(number, "bo")
    other = twice.the_row(document, "applications.new_received").id
    for account in ("an", "bo"):
        task = twice.desk.claim(other, account)
        twice.desk.decide(other, task.item.version, account, place_twelves(task))
    with pytest.raises(StaleItem, match="changed since it was shown"):
        twice.desk.decide(number, held.item.version, "bo", accept_all(held))
    again = twice.desk.claim(number, "bo")
    assert (again.item.round, again.item.answered_by) == (2, ("cy",))
    twice.desk.decide(number, again.item.version, "bo", accept_all(again))
