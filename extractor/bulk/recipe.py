"""How a run reads: all that a worker process needs to make a record of bytes, and all that decides what comes out.

Lives here: the recipe and the keys that follow from it. Does not live here: making (making), keeping (keeping). Made by
run, sent to workers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from extractor.bulk.plan import Entry
from extractor.confidence import Certificate
from extractor.confidence.standing import Standing
from extractor.pipeline import VERSIONS
from extractor.readers.policy import Policy
from extractor.review.priors import Chances
from extractor.settings import Settings
from extractor.store.rows import canonical_json

#: How often a document that failed, or of which a question stayed unanswered, is tried, over all starts of a run.
MOST_ATTEMPTS = 3
# Settings that say how fast, how long, where and by whose key, but not what comes out. A new setting decides unless it
# is named here: to read once more in vain costs time, to keep what was read otherwise would be wrong.
_OPERATIONAL = frozenset(
    {
        "soffice",
        "soffice_timeout_s",
        "page_workers",
        "page_timeout_s",
        "page_memory_mb",
        "base_url",
        "api_key",
        "reply_mode",
        "concurrency",
        "requests_per_minute",
        "tokens_per_minute",
        "call_timeout_s",
        "call_attempts",
        "journal",
        "journal_requests",
        "prices",
        "prompts_dir",  # the prompts themselves are among the versions
        "forms_dir",  # and so are the forms
        "store",
        "lease_minutes",
        "session_hours",
        "max_upload_mb",
        "max_upload_files",
        "requests_per_account",
        "certificate",  # by its content
        "telemetry",
        "log",
        "log_format",
    }
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the documents of a run are read, and where they are kept.

    Attributes:
        settings: without the server's key.
        policy: who reads; `template` is the rules alone.
        certificate: to govern the records with.
        signature: of all that decides what comes out, as hex.
        ledger: the file of the ledger; None where the store holds it.
        store: the store's address; None where there is none.
        run_id: of the run, in the store too.
        chances: of errors by code, for the queue of the store.
        makes_files: whether output files will be written.
    """

    settings: Settings
    policy: Policy
    certificate: Certificate | None
    signature: str
    ledger: str | None
    store: str | None
    run_id: str
    chances: Chances | None
    makes_files: bool

    def key(self, entry: Entry) -> str:
        """What the ledger keeps a document under: the bytes, where they were found, and how they are read."""
        origins = [[origin.path, origin.url, origin.site, origin.fetched_at] for origin in entry.origins]
        # Of members that cannot be read, several may have one name.
        which = [entry.document_id or entry.start, entry.path, origins]
        return _hash([self.signature, *which, self.makes_files, self.store is not None])


def sign(settings: Settings, policy: Policy, standing: Standing, parts: Mapping[str, Any]) -> str:
    """The signature of a recipe.

    Args:
        parts: what the model's part adds: versions of prompts, parameters, where replies come from.
    """
    deciding = settings.model_dump(mode="json", exclude=set(_OPERATIONAL))
    deciding["audit_salt"] = settings.audit_salt.get_secret_value()  # only its hash leaves this function
    return _hash([VERSIONS, policy, deciding, standing.describe(), dict(parts)])


def _hash(parts: object) -> str:
    return hashlib.sha256(canonical_json({"of": parts}).encode()).hexdigest()
