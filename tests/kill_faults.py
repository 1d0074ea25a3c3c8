"""What kills changed in a run that must be as if nobody had disturbed it. Only for tests and benchmarks."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from extractor.store.database import Database
from extractor.store.engines import STORE
from extractor.store.store import Store
from extractor.store.store_tables import DOCUMENTS, EXTRACTIONS, LIVE_RECORDS, SOURCES
from tests.bulk_runs import LASTING
from tests.kills import Endured, Reference, Site

#: What of run.json is the same however often a run was started.
_COUNTS = (
    *("files", "documents", "duplicate_files", "documents_by_status", "quarantined", "incomplete", "left", "errors"),
    *("fields", "table_values", "flags", "confidence", "audit", "outputs", "fields_not_in_table"),
)


def list_faults(site: Site, reference: Reference, endured: Endured, out: Path, store: str | None) -> Iterator[str]:
    """What the kills changed, in sentences."""
    yield from _list_faults_of_calls(site, reference, endured)
    for name in LASTING:
        if (reference.out / name).read_bytes() != (out / name).read_bytes():
            yield f"{name} differs"
    if _read_workbook(reference.out / "table.xlsx") != _read_workbook(out / "table.xlsx"):
        yield "table.xlsx differs"
    if _read_counts(reference.out) != _read_counts(out):
        yield f"run.json counts {_read_counts(out)} and not {_read_counts(reference.out)}"
    ids = [json.loads(line)["document"]["id"] for line in (out / "records.jsonl").open(encoding="utf-8")]
    if len(ids) != len(set(ids)) or len(ids) != len(list(site.documents.iterdir())):
        yield f"{len(ids)} records of {len(set(ids))} documents"
    if store:
        yield from _list_faults_of_store(store, out, len(ids))


def _list_faults_of_calls(site: Site, reference: Reference, endured: Endured) -> Iterator[str]:
    if endured.paid_twice:
        yield f"{len(endured.paid_twice)} calls asked though their reply was kept, {endured.paid_twice[0]} the first"
    if endured.unique != set(reference.calls):
        yield f"{len(endured.unique)} different calls, {len(set(reference.calls))} undisturbed"
    if endured.repeated > endured.lost:
        yield f"{endured.repeated} calls repeated, only {endured.lost} were under way at a kill"
    if endured.most_lost > site.concurrency:
        yield f"{endured.most_lost} calls lost at one kill, of {site.concurrency} that are under way at most"


def _list_faults_of_store(address: str, out: Path, documents: int) -> Iterator[str]:
    lines = (out / "records.jsonl").read_text(encoding="utf-8").splitlines()
    with Store.open(address) as store, store.read() as books:
        (run,) = books.runs.list(limit=1)[0]
        kept = [record.record.model_dump_json() for record in books.runs.records(run.id, as_extracted=True)]
    if run.state != "finished":
        yield f"the last run is {run.state}"
    if sorted(kept) != sorted(lines):
        yield f"the last run in the store has {len(kept)} records, others than the outputs"
    database = Database(address, STORE, 60)
    with database.read() as connection:
        for table in (DOCUMENTS, SOURCES, EXTRACTIONS, LIVE_RECORDS):
            rows = connection.execute(select(func.count()).select_from(table)).scalar_one()
            if rows != documents:
                yield f"the store has {rows} {table.name} of {documents} documents"
    database.close()


def _read_workbook(path: Path) -> dict[str, bytes]:
    """All but the time at which it was made."""
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist() if name != "docProps/core.xml"}


def _read_counts(out: Path) -> dict[str, Any]:
    account = json.loads((out / "run.json").read_text(encoding="utf-8"))
    return {name: account[name] for name in _COUNTS}
