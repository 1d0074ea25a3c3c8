"""One table by a model: ask, align every row with the source, ask again for the rows that fail.

Lives here: the way of one table from text to candidates. Does not live here: alignment
(extractor.grounding), the text that is shown (render), what is asked (extractor.readers.policy).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rapidfuzz.distance import Levenshtein

from extractor.flags import make_flag
from extractor.forms import Column, Row, fold_label
from extractor.grounding import AlignedCell, RowAlignment, align_rows
from extractor.llm.calls import CallError, ReplyTruncated
from extractor.llm.prompts import describe_table, row_numbers
from extractor.llm.wire import TableRows, split_rows
from extractor.model import Candidate, CellState, Document, Span
from extractor.readers.cells import read_cell
from extractor.readers.llm.asking import READER, PartReading, Questioner, ask_all
from extractor.readers.llm.render import render_regions, render_table, split_table, split_windows
from extractor.readers.policy import TableAsk
from extractor.readers.table_reader import suits_column

Cells = tuple[str | None, ...]

_SETTLED = frozenset({"placed", "blank", "tokens", "glued"})
_MOST_SHOWN = 5
_LEAST_LIKENESS = 0.7
_TOKENS_ONLY = "rows_without_columns"
_PRINTED = re.compile(r"[\d/—-]")


class TableQuestion:
    """Asks for one table of one document."""

    def __init__(self, document: Document, ask: TableAsk, questioner: Questioner) -> None:
        self.document = document
        self.ask = ask
        self.form = ask.form
        self.questioner = questioner
        self.words = describe_table(ask.form)
        self.row_ids = row_numbers(ask.form)
        self.numbers = {row_id: number for number, row_id in self.row_ids.items()}
        self.reading = PartReading()
        # One flag a code and table, so that a person meets it once.
        self.doubts: dict[str, tuple[list[str], list[Span], list[str]]] = {}

    async def read(self) -> PartReading:
        """Ask for the rows and turn the replies into candidates."""
        if self.ask.is_without_columns and self.form.layout == "one_row":
            return self._give_up()  # its groups share one line: a lone number belongs to none of them
        lines = render_table(self.document, self.ask.chunk, self.form)
        texts = (split_windows if self.ask.is_searched else split_table)(lines, self.questioner.chunk_tokens)
        parts = await ask_all(
            (self._ask_part(text, self.ask.rows) for text in texts), self.reading, self.form.title, self.form.id
        )
        replies = self._join(parts)
        if not parts or (not replies and self.ask.is_searched):
            return self.reading  # nothing was answered, or the table is not there
        aligned = self._align(self.ask.rows, replies)
        for turn in range(self.questioner.reasks):
            failing = [row for row, alignment in aligned.items() if self._is_askable(row in replies, alignment)]
            if not failing or not await self._ask_again(failing, replies, aligned, turn):
                break
            aligned |= self._align(failing, replies)
        self._conclude(replies, aligned)
        return self.reading

    def _give_up(self) -> PartReading:
        """A table in which no position is known and no row has a label."""
        self.reading.generation[self.form.id] = self.ask.generation
        fields = [field_id for row in self.ask.rows for field_id in self._field_ids(row)]
        for field_id in fields:
            self._add(field_id, Candidate(CellState.POSITION_UNKNOWN, reader=READER))
        self.reading.flags.append(make_flag("position-unknown", fields=fields))
        return self.reading

    # ------------------------------------------------------------ asking

    async def _ask_part(self, text: str, rows: Sequence[str]) -> dict[str, Cells]:
        """The rows that one text holds. A reply that was cut off is asked for in two halves."""
        task = _TOKENS_ONLY if self.ask.is_without_columns else self.form.id
        numbers = None if len(rows) == len(self.form.rows) else [self.numbers[row] for row in rows]
        try:
            reply = await self.questioner.ask(task, text, self.words, rows=numbers)
        except ReplyTruncated:
            if len(rows) < 2:
                raise
            middle = len(rows) // 2
            halves = await asyncio.gather(self._ask_part(text, rows[:middle]), self._ask_part(text, rows[middle:]))
            return halves[0] | halves[1]
        return dict(self._known_rows(reply, rows))

    def _known_rows(self, reply: TableRows, rows: Sequence[str]) -> Iterator[tuple[str, Cells]]:
        """The rows of a reply that were asked for; an empty string is no cell content."""
        for number, cells in split_rows(reply.rows):
            row = self.row_ids.get(number)
            printed = tuple(cell if cell and cell.strip() else None for cell in cells)
            if row in rows and (any(printed) or not self.ask.is_without_columns):
                yield str(row), printed

    def _join(self, parts: Sequence[Mapping[str, Cells]]) -> dict[str, Cells]:
        """Rows of all parts; what two windows saw alike is one row, what they saw differently is doubted."""
        replies: dict[str, Cells] = {}
        for part in parts:
            for row, cells in part.items():
                if replies.setdefault(row, cells) != cells:
                    self._doubt("row-repeated", self._field_ids(row), [])
        return replies

    async def _ask_again(
        self, failing: Sequence[str], replies: dict[str, Cells], aligned: Mapping[str, RowAlignment], turn: int
    ) -> bool:
        """Ask once more for the failing rows alone, with their own text. False when nothing new is said."""
        regions = [region for row in failing if (region := aligned[row].region)]
        text = render_regions(self.document, self.ask.chunk, self.form, regions)
        numbers = [self.numbers[row] for row in failing]
        task = _TOKENS_ONLY if self.ask.is_without_columns else "row"
        try:
            reply = await self.questioner.ask(task, text, self.words, rows=numbers, turn=turn)
        except CallError as error:
            self.reading.fail(error, self.form.title, [])
            return False
        new = dict(self._known_rows(reply, failing))
        is_changed = any(replies.get(row) != cells for row, cells in new.items())
        replies.update(new)
        return is_changed

    # ------------------------------------------------------------ from replies to candidates

    def _align(self, rows: Iterable[str], replies: Mapping[str, Cells]) -> dict[str, RowAlignment]:
        """Every row with its place; one without a reply is aligned as empty, to see whether it is printed."""
        asked = {row: replies.get(row, self._say_nothing(row)) for row in rows}
        return align_rows(self.document, self.ask.chunk, self.form, asked)

    def _say_nothing(self, row_id: str) -> Cells:
        """What a row that was left out says: where only tokens are asked for, that nothing is printed in it."""
        return (None,) * len(self.form.rows_by_id[row_id].columns) if self.ask.is_without_columns else ()

    def _conclude(self, replies: Mapping[str, Cells], aligned: Mapping[str, RowAlignment]) -> None:
        if any(alignment.outcome in _SETTLED for alignment in aligned.values()):
            self.reading.generation[self.form.id] = self.ask.generation
        else:
            self.reading.unread.append(self.form.id)
        for row_id, alignment in aligned.items():
            row = self.form.rows_by_id[row_id]
            if alignment.is_out_of_order:  # labels torn off and put back wrongly show only in their order
                self._doubt("row-out-of-order", self._field_ids(row_id), [alignment.anchor] if alignment.anchor else [])
            if alignment.is_anchored_by_order and not self._is_alike(row, alignment):
                # An unknown label where one row is missing may be another row's, and zeros fit everywhere.
                spans = [alignment.anchor] if alignment.anchor else []
                self._doubt("unknown-row", self._field_ids(row_id), spans, [row.labels[0]])
            if alignment.outcome in _SETTLED:
                self._add_row(row, alignment, replies.get(row_id, ()))
            elif row_id in replies:
                self._add_ungrounded(row, replies[row_id], alignment)
            else:  # left out of the reply: absent when its label is nowhere, else not read
                state = CellState.ROW_ABSENT if alignment.anchor is None else CellState.NOT_READ
                for field_id in self._field_ids(row_id):
                    self._add(field_id, Candidate(state, reader=READER))
        for code, (fields, spans, raws) in self.doubts.items():
            shown = "、".join(list(dict.fromkeys(raws))[:_MOST_SHOWN]) or "-"
            flag = make_flag(code, fields=dict.fromkeys(fields), spans=dict.fromkeys(spans), raw=shown)
            self.reading.flags.append(flag)

    def _is_alike(self, row: Row, alignment: RowAlignment) -> bool:
        """Whether a label that only its neighbours identify could be a misprint of the row's."""
        if self.form.layout == "one_row":
            return True
        if alignment.anchor is None:
            return False
        printed = fold_label(self.document.view[alignment.anchor.start : alignment.anchor.end])
        likeness = (Levenshtein.normalized_similarity(printed, fold_label(label)) for label in row.labels)
        return max(likeness) >= _LEAST_LIKENESS

    def _add_row(self, row: Row, alignment: RowAlignment, cells: Cells) -> None:
        field_ids = self._field_ids(row.id)
        if alignment.outcome in ("placed", "blank"):
            for field_id, column, cell in zip(field_ids, row.columns, alignment.cells, strict=True):
                self._add_cell(field_id, column, cell)
            return
        is_glued = alignment.outcome == "glued"
        spans = tuple(dict.fromkeys(cell.span for cell in alignment.cells if cell.span))
        state = CellState.UNPARSABLE if is_glued else CellState.POSITION_UNKNOWN
        for field_id in field_ids:
            self._add(field_id, Candidate(state, spans=spans, reader=READER))
        self._propose(row, cells, alignment.cells)  # of digits that run together, one split of many
        self._doubt("glued-digits" if is_glued else "position-unknown", field_ids, spans)

    def _add_cell(self, field_id: str, column: Column, cell: AlignedCell) -> None:
        if cell.span is None or cell.raw is None:
            self._add(field_id, Candidate(CellState.BLANK, spans=(cell.span,) if cell.span else (), reader=READER))
            return
        token = read_cell(self.document.view[cell.span.start : cell.span.end])
        candidate = Candidate(
            token.state, token.value, token.unit, cell.raw, (cell.span,), READER, alignment=cell.alignment
        )
        self._add(field_id, candidate)
        if token.state is CellState.VALUE and not suits_column(column, token.value):
            self._doubt("not-a-count", [field_id], [cell.span], [cell.raw])

    def _add_ungrounded(self, row: Row, cells: Cells, alignment: RowAlignment) -> None:
        """What the model said and the source does not show: kept as a proposal without a place, never accepted."""
        spans = (alignment.anchor,) if alignment.anchor else ()
        self._doubt("not-grounded", self._field_ids(row.id), spans, [cell for cell in cells if cell])
        for field_id in self._field_ids(row.id):
            self._add(field_id, Candidate(CellState.NOT_READ, spans=spans, reader=READER))
        self._propose(row, cells, alignment.cells)

    def _doubt(self, code: str, fields: Iterable[str], spans: Iterable[Span], raws: Iterable[str] = ()) -> None:
        known = self.doubts.setdefault(code, ([], [], []))
        known[0].extend(fields)
        known[1].extend(spans)
        known[2].extend(raws)

    def _propose(self, row: Row, cells: Cells, places: Sequence[AlignedCell]) -> None:
        """Keep what the model says of each column, where it says something of each; its column is not certain."""
        if self.ask.is_without_columns or len(cells) != len(row.columns) or len(places) != len(cells):
            return
        for field_id, cell, place in zip(self._field_ids(row.id), cells, places, strict=True):
            token = read_cell(cell or "")
            spans = (place.span,) if place.span else ()
            self._add(field_id, Candidate(token.state, token.value, None, cell, spans, READER, place.alignment))

    def _add(self, field_id: str, candidate: Candidate) -> None:
        known = self.reading.candidates.get(field_id, ())
        self.reading.candidates[field_id] = (*known, candidate)

    def _field_ids(self, row_id: str) -> list[str]:
        return [self.form.field_id(row_id, column.id) for column in self.form.rows_by_id[row_id].columns]

    def _is_askable(self, is_answered: bool, alignment: RowAlignment) -> bool:
        """Whether a failed row has a text of its own to ask with; one left out, only if something stands in it."""
        if alignment.outcome in _SETTLED or alignment.region is None:
            return False
        start = alignment.anchor.end if alignment.anchor else alignment.region[0]
        return is_answered or bool(_PRINTED.search(self.document.view, start, alignment.region[1]))
