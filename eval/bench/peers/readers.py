"""Files to text for the peers: as they are, or by MarkItDown or Docling; tables by pandas or Docling.

Lives here: what each library is called with, its defaults wherever it has some. Does not live here: what is done
with the text (asking, spans, tables).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

Grid = list[list[str]]


class NotRead(Exception):
    """A peer cannot read this kind of file; the message says why."""


def read_plainly(path: Path) -> str:
    """What a first attempt sends: the file's text, in one of the two usual charsets."""
    raw = path.read_bytes()
    if raw.startswith(b"%PDF"):
        raise NotRead("a PDF is no text")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("gb18030")


def read_with_markitdown(path: Path) -> str:
    """Markdown of any file."""
    return str(_load_markitdown().convert(str(path)).text_content)


@cache
def _load_markitdown() -> Any:
    from markitdown import MarkItDown  # noqa: PLC0415 - slow to load, as all of these

    return MarkItDown()


def read_with_docling(path: Path) -> str:
    """Markdown of HTML and Markdown; a text file is given as Markdown, for it knows no other plain text."""
    return str(_convert_with_docling(path).export_to_markdown())


def _convert_with_docling(path: Path) -> Any:
    """By the backend of its kind: DocumentConverter imports torch, whatever it converts."""
    from docling.backend.html_backend import HTMLDocumentBackend  # noqa: PLC0415
    from docling.backend.md_backend import MarkdownDocumentBackend  # noqa: PLC0415
    from docling.datamodel.base_models import InputFormat  # noqa: PLC0415
    from docling.datamodel.document import InputDocument  # noqa: PLC0415

    if path.suffix == ".pdf":
        raise NotRead("Docling reads PDFs with models that it downloads")
    is_page = path.suffix == ".html"
    kind, backend = (InputFormat.HTML, HTMLDocumentBackend) if is_page else (InputFormat.MD, MarkdownDocumentBackend)
    stream = io.BytesIO(path.read_bytes())
    document = InputDocument(path_or_stream=stream, format=kind, backend=backend, filename=path.name)
    return document._backend.convert()


def list_tables_with_docling(path: Path) -> list[Grid]:
    """The tables as Docling has them, merged cells repeated."""
    found = _convert_with_docling(path).tables
    return [[[cell.text for cell in row] for row in table.data.grid] for table in found]


def list_tables_with_pandas(path: Path) -> list[Grid]:
    """The tables of a page, as text; pandas reads no other kind of file."""
    import pandas  # noqa: PLC0415

    text = read_plainly(path)
    if "<table" not in text.lower():
        raise NotRead("no HTML table")
    frames = pandas.read_html(io.StringIO(text), header=None, converters=None, keep_default_na=False)
    return [[[str(cell) for cell in row] for row in frame.astype(str).to_numpy().tolist()] for frame in frames]


def list_tables_of_markdown(path: Path) -> list[Grid]:
    """Lines with bars in what MarkItDown writes."""
    lines = read_with_markitdown(path).splitlines()
    return [[[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines if "|" in line]]


TEXTS: Mapping[str, Callable[[Path], str]] = {
    "plain": read_plainly,
    "markitdown": read_with_markitdown,
    "docling": read_with_docling,
}
TABLES: Mapping[str, Callable[[Path], list[Grid]]] = {
    "pandas": list_tables_with_pandas,
    "docling": list_tables_with_docling,
    "markitdown": list_tables_of_markdown,
}
