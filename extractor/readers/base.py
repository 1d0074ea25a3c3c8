"""The contract of a reader, and what its parts hand over.

A reader takes a Document and its Chunks and returns a Reading. It never decides what is accepted,
never evaluates an equation, and never returns a value without the span that holds its raw token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from extractor.model import Candidate, Chunk, Document, Flag, Reading


class Reader(Protocol):
    """Reads one document."""

    def read(self, document: Document, chunks: Sequence[Chunk]) -> Reading:
        """All candidates of this reader over the document."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What one part of a reader found: candidates by field id, and its doubts."""

    candidates: Mapping[str, tuple[Candidate, ...]]
    flags: tuple[Flag, ...] = ()
