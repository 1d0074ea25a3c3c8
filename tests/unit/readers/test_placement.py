"""Which column a cell belongs to: by geometry, by count, or not at all; never by guess."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.forms import LabelRef, load_forms
from extractor.model import Cell, Grid
from extractor.readers.atoms import Atom
from extractor.readers.cells import read_cell
from extractor.readers.placement import header_geometry, place_cells

FIELDS = ("a", "b", "c")


def make_grid(
    kind: str, rows: list[list[str | tuple[str, int]]], is_padded: bool = False
) -> tuple[Grid, list[list[Atom]]]:
    """A grid of cells and their atoms by row; a cell may be (text, column span)."""
    cells: list[Cell] = []
    texts: list[str] = []
    for r, row in enumerate(rows):
        column = 0
        for item in row:
            text, span = item if isinstance(item, tuple) else (item, 1)
            start = 10 * len(cells)
            cells.append(Cell(start, start + len(text), r, column, 1, span))
            texts.append(text)
            column += span
    width = max(cell.column + cell.column_span for cell in cells)
    grid = Grid(0, 0, cells[-1].end, kind, width if kind == "matrix" else 0, is_padded, tuple(cells))
    atoms: list[list[Atom]] = [[] for _ in rows]
    for i, (cell, text) in enumerate(zip(cells, texts, strict=True)):
        token = read_cell(text)
        atom = Atom("cell", cell.start, cell.end, token=token, is_printed=bool(text), grid=grid, cell=i, row=cell.row)
        atoms[cell.row].append(atom)
    return grid, atoms


def slots(*texts: str, is_padded: bool = False) -> list[Atom]:
    return make_grid("rows", [list(texts)], is_padded)[1][0]


def running(*texts: str, is_separated: bool = True) -> list[Atom]:
    return [
        Atom("cell", 10 * i, 10 * i + len(text), token=read_cell(text), is_separated=is_separated)
        for i, text in enumerate(texts)
    ]


def placed(cells: tuple[Atom, ...]) -> list[object]:
    return [atom.token.value for atom in cells]


@pytest.mark.parametrize("cells", [slots("1", "2", "3"), running("1", "2", "3"), slots("1", "2", "3", is_padded=True)])
def test_as_many_numbers_as_columns_are_placed(cells: list[Atom]) -> None:
    placement = place_cells(cells, FIELDS, {}, 0)
    assert (placement.outcome, placed(placement.cells), placement.by_geometry) == ("placed", [1, 2, 3], False)


def test_as_many_numbers_as_columns_are_placed_whatever_empty_cells_stand_between() -> None:
    placement = place_cells(slots("1", "", "2", "", "3"), FIELDS, {}, 0)
    assert (placement.outcome, placed(placement.cells)) == ("placed", [1, 2, 3])


def test_empty_cells_keep_their_place_where_the_grid_keeps_them() -> None:
    placement = place_cells(slots("", "2", ""), FIELDS, {}, 0)
    assert (placement.outcome, placed(placement.cells)) == ("placed", [None, 2, None])


def test_a_lone_number_in_a_padded_row_has_lost_its_column() -> None:
    assert place_cells(slots("0", "", "", is_padded=True), FIELDS, {}, 0).outcome == "unknown"


def test_a_lone_number_in_running_text_has_lost_its_column() -> None:
    assert place_cells(running("0"), FIELDS, {}, 0).outcome == "unknown"


@pytest.mark.parametrize(
    "cells", [slots("1", "2"), slots("1", "2", "3", "4"), slots("1", "", "", ""), running("1", "2")]
)
def test_another_number_of_cells_is_unknown(cells: list[Atom]) -> None:
    assert place_cells(cells, FIELDS, {}, 0).outcome == "unknown"


@pytest.mark.parametrize("cells", [slots("", "1", "2"), slots("1", "2", "")])
def test_an_empty_cell_at_an_end_is_doubtful_where_rows_have_surplus_cells(cells: list[Atom]) -> None:
    assert place_cells(cells, FIELDS, {}, 0, has_surplus=True).outcome == "unknown"
    assert place_cells(cells, FIELDS, {}, 0).outcome == "placed"
    inner = slots("1", "", "2")
    assert place_cells(inner, FIELDS, {}, 0, has_surplus=True).outcome == "placed"


@pytest.mark.parametrize(
    ("cells", "outcome"),
    [
        (slots("", "", ""), "blank"),
        (slots("", "", "", ""), "blank"),
        (slots("", "", is_padded=True), "blank"),
        (slots("", ""), "no_cells"),
        ([], "no_cells"),
    ],
)
def test_a_row_of_empty_cells_is_blank_only_when_it_is_complete_or_filled_up(cells: list[Atom], outcome: str) -> None:
    placement = place_cells(cells, FIELDS, {}, 0)
    assert (placement.outcome, placement.cells) == (outcome, ())


@pytest.mark.parametrize(
    "cells",
    [
        slots("00", "2", "3"),
        slots("1", "0012", ""),
        running("270020130", is_separated=False),
        running("0000000"),
        running("12", "3", is_separated=False),
    ],
)
def test_digits_of_several_cells_in_one_are_glued(cells: list[Atom]) -> None:
    assert place_cells(cells, FIELDS, {}, 0).outcome == "glued"


# ---------------------------------------------------------------- geometry


def test_a_matrix_places_by_the_columns_of_its_header() -> None:
    _, ((_, *cells),) = make_grid("matrix", [["行", "3", "1", "2"]])
    placement = place_cells(cells, FIELDS, {"a": 2, "b": 3, "c": 1}, 1)
    assert (placement.outcome, placed(placement.cells), placement.by_geometry) == ("placed", [1, 2, 3], True)


def test_an_empty_wide_cell_of_a_matrix_is_empty_in_each_column() -> None:
    _, ((_, *cells),) = make_grid("matrix", [["行", ("", 2), "3"]])
    placement = place_cells(cells, FIELDS, {"a": 1, "b": 2, "c": 3}, 1)
    assert placed(placement.cells) == [None, None, 3]


def test_one_number_over_several_columns_is_not_placed() -> None:
    _, ((_, *cells),) = make_grid("matrix", [["行", ("5", 2), "3"]])
    placement = place_cells(cells, FIELDS, {"a": 1, "b": 2, "c": 3}, 1)
    assert placement.outcome == "unknown"


@pytest.mark.parametrize(
    "row",
    [
        ["行", "1", "2", "3", "4"],
        ["行", "1", "2", "3", ""],
        ["行", "", "1", "2", "3"],
    ],
)
def test_a_cell_behind_the_last_column_shows_that_the_row_was_shifted(row: list[str]) -> None:
    _, ((_, *cells),) = make_grid("matrix", [row])
    placement = place_cells(cells, FIELDS, {"a": 1, "b": 2, "c": 3}, 1)
    assert not placement.by_geometry


def test_glued_digits_are_glued_in_a_matrix_too() -> None:
    _, ((_, *cells),) = make_grid("matrix", [["行", "00", "2", "3"]])
    assert place_cells(cells, FIELDS, {"a": 1, "b": 2, "c": 3}, 1).outcome == "glued"


def test_a_column_under_the_label_is_no_column_of_the_row() -> None:
    _, ((_, *cells),) = make_grid("matrix", [["行", "1", "2", "3"]])
    assert not place_cells(cells, FIELDS, {"a": 0, "b": 1, "c": 2}, 1).by_geometry


def test_a_field_without_a_column_in_the_header_is_not_placed_by_geometry() -> None:
    _, ((_, *cells),) = make_grid("matrix", [["行", "", "2", ""]])
    assert not place_cells(cells, FIELDS, {"a": 1, "b": 2}, 1).by_geometry


def _header(kind: str, names: list[str | tuple[str, int]], is_padded: bool = False) -> list[Atom]:
    below: list[str | tuple[str, int]] = [""] * sum(name[1] if isinstance(name, tuple) else 1 for name in names)
    _, (atoms, _) = make_grid(kind, [names, below], is_padded)
    texts = [name[0] if isinstance(name, tuple) else name for name in names]
    return [
        atom._replace(kind="label", refs=(LabelRef("applications", "column", text),))
        for atom, text in zip(atoms, texts, strict=True)
        if text
    ]


COLUMNS = load_forms().generations["2021"].sections["review_litigation"].columns
NAMES = [column.id for column in COLUMNS]


def test_a_header_of_a_matrix_gives_its_columns_in_any_order() -> None:
    assert header_geometry(_header("matrix", ["", *NAMES]), COLUMNS, "") == {
        name: i + 1 for i, name in enumerate(NAMES)
    }
    turned = ["", NAMES[1], NAMES[0], *NAMES[2:]]
    assert header_geometry(_header("matrix", turned), COLUMNS, "")[NAMES[0]] == 2


@pytest.mark.parametrize("lost", [2, 3])
def test_a_torn_label_of_a_matrix_is_settled_by_the_others(lost: int) -> None:
    label = COLUMNS[lost].labels[0]

    def read(names: list[str], *more: str, printed: str = label[:-1]) -> dict[str, int]:
        unread = [name if name != NAMES[lost] else "" for name in names]
        header = _header("matrix", ["", *unread[: lost + 1], *more, *unread[lost + 1 :]])
        assert header[0].grid is not None
        cells = [cell for cell in header[0].grid.cells if cell.row == 0]
        place = next(n for n, cell in enumerate(cells) if n and cell.start == cell.end)
        cells[place] = cells[place]._replace(start=1000, end=1000 + len(printed))
        grid = replace(header[0].grid, cells=(*cells, *header[0].grid.cells[len(cells) :]))
        view = " " * 1000 + printed
        return header_geometry([atom._replace(grid=grid) for atom in header], COLUMNS, view)

    assert read(NAMES) == {name: place + 1 for place, name in enumerate(NAMES)}
    assert NAMES[lost] not in read(NAMES, printed="个体工商户")  # another column than the form's
    assert NAMES[lost] not in read(NAMES, printed="")
    assert NAMES[lost] not in read(NAMES, "")  # two places for it
    assert NAMES[lost] not in read([NAMES[1], NAMES[0], *NAMES[2:]])  # not the form's order


def test_a_header_of_text_rows_gives_its_columns_only_in_the_forms_order() -> None:
    assert header_geometry(_header("rows", ["", *NAMES]), COLUMNS, "") == {name: i + 1 for i, name in enumerate(NAMES)}
    assert header_geometry(_header("rows", ["", NAMES[1], NAMES[0], *NAMES[2:]]), COLUMNS, "") == {}


@pytest.mark.parametrize(
    "header",
    [
        [],
        _header("rows", ["", *NAMES], is_padded=True),
        _header("stream", ["", *NAMES]),
        _header("matrix", ["", (NAMES[0], 2), *NAMES[1:]]),
        [atom._replace(grid=None, cell=None) for atom in _header("matrix", ["", *NAMES])],
    ],
)
def test_a_header_without_true_geometry_gives_no_columns(header: list[Atom]) -> None:
    assert header_geometry(header, COLUMNS, "") == {}


def test_rows_of_unequal_width_give_no_columns() -> None:
    _, (atoms, _) = make_grid("rows", [["", *NAMES], ["行", "1"]])
    header = [
        atom._replace(refs=(LabelRef("applications", "column", name),))
        for atom, name in zip(atoms[1:], NAMES, strict=True)
    ]
    assert header_geometry(header, COLUMNS, "") == {}


@given(st.lists(st.sampled_from(["", "0", "5", "12", "/", "00"]), max_size=9), st.booleans(), st.booleans())
def test_cells_are_never_reordered_or_made_up(texts: list[str], is_padded: bool, has_surplus: bool) -> None:
    """Whatever is placed are the cells that stand there, in their order, one a field, and all that are printed."""
    cells = slots(*texts, is_padded=is_padded) if texts else []
    placement = place_cells(cells, FIELDS, {}, 0, has_surplus)
    if placement.outcome != "placed":
        assert placement.cells == ()
        return
    starts = [atom.start for atom in placement.cells]
    assert len(starts) == len(FIELDS)
    assert starts == sorted(set(starts))
    assert [atom for atom in cells if atom.is_printed] == [atom for atom in placement.cells if atom.is_printed]
