"""The audit sample: documents whose accepted values a person looks at, too.

Lives here: which documents of a run. Does not live here: the draw (extractor.review.sampling), the queue in which their
values stand among doubted ones (extractor.export.queue), the labels that come of it (extractor.evaluation). Called by
keeping.

A sample that nobody chose is the only way to learn how many accepted values are wrong: what is doubted says nothing
about what is not.
"""

from __future__ import annotations

from extractor.model import Record
from extractor.review.sampling import select_audit
from extractor.settings import Settings


def is_in_sample(record: Record, settings: Settings) -> bool:
    """Whether a document is in the sample; only one of which a value was accepted can be."""
    salt = settings.audit_salt.get_secret_value()
    return has_accepted(record) and bool(select_audit((record.document.id or "",), settings.audit_share, salt))


def has_accepted(record: Record) -> bool:
    """Whether any value of a document was accepted."""
    return any(field.decision == "accepted" for field in record.fields.values())
