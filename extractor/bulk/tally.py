"""What a run counts, and the few records worth showing at its end.

Lives here: counting. Does not live here: the run itself (run), what is told about it (cli). Called by run.
"""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from extractor.bulk.failures import RunError
from extractor.forms import load_forms
from extractor.model import CellState, Record, Status

_NOTABLE = 30


@dataclass(slots=True)
class Tally:
    """The counts of a run, and the few records worth showing at its end. Grows with errors only."""

    files: int
    documents: int = 0
    found_files: int = 0
    statuses: Counter[Status] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    cells: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    errors: list[RunError] = field(default_factory=list)
    _heap: list[tuple[bool, int, int, Record]] = field(default_factory=list)

    def count(self, record: Record) -> None:
        """Count one finished document."""
        self.documents += 1
        self.found_files += len({origin.path for origin in record.origins}) or 1
        self.statuses[record.status] += 1
        self.flags.update(flag.code for flag in record.flags)
        review = self._count_fields(record)
        # Unique order number third: records themselves cannot be compared.
        item = (record.status is Status.FAILED, review, -self.documents, record)
        if len(self._heap) < _NOTABLE:
            heapq.heappush(self._heap, item)
        else:
            heapq.heappushpop(self._heap, item)

    def _count_fields(self, record: Record) -> int:
        cells, value_state = load_forms().fields, CellState.VALUE
        printed = accepted = nonzero = accepted_nonzero = reviewed = confirmed = read_by_model = 0
        for field_id, item in record.fields.items():
            is_accepted = item.decision == "accepted"
            reviewed += not is_accepted
            confirmed += bool(item.confirmed_by)
            read_by_model += item.reader in ("llm", "vision")
            if item.state is value_state and field_id in cells:
                printed += 1
                accepted += is_accepted
                if item.value:
                    nonzero += 1
                    accepted_nonzero += is_accepted
        self.decisions.update(accepted=len(record.fields) - reviewed, review=reviewed)
        self.decisions.update(confirmed=confirmed, read_by_model=read_by_model)
        self.cells.update(printed=printed, accepted=accepted, nonzero=nonzero, accepted_nonzero=accepted_nonzero)
        return reviewed

    def notable(self) -> tuple[Record, ...]:
        """The records worth showing, in the order of the run."""
        return tuple(item[3] for item in sorted(self._heap, key=lambda item: -item[2]))

    def describe(self) -> dict[str, Any]:
        """The counts for run.json. `table_values` are the printed cells of the tables (state `value`)."""
        cells = self.cells
        return {
            "files": self.files,
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
            "errors": [asdict(error) for error in self.errors],
        }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None
