"""Documents that are evaluated: the nouns that pass between choosing files and judging what was read.

Does not live here: reading them (loading, flow), judging (extractor.evaluation). A run has other ones (plan, making).
"""

from __future__ import annotations

from typing import NamedTuple

from extractor.model import Document, Origin, Record


class Work(NamedTuple):
    """One document to make: a file to read, and every place where the same bytes were found."""

    path: str
    document_id: str | None
    origins: tuple[Origin, ...]
    total: int


class Made(NamedTuple):
    """A finished document: the source as it was read, and what is said of it."""

    document: Document
    record: Record
