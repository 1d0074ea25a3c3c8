"""What a page lost and arithmetic can say something about: glued digits first, then lost positions.

Lives here: their order. Called by the pipeline.
"""

from __future__ import annotations

from collections.abc import Mapping

from extractor.reconcile.merge import Merged
from extractor.reconcile.open_rows import Recovery
from extractor.reconcile.positions import place_lost
from extractor.reconcile.splits import split_glued


def recover_lost(merged: Mapping[str, Merged], generation: Mapping[str, str]) -> Recovery:
    """Infer the cells of glued rows where the equations allow one way only; suggest what else they allow.

    Args:
        merged: all fields of the document.
        generation: form generation per table section.
    """
    split = split_glued(merged, generation)
    placed = place_lost(split.merged, generation)
    return split._replace(suggestions=split.suggestions | placed.suggestions, flags=(*split.flags, *placed.flags))
