"""Lost positions: placements are counted, what they agree on is suggested, and no state changes."""

from __future__ import annotations

from pathlib import Path

import flatten
import pytest

from extractor.chunks import split_chunks
from extractor.forms import load_forms
from extractor.model import Candidate, CellState, Span
from extractor.readers.template import TemplateReader
from extractor.reconcile.equations import list_amounts
from extractor.reconcile.joint import Block, solve_jointly
from extractor.reconcile.merge import Merged, merge_readings
from extractor.reconcile.open_rows import OpenRow, Recovery, find_open_rows
from extractor.reconcile.positions import list_placements, place_lost
from extractor.reconcile.system import load_system
from extractor.sources import load_document

ROOT = Path(__file__).parents[3]
G = {"applications": "2021"}
A = "applications"


def read(path: Path) -> tuple[dict[str, Merged], Recovery]:
    document = load_document(path)
    reading = TemplateReader().read(document, split_chunks(document))
    merged = merge_readings([reading])
    return merged, place_lost(merged, reading.generation)


def lose(row: str, *values: int, start: int = 0) -> dict[str, Merged]:
    """A row whose numbers survive without their columns."""
    form = load_forms().section(A, "2021")
    assert form is not None
    spans = tuple(Span(start + 10 * place, start + 10 * place + 3) for place in range(len(values)))
    tokens = tuple(
        Candidate(CellState.POSITION_UNKNOWN, value, raw=str(value), spans=(span,))
        for value, span in zip(values, spans, strict=True)
    )
    entry = Merged(Candidate(CellState.POSITION_UNKNOWN, spans=spans), tokens)
    return {form.field_id(row, column.id): entry for column in form.columns}


def print_row(row: str, *values: int | None) -> dict[str, Merged]:
    form = load_forms().section(A, "2021")
    assert form is not None
    return {
        form.field_id(row, column.id): Merged(
            Candidate(CellState.BLANK if value is None else CellState.VALUE, value, spans=(Span(0, 1),)), ()
        )
        for column, value in zip(form.columns, values, strict=True)
    }


def test_seed_with_lone_zeros_asks_for_the_layout() -> None:
    merged, found = read(ROOT / "fixtures" / "001_6bf7699e84e20962.txt")
    assert found.merged == merged
    assert not found.assumed
    three, four = found.flags
    assert (len(three.fields), len(four.fields)) == (161, 15)
    assert "还有 2.7 × 10^19 种排列" in three.message.zh
    assert "还有 455 种排列" in four.message.zh
    for flag in (three, four):
        assert "每个数字是否都在“总计”列下" in flag.message.zh
        assert "under 总计" in flag.message.en
    assert set(found.suggestions) == {*three.fields, *four.fields}
    assert {item.value for items in found.suggestions.values() for item in items} == {0}
    (item,) = found.suggestions["applications.granted.total"]
    assert item.basis == f"blanks_as_zero, absent_rows_as_zero; E1, E2, E3; {7**23} placements remain"


def test_a_sum_tells_the_total_and_leaves_the_part_open() -> None:
    found = place_lost(lose("granted", 5, 5), G)
    assert {name: items[0].value for name, items in found.suggestions.items()} == {f"{A}.granted.total": 5}
    (flag,) = found.flags
    assert "6 placements remain" in flag.message.en
    assert "（一）予以公开" in flag.message.zh


def test_printed_rows_tell_the_rest() -> None:
    """E1: 新收 = 总计 + 结转下年, columns and all; carried_in is blank and counts as 0 by name."""
    rows = lose("new_received", 5, 3, 8) | print_row("carried_in", *[None] * 7)
    rows |= print_row("results_total", 4, 0, 0, 3, 0, 0, 7) | print_row("carried_out", 1, 0, 0, 0, 0, 0, 1)
    found = place_lost(rows, G)
    assert [found.suggestions[name][0].value for name in lose("new_received", 0)] == [5, 0, 0, 3, 0, 0, 8]
    assert found.suggestions[f"{A}.new_received.total"][0].basis == "blanks_as_zero; E1, E3; 1 placements remain"
    assert {found.merged[name].printed.state for name in lose("new_received", 0)} == {CellState.POSITION_UNKNOWN}


def test_the_question_is_about_the_row_that_settles_most() -> None:
    rows = lose("granted", 1, 2, 3, 6) | lose("carried_out", 4, 4, start=500)
    (flag,) = place_lost(rows, G).flags
    assert "（一）予以公开" in flag.message.zh
    assert "四、结转下年度继续办理" not in flag.message.zh


@pytest.mark.parametrize("values", [(5,), (1, 2, 4), (1,) * 8])
def test_a_refuted_hypothesis_is_said_and_nothing_is_suggested(values: tuple[int, ...]) -> None:
    found = place_lost(lose("granted", *values), G)
    assert not found.suggestions
    assert "没有一种排列满足全部等式" in found.flags[0].message.zh


def test_too_many_placements_are_said_and_nothing_is_suggested() -> None:
    values = flatten.make_values("2021", 0)
    form = load_forms().section(A, "2021")
    assert form is not None
    rows: dict[str, Merged] = {}
    for number, row in enumerate(form.rows):
        printed = [value for column in row.columns if (value := values[form.field_id(row.id, column.id)])]
        rows |= lose(row.id, *printed, start=1000 * number) if printed else print_row(row.id, *[None] * 7)
    found = place_lost(rows, G)
    assert not found.suggestions
    assert "排列过多" in found.flags[0].message.zh


def test_section_two_has_no_equation() -> None:
    form = load_forms().section("proactive_disclosure", "2021")
    assert form is not None
    fields = [form.field_id("regulations", column.id) for column in form.rows_by_id["regulations"].columns]
    for value, suggested in ((3, 0), (0, 3)):
        rows = dict(zip(fields, lose("granted", value).values(), strict=False))
        found = place_lost(rows, {"proactive_disclosure": "2021"})
        assert "3 placements remain" in found.flags[0].message.en
        assert len(found.suggestions) == suggested


def place_rows(
    rows: list[OpenRow], merged: dict[str, Merged], generation: str
) -> tuple[list[Block], dict[str, tuple[int, ...]]]:
    system = load_system(A, generation)
    assert system is not None
    blank = {name: 0 for name, entry in merged.items() if entry.printed.state is CellState.BLANK}
    blocks = [list_placements(row) for row in rows]
    joint = solve_jointly(blocks, system, list_amounts(merged, system.section) | blank)
    return blocks, dict(joint.through) if joint.is_complete else {}


@pytest.mark.parametrize("generation", ["2021", "2019"])
def test_the_truth_is_among_the_survivors(generation: str, tmp_path: Path) -> None:
    """Figures other than 0, flattened as seed 001 was: empty cells dropped, rows filled up at their end."""
    suggested = checked = 0
    for seed in range(10):
        values = flatten.make_values(generation, seed)
        form = load_forms().section(A, generation)
        assert form is not None
        values = thin_out(values, generation, seed)
        printed = {name: str(value) if value else "" for name, value in values.items()}
        path = tmp_path / f"{seed}.txt"
        path.write_bytes(flatten.LAYOUTS["pipe_cells_dropped"](flatten.build_tables(generation, printed)))
        merged, found = read(path)
        for field_id, items in found.suggestions.items():
            assert [item.value for item in items] == [values[field_id]], (seed, field_id)
            suggested += 1
        rows = find_open_rows(merged, form, CellState.POSITION_UNKNOWN)
        blocks, through = place_rows(rows, merged, generation)
        for block in blocks if through else ():
            truth = tuple(values[name] for name in block.fields)
            assert through[block.name][block.choices.index(truth)], (seed, block.name)
            checked += 1
    assert suggested > 100
    assert checked > 40


def thin_out(values: dict[str, int], generation: str, seed: int) -> dict[str, int]:
    """The same report with most result rows emptied, balanced again."""
    form = load_forms().section(A, generation)
    assert form is not None
    values = dict(values)
    inner = [column.id for column in form.columns if column.id != "total"]
    results = [row.id for row in form.rows if row.is_result]
    for number, row in enumerate(results):
        for column in inner:
            values[form.field_id(row, column)] *= (number + seed) % 4 == 0
    for column in inner:
        total = sum(values[form.field_id(row, column)] for row in results)
        for row, value in (("results_total", total), ("new_received", total), ("carried_in", 0), ("carried_out", 0)):
            values[form.field_id(row, column)] = value
    for row in form.rows_by_id:
        values[form.field_id(row, "total")] = sum(values[form.field_id(row, column)] for column in inner)
    return values
