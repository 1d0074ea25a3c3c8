"""What a worker process is asked to do: look at a file, read a page, picture a page.

Lives here: the order of the steps for one page, and turning whatever goes wrong into a Refusal. Does not live here: how
any step is done, nor the processes (workers). What is heavy is imported in the functions: the parent process needs
their names only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Literal, NamedTuple, ParamSpec, TypeVar

from extractor.flags import make_flag
from extractor.model import Box, Page
from extractor.settings import Settings
from extractor.sources.pages.shapes import Line, PageCell, PageContent

if TYPE_CHECKING:
    from extractor.sources.pages.raster import Picture

P = ParamSpec("P")
T = TypeVar("T")


class PageFile(NamedTuple):
    """A file for a worker to open. `file_type` is `pdf` or a format of extractor.sources.detect.tell_picture."""

    path: str
    file_type: str


class PageRead(NamedTuple):
    """A page as read. `ocr_reason`: why its text layer was not enough; empty where it was."""

    content: PageContent
    ocr_reason: str = ""


class Cut(NamedTuple):
    """A part of a page, in its units, to be turned clockwise by `turn` degrees."""

    box: Box
    turn: int


class Refusal(NamedTuple):
    """Why a task gave nothing. `remedy` is empty where the kind says all."""

    kind: Literal["locked", "damaged", "long", "absent", "memory", "missing", "unforeseen"]
    problem: str
    remedy: str = ""


def _refuse_by_value(function: Callable[P, T | Refusal]) -> Callable[P, T | Refusal]:
    """Many exceptions of the libraries in C cannot be pickled."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T | Refusal:
        from extractor.sources.pages.opening import refuse, release_memory  # noqa: PLC0415 - loads pymupdf

        try:
            return function(*args, **kwargs)
        except Exception as error:
            return refuse(error)
        finally:
            release_memory()

    return call


@_refuse_by_value
def inspect_file(file: PageFile, settings: Settings) -> tuple[Page, ...] | Refusal:
    """The pages of a file, unread."""
    from extractor.sources.pages.opening import check_end, list_pages, open_file  # noqa: PLC0415

    with open_file(file) as document:
        check_end(document, file.path)
        count = document.page_count
        if count > settings.max_pages:
            return Refusal("long", f"it has {count} pages, the limit is {settings.max_pages}")
        return list_pages(document)


@_refuse_by_value
def read_page(file: PageFile, settings: Settings, number: int) -> PageRead | Refusal:
    """Read page `number` (from 1): by its text layer when that is good, else its ink.

    A page of a PDF that lost a part gets a `page-not-read` flag, and all on it is doubted; a picture that did is
    refused as damaged.
    """
    from extractor.sources.pages.opening import describe_page, open_page, take_losses  # noqa: PLC0415
    from extractor.sources.pages.raster import choose_dpi, render_page  # noqa: PLC0415

    with open_page(file, number) as page:
        take_losses()
        facts = describe_page(page)
        picture = render_page(page, choose_dpi(page), settings)
        lost = take_losses()
        if facts.unit == "px":
            if lost:
                return Refusal("damaged", f"it is damaged ({lost})")
            return _read_ink(picture, facts, settings, "a picture")
        from extractor.sources.pages.text_layer import Unfit, read_text_page  # noqa: PLC0415

        content = read_text_page(page, number, picture)
    read = _read_ink(picture, facts, settings, content.reason) if isinstance(content, Unfit) else PageRead(content)
    return _flag_loss(read, lost) if lost else read


def _read_ink(picture: Picture, facts: Page, settings: Settings, reason: str) -> PageRead:
    from extractor.sources.pages.scan import check_installed  # noqa: PLC0415 - only where a page is to be recognised

    check_installed()
    from extractor.sources.pages.scan import engine, reader  # noqa: PLC0415 - loads what was looked for

    engine.configure_engine(_count_threads(settings))
    content = reader.read_scan_page(picture, facts)
    return PageRead(content, reason if content.page.read_by == "ocr" else "")


def _flag_loss(read: PageRead, lost: str) -> PageRead:
    """Say that a part of the page is lost. A broken stream may change a digit, too: all on the page is doubted."""
    content = read.content
    flag = make_flag("page-not-read", page=content.page.number, problem=f"a part of it is damaged ({lost})")
    tables = tuple(table._replace(cells=tuple(map(_doubt_cell, table.cells))) for table in content.tables)
    lines = tuple(map(_doubt_line, content.lines))
    return read._replace(content=replace(content, lines=lines, tables=tables, notices=(*content.notices, flag)))


def _doubt_cell(cell: PageCell) -> PageCell:
    return cell._replace(lines=tuple(map(_doubt_line, cell.lines)), doubt=cell.doubt or "unsure")


def _doubt_line(line: Line) -> Line:
    return line._replace(words=tuple(word._replace(doubt=word.doubt or "unsure") for word in line.words))


@_refuse_by_value
def picture_page(file: PageFile, settings: Settings, number: int, dpi: float) -> bytes:
    """Page `number` as a PNG, as a viewer shows it."""
    from extractor.sources.pages.opening import open_page  # noqa: PLC0415
    from extractor.sources.pages.raster import encode_png, render_page  # noqa: PLC0415

    with open_page(file, number) as page:
        return encode_png(render_page(page, dpi, settings).image)


@_refuse_by_value
def picture_boxes(file: PageFile, settings: Settings, number: int, dpi: float, cuts: Sequence[Cut]) -> list[bytes]:
    """Parts of page `number` as PNGs."""
    from extractor.sources.pages.opening import open_page  # noqa: PLC0415
    from extractor.sources.pages.raster import crop, encode_png, render_page  # noqa: PLC0415

    with open_page(file, number) as page:
        picture = render_page(page, dpi, settings)
    return [encode_png(crop(picture, cut.box, cut.turn)) for cut in cuts]


def _count_threads(settings: Settings) -> int:
    """Threads for each worker, so that all of them together use every CPU once."""
    unshared = settings.model_copy(update={"page_workers": None})
    return max(1, unshared.count_page_workers() // settings.count_page_workers())
