"""Filing: what a new reading or a new version of a file keeps of persons' words."""

from __future__ import annotations

from dataclasses import replace

import flatten
import pytest

from extractor.model import CellState, Origin
from extractor.pipeline import process_document
from extractor.review.answers import Answer
from extractor.review.sampling import select_audit, select_twice
from extractor.settings import Settings
from extractor.sources import read_document

from .conftest import Office, print_form

TRUE = flatten.make_values("2021", 4)
CELL = "applications.granted.natural_person"
OTHER = "applications.carried_in.natural_person"
HERE = (Origin("a.txt", "http://www.example.gov.cn/a.htm", "例"),)


def decide(office: Office, account: str = "an", **texts: str) -> int:
    """Answer every item that waits, with the truth where nothing else is given."""
    last = 0
    while (task := office.desk.claim_next(account)) is not None:
        answers = [Answer(name, "corrected", text=texts.get(name, str(TRUE[name]))) for name in task.item.fields]
        last = office.desk.decide(task.item.id, task.item.version, account, answers).review_id
    return last


def test_filing_twice_changes_nothing(office: Office) -> None:
    raw = print_form(TRUE | {CELL: "若干"})
    document = office.file(raw)
    task = office.desk.claim_next("an")
    assert task is not None
    assert office.file(raw) == document
    assert (
        office.desk.decide(task.item.id, task.item.version, "an", [Answer(CELL, "unknowable")]).item.state == "settled"
    )


def test_a_new_reading_of_the_same_bytes_keeps_every_word(office: Office) -> None:
    raw = print_form(TRUE | {CELL: "若干", OTHER: "几件"})
    document = office.file(raw)
    decide(office)
    read = read_document(raw, "报告.txt", office.settings)
    record = process_document(read)
    fields = dict(record.fields)
    fields[CELL] = replace(fields[CELL], raw="若 干")  # what a newer program might read
    office.file_as(record.model_copy(update={"fields": fields}), read.text, raw)
    live = office.live(document)
    assert (live.fields[CELL].value, live.fields[CELL].candidates[0].raw) == (TRUE[CELL], "若 干")
    assert office.items(document) == []


def test_a_new_version_of_the_file_keeps_words_where_it_says_the_same(office: Office) -> None:
    old = office.file(print_form(TRUE | {CELL: "若干", OTHER: "几件"}), "a.txt", HERE)
    review = decide(office)
    new = office.file(print_form(TRUE | {CELL: "若干", OTHER: "数件"}), "a.txt", HERE)
    assert new != old
    live = office.live(new)
    assert live.fields[CELL].ruling is not None
    assert (live.fields[CELL].value, live.fields[CELL].ruling.by) == (TRUE[CELL], ("an",))
    assert live.fields[OTHER].ruling is None  # source and extraction both changed: open again
    assert office.open_fields(new) == {OTHER}
    (carried,) = office.desk.history(new, "bo")
    assert (carried.kind, carried.item_id, carried.account) == ("carry", None, "an")
    assert carried.undoes is not None
    assert carried.undoes <= review
    assert office.open_fields(old) == set()


def test_a_carried_word_is_taken_back_like_any_other(office: Office) -> None:
    office.file(print_form(TRUE | {CELL: "若干"}), "a.txt", HERE)
    decide(office)
    new = office.file(print_form(TRUE | {CELL: "若干"}, "markdown"), "a.txt", HERE)
    assert office.live(new).fields[CELL].ruling is not None
    (carried,) = office.desk.history(new, "an")
    undone = office.desk.undo(carried.id, "an", "reviewer")
    assert undone.item.fields == (CELL,)
    assert office.live(new).fields[CELL].ruling is None


def test_a_carried_word_on_an_accepted_value_is_taken_back_though_nothing_asks_about_it(office: Office) -> None:
    office.settings = Settings(audit_share=1)
    office.file(print_form(TRUE), "a.txt", HERE)
    task = office.desk.claim_next("an")
    assert task is not None
    answers = [Answer(name, "accepted") for name in task.item.fields]
    said = office.desk.decide(task.item.id, task.item.version, "an", answers)
    office.settings = Settings()
    new = office.file(print_form(TRUE, "markdown"), "a.txt", HERE)
    (carried,) = office.desk.history(new, "an")
    assert office.live(new).fields[task.item.fields[0]].ruling is not None
    undone = office.desk.undo(carried.id, "an", "reviewer")
    assert undone.item.id == said.item.id  # where it was said
    assert office.live(new).fields[task.item.fields[0]].ruling is None


def test_the_words_of_two_are_carried_as_the_words_of_two(office: Office) -> None:
    office.settings = Settings(double_review_share=1)
    office.hire("an", "bo")
    office.file(print_form(TRUE | {CELL: "若干"}), "a.txt", HERE)
    decide(office, "an")
    half = office.file(print_form(TRUE | {CELL: "若干"}, "markdown"), "a.txt", HERE)
    assert office.live(half).fields[CELL].ruling is None  # half a double look says nothing
    for item in office.items(half):
        office.desk.claim(item.id, "bo")
        office.desk.release(item.id, "bo")
    decide(office, "bo")
    decide(office, "an")
    new = office.file(print_form(TRUE | {CELL: "若干"}, "tab_cells"), "a.txt", HERE)
    ruling = office.live(new).fields[CELL].ruling
    assert ruling is not None
    assert set(ruling.by) == {"an", "bo"}


def test_a_half_done_look_at_something_else_is_dropped(office: Office) -> None:
    office.settings = Settings(double_review_share=1)
    office.hire("an", "bo")
    raw = print_form(TRUE | {CELL: "若干"})
    document = office.file(raw)
    decide(office, "an")
    read = read_document(raw, "报告.txt", office.settings)
    record = process_document(read)
    fields = record.fields | {CELL: replace(record.fields[CELL], raw="若 干")}
    office.file_as(record.model_copy(update={"fields": fields}), read.text, raw)
    (item,) = office.items(document)
    assert (item.round, item.answered_by) == (1, ())
    assert office.desk.history(document, "bo") == []  # who looks next must not know what was said before


def test_beside_a_half_done_look_the_rest_of_its_row_is_asked_about(office: Office) -> None:
    office.settings = Settings(double_review_share=1)
    office.hire("an", "bo")
    raw = print_form(TRUE | {CELL: "若干"})
    document = office.file(raw)
    decide(office, "an")
    read = read_document(raw, "报告.txt", office.settings)
    record = process_document(read)
    beside = "applications.granted.business"
    unread = replace(record.fields[beside], state=CellState.UNPARSABLE, value=None, raw="几", decision="review")
    office.file_as(record.model_copy(update={"fields": record.fields | {beside: unread}}), read.text, raw)
    kept, new = office.items(document)
    assert (kept.fields, kept.round) == ((CELL,), 2)
    assert (new.fields, new.round) == ((beside,), 1)
    assert kept.key != new.key


def test_another_place_is_another_report(office: Office) -> None:
    office.file(print_form(TRUE | {CELL: "若干"}), "a.txt", HERE)
    decide(office)
    elsewhere = (Origin("a.txt", "http://www.example.gov.cn/b.htm", "例"),)
    new = office.file(print_form(TRUE | {CELL: "若干"}, "markdown"), "a.txt", elsewhere)
    assert office.live(new).fields[CELL].ruling is None


@pytest.mark.parametrize(("printed", "other"), [("2023年", "2024年"), ("市民政局", "市水利局")])
def test_another_year_or_agency_at_the_same_address_is_another_report(office: Office, printed: str, other: str) -> None:
    raw = print_form(TRUE | {CELL: "若干"})
    assert printed in raw.decode()
    office.file(raw, "a.txt", HERE)
    decide(office)
    new = office.file(raw.decode().replace(printed, other).encode(), "a.txt", HERE)
    assert office.live(new).fields[CELL].ruling is None
    assert CELL in office.open_fields(new)


def test_an_audited_document_asks_about_what_was_accepted(office: Office) -> None:
    office.settings = Settings(audit_share=1)
    document = office.file(print_form(TRUE))
    asked = [name for item in office.items(document) for name in item.fields]
    assert sorted(asked) == sorted(office.live(document).fields)
    for item in office.items(document):
        task = office.desk.claim(item.id, "an")
        answers = [Answer(name, "accepted") for name in task.item.fields]
        office.desk.decide(task.item.id, task.item.version, "an", answers)
    assert office.items(document) == []
    assert all(field.ruling for field in office.live(document).fields.values())


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_two_samples_are_drawn_apart(share: float) -> None:
    ids = [f"{number:064x}" for number in range(2000)]
    audited, twice = select_audit(ids, share, "s"), select_twice(ids, share, "s")
    assert len(twice) == pytest.approx(2000 * share, abs=80)
    assert len(audited & twice) == pytest.approx(2000 * share * share, abs=80)
