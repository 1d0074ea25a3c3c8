"""Files with pages (PDFs, pictures, scans) -> linear text, grids, and where everything stands on paper.

    file -> pages, each in a worker process      reading, workers, worker_process, tasks, opening, raster
    page with a good text layer -> PageContent   text_layer, vector_tables
    page of ink -> PageContent                   scan
    PageContents -> Linear                       compose

Called by extractor.sources, and by whoever shows a page. Everything that loads pymupdf, OpenCV or the OCR engine runs
in a worker process that can be killed; the parent process imports none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from extractor.model import Box
from extractor.settings import Settings
from extractor.sources.base import Linear
from extractor.sources.detect import SourceKind
from extractor.sources.pages.tasks import Cut, picture_boxes, picture_page

if TYPE_CHECKING:
    from extractor.sources.pages.reading import PagesUnderWay

__all__ = ["PagesUnderWay", "begin_pages", "crop_page_png", "read_pages", "render_page_png"]


def begin_pages(kind: SourceKind, raw: bytes, path: str, settings: Settings) -> PagesUnderWay:
    """Have the pages of a file read by worker processes, without waiting for them. `path` is only for messages."""
    # Only now: whoever needs but a name of this package loads no pool of processes.
    from extractor.sources.pages.reading import PagesUnderWay  # noqa: PLC0415

    return PagesUnderWay(raw, path, settings)


def read_pages(kind: SourceKind, raw: bytes, path: str, settings: Settings) -> Linear:
    """Read all pages of a file.

    Raises:
        SourceError: locked, damaged, no pages, too many, or not one that could be read within the limits. A page that
            could not be read beside others gives a `page-not-read` flag.
    """
    return begin_pages(kind, raw, path, settings).wait()


def render_page_png(raw: bytes, path: str, page_number: int, settings: Settings, dpi: float = 150.0) -> bytes:
    """A page as a viewer shows it, as a PNG.

    Args:
        raw: a PDF or a picture.
        path: only for messages.
        page_number: from 1.
        settings: a page over `max_page_megapixels` is made smaller.
        dpi: pixels an inch; a picture is taken for a page of A4.

    Raises:
        SourceError: see read_pages; or there is no such page.
    """
    from extractor.sources.pages.reading import call_for_file  # noqa: PLC0415

    return call_for_file(raw, path, settings, picture_page, page_number, dpi)


def crop_page_png(
    raw: bytes,
    path: str,
    page_number: int,
    boxes: Sequence[Box],
    settings: Settings,
    *,
    dpi: float = 200.0,
    turn: int = 0,
) -> list[bytes]:
    """Parts of a page as PNGs, in the order of `boxes`, which are in the units of extractor.model.Page.

    Args:
        raw, path, page_number, settings, dpi: see render_page_png.
        boxes: see above.
        turn: degrees clockwise by which each part is turned (Page.turn makes it upright).

    Raises:
        SourceError: see render_page_png.
    """
    from extractor.sources.pages.reading import call_for_file  # noqa: PLC0415

    cuts = tuple(Cut(box, turn) for box in boxes)
    return call_for_file(raw, path, settings, picture_boxes, page_number, dpi, cuts)
