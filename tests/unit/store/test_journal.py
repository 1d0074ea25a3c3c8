"""Replies and attempts: what is kept, what is not, and what a second opening finds."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy.exc import IntegrityError

from extractor.store.journal import Journal
from extractor.store.rows import Spent, canonical_json
from tests.unit.store.writer import make_attempt, make_key, make_reply


def test_a_reply_comes_back_as_it_was_kept(where: str) -> None:
    with Journal.open(where) as journal:
        assert journal.find(make_key(1)) is None
        assert journal.add(make_reply(1))
    with Journal.open(where) as journal:
        assert journal.find(make_key(1)) == make_reply(1)


def test_what_is_unknown_stays_unknown(journal: Journal) -> None:
    """A price that is not known is not 0, a request that is not kept is not empty."""
    bare = make_reply(1, request=None, mode=None, cost_usd=None, is_estimated=True)
    journal.add(bare)
    assert journal.find(bare.key) == bare


def test_time_is_kept_as_a_moment(journal: Journal) -> None:
    beijing = datetime(2026, 11, 3, 16, 0, tzinfo=timezone(timedelta(hours=8)))
    journal.add(make_reply(1, created_at=beijing))
    kept = journal.find(make_key(1))
    assert kept is not None
    assert kept.created_at == beijing


def test_the_first_reply_under_a_key_stays(journal: Journal) -> None:
    assert journal.add(make_reply(1))
    assert not journal.add(make_reply(1, reply=canonical_json({"rows": []}), origin="simulated"))
    assert journal.find(make_key(1)) == make_reply(1)


def test_many_are_found_at_once(journal: Journal) -> None:
    """More keys than fit one statement, some of them missing, some asked for twice."""
    for number in range(0, 1200, 2):
        journal.add(make_reply(number))
    found = journal.find_many([*map(make_key, range(1200)), make_key(0)])
    assert found == {make_key(number): make_reply(number) for number in range(0, 1200, 2)}
    assert journal.find_many([]) == {}


def test_record_keeps_reply_and_attempt(journal: Journal) -> None:
    assert journal.record(make_reply(1), make_attempt(1))
    assert not journal.record(make_reply(1), make_attempt(1))
    assert journal.find(make_key(1)) == make_reply(1)
    assert journal.spent() == Spent(2, 2400, 160, 2000, 0.5, 0)


def test_record_keeps_both_or_neither(journal: Journal) -> None:
    """A reply that cannot be kept leaves no attempt behind."""
    with pytest.raises(IntegrityError):
        journal.record(make_reply(1, task=None), make_attempt(1))
    assert journal.spent().calls == 0


def test_failed_attempts_are_paid_but_no_replies(journal: Journal) -> None:
    journal.add_attempt(make_attempt(1, outcome="reply-truncated"))
    journal.add_attempt(make_attempt(1, outcome="server-unavailable", input_tokens=0, output_tokens=0, cost_usd=0.0))
    assert journal.find(make_key(1)) is None
    assert journal.spent() == Spent(2, 1200, 80, 2000, 0.25, 0)


def test_runs_are_counted_apart_and_unknown_prices_are_named(journal: Journal) -> None:
    journal.add_attempt(make_attempt(1))
    journal.add_attempt(make_attempt(2, run_id="run-2", cost_usd=None))
    journal.add_attempt(make_attempt(3, run_id="run-2"))
    assert journal.spent("run-1") == Spent(1, 1200, 80, 1000, 0.25, 0)
    assert journal.spent("run-2") == Spent(2, 2400, 160, 2000, 0.25, 1)
    assert journal.spent("run-3") == Spent()


def test_threads_share_a_journal(journal: Journal) -> None:
    """Eight threads write the same 100 keys; each key is new to one of them only."""
    with ThreadPoolExecutor(8) as pool:
        numbers = [number for number in range(100) for _ in range(8)]
        new = list(pool.map(lambda number: journal.record(make_reply(number), make_attempt(number)), numbers))
    assert sum(new) == 100
    assert len(journal.find_many(map(make_key, range(100)))) == 100
    assert journal.spent().calls == 800


def test_a_journal_in_memory_serves_all_threads() -> None:
    with Journal.open(":memory:") as journal, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: journal.add(make_reply(number)), range(20)))
        assert len(journal.find_many(map(make_key, range(20)))) == 20


def test_the_types_load_no_database_library() -> None:
    """Whoever starts the program without a journal does not wait for SQLAlchemy."""
    code = (
        "import sys, extractor.store.rows, extractor.llm.budget, extractor.cli; sys.exit('sqlalchemy' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603
