"""Which pieces of paper show which rows: few, bounded, with the header, and without what a model should not read."""

from __future__ import annotations

from dataclasses import replace

import flatten
import pytest

from extractor.forms import load_forms
from extractor.model import Box, CellPlace, Document, Paper
from extractor.readers.llm.sights import Sight, plan_sights
from extractor.readers.looks import RowLook, TableLook
from tests.sheets import PlacedTable, Sheet
from tests.unit.readers.llm.scripted import chunk_of
from tests.unit.readers.test_looks import look_at

A, P, R = "applications", "proactive_disclosure", "review_litigation"


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    return Sheet(flatten.as_printed(flatten.make_values("2021", 1)))


@pytest.fixture(scope="module")
def document(sheet: Sheet) -> Document:
    return sheet.document()


def plan(document: Document, section: str, rows: list[str] | None = None) -> tuple[Sight, ...]:
    look = next(look for look in look_at(document, "both").tables if look.form.id == section)
    wanted = look.rows if rows is None else tuple(row for row in look.rows if row.row.id in rows)
    assert document.paper is not None
    return plan_sights(document, document.paper, replace(look, rows=wanted))


def table_of(sheet: Sheet, section: str) -> PlacedTable:
    return next(table for table in sheet.tables if table.section == section)


def box_of(sheet: Sheet, section: str, text: str) -> Box:
    return next(placed.box for placed in table_of(sheet, section).cells if placed.text == text)


def holds(outer: Box, inner: Box) -> bool:
    return outer[0] <= inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


def shows(sight: Sight, box: Box) -> bool:
    return any(holds(piece.box, box) for piece in sight.pieces)


@pytest.mark.parametrize("section", [A, P, R])
def test_every_row_is_shown_once_with_its_label_and_all_its_cells(
    sheet: Sheet, document: Document, section: str
) -> None:
    sights = plan(document, section)
    assert document.paper is not None
    rows = [row for sight in sights for row in sight.rows]
    form = load_forms().generations["2021"].sections[section]
    assert [row.row.id for row in rows] == list(form.rows_by_id)
    for sight in sights:
        for row in sight.rows:
            places = [document.paper.cells[cell.table or 0, cell.row or 0, cell.cell or 0] for cell in row.cells]
            assert any(all(holds(piece.box, place.box) for place in places) for piece in sight.pieces)
            label = next(
                (one for one in table_of(sheet, section).cells if one.text in row.row.labels and not one.is_value), None
            )
            assert label is not None
            assert shows(sight, label.box)


@pytest.mark.parametrize(("section", "head"), [(A, "商业企业"), (A, "总计"), (R, "尚未审结")])
def test_every_sight_has_the_header(sheet: Sheet, document: Document, section: str, head: str) -> None:
    for sight in plan(document, section):
        assert sight.has_header
        assert shows(sight, box_of(sheet, section, head))


def test_each_part_of_section_two_has_its_own_header(sheet: Sheet, document: Document) -> None:
    """规章 stands under 本年制发件数, 行政许可 under 本年处理决定数量."""
    (upper,) = plan(document, P, ["regulations"])
    (lower,) = plan(document, P, ["penalties"])
    assert shows(upper, box_of(sheet, P, "本年制发件数"))
    assert not shows(lower, box_of(sheet, P, "本年制发件数"))
    heads = [placed.box for placed in table_of(sheet, P).cells if placed.text == "本年处理决定数量"]
    assert shows(lower, heads[1])


def test_the_note_on_what_adds_up_is_in_no_piece(sheet: Sheet, document: Document) -> None:
    _, _, right, bottom = table_of(sheet, A).cells[0].box
    for sight in plan(document, A):
        for piece in sight.pieces:
            is_beside = piece.box[0] >= right - 3
            is_below = piece.box[1] >= bottom - 3
            assert is_beside or is_below


def test_neighbouring_rows_are_one_piece_and_distant_ones_are_not(document: Document) -> None:
    (near,) = plan(document, A, ["granted", "refused.state_secret"])
    (far,) = plan(document, A, ["granted", "carried_out"])
    assert len(near.pieces) == 2  # header and one strip
    assert len(far.pieces) == 3


def test_a_call_shows_a_bounded_number_of_rows_and_pieces(document: Document) -> None:
    scattered = [row.id for row in load_forms().generations["2021"].sections[A].rows][::5]
    for sights in (plan(document, A), plan(document, A, scattered)):
        assert len(sights) > 1
        assert all(len(sight.rows) <= 13 and len(sight.pieces) <= 4 for sight in sights)


def test_a_label_over_many_rows_does_not_widen_a_strip(sheet: Sheet, document: Document) -> None:
    """三、本年度办理结果 stands beside 23 rows; a strip over one of them begins at the row's own label."""
    (sight,) = plan(document, A, ["refused.state_secret"])
    strip = sight.pieces[-1].box
    assert holds(strip, box_of(sheet, A, "1.属于国家秘密"))
    assert strip[3] - strip[1] < 25
    assert strip[0] > box_of(sheet, A, "三、本年度办理结果")[0] + 5


def test_rows_on_the_next_page_are_pieces_of_that_page(document: Document) -> None:
    """The header stands on the first page."""
    paper = document.paper
    assert paper is not None
    second = replace(paper.pages[0], number=2)
    moved = {
        key: CellPlace(2, place.box) if key[0] == 1 and key[1] >= 10 else place for key, place in paper.cells.items()
    }
    torn = replace(document, paper=Paper((*paper.pages, second), paper.words, moved))
    for sight in plan(torn, A):
        for row in sight.rows:
            places = [moved[cell.table or 0, cell.row or 0, cell.cell or 0] for cell in row.cells]
            own = [piece.box for piece in sight.pieces if piece.page == places[0].page]
            assert any(all(holds(box, place.box) for place in places) for box in own)
    last = plan(torn, A, ["results_total"])[0]
    assert [piece.page for piece in last.pieces] == [1, 2]


def test_pieces_stay_on_the_page(document: Document) -> None:
    paper = document.paper
    assert paper is not None
    tight = replace(paper.pages[0], width=555.0, height=835.0)
    document = replace(document, paper=Paper((tight,), paper.words, paper.cells))
    for section in (A, P, R):
        for sight in plan(document, section):
            for piece in sight.pieces:
                assert 0 <= piece.box[0] < piece.box[2] <= 555.0
                assert 0 <= piece.box[1] < piece.box[3] <= 835.0


def test_without_a_header_the_rows_are_shown_all_the_same(document: Document) -> None:
    """The engine read none of the names of the columns."""
    form = load_forms().generations["2021"].sections[A]
    view = document.view
    for column in form.columns:
        for label in column.labels:
            view = view.replace(label, "〓" * len(label))
    blind = replace(document, view=view)
    look = next(look for look in look_at(document, "both").tables if look.form.id == A)
    rows = tuple(RowLook(row.row, row.cells) for row in look.rows[:1])
    assert document.paper is not None
    (sight,) = plan_sights(blind, document.paper, TableLook(form, "2021", chunk_of(document, A), rows))
    assert not sight.has_header
    assert len(sight.pieces) == 1
