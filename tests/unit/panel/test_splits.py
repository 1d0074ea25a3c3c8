"""A run of digits that the neighbouring year decides."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.model import CellState, Status
from extractor.panel.entries import Cell, Entry
from extractor.panel.relations import load_panel_fields
from extractor.panel.series import Year
from extractor.panel.splits import find_splits, split_run

ROW = "proactive_disclosure.normative_documents"
Numbers = tuple[int | None, int | None, int | None]


def _year(year: int, said: str | Numbers) -> Year:
    """A year whose row is a run, or cells that are read."""
    cells: dict[str, Cell] = {}
    for place, column in enumerate(("issued", "repealed", "in_force")):
        if isinstance(said, str):
            cell = Cell(CellState.UNPARSABLE, "review", None, None, run=said)
        elif said[place] is None:
            cell = Cell(CellState.BLANK, "accepted", None, None)
        else:
            cell = Cell(CellState.VALUE, "accepted", said[place], "accepted")
        cells[f"{ROW}.{column}"] = cell
    fields = tuple(cells.get(field_id) for field_id in load_panel_fields())
    return Year(year, (Entry(year, 0, f"{year}", "x", Status.PARTIAL, (), "甲县", year, "accepted", {}, fields),))


def _find(*said: str | Numbers) -> list[tuple[int, int, tuple[object, ...], object]]:
    years = [_year(2021 + index, item) for index, item in enumerate(said)]
    pairs = list(pairwise(years))
    return [(before.year, found.in_force, found.before, found.after) for before, _, found in find_splits(pairs)]


@pytest.mark.parametrize(("run", "count"), [("693665", 10), ("8855698", 15), ("77132470", 21), ("1077", 2), ("000", 1)])
def test_a_run_has_as_many_splits_as_it_has(run: str, count: int) -> None:
    """TEMPLATE section 11 counts them."""
    splits = list(split_run(run))
    assert len(splits) == len(set(splits)) == count
    assert all("".join(map(str, split)) == run for split in splits)


@given(st.tuples(*[st.integers(0, 99_999)] * 3))
def test_the_true_split_is_among_them(numbers: tuple[int, int, int]) -> None:
    assert numbers in set(split_run("".join(map(str, numbers))))


def test_two_years_decide_what_one_cannot() -> None:
    """The reports of 平潭 of 2021 and 2022: the later row is decided, of the earlier one only what is in force."""
    assert _find("693665", "8855698") == [(2021, 665, ((6, 93, 665), (69, 3, 665)), (88, 55, 698))]


def test_one_year_that_is_read_decides_the_other() -> None:
    assert _find((69, 3, 665), "8855698") == [(2021, 665, ((69, 3, 665),), (88, 55, 698))]
    assert _find("693665", (88, 55, 698)) == [(2021, 665, ((6, 93, 665), (69, 3, 665)), (88, 55, 698))]
    assert _find((None, None, 665), "8855698") == [(2021, 665, ((None, None, 665),), (88, 55, 698))]


def test_where_the_relation_fails_nothing_is_said() -> None:
    """2022 to 2023 of the same agency: 698 + 77 - 132 is not 470."""
    assert _find((88, 55, 698), "77132470") == []


@pytest.mark.parametrize(
    "said",
    [
        ("110", "110"),  # 1,1,0 both times, and no other way: nothing was open
        ((1, 1, 5), (2, 1, 6)),  # nothing runs together
        ((1, 1, None), "8855698"),  # nothing known to begin with
        ("693665", (88, None, 698)),
        ("1111", "1111"),  # several ways fit
    ],
)
def test_where_nothing_or_too_much_fits_nothing_is_said(said: tuple[str | Numbers, str | Numbers]) -> None:
    assert _find(*said) == []


def test_years_that_contradict_each_other_cancel_out() -> None:
    """Read from the left 8855698 is 88,55,698; the year behind asks for 5698 in force."""
    assert len(_find((69, 3, 665), "8855698")) == 1
    assert len(_find("8855698", (2, 1, 5699))) == 1
    assert _find((69, 3, 665), "8855698", (2, 1, 5699)) == []


def _count_lone_splits(*, is_obeyed: bool) -> tuple[int, int]:
    """Of 1,000 made-up pairs of years, run together: with one reading left, the true one of the later year or not."""
    rng = random.Random(7)
    right = wrong = 0
    for _ in range(1000):
        stock = rng.choice([rng.randint(3, 30), rng.randint(30, 300), rng.randint(300, 3000)])
        issued, repealed = rng.choice([0, 0, 1, 2, 5, 12, 30, 88]), min(stock, rng.choice([0, 0, 0, 1, 3, 20, 55]))
        in_force = stock + issued - repealed
        if not is_obeyed:
            in_force = max(0, in_force + rng.choice([-1, 1]) * rng.randint(1, stock))
        first = f"{rng.choice([0, 3, 69])}{rng.choice([0, 1, 20])}{stock}"
        for _, _, _, after in _find(first, f"{issued}{repealed}{in_force}"):
            right += after == (issued, repealed, in_force)
            wrong += after != (issued, repealed, in_force)
    return right, wrong


def test_chance_seldom_leaves_one_split() -> None:
    """The figures of docs/panel.md."""
    assert _count_lone_splits(is_obeyed=True) == (909, 0)
    assert _count_lone_splits(is_obeyed=False) == (14, 13)
