"""What a run counts, and the few records worth showing at its end.

Lives here: the errors, and which records are worth showing. Does not live here: counting (extractor.export.counts), the
run itself (run), what is told about it (cli). Called by run.
"""

from __future__ import annotations

import heapq
from dataclasses import asdict, dataclass, field
from typing import Any

from extractor.bulk.failures import RunError
from extractor.export.counts import Counts
from extractor.model import Record, Status

_NOTABLE = 30


@dataclass(slots=True)
class Tally:
    """The counts of a run, and the few records worth showing at its end. Grows with errors only."""

    files: int
    counts: Counts = field(default_factory=Counts)
    errors: list[RunError] = field(default_factory=list)
    _heap: list[tuple[bool, int, int, Record]] = field(default_factory=list)

    @property
    def documents(self) -> int:
        """How many are finished."""
        return self.counts.documents

    @property
    def failed(self) -> int:
        """How many of them could not be read."""
        return self.counts.statuses[Status.FAILED]

    def count(self, record: Record) -> None:
        """Count one finished document."""
        self.counts.count(record)
        review = sum(item.decision == "review" for item in record.fields.values())
        # Unique order number third: records themselves cannot be compared.
        item = (record.status is Status.FAILED, review, -self.documents, record)
        if len(self._heap) < _NOTABLE:
            heapq.heappush(self._heap, item)
        else:
            heapq.heappushpop(self._heap, item)

    def notable(self) -> tuple[Record, ...]:
        """The records worth showing, in the order of the run."""
        return tuple(item[3] for item in sorted(self._heap, key=lambda item: -item[2]))

    def describe(self) -> dict[str, Any]:
        """The counts for run.json."""
        return {"files": self.files, **self.counts.describe(), "errors": [asdict(error) for error in self.errors]}
