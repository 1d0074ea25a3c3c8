"""A finished record into the store: kept, joined with what persons said before, asked about.

Lives here: filing one document, and which words outlast a new reading or a new version of the file. Does not live
here: the reading (extractor.pipeline), runs (extractor.bulk), SQL (extractor.store). Called by bulk, for runs and for
what was submitted.

A word on a field stays as long as what it was said of: the same bytes keep it, however they are read again. Other bytes
found at the same place, by the same agency about the same year, keep it where the extraction says the same; only where
both differ is the field open again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from extractor.errors import NotInStore
from extractor.model import Page, Record
from extractor.review.answers import DOCUMENT, is_same_word, word_of
from extractor.review.priors import Chances
from extractor.review.rulings import fold_reviews
from extractor.review.sync import list_twice, sync_document
from extractor.settings import Settings
from extractor.store.shapes import Extraction, FieldReview
from extractor.store.store import Books

_ALL = ("open", "settled", "gone")


def file_record(
    books: Books,
    *,
    record: Record,
    text: str,
    pages: Iterable[Page],
    raw: bytes | None,
    name: str,
    media_type: str | None,
    made_at: datetime,
    settings: Settings,
    chances: Chances | None = None,
) -> tuple[str | None, int]:
    """Keep what was made of a file, carry words over, and open what is to be asked.

    Filing the same twice changes nothing.

    Args:
        books: of one transaction, which the caller commits.
        record: as extracted, without rulings.
        text: what its spans are intervals of.
        raw: the bytes; None where the file could not be read at all.
        name: as it was found or sent.
        made_at: when it was extracted, in UTC.
        settings: shares of audit and double looks.
        chances: of errors by code, for the worth of items (sync.read_chances, once for many documents); the priors
            alone when None.

    Returns:
        The document's id, None where there are no bytes; and the number of the extraction.
    """
    document_id = record.document.id
    if document_id is None or raw is None:
        number, _ = books.documents.add_extraction(None, record, text, pages, made_at)
        return None, number
    is_new = books.documents.add_source(document_id, name, media_type or "application/octet-stream", raw)
    books.documents.lock(document_id)
    books.documents.add_origins(document_id, record.origins)
    before = None if is_new else _find_newest(books, document_id)
    number, _ = books.documents.add_extraction(document_id, record, text, pages, made_at)
    if before and before.id == number:
        return document_id, number
    extraction = books.documents.newest_extraction(document_id)
    if before:
        _drop_half_done(books, before, extraction)
    else:
        _carry_over(books, extraction, made_at)
    sync_document(books, extraction, settings, chances or Chances())
    return document_id, number


def _find_newest(books: Books, document_id: str) -> Extraction | None:
    try:
        return books.documents.newest_extraction(document_id)
    except NotInStore:
        return None  # its bytes were submitted and not read yet


def _drop_half_done(books: Books, before: Extraction, after: Extraction) -> None:
    """Of an item between two looks, nobody can say the same any more when it shows something else."""
    for item in books.queue.of_document(after.document_id or ""):
        if item.answered_by and any(not _says_the_same(name, before.record, after.record) for name in item.fields):
            books.queue.change(item.id, state="gone", holder=None, held_until=None)


def _says_the_same(name: str, one: Record, other: Record) -> bool:
    if name not in one.fields or name not in other.fields:
        return False
    first, second = word_of(one.fields[name]), word_of(other.fields[name])
    return is_same_word(first, second) and first.raw == second.raw


def _is_same_report(one: Record, other: Record) -> bool:
    """Whether both name the same agency and year.

    One address shows another year's report later on, and files of two agencies may have one name; most of their cells
    are 0, so that alike cells alone show nothing.
    """
    return all(
        name in one.fields
        and name in other.fields
        and one.fields[name].value is not None
        and one.fields[name].value == other.fields[name].value
        for name in ("header.agency_name", "header.report_year")
    )


def _carry_over(books: Books, extraction: Extraction, at: datetime) -> None:
    """Repeat the words on the file's earlier version, field by field, for each person who said them."""
    document_id = extraction.document_id or ""
    earlier = books.documents.predecessor(document_id, extraction.record.origins)
    before = _find_newest(books, earlier) if earlier else None
    if earlier is None or before is None or not _is_same_report(before.record, extraction.record):
        return
    twice = list_twice(books.queue.of_document(earlier, _ALL))
    carried: dict[tuple[int, str], list[FieldReview]] = {}
    for name, ruling in fold_reviews(books.reviews.of_document(earlier), twice).items():
        if name != DOCUMENT and _says_the_same(name, before.record, extraction.record):
            field = extraction.record.fields[name]
            said = FieldReview(name, ruling.action, word_of(field), ruling.word, field.p_wrong)
            for account in ruling.by:
                carried.setdefault((ruling.review, account), []).append(said)
    for (review, account), fields in sorted(carried.items(), key=lambda one: one[0]):
        books.reviews.add(
            kind="carry",
            document_id=document_id,
            extraction_id=extraction.id,
            item_id=None,
            round=1,
            account=account,
            at=at,
            fields=fields,
            undoes=review,
        )
