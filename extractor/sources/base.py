"""What every source kind hands over: linear text and the grids that the source itself separates.

The rest (headings, grids of plain text, normalisation) is one way for all kinds: see
extractor.sources.load_document.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from extractor.model import CellPlace, Flag, Grid, InkedText, Page, Paper


@dataclass(frozen=True, slots=True)
class Linear:
    """A source as linear text in reading order.

    Attributes:
        text: decoded text; entities resolved, one block a line.
        grids: tables with true geometry, in reading order, not overlapping; `Grid.index` counts
            from 0. Cell intervals lie in `text`; an empty cell has start == end.
        notices: findings of the parser (hidden text, undecodable bytes).
        paper: where the text stands, for sources with pages.
    """

    text: str
    grids: tuple[Grid, ...] = ()
    notices: tuple[Flag, ...] = ()
    paper: Paper | None = None


def join_linears(parts: Iterable[Linear]) -> Linear:
    """Put parts of one source one after another: text, grids, notices, and their paper if any of them has some.

    Args:
        parts: whose pages are numbered throughout, and whose notices name no places in the text.
    """
    texts: list[str] = []
    grids: list[Grid] = []
    notices: list[Flag] = []
    pages: list[Page] = []
    words: list[InkedText] = []
    cells: dict[tuple[int, int, int], CellPlace] = {}
    position = 0
    for part in parts:
        first = len(grids)
        if part.paper is not None:
            pages.extend(part.paper.pages)
            words.extend(
                word._replace(start=word.start + position, end=word.end + position) for word in part.paper.words
            )
            cells |= {(first + grid, row, column): at for (grid, row, column), at in part.paper.cells.items()}
        grids.extend(_shift_grid(grid, first + place, position) for place, grid in enumerate(part.grids))
        notices.extend(part.notices)
        texts.append(part.text)
        position += len(part.text)
    paper = Paper(tuple(pages), tuple(words), cells) if pages else None
    return Linear("".join(texts), tuple(grids), tuple(notices), paper)


def _shift_grid(grid: Grid, index: int, by: int) -> Grid:
    cells = tuple([cell._replace(start=cell.start + by, end=cell.end + by) for cell in grid.cells])
    return replace(grid, index=index, start=grid.start + by, end=grid.end + by, cells=cells)
