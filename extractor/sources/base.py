"""What every source kind hands over: linear text and the grids that the source itself separates.

The rest (headings, grids of plain text, normalisation) is one way for all kinds: see
extractor.sources.load_document.
"""

from __future__ import annotations

from dataclasses import dataclass

from extractor.model import Flag, Grid, Paper


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
