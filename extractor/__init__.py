"""Chinese yearly disclosure reports (政府信息公开工作年度报告) from messy files to checked records.

The public API, in the order of use::

    from extractor import load_document, process_document

    record = process_document(load_document("report.html"))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from extractor.errors import ExtractorError, SourceError
    from extractor.model import Document, Record, RecordField
    from extractor.pipeline import process_document
    from extractor.sources import load_document

__all__ = ["Document", "ExtractorError", "Record", "RecordField", "SourceError", "load_document", "process_document"]

_HOMES = {
    "ExtractorError": "extractor.errors",
    "SourceError": "extractor.errors",
    "Document": "extractor.model",
    "Record": "extractor.model",
    "RecordField": "extractor.model",
    "process_document": "extractor.pipeline",
    "load_document": "extractor.sources",
}


def __getattr__(name: str) -> Any:
    # Loaded on first use, so that the command line need not load the parsers to print its help.
    if name not in _HOMES:
        raise AttributeError(f"module 'extractor' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
