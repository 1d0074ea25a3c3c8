"""Source bytes -> Document: the kind is chosen by content, one module a kind.

Called by the pipeline and by bulk. Every kind hands over linear text and, where its format has
true tables, their grids; headings, text tables and the view are made here, one way for all.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from extractor.errors import EmptySource, SourceTooLarge, UnreadableSource
from extractor.model import Block, Document, Grid, Page, Paper
from extractor.settings import Settings, load_settings
from extractor.sources.base import Linear
from extractor.sources.detect import SourceKind, decode_text, detect_kind, has_pages, is_old_word, tell_picture
from extractor.sources.markdown import hide_markup
from extractor.sources.text import number_grids, split_blocks
from extractor.sources.view import fold_view

if TYPE_CHECKING:
    from extractor.sources.blocks import Collected
    from extractor.sources.pages import PagesUnderWay
    from extractor.sources.picture_text import PicturesUnderWay

__all__ = [
    "BegunDocument",
    "PageBytes",
    "begin_document",
    "is_paged",
    "load_document",
    "needs_processes",
    "open_page",
    "read_document",
    "reads_in_processes",
    "tell_media_type",
]

_MEDIA_TYPES = {
    SourceKind.TEXT: "text/plain",
    SourceKind.MARKDOWN: "text/markdown",
    SourceKind.HTML: "text/html",
    SourceKind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    SourceKind.DOC: "application/msword",
    SourceKind.PDF: "application/pdf",
}
_HEAD_BYTES = 1024
_COLLECTED = (SourceKind.HTML, SourceKind.DOCX, SourceKind.DOC)
# In a web page, or among the names of a docx's parts, which are never compressed.
_SHOWS_PICTURES = re.compile(rb"<img\b|/media/", re.IGNORECASE)


def load_document(path: Path | str, settings: Settings | None = None) -> Document:
    """Read one file.

    Args:
        path: the file.
        settings: those of the environment when left out.

    Raises:
        SourceError: a subclass that names the file, what is wrong, and the remedy.
    """
    path, settings = Path(path), settings or load_settings()
    return read_document(_read_file(path, settings), str(path), settings)


def read_document(raw: bytes, path: str, settings: Settings) -> Document:
    """Turn the bytes of one file into a Document. `path` is for messages, the record and a page's pictures."""
    return BegunDocument(raw, path, settings).finish()


def is_paged(path: Path | str) -> bool:
    """Whether a file is read page by page, in worker processes. False where it cannot be opened."""
    try:
        with open(path, "rb") as file:
            return has_pages(file.read(_HEAD_BYTES))
    except OSError:
        return False


def needs_processes(path: Path | str, settings: Settings) -> bool:
    """Whether other processes may be waited for: those that read pages and pictures, or LibreOffice.

    False where the file cannot be opened.
    """
    try:
        with open(path, "rb") as file:
            raw = file.read(settings.max_source_mb * 1_000_000)
    except OSError:
        return False
    return reads_in_processes(raw)


def reads_in_processes(raw: bytes) -> bool:
    """The same of bytes."""
    return has_pages(raw) or is_old_word(raw) or _SHOWS_PICTURES.search(raw) is not None


def begin_document(path: Path | str, settings: Settings) -> BegunDocument:
    """Begin to read one file: the pages of a PDF or a picture are read by worker processes from now on.

    Raises:
        SourceError: the file cannot be read, or is of no kind that is. The rest comes with BegunDocument.finish.
    """
    return BegunDocument(_read_file(Path(path), settings), str(path), settings)


class BegunDocument:
    """A file whose pages, if it has any, are on their way. To be finished or cancelled, and once."""

    def __init__(self, raw: bytes, path: str, settings: Settings) -> None:
        self._raw = raw
        self._path = path
        self._settings = settings
        self._kind = detect_kind(raw, path)
        self._is_cancelled = False
        self._under_way: PagesUnderWay | PicturesUnderWay | None = self._begin_pages()

    def _begin_pages(self) -> PagesUnderWay | None:
        if self._kind not in (SourceKind.PDF, SourceKind.PICTURE):
            return None
        from extractor.sources.pages import begin_pages

        return begin_pages(self._kind, self._raw, self._path, self._settings)

    def finish(self) -> Document:
        """Wait for its pages and pictures, and make the Document.

        Raises:
            SourceError: see load_document.
            CancelledError: see cancel.
        """
        return _make_document(self._kind, self._linearise(), self._raw, self._path)

    def _linearise(self) -> Linear:
        if self._under_way:
            return self._under_way.wait()
        if self._kind not in _COLLECTED:
            text, _charset, notices = decode_text(self._raw)
            return Linear(text, notices=notices)
        from extractor.sources.picture_text import PicturesUnderWay

        collected = _collect(self._kind, self._raw, self._path, self._settings)
        pictures = self._under_way = PicturesUnderWay(collected.blocks, self._settings)
        if self._is_cancelled:  # since then; from now on it finds the pictures
            pictures.cancel()
        return collected.complete(pictures.wait())

    def cancel(self) -> None:
        """Give the document up, from any thread: no page of it is begun any more, and `finish` ends early."""
        self._is_cancelled = True
        if self._under_way:
            self._under_way.cancel()


class PageBytes(NamedTuple):
    """Where a page is: the bytes of a file with pages, its name for messages, and the page's number in it."""

    raw: bytes
    path: str
    number: int


def open_page(document: Document, page: Page, settings: Settings) -> PageBytes:
    """The file that a page of a document is in: the document itself, or a picture that it shows.

    Raises:
        UnreadableSource: the document shows the picture no more.
    """
    from extractor.sources.picture_text import find_picture

    if not page.name or document.paper is None:
        return PageBytes(document.raw, document.path, page.number)
    collected = _collect(detect_kind(document.raw, document.path), document.raw, document.path, settings)
    raw = find_picture(collected.blocks, page.name)
    if raw is None:
        raise UnreadableSource(f"{document.path}: {page.name}", "the picture is gone", "Put it back beside its page")
    before = [other for other in document.paper.pages[: page.number - 1] if other.name == page.name]
    return PageBytes(raw, f"{document.path}: {page.name}", len(before) + 1)


def _read_file(path: Path, settings: Settings) -> bytes:
    limit = settings.max_source_mb * 1_000_000
    try:
        size = path.stat().st_size
        if size > limit:
            raise SourceTooLarge(
                str(path),
                f"the file has {size / 1e6:.1f} MB, the limit is {settings.max_source_mb} MB",
                "Raise EXTRACTOR_MAX_SOURCE_MB if this really is one report",
            )
        return path.read_bytes()
    except OSError as error:
        raise UnreadableSource(
            str(path), error.strerror or str(error), "Check that the file exists and may be read"
        ) from error


def _make_document(kind: SourceKind, linear: Linear, raw: bytes, path: str) -> Document:
    view = fold_view(linear.text)
    if kind is SourceKind.MARKDOWN:
        view = hide_markup(view)
    if not view.strip(" \t\n\x00"):
        raise EmptySource(path, "the file holds no text", "Look at it: its pages may be empty, or too faint to be read")
    blocks = number_grids(list(_order_blocks(view, linear.grids)))
    return Document(
        id=hashlib.sha256(raw).hexdigest(),
        path=path,
        media_type=_name_media_type(kind, raw),
        text=linear.text,
        view=view,
        blocks=blocks,
        notices=linear.notices,
        raw=raw,
        paper=_renumber_cells(linear.paper, linear.grids, blocks) if linear.paper else None,
    )


def tell_media_type(raw: bytes, path: str) -> str:
    """The media type of a file by its content. `path` is for messages.

    Raises:
        SourceError: it is empty, or of no kind that is read.
    """
    return _name_media_type(detect_kind(raw, path), raw)


def _name_media_type(kind: SourceKind, raw: bytes) -> str:
    return _MEDIA_TYPES.get(kind) or f"image/{tell_picture(raw)}"


def _renumber_cells(paper: Paper, grids: Sequence[Grid], blocks: Iterable[Block]) -> Paper:
    """The cells of the source's own grids under the numbers that these got among grids found in running text."""
    numbers = {block.start: block.index for block in blocks if isinstance(block, Grid)}
    if all(numbers[grid.start] == grid.index for grid in grids):
        return paper
    cells = {(numbers[grids[grid].start], row, column): place for (grid, row, column), place in paper.cells.items()}
    return replace(paper, cells=cells)


def _collect(kind: SourceKind, raw: bytes, path: str, settings: Settings) -> Collected:
    # The parsers are imported when first needed: a run over text files loads neither.
    if kind is SourceKind.HTML:
        from extractor.sources.html import collect_html

        return collect_html(raw, path, settings)
    from extractor.sources.word import collect_doc, collect_docx

    return collect_docx(raw, path, settings) if kind is SourceKind.DOCX else collect_doc(raw, path, settings)


def _order_blocks(view: str, grids: Sequence[Grid]) -> Iterator[Block]:
    """The source's own grids in place; the running text between them split as plain text is."""
    position = 0
    for grid in grids:
        yield from split_blocks(view, position, grid.start)
        yield grid
        position = grid.end
    yield from split_blocks(view, position, len(view))
