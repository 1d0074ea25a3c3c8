"""What an image model is shown: rows of ink in doubt, where the grid shows each of their cells."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import flatten
import pytest

from extractor.chunks import split_chunks
from extractor.model import Document, Doubt, InkedText, Page, Paper
from extractor.pipeline import process_document
from extractor.readers.looks import Looks, choose_looks
from extractor.readers.policy import Policy, choose_asks
from extractor.readers.template import TemplateReader
from tests.sheets import UNREAD, Sheet

A, P, R = "applications", "proactive_disclosure", "review_litigation"
GRANTED, ISSUED = f"{A}.granted.business", f"{P}.normative_documents.issued"


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    return Sheet(flatten.as_printed(flatten.make_values("2021", 1)))


def look_at(document: Document, policy: Policy = "auto") -> Looks:
    chunks = split_chunks(document)
    template = TemplateReader().read(document, chunks)
    return choose_looks(policy, document, chunks, template, process_document(document))


def rows_of(looks: Looks) -> dict[str, tuple[str, ...]]:
    return {look.form.id: tuple(row.row.id for row in look.rows) for look in looks.tables}


@pytest.mark.parametrize("doubt", [doubt for doubt in get_args(Doubt) if doubt != "one_look"])
def test_a_doubted_cell_shows_its_row(sheet: Sheet, doubt: Doubt) -> None:
    assert rows_of(look_at(sheet.document(doubts={GRANTED: doubt}))) == {A: ("granted",)}


def test_a_cell_nobody_could_read_shows_its_row(sheet: Sheet) -> None:
    assert rows_of(look_at(sheet.document({ISSUED: UNREAD}))) == {P: ("normative_documents",)}


def test_rows_of_an_equation_that_fails_are_shown(sheet: Sheet) -> None:
    """A digit of any of them may be misread."""
    shown = rows_of(look_at(sheet.document({GRANTED: "4071"})))[A]
    assert {"granted", "results_total"} <= set(shown)


def test_nothing_is_shown_where_nothing_is_doubted(sheet: Sheet) -> None:
    assert not look_at(sheet.document())


def test_every_row_of_ink_is_shown_where_that_is_wanted(sheet: Sheet) -> None:
    policies: tuple[Policy, ...] = ("both", "llm")
    for policy in policies:
        shown = rows_of(look_at(sheet.document(), policy))
        assert {section: len(rows) for section, rows in shown.items()} == {P: 6, A: 25, R: 3}


def test_of_a_text_layer_only_what_is_no_number_is_shown(sheet: Sheet) -> None:
    """Its characters are certain; an equation that fails fails in print."""
    read = {GRANTED: "4071", ISSUED: UNREAD}
    assert rows_of(look_at(sheet.document(read, by="text_layer"), "both")) == {P: ("normative_documents",)}


def test_nothing_is_shown_by_rules_alone_or_of_sources_without_pages(sheet: Sheet) -> None:
    assert not look_at(sheet.document({GRANTED: UNREAD}), "template")
    assert not look_at(replace(sheet.document({GRANTED: UNREAD}), paper=None), "both")


def test_cells_stand_in_the_order_of_the_columns(sheet: Sheet) -> None:
    document = sheet.document()
    for look in look_at(document, "both").tables:
        for row in look.rows:
            said = [document.text[cell.start : cell.end] for cell in row.cells]
            assert said == [sheet.printed[look.form.field_id(row.row.id, column.id)] for column in row.row.columns]


def test_an_empty_row_is_shown_with_all_its_cells(sheet: Sheet) -> None:
    """Where the header is not read, the rules give all fields of an empty row its first cell."""
    empty = {name: "" for name in sheet.printed if name.startswith(f"{A}.granted.")}
    document = sheet.document(empty)
    document = replace(document, view=document.view.replace("自然人", UNREAD * 3))
    template = TemplateReader().read(document, split_chunks(document))
    assert len({template.candidates[name][0].spans for name in empty}) == 1
    look = next(look for look in look_at(document, "both").tables if look.form.id == A)
    row = next(row for row in look.rows if row.row.id == "granted")
    assert [cell.cell for cell in row.cells] == [3, 4, 5, 6, 7, 8, 9]
    assert len({cell.row for cell in row.cells}) == 1


def test_an_empty_table_of_one_row_whose_groups_are_not_told_apart_is_not_shown(sheet: Sheet) -> None:
    """All fifteen fields have the first cell, and five of the fifteen cells would be a guess."""
    document = sheet.document({name: "" for name in sheet.printed if name.startswith(R)})
    document = replace(document, view=document.view.replace("尚未审结", UNREAD * 4))
    template = TemplateReader().read(document, split_chunks(document))
    spans = {template.candidates[name][0].spans for name in sheet.printed if name.startswith(R)}
    assert len(spans) == 1
    assert R not in rows_of(look_at(document, "both"))


def test_a_row_without_a_cell_for_each_column_is_not_shown(sheet: Sheet) -> None:
    """The grid has lost a rule: nothing could be compared with it."""
    document = sheet.document()
    grids = {block.index: block for block in document.blocks if hasattr(block, "cells")}
    grid = grids[1]
    row = next(cell.row for cell in grid.cells if document.text[cell.start : cell.end] == "（一）予以公开")
    kept = [cell for cell in grid.cells if cell.row != row or cell.column != 5]
    blocks = tuple(replace(grid, cells=tuple(kept)) if block is grid else block for block in document.blocks)
    assert "granted" not in rows_of(look_at(replace(document, blocks=blocks), "both"))[A]


def test_text_is_not_read_again_for_doubts_about_ink_alone(sheet: Sheet) -> None:
    """A model that is given the engine's text sees no ink."""
    document = sheet.document(doubts={GRANTED: "unsure"})
    chunks = split_chunks(document)
    template, draft = TemplateReader().read(document, chunks), process_document(document)
    assert draft.fields[GRANTED].decision == "review"
    assert choose_asks("auto", document, chunks, template, draft).tables == ()


# ---------------------------------------------------------------- whole pages


def add_pages(document: Document, *pages: tuple[str, str]) -> Document:
    """The document with more pages: how each was read, and what stands on it."""
    paper, text = document.paper, document.text
    assert paper is not None
    made, words = list(paper.pages), list(paper.words)
    for by, said in pages:
        number = len(made) + 1
        made.append(Page(number, 595.0, 842.0, "pt", read_by=by))  # type: ignore[arg-type]
        for word in said.split():
            words.append(InkedText(len(text), len(text) + len(word), number, (0.0, 0.0, 9.0, 9.0), 0.9))
            text += word + "\n"
    return replace(document, text=text, view=text, paper=Paper(tuple(made), tuple(words), paper.cells))


def test_pages_that_may_hold_a_table_are_shown_when_one_is_missing(sheet: Sheet) -> None:
    """One with a dozen numbers, and one that failed; not a page of text, nor one with a text layer."""
    document = Sheet(sheet.printed, parts=(P, A)).document()
    numbers = " ".join(map(str, range(11))) + " " + UNREAD
    looks = look_at(
        add_pages(document, ("ocr", numbers), ("ocr", "存在问题 2023年"), ("text_layer", numbers), ("failed", ""))
    )
    assert (looks.pages, looks.missing) == ((2, 5), (R,))
    assert looks.form is not None
    assert looks.form.generation == "2021"


def test_no_whole_page_is_shown_when_every_table_was_found(sheet: Sheet) -> None:
    assert not look_at(add_pages(sheet.document(), ("failed", ""))).pages
