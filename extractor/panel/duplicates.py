"""Several documents of one agency and year, cell by cell.

Lives here: the comparison, over all cells of the tables; the records are read again at their place in the file, so
that no more than one of them is in memory. Called by build.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from extractor.forms import load_forms
from extractor.model import CellState, Value
from extractor.panel.entries import Entry

_CERTAIN = frozenset({CellState.VALUE, CellState.NA_MARK, CellState.BLANK, CellState.ROW_ABSENT})
_DIFFERING = 2  # values of one cell; more say no more


class _Printed(BaseModel):
    state: CellState
    value: Value | None


class _Record(BaseModel):
    fields: dict[str, _Printed]


class Duplicates(NamedTuple):
    """How the other documents of a year compare with its first.

    Attributes:
        same: cells that all documents read alike.
        differing: field ids that at least two read differently.
        open: cells that some document could not read or does not have.
    """

    same: int
    differing: tuple[str, ...]
    open: int


def compare_documents(path: Path, entries: Sequence[Entry]) -> Duplicates:
    """Compare the tables of several documents as printed; whether a value was accepted does not matter here.

    A mark, an empty cell and a missing row are alike: no number is printed. None of them is like 0.
    """
    cells = load_forms().fields
    known: dict[str, set[Value | None]] = {}
    read: dict[str, int] = {}
    with path.open("rb") as file:
        for entry in entries:
            file.seek(entry.offset)
            for field_id, item in _Record.model_validate_json(file.readline()).fields.items():
                if field_id in cells:
                    values = known.setdefault(field_id, set())
                    if item.state in _CERTAIN:
                        read[field_id] = read.get(field_id, 0) + 1
                        if len(values) < _DIFFERING:
                            values.add(item.value if item.state is CellState.VALUE else None)
    differing = tuple(field_id for field_id, values in known.items() if len(values) == _DIFFERING)
    same = sum(len(values) == 1 and read[field_id] == len(entries) for field_id, values in known.items())
    return Duplicates(same, differing, len(known) - same - len(differing))
