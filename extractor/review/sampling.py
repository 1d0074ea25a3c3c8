"""Which documents are drawn: for the audit, and for two looks.

Lives here: the draw. Does not live here: what becomes of a drawn document (intake). Called by intake and
extractor.bulk.audit.

A document is drawn by the hash of its bytes' hash: the same in every run, whatever else is in the run, and not to be
guessed from name, place or content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

# The first 64 bits of a sha256 are a number of this range.
_RANGE = 1 << 64
# Two looks are drawn apart from the audit, so that neither sample is chosen by the other.
_TWICE = "two looks\n"


def select_audit(document_ids: Iterable[str], share: float, salt: str) -> frozenset[str]:
    """Choose the documents whose accepted values are looked at, too; each by itself, whatever others there are.

    Args:
        document_ids: sha256 of the documents.
        share: 0 to 1; expected share of them. A larger one keeps all that a smaller one chooses.
        salt: another one chooses other documents.
    """
    return frozenset(document_id for document_id in document_ids if _draw(document_id, salt) < share * _RANGE)


def select_twice(document_ids: Iterable[str], share: float, salt: str) -> frozenset[str]:
    """Choose documents at which two people look. See select_audit."""
    return select_audit(document_ids, share, _TWICE + salt)


def _draw(document_id: str, salt: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{salt}\n{document_id}".encode()).digest()[:8], "big")
