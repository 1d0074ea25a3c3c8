"""A small press: pages as PageContent, set by hand. Only for the tests of what happens after pages are read."""

from __future__ import annotations

from collections.abc import Sequence

from extractor.model import Page
from extractor.sources.pages.shapes import Line, PageCell, PageContent, PageTable, Word
from extractor.sources.pages.spacing import count_squares

WIDTH, HEIGHT = 600.0, 800.0
LEFT, RIGHT, TOP = 80.0, 520.0, 80.0
SIZE, PITCH = 16.0, 28.0
SQUARES = int((RIGHT - LEFT) / SIZE)


def word(text: str, x: float, y: float, size: float = SIZE) -> Word:
    """A word with its top left corner at x, y."""
    return Word(text, (x, y, x + count_squares(text) * size, y + size))


def line(text: str, x: float = LEFT, y: float = TOP, size: float = SIZE) -> Line:
    """A line of words that spaces separate; a space is half a square."""
    words = []
    start = x
    for part in text.split(" "):
        words.append(word(part, start, y, size))
        start = words[-1].box[2] + size / 2
    return Line(tuple(words), (x, y, words[-1].box[2], y + size))


def wrap(paragraph: str, indent: int = 2) -> list[tuple[int, str]]:
    """Break a paragraph of Han characters into lines: indent in squares, and text."""
    first = SQUARES - indent
    rest = [paragraph[at : at + SQUARES] for at in range(first, len(paragraph), SQUARES)]
    return [(indent, paragraph[:first]), *((0, text) for text in rest)]


def page(
    number: int = 1,
    lines: Sequence[Line] = (),
    tables: Sequence[PageTable] = (),
    foot: str = "",
    head: str = "",
    **facts: object,
) -> PageContent:
    """A page, its foot and its head set at their usual places."""
    printed = list(lines)
    if head:
        printed.insert(0, line(head, 250, 40, 10))
    if foot:
        printed.append(line(foot, 290, 760, 12))
    return PageContent(Page(number, WIDTH, HEIGHT, "pt"), tuple(printed), tuple(tables), **facts)  # type: ignore[arg-type]


def column(texts: Sequence[str], y: float = TOP) -> list[Line]:
    """Lines below each other, as they are."""
    return [line(text, LEFT, y + PITCH * place) for place, text in enumerate(texts)]


def prose(paragraphs: Sequence[str], y: float = TOP) -> list[Line]:
    """Paragraphs set between the margins, each with its first line indented."""
    lines = [item for paragraph in paragraphs for item in wrap(paragraph)]
    return [line(text, LEFT + SIZE * indent, y + PITCH * place) for place, (indent, text) in enumerate(lines)]


Spans = tuple[int, int]


def table(
    rows: Sequence[Sequence[str]],
    edges: Sequence[float],
    y: float = 100.0,
    merged: dict[Spans, Spans] | None = None,
) -> PageTable:
    """A table. `rows` has a text for each slot; `merged` gives cells of several slots: place -> row and column span."""
    merged = merged or {}
    height = 30.0
    tops = [y + height * row for row in range(len(rows) + 1)]
    covered: set[Spans] = set()
    cells = []
    for row, texts in enumerate(rows):
        for place, text in enumerate(texts):
            if (row, place) in covered:
                continue
            down, across = merged.get((row, place), (1, 1))
            covered |= {(row + i, place + j) for i in range(down) for j in range(across)}
            box = (edges[place], tops[row], edges[place + across], tops[row + down])
            cells.append(PageCell(row, place, down, across, box, cell_lines(text, box)))
    return PageTable((edges[0], tops[0], edges[-1], tops[-1]), tuple(edges), tuple(tops), tuple(cells))


def cell_lines(text: str, box: tuple[float, float, float, float], size: float = 8.0) -> tuple[Line, ...]:
    """The lines of a cell, from its top left corner; none for an empty text."""
    parts = text.split("\n") if text else []
    return tuple(line(part, box[0] + 3, box[1] + 3 + size * place, size) for place, part in enumerate(parts))
