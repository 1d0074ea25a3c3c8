"""Every piece of evidence gets its place on paper; a row is absent only where nothing is left unread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.flags import make_flag
from extractor.model import (
    CellPlace,
    CellState,
    Document,
    InkedText,
    Page,
    Paper,
    Place,
    Record,
    Span,
    Status,
)
from extractor.pipeline import process_document
from extractor.reconcile.paper import PaperIndex
from tests.unit.readers.llm.scripted import numbers
from tests.unit.reconcile.inked import ALL_BY_OCR, cell_box, doubt_cell, ink_over, print_form

WORDS = (
    InkedText(2, 5, 1, (10, 10, 20, 20), 0.9),
    InkedText(5, 8, 1, (30, 5, 40, 15), 0.7),
    InkedText(10, 12, 2, (1, 1, 2, 2)),
)
PAGES = (Page(1, 100, 100, "pt", read_by="ocr"), Page(2, 100, 100, "pt"))
CELLS = {(0, 1, 2): CellPlace(1, (5, 5, 6, 6)), (0, 2, 2): CellPlace(2, (7, 7, 8, 8))}
INDEX = PaperIndex(Paper(PAGES, WORDS, CELLS))
GRANTED = "applications.granted.natural_person"
MERGED = "applications.other_result.fee_unpaid"


def all_spans(record: Record) -> Iterator[Span]:
    for field in record.fields.values():
        yield from field.spans
        for candidate in field.candidates:
            yield from candidate.spans
    for flag in record.flags:
        yield from flag.spans


# ---------------------------------------------------------------- where a span stands


@pytest.mark.parametrize(
    ("start", "end", "place"),
    [
        (2, 5, Place(1, (10, 10, 20, 20), 0.9)),
        (3, 4, Place(1, (10, 10, 20, 20), 0.9)),
        (4, 6, Place(1, (10, 5, 40, 20), 0.7)),
        (0, 9, Place(1, (10, 5, 40, 20), 0.7)),
        (10, 12, Place(2, (1, 1, 2, 2))),
        (6, 11, Place(1, (30, 5, 40, 15), 0.7)),  # the page where it begins
        (8, 10, None),
        (0, 2, None),
        (12, 14, None),
        (4, 4, None),
    ],
)
def test_a_span_stands_around_the_words_that_it_touches(start: int, end: int, place: Place | None) -> None:
    assert INDEX.find_place(Span(start, end)) == place


@pytest.mark.parametrize(
    ("row", "place"),
    [(1, Place(1, (5, 5, 6, 6), 1.0)), (2, Place(2, (7, 7, 8, 8))), (3, None)],
)
def test_an_empty_cell_stands_where_its_borders_do(row: int, place: Place | None) -> None:
    assert INDEX.find_place(Span(9, 9, 0, row, 2)) == place


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3), st.integers(1, 3)), max_size=12),
    st.integers(0, 60),
    st.integers(0, 9),
)
def test_looking_up_finds_what_looking_at_every_word_does(
    made: list[tuple[int, int, int]], start: int, length: int
) -> None:
    words, at = [], 0
    for size, gap, page in made:
        words.append(InkedText(at + gap, at + gap + size, page, (0, 0, 1, 1)))
        at += gap + size
    index = PaperIndex(Paper(PAGES, tuple(words), {}))
    touched = [word for word in words if word.start < start + length and start < word.end]
    assert list(index.words_under(Span(start, start + length))) == touched


# ---------------------------------------------------------------- a whole record


def test_all_evidence_of_a_record_has_its_place() -> None:
    """A row that fails its sum, one with a lost label, one with an empty cell: flags and candidates as well."""
    printed = numbers(applications__granted__total="77", applications__granted__business="")
    record = process_document(ink_over(print_form(printed)))
    spans = list(all_spans(record))
    assert {flag.code for flag in record.flags} >= {"equation-failed", "ocr-uncertain"}
    assert {span.place.page for span in spans if span.place} == {1}
    assert all(span.place is not None for span in spans)
    in_cells = [span for span in spans if span.table is not None and span.row is not None and span.cell is not None]
    assert {span.place and span.place.box == cell_box(span.table, span.row, span.cell) for span in in_cells} == {True}  # type: ignore[arg-type]
    blank = record.fields["applications.granted.business"]
    assert (blank.state, blank.spans[0].place) == (CellState.BLANK, Place(1, blank.spans[0].place.box, 1.0))  # type: ignore[union-attr]


def test_places_are_all_that_paper_with_a_text_layer_adds() -> None:
    document = print_form(numbers())
    plain = process_document(document)
    placed = process_document(ink_over(document, None, pages=(Page(1, 600, 2000, "pt"),)))
    assert {span.place.confidence for span in all_spans(placed) if span.place} == {None}
    bare = {
        name: replace(field, spans=tuple(replace(span, place=None) for span in field.spans))
        for name, field in placed.fields.items()
    }
    assert bare == plain.fields
    assert placed.model_dump(exclude={"fields", "flags"}) == plain.model_dump(exclude={"fields", "flags"})
    assert [flag.code for flag in placed.flags] == [flag.code for flag in plain.flags]


def test_without_paper_no_span_has_a_place() -> None:
    assert {span.place for span in all_spans(process_document(print_form(numbers())))} == {None}


# ---------------------------------------------------------------- absent rows


def without_row() -> Document:
    printed = {name: text for name, text in numbers().items() if not name.startswith(f"{MERGED}.")}
    return ink_over(print_form(printed))


def named(record: Record, code: str) -> set[str]:
    return {name for flag in record.flags if flag.code == code for name in flag.fields}


def absent_rows(record: Record) -> dict[str, str]:
    return {name: f.decision for name, f in record.fields.items() if f.state is CellState.ROW_ABSENT}


def test_a_row_that_is_nowhere_in_a_table_read_whole_is_absent() -> None:
    record = process_document(without_row())
    assert {name.rpartition(".")[0] for name in absent_rows(record)} == {MERGED}
    assert set(absent_rows(record).values()) == {"accepted"}
    assert record.status is Status.SUCCEEDED


def test_a_page_that_was_not_read_may_hold_the_absent_row() -> None:
    document = without_row()
    assert document.paper is not None
    pages = (*ALL_BY_OCR, Page(2, 600, 800, "px", read_by="failed"))
    notice = make_flag("page-not-read", page=2, problem="too large")
    document = replace(document, paper=replace(document.paper, pages=pages), notices=(notice,))
    record = process_document(document)
    assert set(absent_rows(record).values()) == {"review"}
    assert named(record, "page-not-read") == set(absent_rows(record))
    assert record.status is Status.PARTIAL
    assert record.ledger["page 2"] == "failed"


def test_a_document_with_an_unread_page_is_not_said_to_be_no_report() -> None:
    plain = process_document(replace(print_form(numbers()), blocks=()))
    assert plain.status is Status.NOT_A_REPORT
    paper = Paper((Page(1, 9, 9, "px", read_by="failed"),), (), {})
    assert process_document(replace(print_form(numbers()), blocks=(), paper=paper)).status is Status.PARTIAL


def test_a_line_that_may_have_been_overlooked_may_hide_the_absent_row() -> None:
    document = without_row()
    (span,) = process_document(document).fields[GRANTED].spans
    record = process_document(doubt_cell(document, span, "structure"))
    assert set(absent_rows(record).values()) == {"review"}
    assert set(absent_rows(record)) < named(record, "ocr-uncertain")


def test_ink_that_nobody_could_read_may_be_the_absent_row() -> None:
    """The label of the row is a blot, its cells are empty."""
    label = "2.申请人逾期未按收费通知要求缴纳费用、行政机关不再处理其政府信息公开申请"
    printed = {name: "" if name.startswith(f"{MERGED}.") else text for name, text in numbers().items()}
    document = print_form(printed)
    assert label in document.text
    start = document.text.index(label)
    blotted = "〓".ljust(len(label))
    text, view = (whole[:start] + blotted + whole[start + len(label) :] for whole in (document.text, document.view))
    record = process_document(ink_over(replace(document, text=text, view=view)))
    assert set(absent_rows(record)) == {name for name in printed if name.startswith(f"{MERGED}.")}
    assert set(absent_rows(record).values()) == {"review"}
