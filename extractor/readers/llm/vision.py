"""The image reader: shows a model pieces of the paper, and compares what it says with the grid, cell by cell.

Lives here: the way from what is to be looked at to candidates of the reader `vision`. Does not live here: what is
looked at (extractor.readers.looks), which pieces show it (sights), cutting them out (the caller hands that in), what
the candidates are worth (extractor.reconcile).

A row of a reply counts when it names a row that was shown and has as many cells as the grid has there; then each cell
is a candidate at its own place. Everything else says nothing. What is read off a whole page has no place at all, and
stays a proposal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from extractor.errors import ExtractorError
from extractor.flags import make_flag
from extractor.grounding.values import fold_characters
from extractor.llm.calls import Asker, CallError, Image
from extractor.llm.prompts import describe_table, row_numbers
from extractor.llm.tokens import bound_image_tokens
from extractor.llm.wire import TableRows, split_rows
from extractor.model import Box, Candidate, CellState, Document, Paper, Reading, Span
from extractor.readers.cells import read_cell
from extractor.readers.llm.asking import PartReading, Questioner, ask_all
from extractor.readers.llm.pages import Cells, read_page
from extractor.readers.llm.sights import Piece, Sight, plan_sights
from extractor.readers.looks import Looks, RowLook, TableLook
from extractor.settings import Settings

READER = "vision"

#: Dots an inch at which pieces are to be cut: what scans have as a rule. A strip of an A4 page is then three tiles.
CROP_DPI = 200.0
#: Pictures (PNG) of boxes on one page, in the order of the boxes. Waits; may raise an ExtractorError.
Crop = Callable[[Document, int, Sequence[Box]], Sequence[bytes]]

_TASK = "strips"
_REQUEST = "请抄录图中的行。第一图最上是表头。"
_REQUEST_WITHOUT_HEADER = "请抄录图中的行。图中没有表头。"
_UNSURE = ("?", "？")
_MOST_SHOWN = 5
# A picture that costs more is no strip and no page of a report.
_MOST_TOKENS = 8000


class VisionReader:
    """Reads by showing pieces of paper to a model that takes images. One for a whole run."""

    def __init__(self, asker: Asker, model: str, settings: Settings, crop: Crop) -> None:
        self._asker = asker
        self._model = model
        self._settings = settings
        self._crop = crop

    async def read(self, document: Document, looks: Looks) -> Reading:
        """Show everything that is to be looked at in one document.

        Raises:
            BudgetReached: the run's limit is reached.
            ServerRefused: the server refuses every call alike.
        """
        paper = document.paper
        if paper is None:
            raise ValueError(f"{document.path}: a document without pages has nothing to look at")
        questioner = Questioner(self._asker, document.id, self._settings)
        whole = PartReading()
        sights = [(look, sight) for look in looks.tables for sight in plan_sights(document, paper, look)]
        pages = [Piece(number, _whole_page(paper, number)) for number in looks.pages]
        images = await self._cut(document, [*(piece for _, sight in sights for piece in sight.pieces), *pages], whole)
        rows = [
            _RowQuestion(questioner, look, sight).read([images[piece] for piece in sight.pieces])
            for look, sight in sights
            if all(piece in images for piece in sight.pieces)
        ]
        shown = [images[piece] for piece in pages if piece in images]
        await whole.gather([*rows, *([_PageQuestion(questioner, looks).read(shown)] if shown else [])])
        return whole.finish(READER, _name_versions(questioner.versions, self._model))

    async def _cut(self, document: Document, pieces: Iterable[Piece], reading: PartReading) -> dict[Piece, Image]:
        """The picture of each piece; a page is opened once. A page that cannot be cut is noted, and others count."""
        by_page: dict[int, dict[Box, None]] = {}
        for piece in pieces:
            by_page.setdefault(piece.page, {})[piece.box] = None
        images: dict[Piece, Image] = {}
        for page, boxes in sorted(by_page.items()):
            try:
                made = await asyncio.to_thread(self._crop, document, page, list(boxes))
            except ExtractorError as error:
                reading.flags.append(make_flag("call-failed", part=f"第{page}页（图像）", problem=str(error)))
                continue
            for box, data in zip(boxes, made, strict=True):
                if bound_image_tokens(data) > _MOST_TOKENS:
                    problem = "the picture is larger than any page of a report"
                    reading.flags.append(make_flag("call-failed", part=f"第{page}页（图像）", problem=problem))
                else:
                    images[Piece(page, box)] = Image("image/png", data)
        return images


def _whole_page(paper: Paper, number: int) -> Box:
    page = paper.pages[number - 1]
    return 0.0, 0.0, page.width, page.height


def _name_versions(versions: Mapping[str, str], model: str) -> dict[str, str]:
    """Under names of their own: the replies to questions about text may have come from elsewhere."""
    named = {name if name.startswith("prompt.") else f"vision.{name}": text for name, text in versions.items()}
    return {"vision.model": model, **dict(sorted(named.items()))}


# ---------------------------------------------------------------- rows in strips


class _RowQuestion:
    """Asks for the rows that one sight shows."""

    def __init__(self, questioner: Questioner, look: TableLook, sight: Sight) -> None:
        self.questioner = questioner
        self.look = look
        self.sight = sight
        self.reading = PartReading()

    async def read(self, images: Sequence[Image]) -> PartReading:
        request = _REQUEST if self.sight.has_header else _REQUEST_WITHOUT_HEADER
        form = self.look.form
        try:
            reply: TableRows = await self.questioner.ask(_TASK, request, describe_table(form), images=tuple(images))
        except CallError as error:
            # Nothing is lost by it: the rules have read these rows, and their doubts stay.
            self.reading.fail(error, f"{form.title}（图像）", [])
            return self.reading
        self.reading.generation[form.id] = self.look.generation
        said = _collect_rows(reply, row_numbers(form))
        for row in self.sight.rows:
            if (cells := said.get(row.row.id)) and len(cells) == len(row.cells):
                self._add_row(row, cells)
        return self.reading

    def _add_row(self, row: RowLook, cells: Cells) -> None:
        for column, span, cell in zip(row.row.columns, row.cells, cells, strict=True):
            if candidate := _read_candidate(cell, (span,)):
                self.reading.candidates[self.look.form.field_id(row.row.id, column.id)] = (candidate,)


def _collect_rows(reply: TableRows, ids: Mapping[str, str]) -> dict[str, Cells]:
    """Rows by id. One that is given twice and differently is given not at all."""
    found: dict[str, set[Cells]] = {}
    for number, cells in split_rows(reply.rows):
        if number in ids:
            found.setdefault(ids[number], set()).add(tuple(cell.strip() or None if cell else None for cell in cells))
    return {row_id: next(iter(said)) for row_id, said in found.items() if len(said) == 1}


def _read_candidate(cell: str | None, spans: tuple[Span, ...]) -> Candidate | None:
    """What the model says of one cell; None where it could not tell."""
    if cell is None:
        return Candidate(CellState.BLANK, spans=spans, reader=READER)
    if any(mark in cell for mark in _UNSURE):
        return None
    token = read_cell(fold_characters(cell))
    if token.is_glued:
        return Candidate(CellState.UNPARSABLE, raw=cell, spans=spans, reader=READER)
    return Candidate(token.state, token.value, token.unit, cell, spans, READER)


# ---------------------------------------------------------------- whole pages


class _PageQuestion:
    """Asks for the tables that nobody found, on whole pages. What it gives are proposals without a place."""

    def __init__(self, questioner: Questioner, looks: Looks) -> None:
        if looks.form is None:
            raise ValueError("whole pages are shown for the rows of a form")
        self.questioner = questioner
        self.looks = looks
        self.form = looks.form
        self.reading = PartReading()

    async def read(self, images: Sequence[Image]) -> PartReading:
        questions = (read_page(self.questioner, self.form, image) for image in images)
        for page in await ask_all(questions, self.reading, "整页图像", "page"):
            for section, rows in page.items():
                if section in self.looks.missing:
                    self._add_rows(section, rows)
        self.reading.unread.clear()  # the tables are unread already
        for section in self.reading.generation:
            self._close(section)
        return self.reading

    def _add_rows(self, section: str, rows: Mapping[str, Cells]) -> None:
        form = self.form.sections[section]
        for row_id, cells in rows.items():
            columns = form.rows_by_id[row_id].columns
            if len(cells) != len(columns):
                continue
            self.reading.generation[section] = self.form.generation
            for column, cell in zip(columns, cells, strict=True):
                candidate = _read_candidate(cell.strip() or None if cell else None, ())
                if candidate and candidate.state is not CellState.BLANK:  # that nothing stands nowhere is no proposal
                    self._add(form.field_id(row_id, column.id), candidate)

    def _add(self, field_id: str, candidate: Candidate) -> None:
        known = self.reading.candidates.get(field_id, ())
        if candidate not in known:
            self.reading.candidates[field_id] = (*known, candidate)

    def _close(self, section: str) -> None:
        """Every cell of the table is unread, whatever is proposed for it, and a person is told."""
        fields = [item.id for item in self.form.sections[section].fields]
        said = [candidate.raw for name in fields for candidate in self.reading.candidates.get(name, ())]
        for name in fields:
            proposals = self.reading.candidates.get(name, ())
            self.reading.candidates[name] = (Candidate(CellState.NOT_READ, reader=READER), *proposals)
        raw = "、".join(list(dict.fromkeys(text for text in said if text))[:_MOST_SHOWN]) or "-"
        self.reading.flags.append(make_flag("not-grounded", fields=fields, raw=raw))
