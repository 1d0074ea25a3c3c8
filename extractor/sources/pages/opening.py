"""Files with pages, opened: damaged, locked and empty ones told apart, pages measured. Runs in worker processes only.

Lives here: pymupdf's documents and what its errors mean. Does not live here: pixels (raster), text (text_layer).
Called by tasks.
"""

from __future__ import annotations

import io
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from math import hypot
from pathlib import Path

import pymupdf
from PIL import Image, ImageOps, UnidentifiedImageError

from extractor.errors import MissingProgram
from extractor.model import Page
from extractor.sources.pages.tasks import PageFile, Refusal
from extractor.sources.pages.worker_process import is_out_of_memory

pymupdf.TOOLS.mupdf_display_errors(False)
pymupdf.TOOLS.mupdf_display_warnings(False)

# What mupdf says when it goes on without a part of the page.
_LOST_PARTS = ("premature end", "truncated", "during interpretation", "zlib error")
_MUPDF_ERROR = re.compile(r"code=\d+: ")
# Of all that mupdf can open, by the first word of its name for them.
_FORMATS = frozenset(("PDF", "Image", "TIFF", "BMP"))


class _LockedFile(Exception):
    """It opens with a password only."""


class _NoSuchPage(Exception):
    """A page that the document does not have."""


@contextmanager
def open_file(file: PageFile) -> Iterator[pymupdf.Document]:
    """Open a file as what its bytes said it is, whatever else it could be taken for."""
    if file.file_type == "webp":  # which mupdf does not know
        document = pymupdf.open(stream=_rewrite_picture(file.path), filetype="bmp")
    else:
        document = pymupdf.open(file.path, filetype=file.file_type)
    with document:
        if (document.metadata or {}).get("format", "PDF").split()[0] not in _FORMATS:
            raise pymupdf.FileDataError("it does not go on as it begins")
        if document.needs_pass:  # the empty password was tried when it was opened
            raise _LockedFile
        yield document


def check_end(document: pymupdf.Document, path: str) -> None:
    """Refuse a PDF that was cut off: what is left of it looks like a whole one with fewer pages.

    Raises:
        FileDataError: objects stand behind the last end mark, or there is none.
    """
    if document.is_pdf and document.is_repaired:
        raw = Path(path).read_bytes()
        if raw.rfind(b"obj") > raw.rfind(b"startxref"):
            raise pymupdf.FileDataError("its end is missing")


def take_losses() -> str:
    """What was lost since the last call, in mupdf's words; empty where nothing was."""
    lines = pymupdf.TOOLS.mupdf_warnings().splitlines()
    return next((line[:100] for line in lines if any(sign in line for sign in _LOST_PARTS)), "")


@contextmanager
def open_page(file: PageFile, number: int) -> Iterator[pymupdf.Page]:
    """Open a file at one of its pages; `number` counts from 1."""
    with open_file(file) as document:
        if not 1 <= number <= document.page_count:
            raise _NoSuchPage(f"it has {document.page_count} pages and no page {number}")
        yield document[number - 1]


def _rewrite_picture(path: str) -> bytes:
    written = io.BytesIO()
    try:
        with Image.open(path) as picture:
            ImageOps.exif_transpose(picture).convert("RGB").save(written, "BMP")
    except (OSError, UnidentifiedImageError, ValueError) as error:
        raise pymupdf.FileDataError("the picture cannot be decoded") from error
    return written.getvalue()


def list_pages(document: pymupdf.Document) -> tuple[Page, ...]:
    """All pages, unread. One that cannot be measured has no size: it will fail when it is read, with its reason."""
    return tuple(_describe_safely(document, index) for index in range(document.page_count))


def _describe_safely(document: pymupdf.Document, index: int) -> Page:
    try:
        return describe_page(document[index])
    except Exception:
        return Page(index + 1, 0.0, 0.0, "pt" if document.is_pdf else "px")


def describe_page(page: pymupdf.Page) -> Page:
    """Number and size of a page, in points or, in a picture, in pixels."""
    scale = count_pixels_per_point(page)
    width, height = page.rect.width * scale, page.rect.height * scale
    if page.parent.is_pdf:
        return Page(page.number + 1, width, height, "pt")
    return Page(page.number + 1, float(round(width)), float(round(height)), "px")


def count_pixels_per_point(page: pymupdf.Page) -> float:
    """Page units in one of pymupdf's points: 1 in a PDF; the picture's own pixels otherwise."""
    if page.parent.is_pdf:
        return 1.0
    (image,) = page.get_image_info()
    x, y = image["transform"][:2]
    return float(image["width"]) / hypot(x, y)


def refuse(error: Exception) -> Refusal:
    """Say what an error means for the file."""
    if isinstance(error, _LockedFile):
        return Refusal("locked", "it is locked by a password")
    if isinstance(error, _NoSuchPage):
        return Refusal("absent", str(error))
    if isinstance(error, MissingProgram):
        return Refusal("missing", error.problem, error.remedy)
    words = " ".join(str(error).split())[:200]
    if is_out_of_memory(error):
        return Refusal("memory", "it needs more memory than a page may take")
    if isinstance(error, pymupdf.FileDataError | pymupdf.EmptyFileError) or _MUPDF_ERROR.match(words):
        # its words for a file that it cannot open are no more than the name of our copy
        reason = "there is no way into it" if words.startswith("Failed to open") else words
        return Refusal("damaged", f"it is damaged ({reason})")
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return Refusal("unforeseen", f"{type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}: {words}")


def release_memory() -> None:
    """Give back what mupdf keeps of a document that is closed."""
    pymupdf.TOOLS.store_shrink(100)
