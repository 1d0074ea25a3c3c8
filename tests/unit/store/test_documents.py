"""Documents, what was extracted from them, the record as it stands, and lists of them. On both databases."""

from __future__ import annotations

import os
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from extractor.errors import BadCursor, NotInStore
from extractor.model import (
    CellState,
    DocumentIdentity,
    EquationResult,
    Origin,
    Page,
    Record,
    Ruling,
    Span,
    Status,
    Suggestion,
    Word,
)
from extractor.pipeline import process_document
from extractor.settings import Settings
from extractor.sources import load_document
from extractor.store.packing import pack_record, unpack_record
from extractor.store.store import Books, Store
from extractor.store.store_tables import FLAGGED_FIELDS, SOURCES
from tests.unit.store.filler import NOON, add_document, add_items, make_field, make_id, make_record, minutes

FIXTURES = sorted((Path(__file__).parents[3] / "fixtures").glob("00[1-9]*.txt"))


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name[:3])
def test_a_record_comes_back_as_it_was(path: Path) -> None:
    record = process_document(load_document(str(path), Settings()))
    again = unpack_record(pack_record(record))
    assert again == record
    assert again.model_dump_json() == record.model_dump_json()


def test_a_record_keeps_its_decimals_texts_of_digits_and_rulings() -> None:
    word = Word(CellState.VALUE, Decimal("2.0"), "2.0", "wan")
    ruling = Ruling("corrected", ("li", "wang"), NOON.isoformat(), 7, word)
    field = make_field(Decimal("0.00"), suggestions=(Suggestion(Decimal("1.50"), "m", "b"),), ruling=ruling)
    record = make_record(1).model_copy(
        update={
            "fields": {
                "a": field,
                "b": make_field("007"),
                "c": make_field(7, spans=(Span(1, 2),)),
                "d": make_field(None),
            },
            "equations": (EquationResult("e", "fail", Decimal("-3.0"), ("a", "c")),),
        }
    )
    again = unpack_record(pack_record(record))
    assert again == record
    assert again.model_dump_json() == record.model_dump_json()
    assert [type(again.fields[name].value) for name in "abc"] == [Decimal, str, int]


@pytest.mark.parametrize(
    ("raw", "is_packed"), [(b"", False), ("公开".encode() * 9000, True), (os.urandom(70_000) + b"0" * 70_000, False)]
)
def test_bytes_are_kept_once_as_they_are(raw: bytes, is_packed: bool, store: Store) -> None:
    with store.write() as books:
        assert books.documents.add_source(make_id(1), "甲.html", "text/html", raw)
        assert not books.documents.add_source(make_id(1), "other", "text/plain", b"other")
        source = books.documents.source(make_id(1))
        assert source is not None
        assert (source.name, source.media_type, source.raw) == ("甲.html", "text/html", raw)
        assert books.documents._connection.execute(select(SOURCES.c.is_packed)).scalar_one() == is_packed
        assert books.documents.source(make_id(2)) is None


def test_a_document_is_of_the_kind_as_which_it_was_read(store: Store) -> None:
    record = make_record(1)
    read = record.model_copy(update={"document": replace(record.document, media_type="text/html")})
    with store.write() as books:
        books.documents.add_source(make_id(1), "x", "text/plain", b"x")  # by its first bytes
        number, _ = books.documents.add_extraction(make_id(1), read, "x", (), minutes(1))
        books.documents.save_live(make_id(1), number, read)
        assert books.documents.card(make_id(1)).media_type == "text/html"
        books.documents.add_source(make_id(1), "x", "text/plain", b"x")  # handed in once more
        assert books.documents.card(make_id(1)).media_type == "text/html"


def test_an_extraction_is_kept_once_wherever_it_was_found(store: Store) -> None:
    with store.write() as books:
        first = add_document(books, 1)
        elsewhere = make_record(1).model_copy(
            update={"origins": (Origin("b"),), "document": replace(make_record(1).document, path="b")}
        )
        add = books.documents.add_extraction
        assert add(make_id(1), elsewhere, "原文 1", (), minutes(1)) == (first, False)
        other, is_new = add(make_id(1), make_record(1, ledger={"table_1": "read"}), "原文 1", (), minutes(2))
        assert (is_new, books.documents.newest_extraction(make_id(1)).id) == (True, other)
        assert add(make_id(1), make_record(1), "另一文本", (), minutes(3))[1]
        # An older one that is made again is the newest again.
        assert add(make_id(1), make_record(1), "原文 1", (), minutes(4)) == (first, False)
        newest = books.documents.newest_extraction(make_id(1))
        assert (newest.id, newest.made_at, newest.record) == (first, NOON, make_record(1))


def test_a_file_that_could_not_be_opened_has_a_record_too(store: Store) -> None:
    def fail(path: str) -> Record:
        return Record(document=DocumentIdentity(None, path), status=Status.FAILED, origins=(Origin(path),))

    with store.write() as books:
        number, is_new = books.documents.add_extraction(None, fail("a"), "", (), NOON)
        assert is_new
        assert books.documents.add_extraction(None, fail("a"), "", (), NOON) == (number, False)
        assert books.documents.add_extraction(None, fail("b"), "", (), NOON)[1]
        found = books.documents.extraction(number)
        assert (found.document_id, found.record) == (None, fail("a"))


def test_pages_and_text_come_back(store: Store) -> None:
    pages = (Page(1, 595.3, 842.0, "pt", turn=90), Page(2, 10.0, 20.0, "px", read_by="ocr", name="图.png"))
    with store.write() as books:
        books.documents.add_source(make_id(1), "x", "application/pdf", b"x")
        number, _ = books.documents.add_extraction(make_id(1), make_record(1), "甲\r\n\0乙\U0001f600", pages, NOON)
        found = books.documents.extraction(number)
    assert (found.pages, found.text, found.made_at) == (pages, "甲\r\n\0乙\U0001f600", NOON)


def test_the_live_record_stands_beside_what_was_extracted(store: Store) -> None:
    with store.write() as books:
        number = add_document(books, 1)
        live = make_record(1).model_copy(
            update={"flags": (), "fields": make_record(1).fields | {"table_1.a": make_field(8)}}
        )
        books.documents.save_live(make_id(1), number, live)
    with store.read() as books:
        assert books.documents.live(make_id(1)).record == live
        assert books.documents.newest_extraction(make_id(1)).record == make_record(1)
        card = books.documents.card(make_id(1))
        assert (card.accepted, card.in_review, card.live_status) == (4, 0, "succeeded")
        assert list_flagged(books) == []


def test_what_is_not_there_is_said(store: Store) -> None:
    with store.write() as books:
        books.documents.add_source(make_id(1), "handed in.txt", "text/plain", b"x")
        for act in (books.documents.live, books.documents.newest_extraction):
            with pytest.raises(NotInStore, match="not read yet"):
                act(make_id(1))
        assert books.documents.card(make_id(1)).live_status == ""
        for lookup in (books.documents.lock, books.documents.card, books.documents.live):
            with pytest.raises(NotInStore, match=make_id(2)):
                lookup(make_id(2))
        with pytest.raises(NotInStore, match="extraction 9"):
            books.documents.extraction(9)


# ---------------------------------------------------------------- where it was found


def test_origins_are_kept_once_in_order(store: Store) -> None:
    first, second = Origin("a.txt", "http://x/1", "x.cn", "2024-01-01"), Origin("b.txt")
    with store.write() as books:
        books.documents.add_source(make_id(1), "a.txt", "text/plain", b"x")
        books.documents.add_origins(make_id(1), [second, first, second])
        books.documents.add_origins(make_id(1), [first])
        assert books.documents.origins(make_id(1)) == (second, first)
        card = books.documents.card(make_id(1))
        assert (card.url, card.site) == ("http://x/1", "x.cn")


@pytest.mark.parametrize(
    ("older", "newer", "is_found"),
    [
        (Origin("a", "http://x"), Origin("b", "http://x"), True),
        (Origin("a", "http://x"), Origin("a", "http://y"), False),
        (Origin("a"), Origin("a"), True),
        (Origin("a"), Origin("b"), False),
        # The one with an address is known to be from there; the other may be from anywhere.
        (Origin("a", "http://x"), Origin("a"), False),
    ],
)
@pytest.mark.parametrize("is_written", [False, True])
def test_the_predecessor_stood_at_the_same_place(
    older: Origin, newer: Origin, is_found: bool, is_written: bool, store: Store
) -> None:
    with store.write() as books:
        add_document(books, 1, [older])
        add_document(books, 2, [newer if is_written else Origin("elsewhere")])
        assert books.documents.predecessor(make_id(2), [Origin("nowhere"), newer]) == (make_id(1) if is_found else None)
        assert books.documents.predecessor(make_id(2), []) is None


def test_the_newest_of_the_earlier_ones_is_the_predecessor(store: Store) -> None:
    place = Origin("a", "http://x")
    with store.write() as books:
        for number in (3, 1, 2):
            add_document(books, number, [place])
        assert books.documents.predecessor(make_id(2), [place]) == make_id(1)
        assert books.documents.predecessor(make_id(1), [place]) == make_id(3)
        assert books.documents.predecessor(make_id(3), [place]) is None


# ---------------------------------------------------------------- lists


def test_cards_are_filtered_and_leafed_through(store: Store) -> None:
    with store.write() as books:
        for number in range(7):
            add_document(books, number, [Origin("x", None, f"s{number % 2}.cn")])
        add_items(books, 3, 1.0, 2.0)
        books.queue.change(1, state="settled")
        add_document(books, 7, status=Status.PARTIAL, fields={})
    with store.read() as books:
        found, after = [], None
        while True:
            cards, after = books.documents.cards(after=after, limit=3)
            found += [int(card.id, 16) for card in cards]
            if after is None:
                break
        assert found == [7, 6, 5, 4, 3, 2, 1, 0]

        def ask(**wanted: object) -> list[int]:
            return [int(card.id, 16) for card in books.documents.cards(**wanted)[0]]  # type: ignore[arg-type]

        assert ask(site="s1.cn") == [5, 3, 1]
        assert ask(year=2023, site="s1.cn") == [5, 3, 1]
        assert (ask(year=2022), ask(status="partial"), ask(text="甲5局"), ask(text="_")) == ([], [7], [5], [])
        card = books.documents.card(make_id(3))
        assert (card.title, card.agency_name, card.report_year) == (
            "甲3局2023年政府信息公开工作年度报告",
            "甲3局",
            2023,
        )
        assert (card.accepted, card.in_review, card.open_items) == (3, 1, 1)
        with pytest.raises(BadCursor):
            books.documents.cards(after="WzFd")


def test_flags_are_rows(store: Store) -> None:
    with store.write() as books:
        add_document(books, 1, [Origin("x", None, "a.cn")])
        add_document(books, 2)
        rows = [("glued-digits", "warning", True), ("sections-out-of-order", "info", False)]
        assert list_flagged(books) == [(make_id(number), *row) for number in (1, 2) for row in rows]


def list_flagged(books: Books) -> list[tuple[str, str, str, bool]]:
    """Document, code, severity, and whether a field is named."""
    table = FLAGGED_FIELDS
    query = select(table.c.document_id, table.c.code, table.c.severity, table.c.field_id)
    rows = books.documents._connection.execute(query.order_by(table.c.document_id, table.c.code, table.c.field_id))
    return [(document, code, severity, bool(field_id)) for document, code, severity, field_id in rows]
