"""Every choice of every item can be decided as it is, and says what its words say."""

from __future__ import annotations

from pathlib import Path

import flatten
import pytest

from extractor.model import CellState
from extractor.review.answers import DOCUMENT, read_answers
from extractor.review.choices import choices

from .conftest import Office, print_form

FIXTURES = Path(__file__).parents[3] / "fixtures"
TRUE = flatten.make_values("2021", 4)
CELL = "applications.granted.natural_person"


def offered(office: Office, document: str) -> dict[str, set[str]]:
    record = office.live(document)
    return {item.key: {choice.id for choice in choices(item, record)} for item in office.items(document)}


REPORTS = {
    "lone numbers": next(FIXTURES.glob("001*.txt")).read_bytes(),
    "glued": print_form(TRUE, "glued"),
    "half glued": print_form(TRUE, "half_glued"),
    "failed": print_form(TRUE | {CELL: TRUE[CELL] + 1}),
    "unparsable": print_form(TRUE | {CELL: "若干"}),
    "torn": print_form(TRUE, "pdf_text"),
    "no table": print_form(TRUE).decode().split("三、收到")[0].encode(),
}


@pytest.mark.parametrize("name", REPORTS)
def test_every_choice_answers_every_field(office: Office, name: str) -> None:
    document = office.file(REPORTS[name])
    asked = office.items(document)
    assert asked
    record = office.live(document)
    for item in asked:
        made = choices(item, record)
        assert made[-1].id == "unknowable"
        assert len({choice.id for choice in made}) == len(made)
        for choice in made:
            said = read_answers(item, record, choice.answers)
            assert [one.field_id for one in said] == list(item.fields or (DOCUMENT,))
    task = office.desk.claim_next("an")
    assert task is not None
    likeliest = choices(task.item, task.record)[0]
    decided = office.desk.decide(task.item.id, task.item.version, "an", likeliest.answers)
    undone = office.desk.undo(decided.review_id, "an", "reviewer")
    assert undone.record == record
    assert office.desk.claim(undone.item.id, "an").item.fields == task.item.fields


def test_lone_numbers_may_stand_under_the_first_column(office: Office) -> None:
    document = office.file(REPORTS["lone numbers"])
    task = office.desk.claim_next("an")
    assert task is not None
    first = next(choice for choice in choices(task.item, task.record) if choice.id == "first-column")
    decided = office.desk.decide(task.item.id, task.item.version, "an", first.answers)
    assert decided.record.fields["applications.granted.natural_person"].state is CellState.VALUE
    assert decided.record.fields["applications.granted.total"].state is CellState.BLANK
    assert document == task.item.document_id


def test_what_is_offered_fits_the_question(office: Office) -> None:
    failed = offered(office, office.file(REPORTS["failed"]))
    assert all("source-wrong" in ids and "as-extracted" in ids for ids in failed.values())
    unparsable = offered(office, office.file(REPORTS["unparsable"]))
    assert list(unparsable.values()) == [{"all-blank", "row-absent", "unknowable"}]
    glued = offered(office, office.file(REPORTS["glued"]))
    assert "as-suggested" in glued["glued:applications"]
    assert "as-extracted" not in glued["glued:applications"]
