"""The outputs put together from the ledger, in the order of the plan.

Lives here: what is counted over all documents of a run, and which are worth showing. Does not live here: the files
(extractor.export), the rows (extractor.store.ledger), what run.json says beside (run). Called by run.

Whatever finished first, and in whichever start: the same documents give the same files, byte for byte.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from extractor.bulk.keeping import Keeper
from extractor.bulk.plan import Entry, Plan
from extractor.bulk.recipe import Recipe
from extractor.export import OutputWriter
from extractor.export.counts import Counts
from extractor.export.pieces import unpack_pieces
from extractor.model import Record
from extractor.store.database import chunked
from extractor.store.ledger import LedgerRow
from extractor.store.packing import place_at
from extractor.store.shapes import RunDocument

if TYPE_CHECKING:
    from extractor.store.store import Books

_NOTABLE = 30
_PAGE = 100
#: Failures that run.json lists; all of them are in records.jsonl and flags.csv.
MOST_ERRORS = 1000


@dataclass(slots=True)
class Tally:
    """What a run made in all, kept from earlier starts or new. `left`: documents of the plan that are not done."""

    counts: Counts = field(default_factory=Counts)
    states: dict[str, int] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)
    eligible: int = 0
    audited: list[str] = field(default_factory=list)
    left: int = 0
    _heap: list[tuple[bool, int, int, Entry, str]] = field(default_factory=list)

    def count(self, entry: Entry, row: LedgerRow) -> None:
        """Count one document."""
        account = json.loads(row.account)
        self.counts.add(account["counts"])
        self.states[row.state] = self.states.get(row.state, 0) + 1
        self.eligible += account["eligible"]
        if account["audited"]:
            self.audited.append(row.document_id or "")
        if account["error"] and len(self.errors) < MOST_ERRORS:
            self.errors.append(account["error"])
        item = (row.state in ("failed", "quarantined"), row.review, -entry.position, entry, row.key)
        if len(self._heap) < _NOTABLE:
            heapq.heappush(self._heap, item)
        else:
            heapq.heappushpop(self._heap, item)

    def list_notable(self) -> list[tuple[Entry, str]]:
        """The documents worth showing, in the order of the run: failed ones, and those with most to review."""
        return [(entry, key) for *_, entry, key in sorted(self._heap, key=lambda item: -item[2])]

    def describe_audit(self, share: float) -> dict[str, Any]:
        """For run.json, the one place that names the sample."""
        sample = {"documents": len(self.audited), "ids": list(self.audited)}
        return {"share": share, "eligible": self.eligible, **sample}


def put_together(
    plan: Plan, recipe: Recipe, keeper: Keeper, writer: OutputWriter | None, on_document: Callable[[int], None]
) -> Tally:
    """Write every document of the plan that is done, in its order.

    Args:
        writer: open; None where no files are wanted, and only counting is left.
        on_document: called with the number of documents written.

    Raises:
        OutputError: the disk refused; the ledger has everything.
        StoreError: the store cannot be read.
    """
    tally = Tally()
    for entry, row in _list_rows(plan, recipe, keeper):
        if row is None:
            tally.left += 1
            continue
        tally.count(entry, row)
        if writer and row.pieces:
            writer.put(unpack_pieces(row.pieces))
        on_document(tally.counts.documents)
    return tally


def _list_rows(plan: Plan, recipe: Recipe, keeper: Keeper) -> Iterator[tuple[Entry, LedgerRow | None]]:
    for entries in chunked(plan.entries(), _PAGE):
        keys = [recipe.key(entry) for entry in entries]
        with keeper.read() as books:
            found = books.ledger.read(keys)
        for entry, key in zip(entries, keys, strict=True):
            yield entry, found.get(key)


def read_notable(tally: Tally, recipe: Recipe, keeper: Keeper) -> tuple[Record, ...]:
    """The records worth showing, in the order of the run."""
    wanted = tally.list_notable()
    with keeper.read() as books:
        rows = books.ledger.read(key for _, key in wanted)
        return tuple(_read_record(recipe, cast("Books", books), entry, rows[key]) for entry, key in wanted)


def _read_record(recipe: Recipe, books: Books, entry: Entry, row: LedgerRow) -> Record:
    if row.pieces:
        return Record.model_validate_json(unpack_pieces(row.pieces).records)
    found = RunDocument(recipe.run_id, entry.position, entry.path, entry.origins, "done")
    return place_at(books.documents.extraction(row.extraction_id or 0).record, found)
