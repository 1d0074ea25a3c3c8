"""Batches: written down first, nothing in two of them at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from extractor.store.journal import Journal
from extractor.store.rows import BatchRow
from tests.unit.store.writer import make_key


def make_batch(name: str) -> BatchRow:
    return BatchRow(id=name, model="qwen3-32b", base_url="http://localhost/v1")


def test_a_batch_comes_back_with_what_was_learned_of_it(journal: Journal) -> None:
    first, second = make_batch("b1"), make_batch("b2")
    journal.add_batch(first)
    journal.add_batch(second)
    journal.update_batch(replace(first, state="submitted", remote_id="batch_77", input_file="file-1"))
    found = journal.find_batches("submitted", "finished")
    assert found == [
        replace(first, state="submitted", remote_id="batch_77", input_file="file-1", updated_at=found[0].updated_at)
    ]
    assert found[0].updated_at > first.updated_at
    assert [batch.id for batch in journal.find_batches()] == ["b1", "b2"]
    assert journal.find_batches("failed") == []


def test_a_batch_that_is_not_there_cannot_be_updated(journal: Journal) -> None:
    with pytest.raises(LookupError, match="b9"):
        journal.update_batch(make_batch("b9"))


def test_calls_belong_to_a_batch_that_is_written_down(journal: Journal) -> None:
    with pytest.raises(IntegrityError):
        journal.add_batch_items("b9", [make_key(1)])
    assert journal.keys_in_flight() == set()


def test_calls_of_a_batch_in_flight_are_not_put_into_another(journal: Journal) -> None:
    keys = [make_key(number) for number in range(1100)]
    journal.add_batch(make_batch("b1"))
    journal.add_batch(make_batch("b2"))
    assert journal.add_batch_items("b1", [*keys[:600], keys[0]]) == keys[:600]
    assert journal.add_batch_items("b2", keys) == keys[600:]
    assert journal.items_of("b1") == sorted(keys[:600])
    assert journal.keys_in_flight() == set(keys)


@pytest.mark.parametrize("state", ["collected", "failed", "expired", "cancelled"])
def test_calls_of_an_ended_batch_may_be_asked_again(state: str, journal: Journal) -> None:
    first = make_batch("b1")
    journal.add_batch(first)
    journal.add_batch(make_batch("b2"))
    journal.add_batch_items("b1", [make_key(1)])
    journal.update_batch(replace(first, state=state))  # type: ignore[arg-type]
    assert journal.keys_in_flight() == set()
    assert journal.add_batch_items("b2", [make_key(1)]) == [make_key(1)]


def test_batches_made_at_the_same_time_share_no_call(where: str) -> None:
    """Eight programs plan the same calls; each call is in one batch."""
    keys = [make_key(number) for number in range(100)]

    def plan(name: str) -> list[str]:
        with Journal.open(where) as journal:
            journal.add_batch(make_batch(name))
            return journal.add_batch_items(name, keys)

    with ThreadPoolExecutor(8) as pool:
        taken = [key for part in pool.map(plan, map(str, range(8))) for key in part]
    assert sorted(taken) == sorted(keys)
