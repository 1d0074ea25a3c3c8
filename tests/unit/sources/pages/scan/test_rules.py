"""Ruled tables found on drawn forms, clean and damaged; what is drawn says which cells there are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from extractor.sources.pages.scan.rules import RuledTable, find_ruled_tables
from extractor.sources.pages.scan.slots import cut_cells
from extractor.sources.pages.scan.upright import Straight
from tests.unit.sources.pages.scan.drawn_forms import CELLS, Form, Image, add_grain, compress, draw_form


@pytest.fixture(scope="module")
def form() -> Form:
    return draw_form()


def lay(image: Image) -> Straight:
    """A page that is straight already."""
    return Straight(image, np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8), np.eye(3), 0)


def find_one(image: Image) -> RuledTable:
    (table,) = find_ruled_tables(lay(image), [])
    return table


def places(table: RuledTable) -> list[tuple[int, int, int, int]]:
    return [cell[:4] for cell in table.cells]


def wipe(form: Form, cell: int, side: str, image: Image | None = None) -> Image:
    """The page without the rule at one side of a cell, from crossing to crossing."""
    given = (form.image if image is None else image).copy()
    left, top, right, bottom = (round(value) for value in form.boxes[cell])
    if side == "right":
        given[top + 3 : bottom - 2, right - 3 : right + 4] = 255
    else:
        given[bottom - 3 : bottom + 4, left + 3 : right - 2] = 255
    return given


@pytest.mark.parametrize("dpi", [150, 200, 300])
@pytest.mark.parametrize("width", [0.3, 1.5])
def test_cells_and_their_spans(dpi: int, width: float) -> None:
    drawn = draw_form(dpi, width)
    table = find_one(drawn.image)
    assert places(table) == sorted(CELLS)
    boxes = dict(zip(CELLS, drawn.boxes, strict=True))
    for cell in table.cells:
        assert cell.box == pytest.approx(boxes[cell[:4]], abs=0.02 * dpi)
    assert all(cell.is_sure for cell in table.cells)


def test_every_slot_is_in_exactly_one_cell(form: Form) -> None:
    table = find_one(wipe(form, 10, "right", wipe(form, 12, "bottom")))
    slots = [
        (row, column)
        for cell in table.cells
        for row in range(cell.row, cell.row + cell.row_span)
        for column in range(cell.column, cell.column + cell.column_span)
    ]
    assert sorted(slots) == [(r, c) for r in range(len(table.rows) - 1) for c in range(len(table.columns) - 1)]


@pytest.mark.parametrize("grey", [150, 200])
def test_faint_rules_in_grain_and_jpeg(form: Form, grey: int) -> None:
    faint = np.where(form.image < 250, np.maximum(form.image, grey), 255).astype(np.uint8)
    assert places(find_one(compress(add_grain(faint, 4), 60))) == sorted(CELLS)


def test_broken_rules_are_joined_and_called_unsure(form: Form) -> None:
    broken = form.image.copy()
    left, top, right, _ = (round(value) for value in form.boxes[12])
    broken[top - 3 : top + 4, left + 10 : left + (right - left) // 2] = 255
    table = find_one(broken)
    assert places(table) == sorted(CELLS)
    unsure = [cell[:4] for cell in table.cells if not cell.is_sure]
    above = [
        cell[:4] for cell in table.cells if cell.row + cell.row_span == CELLS[12][0] and cell.column == CELLS[12][1]
    ]
    assert sorted(unsure) == sorted([*above, CELLS[12]])


def test_a_lost_rule_joins_two_cells_into_a_rectangle(form: Form) -> None:
    number = CELLS.index((4, 3, 1, 1))
    table = find_one(wipe(form, number, "right"))
    assert (4, 3, 1, 2) in places(table)
    assert len(table.cells) == len(CELLS) - 1


def test_a_page_break_without_a_rule_closes_the_table(form: Form) -> None:
    cut = form.image.copy()
    bottom = round(form.boxes[-1][3])
    cut[bottom - 2 : bottom + 3] = 255
    table = find_one(cut)
    assert places(table) == sorted(CELLS)
    assert table.rows[-1] == pytest.approx(bottom, abs=6)


def test_a_scratch_does_not_split_cells_in_silence(form: Form) -> None:
    scratched = form.image.copy()
    left, top, right, bottom = (round(value) for value in form.boxes[13])
    cv2.line(scratched, ((left + right) // 2, top - 12), ((left + right) // 2, bottom + 9), (60, 60, 60), 1)
    table = find_one(scratched)
    assert places(table) == sorted(CELLS) or not all(cell.is_sure for cell in table.cells)


def test_a_frame_and_underlined_text_are_no_tables(form: Form) -> None:
    page = form.image[: round(140 * 150 / 72)].copy()
    cv2.rectangle(page, (40, 20), (1100, 280), (0, 0, 0), 2)
    cv2.line(page, (100, 230), (500, 230), (0, 0, 0), 2)
    assert find_ruled_tables(lay(page), []) == []


def test_doubled_and_bent_rules(form: Form) -> None:
    doubled = np.minimum(form.image, np.roll(form.image, (4, 4), axis=(0, 1)))
    height, width = form.image.shape[:2]
    y, x = (each.astype(np.float32) for each in np.mgrid[:height, :width])
    bent = cv2.remap(form.image, x, y + 3 * np.sin(x / width * np.pi).astype(np.float32), cv2.INTER_LINEAR)
    assert places(find_one(doubled)) == sorted(CELLS)
    assert places(find_one(np.asarray(bent, dtype=np.uint8))) == sorted(CELLS)


def test_the_dense_table_of_a_real_report(corpus: Path) -> None:
    import pymupdf

    with pymupdf.open(corpus / "docs" / "001_huaian_city_2024.pdf") as document:
        pixels = document[3].get_pixmap(dpi=150)
    image = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.h, pixels.w, 3)[:, :, ::-1].copy()
    tables = find_ruled_tables(lay(image), [])
    sizes = [(len(table.rows) - 1, len(table.columns) - 1, len(table.cells)) for table in tables]
    assert sizes == [(6, 2, 11), (16, 10, 117)]
    assert all(cell.is_sure for table in tables for cell in table.cells)


def test_a_hole_through_which_cells_run_into_each_other_is_closed_where_most_ink_is() -> None:
    rows, columns = np.ones((3, 3)), np.ones((4, 2))
    rows[1, 0] = 0.0  # the first two cells of the first column are one
    columns[1, 1] = 0.4  # and a worn rule would let them run into the third
    slots = cut_cells(rows, columns)
    assert slots.boxes == ((0, 0, 2, 1), (0, 1, 1, 2), (0, 2, 1, 3), (1, 1, 2, 2), (1, 2, 2, 3))
    assert slots.is_forced == (True, False, False, False, False)


def test_cells_that_no_ink_keeps_apart_are_cut_into_rectangles() -> None:
    rows, columns = np.ones((3, 2)), np.ones((3, 2))
    rows[1, 0] = columns[1, 1] = 0.0
    slots = cut_cells(rows, columns)
    assert sorted(slots.boxes) == [(0, 0, 1, 1), (0, 1, 1, 2), (1, 0, 2, 2)]
    assert (slots.owner >= 0).all()


def test_a_rule_with_text_pressed_against_it_is_found(form: Form) -> None:
    pressed = form.image.copy()
    x = round(form.boxes[CELLS.index((2, 4, 1, 1))][0])
    for box in form.boxes:
        if round(box[0]) == x and box[3] - box[1] < 60:
            top, bottom = round(box[1]), round(box[3])
            cv2.line(pressed, (x + 3, top + 6), (x + 12, bottom - 6), (0, 0, 0), 2)
            cv2.line(pressed, (x - 12, top + 6), (x - 3, bottom - 6), (0, 0, 0), 2)
    assert places(find_one(pressed)) == sorted(CELLS)


def test_rules_that_shine_through_from_the_other_side_are_none(form: Form) -> None:
    paper = cv2.flip(form.image, 1)
    other_side = 255 - (255 - np.roll(paper, (23, 31), axis=(0, 1)).astype(np.int16)) // 14
    both = np.asarray(np.minimum(form.image, other_side), dtype=np.uint8)
    assert places(find_one(both)) == sorted(CELLS)


def test_a_scratch_beside_a_rule_is_no_rule(form: Form) -> None:
    """A mark as long as a row is high or a column is wide, closer to a rule than any other rule is."""
    scratched = form.image.copy()
    left, top, right, bottom = (round(value) for value in form.boxes[CELLS.index((4, 3, 1, 1))])
    scratched[top : bottom + 1, left + (right - left) // 4 - 1 : left + (right - left) // 4 + 1] = 60
    scratched[bottom - (bottom - top) // 3 : bottom - (bottom - top) // 3 + 2, left : right + 1] = 60
    table = find_one(scratched)
    assert places(table) == sorted(CELLS)
    assert all(cell.is_sure for cell in table.cells)
