"""What a page lost and arithmetic can say something about: glued digits first, then lost positions.

Lives here: their order. Called by the pipeline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from extractor.model import CellState, Flag
from extractor.reconcile.merge import Merged
from extractor.reconcile.open_rows import Recovery, name_doubted
from extractor.reconcile.positions import place_lost
from extractor.reconcile.splits import split_glued

_OPEN = (CellState.UNPARSABLE, CellState.POSITION_UNKNOWN)


def recover_lost(merged: Mapping[str, Merged], generation: Mapping[str, str], doubts: Iterable[Flag]) -> Recovery:
    """Infer the cells of glued rows where the equations allow one way only; suggest what else they allow.

    Args:
        merged: all fields of the document.
        generation: form generation per table section.
        doubts: findings of the readers; a row that one of them doubts is not inferred.
    """
    if not any(entry.printed.state in _OPEN for entry in merged.values()):
        return Recovery(dict(merged), {}, (), frozenset())  # nearly all documents: the search for rows costs more
    split = split_glued(merged, generation, name_doubted(merged, doubts))
    placed = place_lost(split.merged, generation)
    return split._replace(suggestions=split.suggestions | placed.suggestions, flags=(*split.flags, *placed.flags))
