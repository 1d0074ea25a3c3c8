"""What documents print, word for word: what a perfect reader would know of them.

Lives here: the noun Truth, and finding the one that a shown text is from. Does not live here: where
truths come from (labelled, generated), and what is made of them (simulated).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from extractor.forms import Section
from extractor.llm.wire import StatedFact

Cells = tuple[str | None, ...]

_UNSEEN = re.compile(r"[\s\x00|]+")
#: A shown text is compared in pieces of about so many characters; lines with fewer than these are joined.
_PIECE, _SHORT = 48, 8
#: At least this share of the text must stand in a document, piece by piece.
_LEAST_SHARE = 0.5


def squeeze(text: str) -> str:
    """Text without what layouts change: white space, bars, hidden characters."""
    return _UNSEEN.sub("", text)


@dataclass(frozen=True, eq=False)
class Truth:
    """What one document prints.

    Attributes:
        name: the document's, for messages.
        view: its text as readers see it.
        cells: by field id, the printed text, None for an empty cell; no key for a row that is not printed.
        tokens: by section.row, what is printed in a row whose columns the source lost.
        keeps_blanks: whether the text shows where the empty cells are.
        header: by name, the printed text.
        indicators: rows of the table of a report before the national form.
    """

    name: str
    view: str
    cells: Mapping[str, str | None] = field(default_factory=dict)
    tokens: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keeps_blanks: bool = True
    header: Mapping[str, str] = field(default_factory=dict)
    facts: tuple[StatedFact, ...] = ()
    indicators: tuple[Cells, ...] = ()

    @cached_property
    def squeezed(self) -> str:
        """The view, squeezed."""
        return squeeze(self.view)

    def row(self, section: Section, row_id: str) -> Cells | None:
        """What stands in a row as far as the text tells: its cells; or fewer, the printed ones in order.

        Returns:
            None where the row is not printed.
        """
        lost = self.tokens.get(f"{section.id}.{row_id}")
        if lost is not None:
            return lost
        ids = [section.field_id(row_id, column.id) for column in section.rows_by_id[row_id].columns]
        if not all(field_id in self.cells for field_id in ids):
            return None
        cells = tuple(self.cells[field_id] for field_id in ids)
        return cells if self.keeps_blanks else tuple(cell for cell in cells if cell is not None)


class Library:
    """Truths, to be found by what is shown of their documents."""

    def __init__(self, truths: Iterable[Truth]) -> None:
        # The one found last stands first: a document's calls come together.
        self._truths = list(truths)

    def find(self, shown: str) -> Truth | None:
        """The truth of the document that a text is from; None where it is from no known one.

        Documents that all hold the text say the same about it, and any of them will do.
        """
        pieces = _cut(shown)
        whole = sum(map(len, pieces))
        best, most = None, _LEAST_SHARE * whole
        for truth in self._truths:
            found = sum(len(piece) for piece in pieces if piece in truth.squeezed)
            if found > most:
                best, most = truth, found
            if found == whole:
                break
        if best is not None and best is not self._truths[0]:
            self._truths.remove(best)
            self._truths.insert(0, best)
        return best


def _cut(shown: str) -> list[str]:
    """The text in pieces, each of which stands in the source as it is shown.

    A line does, cut where it is long. What is shorter is joined with the lines around it and the end of the
    one in front: numbers in lines of their own say nothing without their label.
    """
    pieces: list[str] = []
    before = current = ""
    for line in shown.split("\n"):
        text = squeeze(line)
        if len(text) < _SHORT and len(current) < _PIECE:
            current += text
            continue
        pieces += [before + current] * bool(current)
        pieces += [text[i : i + _PIECE] for i in range(0, len(text), _PIECE)]
        before, current = text[-_SHORT:], ""
    return [*pieces, before + current] if current else pieces
