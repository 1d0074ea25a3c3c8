"""Atoms -> lines: which cells stand behind which row label.

Lives here: grouping the atoms of one table into labelled lines, and telling what the table's
header says about columns. Does not live here: which column a cell belongs to (placement) and what
the generation is (tables).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from extractor.forms import Row, Section
from extractor.readers.atoms import Atom

_LONGEST_CELL_TEXT = 30


@dataclass(slots=True)
class Line:
    """A row label and the cells behind it.

    Attributes:
        label: the label, or None for cells that no label claims.
        row_ids: the rows that the label may mean (in different generations).
        slots: cells behind the label, empty ones included.
        header: column labels of the nearest header in front of the line, in order of print.
        is_interrupted: whether text that is no label ended the line, where no borders show rows.
    """

    label: Atom | None
    row_ids: tuple[str, ...]
    slots: list[Atom] = field(default_factory=list)
    header: Sequence[Atom] = ()
    is_interrupted: bool = False

    @property
    def printed(self) -> list[Atom]:
        """The slots that hold something."""
        return [slot for slot in self.slots if slot.is_printed]


@dataclass(slots=True)
class TableLines:
    """All lines of one table, its header labels, and the texts and numbers that no line claims."""

    lines: list[Line]
    header: list[Atom]
    labels: list[Atom]
    strays: list[Line]


def collect_lines(atoms: Iterable[Atom]) -> TableLines:
    """Group the atoms of a `labelled_rows` table."""
    builder = _LineBuilder()
    for atom in atoms:
        builder.add(atom)
    return builder.finish()


class _LineBuilder:
    """Walks through the atoms once; keeps the line that is being filled."""

    def __init__(self) -> None:
        self.table = TableLines([], [], [], [])
        self.current: Line | None = None
        self.header: list[Atom] = []
        self.previous: Atom | None = None
        self.waiting: Line | None = None  # cells of a grid row in which no label has been seen yet
        self.row_has_label = False

    def add(self, atom: Atom) -> None:
        if atom.row is not None and (self.previous is None or atom.row != self.previous.row):
            self._close()
        if atom.kind == "label":
            self._add_label(atom)
        elif atom.kind == "text":
            self._add_text(atom)
        else:
            self._add_cell(atom)
        if atom.is_printed or atom.kind == "label" or atom.row is not None:
            self.previous = atom

    def finish(self) -> TableLines:
        self._close()
        return self.table

    def _close(self) -> None:
        # An empty line of cells counts where rows are known and no label stands in it.
        if self.waiting and (
            self.waiting.printed or (self.waiting.slots[0].row is not None and not self.row_has_label)
        ):
            self.table.strays.append(self.waiting)
        self.waiting = None
        self.current = None
        self.row_has_label = False

    def _add_label(self, atom: Atom) -> None:
        self.table.labels.append(atom)
        if atom.row is None and self.waiting:
            self._close()
        self.row_has_label = True
        row_ids = tuple(dict.fromkeys(ref.id for ref in atom.refs if ref.role == "row"))
        if row_ids and not self._means_column(atom):
            if self.current and self.current.row_ids == row_ids and not self.current.slots:
                return  # a merged label that the flattener repeated
            self.current = Line(atom, row_ids, header=self.header)
            self.table.lines.append(self.current)
            self._drop_waiting_blanks()
        elif any(ref.role == "column" for ref in atom.refs):
            if self._opens_header():
                self.header = []
            self.header.append(atom)
            self.table.header.append(atom)
            self.current = None
            self._drop_waiting_blanks()
        else:  # a caption or a group label: no cells of its own
            if atom.row is None:
                self.current = None
            self._drop_waiting_blanks()

    def _drop_waiting_blanks(self) -> None:
        if self.waiting and not self.waiting.printed:
            self.waiting = None

    def _opens_header(self) -> bool:
        """Whether a column label begins a new header: a line has been read since the last one."""
        return bool(self.table.lines) and self.header is self.table.lines[-1].header

    def _means_column(self, atom: Atom) -> bool:
        """Whether an ambiguous label (其他, 总计) is the column's: in a header, without an ordinal."""
        if not any(ref.role == "column" for ref in atom.refs) or atom.has_ordinal:
            return False
        if not self.table.lines:
            return True
        before = self.previous
        return before is not None and before.kind == "label" and all(ref.role != "row" for ref in before.refs[:1])

    def _add_text(self, atom: Atom) -> None:
        if atom.row is None:
            if self.current:
                self.current.is_interrupted = True
            self._close()
            self.waiting = Line(None, (), [atom])
        elif self.current:
            self.current.slots.append(atom)
        else:
            self.waiting = self.waiting or Line(None, ())
            self.waiting.slots.append(atom)

    def _add_cell(self, atom: Atom) -> None:
        if self.current:
            self.current.slots.append(atom)
        else:
            self.waiting = self.waiting or Line(None, ())
            self.waiting.slots.append(atom)


def row_of(line: Line, section: Section) -> Row | None:
    """The form's row that a line's label names in one generation."""
    rows = section.rows_by_id if section.layout == "labelled_rows" else {}
    return next((rows[row_id] for row_id in line.row_ids if row_id in rows), None)


def unknown_texts(strays: Iterable[Line]) -> tuple[list[Line], list[Line]]:
    """Split unclaimed lines into rows with an unknown label and numbers without any label.

    Prose behind a table, cells of text alone and empty rows are neither.
    """
    rows, numbers = [], []
    for stray in strays:
        texts = [slot for slot in stray.slots if slot.kind == "text"]
        has_numbers = any(slot.kind == "cell" and slot.is_printed for slot in stray.slots)
        if has_numbers and texts and texts[0].end - texts[0].start <= _LONGEST_CELL_TEXT:
            rows.append(stray)
        elif has_numbers:
            numbers.append(stray)
    return rows, numbers
