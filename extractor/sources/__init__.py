"""Source bytes -> Document: the kind is chosen by content, one module a kind.

Called by the pipeline and by bulk. Every kind hands over linear text and, where its format has
true tables, their grids; headings, text tables and the view are made here, one way for all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from extractor.errors import EmptySource, SourceTooLarge, UnreadableSource
from extractor.model import Block, Document, Grid
from extractor.settings import Settings, load_settings
from extractor.sources.base import Linear
from extractor.sources.detect import SourceKind, decode_text, detect_kind
from extractor.sources.markdown import hide_markup
from extractor.sources.text import number_grids, split_blocks
from extractor.sources.view import fold_view

__all__ = ["load_document", "read_document"]

_MEDIA_TYPES = {
    SourceKind.TEXT: "text/plain",
    SourceKind.MARKDOWN: "text/markdown",
    SourceKind.HTML: "text/html",
    SourceKind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    SourceKind.DOC: "application/msword",
}


def load_document(path: Path | str, settings: Settings | None = None) -> Document:
    """Read one file.

    Args:
        path: the file.
        settings: those of the environment when left out.

    Raises:
        SourceError: a subclass that names the file, what is wrong, and the remedy.
    """
    path, settings = Path(path), settings or load_settings()
    limit = settings.max_source_mb * 1_000_000
    try:
        size = path.stat().st_size
        if size > limit:
            raise SourceTooLarge(
                str(path),
                f"the file has {size / 1e6:.1f} MB, the limit is {settings.max_source_mb} MB",
                "Raise EXTRACTOR_MAX_SOURCE_MB if this really is one report",
            )
        raw = path.read_bytes()
    except OSError as error:
        raise UnreadableSource(
            str(path), error.strerror or str(error), "Check that the file exists and may be read"
        ) from error
    return read_document(raw, str(path), settings)


def read_document(raw: bytes, path: str, settings: Settings) -> Document:
    """Turn the bytes of one file into a Document. `path` is only for messages and the record."""
    kind = detect_kind(raw, path)
    linear = _linearise(kind, raw, path, settings)
    view = fold_view(linear.text)
    if kind is SourceKind.MARKDOWN:
        view = hide_markup(view)
    if not view.strip(" \t\n\x00"):
        raise EmptySource(path, "the file holds no text", "If it is a scan or pictures only, a text layer is needed")
    return Document(
        id=hashlib.sha256(raw).hexdigest(),
        path=path,
        media_type=_MEDIA_TYPES[kind],
        text=linear.text,
        view=view,
        blocks=number_grids(list(_order_blocks(view, linear.grids))),
        notices=linear.notices,
        raw=raw,
        paper=linear.paper,
    )


def _linearise(kind: SourceKind, raw: bytes, path: str, settings: Settings) -> Linear:
    # The parsers are imported when first needed: a run over text files loads neither.
    if kind is SourceKind.HTML:
        from extractor.sources.html import parse_html

        return parse_html(raw, path)
    if kind is SourceKind.DOCX:
        from extractor.sources.word import parse_docx

        return parse_docx(raw, path, settings)
    if kind is SourceKind.DOC:
        from extractor.sources.word import parse_doc

        return parse_doc(raw, path, settings)
    text, _charset, notices = decode_text(raw)
    return Linear(text, notices=notices)


def _order_blocks(view: str, grids: Sequence[Grid]) -> Iterator[Block]:
    """The source's own grids in place; the running text between them split as plain text is."""
    position = 0
    for grid in grids:
        yield from split_blocks(view, position, grid.start)
        yield grid
        position = grid.end
    yield from split_blocks(view, position, len(view))
