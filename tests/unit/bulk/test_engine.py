"""The engine: how far it reads ahead, what is wrong for all documents alike, and signals."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from extractor.bulk.engine import Engine
from extractor.bulk.keeping import Receipt, Ticket
from extractor.bulk.making import Source
from extractor.bulk.plan import Entry
from extractor.errors import SettingsError, StoreError, UnreadableSource
from extractor.model import Origin, Status
from extractor.settings import Settings
from extractor.store.ledger import LedgerFile
from tests.unit.bulk.test_keeping import make_recipe

#: Two batches for each worker and for one more.
MOST_IN_FLIGHT = 32


def make_source(number: int, raw: bytes | None = None, problem: Exception | None = None) -> Source:
    name = f"{number:03}.txt"
    entry = Entry(number, f"{number:064x}", name, (Origin(name),))
    return Source(Ticket(f"k{number}", entry, 1), raw or f"报告 {number}".encode(), problem=problem)


class Watched:
    """An engine of one worker, and all that it tells."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        LedgerFile.open(folder / "ledger.sqlite").close()
        self.receipts: list[Receipt] = []
        self.batches: list[int] = []
        recipe = make_recipe(folder, settings=Settings(page_workers=1), **changes)
        self.engine = Engine(recipe, None, on_kept=self.note)

    def note(self, receipts: Sequence[Receipt]) -> None:
        self.receipts += receipts
        self.batches.append(len(receipts))

    def states(self) -> dict[int, str]:
        return {receipt.ticket.entry.position: receipt.state for receipt in self.receipts}


def test_every_source_has_one_receipt_and_is_in_the_ledger(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.engine.run(iter([make_source(number) for number in range(50)]))
    assert sorted(receipt.ticket.entry.position for receipt in watched.receipts) == list(range(50))
    assert {receipt.status for receipt in watched.receipts} == {Status.NOT_A_REPORT}
    assert watched.engine.in_flight == 0
    with LedgerFile.open(tmp_path / "ledger.sqlite") as ledger, ledger.read() as books:
        assert len(books.ledger.find(f"k{number}" for number in range(60))) == 50


def test_no_more_is_read_than_there_is_room_for(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    ahead: list[int] = []

    def list_sources() -> Iterator[Source]:
        for number in range(150):
            ahead.append(number + 1 - len(watched.receipts))
            yield make_source(number)

    watched.engine.run(list_sources())
    assert 8 < max(ahead) <= MOST_IN_FLIGHT


def test_a_large_document_is_a_batch_of_its_own(tmp_path: Path) -> None:
    """Three archives of more bytes than a batch may have, refused at the first look, then four small texts."""
    watched = Watched(tmp_path)
    large = [make_source(number, b"\x1f\x8b\x08%d" % number + bytes(4_200_000)) for number in range(3)]
    watched.engine.run(iter([*large, *(make_source(number) for number in range(3, 7))]))
    assert sorted(watched.batches) == [1, 1, 1, 4]


def test_nothing_to_do_is_done_at_once(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.engine.run(iter(()))
    assert (watched.receipts, watched.engine.is_interrupted) == ([], False)


def test_bytes_that_could_not_be_read_are_a_failure(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    problem = UnreadableSource("001.txt", "it is gone", "Fetch it again")
    watched.engine.run(iter([make_source(0), make_source(1, problem=problem)]))
    assert watched.states() == {0: "done", 1: "failed"}


# ---------------------------------------------------------------- what is wrong for all


def test_what_is_wrong_with_the_ledger_ends_the_run_as_it_is(tmp_path: Path) -> None:
    watched = Watched(tmp_path, ledger=str(tmp_path / "none" / "ledger.sqlite"))
    with pytest.raises(SettingsError, match="its folder is not there"):
        watched.engine.run(make_source(number) for number in range(500))
    assert watched.receipts == []


def test_what_goes_wrong_in_reading_ends_the_run_as_it_is(tmp_path: Path) -> None:
    def list_sources() -> Iterator[Source]:
        yield from (make_source(number) for number in range(8))
        raise StoreError("store: it is gone. Bring it back.")

    with pytest.raises(StoreError, match="it is gone"):
        Watched(tmp_path).engine.run(list_sources())


def test_what_goes_wrong_in_telling_ends_the_run_as_it_is(tmp_path: Path) -> None:
    class Breaking(Watched):
        def note(self, receipts: Sequence[Receipt]) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Breaking(tmp_path).engine.run(make_source(number) for number in range(20))


# ---------------------------------------------------------------- signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_it_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    """What was read is kept, and the handlers of before are there again."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    watched, read = Watched(tmp_path), []

    def list_sources() -> Iterator[Source]:
        for index in range(400):
            if index == 20:
                os.kill(os.getpid(), number)
            read.append(index)
            yield make_source(index)

    watched.engine.run(list_sources())
    assert watched.engine.is_interrupted
    assert sorted(watched.states()) == read
    assert 20 < len(read) < 400
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_it_runs_in_any_thread(tmp_path: Path) -> None:
    """Signals are for the main thread alone."""
    watched = Watched(tmp_path)
    thread = threading.Thread(target=watched.engine.run, args=(iter([make_source(number) for number in range(9)]),))
    thread.start()
    thread.join(60)
    assert sorted(watched.states()) == list(range(9))
