"""Documents of a run loaded in its order, those with pages begun ahead of their turn.

Lives here: how far ahead, and that nothing stays under way when a run ends early. Does not live here: loading one
document (extractor.sources), which reads pages in processes of their own; what is done with documents (run). Text and
web pages are loaded when it is their turn: that is quicker than handing them to anybody. Called by run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from pathlib import Path

from extractor.model import Document
from extractor.settings import Settings
from extractor.sources import BegunDocument, begin_document, is_paged, load_document

# Files looked at ahead of their turn, to find those with pages among them.
_MOST_AHEAD = 200


def count_begun(settings: Settings) -> int:
    """How many documents with pages may be under way: enough to keep every worker busy, few enough to be held."""
    return 2 * settings.count_page_workers()


def load_in_order(paths: Sequence[str], settings: Settings) -> Generator[Document | Exception]:
    """Load files, each a Document or the error that it gave, in the order of `paths`.

    When the iterator is closed, what was begun is given up.
    """
    begun: deque[tuple[int, BegunDocument | Exception]] = deque()
    looked_at = 0
    try:
        for index, path in enumerate(paths):
            looked_at = max(looked_at, index)
            while looked_at < min(index + _MOST_AHEAD, len(paths)) and len(begun) < count_begun(settings):
                if is_paged(paths[looked_at]):
                    begun.append((looked_at, _begin(paths[looked_at], settings)))
                looked_at += 1
            if begun and begun[0][0] == index:
                yield _finish(begun.popleft()[1])
            else:
                yield _load(path, settings)
    finally:
        for _, document in begun:
            if isinstance(document, BegunDocument):
                document.cancel()


def _begin(path: str, settings: Settings) -> BegunDocument | Exception:
    try:
        return begin_document(path, settings)
    except Exception as error:  # one bad file never stops the rest
        return error


def _finish(document: BegunDocument | Exception) -> Document | Exception:
    if isinstance(document, Exception):
        return document
    try:
        return document.finish()
    except Exception as error:
        return error
    finally:
        document.cancel()


def _load(path: str, settings: Settings) -> Document | Exception:
    try:
        return load_document(Path(path), settings)
    except Exception as error:
        return error
