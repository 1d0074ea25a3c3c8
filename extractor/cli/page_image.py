"""The pages of one report as pictures with what was read drawn on them: which pages, and their files.

Lives here: choosing pages and writing files. Does not live here: drawing (console.page_image) and the picture of a
page (sources.pages). Called by show.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from extractor.errors import OutputError, SettingsError

if TYPE_CHECKING:
    from extractor.model import Document, Page, Record
    from extractor.settings import Settings


def check_out(out: Path | None, page: int | None) -> None:
    """Find a wrong option before the file is read, which takes seconds for a scan.

    Raises:
        SettingsError: --page without --page-image, or another kind of file than PNG.
        OutputError: the folder is not there, or cannot be written.
    """
    if out is None:
        if page is not None:
            raise SettingsError("--page chooses the page of --page-image. Add --page-image OUT.png.")
        return
    if out.suffix.lower() != ".png":
        raise SettingsError(f"--page-image {out}: pictures are PNG files. Give a name that ends in .png.")
    if not out.parent.is_dir():
        raise OutputError(f"{out}: the folder does not exist. Make it first.")
    if not os.access(out.parent, os.W_OK):
        raise OutputError(f"{out}: the folder cannot be written. Choose another one.")


def save_pages(record: Record, document: Document, out: Path, page: int | None, settings: Settings) -> Iterator[Path]:
    """Draw pages and write them: one page as `out`, several with the page's number behind the name.

    Args:
        record: what was read in the document.
        document: with pages.
        out: see check_out.
        page: number of the one page to draw; all pages with tables when left out.
        settings: limits for rendering.

    Yields:
        The files written.

    Raises:
        SettingsError: the document has no pages, or no such page.
        OutputError: a file cannot be written.
        SourceError: a page cannot be rendered.
    """
    from extractor.console.page_image import draw_page, list_pages

    if document.paper is None:
        raise SettingsError(
            f"{document.path}: --page-image draws the pages of PDFs, scans and pictures, and this file "
            f"({document.media_type}) has none. Leave the option out."
        )
    pages = document.paper.pages
    if page is not None and page > len(pages):
        raise SettingsError(f"{document.path} has {len(pages)} pages. Choose one of them with --page.")
    numbers = [page] if page is not None else list_pages(record) or [pages[0].number]
    for number in numbers:
        path = out if len(numbers) == 1 else out.with_stem(f"{out.stem}-{number}")
        shown = pages[number - 1]
        picture = draw_page(_render(document, shown, settings), shown, record, document)
        try:
            path.write_bytes(picture)
        except OSError as error:
            raise OutputError(f"{path}: the picture cannot be written ({error.strerror}). Check the folder.") from error
        yield path


def _render(document: Document, page: Page, settings: Settings) -> bytes:
    """The page as a viewer shows it; of a web page or a Word file, the picture that it shows."""
    from extractor.sources import open_page
    from extractor.sources.pages import render_page_png

    file = open_page(document, page, settings)
    return render_page_png(file.raw, file.path, file.number, settings)
