"""A table of groups of columns over one unlabelled line of cells (section 四).

Lives here: finding that line, and giving each group of a reply its part of it. Does not live here: comparing cells
(matching). Called by rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from extractor.forms import Section
from extractor.grounding.alignment import NOT_FOUND, RowAlignment
from extractor.grounding.matching import Judged, Reply, judge_cells, match_what_fits
from extractor.grounding.pieces import Piece
from extractor.grounding.placement import are_whole, find_text_end, hides_dropped_cells
from extractor.grounding.regions import Region, TableRegions
from extractor.grounding.values import looks_glued
from extractor.model import Document


def align_groups(
    document: Document, table: TableRegions, section: Section, replies: Mapping[str, Reply]
) -> dict[str, RowAlignment]:
    """Align the groups of a reply with the one line of cells under the header."""
    line = _find_line(table)
    if not line:
        return {row_id: RowAlignment("not_anchored", (NOT_FOUND,) * len(reply)) for row_id, reply in replies.items()}
    labels = {ref.id: label for label in reversed(table.labels) for ref in label.refs if ref.id in section.rows_by_id}
    region = (min(piece.start for piece in (*table.labels[:1], *line)), line[-1].end)
    alignments: dict[str, RowAlignment] = {}
    for row_id, (outcome, cells) in _judge_groups(document, table, section, replies).items():
        anchor = labels[row_id].span() if row_id in labels else None
        alignments[row_id] = RowAlignment(outcome, cells, anchor, anchor is None, region)
    return alignments


def _data_lines(table: TableRegions) -> list[Region]:
    """The lines of cells under the header: those with something printed, or else the last empty one."""
    return [region for region in table.unclaimed if region.printed] or table.unclaimed[-1:]


def _find_line(table: TableRegions) -> list[Piece]:
    return [slot for region in _data_lines(table) for slot in region.slots]


def _judge_groups(
    document: Document, table: TableRegions, section: Section, replies: Mapping[str, Reply]
) -> dict[str, Judged]:
    line = _find_line(table)
    parts = _cut_line(line, section)
    if parts:
        is_certain = _is_certain(document.view, table, section, line)
        return {
            row_id: judge_cells(document, reply, parts[row_id], parts[row_id] if is_certain else None)
            for row_id, reply in replies.items()
        }
    whole = tuple(cell for row_id in section.rows_by_id for cell in replies.get(row_id, ()))
    if set(replies) != set(section.rows_by_id):
        return {row_id: ("mismatch", match_what_fits(document, reply, line)) for row_id, reply in replies.items()}
    outcome, cells = judge_cells(document, whole, line, None)
    judged: dict[str, Judged] = {}
    for row_id in section.rows_by_id:
        judged[row_id], cells = (outcome, cells[: len(replies[row_id])]), cells[len(replies[row_id]) :]
    return judged


def _cut_line(line: Sequence[Piece], section: Section) -> dict[str, Sequence[Piece]] | None:
    """The cells of each group, where the line has as many tokens, or cells, as the form."""
    printed = [slot for slot in line if slot.kind != "empty"]
    count = len(section.fields)
    if len(printed) == count:
        cells = printed
    elif (len(line) == count and not any(map(hides_dropped_cells, line))) or (not printed and len(line) >= count):
        cells = list(line)[:count]
    else:
        return None
    parts: dict[str, Sequence[Piece]] = {}
    for row in section.rows:
        parts[row.id], cells = cells[: len(row.columns)], cells[len(row.columns) :]
    return parts


def _is_certain(view: str, table: TableRegions, section: Section, line: Sequence[Piece]) -> bool:
    """Whether each cell of the one line stands under its group and column."""
    printed = [slot for slot in line if slot.kind != "empty"]
    return (
        len(_data_lines(table)) == 1
        and _names_groups(table, section)
        and are_whole(view, printed)
        and not any(looks_glued(view[piece.start : piece.end]) for piece in printed)
        and line[-1].end < find_text_end(view)
    )


def _names_groups(table: TableRegions, section: Section) -> bool:
    """Whether the header names all groups and all their columns in the form's order."""
    refs = [ref for label in table.labels for ref in label.refs]
    groups = list(dict.fromkeys(ref.id for ref in refs if ref.id in section.rows_by_id))
    leaves = [ref.id for ref in refs if ref.role == "column"]
    return groups == list(section.rows_by_id) and leaves == [item.column.id for item in section.fields]
