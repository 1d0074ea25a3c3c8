"""The ledger on both databases: rows under their keys, whole batches or none, and what stands in the way of opening."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import OutputError, SettingsError
from extractor.store.ledger import LedgerFile, LedgerMark, LedgerRow
from extractor.store.store import Store

WRITER = Path(__file__).with_name("ledger_writer.py")
Keeps = LedgerFile | Store


def make_row(number: int, **changes: Any) -> LedgerRow:
    row = LedgerRow(f"k{number}", f"d{number}", "done", 1, number % 3, None, f'{{"counts":{number}}}', b"\x00\xff" * 40)
    return replace(row, **changes)


@pytest.fixture
def ledger(where: str) -> Iterator[Keeps]:
    """A file of its own, and the table of a store on a server."""
    opened: Keeps = Store.open(where) if where.startswith("postgresql") else LedgerFile.open(Path(where))
    with opened:
        yield opened


def put(ledger: Keeps, *rows: LedgerRow) -> None:
    with ledger.write() as books:
        books.ledger.put(rows)


def test_rows_come_back_as_they_were(ledger: Keeps) -> None:
    rows = [make_row(1), make_row(2, document_id=None, state="failed", pieces=None), make_row(3, state="incomplete")]
    put(ledger, *rows)
    with ledger.read() as books:
        assert books.ledger.read(["k1", "k2", "k3", "none"]) == {row.key: row for row in rows}
        assert books.ledger.find(["k2", "none"]) == {"k2": LedgerMark("failed", 1, 2, None, None, rows[1].account)}


def test_more_keys_than_a_statement_takes(ledger: Keeps) -> None:
    rows = [make_row(number) for number in range(1200)]
    put(ledger, *rows)
    with ledger.read() as books:
        assert books.ledger.read(f"k{number}" for number in range(1300)) == {row.key: row for row in rows}
        assert len(books.ledger.find(f"k{number}" for number in range(1300))) == 1200


def test_a_row_under_the_same_key_is_replaced(ledger: Keeps) -> None:
    put(ledger, make_row(1, state="failed"), make_row(2))
    put(ledger, make_row(1, attempts=2, review=9, account="{}", pieces=b"new"))
    with ledger.read() as books:
        found = books.ledger.read(["k1", "k2"])
    assert found == {"k1": make_row(1, attempts=2, review=9, account="{}", pieces=b"new"), "k2": make_row(2)}


def test_nothing_of_a_batch_that_breaks_off_stays(ledger: Keeps) -> None:
    def break_off() -> None:
        with ledger.write() as books:
            books.ledger.put([make_row(1)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    put(ledger)
    with ledger.read() as books:
        assert books.ledger.find(["k1"]) == {}


def test_rows_that_are_taken_away_are_gone(ledger: Keeps) -> None:
    put(ledger, make_row(1), make_row(2))
    with ledger.write() as books:
        books.ledger.clear(["k1", "none"])
    with ledger.read() as books:
        assert list(books.ledger.find(["k1", "k2"])) == ["k2"]


# ---------------------------------------------------------------- the file


def test_two_programs_write_side_by_side(tmp_path: Path) -> None:
    """They make the file together; both write half of the same keys."""
    path = tmp_path / "ledger.sqlite"
    writers = [start_writer(path, first, 60) for first in (0, 30)]
    assert [writer.communicate()[0].split()[-1] for writer in writers] == ["59", "89"]
    with LedgerFile.open(path) as ledger, ledger.read() as books:
        assert set(books.ledger.find(f"k{number}" for number in range(100))) == {f"k{number}" for number in range(90)}


def start_writer(path: Path, first: int, count: int, most_bytes: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, str(WRITER), str(path), str(first), str(count), str(most_bytes)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603


def test_what_was_written_before_the_disk_was_full_is_there(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    said, problem = start_writer(path, 0, 10_000, 500_000).communicate()
    written = [int(word) for word in said.split()]
    assert 0 < len(written) < 10_000
    assert "OutputError: ledger: " in problem
    assert str(path) in problem
    with LedgerFile.open(path) as ledger:
        with ledger.read() as books:
            assert len(books.ledger.find(f"k{number}" for number in range(10_000))) == len(written)
        put(ledger, make_row(10_000))


def test_a_ledger_of_another_version_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    LedgerFile.open(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE ledger ADD COLUMN later TEXT")
    connection.close()
    with pytest.raises(OutputError, match=r"ledger\.sqlite: .*another version.*Delete it"):
        LedgerFile.open(path)


def test_what_is_no_ledger_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine, and no ledger at all", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"notes\.txt is not an SQLite database"):
        LedgerFile.open(tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text("utf-8").startswith("mine")
    with pytest.raises(SettingsError, match="its folder is not there"):
        LedgerFile.open(tmp_path / "none" / "ledger.sqlite")
