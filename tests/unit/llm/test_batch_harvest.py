"""What a batch brought into the journal: each reply and each request once, and nothing lost in silence."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extractor.llm.batch_server import BatchServer
from extractor.llm.calls import Usage
from extractor.llm.limits import bound_input
from extractor.store.rows import StoredReply
from tests.loopback.batches import BatchPace
from tests.loopback.faults import FaultPlan, ScriptedFaults
from tests.loopback.server import LoopbackServer, Options, running_server
from tests.loopback.service import LINE_PATH
from tests.unit.llm.batching import Office, accepted, answer_anything, get, make_call, make_calls
from tests.unit.llm.dying import Dead, Life, make_mortal

CALLS = [make_call(number) for number in range(10)]
BAD_LINES: dict[int, Any] = {
    1: "truncated",
    2: "refusal",
    3: "content_filter",
    4: "invalid_json",
    5: "wrong_schema",
    6: "server_error",
    7: "no_usage",
}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with running_server(answer_anything) as server:
        yield Office(server, tmp_path)


def office_on(server: LoopbackServer, folder: Path) -> Office:
    """With a batch that is over."""
    office = Office(server, folder)
    office.submit(CALLS)
    office.finish()
    return office


def serve(faults: FaultPlan | None = None, **pace: Any) -> Any:
    return running_server(answer_anything, faults, Options(batch_pace=BatchPace(**pace)))


# ---------------------------------------------------------------- replies


def test_replies_are_kept_with_all_that_is_known_of_them(office: Office) -> None:
    calls = make_calls(6)
    office.submit(calls)
    office.finish()
    harvests = office.collect()
    assert [(harvest.state, harvest.replies, harvest.calls) for harvest in harvests] == [
        ("collected", n, n) for n in (2, 4)
    ]
    with office.journal as journal:
        for call in calls:
            stored = journal.find(office.key(call))
            assert stored is not None
            assert (stored.task, stored.prompt_version, stored.model) == (call.task, call.prompt_version, "m")
            assert (stored.origin, stored.mode, stored.parameters) == ("batch", "json_schema", {"temperature": 0})
            assert json.loads(str(stored.request)) == {"system": call.system, "user": call.user}
            assert call.schema.model_validate_json(stored.reply)
            price = (2 * stored.input_tokens + 8 * stored.output_tokens) / 1e6
            assert stored.cost_usd == pytest.approx(price / 2)  # of a batch
            assert stored.input_tokens > 0
        assert journal.keys_in_flight() == set()
        assert sum(journal.spent(harvest.batch).calls for harvest in harvests) == len(calls)
    assert office.states() == ["collected", "collected"]


def test_a_batch_asks_for_what_is_set_when_it_is_sent(office: Office) -> None:
    """The settings may change before its replies come in."""
    office.settings = office.settings.model_copy(update={"temperature": 0.7, "reply_mode": "tools"})
    office.submit(CALLS)
    keys = [office.key(call) for call in CALLS]
    office.settings = office.settings.model_copy(update={"temperature": None, "reply_mode": "json"})
    office.finish()
    office.collect()
    with office.journal as journal:
        found = journal.find_many(keys)
    assert len(found) == len(CALLS)
    assert {(reply.mode, reply.parameters["temperature"]) for reply in found.values()} == {("tools", 0.7)}


def test_texts_of_documents_are_not_kept_where_nobody_wants_them(tmp_path: Path) -> None:
    with serve() as server:
        office = Office(server, tmp_path, journal_requests=False)
        office.submit(CALLS)
        office.finish()
        office.collect()
        with office.journal as journal:
            assert {reply.request for reply in journal.find_many(map(office.key, CALLS)).values()} == {None}


def test_collecting_again_changes_nothing(office: Office) -> None:
    office.submit(CALLS)
    assert office.collect() == []
    office.finish()
    office.collect()
    before = office.spent()
    assert before[0] == len(CALLS)
    assert office.collect() == []
    assert office.spent() == before


def test_a_reply_that_came_live_meanwhile_stays_and_the_batch_is_paid_for(office: Office) -> None:
    office.submit(CALLS)
    office.finish()
    live = StoredReply(office.key(CALLS[0]), "applications", "m", {}, "v", "s", '{"rows":[]}', "live")
    with office.journal as journal:
        journal.add(live)
    office.collect()
    with office.journal as journal:
        stored = journal.find(office.key(CALLS[0]))
    assert stored is not None
    assert stored.origin == "live"
    assert office.spent()[0] == len(CALLS)


# ---------------------------------------------------------------- replies of no use


def test_replies_of_no_use_are_no_replies_but_cost_what_they_cost(tmp_path: Path) -> None:
    with serve(ScriptedFaults(BAD_LINES, path=LINE_PATH)) as server:
        office = office_on(server, tmp_path)
        (harvest,) = office.collect()
        refused = "applications: the server refuses this call: HTTP 500 (server_error)"
        assert harvest.without == Counter({"invalid": 2, "truncated": 1, "refused": 1, "filtered": 1, refused: 1})
        assert (harvest.replies, harvest.problems) == (4, [])
        assert office.replies(CALLS) == 4
        assert harvest.spent.calls == 10  # a request that fails was sent, too
        outputs = [json.loads(line) for line in _output(server).splitlines()]
        given = [line["response"]["body"].get("usage") for line in outputs]
        unsaid = next(call for call in CALLS if office.key(call) == outputs[given.index(None)]["custom_id"])
        worst = Usage(bound_input(unsaid), unsaid.max_output_tokens)
        assert harvest.spent.input_tokens == sum(u["prompt_tokens"] for u in given if u) + worst.input_tokens
        assert harvest.spent.output_tokens == sum(u["completion_tokens"] for u in given if u) + worst.output_tokens


def _output(server: LoopbackServer) -> bytes:
    (batch,) = json.loads(get(server, "batches"))["data"]
    return get(server, f"files/{batch['output_file_id']}/content")


def test_calls_without_a_reply_go_into_the_next_batch_alone(tmp_path: Path) -> None:
    with serve(ScriptedFaults(BAD_LINES, path=LINE_PATH)) as server:
        office = office_on(server, tmp_path)
        office.collect()
        assert office.submit(CALLS).taken == 6
        office.finish()
        office.collect()
        assert office.replies(CALLS) == len(CALLS)
        assert Counter(accepted(server).values()) == {1: 4, 2: 6}


def test_an_expired_batch_is_harvested_and_its_rest_is_free(tmp_path: Path) -> None:
    with serve(answered=4) as server:
        office = office_on(server, tmp_path)
        (harvest,) = office.collect()
        assert (harvest.state, harvest.replies) == ("expired", 4)
        assert harvest.without == Counter({"batch_expired": 6})
        assert harvest.spent.calls == 4  # the others were never asked
        assert office.states() == ["expired"]
        assert office.submit(CALLS).taken == 6


def test_a_cancelled_batch_is_harvested_and_its_rest_is_free(tmp_path: Path) -> None:
    with serve() as server:
        office = Office(server, tmp_path)
        office.submit(CALLS)
        while not (view := office.look()[0]).remote or not view.remote.completed:
            pass
        get(server, f"batches/{view.row.remote_id}/cancel", "POST")
        office.finish()
        (harvest,) = office.collect()
        assert (harvest.state, harvest.replies) == ("cancelled", 5)
        assert harvest.without == Counter({"no line in the server's files": 5})
        assert office.submit(CALLS).taken == 5


def test_a_batch_of_nothing_but_errors_has_no_output_file(tmp_path: Path) -> None:
    with serve(ScriptedFaults(dict.fromkeys(range(1, 11), "server_error"), path=LINE_PATH)) as server:
        (harvest,) = office_on(server, tmp_path).collect()
        assert (harvest.state, harvest.replies, harvest.problems) == ("collected", 0, [])
        assert harvest.without.total() == 10


# ---------------------------------------------------------------- files that are not as they should be


def tamper(kind: str, change: Any) -> type[BatchServer]:
    """A server one of whose files comes down changed."""

    class Tampering(BatchServer):
        async def download(self, file_id: str, target: Path) -> bool:
            is_there = await super().download(file_id, target)
            if is_there and target.name == kind:
                target.write_bytes(change(target.read_bytes()))
            return is_there

    return Tampering


def test_lines_that_cannot_be_used_are_told_with_their_number(tmp_path: Path) -> None:
    def change(content: bytes) -> bytes:
        first, second, *rest = content.splitlines(keepends=True)
        stranger = first.replace(json.loads(first)["custom_id"].encode(), b"f" * 64)
        return b"".join([first, stranger, first, b"\n", second[:50] + b"\n", b"[]\n", *rest])

    with serve() as server:
        office = office_on(server, tmp_path)
        (harvest,) = office.collect(server=tamper("output", change))
        first = json.loads(_output(server).splitlines()[0])
        told = [problem.split(", line ")[1] for problem in harvest.problems]
        assert told == [
            f"2: unknown custom_id '{'f' * 64}'",
            f"3: a second result for call {first['custom_id'][:12]}; the first counts",
            "5: no result line (50 bytes)",
            "6: no result line (2 bytes)",
        ]
        assert all(problem.startswith("output file file-") for problem in harvest.problems)
        assert harvest.replies == 9
        assert harvest.without == Counter({"no line in the server's files": 1})
        assert office.submit(CALLS).taken == 1


def test_a_result_without_a_completion_is_no_reply(tmp_path: Path) -> None:
    def change(content: bytes) -> bytes:
        lines = [json.loads(line) for line in content.splitlines()]
        for line, body in zip(lines, (None, "text", 3, {"choices": 3}, {"choices": [3]}), strict=False):
            line["response"]["body"] = body
        lines[5]["response"] = None
        return b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    with serve() as server:
        (harvest,) = office_on(server, tmp_path).collect(server=tamper("output", change))
        assert (harvest.replies, harvest.problems) == (4, [])
        assert harvest.without == Counter({"invalid": 5, "no response": 1})


def test_a_lost_output_file_is_told(tmp_path: Path) -> None:
    with serve(ScriptedFaults({1: "server_error"}, path=LINE_PATH)) as server:
        office = office_on(server, tmp_path)
        (batch,) = json.loads(get(server, "batches"))["data"]
        get(server, f"files/{batch['output_file_id']}", "DELETE")
        (harvest,) = office.collect()
        assert harvest.problems == [
            f"output file {batch['output_file_id']}: the server no longer has it; its replies are lost"
        ]
        assert harvest.without["no line in the server's files"] == 9
        assert office.states() == ["collected"]
        assert office.submit(CALLS).taken == 10


def test_a_batch_that_names_no_output_file_though_it_has_replies_is_told(tmp_path: Path) -> None:
    class Forgetful(BatchServer):
        async def retrieve(self, remote_id: str) -> Any:
            batch = await super().retrieve(remote_id)
            return batch and replace(batch, output_file=None)

    with serve() as server:
        (harvest,) = office_on(server, tmp_path).collect(server=Forgetful)
        assert harvest.problems == ["the server counts 10 replies, but names no output file"]


def test_replies_are_kept_also_when_the_input_file_is_gone(tmp_path: Path) -> None:
    with serve() as server:
        office = office_on(server, tmp_path)
        with office.journal as journal:
            (row,) = journal.find_batches()
        get(server, f"files/{row.input_file}", "DELETE")
        (harvest,) = office.collect()
        assert (harvest.replies, harvest.problems) == (10, [])
        assert "its input file is gone" in office.notices[0]
        with office.journal as journal:
            stored = journal.find(office.key(CALLS[0]))
        assert stored is not None
        assert (stored.request, stored.parameters) == (None, {"temperature": 0})


# ---------------------------------------------------------------- death in the middle


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("last", [1, 2, 5, 7, 10, 11, 12])
def test_a_death_while_collecting_doubles_no_cost(last: int, is_done: bool, tmp_path: Path) -> None:
    """Steps: the state noted, ten requests booked, the end noted."""
    with serve(ScriptedFaults(BAD_LINES, path=LINE_PATH)) as server:
        office = Office(server, tmp_path)
        office.submit(CALLS)
        for _ in range(9):  # the server moves on when it is looked at; the journal shall not know yet
            get(server, "batches")
        with pytest.raises(Dead):
            office.collect(**make_mortal(Life(last, is_done=is_done)))
        office.collect()
        with office.journal as journal:
            spent = journal.spent()
        assert spent.calls == 10
        assert office.states() == ["collected"]
        assert office.replies(CALLS) == 4
        outputs = [json.loads(line)["response"]["body"].get("usage") for line in _output(server).splitlines()]
        assert spent.output_tokens == sum(usage["completion_tokens"] for usage in outputs if usage) + 300
