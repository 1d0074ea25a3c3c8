"""Lost positions: where the surviving numbers of a row may have stood.

Lives here: every placement of a row's numbers into its cells, counted jointly under the equations, and the question
whose answer would settle most. Does not live here: the counting (joint). Called by recovery.

Everything here rests on the hypothesis `blanks_as_zero`: a cell in which no number stands counts as 0. It is named
with every suggestion; nothing is inferred, and no state changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from math import comb
from typing import NamedTuple

from extractor.flags import make_flag
from extractor.forms import TABLE_SECTIONS, Section, load_forms
from extractor.model import CellState, Flag, Suggestion
from extractor.reconcile.equations import list_amounts
from extractor.reconcile.joint import Block, Joint, solve_jointly
from extractor.reconcile.merge import Merged
from extractor.reconcile.open_rows import OpenRow, Recovery, find_open_rows
from extractor.reconcile.system import System, load_system

METHOD = "lost-positions"
_BLANKS = "blanks_as_zero"
_ROWS = "absent_rows_as_zero"
# A person reads no more digits than these.
_LONG_COUNT = 1_000_000


class _Table(NamedTuple):
    """The rows of one table whose positions are lost, and what the equations leave of their placements."""

    form: Section
    rows: Sequence[OpenRow]
    blocks: Sequence[Block]
    joint: Joint
    hypotheses: str


def place_lost(merged: Mapping[str, Merged], generation: Mapping[str, str]) -> Recovery:
    """Count the placements of numbers whose columns are lost, and suggest what they all agree on.

    Args:
        merged: all fields of the document.
        generation: form generation per table section.

    Returns:
        The fields unchanged; suggestions for the cells that have one value in every placement that the equations
        leave; one finding a table; no equation is assumed.
    """
    suggestions: dict[str, tuple[Suggestion, ...]] = {}
    flags: list[Flag] = []
    for section in TABLE_SECTIONS:
        name = generation.get(section, "absent")
        form = load_forms().section(section, name)
        found = find_open_rows(merged, form, CellState.POSITION_UNKNOWN) if form else []
        rows = [row for row in found if all(isinstance(token.value, int) for token in row.tokens)]
        if form is None or not rows:
            continue
        table = _enumerate(form, rows, merged, load_system(section, name) or System(form, {}, {}))
        suggestions |= _suggest(table)
        flags.append(_flag(table))
    return Recovery(dict(merged), suggestions, tuple(flags), frozenset())


def _enumerate(form: Section, rows: Sequence[OpenRow], merged: Mapping[str, Merged], system: System) -> _Table:
    states = {item.id: merged[item.id].printed.state for item in form.fields if item.id in merged}
    empty = {name for name, state in states.items() if state in (CellState.BLANK, CellState.ROW_ABSENT)}
    blocks = [list_placements(row) for row in rows]
    joint = solve_jointly(blocks, system, list_amounts(merged, form) | dict.fromkeys(empty, 0))
    used = {field_id for name in joint.equations for field_id in system.terms[name]}
    is_row_assumed = any(states.get(field_id) is CellState.ROW_ABSENT for field_id in used)
    return _Table(form, rows, blocks, joint, f"{_BLANKS}, {_ROWS}" if is_row_assumed else _BLANKS)


def list_placements(row: OpenRow) -> Block:
    """The placements of a row's numbers, in order, into its cells."""
    values = [int(str(token.value)) for token in row.tokens]
    if not any(values):  # wherever the zeros stand, the values are the same
        return Block(row.id, row.fields, ((0,) * len(row.fields),), (comb(len(row.fields), len(values)),))
    counts: Counter[tuple[int, ...]] = Counter()
    for places in combinations(range(len(row.fields)), len(values)):
        placed = dict(zip(places, values, strict=True))
        counts[tuple(placed.get(place, 0) for place in range(len(row.fields)))] += 1
    return Block(row.id, row.fields, tuple(counts), tuple(counts.values()))


def _suggest(table: _Table) -> dict[str, tuple[Suggestion, ...]]:
    """The cells that have one value in every placement that remains."""
    families = ", ".join(dict.fromkeys(name.partition("[")[0] for name in table.joint.equations)) or "no equation"
    basis = f"{table.hypotheses}; {families}; {table.joint.solutions} placements remain"
    suggestions: dict[str, tuple[Suggestion, ...]] = {}
    for block in table.blocks:
        through = table.joint.through[block.name]
        remaining = [values for values, used in zip(block.choices, through, strict=True) if used]
        for place, field_id in enumerate(block.fields):
            values = {choice[place] for choice in remaining}
            if len(values) == 1:
                suggestions[field_id] = (Suggestion(values.pop(), METHOD, basis),)
    return suggestions


def _flag(table: _Table) -> Flag:
    zh, en = _say_found(table)
    return make_flag(
        "positions-enumerated",
        fields=[field_id for row in table.rows for field_id in row.fields],
        hypotheses=table.hypotheses,
        hypotheses_zh="空格按 0 计、缺行按 0 计" if _ROWS in table.hypotheses else "空格按 0 计",
        found_zh=zh,
        found_en=en,
    )


def _say_found(table: _Table) -> tuple[str, str]:
    if not table.joint.is_complete:
        return "排列过多，未逐一核算", "there are too many placements to examine them all"
    count = table.joint.solutions
    if not count:
        return (
            "没有一种排列满足全部等式：假设不成立，或有数字有误",
            "no placement satisfies all equations: the hypothesis is wrong, or a number is",
        )
    if count == 1:
        return "只剩一种排列", "one placement remains"
    zh, en = _ask(table)
    shown = str(count) if count < _LONG_COUNT else f"{count:.1e}".replace("e+", " × 10^")
    return f"还有 {shown} 种排列。{zh}", f"{shown} placements remain. {en}"


def _ask(table: _Table) -> tuple[str, str]:
    """The one question whose answer settles most."""
    if not any(token.value for row in table.rows for token in row.tokens):
        return _ask_layout(table)
    best = min(table.rows, key=lambda row: _expect(table, row.id))
    return (
        f"最先要查明：“{best.label}”一行的数字各在哪一列",
        f"To settle first: in which columns do the numbers of “{best.label}” stand?",
    )


def _ask_layout(table: _Table) -> tuple[str, str]:
    """Where only zeros survive, no equation excludes anything, and the values are the same in any case."""
    total = table.form.columns[-1]
    lines = len(table.form.rows) if table.form.layout == "one_row" else 1
    is_lone = total.id == "total" and all(len(row.tokens) == lines for row in table.rows)
    name = total.labels[0]
    return (
        (f"只需查明：每个数字是否都在“{name}”列下？" if is_lone else "只需查明：各数字在哪些列下？")
        + "各值均为 0，答案只决定哪些格印有 0、哪些格为空",
        (f"To settle: does each number stand under {name}?" if is_lone else "To settle: under which columns?")
        + " All values are 0 in any case; the answer tells which cells print 0 and which are blank",
    )


def _expect(table: _Table, row_id: str) -> int:
    """How many placements would remain on average once a row's positions are known, times all that there are.

    Each placement of the row is as likely as many placements of the table contain it.
    """
    block = next(block for block in table.blocks if block.name == row_id)
    through = table.joint.through[row_id]
    return sum(used * (used // count) for used, count in zip(through, block.counts, strict=True))
