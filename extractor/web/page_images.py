"""Pictures of pages: of a PDF or a scan, or a picture that a web page or Word file shows.

Lives here: which bytes a page is in, and a small cache. Does not live here: drawing (extractor.sources.pages, in worker
processes that can be killed), the boxes over a page (the review page draws them). Called by api.documents.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from extractor.errors import NotInStore
from extractor.model import Document, Page, Paper
from extractor.settings import Settings
from extractor.sources import open_page
from extractor.sources.pages import render_page_png
from extractor.store.shapes import StoredSource
from extractor.store.store import Store

#: Enough to read small print of A4 at full width of a large screen.
DPI = 110
_CACHE_BYTES = 64_000_000


class PageImages:
    """Draws pages, two at once at most, and keeps the last ones."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._drawing = threading.Semaphore(2)

    def draw(self, document_id: str, number: int) -> bytes:
        """A page as a PNG.

        Args:
            number: from 1.

        Raises:
            NotInStore: no such document, or it has no such page.
            SourceError: the page cannot be drawn within the limits.
        """
        key = (document_id, number)
        kept = self._find(key)
        if kept is not None:
            return kept
        with self._store.read() as books:
            source = books.documents.source(document_id)
            pages = books.documents.newest_extraction(document_id).pages
        page = next((page for page in pages if page.number == number), None)
        if source is None or page is None:
            raise NotInStore(f"document {document_id}: has no page {number}. Its record lists the pages.")
        with self._drawing:
            png = self._find(key) or self._draw(source, pages, page)
        self._keep(key, png)
        return png

    def _draw(self, source: StoredSource, pages: tuple[Page, ...], page: Page) -> bytes:
        # Without a path: what the bytes show is looked for in them alone, never beside some file of this machine.
        document = Document(source.id, "", source.media_type, "", "", (), raw=source.raw, paper=Paper(pages, (), {}))
        found = open_page(document, page, self._settings)
        return render_page_png(found.raw, source.name, found.number, self._settings, DPI)

    def _find(self, key: tuple[str, int]) -> bytes | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _keep(self, key: tuple[str, int], png: bytes) -> None:
        with self._lock:
            self._size += len(png) - len(self._kept.pop(key, b""))
            self._kept[key] = png
            while self._size > _CACHE_BYTES and len(self._kept) > 1:
                self._size -= len(self._kept.popitem(last=False)[1])
