"""A PDF page with a text layer -> its content, or the reason why it must be read as a picture.

Lives here: the order of the steps, and when a text layer is not to be believed. Does not live here: characters, rules,
lattices, cells and ink themselves (the modules beside this one). Called in worker processes, by tasks.

A text layer is believed only where its text leaves ink, and a cell is empty only where the picture shows none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pymupdf

from extractor.model import UNREAD, Page
from extractor.sources.pages.cell_text import divide_characters, fill_table
from extractor.sources.pages.characters import Character, find_turn, read_characters
from extractor.sources.pages.digit_shapes import has_false_digits
from extractor.sources.pages.frame import Frame, find_rotation, make_frame
from extractor.sources.pages.garbled import is_garbled
from extractor.sources.pages.hidden_text import drop_doubles, find_covers, find_seen
from extractor.sources.pages.left_ink import LeftInk, has_ink
from extractor.sources.pages.shapes import Line, PageContent, PageTable
from extractor.sources.pages.text_lines import set_lines
from extractor.sources.pages.vector_rules import read_drawings
from extractor.sources.pages.vector_tables import find_lattices, is_crowded

if TYPE_CHECKING:
    from extractor.sources.pages.raster import Picture

# Pictures count from this share of the page on (a seal is 0.03, but red), when they hold as much ink as a few digits:
# this share of them, or so many square points.
_PICTURE_SHARE = 0.015
_PICTURE_INK = 0.005
_SOME_INK = 20.0
_PICTURES = ("fill-image", "fill-imgmask")
# Shares that may be left: of the page's dark ink, and of the cells that are not empty.
_MOST_LEFT_INK = 0.3
_MOST_UNREAD = 0.2


class Unfit(NamedTuple):
    """The page must be read as a picture. `reason`: a short English phrase."""

    reason: str


class _Layer(NamedTuple):
    """The text layer of a page: what of it is seen, and how many characters are not."""

    seen: list[Character]
    hidden: int


def read_text_page(page: pymupdf.Page, number: int, picture: Picture) -> PageContent | Unfit:
    """Read one page by its text layer.

    Args:
        page: of a PDF.
        number: of the page, from 1.
        picture: of the same page as a viewer shows it, annotations and form fields included.

    Returns:
        The content, in points of the page as a viewer shows it. For a page whose text runs sideways, `columns` and
        `rows` of its tables are the edges on the page turned upright. Unfit where the text layer is missing, garbled
        or hidden, or leaves too much of the page unexplained.
    """
    trace = page.get_texttrace()
    frame = make_frame(page, picture, find_turn(trace, find_rotation(page)))
    drawings = read_drawings(page.get_cdrawings(), frame)
    if is_crowded(drawings.rules):
        return Unfit("too many drawings")
    painted = read_characters(trace, frame)
    covers = tuple(find_covers(page, drawings.fills, frame))
    seen = find_seen(painted, covers, frame)
    layer = _Layer(drop_doubles(seen), len(painted) - len(seen))
    described = Page(number, page.rect.width, page.rect.height, "pt", frame.turn)
    if not layer.seen and not has_ink(frame):
        return PageContent(replace(described, read_by="nothing"), hidden_chars=layer.hidden)
    lattices = find_lattices(drawings.rules)
    division = divide_characters(layer.seen, lattices)
    ink = LeftInk(frame, layer.seen, drawings, [rule for lattice in lattices for rule in lattice.rules])
    problem = _find_problem(layer, frame) or _find_left_ink(page, layer, ink, frame)
    if problem:
        return Unfit(problem)
    tables = [fill_table(index, lattice, division, ink) for index, lattice in enumerate(lattices)]
    if _has_unread(tables):
        return Unfit("ink in tables without text")
    return PageContent(
        described,
        tuple(_show_line(line, frame) for line in set_lines(division.outside)),
        tuple(_show_table(table, frame) for table in tables if any(cell.lines for cell in table.cells)),
        hidden_chars=layer.hidden,
    )


# ---------------------------------------------------------------- reasons not to believe it


def _find_problem(layer: _Layer, frame: Frame) -> str:
    """What is wrong with the text layer itself; "" where nothing is."""
    if not layer.seen:
        return "hidden text layer" if layer.hidden else "no text layer"
    if is_garbled(layer.seen):
        return "garbled text layer"
    if has_false_digits(layer.seen, frame):
        return "digits that look unlike their codes"
    return ""


def _find_left_ink(page: pymupdf.Page, layer: _Layer, ink: LeftInk, frame: Frame) -> str:
    """What of the page the text layer leaves out; "" where that is little."""
    pictures = [frame.place(box) for kind, box in page.get_bboxlog() if kind in _PICTURES]
    dark, area = ink.measure_dark(pictures)
    if area > _PICTURE_SHARE * frame.width * frame.height and dark > min(_PICTURE_INK * area, _SOME_INK):
        return "hidden text layer" if layer.hidden > len(layer.seen) else "a picture beside the text"
    return "ink without text" if ink.measure_share() > _MOST_LEFT_INK else ""


def _has_unread(tables: Sequence[PageTable]) -> bool:
    """Whether the tables hold so much ink without text that they had better be read as a picture."""
    full = [cell for table in tables for cell in table.cells if cell.lines]
    unread = sum(any(UNREAD in word.text for line in cell.lines for word in line.words) for cell in full)
    return unread > max(2.0, _MOST_UNREAD * len(full))


# ---------------------------------------------------------------- back to the page as it is shown


def _show_line(line: Line, frame: Frame) -> Line:
    words = tuple(word._replace(box=frame.show(word.box)) for word in line.words)
    return Line(words, frame.show(line.box))


def _show_table(table: PageTable, frame: Frame) -> PageTable:
    cells = tuple(
        cell._replace(box=frame.show(cell.box), lines=tuple(_show_line(line, frame) for line in cell.lines))
        for cell in table.cells
    )
    return table._replace(box=frame.show(table.box), cells=cells)
