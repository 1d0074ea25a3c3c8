"""Which strokes of a page belong together: the rules of one table meet.

Lives here: strokes of both directions put into groups. Does not live here: finding them (strokes), what a group is
(rules). Called by rules.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from extractor.sources.pages.scan.grid import Floats
from extractor.sources.pages.scan.strokes import Stroke


def group_strokes(
    rows: Sequence[Stroke], columns: Sequence[Stroke], reach: float
) -> list[tuple[list[Stroke], list[Stroke]]]:
    """Horizontal and vertical strokes that meet, directly or through others; each of them meets at least two.

    Args:
        rows: horizontal strokes.
        columns: vertical ones.
        reach: px by which a stroke may end too early.
    """
    if not rows or not columns:
        return []
    meets = _find_meetings(rows, columns, reach)
    while True:  # a rule meets at least two others; what is left alone goes
        held_rows, held_columns = meets.sum(axis=1) >= 2, meets.sum(axis=0) >= 2
        pruned = meets & held_rows[:, None] & held_columns[None, :]
        if (pruned == meets).all():
            break
        meets = pruned
    table_of_row = np.full(len(rows), -1)
    groups = []
    for seed in range(len(rows)):
        if table_of_row[seed] >= 0 or not meets[seed].any():
            continue
        in_rows = np.zeros(len(rows), dtype=bool)
        in_rows[seed] = True
        while True:
            in_columns = meets[in_rows].any(axis=0)
            grown = in_rows | meets[:, in_columns].any(axis=1)
            if (grown == in_rows).all():
                break
            in_rows = grown
        table_of_row[in_rows] = seed
        if in_rows.sum() >= 2 and in_columns.sum() >= 2:
            groups.append(
                (
                    [rows[n] for n in np.flatnonzero(in_rows).tolist()],
                    [columns[n] for n in np.flatnonzero(in_columns).tolist()],
                )
            )
    return groups


def _find_meetings(rows: Sequence[Stroke], columns: Sequence[Stroke], reach: float) -> npt.NDArray[np.bool_]:
    def stack(strokes: Sequence[Stroke]) -> tuple[Floats, Floats, Floats, Floats]:
        start, end, across, slope, *_ = (np.array(each) for each in zip(*strokes, strict=True))
        return start, end, across, slope

    left, right, y, y_slope = (each[:, None] for each in stack(rows))
    top, bottom, x, x_slope = (each[None, :] for each in stack(columns))
    y_there = y + y_slope * (x - (left + right) / 2)
    x_there = x + x_slope * (y - (top + bottom) / 2)
    is_beside = (x_there >= left - reach) & (x_there <= right + reach)
    meetings: npt.NDArray[np.bool_] = is_beside & (y_there >= top - reach) & (y_there <= bottom + reach)
    return meetings
