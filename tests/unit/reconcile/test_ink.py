"""What ink is believed: looked at twice, or vouched for by sums; and who may clear a doubt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import flatten
import pytest

from extractor.chunks import split_chunks
from extractor.model import CellState, Document, Doubt, Flag, Grid, Page, Record
from extractor.pipeline import process_document
from extractor.readers.template import TemplateReader
from extractor.reconcile import (
    Merged,
    evaluate_equations,
    examine_ink,
    explain_failures,
    flag_doubts,
    flag_unconfirmed,
    merge_readings,
)
from extractor.settings import Settings
from extractor.sources import read_document
from tests.unit.readers.llm.scripted import numbers
from tests.unit.reconcile.inked import change_words, doubt_cell, ink_over, print_form

A, P, R = "applications", "proactive_disclosure", "review_litigation"
ZEROS = dict.fromkeys(numbers(), "0")
BUSINESS, TOTAL = f"{A}.granted.business", f"{A}.granted.total"


def spans_of(document: Document, *names: str) -> tuple:  # type: ignore[type-arg]
    fields = process_document(document).fields
    return tuple(span for name in names for span in fields[name].spans)


def read(printed: dict[str, str], **ink: object) -> Document:
    return ink_over(print_form(printed), **ink)  # type: ignore[arg-type]


def doubt(document: Document, names: Iterable[str], doubt: Doubt, confidence: float = 0.99) -> Document:
    return change_words(document, spans_of(document, *names), doubt=doubt, confidence=confidence)


def named(record: Record, code: str) -> set[str]:
    return {name for flag in record.flags if flag.code == code for name in flag.fields}


def review(record: Record) -> set[str]:
    return {name for name, field in record.fields.items() if field.decision == "review"}


def cells(record: Record, section: str) -> set[str]:
    return {name for name in record.fields if name.startswith(f"{section}.")}


# ---------------------------------------------------------------- doubts


def test_what_was_looked_at_twice_and_is_not_doubted_is_accepted_without_any_sum() -> None:
    assert review(process_document(read(numbers()))) == set()


@pytest.mark.parametrize("kind", ["unsure", "looks_differ"])
def test_a_doubted_number_is_for_review_whatever_the_sums_say(kind: Doubt) -> None:
    document = doubt(read(numbers()), [BUSINESS, TOTAL, f"{R}.review.total"], kind)
    record = process_document(document)
    assert review(record) == {BUSINESS, TOTAL, f"{R}.review.total"}
    flags = [flag for flag in record.flags if flag.code == "ocr-uncertain"]
    assert [flag.fields for flag in flags] == [(BUSINESS, TOTAL), (f"{R}.review.total",)]  # one for each table
    assert [span.place is not None for flag in flags for span in flag.spans] == [True] * 3


def test_each_kind_of_doubt_is_told_apart() -> None:
    document = doubt(doubt(read(numbers()), [BUSINESS], "unsure"), [TOTAL], "looks_differ")
    flags = [flag for flag in process_document(document).flags if flag.code == "ocr-uncertain"]
    assert [flag.fields for flag in flags] == [(TOTAL,), (BUSINESS,)]
    assert len({flag.message for flag in flags}) == 2


@pytest.mark.parametrize("pages", [(Page(1, 9, 9, "px", read_by="ocr"),), (Page(1, 9, 9, "pt"),)])
def test_a_cell_whose_borders_are_doubted_is_for_review_even_with_a_text_layer(pages: tuple[Page, ...]) -> None:
    by_ocr = pages[0].read_by == "ocr"
    document = read(numbers(), pages=pages, confidence=0.99 if by_ocr else None)
    (span,) = spans_of(document, BUSINESS)
    assert review(process_document(doubt_cell(document, span, "structure"))) == {BUSINESS}


def test_a_label_whose_cell_is_doubted_may_be_another_rows() -> None:
    document = read(numbers())
    (span,) = spans_of(document, f"{A}.granted.natural_person")
    record = process_document(doubt_cell(document, span, "structure", beside=-2))  # the label spans two columns
    assert review(record) == {name for name in record.fields if name.startswith(f"{A}.granted.")}


def test_a_label_whose_characters_are_doubted_is_one_of_the_forms_all_the_same() -> None:
    document = read(numbers())
    start = document.text.index("（一）予以公开")
    words = tuple(
        word._replace(doubt="unsure", confidence=0.5) if word.start == start else word
        for word in document.paper.words  # type: ignore[union-attr]
    )
    document = replace(document, paper=replace(document.paper, words=words))  # type: ignore[type-var]
    assert [word.doubt for word in document.paper.words].count("unsure") == 1  # type: ignore[union-attr]
    assert review(process_document(document)) == set()


def test_an_empty_cell_is_blank_where_nothing_doubts_it() -> None:
    document = read({**ZEROS, f"{P}.penalties.decisions": "", f"{P}.coercion.decisions": ""})
    (span,) = spans_of(document, f"{P}.penalties.decisions")
    record = process_document(doubt_cell(document, span, "faint"))
    assert record.fields[f"{P}.penalties.decisions"].state is CellState.BLANK
    assert review(record) == {f"{P}.penalties.decisions"}
    assert named(record, "ocr-uncertain") == {f"{P}.penalties.decisions"}


def test_of_an_empty_row_every_cell_is_looked_at() -> None:
    """Where the header does not tell the columns, its first cell stands for the row."""
    document = print_form({**ZEROS, **{name: "" for name in ZEROS if name.startswith(f"{A}.granted.")}})
    view = document.view.replace("自然人", "某某某").replace("商业企业", "某某某某").replace("科研机构", "某某某某")
    document = ink_over(replace(document, view=view))
    spans = spans_of(document, *(name for name in ZEROS if name.startswith(f"{A}.granted.")))
    assert len(set(spans)) == 1
    record = process_document(doubt_cell(document, spans[0], "faint", beside=4))
    assert named(record, "ocr-uncertain") == {name for name in ZEROS if name.startswith(f"{A}.granted.")}


@pytest.mark.parametrize(("confidence", "decision"), [(0.95, "accepted"), (0.85, "review")])
def test_facts_outside_the_tables_need_ink_that_is_clear(confidence: float, decision: str) -> None:
    document = read(numbers())
    (span,) = spans_of(document, "header.title")
    record = process_document(change_words(document, (span,), confidence=confidence))
    assert record.fields["header.title"].decision == decision


@pytest.mark.parametrize(("read_as", "decision"), [("政", "accepted"), ("財", "review")])
def test_a_name_with_a_character_that_official_texts_do_not_have_is_for_review(read_as: str, decision: str) -> None:
    printed = print_form(numbers())
    view = printed.view.replace("民政局2023年", f"民{read_as}局2023年")
    text = printed.text.replace("民政局2023年", f"民{read_as}局2023年")
    record = process_document(ink_over(replace(printed, text=text, view=view)))
    assert f"民{read_as}局" in str(record.fields["header.title"].value)
    assert record.fields["header.title"].decision == decision


# ---------------------------------------------------------------- one look


def test_numbers_seen_once_are_vouched_for_by_sums() -> None:
    record = process_document(read(numbers(), doubt="one_look"))
    assert review(record) & cells(record, A) == set()
    assert cells(record, P) <= named(record, "ocr-unconfirmed")  # 二 has no sums
    assert review(record) == named(record, "ocr-unconfirmed")
    assert all(len({name.partition(".")[0] for name in flag.fields}) == 1 for flag in record.flags)


def litigation(**values: str) -> dict[str, str]:
    return ZEROS | {f"{R}.review.{name}": text for name, text in values.items()}


def test_a_figure_printed_twice_may_be_misread_alike_twice() -> None:
    """四 has row sums only: 1 = 1 and 7 = 7 hold both."""
    once, other = f"{R}.review.upheld", f"{R}.review.total"
    document = read(litigation(upheld="7", total="7"))
    assert review(process_document(doubt(document, [once, other], "one_look"))) == {once, other}
    assert review(process_document(doubt(document, [once], "one_look"))) == set()  # the total was looked at twice
    summed = read(litigation(upheld="7", corrected="2", total="9"))
    assert review(process_document(doubt(summed, cells(process_document(summed), R), "one_look"))) == set()


def test_a_witness_that_is_doubted_itself_is_none() -> None:
    once, *others = (f"{R}.review.{name}" for name in ("upheld", "corrected", "total"))
    document = read(litigation(upheld="7", corrected="2", total="9"))
    document = doubt(doubt(document, [once], "one_look"), others, "looks_differ")
    assert named(process_document(document), "ocr-unconfirmed") == {once}


def test_in_the_large_table_a_lone_application_is_vouched_for_by_row_and_column() -> None:
    one = [
        f"{A}.{row}.{column}"
        for row in ("new_received", "granted", "results_total")
        for column in ("business", "total")
    ]
    document = read(ZEROS | dict.fromkeys(one, "1"))
    assert review(process_document(doubt(document, one, "one_look"))) == set()


@pytest.mark.parametrize("state", ["0", "/"])
@pytest.mark.parametrize(("confidence", "is_accepted"), [(0.95, True), (0.85, False)])
def test_a_0_seen_once_must_be_clear_for_no_sum_tells_it_from_nothing(
    state: str, confidence: float, is_accepted: bool
) -> None:
    document = doubt(read(ZEROS | {BUSINESS: state}), [BUSINESS], "one_look", confidence)
    assert review(process_document(document)) == (set() if is_accepted else {BUSINESS})


def test_where_a_sum_fails_none_of_its_numbers_is_vouched_for() -> None:
    printed = numbers()
    printed[TOTAL] = str(int(printed[TOTAL]) + 1)
    record = process_document(read(printed, doubt="one_look"))
    row = {name for name in record.fields if name.startswith(f"{A}.granted.")}
    assert row < named(record, "ocr-unconfirmed")


def test_an_empty_cell_counts_as_nothing_when_it_comes_to_vouching() -> None:
    row = {name: "" for name in ZEROS if name.startswith(f"{R}.review.")}
    document = read(ZEROS | row | {f"{R}.review.upheld": "7", f"{R}.review.pending": "2", f"{R}.review.total": "9"})
    record = process_document(doubt(document, [f"{R}.review.upheld", f"{R}.review.total"], "one_look"))
    assert {result.result for result in record.equations if result.id == "E4[review]"} == {"not_evaluable"}
    assert review(record) == set()


def test_a_sum_that_only_empty_cells_keep_from_failing_doubts_all_of_its_ink() -> None:
    """The 2 was too faint for the engine, or the total is misread twice."""
    row = {name: "" for name in ZEROS if name.startswith(f"{R}.review.")}
    printed = ZEROS | row | {f"{R}.review.upheld": "7", f"{R}.review.total": "9"}
    assert review(process_document(read(printed))) == set(row)
    assert review(process_document(print_form(printed))) == set()  # nothing was overlooked where text gives it


# ---------------------------------------------------------------- who saw the ink


def merge(document: Document, confirmed_by: tuple[str, ...] = (), reader: str = "template") -> dict[str, Merged]:
    merged = merge_readings([TemplateReader().read(document, split_chunks(document))])
    return {name: Merged(replace(entry.printed, reader=reader), (), confirmed_by) for name, entry in merged.items()}


def judge(document: Document, merged: dict[str, Merged]) -> list[Flag]:
    generation = dict.fromkeys((P, A, R), "2021")
    ink = examine_ink(merged, document)
    equations = evaluate_equations(merged, generation)
    return [*flag_doubts(ink), *flag_unconfirmed(ink, merged, generation, equations)]


@pytest.mark.parametrize(
    ("confirmed_by", "reader", "is_cleared"),
    [(("llm",), "template", False), (("llm", "vision"), "template", True), ((), "vision", False), ((), "person", True)],
)
@pytest.mark.parametrize("kind", ["unsure", "one_look", "structure"])
def test_only_who_saw_the_image_clears_a_doubt(
    kind: Doubt, confirmed_by: tuple[str, ...], reader: str, is_cleared: bool
) -> None:
    cell = f"{P}.penalties.decisions"
    document = read(numbers())
    (span,) = spans_of(document, cell)
    document = doubt_cell(document, span, kind) if kind == "structure" else doubt(document, [cell], kind)
    doubted = {name for flag in judge(document, merge(document, confirmed_by, reader)) for name in flag.fields}
    assert doubted == (set() if is_cleared else {cell})


@pytest.mark.parametrize(
    ("is_ink", "confirmed_by", "verdict"),
    [
        (True, ("llm",), "inconclusive"),
        (True, ("vision",), "source_inconsistent"),
        (False, ("llm",), "source_inconsistent"),
    ],
)
def test_a_report_is_not_blamed_on_the_word_of_the_engine_alone(
    is_ink: bool, confirmed_by: tuple[str, ...], verdict: str
) -> None:
    printed = numbers()
    printed[TOTAL] = str(int(printed[TOTAL]) + 1)
    document = read(printed) if is_ink else print_form(printed)
    merged = merge(document, confirmed_by)
    generation = dict.fromkeys((P, A, R), "2021")
    findings = explain_failures(
        merged, generation, evaluate_equations(merged, generation), (), examine_ink(merged, document)
    )
    assert {result.verdict for result in findings.equations if result.result == "fail"} == {verdict}


# ---------------------------------------------------------------- tables without rules, rows without a rule between


def test_numbers_of_a_table_without_rules_are_seen_once() -> None:
    """The same report as lines of words: nobody looked at a cell twice, and no sum vouches for section two."""
    printed = {**ZEROS, f"{P}.penalties.decisions": "12"}
    text = read_document(flatten.spaced_rows(flatten.build_tables("2021", printed)), "scan", Settings())
    record = process_document(ink_over(text))
    assert cells(record, P) <= review(record)
    assert named(record, "ocr-unconfirmed") >= cells(record, P)
    with_rules = process_document(read(printed))
    assert review(with_rules) == set()


def test_in_section_two_one_doubted_cell_may_have_moved_its_whole_row() -> None:
    """No sum tells; in section three the others stay what they are."""
    document = read(numbers())
    for name, same_row in (
        (f"{P}.regulations.issued", f"{P}.regulations."),
        (BUSINESS, BUSINESS),
    ):
        (span,) = spans_of(document, name)
        record = process_document(doubt_cell(document, span, "structure"))
        assert review(record) == {one for one in record.fields if one.startswith(same_row)}


def test_labels_of_two_rows_in_one_doubted_cell_may_be_the_other_rows() -> None:
    document = read(numbers())
    first, second = (spans_of(document, f"{A}.{row}.natural_person")[0] for row in ("new_received", "carried_in"))
    (grid,) = (block for block in document.blocks if isinstance(block, Grid) and block.index == first.table)
    merged = tuple(
        cell._replace(row_span=2) if cell.row == first.row and cell.column == 0 else cell
        for cell in grid.cells
        if not (cell.row == second.row and cell.column == 0)
    )
    blocks = tuple(replace(block, cells=merged) if block is grid else block for block in document.blocks)
    document = doubt_cell(replace(document, blocks=blocks), first, "structure", beside=-3)
    record = process_document(document)
    rows = {name for name in record.fields if name.startswith((f"{A}.new_received.", f"{A}.carried_in."))}
    assert rows <= review(record)
