"""The measurement of error localisation: its tables balance, its errors are what their names say."""

from __future__ import annotations

from random import Random

import pytest

from eval.bench import localise_slips as slips
from eval.bench.localise_errors import CLASSES, ErrorClass, Injected, inject
from eval.bench.localise_figures import BY_NAME, Figures, draw_cases, measure_class
from eval.bench.localise_outcomes import GroundedOutcome, Outcome, find_failed, ground, judge, locate, make_source
from eval.bench.localise_picture import Line, draw_outcomes
from eval.bench.localise_tables import GENERATIONS, PROFILES, SECTIONS, Table, make_table
from extractor.reconcile.localise import Change, Explanation, Location
from extractor.reconcile.system import load_system

NUMBERED = [name for name in PROFILES if name != "all-zero"]


def table_of(
    profile: str = "district", section: str = "applications", generation: str = "2021", seed: int = 0
) -> Table:
    return make_table(Random(seed), section, generation, PROFILES[profile])


def spoil(name: str, profile: str = "city", seed: int = 0) -> Injected:
    error = BY_NAME[name]
    injected = inject(Random(seed), table_of(profile, error.section), error)
    assert injected is not None
    return injected


def changed_rows(injected: Injected) -> list[int]:
    pairs = zip(injected.truth.cells, injected.read, strict=True)
    return [index for index, (printed, read) in enumerate(pairs) if printed != read]


# ---------------------------------------------------------------- tables


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("profile", PROFILES)
def test_a_made_table_satisfies_every_equation(profile: str, generation: str, section: str) -> None:
    system = load_system(section, generation)
    assert system is not None
    for seed in range(3):
        table = table_of(profile, section, generation, seed)
        residuals = system.residuals(table.read(table.cells))
        assert set(residuals) == set(system.terms)
        assert not any(residuals.values())


def test_profiles_differ_in_what_their_tables_hold() -> None:
    filled = {name: sum(bool(cell) for row in table_of(name).cells for cell in row) for name in PROFILES}
    assert filled["all-zero"] == 0
    assert filled["department"] < filled["city"]


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize("error", [error for error in CLASSES if error.spoil], ids=lambda error: error.name)
def test_an_error_changes_something_and_is_the_same_for_the_same_seed(error: ErrorClass) -> None:
    first, again = ([case.read for case in draw_cases(error, "city", 1, 5)] for _ in range(2))
    assert first == again
    assert all(case.wrong for case in draw_cases(error, "city", 1, 5))


@pytest.mark.parametrize("count", [2, 3, 5, 10])
def test_so_many_cells_are_altered(count: int) -> None:
    assert len(spoil(f"{count} cells altered").wrong) == count


@pytest.mark.parametrize("name", ["one cell altered", "digits swapped", "digit dropped", "四: one cell altered"])
def test_one_cell_is_wrong(name: str) -> None:
    assert len(spoil(name).wrong) == 1


def test_swapped_digits_are_the_same_digits() -> None:
    injected = spoil("digits swapped")
    ((field_id, printed),) = injected.wrong.items()
    read = injected.truth.read(injected.read)[field_id]
    assert sorted(str(printed)) == sorted(str(read))
    assert len(str(printed)) == len(str(read))


def test_a_dropped_digit_leaves_one_less() -> None:
    injected = spoil("digit dropped")
    ((field_id, printed),) = injected.wrong.items()
    assert injected.truth.read(injected.read)[field_id] < (printed or 0)


@pytest.mark.parametrize(
    ("function", "row", "expected"),
    [
        (slips.pack_row, [0, 4, 0, 0, 1, 0, 5], [4, 1, 5, 0, 0, 0, 0]),
        (slips.pack_row_keep_total, [0, 4, 0, 0, 1, 0, 5], [4, 1, 0, 0, 0, 0, 5]),
    ],
)
def test_packing_a_row_drops_its_zeros(function: slips.Spoil, row: list[int], expected: list[int]) -> None:
    sheet = slips.Sheet(table_of().section, [list(row)])
    function(Random(0), sheet)
    assert sheet.cells == [expected]


def test_a_shifted_row_moves_by_one_column() -> None:
    injected = spoil("row shifted")
    (row,) = changed_rows(injected)
    printed, read = injected.truth.cells[row], injected.read[row]
    assert read in ((0, *printed[:-1]), (*printed[1:], 0))


@pytest.mark.parametrize("name", ["neighbours in a row swapped", "compensating pair in a row"])
def test_two_cells_of_one_row_are_wrong_and_their_sum_stays(name: str) -> None:
    injected = spoil(name)
    (row,) = changed_rows(injected)
    assert len(injected.wrong) == 2
    assert sum(cell or 0 for cell in injected.read[row]) == sum(cell or 0 for cell in injected.truth.cells[row])


def test_neighbours_in_a_column_are_two_rows() -> None:
    injected = spoil("neighbours in a column swapped")
    first, second = changed_rows(injected)
    assert second == first + 1
    assert len(injected.wrong) == 2


def test_a_cell_and_its_row_total_leave_the_row_balanced() -> None:
    injected = spoil("cell and its row total")
    (row,) = changed_rows(injected)
    *parts, total = injected.read[row]
    assert len(injected.wrong) == 2
    assert sum(cell or 0 for cell in parts) == total


@pytest.mark.parametrize("name", ["two result rows swapped", "新收 and 上年结转 swapped", "四: two groups swapped"])
def test_swapped_rows_are_two(name: str) -> None:
    injected = spoil(name)
    one, other = changed_rows(injected)
    assert injected.read[one] == injected.truth.cells[other]
    assert injected.read[other] == injected.truth.cells[one]


def test_a_lost_row_is_one_of_the_results_and_zero() -> None:
    injected = spoil("result row read as 0")
    (row,) = changed_rows(injected)
    assert injected.truth.section.rows[row].is_result
    assert not any(injected.read[row])


def test_a_moved_block_stays_within_the_results_or_reaches_the_end() -> None:
    for seed in range(10):
        inside, through = (
            spoil(f"block off by one, {kind}", seed=seed) for kind in ("inside results", "through totals")
        )
        rows = inside.truth.section.rows
        assert all(rows[index].is_result for index in changed_rows(inside))
        assert any(not rows[index].is_result for index in changed_rows(through))


@pytest.mark.parametrize(
    "name", ["two result rows swapped", "新收 and 上年结转 swapped", "two columns swapped", "consistent fabrication"]
)
@pytest.mark.parametrize("profile", NUMBERED)
def test_what_balances_is_invisible_to_equations(name: str, profile: str) -> None:
    injected = spoil(name, profile)
    assert not find_failed(injected.truth, injected.truth.read(injected.read))
    assert judge(injected, locate(injected.truth, injected.truth.read(injected.read))) is Outcome.SILENT


@pytest.mark.parametrize("error", [error for error in CLASSES if error.spoil is None], ids=lambda error: error.name)
def test_tables_without_error_fail_nothing(error: ErrorClass) -> None:
    figures = measure_class(error, "district", 1, 0)
    assert figures.count == len(GENERATIONS)
    assert figures.failing == 0
    assert figures.grounded == {GroundedOutcome.SILENT: figures.count}


def test_blanks_read_as_zero_are_wrong_where_nothing_is_printed() -> None:
    injected = spoil("blank totals read as 0")
    assert len(injected.wrong) == sum(row.is_result for row in injected.truth.section.rows)
    assert set(injected.wrong.values()) == {None}


def test_what_can_not_be_done_to_a_table_is_left_out() -> None:
    assert list(draw_cases(BY_NAME["digits swapped"], "all-zero", 2, 0)) == []


# ---------------------------------------------------------------- verdicts


def test_verdicts_follow_from_what_is_named() -> None:
    injected = spoil("one cell altered")
    ((field_id, printed),) = injected.wrong.items()
    other = next(name for name in injected.truth.read(injected.read) if name != field_id)
    read = injected.truth.read(injected.read)[field_id]
    right = Explanation("single-cell", (Change(field_id, read, printed or 0),), 2)
    near = Explanation("single-cell", (Change(field_id, read, (printed or 0) + 1),), 2)
    wrong = Explanation("single-cell", (Change(other, 0, 1),), 2)

    def end(outcome: str, *explanations: Explanation, region: tuple[str, ...] = ()) -> Outcome:
        return judge(injected, Location(outcome, explanations, len(explanations), region, ("E",)))  # type: ignore[arg-type]

    assert end("located", right) is Outcome.LOCATED
    assert end("located", near) is Outcome.CELLS
    assert end("located", wrong) is Outcome.WRONG
    assert end("tied", wrong, right) is Outcome.TIED
    assert end("too-many-cells", region=(field_id, other)) is Outcome.REGION
    assert end("tied", wrong, near, region=(other,)) is Outcome.BESIDE


def test_grounding_refuses_the_row_that_was_read_wrong_and_no_other() -> None:
    injected = spoil("two result rows swapped")
    grounded = ground(make_source(injected.truth, "tab_cells"), injected.truth, injected.read)
    rows = injected.truth.section.rows
    assert grounded.refused == {rows[index].id for index in changed_rows(injected)}


def test_figures_of_two_profiles_add_up() -> None:
    error = BY_NAME["one cell altered"]
    one, other = (measure_class(error, profile, 1, 0) for profile in ("department", "city"))
    both = one + other + Figures()
    assert both.count == one.count + other.count == sum(both.equations.values()) == sum(both.grounded.values())


def test_the_picture_has_a_bar_for_every_outcome_that_occurs() -> None:
    svg = draw_outcomes([Line("a < b", 4, {"located": 3, "not detected": 1}, {"located": 4})], "title")
    assert "a &lt; b" in svg
    assert "not detected: 1 of 4" in svg
    assert "unique but wrong" not in svg


# ---------------------------------------------------------------- solvers


@pytest.mark.filterwarnings("ignore::DeprecationWarning:pulp")
@pytest.mark.parametrize("solver", ["HiGHS", "CBC"])
def test_a_solver_finds_the_one_wrong_cell(solver: str) -> None:
    pytest.importorskip("highspy")
    pytest.importorskip("pulp")
    from eval.bench.localise_milp import SOLVERS, pose_program

    injected = spoil("one cell altered")
    read = injected.truth.read(injected.read)
    system = load_system("applications", "2021")
    assert system is not None
    (found,) = SOLVERS[solver](pose_program(system, read, dict.fromkeys(read, 1)))
    assert found.cost == 1
    assert found.proposed == injected.wrong
