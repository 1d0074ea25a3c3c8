"""The queue: what comes first, who has it, what is counted. On both databases."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from extractor.errors import BadCursor, ItemHeld, NotInStore, StaleItem
from extractor.model import Origin
from extractor.store.shapes import QueueFilter
from extractor.store.store import Books, Store
from extractor.store.store_tables import ITEM_CODES, ITEMS
from tests.unit.store.filler import NOON, add_document, add_items, make_draft, make_id, make_record, minutes

EVERYTHING = QueueFilter()


def keys_for(books: Books, account: str, wanted: QueueFilter = EVERYTHING) -> list[str]:
    """What a person would get, one after the other."""
    found: list[str] = []
    skip: list[int] = []
    while (item := books.queue.next_free(account, wanted, NOON, skip)) is not None:
        found.append(item.key)
        skip.append(item.id)
    return found


def test_an_item_comes_out_as_it_went_in(store: Store) -> None:
    codes = ("cut-off", "glued-digits")
    draft = make_draft("k", kind="equation", fields=("b", "a"), codes=codes, expected=3.0, looks=2.0)
    with store.write() as books:
        add_document(books, 1)
        (item,) = books.queue.add(make_id(1), [draft], looks_wanted=2)
        assert books.queue.get(item.id) == item
    assert (item.kind, item.key, item.section, item.fields) == ("equation", "k", "table_1", ("b", "a"))
    assert (item.codes, item.expected, item.looks, item.priority) == (("cut-off", "glued-digits"), 3.0, 2.0, 1.5)
    assert (item.state, item.round, item.looks_wanted, item.version) == ("open", 1, 2, 1)
    assert (item.holder, item.held_until, item.answered_by) == (None, None, ())
    assert (item.agency_name, item.report_year, item.name) == ("甲1局", 2023, "1.txt")


def test_the_most_expected_for_a_look_comes_first_and_then_the_oldest(store: Store) -> None:
    with store.write() as books:
        add_document(books, 1)
        add_items(books, 1, 1.0, 2.5, 1.0, 0.0)
        books.queue.add(make_id(1), [make_draft("many looks", expected=6.0, looks=3.0)])
        assert keys_for(books, "li") == ["k1", "many looks", "k0", "k2", "k3"]


def test_nobody_gets_what_another_holds_until_the_lease_is_over(store: Store) -> None:
    with store.write() as books:
        add_document(books, 1)
        (item,) = add_items(books, 1, 1.0)
        held = books.queue.hold(item.id, "li", minutes(15), NOON)
    assert (held.holder, held.held_until, held.version) == ("li", minutes(15), 2)
    with store.write() as books:
        assert books.queue.next_free("wang", EVERYTHING, minutes(14)) is None
        assert books.queue.next_free("li", EVERYTHING, minutes(14)) == held
        with pytest.raises(ItemHeld, match="held by li"):
            books.queue.hold(item.id, "wang", minutes(30), minutes(14))
        assert books.queue.hold(item.id, "li", minutes(29), minutes(14)).version == 2
        assert books.queue.next_free("wang", EVERYTHING, minutes(29)) is not None
        taken = books.queue.hold(item.id, "wang", minutes(45), minutes(30))
    assert (taken.holder, taken.version) == ("wang", 3)
    with store.write() as books:
        books.queue.release(item.id, "li")  # has it no more
        assert books.queue.get(item.id).holder == "wang"
        books.queue.release(item.id, "wang")
        assert books.queue.get(item.id).holder is None
        books.queue.change(item.id, state="settled")
        with pytest.raises(StaleItem, match="settled meanwhile"):
            books.queue.hold(item.id, "li", minutes(60), minutes(50))


def test_who_answered_does_not_look_again(store: Store) -> None:
    with store.write() as books:
        add_document(books, 1)
        (item,) = add_items(books, 1, 1.0)
        changed = books.queue.change(item.id, round=2, answered_by=("li_", "50%"), holder=None)
        assert (changed.version, changed.answered_by) == (2, ("li_", "50%"))
        # Neither a part of a name nor what SQL takes for a pattern is the name.
        assert [keys_for(books, name) for name in ("li_", "50%")] == [[], []]
        assert [keys_for(books, name) for name in ("li", "liu", "500", "%")] == [["k0"]] * 4


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        (QueueFilter(kind="facts"), ["c"]),
        (QueueFilter(section="table_2"), ["b"]),
        (QueueFilter(code="cut-off"), ["b", "c"]),
        (QueueFilter(code="cut-off", section="table_2"), ["b"]),
        (QueueFilter(code="cut"), []),
        (QueueFilter(site="b.gov.cn"), ["d"]),
        (QueueFilter(report_year=2023), ["a", "b", "c", "d"]),
        (QueueFilter(report_year=2022), []),
        (QueueFilter(document_id=make_id(2)), ["d"]),
        (QueueFilter(text="甲2局"), ["d"]),
        (QueueFilter(text="1.TXT"), ["a", "b", "c"]),
        (QueueFilter(text="%"), []),
        (QueueFilter(round=2), ["d"]),
        (QueueFilter(round=1), ["a", "b", "c"]),
    ],
)
def test_filters_agree_everywhere(wanted: QueueFilter, keys: list[str], store: Store) -> None:
    """What is given next, what is listed and what is counted."""
    with store.write() as books:
        add_document(books, 1)
        add_document(books, 2, [Origin("x", None, "b.gov.cn")])
        drafts = [
            make_draft("a", expected=5.0),
            make_draft("b", expected=4.0, section="table_2", codes=("cut-off",)),
            make_draft("c", expected=3.0, kind="facts", codes=("glued-digits", "cut-off")),
        ]
        books.queue.add(make_id(1), drafts)
        (last,) = books.queue.add(make_id(2), [make_draft("d", expected=2.0)])
        books.queue.change(last.id, round=2)
        books.queue.hold(last.id, "zhao", minutes(15), NOON)
        assert keys_for(books, "zhao", wanted) == keys
        assert [item.key for item in books.queue.page(wanted, None, 50, NOON)[0]] == keys
        counts = books.queue.counts(wanted, NOON)
    assert counts.open == len(keys)
    assert counts.expected == pytest.approx(sum({"a": 5.0, "b": 4.0, "c": 3.0, "d": 2.0}[key] for key in keys))
    assert counts.held == int("d" in keys)


def test_pages_follow_each_other_without_gap_or_double(store: Store) -> None:
    with store.write() as books:
        add_document(books, 1)
        add_items(books, 1, *([1.0] * 5 + [2.0] * 4 + [0.1] * 2), codes=("cut-off",))
        books.queue.hold(books.queue.page(limit=1)[0][0].id, "li", minutes(5), NOON)
    for wanted in (EVERYTHING, QueueFilter(code="cut-off")):
        found, after = [], None
        with store.read() as books:
            while True:
                items, after = books.queue.page(wanted, after, 3, minutes(6))
                found += items
                if after is None:
                    break
            assert [item.priority for item in found] == [2.0] * 4 + [1.0] * 5 + [0.1] * 2
            assert len({item.id for item in found}) == 11
            assert found[0].holder is None  # the lease is over
            assert books.queue.page(wanted, None, 1, minutes(4))[0][0].holder == "li"
            with pytest.raises(BadCursor, match="no place in this list"):
                books.queue.page(wanted, "WzFd", 3, NOON)


def test_settled_items_are_counted_by_day(store: Store) -> None:
    with store.write() as books:
        add_document(books, 1)
        first, second, third = add_items(books, 1, 1.0, 1.0, 1.0)
        books.queue.change(first.id, state="settled", settled_at=minutes(-13 * 60))
        books.queue.change(second.id, state="settled", settled_at=minutes(-11 * 60))
        counts = books.queue.counts(EVERYTHING, NOON)
        assert (counts.open, counts.settled, counts.settled_today) == (1, 2, 1)
        books.queue.change(third.id, state="gone")
        assert books.queue.counts(QueueFilter(kind="row"), NOON)[:3] == (0, 0, 2)
        assert [item.id for item in books.queue.of_document(make_id(1), ("settled", "gone"))] == [1, 2, 3]
        assert books.queue.of_document(make_id(1)) == []


def test_the_same_question_is_open_once_and_may_come_back(store: Store) -> None:
    with store.write() as books:
        add_document(books, 1)
        (item,) = add_items(books, 1, 1.0)
        books.queue.change(item.id, state="gone")
        add_items(books, 1, 1.0)
    with pytest.raises(Exception, match=r"UNIQUE|unique"), store.write() as books:
        add_items(books, 1, 1.0)


def test_what_is_not_there_is_said(store: Store) -> None:
    with store.write() as books:
        for act in (lambda: books.queue.get(9), lambda: books.queue.hold(9, "li", NOON), lambda: books.queue.change(9)):
            with pytest.raises(NotInStore, match="item 9"):
                act()
        with pytest.raises(NotInStore, match="document"):
            add_items(books, 9, 1.0)
        with pytest.raises(TypeError, match="document_id"):
            books.queue.change(9, document_id="x")


def test_counts_stay_true_whatever_happens(store: Store) -> None:
    """Kept counts against counting, over 150 changes of every kind."""
    draw = random.Random(7)
    codes = ("cut-off", "glued-digits", "unit-differs")
    with store.write() as books:
        for number in range(4):
            add_document(books, number)
        for step in range(150):
            document = draw.randrange(4)
            items = books.queue.of_document(make_id(document), ("open", "settled", "gone"))
            if step % 3 == 0 or not items:
                chosen = tuple(draw.sample(codes, draw.randint(1, 3)))
                kind, section = draw.choice(("row", "cells")), draw.choice(("table_1", "table_2"))
                draft = make_draft(f"s{step}", kind=kind, section=section, codes=chosen, expected=draw.random())
                books.queue.add(make_id(document), [draft])
            elif step % 3 == 1:
                item = draw.choice(items)
                change = draw.choice(
                    (
                        {"state": "settled"},
                        {"state": "gone"},
                        {"state": "open"},
                        {"expected": draw.random()},
                        {"codes": (draw.choice(codes),)},
                        {"round": 2},
                    )
                )
                books.queue.change(item.id, **change)
            else:
                year = make_record(document).fields["header.report_year"]
                fields = {"header.report_year": replace(year, value=draw.choice((2019, 2020, 2021)))}
                extraction = books.documents.newest_extraction(make_id(document)).id
                books.documents.save_live(make_id(document), extraction, make_record(document, fields=fields))
        facets = books.queue.facets()
        for name in ("kind", "section", "report_year", "code"):
            assert facets[name]
            for value, count in facets[name]:
                wanted = QueueFilter(**{name: int(value) if name == "report_year" else value})
                assert len(books.queue.page(wanted, None, 500, NOON)[0]) == count
                # A second criterion that changes nothing has it counted instead of looked up.
                counted = books.queue.counts(wanted._replace(text=".txt"), NOON)
                kept = books.queue.counts(wanted, NOON)
                assert kept[:4] == counted[:4]
                assert kept.expected == pytest.approx(counted.expected)
        assert sum(count for _, count in facets["kind"]) == books.queue.counts(EVERYTHING, NOON).open
        rows = books.queue._connection.execute(
            select(func.count()).select_from(ITEM_CODES.join(ITEMS)).where(ITEMS.c.rank != ITEM_CODES.c.rank)
        )
        assert rows.scalar_one() == 0


def test_counts_stay_true_when_several_work_at_once(store: Store) -> None:
    """Each on a document of his own; nobody waits for another who waits for him."""
    with store.write() as books:
        for number in range(6):
            add_document(books, number)
            add_items(books, number, *([1.0] * 4))
    start = Barrier(6)

    def work(number: int) -> None:
        draw = random.Random(number)
        start.wait()
        for step in range(6):
            with store.write() as books:
                year = replace(make_record(number).fields["header.report_year"], value=2019 + step % 2)
                extraction = books.documents.newest_extraction(make_id(number)).id
                record = make_record(number, fields={"header.report_year": year})
                acts: list[partial[Any]] = [partial(books.documents.save_live, make_id(number), extraction, record)]
                for item in books.queue.of_document(make_id(number), ("open", "settled", "gone")):
                    acts.append(partial(books.queue.change, item.id, state=draw.choice(("open", "settled", "gone"))))
                draw.shuffle(acts)
                for act in acts:
                    act()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    with store.read() as books:
        for wanted in (EVERYTHING, QueueFilter(report_year=2019), QueueFilter(report_year=2020)):
            assert books.queue.counts(wanted, NOON)[:4] == books.queue.counts(wanted._replace(text=".txt"), NOON)[:4]


def test_eight_at_once_never_get_the_same(store: Store) -> None:
    """Eight threads take items until none is left; each item is taken once, whoever was faster."""
    with store.write() as books:
        for number in range(10):
            add_document(books, number)
            add_items(books, number, *(float(place % 3) for place in range(6)))
    start = Barrier(8)

    def claim(account: str) -> list[int]:
        start.wait()
        mine: list[int] = []
        while True:
            with store.write() as books:
                item = books.queue.next_free(account, EVERYTHING, NOON, mine)
                if item is None:
                    return mine
                assert books.queue.hold(item.id, account, minutes(15), NOON).version == 2
            mine.append(item.id)

    with ThreadPoolExecutor(8) as pool:
        taken = [number for mine in pool.map(claim, map(str, range(8))) for number in mine]
    assert sorted(taken) == list(range(1, 61))


def test_the_last_item_is_not_missed_while_another_settles_his(store: Store) -> None:
    """Who asks while the only item is locked by one who then lets it go gets it."""
    with store.write() as books:
        add_document(books, 1)
        (item,) = add_items(books, 1, 1.0)
    start = Barrier(2)

    def let_go() -> None:
        with store.write() as books:
            assert books.queue.next_free("li", EVERYTHING, NOON) is not None
            start.wait()
            books.queue.change(item.id, round=2, answered_by=("li",))

    def ask() -> int | None:
        start.wait()
        with store.write() as books:
            found = books.queue.next_free("wang", EVERYTHING, NOON)
        return found.round if found else None

    with ThreadPoolExecutor(2) as pool:
        letting, asking = pool.submit(let_go), pool.submit(ask)
        letting.result()
        assert asking.result() in (1, 2)
