"""Readings -> one value a field, and what arithmetic and narrative say about it.

Nothing here ever changes a printed value: it compares, flags and suggests.
"""

from extractor.reconcile.equations import evaluate_equations
from extractor.reconcile.merge import Merged, merge_readings
from extractor.reconcile.narrative import compare_narrative

__all__ = ["Merged", "compare_narrative", "evaluate_equations", "merge_readings"]
