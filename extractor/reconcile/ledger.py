"""The ledger: how every section, and every row of every table, ended.

Lives here: reading it off the merged fields. Nothing is left out of it: what is neither read nor
blank nor absent has failed, and a document with a failed entry is not complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from extractor.forms import TABLE_SECTIONS, load_forms
from extractor.model import CellState, Outcome
from extractor.reconcile.merge import Merged

# A value that equations gave was not read.
_FAILED = frozenset(
    {CellState.POSITION_UNKNOWN, CellState.UNPARSABLE, CellState.NOT_READ, CellState.INFERRED_BY_EQUATION}
)
_FACTS = ("header", "narrative")


def keep_ledger(
    merged: Mapping[str, Merged], generation: Mapping[str, str], unread: Iterable[str]
) -> dict[str, Outcome]:
    """Account for every section and row.

    Args:
        merged: all fields of the document.
        generation: form generation per table section; `absent` where there is no table.
        unread: sections, rows or printed things that exist and that no reader could read.

    Returns:
        Outcome by section (`header`, the three tables, `narrative`) and by section.row; for what
        is unread and is neither, an entry of its own name.
    """
    ledger: dict[str, Outcome] = {}
    for section in TABLE_SECTIONS:
        form = load_forms().section(section, generation.get(section, "absent"))
        rows: dict[str, Outcome] = {}
        for row in form.rows if form else ():
            states = {
                merged[field_id].printed.state if field_id in merged else CellState.NOT_READ
                for field_id in (f"{section}.{row.id}.{column.id}" for column in row.columns)
            }
            rows[f"{section}.{row.id}"] = _end_row(states)
        ledger[section] = _end_section(rows.values())
        ledger |= rows
    for part in (*_FACTS, *(["indicators"] if any(name.startswith("indicators.") for name in merged) else [])):
        states = {entry.printed.state for field_id, entry in merged.items() if field_id.startswith(f"{part}.")}
        ledger[part] = _end_row(states) if states else "absent"
    for name in unread:
        ledger[_row_of(name, ledger)] = "failed"
        if (section := name.partition(".")[0]) in ledger:
            ledger[section] = "failed"
    return ledger


def _row_of(name: str, ledger: Mapping[str, Outcome]) -> str:
    """A field's row; any other name as it is."""
    row = name.rpartition(".")[0]
    return row if row in ledger else name


def _end_row(states: set[CellState]) -> Outcome:
    if states & _FAILED:
        return "failed"
    if states <= {CellState.ROW_ABSENT}:
        return "absent"
    return "blank" if states <= {CellState.BLANK, CellState.ROW_ABSENT} else "read"


def _end_section(rows: Iterable[Outcome]) -> Outcome:
    found = set(rows)
    for outcome in ("failed", "read", "blank"):
        if outcome in found:
            return outcome
    return "absent"
