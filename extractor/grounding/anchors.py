"""Which region is a row's: by its label, and for one unknown label by its neighbours.

Lives here: choosing among regions. Does not live here: what stands in them (placement). Called by rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate, pairwise
from typing import NamedTuple

from extractor.forms import Section
from extractor.grounding.regions import Region, TableRegions


class Anchor(NamedTuple):
    """The region of one row.

    Attributes:
        region: label and cells.
        is_repeated: whether several regions with cells carry the row's label.
        by_order: whether only the neighbours say which row it is.
        is_torn: whether the cells may be another row's.
        is_beside_strays: whether numbers that no row claims stand next to it: an empty cell may be theirs.
        is_out_of_order: whether the row stands elsewhere among the others than the form has it.
    """

    region: Region
    is_repeated: bool = False
    by_order: bool = False
    is_torn: bool = False
    is_beside_strays: bool = False
    is_out_of_order: bool = False


def anchor_rows(table: TableRegions, section: Section, asked: Iterable[str]) -> dict[str, Anchor]:
    """Row id -> its region, for each row of the form whose place is known.

    Args:
        table: the regions of the table.
        section: the form's rows in their order.
        asked: the rows of the reply; only among these is a place found by order.
    """
    found: dict[str, list[Region]] = {}
    for region in table.rows:
        found.setdefault(str(region.row_id), []).append(region)
    clear = {
        row_id: sure
        for row_id, regions in found.items()
        if (sure := [region for region in regions if not region.is_doubtful])
    }
    anchors: dict[str, Anchor] = {}
    for row in section.rows:
        regions = clear.get(row.id) or _in_order(found.get(row.id, []), row.id, clear, section)
        if regions:
            with_cells = [region for region in regions if region.slots]
            anchors[row.id] = Anchor((with_cells or regions)[0], is_repeated=len(with_cells) > 1)
    by_order = dict(_anchor_by_order(table, section, anchors, set(asked)))
    anchors = _doubt_torn(table, section, anchors)
    anchors = _doubt_neighbours(table, anchors)
    return _doubt_order(anchors) | by_order


def _in_order(regions: list[Region], row_id: str, clear: dict[str, list[Region]], section: Section) -> list[Region]:
    """Those regions of a doubtful label that stand where the form's order has the row."""
    order = list(section.rows_by_id)
    place = order.index(row_id)
    before = next((clear[name] for name in reversed(order[:place]) if name in clear), None)
    behind = next((clear[name] for name in order[place + 1 :] if name in clear), None)
    return [
        region
        for region in regions
        if (not before or before[-1].start < region.start) and (not behind or region.start < behind[0].start)
    ]


def _anchor_by_order(
    table: TableRegions, section: Section, anchors: dict[str, Anchor], asked: set[str]
) -> Iterable[tuple[str, Anchor]]:
    """A row whose label is unknown, where its neighbours leave room for no other row and one stretch of cells."""
    order = list(section.rows_by_id)
    for before, row_id, behind in zip(order, order[1:], order[2:], strict=False):
        if row_id in anchors or row_id not in asked or before not in anchors or behind not in anchors:
            continue
        floor, limit = anchors[before].region.end, anchors[behind].region.start
        between = [region for region in table.unclaimed if floor <= region.start < limit and region.printed]
        if len(between) == 1 and between[0].label is not None and between[0].label.kind == "text":
            yield row_id, Anchor(between[0], by_order=True)


def _doubt_torn(table: TableRegions, section: Section, anchors: dict[str, Anchor]) -> dict[str, Anchor]:
    """Where nothing but the labels parts the rows, a lost label or lost cells give a row those of another."""
    behind = {row.id: after.id for row, after in pairwise(section.rows)}
    bare = {id(region) for region in table.rows if not region.slots and not region.is_doubtful}
    follows_bare = {id(region) for before, region in pairwise(table.rows) if id(before) in bare}
    has_lone_numbers = any(region.printed and region.label is None for region in table.unclaimed)
    doubted: dict[str, Anchor] = {}
    for row_id, anchor in anchors.items():
        region = anchor.region
        is_before_gap = behind.get(row_id, row_id) not in anchors and not region.is_interrupted
        is_torn = id(region) in follows_bare or is_before_gap or (has_lone_numbers and bool(bare))
        is_parted = region.label is not None and region.label.row is not None
        doubted[row_id] = anchor._replace(is_torn=is_torn and not is_parted)
    return doubted


def _doubt_neighbours(table: TableRegions, anchors: dict[str, Anchor]) -> dict[str, Anchor]:
    """A row that something cut in two leaves its other half to nobody, or to a doubtful label."""
    claimed = {id(anchor.region) for anchor in anchors.values()}
    regions = sorted((*table.rows, *table.unclaimed), key=lambda region: region.start)
    regions = [region for region in regions if region.printed or id(region) in claimed]
    beside: set[int] = set()
    for before, behind in pairwise(regions):
        if id(before) not in claimed:
            beside.add(id(behind))
        if id(behind) not in claimed:
            beside.add(id(before))
    return {row_id: anchor._replace(is_beside_strays=id(anchor.region) in beside) for row_id, anchor in anchors.items()}


def _doubt_order(anchors: dict[str, Anchor]) -> dict[str, Anchor]:
    """Rows that stand behind a later row of the form, or in front of an earlier one."""
    starts = [anchor.region.start for anchor in anchors.values()]
    highest = accumulate(starts, max)
    lowest = reversed(list(accumulate(reversed(starts), min)))
    return {
        row_id: anchor._replace(is_out_of_order=not high == start == low)
        for (row_id, anchor), start, high, low in zip(anchors.items(), starts, highest, lowest, strict=True)
    }
