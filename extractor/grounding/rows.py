"""Rows of a reply -> what each is worth against the source.

Lives here: comparing a reply with the cells behind its label, in order, and the outcome. Does not live here: finding
the label (anchors) and knowing the columns (placement). Called by readers that ask a model.
"""

from __future__ import annotations

from collections.abc import Mapping

from extractor.forms import Row, Section
from extractor.grounding.alignment import NOT_FOUND, RowAlignment
from extractor.grounding.anchors import Anchor, anchor_rows
from extractor.grounding.matching import Judged, Reply, clean_reply, judge_cells, match_what_fits
from extractor.grounding.one_row import align_groups
from extractor.grounding.pieces import collect_pieces
from extractor.grounding.placement import TableDoubts, find_columns, find_doubts
from extractor.grounding.regions import collect_regions
from extractor.model import Chunk, Document


def align_rows(
    document: Document, chunk: Chunk, section: Section, rows: Mapping[str, tuple[str | None, ...]]
) -> dict[str, RowAlignment]:
    """Align a reply's rows with the table of a chunk.

    A cell of the reply is taken only for the token that stands at its place behind the row's own label; that its
    text occurs somewhere proves nothing.

    Args:
        document: the document.
        chunk: the chunk whose table was asked for; all of its text is searched when no table is known.
        section: the form's section in the generation that was asked for.
        rows: row id -> cells from left to right, verbatim, None (or nothing but space) for an empty cell.

    Returns:
        One alignment for every row given.
    """
    table = collect_regions(collect_pieces(document, chunk), section)
    replies = {row_id: clean_reply(cells) for row_id, cells in rows.items()}
    if section.layout == "one_row":
        return align_groups(document, table, section, replies)
    anchors = anchor_rows(table, section, replies)
    doubts = find_doubts(document.view, table, section)
    aligned: dict[str, RowAlignment] = {}
    for row_id, reply in replies.items():
        anchor = anchors.get(row_id)
        if anchor is None:
            aligned[row_id] = RowAlignment("not_anchored", (NOT_FOUND,) * len(reply))
            continue
        outcome, cells = _judge_row(document, section.rows_by_id[row_id], reply, anchor, doubts)
        aligned[row_id] = RowAlignment(
            outcome,
            cells,
            anchor=anchor.region.label.span() if anchor.region.label else None,
            is_anchored_by_order=anchor.by_order,
            region=table.find_extent(anchor.region),
            is_out_of_order=anchor.is_out_of_order,
        )
    return aligned


def _judge_row(document: Document, row: Row, reply: Reply, anchor: Anchor, doubts: TableDoubts) -> Judged:
    slots = anchor.region.slots
    if anchor.is_repeated:
        return "mismatch", match_what_fits(document, reply, slots)
    return judge_cells(document, reply, slots, find_columns(document.view, anchor, row, doubts))
