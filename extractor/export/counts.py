"""What is counted over many records, for run.json.

Lives here: counting. Does not live here: what else run.json says (extractor.bulk.run, stored). Called by both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from extractor.forms import load_forms
from extractor.model import CellState, Record, Status

_COUNTERS = ("statuses", "decisions", "rulings", "cells", "flags")


@dataclass(slots=True)
class Counts:
    """Counts over the records of a run. `rulings`: fields by what a person said of them."""

    documents: int = 0
    found_files: int = 0
    statuses: Counter[Status] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    rulings: Counter[str] = field(default_factory=Counter)
    cells: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)

    def count(self, record: Record) -> None:
        """Count one finished document."""
        self.documents += 1
        self.found_files += len({origin.path for origin in record.origins}) or 1
        self.statuses[record.status] += 1
        self.flags.update(flag.code for flag in record.flags)
        self._count_fields(record)

    def pack(self) -> dict[str, Any]:
        """As plain data, to be added up later."""
        counters = {name: dict(getattr(self, name)) for name in _COUNTERS}
        return {"documents": self.documents, "found_files": self.found_files, **counters}

    def add(self, packed: Mapping[str, Any]) -> None:
        """Add what pack gave."""
        self.documents += packed["documents"]
        self.found_files += packed["found_files"]
        for name in _COUNTERS:
            getattr(self, name).update(packed[name])

    def _count_fields(self, record: Record) -> None:
        cells, value_state = load_forms().fields, CellState.VALUE
        printed = accepted = nonzero = accepted_nonzero = reviewed = confirmed = read_by_model = 0
        for field_id, item in record.fields.items():
            is_accepted = item.decision == "accepted"
            reviewed += not is_accepted
            confirmed += bool(item.confirmed_by)
            read_by_model += item.reader in ("llm", "vision")
            if item.ruling:
                self.rulings[item.ruling.action] += 1
            if item.state is value_state and field_id in cells:
                printed += 1
                accepted += is_accepted
                if item.value:
                    nonzero += 1
                    accepted_nonzero += is_accepted
        self.decisions.update(accepted=len(record.fields) - reviewed, review=reviewed)
        self.decisions.update(confirmed=confirmed, read_by_model=read_by_model)
        self.cells.update(printed=printed, accepted=accepted, nonzero=nonzero, accepted_nonzero=accepted_nonzero)

    def describe(self) -> dict[str, Any]:
        """The counts for run.json. `table_values` are the printed cells of the tables (state `value`)."""
        cells = self.cells
        return {
            "documents": self.documents,
            "duplicate_files": self.found_files - self.documents,
            "documents_by_status": {status.value: self.statuses[status] for status in Status},
            "fields": {name: self.decisions[name] for name in ("accepted", "review", "confirmed", "read_by_model")},
            "table_values": {
                "printed": cells["printed"],
                "accepted": cells["accepted"],
                "accepted_share": _share(cells["accepted"], cells["printed"]),
                "printed_nonzero": cells["nonzero"],
                "accepted_nonzero": cells["accepted_nonzero"],
                "accepted_nonzero_share": _share(cells["accepted_nonzero"], cells["nonzero"]),
            },
            "flags": dict(self.flags.most_common()),
        }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None
