"""Damage to what single cells print: marks, notes, empty cells, wrong sums, letters for digits.

Lives here: kinds that change printed tokens, and with them the truth: what is printed then is what counts. Does not
live here: where cells stand (tables) and what separates them (separators).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from eval.corruption.clean import build_table, draw_cells
from eval.corruption.registry import Stage, register
from eval.corruption.report import Report, map_tables, print_cells, value_boxes
from extractor.evaluation.labels import LabelledCell
from extractor.forms import TABLE_SECTIONS
from extractor.model import CellState

_BLANK = LabelledCell(CellState.BLANK)
_MARKS = ("/", "/", "—", "无", "-")
_COUNT_UNITS = ("件", "条", "项")
# Letters and marks that recognition prints for digits; the token is then no number.
_CONFUSED = {"0": ("O", "o", "0."), "1": ("l", "I"), "5": ("S",), "8": ("B",), "2": ("Z",)}
_FULL_WIDTH = {ord("0") + digit: chr(0xFF10 + digit) for digit in range(10)} | {ord("."): "．"}
_AROUND = (("\u00a0", "\u00a0"), ("\u3000", ""), ("\u200b", "\u200b"), ("", "\ufeff"), ("", ""))


def _chosen(report: Report, rng: Random, share: float, suits: Callable[[LabelledCell], bool]) -> list[str]:
    """A share of the cells that suit, at least one where there is any."""
    suited = [box.field_id for box in value_boxes(report) if suits(report.cells[box.field_id])]
    return rng.sample(suited, min(len(suited), max(1, round(share * len(suited)))))


def _is_zero(cell: LabelledCell) -> bool:
    return cell.state is CellState.VALUE and cell.value == 0 and cell.raw is None


def _is_number(cell: LabelledCell) -> bool:
    return cell.state is CellState.VALUE and cell.raw is None


@register(Stage.CELLS, (0.1, 0.4, 1.0), "share of the zeros")
def blank_instead_of_zero(report: Report, rng: Random, level: float) -> Report:
    """Empty cells where a clean report prints 0."""
    chosen = _chosen(report, rng, level, _is_zero)
    return print_cells(report, dict.fromkeys(chosen, ""), dict.fromkeys(chosen, _BLANK))


@register(Stage.CELLS, (0.05, 0.3, 1.0), "share of the zeros and empty cells")
def slash(report: Report, rng: Random, level: float) -> Report:
    """A mark (/, —, 无) instead of 0 or of nothing."""
    chosen = _chosen(report, rng, level, lambda cell: _is_zero(cell) or cell.state is CellState.BLANK)
    mark = rng.choice(_MARKS)
    texts = {name: mark if rng.random() < 0.8 else rng.choice(_MARKS) for name in chosen}
    return print_cells(report, texts, {name: LabelledCell(CellState.NA_MARK, raw=text) for name, text in texts.items()})


@register(Stage.CELLS, (0.02, 0.1, 0.4), "share of the numbers")
def notes_in_cells(report: Report, rng: Random, level: float) -> Report:
    """Cells that print more than their number: 22（其中修订16件）, 2笔, 984361元, footnote marks."""
    texts: dict[str, str] = {}
    for name in _chosen(report, rng, level, _is_number):
        number = str(report.cells[name].value)
        texts[name] = _write_note(rng, name, number)
    cells = {name: LabelledCell(CellState.VALUE, report.cells[name].value, text) for name, text in texts.items()}
    return print_cells(report, texts, cells)


def _write_note(rng: Random, name: str, number: str) -> str:
    if name.endswith((".amount", ".amount_wan")):
        return f"{number}{rng.choice(('元', '万元'))}"
    unit = rng.choice(_COUNT_UNITS)
    part = rng.randint(0, 16)
    notes = (
        f"{number}{unit}",
        f"{number}（其中修订{part}{unit}）",
        f"{number}{unit}(撤销1件、警告{part}件)",
        f"{number}①",
        f"{number}*",
        f"{number}[{rng.randint(1, 3)}]",
        f"{number}（{rng.randint(2019, 2024)}年）",
    )
    return rng.choice(notes)


@register(Stage.CELLS, (0.3, 0.7, 1.0), "share of section 三's rows")
def total_blank(report: Report, rng: Random, level: float) -> Report:
    """The column 总计 of section 三 empty."""
    suited = [box.field_id for box in value_boxes(report) if box.field_id.startswith("applications.")]
    totals = [name for name in suited if name.endswith(".total")]
    chosen = rng.sample(totals, round(level * len(totals)))
    return print_cells(report, dict.fromkeys(chosen, ""), dict.fromkeys(chosen, _BLANK))


@register(Stage.CELLS, (0.005, 0.03, 0.1), "share of the cells with a digit that has a double")
def ocr_confused_digits(report: Report, rng: Random, level: float) -> Report:
    """Letters recognised for digits (O, l, S, 0.): the cell prints no number any more."""

    def has_double(cell: LabelledCell) -> bool:
        return _is_number(cell) and any(char in _CONFUSED for char in str(cell.value))

    texts: dict[str, str] = {}
    for name in _chosen(report, rng, level, has_double):
        number = str(report.cells[name].value)
        place = rng.choice([i for i, char in enumerate(number) if char in _CONFUSED])
        confused = rng.choice([c for c in _CONFUSED[number[place]] if c != "0." or place == len(number) - 1])
        texts[name] = number[:place] + confused + number[place + 1 :]
    cells = {name: LabelledCell(CellState.UNPARSABLE, raw=text) for name, text in texts.items()}
    return print_cells(report, texts, cells)


@register(Stage.CELLS, (0.1, 0.5, 1.0), "share of the cells")
def full_width_digits(report: Report, rng: Random, level: float) -> Report:
    """Full-width digits and points; no-break, wide and zero-width spaces around and inside numbers.

    Whether a raw token holds the spaces around its number is the reader's affair: of such a cell the value is judged.
    """
    texts: dict[str, str] = {}
    for box in value_boxes(report):
        if box.text and rng.random() < level:
            front, behind = rng.choice(_AROUND)
            middle = rng.choice(("", "", "\u200b"))
            texts[box.field_id] = front + middle.join(box.text.translate(_FULL_WIDTH)) + behind
    cells = {name: report.cells[name] for name in texts}
    return print_cells(
        report, texts, {name: cell._replace(raw=None) for name, cell in cells.items() if cell.state is CellState.VALUE}
    )


# ---------------------------------------------------------------- sums


@register(Stage.CELLS, (1, 3, 8), "wrong sums")
def not_adding_up(report: Report, rng: Random, level: float) -> Report:
    """Sums printed wrong or as 0, and running text that contradicts the table."""
    sums = [
        name
        for name, cell in report.cells.items()
        if isinstance(cell.value, int) and _is_sum(name) and _is_number(cell)
    ]
    chosen = rng.sample(sums, min(len(sums), int(level)))
    texts = {name: str(_miscount(rng, report.cells[name].value)) for name in chosen}
    cells = {name: LabelledCell(CellState.VALUE, int(text)) for name, text in texts.items()}
    facts = dict(report.facts)
    stated = [name for name, value in facts.items() if name.startswith("narrative.") and isinstance(value, int)]
    for name in rng.sample(stated, min(len(stated), int(level) // 2)):
        facts[name] = _miscount(rng, facts[name])
    changed = print_cells(report, texts, cells)
    return replace(changed, facts=facts, stated=facts)


def _is_sum(name: str) -> bool:
    return name.endswith(".total") or ".results_total." in name


def _miscount(rng: Random, value: object) -> int:
    assert isinstance(value, int)
    options: Sequence[int] = [value + 1, value + 10, abs(value - 1), value * 10, 0]
    return rng.choice([option for option in options if option != value])


# ---------------------------------------------------------------- tables of another year's form


@register(Stage.CELLS, (1, 2, 3), "tables")
def old_table(report: Report, rng: Random, level: float) -> Report:
    """Tables of the other generation's form (a 2019 table in a 2023 report), each table by itself."""
    chosen = rng.sample(TABLE_SECTIONS, int(level))
    generation = {
        section: ("2019" if name == "2021" else "2021") if section in chosen else name
        for section, name in report.generation.items()
    }
    cells = {name: cell for name, cell in report.cells.items() if name.partition(".")[0] not in chosen}
    for section in chosen:
        cells |= draw_cells(rng, section, generation[section], report.profile)
    changed = map_tables(
        report,
        lambda section, table: (build_table(section, generation[section], cells),) if section in chosen else (table,),
    )
    return replace(changed, cells=cells, generation=generation)
