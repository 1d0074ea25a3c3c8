"""The output files from a store: of one run or of every document, with persons' words in them or as extracted.

Lives here: which records, and what run.json says of them. Does not live here: the files (writer), SQL
(extractor.store), what a person's word changes (extractor.pipeline.apply_rulings, long before). Called by the export
command and by the service; also while a run goes on or people decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from extractor.export.counts import Counts
from extractor.export.queue import list_waiting
from extractor.export.writer import OutputWriter
from extractor.model import Record
from extractor.pipeline import VERSIONS

if TYPE_CHECKING:
    from extractor.store.shapes import Run
    from extractor.store.store import Books, Store

_PAGE = 500


class Exported(NamedTuple):
    """What was written. `account` is what run.json says."""

    account: dict[str, Any]
    outputs: tuple[Path, ...]
    xlsx_rows_left_out: int


def export_stored(
    store: Store,
    out_dir: Path,
    *,
    run_id: str | None = None,
    as_extracted: bool = False,
    on_document: Callable[[int], None] = lambda done: None,
) -> Exported:
    """Write the output files of what a store holds.

    Args:
        store: is only read.
        out_dir: made when missing; outputs that are there are replaced at the very end.
        run_id: only this run's documents, in its order; None: every document that was read, the newest first.
        as_extracted: without any person's word, as the run itself would have written them.
        on_document: called with the number of documents that are done.

    Raises:
        NotInStore: there is no such run.
        StoreError: the store cannot be read.
        OutputError: the outputs cannot be written; earlier ones stay as they were.
    """
    counts = Counts()
    with OutputWriter(out_dir) as writer:
        with store.read() as books:
            run = None if run_id is None else books.runs.get(run_id)
            for record in _list_records(books, run_id, as_extracted):
                waiting, is_audited = _ask_queue(books, record)
                if as_extracted:
                    waiting = list_waiting(record, is_audited=is_audited)
                writer.write(record, waiting=waiting)
                counts.count(record)
                on_document(counts.documents)
        writer.seal()
        account = _give_account(store.name, run, counts, as_extracted=as_extracted)
        return Exported(account, writer.publish(account), writer.xlsx_rows_left_out)


def _list_records(books: Books, run_id: str | None, as_extracted: bool) -> Iterator[Record]:
    if run_id is not None:
        yield from (made.record for made in books.runs.records(run_id, as_extracted=as_extracted))
        return
    after: str | None = None
    while True:
        cards, after = books.documents.cards(after=after, limit=_PAGE)
        for card in cards:
            if not card.live_status:
                continue  # submitted, and not read yet
            found = books.documents.newest_extraction(card.id) if as_extracted else books.documents.live(card.id)
            yield found.record
        if after is None:
            return


def _ask_queue(books: Books, record: Record) -> tuple[frozenset[str], bool]:
    """The fields that open items ask about, and whether the document's accepted values are looked at, too."""
    if record.document.id is None:
        return frozenset(), False
    items = books.queue.of_document(record.document.id, states=("open", "settled", "gone"))
    waiting = frozenset(field_id for item in items if item.state == "open" for field_id in item.fields)
    return waiting, any(item.kind == "audit" for item in items)


def _give_account(store: str, run: Run | None, counts: Counts, *, as_extracted: bool) -> dict[str, Any]:
    """What run.json says of an export: what the run itself said, with the counts of today."""
    ran = dict(run.account) if run else {}
    return {
        "versions": VERSIONS,
        **ran,
        **counts.describe(),
        "rulings": dict(sorted(counts.rulings.items())),
        "export": {
            "store": store,
            "run_id": run.id if run else None,
            "run_state": run.state if run else None,
            "run_documents": dict(run.counts) if run else None,
            "words": "extracted" if as_extracted else "corrected",
            "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    }
