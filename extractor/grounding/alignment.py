"""What comes out of aligning a reply: nouns only.

Lives here: frozen data. Does not live here: any decision. Used by every module of this package and by readers
that ask a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from extractor.model import Alignment, Span

#: What a reply's row is worth. Only `placed` and `blank` say which column a cell stands in.
RowOutcome = Literal["placed", "blank", "tokens", "glued", "mismatch", "not_anchored"]


@dataclass(frozen=True, slots=True)
class AlignedCell:
    """One cell of a reply and where it stands.

    Attributes:
        alignment: how well the source says the same.
        span: where; None when not found. An empty cell of the reply has the span of an empty cell of the source.
        raw: what the source prints there, `document.text[span.start:span.end]`; None for an empty cell.
    """

    alignment: Alignment
    span: Span | None = None
    raw: str | None = None


NOT_FOUND = AlignedCell("not_found")


@dataclass(frozen=True, slots=True)
class RowAlignment:
    """One row of a reply against the source.

    Attributes:
        outcome: `placed`: label and all cells stand there in this order, and the column of each is certain;
            `blank`: all cells are empty, and as many empty cells are to be seen; `tokens`: what is printed behind
            the label is what the reply says, the columns are not certain; `glued`: the digits run together, and
            the cells of the reply add up to them; `mismatch`: something else stands behind the label, or
            nothing, or the label is printed more than once; `not_anchored`: the label is nowhere.
        cells: one for each cell of the reply, in order.
        anchor: the row's label in the source.
        is_anchored_by_order: whether the label is unknown and only its neighbours say which row it is.
        region: interval of the source with the label and its cells, to ask again with.
        is_out_of_order: whether the row stands elsewhere than the form has it: its label may be another row's, put
            back at the wrong place. Nothing else shows that, so a reader must say it.
    """

    outcome: RowOutcome
    cells: tuple[AlignedCell, ...]
    anchor: Span | None = None
    is_anchored_by_order: bool = False
    region: tuple[int, int] | None = None
    is_out_of_order: bool = False
