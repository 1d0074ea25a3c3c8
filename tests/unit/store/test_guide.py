"""The SQL in docs/journal.md works on both databases and does what the guide says."""

from __future__ import annotations

import re
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from extractor.store.journal import Journal
from extractor.store.tables import METADATA
from tests.unit.store.writer import make_attempt, make_key, make_reply

GUIDE = (Path(__file__).parents[3] / "docs" / "journal.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sql\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
STATEMENTS = [one.strip() for block in BLOCKS for one in block.split(";") if one.strip()]

Ask = Callable[[str], list[Any]]


@pytest.fixture
def ask(journal: Journal, where: str) -> Ask:
    """Runs a statement of the guide, from outside, on a journal with two runs."""
    journal.record(make_reply(1), make_attempt(1, run_id="a1b2c3"))
    journal.add_attempt(make_attempt(2, outcome="reply-truncated", cost_usd=None))
    journal.add(make_reply(3, model="qwen-plus", created_at=make_reply(3).created_at.replace(year=2025)))
    is_server = where.startswith("postgresql")
    address = where.replace("postgresql://", "postgresql+psycopg://") if is_server else f"sqlite:///{where}"
    engine = create_engine(address, isolation_level="AUTOCOMMIT")

    def run(statement: str) -> list[Any]:
        with engine.connect() as connection:
            result = connection.exec_driver_sql(statement)
            return list(result) if result.returns_rows else []

    return run


def statement(start: str) -> str:
    (found,) = (one for one in STATEMENTS if re.sub(r"--.*\n", "", one).strip().startswith(start))
    return found


@pytest.mark.parametrize("number", range(len(STATEMENTS)))
def test_every_statement_of_the_guide_runs(number: int, ask: Ask) -> None:
    ask(STATEMENTS[number])


def test_taking_requests_out_keeps_the_replies(ask: Ask, journal: Journal) -> None:
    ask(statement("UPDATE replies"))
    assert journal.find(make_key(1)) == make_reply(1, request=None)


def test_requests_that_were_taken_out_leave_no_trace_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal.open(str(path)) as journal:
        journal.add(make_reply(1))
    kept = zlib.compress(str(make_reply(1).request).encode(), 1)
    assert kept in path.read_bytes()
    with closing(sqlite3.connect(path, isolation_level=None)) as outside:
        outside.executescript(BLOCKS[0])
    assert [file.name for file in tmp_path.iterdir()] == ["journal.sqlite"]
    assert kept not in path.read_bytes()


def test_deleting_spares_what_is_younger_and_of_other_models(ask: Ask, journal: Journal) -> None:
    ask(statement("DELETE FROM replies"))
    assert set(journal.find_many(map(make_key, (1, 3)))) == {make_key(1)}


def test_costs_of_the_guide_are_those_of_the_journal(ask: Ask) -> None:
    ((_, _, requests, _, _, usd, unpriced),) = ask(statement("SELECT substr"))
    assert (requests, usd, unpriced) == (2, 0.25, 1)
    assert ask(statement("SELECT document_id")) == [("d1", 1, 0.25)]


def test_the_guide_names_all_tables() -> None:
    assert {f"`{table}`" for table in METADATA.tables} <= set(re.findall(r"`\w+`", GUIDE))
