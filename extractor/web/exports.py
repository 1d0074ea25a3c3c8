"""A run's output files, made from the store when somebody asks.

Lives here: a folder for the time of one download. Does not live here: what is in the files (extractor.export). Called
by the API; the page of runs links there.
"""

from __future__ import annotations

import shutil
import tempfile
from enum import StrEnum
from pathlib import Path

from extractor.export.stored import export_stored
from extractor.store.store import Store


class ExportFile(StrEnum):
    """The files that can be fetched; docs/outputs.md says what is in them."""

    TABLE_XLSX = "table.xlsx"
    TABLE_PARQUET = "table.parquet"
    VALUES = "values.csv"
    QUEUE = "queue.csv"
    FLAGS = "flags.csv"
    RECORDS = "records.jsonl"
    RUN = "run.json"


def write_export(store: Store, run_id: str, file: ExportFile, *, as_extracted: bool) -> Path:
    """Write one file of a run into a folder of its own; whoever sends it calls remove_export afterwards.

    Raises:
        NotInStore: there is no such run.
        StoreError, OutputError: the store cannot be read, the disk is full.
    """
    folder = Path(tempfile.mkdtemp(prefix="extractor-export-"))
    try:
        export_stored(store, folder, run_id=run_id, as_extracted=as_extracted)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder / file


def remove_export(path: Path) -> None:
    """Take away what write_export made."""
    shutil.rmtree(path.parent, ignore_errors=True)
