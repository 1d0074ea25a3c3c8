"""What a reviewer types, read as the house reads cells."""

from __future__ import annotations

from decimal import Decimal

import pytest

from extractor.errors import BadAnswer
from extractor.model import CellState, RecordField, Span, Suggestion, Unit, Value, Word
from extractor.review.answers import DOCUMENT, Answer, read_answer

CELL = "applications.granted.natural_person"
FEE = "proactive_disclosure.admin_fees.amount_wan"


def cell(
    value: Value | None = 3, state: CellState = CellState.VALUE, raw: str | None = "3", *suggested: int
) -> RecordField:
    suggestions = tuple(Suggestion(number, "E3", "") for number in suggested)
    return RecordField(state, value, raw, (Span(0, 1),), "template", "review", suggestions=suggestions)


UNREAD = cell(None, CellState.UNPARSABLE, "若干")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("8件", Word(CellState.VALUE, 8, "8件")),
        ("１２", Word(CellState.VALUE, 12, "１２")),
        (" 1,204 ", Word(CellState.VALUE, 1204, "1,204")),
        ("", Word(CellState.BLANK)),
        ("　", Word(CellState.BLANK)),
        ("/", Word(CellState.NA_MARK, None, "/")),
        ("-5", Word(CellState.VALUE, -5, "-5")),
    ],
)
def test_text_is_read_as_printed(text: str, word: Word) -> None:
    said = read_answer(Answer(CELL, "corrected", text=text), UNREAD)
    assert (said.action, said.after, said.before.raw) == ("corrected", word, "若干")


def test_blank_is_never_zero() -> None:
    said = read_answer(Answer(CELL, "corrected", text=""), cell(0, CellState.VALUE, "0"))
    assert said.after == Word(CellState.BLANK)
    assert said.action == "corrected"


@pytest.mark.parametrize("text", ["若干", "3 4", "12abc", "007", "1234567890123456"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(BadAnswer, match="no number"):
        read_answer(Answer(CELL, "corrected", text=text), UNREAD)


def test_what_cannot_be_read_can_be_said_to_be_so() -> None:
    said = read_answer(Answer(CELL, "corrected", text="少许", state=CellState.UNPARSABLE), UNREAD)
    assert said.after == Word(CellState.UNPARSABLE, None, "少许")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(CELL, "corrected"),
        Answer(CELL, "corrected", state=CellState.POSITION_UNKNOWN),
        Answer(CELL, "corrected", text="5", state=CellState.ROW_ABSENT),
        Answer(CELL, "corrected", state=CellState.UNPARSABLE),
        Answer(CELL, "accepted"),
        Answer(CELL, "source_wrong"),
        Answer(CELL, "as_suggested"),
        Answer(CELL, "corrected", text="9" * 5000),
    ],
)
def test_answers_that_say_nothing_are_refused(answer: Answer) -> None:
    with pytest.raises(BadAnswer, match=CELL):
        read_answer(answer, UNREAD)


def test_a_correction_to_what_was_extracted_accepts_it() -> None:
    said = read_answer(Answer(CELL, "corrected", text="3"), cell(3, CellState.VALUE, "3 件"))
    assert (said.action, said.after.raw) == ("accepted", "3 件")


def test_a_suggestion_keeps_the_printed_piece() -> None:
    inferred = cell(12, CellState.INFERRED_BY_EQUATION, "１２", 12)
    assert read_answer(Answer(CELL, "as_suggested"), inferred).after == Word(CellState.VALUE, 12, "１２")
    assert read_answer(Answer(CELL, "as_suggested"), cell(3, CellState.VALUE, "3", 5)).after.raw == "5"


def test_the_source_may_be_wrong_as_extracted_or_as_typed() -> None:
    assert read_answer(Answer(CELL, "source_wrong"), cell()).after.value == 3
    assert read_answer(Answer(CELL, "source_wrong", text="4"), cell()).after.value == 4


def test_unknowable_says_nothing_new() -> None:
    said = read_answer(Answer(CELL, "unknowable"), UNREAD)
    assert said.before == said.after


@pytest.mark.parametrize(
    ("text", "given", "unit", "value"),
    [
        ("1.5万元", None, "wan", Decimal("1.5")),
        ("15000元", None, "yuan", 15000),
        ("3", None, "wan", 3),
        ("3", "yuan", "yuan", 3),
    ],
)
def test_money_has_its_unit(text: str, given: Unit | None, unit: Unit, value: Value) -> None:
    word = read_answer(Answer(FEE, "corrected", text=text, unit=given), UNREAD).after
    assert (word.unit, word.value, word.raw) == (unit, value, text)


def test_facts_are_texts_days_and_numbers() -> None:
    def fact(name: str, text: str) -> Word:
        return read_answer(Answer(name, "corrected", text=text), cell("某局", CellState.VALUE, "某局")).after

    assert fact("header.agency_name", " 某某市民政局 ").value == "某某市民政局"
    assert fact("header.published_on", "2024-01-16").value == "2024-01-16"
    assert fact("header.report_year", "2023").value == 2023
    assert fact("narrative.reviews", "四十五件").value == 45
    assert fact("header.contact_phone", "0992-1234567").value == "0992-1234567"
    for name, text in (
        ("header.published_on", "2024年1月"),
        ("header.published_on", "2024-02-31"),
        ("narrative.reviews", "许多"),
    ):
        with pytest.raises(BadAnswer, match=name):
            fact(name, text)


def test_a_whole_document_is_looked_at_or_given_up() -> None:
    assert read_answer(Answer(DOCUMENT, "unknowable"), None).action == "unknowable"
    with pytest.raises(BadAnswer):
        read_answer(Answer(DOCUMENT, "corrected", text="5"), None)
    with pytest.raises(BadAnswer):
        read_answer(Answer(CELL, "accepted"), None)
