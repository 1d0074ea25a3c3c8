"""Damage to what separates cells in a text, and to the end of the text.

Lives here: kinds that act on the flattened text. Does not live here: digits that run together (tables), spaces inside
cells (cells).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from random import Random

from eval.corruption.layouts import BARS, LAYOUTS, TABS, render_report
from eval.corruption.registry import Stage, register
from eval.corruption.report import Report, ValueBox, lose_rows, map_tables
from tests.flatten import Box, Table

_MARKS = 0xE000
_MARK = re.compile("[\ue000-\ue7ff]")


def _edit(report: Report, edit: Callable[[str], str]) -> Report:
    return replace(report, edits=(*report.edits, edit))


@register(Stage.TEXT, (0.003, 0.02, 0.15), "share of the bars", BARS)
def lost_pipes(report: Report, rng: Random, level: float) -> Report:
    """Single bars gone here and there."""
    return _edit(report, partial(_lose_bars, rng.random(), level))


def _lose_bars(seed: float, share: float, text: str) -> str:
    rng = Random(seed)
    bars = [match.start() for match in re.finditer(r"\|", text)]
    lost = set(rng.sample(bars, min(len(bars), max(1, round(share * len(bars))))))
    return "".join(char for i, char in enumerate(text) if i not in lost)


@register(Stage.TEXT, (1, 2, 3), "1: runs of tabs are one; 2: a tab is a space; 3: a line end is one, too", TABS)
def collapsed_tabs(report: Report, rng: Random, level: float) -> Report:
    """Runs of tabs become one tab, or a space."""
    del rng  # nothing here is left to chance
    return _edit(report, partial(_collapse_tabs, int(level)))


def _collapse_tabs(level: int, text: str) -> str:
    if level == 1:
        return re.sub(r"\t+", "\t", text)
    text = re.sub(r"\t+", " ", text)
    return text if level == 2 else re.sub(r"\s+", " ", text)


@register(Stage.END, (0.85, 0.6, 0.3), "share of the tables that is left", LAYOUTS)
def cut_off(report: Report, rng: Random, level: float) -> Report:
    """The end is missing, somewhere in the tables.

    Rows of which nothing is left are printed no more. The row that is cut through keeps its truth: half a number is
    another number. A section without any row left is not in the truth, nor is any fact that may have stood behind.
    """
    names: list[str] = []
    marked = render_report(map_tables(report, partial(_mark_rows, names)))
    places = {ord(match.group()) - _MARKS: match.start() for match in _MARK.finditer(marked)}
    first, last = min(places.values()), max(places.values())
    cut = first + round((last - first) * min(1.0, max(0.0, level + rng.uniform(-0.15, 0.15)))) + rng.randint(0, 12)
    # A row may stand in several pieces; of it something is left where the first one begins in front of the cut.
    begins = {name: min(places[i] for i, other in enumerate(names) if other == name) for name in set(names)}
    left = {name for name, place in begins.items() if place < cut}
    text = _MARK.sub("", marked[:cut])
    shortened = lose_rows(_edit(report, lambda _: text), {name for name in names if name not in left})
    kept = {name.partition(".")[0] for name in left}
    return replace(
        shortened,
        generation={section: name for section, name in report.generation.items() if section in kept},
        cells={name: cell for name, cell in shortened.cells.items() if name.partition(".")[0] in kept},
        facts={name: value for name, value in report.facts.items() if name in ("header.title", "header.report_year")},
    )


def _mark_rows(names: list[str], _section: str, table: Table) -> tuple[Table]:
    """Each row of the form with a mark in front of its own label, or of its first cell where it has none."""
    marked: Table = []
    for row in table:
        groups: dict[str, int] = {}
        for index, box in enumerate(row):
            if isinstance(box, ValueBox):
                groups.setdefault(box.field_id.rpartition(".")[0], index)
        boxes: list[Box] = list(row)
        for name, index in groups.items():
            place = index - 1 if index and not isinstance(row[index - 1], ValueBox) else index
            boxes[place] = replace(boxes[place], text=chr(_MARKS + len(names)) + boxes[place].text)
            names.append(name)
        marked.append(boxes)
    return (marked,)
