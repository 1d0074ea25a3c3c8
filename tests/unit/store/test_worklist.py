"""The scratch index keeps the order of places, and equal ones together, however many there are."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from hashlib import sha256

import pytest

from extractor.store.worklist import Listed, Place, Worklist


@pytest.fixture
def worklist() -> Iterator[Worklist]:
    with closing(Worklist()) as opened:
        yield opened


def _place(name: str, content: str | None = None) -> Place:
    return Place(name, name.encode(), digest=(content and sha256(content.encode()).digest()) or None)


def _groups(worklist: Worklist, after: int = -1) -> list[list[str]]:
    groups: dict[int, list[str]] = {}
    for places, _ in worklist.documents(after):
        for placed in places:
            groups.setdefault(placed.lead, []).append(placed.place.path)
    return list(groups.values())


def test_equal_places_stand_together_in_the_order_of_the_first(worklist: Worklist) -> None:
    """More than one batch, and the equal ones are in different batches."""
    numbers = random.Random(7).choices(range(900), k=2500)
    expected: dict[int, list[str]] = {}
    for index, number in enumerate(numbers):
        worklist.add(_place(f"{index}", f"{number}"))
        expected.setdefault(number, []).append(f"{index}")
    worklist.finish()
    assert _groups(worklist) == list(expected.values())
    assert worklist.count_documents() == len(expected)
    later = [group for group in expected.values() if int(group[0]) > 700]
    assert _groups(worklist, 700) == later


def test_places_that_cannot_be_read_are_never_equal(worklist: Worklist) -> None:
    for name in ("a", "b"):
        worklist.add(_place(name)._replace(problem="gone"))
    worklist.finish()
    assert _groups(worklist) == [["a"], ["b"]]


def test_a_file_is_new_once(worklist: Worklist) -> None:
    assert [worklist.is_new(key) for key in (b"a", b"b", b"a")] == [True, True, False]


@pytest.mark.parametrize("count", [0, 10, 3999, 4000, 9000])
def test_names_of_a_folder_come_in_order_each_once(worklist: Worklist, count: int) -> None:
    names = [os.fsencode(f"{number:04d}报告") for number in range(count)] + [b"\xb9\xfa", b"", b"0"]
    mixed = random.Random(3).sample(names, len(names))
    assert list(worklist.sort_names(mixed)) == sorted(names)
    outer = worklist.sort_names(mixed)
    first = next(outer)
    assert list(worklist.sort_names([b"z", b"y"])) == [b"y", b"z"]  # a folder inside, meanwhile
    assert [first, *outer] == sorted(names)


def test_rows_find_what_they_most_likely_mean(worklist: Worklist) -> None:
    worklist.add_rows(Listed(f"{row}", (b"x%d" % row, b"y%d" % row), f"u{row}", None, None) for row in range(1203))
    for name in ("y1", "x1", "y600", "other"):
        worklist.add(_place(name, name))
    worklist.finish()
    rows = [row for _, found in worklist.documents(-1) for row in found]
    assert rows == [(1, "u1", None, None), (2, "u600", None, None)]
    assert worklist.count_unmatched() == 1201
    assert worklist.list_unmatched(3) == ("0", "2", "3")


def test_threads_share_it(worklist: Worklist) -> None:
    for index in range(2000):
        worklist.add(_place(f"{index}", f"{index}"))
    worklist.finish()
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda index: worklist.get(index).path, range(2000))
        groups = pool.submit(_groups, worklist)
        assert list(found) == [f"{index}" for index in range(2000)]
        assert len(groups.result()) == 2000


def test_its_file_is_gone_from_the_disk_while_it_is_open(worklist: Worklist) -> None:
    """A process that is killed leaves nothing, then."""
    before = _list_open()
    for index in range(60_000):
        worklist.add(_place(f"{index:0100d}", f"{index}"))
    (opened,) = _list_open() - before
    assert opened.endswith(" (deleted)")


def _list_open() -> set[str]:
    folder = "/proc/self/fd"
    return {os.readlink(f"{folder}/{number}") for number in os.listdir(folder) if os.path.lexists(f"{folder}/{number}")}
