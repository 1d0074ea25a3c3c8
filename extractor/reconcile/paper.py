"""Evidence on paper: the words and cells under a span, and the place of every span of a record.

Lives here: looking up what stands under an interval, giving a finished record its places, and rows that may
stand where nothing could be read. Does not live here: whether the ink is to be trusted (ink), and how pages are read
(extractor.sources.pages). Called by the pipeline; sources without pages never come here.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from extractor.flags import make_flag
from extractor.model import (
    UNREAD,
    Box,
    Candidate,
    CellPlace,
    CellState,
    Document,
    Flag,
    Grid,
    InkedText,
    Paper,
    Place,
    Record,
    RecordField,
    Span,
)
from extractor.reconcile.merge import Merged

#: An empty cell has no character that could be misread: the least confidence of none.
_NOTHING_TO_MISREAD = 1.0
_NOT_READ = "page-not-read"
# What sources write for ink that nobody could read (extractor.sources.pages.shapes).
_TORN = (
    "表中有无法辨认之处，此行可能在其中",
    "the row may stand where ink or cells of its table could not be made out",
)


class PaperIndex:
    """What stands under a span. Built once a document, O(words); a look-up bisects."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._starts = [word.start for word in paper.words]
        self._by_ocr = frozenset(page.number for page in paper.pages if page.read_by == "ocr")

    def words_under(self, span: Span) -> Sequence[InkedText]:
        """The words that an interval touches, wholly or in part; none for an empty interval."""
        if span.end <= span.start:
            return ()
        words = self._paper.words
        first = bisect_right(self._starts, span.start)
        if first and words[first - 1].end > span.start:
            first -= 1
        return words[first : bisect_left(self._starts, span.end, first)]

    def cell_under(self, span: Span) -> CellPlace | None:
        """The grid cell that a span stands in; None in running text."""
        if span.table is None or span.row is None or span.cell is None:
            return None
        return self._paper.cells.get((span.table, span.row, span.cell))

    def row_behind(self, span: Span) -> list[CellPlace]:
        """The cells of a grid's row from a span's cell on."""
        row = self._cells_by_row.get((span.table, span.row), {})
        return [cell for column, cell in row.items() if span.cell is not None and column >= span.cell]

    @cached_property
    def _cells_by_row(self) -> dict[tuple[int | None, int | None], dict[int, CellPlace]]:
        found: dict[tuple[int | None, int | None], dict[int, CellPlace]] = {}
        for (table, row, column), cell in self._paper.cells.items():
            found.setdefault((table, row), {})[column] = cell
        return found

    def find_place(self, span: Span) -> Place | None:
        """The box around the words of a span on the page where it begins; of an empty cell the cell's own.

        The confidence is that of its least certain word, 1 for an empty cell of a page of ink, and None where a text
        layer gave them. Nothing under the span gives None.
        """
        words = self.words_under(span)
        if not words:
            cell = self.cell_under(span)
            return cell and Place(cell.page, cell.box, self.confidence_of((), cell))
        page = words[0].page
        here = [word for word in words if word.page == page] if len(words) > 1 else words
        return Place(page, _surround([word.box for word in here]), self.confidence_of(here, None))

    def confidence_of(self, words: Sequence[InkedText], cell: CellPlace | None) -> float | None:
        """The least of these words; without any, what is known of their cell."""
        if words:
            return min([word.confidence for word in words if word.confidence is not None], default=None)
        return _NOTHING_TO_MISREAD if cell and cell.page in self._by_ocr else None


def _surround(boxes: Sequence[Box]) -> Box:
    if len(boxes) == 1:
        return boxes[0]
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def place_record(record: Record, paper: Paper) -> Record:
    """Give every span of a record its place: of fields, of their candidates, of flags.

    Args:
        record: finished but for this; its spans count in the text that `paper` belongs to.
        paper: of the record's document.

    Returns:
        The same record; a span under which nothing stands on paper keeps `place` None.
    """
    placing = _Placing(PaperIndex(paper))
    fields = {field_id: placing.place_field(field) for field_id, field in record.fields.items()}
    flags = tuple(placing.place_flag(flag) for flag in record.flags)
    return record.model_copy(update={"fields": fields, "flags": flags})


class _Placing:
    """Places spans; one that stands in a field and in several flags is looked up once."""

    def __init__(self, index: PaperIndex) -> None:
        self._index = index
        self._placed: dict[Span, Span] = {}

    def place_field(self, field: RecordField) -> RecordField:
        candidates = tuple(self._place_candidate(candidate) for candidate in field.candidates)
        return replace(field, spans=self._place_spans(field.spans), candidates=candidates)

    def place_flag(self, flag: Flag) -> Flag:
        return replace(flag, spans=self._place_spans(flag.spans)) if flag.spans else flag

    def _place_candidate(self, candidate: Candidate) -> Candidate:
        return replace(candidate, spans=self._place_spans(candidate.spans))

    def _place_spans(self, spans: Sequence[Span]) -> tuple[Span, ...]:
        return tuple(map(self._place_span, spans))

    def _place_span(self, span: Span) -> Span:
        placed = self._placed.get(span)
        if placed is None:
            place = self._index.find_place(span)
            placed = self._placed[span] = Span(span.start, span.end, span.table, span.row, span.cell, place)
        return placed


def list_unread_pages(document: Document) -> list[str]:
    """The pages that exist and could not be read, as the ledger names them."""
    pages = document.paper.pages if document.paper else ()
    return [f"page {page.number}" for page in pages if page.read_by == "failed"]


def flag_absent(document: Document, merged: Mapping[str, Merged]) -> tuple[Flag, ...]:
    """The notices of the source, and what makes it doubtful that a row is absent.

    A page that could not be read may hold the row: its notice then names the fields. So may ink that nobody could
    read, or a line between cells that was overlooked, anywhere in the table. What was read stands where it was read,
    and a table that is nowhere has no fields.
    """
    if document.paper is None:
        return document.notices
    absent = tuple(name for name, entry in merged.items() if entry.printed.state is CellState.ROW_ABSENT)
    if not absent:
        return document.notices
    notices = [replace(flag, fields=absent) if flag.code == _NOT_READ else flag for flag in document.notices]
    return *notices, *_flag_torn(document, document.paper, merged, absent)


def _flag_torn(document: Document, paper: Paper, merged: Mapping[str, Merged], absent: Sequence[str]) -> Iterator[Flag]:
    torn = {table for (table, _, _), cell in paper.cells.items() if cell.doubt == "structure"}
    torn |= {
        block.index
        for block in document.blocks
        if isinstance(block, Grid) and document.text.find(UNREAD, block.start, block.end) >= 0
    }
    for section in dict.fromkeys(name.partition(".")[0] for name in absent):
        own = f"{section}."
        spans = (span for name, entry in merged.items() if name.startswith(own) for span in entry.printed.spans)
        if any(span.table in torn for span in spans):
            fields = [name for name in absent if name.startswith(own)]
            yield make_flag("ocr-uncertain", fields=fields, doubts_zh=_TORN[0], doubts_en=_TORN[1])
