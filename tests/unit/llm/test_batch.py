"""Batches in the journal and on the server: at whatever moment the program dies, each call is asked once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extractor.llm.batch import BatchDesk
from extractor.llm.batch_remote import RemoteBatch
from extractor.llm.batch_server import BatchServer
from extractor.llm.budget import Limits, cost_usd
from extractor.llm.calls import CallError, ServerRefused, ServerUnavailable, Usage
from extractor.llm.limits import bound_input
from extractor.store.journal import Journal
from tests.loopback.batches import BatchPace
from tests.loopback.faults import ScriptedFaults
from tests.loopback.server import LoopbackServer, Options, running_server
from tests.unit.llm.batching import Office, accepted, answer_anything, get, make_call, make_calls
from tests.unit.llm.dying import Dead, Life, make_mortal


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with running_server(answer_anything) as server:
        yield server


@pytest.fixture
def office(server: LoopbackServer, tmp_path: Path) -> Office:
    return Office(server, tmp_path)


def test_a_batch_for_each_prompt_goes_from_submitted_to_finished(office: Office) -> None:
    calls = make_calls(9)
    assert office.submit(calls).taken == 9
    views = office.look()
    assert [(view.row.id.rsplit("-", 2)[0], view.calls) for view in views] == [("header", 3), ("applications", 6)]
    assert office.states() == ["submitted", "submitted"]
    office.finish()
    assert [view.remote and view.remote.completed for view in office.look()] == [3, 6]
    assert office.states() == ["finished", "finished"]
    assert accepted(office.server) == {office.key(call): 1 for call in calls}


def test_calls_in_flight_are_not_sent_twice(office: Office) -> None:
    """Also when a second run asks partly the same."""
    calls = make_calls(12)
    office.submit(calls[:8])
    second = office.submit(calls[4:])
    assert (second.taken, second.held_back) == (4, 4)
    assert accepted(office.server) == {office.key(call): 1 for call in calls}


def test_two_programs_that_choose_the_same_calls_share_them(office: Office) -> None:
    """Both found the calls free; what one has written down the other leaves out of its file."""
    calls = make_calls(6)

    class Overtaken(BatchServer):
        async def check(self) -> None:
            await super().check()
            await asyncio.to_thread(office.colleague().submit, calls[:4])

    class Blind(Journal):
        def keys_in_flight(self) -> set[str]:
            return set()

    office.submit(calls, server=Overtaken, journal=Blind)
    assert any("another program's batch" in notice for notice in office.notices)
    assert accepted(office.server) == {office.key(call): 1 for call in calls}


def test_nothing_is_made_when_others_hold_all_calls(office: Office, tmp_path: Path) -> None:
    calls = [make_call(1)]

    class Blind(Journal):
        def keys_in_flight(self) -> set[str]:
            return set()

    office.submit(calls)
    office.submit(calls, journal=Blind)
    assert office.states() == ["submitted", "failed"]
    assert accepted(office.server).total() == 1


# ---------------------------------------------------------------- limits


def test_what_does_not_fit_the_budget_is_left_out(office: Office) -> None:
    calls = make_calls(9)
    first = office.submit(calls, Limits(max_calls=4))
    assert (first.taken, first.over_limit) == (4, 5)
    assert "max_calls of the run is 4" in first.limit
    assert accepted(office.server).total() == 4
    assert office.submit(calls).taken == 5


def test_the_budget_counts_the_price_of_a_batch(office: Office) -> None:
    """At half the price the same money pays for twice as many calls."""
    call = make_call(1)
    live = cost_usd(Usage(bound_input(call), call.max_output_tokens), office.settings.prices["m"])
    calls = [make_call(number) for number in range(9)]
    assert office.submit(calls, Limits(max_usd=3.5 * live)).taken == 7


# ---------------------------------------------------------------- death at any moment


# The steps of one batch: row, keys, upload, file noted, made, noted as submitted. There are two batches.
_STEPS = 12


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("last", range(1, _STEPS + 1))
def test_a_death_while_sending_loses_and_doubles_nothing(last: int, is_done: bool, office: Office) -> None:
    calls = make_calls(6)
    with pytest.raises(Dead):
        office.submit(calls, **make_mortal(Life(last, is_done=is_done)))
    office.age()
    office.submit(calls)
    assert accepted(office.server) == {office.key(call): 1 for call in calls}
    assert "prepared" not in office.states()
    office.finish()
    office.collect()
    assert office.replies(calls) == len(calls)
    assert office.spent()[0] == len(calls)


@pytest.mark.parametrize("last", range(1, _STEPS // 2 + 1))
def test_looking_after_a_death_settles_it_too(last: int, office: Office) -> None:
    calls = make_calls(6)
    with pytest.raises(Dead):
        office.submit(calls, **make_mortal(Life(last, is_done=True)))
    office.age()
    sent = accepted(office.server)
    office.look()
    assert "prepared" not in office.states()
    assert accepted(office.server) == sent  # looking sends nothing
    with office.journal as journal:
        assert journal.keys_in_flight() == set(sent)


def test_the_steps_are_all_that_there_are(office: Office) -> None:
    """Or the tests above leave out some."""
    life = Life(99, is_done=True)
    office.submit(make_calls(6), **make_mortal(life))
    assert life.steps == _STEPS


def test_a_batch_that_may_still_be_on_its_way_is_left_alone(office: Office) -> None:
    calls = [make_call(1)]
    with pytest.raises(Dead):
        office.submit(calls, **make_mortal(Life(3, is_done=True)))
    assert office.submit(calls).held_back == 1
    assert "still being sent, or broken off" in office.notices[0]
    assert office.states() == ["prepared"]
    office.age()
    assert office.submit(calls).taken == 1
    assert office.states() == ["failed", "submitted"]


def test_a_batch_that_the_server_has_is_found_at_once(office: Office) -> None:
    """Made, and the program died before it could note that: nobody waits."""
    calls = [make_call(1)]
    with pytest.raises(Dead):
        office.submit(calls, **make_mortal(Life(5, is_done=True)))
    assert office.submit(calls).held_back == 1
    assert office.states() == ["submitted"]


def test_a_program_that_was_given_up_makes_no_batch(office: Office) -> None:
    """It slept in the middle of the upload; meanwhile another one freed its calls and sent them."""
    calls = [make_call(1)]

    class Sleeping(BatchServer):
        async def upload(self, path: Path, name: str) -> str:
            office.age()
            await asyncio.to_thread(office.colleague().submit, calls)
            return await super().upload(path, name)

    with pytest.raises(CallError, match="another program gave it up"):
        office.submit(calls, server=Sleeping)
    assert accepted(office.server).total() == 1


def test_a_program_that_sleeps_before_the_last_step_finds_its_file_gone(office: Office) -> None:
    calls = [make_call(1)]

    class Sleeping(BatchServer):
        async def create(self, file_id: str, name: str) -> RemoteBatch:
            office.age()
            await asyncio.to_thread(office.colleague().submit, calls)
            return await super().create(file_id, name)

    with pytest.raises(CallError, match="does not find the file"):
        office.submit(calls, server=Sleeping)
    assert accepted(office.server).total() == 1


# ---------------------------------------------------------------- a server that fails


@pytest.mark.parametrize("fault", ["server_error", "cut_before_headers"])
def test_a_server_that_does_not_say_whether_it_made_a_batch_is_asked(fault: Any, tmp_path: Path) -> None:
    """It did not: the calls wait until that is sure, then they go out once."""
    calls = [make_call(1)]
    with running_server(answer_anything, ScriptedFaults({2: fault}, path="/v1/batches")) as server:
        office = Office(server, tmp_path)
        office.submit(calls)
        assert office.states() == ["prepared"]
        office.age()
        office.submit(calls)
        assert accepted(server).total() == 1


def test_a_batch_whose_making_was_answered_by_half_a_reply_is_there(tmp_path: Path) -> None:
    calls = [make_call(1)]
    with running_server(answer_anything, ScriptedFaults({2: "cut_in_body"}, path="/v1/batches")) as server:
        office = Office(server, tmp_path)
        office.submit(calls)
        assert office.states() == ["submitted"]
        assert accepted(server).total() == 1


def test_a_server_that_is_busy_is_asked_again(tmp_path: Path) -> None:
    faults = ScriptedFaults({2: "rate_limited", 3: "rate_limited"}, path="/v1/batches")
    with running_server(answer_anything, faults) as server:
        office = Office(server, tmp_path)
        office.submit([make_call(1)])
        assert office.states() == ["submitted"]
        assert len(office.sleeps) == 2


def test_an_upload_that_fails_frees_its_calls_at_once(tmp_path: Path) -> None:
    faults = ScriptedFaults({1: "unavailable", 2: "unavailable"}, path="/v1/files")
    with running_server(answer_anything, faults) as server:
        office = Office(server, tmp_path, call_attempts=2)
        with pytest.raises(ServerUnavailable, match="http-503"):
            office.submit([make_call(1)])
        assert office.states() == ["failed"]
        assert office.submit([make_call(1)]).taken == 1


def test_a_spent_quota_frees_the_calls_and_says_what_to_do(tmp_path: Path) -> None:
    with running_server(answer_anything, ScriptedFaults({2: "quota_spent"}, path="/v1/batches")) as server:
        office = Office(server, tmp_path)
        with pytest.raises(ServerRefused, match="no credit left"):
            office.submit([make_call(1)])
        assert office.states() == ["failed"]


def test_a_batch_that_fails_in_validation_says_why_and_frees_its_calls(tmp_path: Path) -> None:
    pace = BatchPace(is_failing=True)
    with running_server(answer_anything, options=Options(batch_pace=pace)) as server:
        office = Office(server, tmp_path)
        office.submit([make_call(1)])
        office.finish()
        (view,) = office.look()
        assert (view.row.state, view.row.message) == ("failed", "token_limit_exceeded")
        assert office.submit([make_call(1)]).taken == 1


def test_a_batch_that_the_server_does_not_know_is_told_and_kept(office: Office, server: LoopbackServer) -> None:
    office.submit([make_call(1)])
    with office.journal as journal:
        (row,) = journal.find_batches()
    with running_server(answer_anything) as stranger:
        moved = Office(stranger, office.folder, base_url=stranger.base_url)
        moved.look()
        assert f"batch {row.id} is on {server.base_url}" in moved.notices[0]
    office.work(_rename)
    office.look()
    assert "does not know batch_999" in office.notices[0]
    assert office.states() == ["submitted"]


async def _rename(desk: BatchDesk) -> None:
    (row,) = desk.journal.find_batches()
    desk.journal.update_batch(replace(row, remote_id="batch_999"))


def test_only_the_last_batches_that_are_over_come_along(office: Office) -> None:
    for number in range(4):
        office.submit([make_call(number)])
    office.finish()
    office.collect()
    office.submit([make_call(9)])
    assert len(office.work(lambda desk: desk.refresh())) == 1
    assert len(office.work(lambda desk: desk.refresh(ended=2))) == 3
    assert len(office.work(lambda desk: desk.refresh(ended=9))) == 5


def test_the_file_is_named_after_the_batch(office: Office) -> None:
    """So that a person finds it in the list of the server's site, too."""
    office.submit([make_call(1)])
    with office.journal as journal:
        (row,) = journal.find_batches()
    assert f'"filename":"{row.id}.jsonl"' in get(office.server, f"files/{row.input_file}").decode()
