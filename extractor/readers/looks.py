"""What an image model is shown of one document: rows of its tables, and pages without a table.

Lives here: the choice, from what the rules found and where it stands on paper. Does not live here: which piece of paper
shows a row (extractor.readers.llm.sights), asking (extractor.readers.llm.vision). Called by the pipeline.

`auto` shows rows of ink in which something is in doubt, whatever the doubt: an equation that fails may be a digit that
was misread. Of pages with a text layer, only rows with ink that is no number are shown. `both` and `llm` show every row
of ink. A row is shown only where the grid has exactly one cell for each of its columns, so that a reply can be compared
with it cell by cell; what has no such row is shown as a whole page, and then nothing says where a number stands.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from extractor.forms import TABLE_SECTIONS, Form, Row, Section, load_forms
from extractor.model import UNREAD, Candidate, CellState, Chunk, Document, Grid, Paper, Reading, Record, Span
from extractor.readers.policy import Policy, find_open_rows, place_of

# Findings about the file: no look at a row settles them.
_NOT_FOR_EYES = frozenset({"several-reports", "cut-off"})
_OF_INK = ("ocr", "failed")
# A table of the form prints more numbers than this; a page of text about it rarely does.
_LEAST_NUMBERS = 12
_LIKE_A_NUMBER = re.compile(f"[0-9{UNREAD}]")


class RowLook(NamedTuple):
    """One row to look at. `cells`: of each column of the row, in order, the grid cell that holds it."""

    row: Row
    cells: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class TableLook:
    """Rows of one table to look at, in the form's order. `chunk`: where the table stands, for its header."""

    form: Section
    generation: str
    chunk: Chunk
    rows: tuple[RowLook, ...]


@dataclass(frozen=True, slots=True)
class Looks:
    """All that an image model is shown of one document.

    Attributes:
        pages: numbers of whole pages.
        form: the generation whose rows are asked for on them.
        missing: ids of the sections that nobody found, for which whole pages are shown.
    """

    tables: tuple[TableLook, ...] = ()
    pages: tuple[int, ...] = ()
    form: Form | None = None
    missing: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tables) or bool(self.pages)


def choose_looks(
    policy: Policy, document: Document, chunks: Sequence[Chunk], template: Reading, draft: Record
) -> Looks:
    """Choose what to show.

    Args:
        template: the template reader's reading, for generations and for the cells of each row.
        draft: the record that it alone would give, with the doubts about its ink.
    """
    paper = document.paper
    is_unreadable = not template.is_report or any(flag.code == "several-reports" for flag in draft.flags)
    if policy == "template" or paper is None or is_unreadable or "pre2019" in template.generation.values():
        return Looks()
    is_open = find_open_rows(draft, _NOT_FOR_EYES) if policy == "auto" else None
    tables = tuple(_choose_tables(document, paper, chunks, template, is_open))
    missing = tuple(section for section in TABLE_SECTIONS if template.generation[section] == "absent")
    pages = _pages_without_table(document, paper) if missing else ()
    return Looks(tables, pages, _form_of(template.generation), missing)


def _form_of(generation: Mapping[str, str]) -> Form:
    """The generation of the tables that were found; the newest where none was."""
    forms = load_forms()
    return next((forms.generations[name] for name in generation.values() if name != "absent"), forms.national[0])


def _pages_without_table(document: Document, paper: Paper) -> tuple[int, ...]:
    """Pages of ink on which no cell was found, and which may hold a table: they failed, or are full of numbers."""
    with_cells = {place.page for place in paper.cells.values()}
    numbers = Counter(word.page for word in paper.words if _LIKE_A_NUMBER.search(document.view, word.start, word.end))
    return tuple(
        page.number
        for page in paper.pages
        if page.number not in with_cells
        and (page.read_by == "failed" or (page.read_by == "ocr" and numbers[page.number] >= _LEAST_NUMBERS))
    )


def _choose_tables(
    document: Document, paper: Paper, chunks: Sequence[Chunk], template: Reading, is_open: set[str] | None
) -> Iterator[TableLook]:
    for section, name in template.generation.items():
        form = load_forms().section(section, name)
        chunk, _ = place_of(document, chunks, section, is_absent=form is None)
        if form is None or chunk is None:
            continue
        rows = []
        for row in form.rows:
            found = [template.candidates.get(form.field_id(row.id, column.id), ()) for column in row.columns]
            cells = _find_cells(document, found)
            if cells and _is_worth_a_look(paper, cells, found, is_open is None or f"{section}.{row.id}" in is_open):
                rows.append(RowLook(row, cells))
        if rows:
            yield TableLook(form, name, chunk, tuple(rows))


def _is_worth_a_look(
    paper: Paper, cells: Sequence[Span], found: Sequence[Sequence[Candidate]], is_wanted: bool
) -> bool:
    """Whether a row stands on paper, and is of ink and wanted, or has a cell that is no number."""
    places = [paper.cells.get((cell.table or 0, cell.row or 0, cell.cell or 0)) for cell in cells]
    if any(place is None for place in places):
        return False
    is_ink = any(paper.pages[place.page - 1].read_by in _OF_INK for place in places if place)
    return is_wanted and (is_ink or any(one[0].state is CellState.UNPARSABLE for one in found))


def _find_cells(document: Document, found: Sequence[Sequence[Candidate]]) -> tuple[Span, ...] | None:
    """The one grid cell of each column of a row, in order; None where the grid does not show it.

    Args:
        found: the rules' candidates for each column.
    """
    if any(not one or not one[0].spans or one[0].state is CellState.POSITION_UNKNOWN for one in found):
        return None
    spans = tuple(one[0].spans[0] for one in found)
    if any(span.table is None or span.row is None or span.cell is None for span in spans):
        return None
    if len({(span.table, span.row) for span in spans}) > 1:
        return None
    columns = [span.cell or 0 for span in spans]
    if all(left < right for left, right in pairwise(columns)):
        return spans
    return _cells_from(document, spans[0], len(spans)) if len(set(spans)) == 1 else None


def _cells_from(document: Document, first: Span, count: int) -> tuple[Span, ...] | None:
    """All cells of a grid's row from one on, if they are as many as the row has columns: of an empty row."""
    grid = next(block for block in document.blocks if isinstance(block, Grid) and block.index == first.table)
    cells = [cell for cell in grid.cells if cell.row == first.row and cell.column >= (first.cell or 0)]
    if grid.kind != "matrix" or len(cells) != count:
        return None
    return tuple(Span(cell.start, cell.end, grid.index, cell.row, cell.column) for cell in cells)
