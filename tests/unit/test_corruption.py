"""Damage with exact truth: every kind does what it says, and the label says what is printed then."""

from __future__ import annotations

import html
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.corruption import KINDS, SEVERITIES, draw_mix, make_corrupted, write_folder
from eval.corruption.boxes import (
    find_reaching,
    insert_row,
    name_row,
    remove_row,
    repeat_row,
    split_table,
    table_width,
    value_rows,
)
from eval.corruption.clean import build_table, draw_cells, make_figures, set_report, show_cell
from eval.corruption.explained import explain, load_explanations
from eval.corruption.layouts import LAYOUTS, render_report
from eval.corruption.make import shared_layouts
from eval.corruption.registry import Stage
from eval.corruption.report import Report, tables_of, value_boxes
from extractor.evaluation.labels import find_labels
from extractor.forms import load_forms
from extractor.model import CellState
from extractor.readers.cells import read_cell
from extractor.sources.view import fold_view
from tests.flatten import Box, Table

ROOT = Path(__file__).resolve().parents[2]
ON_CELLS = [name for name, kind in KINDS.items() if kind.stage is Stage.CELLS]
ON_WORDS = [name for name, kind in KINDS.items() if kind.stage is Stage.WORDS]
NOT_GLUED = [name for name in KINDS if name not in ("glued_digits", "cut_off", "dropped_empty_cells")]


def clean_report(seed: int, layout: str = "tab_cells") -> Report:
    rng = Random(seed)
    return set_report(rng, make_figures(rng, ()), layout)


def damage(name: str, severity: int, seed: int, layout: str | None = None) -> tuple[Report, Report]:
    """A report before and after."""
    kind = KINDS[name]
    report = clean_report(seed, layout or Random(seed).choice(kind.layouts))
    return report, kind.apply(report, Random(seed), kind.levels[severity - 1])


# ---------------------------------------------------------------- all kinds


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("name", KINDS)
def test_every_cell_of_the_form_is_in_the_label(name: str, severity: int) -> None:
    for document in make_corrupted(name, severity, 3, known=()):
        label = document.label
        assert (label.kind, label.damage, label.severity) == ("corrupted", name, severity)
        forms = [load_forms().section(section, generation) for section, generation in label.generation.items()]
        assert set(label.cells) == {item.id for form in forms if form for item in form.fields}
        assert document.raw.decode()


@pytest.mark.parametrize("name", KINDS)
def test_damage_changes_the_file(name: str) -> None:
    changed = [render_report(a) != render_report(b) for a, b in (damage(name, 3, seed) for seed in range(8))]
    # Empty cells have nothing to lose, and neighbours may be drawn in their old order.
    assert sum(changed) >= 6


@pytest.mark.parametrize("name", NOT_GLUED)
def test_a_box_prints_what_the_truth_says(name: str) -> None:
    for seed in range(6):
        _, report = damage(name, 1 + seed % 3, seed)
        for box in value_boxes(report):
            cell = report.cells[box.field_id]
            token = read_cell(fold_view(box.text))
            if cell.state is CellState.VALUE:
                # A footnote mark may make a number unreadable; it never makes it another one.
                assert token.value in (cell.value, None), box
            else:
                assert token.state is cell.state, box


def test_the_same_arguments_give_the_same_bytes_whatever_the_hash_seed() -> None:
    code = (
        "import hashlib; from eval.corruption import KINDS, make_corrupted; digest = hashlib.sha256();"
        "[digest.update(d.raw + str(d.label).encode()) for k in KINDS for d in make_corrupted(k, 2, 2, known=())];"
        "print(digest.hexdigest())"
    )
    said = {
        subprocess.run(  # noqa: S603
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


def test_a_document_is_made_from_its_own_number_alone() -> None:
    several = list(make_corrupted("boilerplate", 2, 5, seed=3, known=()))
    assert list(make_corrupted("boilerplate", 2, 1, seed=5, known=())) == several[2:3]


def test_what_is_asked_for_wrongly_is_refused() -> None:
    for kinds, severity, problem in (
        (["nonsense"], 1, "no kind of damage"),
        (["slash"], 0, "severity"),
        ([], 1, "severity"),
        (["lost_pipes", "lost_colspan"], 1, "no layout"),
    ):
        with pytest.raises(ValueError, match=problem):
            next(make_corrupted(kinds, severity, 1, known=()))


def test_kinds_of_a_mix_have_a_layout_together() -> None:
    mixes = [draw_mix(Random(seed)) for seed in range(50)]
    assert {len(mix) for mix in mixes} == {2, 3, 4}
    assert all(shared_layouts([KINDS[name] for name in mix]) for mix in mixes)


def test_without_damage_documents_are_clean() -> None:
    made_up = next(make_corrupted((), 0, 1, known=()))
    assert (made_up.label.kind, made_up.label.damage, made_up.label.severity) == ("generated", "", 0)


# ---------------------------------------------------------------- single kinds


@pytest.mark.parametrize("name", ON_WORDS)
def test_damaged_words_leave_the_numbers_alone(name: str) -> None:
    def digits(report: Report) -> list[str]:
        return [fold_view(box.text).replace("\x00", "") for box in value_boxes(report)]

    for seed in range(6):
        before, after = damage(name, 3, seed)
        assert digits(before) == digits(after)


@pytest.mark.parametrize("name", ["label_typos", "ocr_confusions", "dropped_characters", "traditional_script"])
def test_no_digit_is_lost_from_any_word(name: str) -> None:
    for seed in range(4):
        before, after = (render_report(report) for report in damage(name, 3, seed))
        assert [char for char in after if char.isdigit()] == [char for char in before if char.isdigit()]


def test_a_digit_that_became_a_letter_is_no_number() -> None:
    for seed in range(20):
        before, after = damage("ocr_confused_digits", 2, seed)
        changed = [name for name, cell in after.cells.items() if cell != before.cells[name]]
        assert changed
        for name in changed:
            assert after.cells[name].state is CellState.UNPARSABLE
            assert read_cell(str(after.cells[name].raw)).state is CellState.UNPARSABLE


def test_a_note_stands_beside_its_number() -> None:
    _, report = damage("notes_in_cells", 3, 1)
    noted = [cell for cell in report.cells.values() if cell.raw]
    assert len(noted) > 50
    assert all(str(cell.raw).startswith(str(cell.value)) and str(cell.raw) != str(cell.value) for cell in noted)


def test_wrong_sums_are_the_truth_where_they_are_printed() -> None:
    before, after = damage("not_adding_up", 3, 2)
    wrong = [name for name, cell in after.cells.items() if cell != before.cells[name]]
    assert len(wrong) == 8
    assert all(name.endswith(".total") or ".results_total." in name for name in wrong)
    assert sum(after.facts[name] != before.facts[name] for name in before.facts) == 4


def test_a_table_of_the_other_form_has_its_own_generation() -> None:
    before, after = damage("old_table", 1, 3)
    changed = [section for section in before.generation if before.generation[section] != after.generation[section]]
    assert len(changed) == 1
    form = load_forms().section(changed[0], after.generation[changed[0]])
    assert form is not None
    printed = [box.field_id for box in value_boxes(after) if box.field_id.startswith(changed[0])]
    assert printed == [item.id for item in form.fields]


def test_dropped_cells_leave_rows_that_are_filled_up() -> None:
    before, after = damage("dropped_empty_cells", 3, 5, "pipe_rows_padded")
    assert any(cell.state is CellState.BLANK for cell in after.cells.values())
    rows = [line for line in render_report(after).splitlines() if line.endswith("|") and line[0] != "第"]
    assert {line.count("|") for line in rows} <= {table_width(table) for _, table in tables_of(before)}
    assert not any("|  |" in line for line in rows)


def test_rows_that_are_lost_are_absent_and_nothing_else_is() -> None:
    before, after = damage("lost_rows", 2, 4)
    absent = {name.rpartition(".")[0] for name, cell in after.cells.items() if cell.state is CellState.ROW_ABSENT}
    assert len(absent) == 2
    printed = {box.field_id.rpartition(".")[0] for box in value_boxes(after)}
    assert printed == {box.field_id.rpartition(".")[0] for box in value_boxes(before)} - absent


@pytest.mark.parametrize("layout", sorted(set(LAYOUTS) - {"ruled"}))  # ruled columns are as wide as what is in them
def test_a_cut_file_is_the_beginning_of_the_whole_one(layout: str) -> None:
    for severity in SEVERITIES:
        before, after = damage("cut_off", severity, 6, layout)
        whole, rest = render_report(before), render_report(after)
        assert whole.startswith(rest)
        assert len(rest) < len(whole)
        left = {name.rpartition(".")[0] for name, cell in after.cells.items() if cell.state is not CellState.ROW_ABSENT}
        torn = 0
        for row, label in row_labels(before).items():
            assert row in left or html.escape(label) not in rest
            torn += row in left and html.escape(label) not in rest
        assert torn <= 1


def row_labels(report: Report) -> dict[str, str]:
    """The rows of section 三 whose labels stand nowhere else."""
    table = dict(tables_of(report))["applications"]
    labels = {name_row(row): next(box.text for box in reversed(row) if not box.is_value) for row in table[3:]}
    return {name: label for name, label in labels.items() if len(label) > 6}


def test_page_breaks_lose_no_cell() -> None:
    for seed in range(10):
        before, after = damage("split_tables", 3, seed)
        assert value_boxes(after) == value_boxes(before)
        assert len(list(tables_of(after))) > len(list(tables_of(before)))


def test_glued_rows_print_all_their_digits() -> None:
    before, after = damage("glued_digits", 3, 2)
    runs = {name_row([box]): box.text for box in value_boxes(after)}
    for row, run in runs.items():
        cells = [cell for name, cell in before.cells.items() if name.rpartition(".")[0] == row]
        assert "".join(map(show_cell, cells)) in run


def test_shuffled_sections_keep_their_tables() -> None:
    before, after = damage("shuffled_sections", 3, 1)
    assert sorted(part.heading for part in after.parts) == sorted(part.heading for part in before.parts)
    assert dict(tables_of(after)) == dict(tables_of(before))
    assert after.parts != before.parts


def test_a_page_adds_its_own_lines_inside_tables_too() -> None:
    found = 0
    for seed in range(10):
        before, after = damage("boilerplate", 3, seed)
        assert value_boxes(after) == value_boxes(before)
        found += sum(len(table) for _, table in tables_of(after)) - sum(len(table) for _, table in tables_of(before))
    assert found > 5


# ---------------------------------------------------------------- merged boxes


def is_rectangle(table: Table) -> bool:
    """Whether the boxes of every row, and those that reach into it, fill the width; the last row is not overhung."""
    width = table_width(table)
    for r, row in enumerate(table):
        reached = sum(table[reach.row][reach.index].columns for reach in find_reaching(table, r))
        if sum(box.columns for box in row) + reached != width:
            return False
    return all(r + box.rows <= len(table) for r, row in enumerate(table) for box in row)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["2021", "2019"]))
def test_tables_stay_whole_whatever_is_cut(seed: int, generation: str) -> None:
    rng = Random(seed)
    section = rng.choice(["proactive_disclosure", "applications"])
    table = build_table(section, generation, draw_cells(rng, section, generation, "department"))
    assert is_rectangle(table)
    for _ in range(4):
        rows = value_rows(table)
        row = rng.choice(rows[1:])
        reached = sum(table[reach.row][reach.index].columns for reach in find_reaching(table, row))
        wide = [Box("x", columns=table_width(table) - reached)]
        table = rng.choice([remove_row(table, row), repeat_row(table, row), insert_row(table, row, wide)])
        assert is_rectangle(table)
    upper, lower = split_table(table, rng.choice(value_rows(table)[1:]), repeats_labels=rng.random() < 0.5)
    assert is_rectangle(upper)
    assert is_rectangle(lower)
    assert len(upper) + len(lower) == len(table)


# ---------------------------------------------------------------- files


def test_the_guide_tells_every_kind_and_its_severities() -> None:
    guide = (ROOT / "docs" / "corruption.md").read_text(encoding="utf-8")
    for kind in KINDS.values():
        levels = " / ".join(f"{level:g}" for level in kind.levels)
        assert f"| `{kind.name}` | {kind.what} | {levels} | {kind.unit} |" in guide


def test_a_folder_holds_labels_that_load(tmp_path: Path) -> None:
    documents = [d for name in KINDS for d in make_corrupted(name, 2, 1, known=())]
    assert write_folder(tmp_path, documents) == len(documents)
    found = {file.label.name: file for file in find_labels([tmp_path])}
    for document in documents:
        file = found[document.label.name]
        assert file.document is not None
        assert file.document.read_bytes() == document.raw
        assert replace(file.label, file=document.label.file) == document.label


def test_explanations_name_kinds_and_layouts_that_there_are() -> None:
    explanations = load_explanations()
    for one in explanations:
        assert one.kinds <= set(KINDS)
        assert one.layouts <= set(LAYOUTS)
        assert len(one.why) > 40
    assert len({one.id for one in explanations}) == len(explanations)
    assert explain(explanations, "clean", "markdown", "applications.granted.total", "7") is None
