"""The outcomes of eval/bench/localise.py as a picture: two stacked bars for each class of error.

Lives here: the drawing. Does not live here: any counting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from itertools import pairwise
from typing import NamedTuple

Shares = Mapping[str, int]

#: Told apart in print and by eyes that do not see red and green apart: by lightness, and by order.
COLOURS: Mapping[str, str] = {
    "located": "#1f78a4",
    "cells only": "#5fa8d3",
    "tied with the truth": "#a9d3ec",
    "region, truth inside": "#f2d98d",
    "region, truth outside": "#e8a33d",
    "located, right rows refused too": "#a9d3ec",
    "in part": "#e8a33d",
    "unique but wrong": "#b3261e",
    "not detected": "#55585c",
}
_LEFT, _WIDTH, _GAP, _TOP, _ROW, _BAR = 245, 330, 60, 104, 22, 15
_STYLE = (
    "text { font: 13px 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', 'Helvetica Neue', Arial, sans-serif;"
    " fill: #222 } .small { font-size: 11px; fill: #666 } .title { font-size: 16px; font-weight: 600 }"
    " .head { font-weight: 600 }"
)


class Line(NamedTuple):
    """One class of error: how many, and how they ended, by the equations alone and with grounding."""

    name: str
    count: int
    equations: Shares
    grounded: Shares


def draw_outcomes(lines: Iterable[Line], title: str) -> str:
    """Draw one line a class, as SVG."""
    lines = list(lines)
    used = [name for name in COLOURS if any(line.equations.get(name) or line.grounded.get(name) for line in lines)]
    height = _TOP + _ROW * len(lines) + 14
    width = _LEFT + 2 * _WIDTH + 2 * _GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<style>{_STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
        _text(16, 28, title, "title"),
        *_draw_legend(used),
        _text(_LEFT, _TOP - 12, "equations alone", "head"),
        _text(_LEFT + _WIDTH + _GAP, _TOP - 12, "with ordered grounding", "head"),
    ]
    for index, line in enumerate(lines):
        y = _TOP + _ROW * index
        parts.append(_text(_LEFT - 12, y + 12, line.name, anchor="end"))
        for x, shares in ((_LEFT, line.equations), (_LEFT + _WIDTH + _GAP, line.grounded)):
            parts.extend(_draw_bar(x, y, shares))
            located = 100 * shares.get("located", 0) / line.count
            parts.append(_text(x + _WIDTH + 6, y + 12, f"{located:.0f} %", "small"))
    return "\n".join([*parts, "</svg>", ""])


def _draw_legend(names: Iterable[str]) -> Iterator[str]:
    x = 16
    for name in names:
        yield f'<rect x="{x}" y="47" width="12" height="12" fill="{COLOURS[name]}"/>'
        yield _text(x + 17, 58, name)
        x += 34 + 7 * len(name)


def _draw_bar(x: float, y: float, shares: Shares) -> Iterator[str]:
    total = sum(shares.values())
    named = [(name, shares[name]) for name in COLOURS if shares.get(name)]
    ends = [0.0]
    for _, count in named:
        ends.append(ends[-1] + _WIDTH * count / total)
    for (name, count), (start, end) in zip(named, pairwise(ends), strict=True):
        yield (
            f'<rect x="{x + start:.1f}" y="{y}" width="{end - start:.1f}" height="{_BAR}" fill="{COLOURS[name]}">'
            f"<title>{escape(name)}: {count} of {total}</title></rect>"
        )


def _text(x: float, y: float, text: str, style: str = "", anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" class="{style}" text-anchor="{anchor}">{escape(text)}</text>'
