"""Text on a page: measuring, breaking into lines, writing, and where its ink stands.

Lives here: Chinese in one font and everything of ASCII in another. Does not live here: what is written (form, ruling).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import pymupdf

from extractor.model import Box

_RUNS = re.compile(r"[\x21-\x7e]+|[^\x21-\x7e]")
_NO_START = "，。、；：）”》,.;:)"
#: How far digits of any of the fonts reach above and below the line, in sizes.
_ABOVE, _BELOW = 0.75, 0.04


@cache
def load_font(name: str) -> pymupdf.Font:
    """A font that comes with pymupdf."""
    return pymupdf.Font(name)


class Lettering:
    """Collects the text of one page; `finish` puts it there."""

    def __init__(self, rect: pymupdf.Rect, digits: str) -> None:
        self._digits = digits
        self._plain, self._bold = pymupdf.TextWriter(rect), pymupdf.TextWriter(rect)

    def write(self, x: float, baseline: float, text: str, size: float, *, is_bold: bool = False) -> Box:
        """Write one line from x on; returns the box of its ink."""
        writer = self._bold if is_bold else self._plain
        at = x
        for run, font in _split(text, self._digits):
            writer.append((at, baseline), run, font=font, fontsize=size)
            at += font.text_length(run, size)
        return (x, baseline - _ABOVE * size, at, baseline + _BELOW * size)

    def finish(self, page: pymupdf.Page) -> None:
        """Put all that was written on its page."""
        for writer, mode in ((self._plain, 0), (self._bold, 2)):
            if not writer.text_rect.is_empty:
                writer.write_text(page, render_mode=mode)


def measure(text: str, size: float, digits: str) -> float:
    """Width of a line."""
    return sum(font.text_length(run, size) for run, font in _split(text, digits))


def break_lines(text: str, width: float, size: float, digits: str) -> list[str]:
    """Lines of at most that width; a number stays whole, and no line is empty."""
    lines = [""]
    for piece in _RUNS.findall(text):
        is_full = measure(lines[-1] + piece, size, digits) > width
        if lines[-1] and is_full and (piece not in _NO_START or len(lines[-1]) == 1):
            lines.append("")
        lines[-1] += piece
    return lines


def _split(text: str, digits: str) -> Iterator[tuple[str, pymupdf.Font]]:
    for match in re.finditer(r"[\x20-\x7e]+|[^\x20-\x7e]+", text):
        yield match[0], load_font(digits if match[0].isascii() else "cjk")
