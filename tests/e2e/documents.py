"""Reports that tests file for themselves, so that no test minds what another one decides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import flatten
from yearly import report_values

from extractor.model import Origin
from extractor.pipeline import process_document
from extractor.review.intake import file_record
from extractor.settings import Settings
from extractor.sources import load_document
from extractor.store.shapes import Item, RunDocument
from extractor.store.store import Store

FIXTURES = Path(__file__).parents[2] / "fixtures"
NEW = "applications.new_received"


class Filed(NamedTuple):
    """A document in the store, the run that it is all of, and what is asked about it."""

    id: str
    run_id: str
    items: tuple[Item, ...]

    def item(self, kind: str) -> Item:
        """The only item of a kind, or the first of several."""
        return next(item for item in self.items if item.kind == kind)


def spoil(values: Mapping[str, str]) -> dict[str, str]:
    """A table that prints 9 where 8 applicants and 1 firm do not add up: 总计 of the first row is 11."""
    return {**values, f"{NEW}.total": "11"}


def write_page(agency: str, values: Mapping[str, str] | None = None) -> bytes:
    """A web page with a report whose first row does not add up."""
    printed = spoil(report_values()) if values is None else values
    page = flatten.html_page(flatten.build_tables("2021", printed)).decode("gb18030")
    return page.replace("某某市民政局", agency).encode("gb18030")


def copy_fixture(number: str, agency: str) -> bytes:
    """A sample report of another agency."""
    (path,) = FIXTURES.glob(f"{number}*.txt")
    text = path.read_text(encoding="utf-8")
    return f"{text}\n<!-- {agency} -->\n".encode()


def file_document(
    store: Store, folder: Path, name: str, raw: bytes, *, url: str | None = None, settings: Settings | None = None
) -> Filed:
    """Read a document and file it, as a run does."""
    path = folder / name
    path.write_bytes(raw)
    settings = settings or Settings()
    document = load_document(path, settings)
    site = url.split("/")[2] if url and url.count("/") > 2 else None
    record = process_document(document, [Origin(path=name, url=url, site=site)])
    with store.write() as books:
        document_id, extraction_id = file_record(
            books,
            record=record,
            text=document.text,
            pages=document.paper.pages if document.paper else (),
            raw=raw,
            name=name,
            media_type=document.media_type,
            made_at=datetime.now(UTC),
            settings=settings,
        )
        assert document_id is not None
        run = books.runs.create("bulk", None, {})
        done = RunDocument(run.id, 0, name, record.origins, "done", document_id, extraction_id)
        books.runs.add_document(done)
        books.runs.finish(run.id, "finished", {})
        return Filed(document_id, run.id, tuple(books.queue.of_document(document_id)))
