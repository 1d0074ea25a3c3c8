"""What documents print, word for word: what a perfect reader would know of them.

Lives here: the noun Truth. Does not live here: finding the one that a text is from (library), where
truths come from (labelled, generated), and what is made of them (simulated).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from extractor.forms import Section
from extractor.llm.wire import StatedFact

Cells = tuple[str | None, ...]

_BETWEEN_NUMBERS = re.compile(r"(?<=\d)[\s|]+(?=\d)")
_UNSEEN = re.compile(r"[\s|]+")


def squeeze(text: str) -> str:
    """Text without what layouts change: white space, bars, hidden characters. Numbers do not grow together."""
    return _UNSEEN.sub("", _BETWEEN_NUMBERS.sub("¦", text.replace("\x00", "")))


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
