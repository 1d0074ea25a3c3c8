"""Rules -> the lattices of tables: exact edges, and cells that are whole rectangles.

Lives here: which rules belong together, what closes a table whose outer rules are missing, which slots are one cell.
Does not live here: where the rules come from (vector_rules), what the cells hold (text_layer). Called by text_layer.

pymupdf's own find_tables is not used: on the labelled reports it loses the shaded and merged rows of the second
section, and it takes longer than all the rest of a page. A table without rules is not guessed at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from extractor.model import Box
from extractor.sources.pages.vector_rules import Rule

# In points: rules that end or run so near each other meet; no column or row with text is as narrow.
_REACH = 3.0
_SHORTFALL = 1.0
# Where an edge between two slots is looked at, and the share of it that must be ruled.
_SAMPLES = np.linspace(0.1, 0.9, 9)
_RULED_SHARE = 0.75
_MOST_RULES = 4000

_Mask = npt.NDArray[np.bool_]


class Slots(NamedTuple):
    """One cell of a lattice. `is_forced`: the rules enclose no rectangle here, and it was cut out of their shape."""

    row: int
    column: int
    row_span: int
    column_span: int
    is_forced: bool = False


class Lattice(NamedTuple):
    """A table by its rules.

    Attributes:
        columns, rows: the edges, in points: one more than there are columns and rows.
        cells: by row and column; every slot belongs to exactly one.
        rules: of which it was made.
    """

    columns: tuple[float, ...]
    rows: tuple[float, ...]
    cells: tuple[Slots, ...]
    rules: tuple[Rule, ...]

    @property
    def box(self) -> Box:
        """Around the table."""
        return self.columns[0], self.rows[0], self.columns[-1], self.rows[-1]

    def box_of(self, cell: Slots) -> Box:
        """The rules around a cell."""
        return (
            self.columns[cell.column],
            self.rows[cell.row],
            self.columns[cell.column + cell.column_span],
            self.rows[cell.row + cell.row_span],
        )


def is_crowded(rules: Sequence[Rule]) -> bool:
    """Whether there are too many rules to be looked at, as in a map."""
    return len(rules) > _MOST_RULES


def find_lattices(rules: Sequence[Rule]) -> list[Lattice]:
    """Find the tables among the rules of a page, from top to bottom. Every table has two columns at least."""
    found = [lattice for group in _group_rules(rules) if (lattice := _make_lattice(group))]
    found.sort(key=lambda lattice: len(lattice.cells), reverse=True)
    kept: list[Lattice] = []
    for lattice in found:  # a table in a cell of another: the one with more cells is the table
        if not any(_overlaps(lattice.box, other.box) for other in kept):
            kept.append(lattice)
    return sorted(kept, key=lambda lattice: (lattice.rows[0], lattice.columns[0]))


def _overlaps(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


# ---------------------------------------------------------------- rules that meet


def _group_rules(rules: Sequence[Rule]) -> Iterator[list[Rule]]:
    """Groups of rules that touch, directly or through others."""
    if not rules or is_crowded(rules):
        return
    meets = _find_meetings(rules)
    left = np.ones(len(rules), dtype=bool)
    for first in range(len(rules)):
        if not left[first]:
            continue
        reached = np.zeros(len(rules), dtype=bool)
        newest = reached.copy()
        newest[first] = True
        while newest.any():
            reached |= newest
            newest = meets[newest].any(axis=0) & ~reached
        left &= ~reached
        yield [rule for rule, is_reached in zip(rules, reached.tolist(), strict=True) if is_reached]


def _find_meetings(rules: Sequence[Rule]) -> _Mask:
    left, top, right, bottom = (np.array(side) for side in zip(*(rule.box for rule in rules), strict=True))
    across = (left[:, None] <= right + _REACH) & (left <= right[:, None] + _REACH)
    down = (top[:, None] <= bottom + _REACH) & (top <= bottom[:, None] + _REACH)
    return np.asarray(across & down)


# ---------------------------------------------------------------- one table


def _make_lattice(rules: list[Rule]) -> Lattice | None:
    upright = [rule for rule in rules if not rule.is_horizontal]
    level = [rule for rule in rules if rule.is_horizontal]
    if len(upright) < 2 and len(level) < 2:
        return None
    columns, rows = _find_edges(upright, level), _find_edges(level, upright)
    if len(columns) < 3 or len(rows) < 2:
        return None
    while True:
        column_rules, row_rules = _find_walls(columns, rows, upright), _find_walls(rows, columns, level)
        used = _keep_used(columns, column_rules), _keep_used(rows, row_rules)
        if used == (columns, rows):
            break
        columns, rows = used
    if len(columns) < 3:
        return None
    return Lattice(tuple(columns), tuple(rows), tuple(_cut_cells(row_rules, column_rules.T)), tuple(rules))


def _find_edges(rules: Sequence[Rule], crossing: Sequence[Rule]) -> list[float]:
    """Positions of the edges: of rules side by side one, and the ends of the crossing rules where nothing closes."""
    groups: list[list[Rule]] = []
    for rule in sorted(rules, key=lambda each: each.at):
        if groups and rule.at - groups[-1][0].at <= _REACH:
            groups[-1].append(rule)
        else:
            groups.append([rule])
    edges = [_weigh(group) for group in groups]
    if crossing:
        first, last = min(rule.start for rule in crossing), max(rule.end for rule in crossing)
        if not edges or first < edges[0] - _REACH:
            edges.insert(0, first)
        if last > edges[-1] + _REACH:
            edges.append(last)
    return edges


def _weigh(group: Sequence[Rule]) -> float:
    lengths = [rule.end - rule.start for rule in group]
    return sum(rule.at * length for rule, length in zip(group, lengths, strict=True)) / sum(lengths)


def _find_walls(edges: Sequence[float], crossing: Sequence[float], rules: Sequence[Rule]) -> _Mask:
    """Which parts of the edges are ruled: (edges, crossing edges - 1). The outermost count as ruled."""
    starts, ends = np.array(crossing[:-1]), np.array(crossing[1:])
    samples = starts[:, None] + (ends - starts)[:, None] * _SAMPLES
    covered = np.zeros((len(edges), *samples.shape), dtype=bool)
    places = np.array(edges)
    for rule in rules:
        edge = int(np.abs(places - rule.at).argmin())
        covered[edge] |= (rule.start - _SHORTFALL <= samples) & (samples <= rule.end + _SHORTFALL)
    walls = covered.mean(axis=2) >= _RULED_SHARE
    walls[0] = walls[-1] = True
    return np.asarray(walls)


def _keep_used(edges: Sequence[float], walls: _Mask) -> list[float]:
    """The edges that part any two slots; the line under a text does not."""
    return [edge for edge, is_used in zip(edges, map(np.any, walls), strict=True) if is_used]


# ---------------------------------------------------------------- cells


def _cut_cells(above: _Mask, before: _Mask) -> Iterator[Slots]:
    """Divide the slots into rectangles.

    Args:
        above: whether a rule lies over slot (row, column); one row more than there are.
        before: whether a rule lies left of slot (row, column); one column more.
    """
    rows, columns = before.shape[0], above.shape[1]
    taken = np.zeros((rows, columns), dtype=bool)
    for row in range(rows):
        for column in range(columns):
            if not taken[row, column]:
                cell = _cut_rectangle(row, column, _flood(row, column, above, before), taken)
                taken[cell.row : cell.row + cell.row_span, cell.column : cell.column + cell.column_span] = True
                yield cell


def _flood(row: int, column: int, above: _Mask, before: _Mask) -> _Mask:
    """All slots that no rule parts from this one."""
    rows, columns = before.shape[0], above.shape[1]
    region = np.zeros((rows, columns), dtype=bool)
    waiting = [(row, column)]
    while waiting:
        at, slot = waiting.pop()
        if region[at, slot]:
            continue
        region[at, slot] = True
        if not above[at, slot] and at > 0:
            waiting.append((at - 1, slot))
        if not above[at + 1, slot] and at + 1 < rows:
            waiting.append((at + 1, slot))
        if not before[at, slot] and slot > 0:
            waiting.append((at, slot - 1))
        if not before[at, slot + 1] and slot + 1 < columns:
            waiting.append((at, slot + 1))
    return region


def _cut_rectangle(row: int, column: int, region: _Mask, taken: _Mask) -> Slots:
    """The region itself where it is a rectangle, else the widest one of its free slots that begins at this one."""
    size = int(region.sum())
    region = region & ~taken
    end = column
    while end < region.shape[1] and region[row, end]:
        end += 1
    bottom = row
    while bottom < region.shape[0] and region[bottom, column:end].all():
        bottom += 1
    is_whole = size == (bottom - row) * (end - column)
    return Slots(row, column, bottom - row, end - column, is_forced=not is_whole)
