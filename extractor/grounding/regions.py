"""Pieces -> regions: each label with the cells behind it, and the cells that no label claims.

Lives here: one walk through the pieces, and what a label means at its place. Does not live here: which of several
regions is a row's (anchors) and whether columns are certain (placement).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from extractor.forms import Section, fold_label
from extractor.grounding.pieces import Piece


@dataclass(slots=True)
class Region:
    """A label and the cells behind it.

    Attributes:
        label: the row's label; in an unclaimed region the unknown text in front, if any.
        row_id: the form's row; None where no label of the form claims the cells.
        slots: cells behind the label, empty ones included.
        header: labels of the nearest header in front, those over several columns included.
        is_doubtful: whether the label may also be a column's.
        is_interrupted: whether text that is no label ended the region.
    """

    label: Piece | None
    row_id: str | None
    header: list[Piece]
    slots: list[Piece] = field(default_factory=list)
    is_doubtful: bool = False
    is_interrupted: bool = False

    @property
    def printed(self) -> list[Piece]:
        """The slots that hold something."""
        return [slot for slot in self.slots if slot.kind != "empty"]

    @property
    def start(self) -> int:
        """Where it begins in the source."""
        return self.label.start if self.label else self.slots[0].start

    @property
    def end(self) -> int:
        """Where it ends in the source."""
        return max(piece.end for piece in (self.label, *self.slots[-1:]) if piece)


@dataclass(slots=True)
class TableRegions:
    """All regions of one table in order of print.

    Attributes:
        rows: regions that a row's label claims.
        unclaimed: regions without one: numbers alone, or behind unknown text.
        labels: every label, header and captions included.
    """

    rows: list[Region] = field(default_factory=list)
    unclaimed: list[Region] = field(default_factory=list)
    labels: list[Piece] = field(default_factory=list)

    def find_extent(self, region: Region) -> tuple[int, int]:
        """What belongs to a region; without cells behind its label all up to the next label."""
        if region.slots:
            return region.start, region.end
        behind = (label.start for label in self.labels if label.start >= region.end)
        return region.start, min(behind, default=region.end)


def collect_regions(parts: Iterable[Iterable[Piece]], section: Section) -> TableRegions:
    """Group the pieces of one table."""
    walk = _Walk(section)
    for pieces in parts:
        walk.enter_row(None)
        for piece in pieces:
            walk.add(piece)
    walk.close()
    return walk.table


class _Walk:
    """Walks through the pieces once; keeps the region that is being filled."""

    def __init__(self, section: Section) -> None:
        self.table = TableRegions()
        self.rows = section.rows_by_id if section.layout == "labelled_rows" else {}
        self.groups = _fold_all(row.group for row in section.rows)
        self.headings = _fold_all(column.over for column in section.columns)
        self.current: Region | None = None
        self.last_row: Region | None = None
        self.header: list[Piece] = []
        self.is_in_header = True
        self.row: int | None = None
        self.row_has_label = False

    def add(self, piece: Piece) -> None:
        """Take the next piece."""
        if piece.row != self.row:
            self.enter_row(piece.row)
        if piece.kind == "label":
            self._add_label(piece)
        elif piece.kind == "text" and not self._is_slot(piece):
            self._add_text(piece)
        else:
            if self.current is None:
                self.current = Region(None, None, self.header)
            self.current.slots.append(piece)

    def enter_row(self, row: int | None) -> None:
        """No region goes on into another row of a grid, or into another part of the table."""
        self.close()
        self.row, self.row_has_label = row, False

    def close(self) -> None:
        """End the region under way. A line of empty cells counts unless a label stands in its row."""
        region, self.current = self.current, None
        if region and region.row_id is None and region.slots and (region.printed or not self.row_has_label):
            self.table.unclaimed.append(region)

    def _add_label(self, piece: Piece) -> None:
        row_id = self._row_of(piece)
        if row_id and self.current and self.current.row_id == row_id and not self.current.slots:
            return  # a merged label that the flattener repeated
        self._drop_empty_cells()
        self.close()
        self.row_has_label = True
        self.table.labels.append(piece)
        is_row = any(ref.role == "row" for ref in piece.refs)
        is_column = any(ref.role == "column" for ref in piece.refs)
        if row_id:
            self._open_row(piece, row_id)
        elif any(ref.id in self.groups for ref in piece.refs):
            self.is_in_header = False
        elif is_row and (piece.has_ordinal or not is_column):  # another generation's row
            self.current = Region(piece, None, self.header)
        elif is_column or any(ref.id in self.headings for ref in piece.refs):
            self._add_heading(piece)

    def _open_row(self, piece: Piece, row_id: str) -> None:
        is_doubtful = not piece.has_ordinal and any(ref.role == "column" for ref in piece.refs)
        self.current = Region(piece, row_id, self.header, is_doubtful=is_doubtful)
        self.last_row = self.current
        self.is_in_header = False
        self.table.rows.append(self.current)

    def _add_heading(self, piece: Piece) -> None:
        """A label of the header: a column's, or one over several columns."""
        if self.last_row and self.last_row.header is self.header:  # rows have been seen: another header
            self.header = []
        self.header.append(piece)
        self.is_in_header = True

    def _row_of(self, piece: Piece) -> str | None:
        """The row that a label names here; None where an ambiguous one (其他, 总计) is the column's."""
        row_id = next((ref.id for ref in piece.refs if ref.role == "row" and ref.id in self.rows), None)
        is_clear = piece.has_ordinal or all(ref.role != "column" for ref in piece.refs)
        return row_id if is_clear or not self.is_in_header else None

    def _drop_empty_cells(self) -> None:
        """Empty cells in front of a label are nobody's."""
        if self.current and self.current.row_id is None and not self.current.printed:
            self.current = None

    def _is_slot(self, piece: Piece) -> bool:
        """Whether text stands in a cell behind a row's label or behind numbers."""
        region = self.current
        return piece.row is not None and region is not None and (region.row_id is not None or bool(region.printed))

    def _add_text(self, piece: Piece) -> None:
        """Text that is no label of the form: it ends a region and opens one that nobody claims."""
        region = self.current
        if region and region.label and piece.row is None:
            if not region.slots and (region.row_id is None or piece.is_note):
                region.label = region.label._replace(end=piece.end)
                return
            region.is_interrupted = True
        self._drop_empty_cells()
        self.close()
        self.current = Region(piece, None, self.header)


def _fold_all(captions: Iterable[str | None]) -> frozenset[str]:
    width = {ord("（"): "(", ord("）"): ")"}
    return frozenset(fold_label(caption.translate(width)) for caption in captions if caption)
