from __future__ import annotations

from decimal import Decimal

import pytest

from extractor.forms import load_forms
from extractor.model import Candidate, CellState, Record, RecordField, Suggestion, Word
from extractor.pipeline import process_document
from extractor.settings import Settings
from extractor.sources import read_document
from extractor.store.shapes import Item
from extractor.web.pages.cells import show_word
from extractor.web.pages.drawing import draw_cell
from extractor.web.pages.form import build_skeletons
from extractor.web.pages.harmless import make_harmless
from extractor.web.pages.item_view import list_asked, view_form, view_source
from extractor.web.pages.source import mark_lines
from extractor.web.pages.sums import find_failed_sums
from extractor.web.pages.words import Words

from .conftest import _FIXTURES, LOST, build_report

WORDS = Words.of("en")


@pytest.fixture(scope="module")
def report() -> tuple[Record, str]:
    document = read_document(build_report().encode(), "sums.html", Settings())
    return process_document(document, ()), document.text


@pytest.fixture(scope="module")
def lost() -> tuple[Record, str]:
    document = read_document((_FIXTURES / LOST).read_bytes(), LOST, Settings())
    return process_document(document, ()), document.text


@pytest.mark.parametrize("generation", ["2021", "2019"])
def test_the_tables_hold_every_field_of_the_form_once(generation):
    for name, section in load_forms().generations[generation].sections.items():
        drawn = [field for table in build_skeletons(name, generation) for row in table.rows for field in row.fields]
        assert drawn == [item.id for item in section.fields]


def test_the_group_label_stands_over_its_columns():
    (table,) = build_skeletons("applications", "2021")
    assert table.overs == [("", 1), ("法人或其他组织", 5), ("", 1)]


def test_failed_sums_run_along_their_row_and_down_their_column(report):
    record, _ = report
    sums = find_failed_sums(record)
    row, column = sums["E3[granted]"], sums["E2[natural_person]"]
    assert (row.is_row, row.along, row.left, row.relation, row.right, row.residual) == (
        True, "applications.granted", "10", "≠", "8", "+2",
    )  # fmt: skip
    assert (column.is_row, column.along, column.left, column.right) == (
        False,
        "applications.natural_person",
        "13",
        "11",
    )


def test_the_form_draws_them_where_they_fail(report):
    record, _ = report
    (table,) = next(section for section in view_form(record).sections if section.id == "applications").tables
    assert [row.bone.id for row in table.rows if row.sums] == ["applications.granted"]
    assert [one.id if one else None for one in table.feet[0]] == ["E2[natural_person]", *[None] * 6]
    cell = next(cell for row in table.rows for cell in row.cells if cell.field == "applications.granted.natural_person")
    assert (cell.reason, cell.sign, cell.lines) == ("sum", "≠", "along-column along-row")


def test_surviving_numbers_stand_beside_their_row_each_once(lost):
    record, _ = lost
    sections = {section.id: section for section in view_form(record).sections}
    assert sections["applications"].tables[0].rows[0].unplaced == ("0",)
    first, *others = sections["review_litigation"].tables[0].rows
    assert (first.unplaced, [row.unplaced for row in others]) == (("0", "0", "0"), [(), ()])


def test_the_marked_text_is_the_text(lost):
    record, text = lost
    asked = [name for name in record.fields if name.startswith("applications.")]
    lines = mark_lines(text, record, asked)
    assert "\n".join("".join(piece.text for piece in line.pieces) for line in lines) == text
    marked = {(piece.start, piece.end) for line in lines for piece in line.pieces if piece.kind == "asked"}
    assert marked
    assert all(text[start:end] == "0" for start, end in marked)


def test_of_a_very_long_text_the_surroundings_of_what_is_asked_are_shown(report):
    record, text = report
    long = text + "\n一行" * 9000
    lines = mark_lines(long, record, ["applications.granted.natural_person"])
    assert len(lines) < 200
    assert lines[-1].number == 0
    assert any(piece.kind == "asked" and piece.text == "8" for line in lines for piece in line.pieces)


def test_a_web_page_can_be_looked_at_as_one(report, lost):
    assert view_source("d", report[0], report[1], ()).panes == ("text", "frame")
    assert view_source("d", lost[0], lost[1], ()).panes == ("text",)


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        (Word(CellState.VALUE, 8, "8件"), ("8", "8件", "")),
        (Word(CellState.VALUE, 1200, "1,200"), ("1200", "", "")),
        (Word(CellState.VALUE, Decimal("0.000001"), "0.000001"), ("0.000001", "", "")),
        (Word(CellState.BLANK), ("·", "", "state.blank")),
        (Word(CellState.NA_MARK, None, "/"), ("/", "", "")),
        (Word(CellState.INFERRED_BY_EQUATION, 3), ("≈3", "", "state.inferred_by_equation")),
        (Word(CellState.UNPARSABLE, None, "x y"), ("✗", "x y", "state.unparsable")),
    ],
)
def test_a_word_is_shown_as_printed_and_a_blank_never_as_0(word, shown):
    assert show_word(word) == shown


def test_a_drawn_cell_says_its_reason_in_words_and_escapes_what_is_printed(report):
    record, _ = report
    form = view_form(record, ["applications.granted.natural_person"])
    cells = [cell for part in form.sections for table in part.tables for row in table.rows for cell in row.cells]
    cell = next(cell for cell in cells if cell.is_asked)
    drawn = draw_cell(cell._replace(note="<b>"), WORDS)
    assert "in a failed equation" in drawn
    assert "<b>" not in drawn


def test_a_scraped_page_keeps_its_table_and_nothing_that_acts():
    harmless = make_harmless(build_report().encode())
    assert "<td>16</td>" in harmless
    assert "某市水务局" in harmless
    body = harmless.partition("<body>")[2].lower()
    for bad in ("<script", "<style", "<img", "<iframe", "<form", "<meta", "<a ", "onclick", "style=", "http:", "alert"):
        assert bad not in body


def test_what_is_proposed_is_what_could_be_printed(report):
    record, _ = report
    item = RecordField(
        CellState.INFERRED_BY_EQUATION,
        value=8,
        raw="8",
        spans=(),
        reader="template",
        decision="review",
        candidates=(
            Candidate(CellState.UNPARSABLE, raw="801"),
            Candidate(CellState.VALUE, 80, raw="80件", reader="llm"),
        ),
        suggestions=(Suggestion(81, "single-cell", "E3"),),
    )
    field = "applications.granted.business"
    item_of_queue = dict.fromkeys(Item.__dataclass_fields__) | {"kind": "glued", "fields": (field,)}
    changed = record.model_copy(update={"fields": {**record.fields, field: item}})
    (one,) = list_asked(Item(**item_of_queue), changed, WORDS)
    assert [(proposal.text, proposal.by) for proposal in one.proposals] == [
        ("8", "inferred"),
        ("81", "one cell changed"),
        ("80件", "model"),
    ]
    assert not one.can_accept
