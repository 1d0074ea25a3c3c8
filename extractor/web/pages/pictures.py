"""Small pictures as SVG: columns of days, bars, a share with its interval, what was foretold against what was found.

Lives here: geometry. Does not live here: words (each picture stands beside a table that says the same, and is hidden
from screen readers), colours (dashboard.css, by class: the page allows no style in its HTML). Called by the dashboard.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

_BAR_WIDTH = 100
_COLUMNS = (720.0, 190.0)
_LEFT, _BOTTOM, _TOP = 40.0, 26.0, 12.0
_SQUARE, _MARGIN = 300.0, 38.0


class Part(NamedTuple):
    """One stretch of a bar: its class, and how much of the whole it is."""

    name: str
    value: float


def draw_bar(parts: Sequence[Part], whole: float) -> Markup:
    """A bar of parts one after the other, as long as their share of the whole."""
    shapes, x = [], 0.0
    for part in parts:
        width = _BAR_WIDTH * part.value / whole if whole else 0.0
        if width > 0:
            shapes.append(f'<rect class="{escape(part.name)}" x="{x:.2f}" y="0" width="{width:.2f}" height="10"/>')
        x += width
    return Markup(  # noqa: S704  numbers and an escaped name
        f'<svg class="bar-picture" viewBox="0 0 {_BAR_WIDTH} 10" preserveAspectRatio="none" aria-hidden="true" '
        f'focusable="false">{"".join(shapes)}</svg>'
    )


def draw_columns(days: Sequence[tuple[str, int]]) -> Markup:
    """A column for each day, with a scale at the left and the first, middle and last day below."""
    width, height = _COLUMNS
    floor, step = height - _BOTTOM, (width - _LEFT) / max(1, len(days))
    ticks = choose_ticks(max((value for _, value in days), default=0))
    scale = (floor - _TOP) / ticks[-1]
    shapes = [
        f'<line class="rule" x1="{_LEFT:g}" x2="{width:g}" y1="{floor - tick * scale:.1f}" '
        f'y2="{floor - tick * scale:.1f}"/><text class="tick" x="{_LEFT - 6:g}" y="{floor - tick * scale + 4:.1f}" '
        f'text-anchor="end">{tick:,}</text>'
        for tick in ticks
    ]
    for number, (day, value) in enumerate(days):
        x, tall = _LEFT + number * step, value * scale
        shapes.append(
            f'<g><title>{escape(day)}: {value:,}</title><rect class="hover" x="{x:.2f}" y="{_TOP:g}" '
            f'width="{step:.2f}" height="{floor - _TOP:.1f}"/><rect class="column" x="{x + step * 0.12:.2f}" '
            f'y="{floor - tall:.2f}" width="{step * 0.76:.2f}" height="{tall:.2f}"/></g>'
        )
    for number in sorted({0, len(days) // 2, len(days) - 1} if days else ()):
        at = _LEFT + (number + 0.5) * step
        anchor = "start" if number == 0 else "end" if number == len(days) - 1 else "middle"
        edge = {"start": at - step / 2, "end": at + step / 2}.get(anchor, at)
        shapes.append(
            f'<text class="tick" x="{edge:.1f}" y="{height - 8:g}" text-anchor="{anchor}">'
            f"{escape(days[number][0][5:])}</text>"
        )
    return _frame("columns-picture", width, height, shapes)


def draw_interval(share: float, low: float, high: float, most: float) -> Markup:
    """A share as a dot on a line from 0 to `most`, with its interval around it."""
    x, left, right = (300 * min(value / most, 1.0) for value in (share, low, high))
    return _frame(
        "interval-picture",
        320,
        24,
        [
            '<line class="rule" x1="8" x2="312" y1="12" y2="12"/>',
            f'<line class="whisker" x1="{left + 8:.1f}" x2="{right + 8:.1f}" y1="12" y2="12"/>',
            f'<circle class="dot" cx="{x + 8:.1f}" cy="12" r="5"/>',
        ],
    )


class Point(NamedTuple):
    """What was foretold, what was found with its interval (0 to 1), and the share of all fields that it stands for."""

    foretold: float
    found: float
    low: float
    high: float
    weight: float


def draw_calibration(points: Sequence[Point]) -> Markup:
    """Foretold (to the right) against found (upward): on the diagonal the confidence is what it says."""
    size, reach = _SQUARE, _SQUARE - _MARGIN - 18

    def place(x: float, y: float) -> tuple[float, float]:
        return _MARGIN + x * reach, size - _MARGIN - y * reach

    (x0, y0), (x1, y1) = place(0, 0), place(1, 1)
    shapes = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = place(tick, tick)
        shapes.append(
            f'<line class="rule" x1="{x0:.1f}" x2="{x1:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{x0 - 5:.1f}" y="{y + 4:.1f}" text-anchor="end">{tick:.0%}</text>'
            f'<text class="tick" x="{x:.1f}" y="{y0 + 16:.1f}" text-anchor="middle">{tick:.0%}</text>'
        )
    shapes.append(f'<line class="diagonal" x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}"/>')
    for point in points:
        (x, y), (_, bottom), (_, top) = (place(point.foretold, at) for at in (point.found, point.low, point.high))
        shapes.append(
            f'<line class="whisker" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom:.1f}" y2="{top:.1f}"/>'
            f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{3 + 5 * point.weight**0.5:.1f}"/>'
        )
    return _frame("calibration-picture", size, size, shapes)


def choose_ticks(most: int) -> list[int]:
    """Round numbers from 0 to at least `most`, at most six of them."""
    if most <= 4:
        return list(range(max(most, 1) + 1))
    power = 10 ** math.floor(math.log10(most / 5))
    step = next(one * power for one in (1, 2, 5, 10) if one * power * 5 >= most)
    return list(range(0, step * (-(-most // step)) + 1, step))


def _frame(name: str, width: float, height: float, shapes: Sequence[str]) -> Markup:
    return Markup(  # noqa: S704  every text in it was escaped
        f'<svg class="{name}" viewBox="0 0 {width:g} {height:g}" aria-hidden="true" focusable="false">'
        f"{''.join(shapes)}</svg>"
    )
