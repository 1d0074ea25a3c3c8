"""The audit sample: documents whose accepted values a person looks at, too.

Lives here: which documents. Does not live here: the queue in which their values stand among doubted ones
(extractor.export.queue), the labels that come of it (extractor.evaluation). Called by run.

A sample that nobody chose is the only way to learn how many accepted values are wrong: what is doubted says nothing
about what is not. So a document is in it by the hash of its bytes' hash: the same in every run, whatever else is in
the run, and not to be guessed from name, place or content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from extractor.model import Record
from extractor.settings import Settings

# The first 64 bits of a sha256 are a number of this range.
_RANGE = 1 << 64


def select_audit(document_ids: Iterable[str], share: float, salt: str) -> frozenset[str]:
    """Choose documents, each by itself, so that others never change the choice.

    Args:
        document_ids: sha256 of the documents.
        share: 0 to 1; expected share of them. A larger one keeps all that a smaller one chooses.
        salt: another one chooses other documents.
    """
    return frozenset(document_id for document_id in document_ids if _draw(document_id, salt) < share * _RANGE)


def _draw(document_id: str, salt: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{salt}\n{document_id}".encode()).digest()[:8], "big")


class AuditSample:
    """The sample of one run, document by document."""

    def __init__(self, settings: Settings) -> None:
        self._share = settings.audit_share
        self._salt = settings.audit_salt.get_secret_value()
        self._eligible = 0
        self._chosen: list[str] = []

    def takes(self, record: Record) -> bool:
        """Whether this document is in the sample; only one of which a value was accepted can be."""
        return _has_accepted(record) and bool(select_audit((record.document.id or "",), self._share, self._salt))

    def count(self, record: Record) -> None:
        """Note a document that was written."""
        self._eligible += _has_accepted(record)
        if self.takes(record):
            self._chosen.append(record.document.id or "")

    def describe(self) -> dict[str, Any]:
        """For run.json, the one place that names them."""
        return {
            "share": self._share,
            "eligible": self._eligible,
            "documents": len(self._chosen),
            "ids": list(self._chosen),
        }


def _has_accepted(record: Record) -> bool:
    return any(field.decision == "accepted" for field in record.fields.values())
