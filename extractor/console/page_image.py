"""A page of a report with what was read drawn on it: a box around every cell, its value beside it, a legend below.

Lives here: which boxes a page gets, and drawing them. Does not live here: the picture of the page
(extractor.sources.pages) and files (cli). Called by `extractor show`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from extractor.console.pieces import show_value
from extractor.model import UNREAD, Box, CellState, Document, Grid, Page, Paper, Record, RecordField, Span
from extractor.reconcile.paper import PaperIndex

Kind = Literal["empty", "read", "doubted", "failed", "unread"]


class Mark(NamedTuple):
    """One box on a page. `box` in the page's units, `text` what was read there, `ink` the box of its words."""

    kind: Kind
    box: Box
    text: str = ""
    ink: Box | None = None


class _Style(NamedTuple):
    colour: tuple[int, int, int]
    opacity: int
    width: int
    meaning: str


# The later ones are drawn over the earlier, and win where two fields stand in one box.
_STYLES: dict[Kind, _Style] = {
    "empty": _Style((110, 130, 160), 0, 1, "empty, accepted"),
    "read": _Style((0, 140, 60), 22, 2, "accepted"),
    "doubted": _Style((230, 140, 0), 60, 3, "for review"),
    "failed": _Style((210, 20, 40), 60, 3, "for review: a sum fails, or an error"),
    "unread": _Style((160, 0, 190), 70, 3, "printed, and not read"),
}
_ORDER = {kind: place for place, kind in enumerate(_STYLES)}
_UNREAD_STATES = frozenset({CellState.POSITION_UNKNOWN, CellState.UNPARSABLE, CellState.NOT_READ})
_HOW_READ = {
    "text_layer": "read by its text layer",
    "ocr": "read by OCR",
    "nothing": "nothing on it",
    "failed": "could not be read",
}
_NUMBER = re.compile(rf"\s*(?:[\d.,+-]*\d|.*{UNREAD}.*)\s*", re.S)
_CLOCKWISE = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}
# Small enough to stand beside a number in its cell, in parts of the page's width.
_FONT_SHARE = 1 / 90
_GAP = 3
_Canvas = tuple[ImageDraw.ImageDraw, ImageFont.FreeTypeFont | ImageFont.ImageFont]


def list_pages(record: Record) -> list[int]:
    """The pages on which something of a record stands in a table, else those on which anything stands."""
    spans = [span for field in record.fields.values() for span in field.spans if span.place]
    in_tables = {span.place.page for span in spans if span.place and span.table is not None}
    return sorted(in_tables or {span.place.page for span in spans if span.place})


def draw_page(png: bytes, page: Page, record: Record, document: Document) -> bytes:
    """Draw what was read on one page.

    Args:
        png: the page as a viewer shows it, of any resolution.
        page: one of the document's; the result is turned upright.
        record: what was read in the document.
        document: with pages.

    Returns:
        A PNG, as large as the page but for the legend below it.
    """
    with Image.open(io.BytesIO(png)) as opened:
        image = opened.convert("RGB")
    scale = image.width / page.width
    size = image.size
    if page.turn:
        image = image.transpose(_CLOCKWISE[page.turn])
    font = ImageFont.load_default(max(9.0, image.width * _FONT_SHARE))
    canvas: _Canvas = ImageDraw.Draw(image, "RGBA"), font
    marks = list_marks(record, document, page.number)
    for mark in marks:
        box = _turn_box(_scale_box(mark.box, scale), size, page.turn)
        ink = _turn_box(_scale_box(mark.ink, scale), size, page.turn) if mark.ink else None
        _draw_mark(canvas, mark, box, ink)
    told = f"{record.document.path.rpartition('/')[2]}, page {page.number}, {_HOW_READ[page.read_by]}"
    file = io.BytesIO()
    _add_legend(image, font, marks, told if told.isascii() else told.partition(", ")[2]).save(file, "PNG")
    return file.getvalue()


# ---------------------------------------------------------------- which boxes


def list_marks(record: Record, document: Document, number: int) -> list[Mark]:
    """The boxes of a page, the most important last; one box is drawn once.

    Args:
        record: what was read in the document.
        document: with pages.
        number: of the page.
    """
    paper = document.paper
    if paper is None:
        return []
    found: dict[Box, Mark] = {}
    for mark in (*_mark_fields(record, paper, number), *_mark_unclaimed(record, document, paper, number)):
        known = found.get(mark.box)
        if known is None or _ORDER[mark.kind] > _ORDER[known.kind]:
            found[mark.box] = mark
    return sorted(found.values(), key=lambda mark: _ORDER[mark.kind])


def _mark_fields(record: Record, paper: Paper, number: int) -> Iterator[Mark]:
    failures = (one for one in record.equations if one.result == "fail" and one.verdict != "source_inconsistent")
    failed = {name for result in failures for name in result.fields}
    failed |= {name for flag in record.flags if flag.severity == "error" for name in flag.fields}
    index = PaperIndex(paper)
    for name, field in record.fields.items():
        kind = _choose_kind(field, is_failed=name in failed)
        text = _short_text(field)
        for span in field.spans:
            for box in _boxes_of(span, field, index, number):
                ink = span.place.box if span.place and span.start < span.end else None
                yield Mark(kind, box, text, ink)


def _boxes_of(span: Span, field: RecordField, index: PaperIndex, number: int) -> Iterator[Box]:
    """The cell that a span stands in, else the box around its words."""
    place = span.place
    if place is None or place.page != number:
        return
    cell = index.cell_under(span)
    yield cell.box if cell and cell.page == number else place.box


def _choose_kind(field: RecordField, is_failed: bool) -> Kind:
    if field.state in _UNREAD_STATES:
        return "unread"
    if field.decision == "review":
        return "failed" if is_failed else "doubted"
    return "empty" if field.state is CellState.BLANK else "read"


def _short_text(field: RecordField) -> str:
    """The value; none where it is no number: there is no font for it, and it stands there."""
    text = "" if field.value is None or isinstance(field.value, str) else show_value(field.value)
    return text if text.isascii() else ""


def _mark_unclaimed(record: Record, document: Document, paper: Paper, number: int) -> Iterator[Mark]:
    """Cells with a number, or with ink that nobody could read, that are no field's."""
    claimed = {(span.table, span.row, span.cell) for field in record.fields.values() for span in field.spans}
    for block in document.blocks:
        for cell in block.cells if isinstance(block, Grid) else ():
            key = block.index, cell.row, cell.column  # type: ignore[union-attr]
            place = paper.cells.get(key)
            is_here = place is not None and place.page == number and key not in claimed
            if place and is_here and _NUMBER.fullmatch(document.view, cell.start, cell.end):
                yield Mark("unread", place.box)


# ---------------------------------------------------------------- drawing


def _scale_box(box: Box, scale: float) -> Box:
    left, top, right, bottom = box
    return left * scale, top * scale, right * scale, bottom * scale


def _turn_box(box: Box, size: tuple[int, int], turn: int) -> Box:
    """A box of an image of `size` in the image turned clockwise."""
    left, top, right, bottom = box
    width, height = size
    match turn:
        case 90:
            return height - bottom, left, height - top, right
        case 180:
            return width - right, height - bottom, width - left, height - top
        case 270:
            return top, width - right, bottom, width - left
        case _:
            return box


def _draw_mark(canvas: _Canvas, mark: Mark, box: Box, ink: Box | None) -> None:
    draw, font = canvas
    style = _STYLES[mark.kind]
    left, top, right, bottom = box
    inner = left + 1, top + 1, max(right - 1, left + 2), max(bottom - 1, top + 2)
    draw.rectangle(inner, fill=(*style.colour, style.opacity), outline=(*style.colour, 255), width=style.width)
    if mark.text and ink:
        width, height = _measure(canvas, mark.text)
        spot = _find_room((left, top, right, bottom), ink, width, height)
        if spot:
            draw.text(spot, mark.text, font=font, fill=(*style.colour, 255), anchor="lt")


def _find_room(box: Box, ink: Box, width: float, height: float) -> tuple[float, float] | None:
    """Where a text of a size fits into a box beside its ink: right of it, left, below, above; else nowhere."""
    left, top, right, bottom = box
    x = min(max((ink[0] + ink[2] - width) / 2, left + 2 * _GAP), right - width - 2 * _GAP)
    y = min(max((ink[1] + ink[3] - height) / 2, top + 2 * _GAP), bottom - height - 2 * _GAP)
    spots = (ink[2] + 2 * _GAP, y), (ink[0] - width - 2 * _GAP, y), (x, ink[3] + _GAP), (x, ink[1] - height - _GAP)
    inside = (
        (x, y)
        for x, y in spots
        if left + _GAP < x and x + width < right - _GAP and top + _GAP < y and y + height < bottom - _GAP
    )
    return next(inside, None)


def _measure(canvas: _Canvas, text: str) -> tuple[float, float]:
    left, top, right, bottom = canvas[0].textbbox((0, 0), text, font=canvas[1], anchor="lt")
    return right - left, bottom - top


def _add_legend(
    image: Image.Image, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, marks: Sequence[Mark], told: str
) -> Image.Image:
    """The page with a strip below that says what the colours mean, and how many boxes have each."""
    probe: _Canvas = ImageDraw.Draw(image), font
    line = _measure(probe, "Ag")[1] * 2
    entries = [(kind, f"{_count(marks, kind)} {style.meaning}") for kind, style in _STYLES.items()]
    rows = list(_wrap_entries(entries, probe, image.width - 2 * line, line))
    whole = Image.new("RGB", (image.width, round(image.height + (len(rows) + 1.75) * line)), "white")
    whole.paste(image)
    canvas: _Canvas = ImageDraw.Draw(whole, "RGBA"), font
    y = image.height + line / 2
    canvas[0].line((0, image.height, image.width, image.height), fill=(90, 90, 90))
    canvas[0].text((line, y), told, font=font, fill=(60, 60, 60), anchor="lt")
    for row in rows:
        y += line
        for x, kind, text in row:
            style = _STYLES[kind]
            swatch = x, y, x + line, y + line * 0.6
            canvas[0].rectangle(swatch, (*style.colour, style.opacity), (*style.colour, 255), style.width)
            canvas[0].text((x + line * 1.4, y), text, font=font, fill=(60, 60, 60), anchor="lt")
    return whole


def _wrap_entries(
    entries: Iterable[tuple[Kind, str]], canvas: _Canvas, width: float, line: float
) -> Iterator[list[tuple[float, Kind, str]]]:
    row: list[tuple[float, Kind, str]] = []
    x = line
    for kind, text in entries:
        need = line * 2.4 + _measure(canvas, text)[0]
        if row and x + need > width:
            yield row
            row, x = [], line
        row.append((x, kind, text))
        x += need
    yield row


def _count(marks: Sequence[Mark], kind: Kind) -> int:
    return sum(mark.kind == kind for mark in marks)
