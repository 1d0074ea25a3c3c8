"""A table on pages: the size of its rows, the break between pages, its rules, labels and values.

Lives here: geometry. Does not live here: what the tables hold (eval.corruption.clean), what stands around them (form).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from eval.scans.lettering import break_lines, measure
from eval.scans.looks import Look
from extractor.model import Box
from tests import flatten

_PAD = 3.0
_LINE = 1.2
#: Shares of the width: labels, then the columns of values.
SHARES: Mapping[str, tuple[float, ...]] = {
    "proactive_disclosure": (0.37, 0.21, 0.21, 0.21),
    "applications": (0.04, 0.11, 0.28, *(0.57 / 7,) * 7),
    "review_litigation": (1 / 15,) * 15,
}


class Placed(NamedTuple):
    """A box of the table and the slot of its upper left corner."""

    box: flatten.Box
    row: int
    column: int
    lines: tuple[str, ...]


class Geometry(NamedTuple):
    """A table before it is drawn: its boxes, x of the column edges, heights of the rows."""

    placed: tuple[Placed, ...]
    columns: tuple[float, ...]
    heights: tuple[float, ...]


class Part(NamedTuple):
    """The rows of a table that stand on one page: y of their edges; `rows[0]` is the upper edge of row `first`."""

    page: int
    first: int
    rows: tuple[float, ...]

    @property
    def last(self) -> int:
        """The row behind the last one."""
        return self.first + len(self.rows) - 1


def lay_out(table: flatten.Table, section: str, left: float, width: float, look: Look) -> Geometry:
    """Place the boxes and find the heights."""
    columns = [left]
    for share in SHARES[section]:
        columns.append(columns[-1] + share * width)
    placed = []
    for r, row in enumerate(flatten.expand(table)):
        for c, box in enumerate(row):
            if box is not None:
                room = columns[c + box.columns] - columns[c] - 2 * _PAD
                lines = () if box.is_value else tuple(break_lines(box.text, room, look.label_size, look.digits))
                placed.append(Placed(box, r, c, lines))
    return Geometry(tuple(placed), tuple(columns), tuple(_find_heights(placed, len(table), look)))


def _find_heights(placed: Sequence[Placed], rows: int, look: Look) -> list[float]:
    heights = [look.row_height] * rows
    for item in sorted(placed, key=lambda item: item.box.rows):
        needed = len(item.lines) * look.label_size * _LINE + _PAD
        last = item.row + item.box.rows
        heights[last - 1] += max(0.0, needed - sum(heights[item.row : last]))
    return heights


def place_lines(item: Placed, parts: Sequence[Part], *, is_split: bool) -> list[tuple[Part, float, float, list[str]]]:
    """On which pages a box stands: the part, y of its upper and lower edge, and the lines of its label there."""
    found = []
    for part in parts:
        first, last = max(item.row, part.first), min(item.row + item.box.rows, part.last)
        if first < last:
            found.append((part, part.rows[first - part.first], part.rows[last - part.first]))
    whole = sum(bottom - top for _, top, bottom in found)
    tallest = max(range(len(found)), key=lambda n: found[n][2] - found[n][1])
    shown: list[tuple[Part, float, float, list[str]]] = []
    used = 0
    for n, (part, top, bottom) in enumerate(found):
        if is_split:
            until = len(item.lines) if n == len(found) - 1 else used + round(len(item.lines) * (bottom - top) / whole)
        else:
            until = len(item.lines) if n >= tallest else 0
        shown.append((part, top, bottom, list(item.lines[used:until])))
        used = max(used, until)
    return shown


def line_places(lines: Sequence[str], edges: Box, look: Look, *, is_centred: bool) -> list[tuple[float, float, str]]:
    """x, baseline and text of each line of a label in the middle of its box."""
    left, top, right, bottom = edges
    step = look.label_size * _LINE
    baseline = (top + bottom - step * len(lines)) / 2 + 0.82 * step
    places = []
    for n, line in enumerate(lines):
        width = measure(line, look.label_size, look.digits)
        x = (left + right - width) / 2 if is_centred else left + _PAD
        places.append((x, baseline + n * step, line))
    return places


def value_place(text: str, edges: Box, look: Look) -> tuple[float, float, float]:
    """x, baseline and size of a value."""
    left, top, right, bottom = edges
    size = look.value_size
    room = right - left - _PAD
    width = measure(text, size, look.digits)
    if width > room:
        size *= room / width
        width = room
    x = left + _PAD if look.is_left else (left + right - width) / 2
    return x, (top + bottom) / 2 + 0.36 * size, size
