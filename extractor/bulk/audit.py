"""The audit sample: documents whose accepted values a person looks at, too.

Lives here: which documents of a run. Does not live here: the draw (extractor.review.sampling), the queue in which their
values stand among doubted ones (extractor.export.queue), the labels that come of it (extractor.evaluation). Called by
run.

A sample that nobody chose is the only way to learn how many accepted values are wrong: what is doubted says nothing
about what is not.
"""

from __future__ import annotations

from typing import Any

from extractor.model import Record
from extractor.review.sampling import select_audit
from extractor.settings import Settings


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
