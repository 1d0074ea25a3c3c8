"""Markup from strangers, parsed for trial in a process that may be killed.

Lives here: the trial. Does not live here: limits of size, which the sources hold themselves, and pages, which are read
in such processes anyway (extractor.sources.pages). Called by document_work.

Parsers in C take time that grows with the square of the depth of a page, or of its attributes, and nothing else of the
program runs meanwhile: half a megabyte of nested elements stops a service for half a minute, ten megabytes for hours.
What passes the trial is parsed again in the service.
"""

from __future__ import annotations

from extractor.errors import DamagedSource
from extractor.settings import Settings
from extractor.sources.detect import SourceKind, detect_kind
from extractor.sources.html import collect_html
from extractor.sources.pages.workers import TaskFailed, share_workers
from extractor.sources.word import collect_docx

# A page of 20 MB, the usual limit, takes about two seconds.
_LONGEST_S = 5
_PARSERS = {SourceKind.HTML: collect_html, SourceKind.DOCX: collect_docx}


def try_markup(raw: bytes, path: str, settings: Settings) -> None:
    """Let a worker parse a web page or a Word file; other kinds are not tried.

    Args:
        raw: the bytes.
        path: where the document seems to lie; none of its pictures is there.
        settings: of the program.

    Raises:
        SourceError: the bytes are of no known kind, or the trial did not come to its end.
    """
    kind = detect_kind(raw, path)
    if kind not in _PARSERS:
        return
    workers = share_workers(settings)
    longest_s = min(_LONGEST_S, settings.page_timeout_s)
    task = workers.submit(_parse, kind, raw, path, settings.model_copy(update={"api_key": None}), timeout_s=longest_s)
    try:
        workers.wait(task)
    except TaskFailed as error:
        remedy = "Open it in a browser or in Word, and save it anew"
        raise DamagedSource(path, f"its markup could not be parsed ({error.problem})", remedy) from error


def _parse(kind: SourceKind, raw: bytes, path: str, settings: Settings) -> None:
    """In a worker."""
    _PARSERS[kind](raw, path, settings)
