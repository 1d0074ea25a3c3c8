"""Every choice of every item can be decided as it is, and says what its words say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import flatten
import pytest

from extractor.errors import BadAnswer
from extractor.model import Candidate, CellState, Record, Suggestion
from extractor.review.answers import DOCUMENT, Answer, read_answer, read_answers
from extractor.review.choices import choices
from extractor.store.shapes import Item

from .conftest import Office, choose, lose_columns, place_twelves, print_form

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


def test_where_only_zeros_survive_the_page_may_print_one_in_every_cell(office: Office) -> None:
    office.file(REPORTS["lone numbers"])
    task = office.desk.claim_next("an")
    assert task is not None
    every = next(choice for choice in choices(task.item, task.record) if choice.id == "every-cell")
    record = office.desk.decide(task.item.id, task.item.version, "an", every.answers).record
    assert {record.fields[name].value for name in task.item.fields} == {0}
    assert {record.fields[name].decision for name in task.item.fields} == {"accepted"}
    assert record.fields["applications.other_result.fee_unpaid.total"].state is CellState.BLANK  # not asked about


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


def test_a_suggested_0_of_a_lost_row_is_an_empty_cell(office: Office) -> None:
    """Numbers are placed as if empty cells were 0; what was printed are two numbers."""
    document = office.file(lose_columns())
    first = office.the_row(document, "applications.new_received")
    task = office.desk.claim(first.id, "an")
    assert "as-suggested" not in {choice.id for choice in choices(task.item, task.record)}
    office.desk.decide(first.id, task.item.version, "an", place_twelves(task))
    other = office.the_row(document, "applications.granted")
    task = office.desk.claim(other.id, "an")
    assert [task.record.fields[name].suggestions[0].value for name in other.fields] == [0, 12, 0, 0, 0, 0, 12]
    made = office.desk.decide(other.id, task.item.version, "an", choose(task, "as-suggested")).record
    assert [made.fields[name].value for name in other.fields] == [None, 12, None, None, None, None, 12]
    assert {made.fields[name].state for name in other.fields} == {CellState.BLANK, CellState.VALUE}


def test_a_0_that_may_be_printed_or_not_is_not_taken_as_suggested(office: Office) -> None:
    document = office.file(lose_columns())
    (item,) = [item for item in office.items(document) if item.key == "row:applications.granted"]
    record = office.live(document)
    field = record.fields[item.fields[0]]
    lost = Candidate(CellState.POSITION_UNKNOWN, raw="0")
    sure = replace(field, suggestions=(Suggestion(0, "lost-positions", "made"),))
    assert read_answer(Answer(item.fields[0], "as_suggested"), sure).after.state is CellState.BLANK
    doubtful = replace(sure, candidates=(lost, *field.candidates))
    with pytest.raises(BadAnswer, match="does not tell an empty cell from a 0"):
        read_answer(Answer(item.fields[0], "as_suggested"), doubtful)
    fields = dict.fromkeys(item.fields, sure)
    assert "as-suggested" in ids_of(item, record.model_copy(update={"fields": record.fields | fields}))
    fields[item.fields[3]] = doubtful
    assert "as-suggested" not in ids_of(item, record.model_copy(update={"fields": record.fields | fields}))


def test_what_can_be_divided_in_several_ways_is_not_taken_as_suggested_at_once(office: Office) -> None:
    document = office.file(REPORTS["glued"])
    record = office.live(document)
    several = {name for name, field in record.fields.items() if len(field.suggestions) > 1}
    assert several
    asked = [item for item in office.items(document) if item.kind == "glued"]
    assert {several.isdisjoint(item.fields) for item in asked} == {True, False}
    for item in asked:
        assert ("as-suggested" in ids_of(item, record)) == several.isdisjoint(item.fields)
    one = next(item for item in office.items(document) if "as-suggested" in ids_of(item, record))
    field = record.fields[one.fields[0]]
    tied = replace(field, suggestions=(replace(field.suggestions[0], ties=2),))
    assert "as-suggested" not in ids_of(
        one, record.model_copy(update={"fields": record.fields | {one.fields[0]: tied}})
    )


def ids_of(item: Item, record: Record) -> set[str]:
    return {choice.id for choice in choices(item, record)}
