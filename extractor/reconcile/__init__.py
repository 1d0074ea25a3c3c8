"""Readings -> one value a field, and what arithmetic and narrative say about it.

Nothing here ever changes a printed value: it compares, flags and suggests.
"""

from extractor.reconcile.equations import evaluate_equations
from extractor.reconcile.explain import Findings, explain_failures
from extractor.reconcile.ink import examine_ink, flag_doubts, flag_unconfirmed
from extractor.reconcile.ledger import keep_ledger
from extractor.reconcile.lone_model import doubt_lone_model
from extractor.reconcile.merge import (
    Merged,
    compare_readings,
    join_flags,
    merge_generations,
    merge_readings,
    order_readings,
)
from extractor.reconcile.narrative import compare_narrative
from extractor.reconcile.open_rows import Recovery
from extractor.reconcile.paper import flag_absent, list_unread_pages, place_record
from extractor.reconcile.recall import KnownPlaces, list_unread, recall_ink, recall_once
from extractor.reconcile.recovery import recover_lost

__all__ = [
    "Findings",
    "KnownPlaces",
    "Merged",
    "Recovery",
    "compare_narrative",
    "compare_readings",
    "doubt_lone_model",
    "evaluate_equations",
    "examine_ink",
    "explain_failures",
    "flag_absent",
    "flag_doubts",
    "flag_unconfirmed",
    "join_flags",
    "keep_ledger",
    "list_unread",
    "list_unread_pages",
    "merge_generations",
    "merge_readings",
    "order_readings",
    "place_record",
    "recall_ink",
    "recall_once",
    "recover_lost",
]
