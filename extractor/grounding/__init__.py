"""A model's reply -> places in the source, or the statement that it is not there.

Pure computation over a document, the place of one table, and the cells of a reply. What a reply is worth
after that is decided by its reader; nothing here asks a model or makes a candidate.
"""

from extractor.grounding.alignment import NOT_FOUND, AlignedCell, RowAlignment, RowOutcome
from extractor.grounding.quotes import align_number, align_quote
from extractor.grounding.rows import align_rows

__all__ = [
    "NOT_FOUND",
    "AlignedCell",
    "RowAlignment",
    "RowOutcome",
    "align_number",
    "align_quote",
    "align_rows",
]
