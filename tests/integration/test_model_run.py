"""Runs that ask a model over real HTTP: what comes out, what is paid, and how a run ends that cannot go on."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from extractor.bulk.flow import ModelPart
from extractor.bulk.remaining import Resume
from extractor.bulk.run import RunSummary
from extractor.cli import app
from extractor.forms import load_forms
from extractor.llm.asker import JournalAsker
from extractor.llm.budget import Budget, Limits
from extractor.llm.calls import BudgetReached, sampling_parameters
from extractor.llm.circuit import Circuit
from extractor.llm.client import ModelClient
from extractor.llm.prompts import describe_table, load_prompt
from extractor.llm.session import Session, open_live
from extractor.model import CellState, Record
from extractor.pipeline import process_document
from extractor.readers.policy import Policy
from extractor.settings import Settings, load_settings
from extractor.sources import load_document
from extractor.store.journal import Journal
from tests.bulk_runs import read_outputs, run_bulk
from tests.loopback.faults import ScriptedFaults
from tests.loopback.generated import generate_balanced
from tests.loopback.labelled import load_truths
from tests.loopback.server import LoopbackServer, Options, running_server
from tests.loopback.simulated import SimulatedReader
from tests.loopback.truths import Truth

ROOT = Path(__file__).parents[2]
FIXTURES = sorted((ROOT / "fixtures").glob("*.txt"))
MODEL = "simulated"
ASKING: tuple[Policy, ...] = ("auto", "both", "llm")
NO_LIMIT = Limits()
ONCE_MORE = Resume()


@pytest.fixture(scope="module")
def truths() -> list[Truth]:
    return load_truths([ROOT / "eval" / "gold"])


@pytest.fixture
def server(truths: list[Truth]) -> Iterator[LoopbackServer]:
    """A server behind which a reader without a mistake sits."""
    with running_server(SimulatedReader(truths)) as running:
        yield running


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory, and no settings of other tests."""
    monkeypatch.chdir(tmp_path)
    load_settings.cache_clear()
    yield tmp_path
    load_settings.cache_clear()


# ---------------------------------------------------------------- runs


def settings_for(server: LoopbackServer | str, tmp_path: Path, **given: Any) -> Settings:
    url = server if isinstance(server, str) else server.base_url
    usual: dict[str, Any] = {"model": MODEL, "reply_mode": "json_schema", "journal": str(tmp_path / "journal.sqlite")}
    return Settings(base_url=url, **(usual | given))


def run(
    settings: Settings,
    policy: Policy,
    out: Path,
    *,
    paths: list[Path] = FIXTURES,
    limits: Limits = NO_LIMIT,
    document_limits: Limits = NO_LIMIT,
    session: Session | None = None,
    notices: list[str] | None = None,
    resume: Resume = ONCE_MORE,
) -> RunSummary:
    told = [] if notices is None else notices
    session = session or open_live(settings, limits, document_limits, told.append)
    part = ModelPart.build(policy, session, settings)
    return run_bulk(paths, out, settings, model=part, resume=resume)


def open_impatient(settings: Settings, notices: list[str], circuit: Circuit) -> Session:
    """As open_live, with another circuit and without waiting between two tries."""

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)

    budget = Budget(NO_LIMIT, NO_LIMIT, None)
    journal = Journal.open(settings.journal)
    asker = JournalAsker(str(settings.model), sampling_parameters(settings), journal, run_id="impatient")
    asker.client = ModelClient(
        settings, budget=budget, on_attempt=asker.book, on_notice=notices.append, sleep=sleep, circuit=circuit
    )
    return Session(asker, journal, asker.client, budget)


def read_records(out: Path) -> dict[str, Record]:
    lines = (out / "records.jsonl").read_text(encoding="utf-8").splitlines()
    records = [Record.model_validate_json(line) for line in lines]
    return {Path(record.document.path).stem: record for record in records}


def read_account(out: Path) -> dict[str, Any]:
    account: dict[str, Any] = json.loads((out / "run.json").read_text(encoding="utf-8"))
    return account


def accepted_wrong(record: Record, truth: Truth) -> list[str]:
    said = {
        name: None if field.state is CellState.BLANK else field.raw
        for name, field in record.fields.items()
        if field.decision == "accepted" and name in truth.cells
    }
    return [f"{name}: {text!r}" for name, text in said.items() if text != truth.cells[name]]


def codes(record: Record) -> set[str]:
    return {flag.code for flag in record.flags}


@pytest.mark.parametrize("policy", ASKING)
def test_a_run_reads_right_pays_once_and_accounts_for_it(
    policy: Policy, server: LoopbackServer, truths: list[Truth], tmp_path: Path
) -> None:
    settings = settings_for(server, tmp_path)
    run(settings, policy, tmp_path / "out")
    records, account = read_records(tmp_path / "out"), read_account(tmp_path / "out")

    # Fixture 001 lost its columns, which no model brings back.
    assert {name[:3]: record.status.value for name, record in records.items()} == {
        "000": "succeeded",
        "001": "partial",
        "002": "succeeded",
        "003": "succeeded",
        "004": "succeeded",
    }
    assert [accepted_wrong(records[truth.name], truth) for truth in truths] == [[]] * 5
    assert all(record.versions["model"] == MODEL for record in records.values())

    paid = len(server.chats)
    assert paid > 0
    model = account["model"]
    assert (model["policy"], model["name"], model["is_live"], model["missing"]) == (policy, MODEL, True, 0)
    assert model["replies"] == [{"origin": "live", "from_journal": False, "count": paid}]
    assert model["spent"]["calls"] == paid
    assert model["spent"]["input_tokens"] == server.stats["input_tokens"]
    assert model["spent"]["output_tokens"] == server.stats["output_tokens"]
    with Journal.open(settings.journal) as journal:
        spent = journal.spent(model["run_id"])
        assert (spent.calls, spent.input_tokens) == (paid, server.stats["input_tokens"])
        assert journal.export_replies(tmp_path / "replies.jsonl") == paid

    run(settings, policy, tmp_path / "again")
    assert len(server.chats) == paid
    assert read_records(tmp_path / "again") == records
    again = read_account(tmp_path / "again")["model"]
    assert again["spent"]["calls"] == 0
    assert {item["from_journal"] for item in again["replies"]} == {True}


def test_another_policy_asks_only_what_the_first_one_did_not(server: LoopbackServer, tmp_path: Path) -> None:
    settings = settings_for(server, tmp_path)
    run(settings, "auto", tmp_path / "auto")
    first = [seen.body["messages"] for seen in server.chats]
    run(settings, "both", tmp_path / "both")
    run(settings, "llm", tmp_path / "llm")
    asked = [json.dumps(seen.body["messages"]) for seen in server.chats]
    assert len(set(asked)) == len(asked) > len(first)


def test_documents_that_print_the_same_table_pay_for_it_once(tmp_path: Path) -> None:
    """Six agencies with the same numbers; only their names differ."""
    made = generate_balanced("tab_rows")
    texts = [made.raw.decode().replace("某某市民政局", f"某某市第{number}局") for number in range(6)]
    paths = [tmp_path / f"{number}.txt" for number in range(6)]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    own = [Truth(path.stem, text, made.truth.cells) for path, text in zip(paths, texts, strict=True)]
    with running_server(SimulatedReader(own)) as server:
        run(settings_for(server, tmp_path), "both", tmp_path / "out", paths=paths)
        asked = Counter(seen.body["messages"][0]["content"] for seen in server.chats)
    for form in load_forms().generations["2021"].sections.values():
        assert asked[load_prompt(form.id).render(**describe_table(form))] == 1
    assert asked[load_prompt("header").render()] == 6
    assert {record.status.value for record in read_records(tmp_path / "out").values()} == {"succeeded"}


# ---------------------------------------------------------------- commands


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def environment(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> LoopbackServer:
    """The server by environment variables."""
    set_environment(monkeypatch, server.base_url)
    return server


def set_environment(monkeypatch: pytest.MonkeyPatch, base_url: str, **more: str) -> None:
    given = {"MODEL": MODEL, "BASE_URL": base_url, "REPLY_MODE": "json_schema"} | more
    for name, value in given.items():
        monkeypatch.setenv(f"EXTRACTOR_{name}", value)
    load_settings.cache_clear()


INPUTS = [str(path) for path in FIXTURES]


def test_run_with_a_model_in_the_environment_asks_it(environment: LoopbackServer, folder: Path) -> None:
    result = invoke("run", *INPUTS, "--out", "out")
    assert result.exit_code == 0, result.output
    paid = len(environment.chats)
    assert f"model {MODEL}, policy auto: replies: {paid} live" in result.stdout
    assert f"{paid} requests" in result.stdout
    assert "price not set" in result.stdout
    assert (folder / "journal.sqlite").exists()
    assert read_account(folder / "out")["arguments"]["readers"] == "auto"

    result = invoke("run", *INPUTS, "--out", "out")
    assert "5 kept from an earlier start" in result.stdout
    assert "replies: none" in result.stdout
    result = invoke("run", *INPUTS, "--out", "out", "--fresh")
    assert f"{paid} live, from the journal" in result.stdout
    assert len(environment.chats) == paid
    said = invoke("journal", "spent").stdout
    assert said.startswith(f"{paid} requests")


def test_run_of_the_rules_alone_asks_nobody(environment: LoopbackServer, folder: Path) -> None:
    result = invoke("run", *INPUTS, "--out", "out", "--readers", "template")
    assert result.exit_code == 0
    assert environment.requests == []
    assert read_account(folder / "out")["model"] is None
    assert not (folder / "journal.sqlite").exists()


@pytest.mark.parametrize("policy", ["auto", "both", "llm"])
def test_plan_foresees_what_a_run_then_sends(environment: LoopbackServer, policy: str) -> None:
    def planned() -> tuple[int, int]:
        result = invoke("plan", *INPUTS, "--readers", policy)
        assert result.exit_code == 0, result.output
        found = re.search(r"(\d+) calls to send; (\d+) answers are in the journal", result.stdout)
        assert found is not None
        return int(found[1]), int(found[2])

    to_send, known = planned()
    assert known == 0
    assert environment.requests == []
    assert invoke("run", *INPUTS, "--out", "out", "--readers", policy).exit_code == 0
    assert len(environment.chats) == to_send
    assert planned()[0] == 0


def test_plan_says_what_it_would_cost(environment: LoopbackServer, folder: Path) -> None:
    assert "no price is set" in invoke("plan", *INPUTS).stdout
    (folder / "extractor.toml").write_text(f'[prices."{MODEL}"]\ninput = 1.0\noutput = 10.0\n', encoding="utf-8")
    load_settings.cache_clear()
    found = re.search(r"about (\S+) USD, at most (\S+) .* about (\S+) as a batch", invoke("plan", *INPUTS).stdout)
    assert found is not None
    about, most, batch = map(float, found.groups())
    assert 0 < batch < about < most
    assert invoke("run", *INPUTS, "--out", "out").exit_code == 0
    assert 0 < read_account(folder / "out")["model"]["spent"]["usd"] <= most


def test_replies_go_from_one_place_to_another_and_answer_there(environment: LoopbackServer, folder: Path) -> None:
    assert invoke("run", *INPUTS, "--out", "out", "--readers", "both").exit_code == 0
    paid, records = len(environment.chats), read_records(folder / "out")

    exported = invoke("journal", "export", "replies.jsonl")
    assert exported.stdout.strip() == f"{paid} replies written to replies.jsonl"
    assert "政府信息公开" not in (folder / "replies.jsonl").read_text("utf-8").split("\n")[1][:200]

    result = invoke("run", *INPUTS, "--out", "replayed", "--readers", "both", "--replay", "replies.jsonl")
    assert result.exit_code == 0, result.output
    assert "no server was asked" in result.stdout
    assert read_records(folder / "replayed") == records
    assert read_account(folder / "replayed")["model"]["is_live"] is False

    imported = invoke("journal", "import", "replies.jsonl", "--journal", "second.sqlite")
    assert imported.stdout.strip() == f"{paid} replies added, 0 were there already"
    assert invoke("run", *INPUTS, "--out", "second", "--readers", "both", "--journal", "second.sqlite").exit_code == 0
    assert read_records(folder / "second") == records
    assert len(environment.chats) == paid


def test_a_replay_without_some_replies_says_so_and_reads_the_rest(environment: LoopbackServer, folder: Path) -> None:
    assert invoke("run", *INPUTS, "--out", "out", "--readers", "llm").exit_code == 0
    complete = read_records(folder / "out")
    tasks = ("--task", "applications", "--task", "rows_without_columns", "--task", "row")
    assert invoke("journal", "export", "replies.jsonl", *tasks).exit_code == 0
    paid = len(environment.chats)
    result = invoke("run", *INPUTS, "--out", "part", "--readers", "llm", "--replay", "replies.jsonl")
    assert result.exit_code == 0
    assert "questions have no recorded reply" in result.stdout
    assert len(environment.chats) == paid
    records = read_records(folder / "part")
    assert {record.status.value for record in records.values()} == {"partial"}
    for name, record in records.items():
        assert "reply-missing" in codes(record)
        read = {key: field for key, field in record.fields.items() if key.startswith("applications.")}
        assert read == {key: field for key, field in complete[name].fields.items() if key.startswith("applications.")}


def test_show_asks_the_model_too(environment: LoopbackServer) -> None:
    result = invoke("show", INPUTS[0], "--json", "--readers", "both")
    assert result.exit_code == 0, result.output
    record = Record.model_validate_json(result.stdout)
    assert record.versions["model"] == MODEL
    assert record.fields["applications.granted.total"].confirmed_by == ("llm",)
    assert len(environment.chats) > 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("--max-usd=1", "price"),
        ("EXTRACTOR_JOURNAL=notes.txt", "notes.txt is not an SQLite database"),
        ("EXTRACTOR_JOURNAL=no/such/folder.sqlite", "no/such/folder.sqlite"),
        ("EXTRACTOR_PROMPTS_DIR=nowhere", "nowhere"),
        ("EXTRACTOR_BASE_URL=localhost", "EXTRACTOR_BASE_URL"),
        ("--replay=none.jsonl", "none.jsonl"),
        ("--replay=notes.txt", "notes.txt:1"),
    ],
)
def test_wrong_settings_of_a_model_end_with_2_before_anything_is_sent(
    environment: LoopbackServer, folder: Path, monkeypatch: pytest.MonkeyPatch, given: str, said: str
) -> None:
    (folder / "notes.txt").write_text("mine, and no journal at all", encoding="utf-8")
    arguments = [given] if given.startswith("--") else []
    if not arguments:
        monkeypatch.setenv(*given.split("=", 1))
        load_settings.cache_clear()
    result = invoke("run", *INPUTS, "--out", "out", *arguments)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert environment.requests == []
    assert not (folder / "out" / "run.json").exists()
    assert (folder / "notes.txt").read_text("utf-8").startswith("mine")


@pytest.mark.parametrize(("readers", "code"), [("both", 2), ("llm", 2), ("auto", 0), ("template", 0)])
def test_without_a_model_the_rules_read_unless_a_model_was_asked_for(folder: Path, readers: str, code: int) -> None:
    result = invoke("run", INPUTS[0], "--out", "out", "--readers", readers)
    assert result.exit_code == code
    assert ("EXTRACTOR_MODEL" in result.stderr) == (readers != "template")


# ---------------------------------------------------------------- limits


@pytest.mark.parametrize("policy", ["auto", "both"])
def test_a_limit_stops_the_run_and_the_same_command_goes_on_where_it_stopped(
    environment: LoopbackServer, truths: list[Truth], folder: Path, policy: str
) -> None:
    command = ("run", *INPUTS, "--out", "out", "--readers", policy, "--max-calls", "3")
    for round_ in range(1, 20):
        result = invoke(*command)
        assert len(environment.chats) <= 3 * round_
        if result.exit_code == 0:
            break
        assert result.exit_code == 3, result.output
        assert "max_calls of the run is 3" in result.output
    assert read_account(folder / "out")["stopped_by"] is None
    bodies = [seen.http.body for seen in environment.chats]
    assert len(set(bodies)) == len(bodies)  # nothing was asked twice
    records = read_records(folder / "out")
    assert [accepted_wrong(records[truth.name], truth) for truth in truths] == [[]] * 5
    assert sum(record.status == "succeeded" for record in records.values()) == 4
    assert round_ > 1


def test_a_run_that_a_limit_stopped_keeps_what_was_done(environment: LoopbackServer, folder: Path) -> None:
    assert invoke("run", INPUTS[0], "--out", "first").exit_code == 0
    result = invoke("run", *INPUTS, "--out", "out", "--max-calls", "0")
    assert result.exit_code == 3
    assert "STOPPED" in result.stdout
    account = read_account(folder / "out")
    assert "max_calls" in account["stopped_by"]
    assert account["documents"] == 1
    assert list(read_records(folder / "out")) == [FIXTURES[0].stem]


def test_a_run_that_cannot_begin_leaves_earlier_outputs(environment: LoopbackServer, folder: Path) -> None:
    assert invoke("run", *INPUTS, "--out", "out", "--readers", "template").exit_code == 0
    before = read_outputs(folder / "out")
    result = invoke("run", *INPUTS, "--out", "out", "--max-calls", "0")
    assert result.exit_code == 3
    assert result.stderr.startswith("error: max_calls of the run is 0") or "max_calls of the run is 0" in result.stderr
    assert read_outputs(folder / "out") == before
    assert read_account(folder / "out")["state"] == "stopped"
    assert environment.chats == []


def test_a_limit_in_tokens_is_not_gone_over(environment: LoopbackServer, folder: Path) -> None:
    result = invoke("run", *INPUTS, "--out", "out", "--readers", "both", "--max-tokens", "12000")
    assert result.exit_code == 3
    stats = environment.stats
    assert 0 < stats["input_tokens"] + stats["output_tokens"] <= 12_000


def test_what_is_under_way_when_a_limit_is_reached_is_waited_for(truths: list[Truth], tmp_path: Path) -> None:
    """It is paid for: thrown away, it would be paid for again."""
    slow = Options(delay=lambda chat: 0.3 if "行政复议" in chat.system else 0.0)
    with running_server(SimulatedReader(truths), options=slow) as server:
        settings = settings_for(server, tmp_path)
        with suppress(BudgetReached):  # where not even the first document was finished
            assert run(settings, "both", tmp_path / "out", limits=Limits(max_tokens=9000)).stopped_by
        answered = server.stats["by_status"].get("200", 0)
        paid = len(server.chats)
    with Journal.open(settings.journal) as journal:
        assert journal.export_replies(tmp_path / "kept.jsonl") == paid == answered


@pytest.mark.parametrize("calls", [0, 1])
def test_a_limit_for_each_document_leaves_the_rest_of_it_unasked(
    environment: LoopbackServer, folder: Path, calls: int
) -> None:
    result = invoke("run", *INPUTS, "--out", "out", "--readers", "both", "--max-document-calls", str(calls))
    assert result.exit_code == 0, result.output
    assert len(environment.chats) <= 5 * calls
    for path in FIXTURES:
        record, alone = read_records(folder / "out")[path.stem], process_document(load_document(path))
        flags = [flag for flag in record.flags if flag.code == "budget-reached"]
        assert len(flags) >= 5 - calls - 1
        kept = {name: field.value for name, field in alone.fields.items()}
        assert {name: record.fields[name].value for name in kept} == kept


# ---------------------------------------------------------------- a server that refuses


def test_a_wrong_key_ends_the_run_with_the_remedy_and_loses_nothing(
    truths: list[Truth], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_server(SimulatedReader(truths), options=Options(api_key="right")) as server:
        for key, said in (({}, "Set EXTRACTOR_API_KEY"), ({"API_KEY": "wrong"}, "Correct EXTRACTOR_API_KEY")):
            set_environment(monkeypatch, server.base_url, **key)
            result = invoke("run", *INPUTS, "--out", "out")
            assert result.exit_code == 3
            assert "401" in result.stderr
            assert said in result.stderr
            assert "Traceback" not in result.output
            assert not (folder / "out" / "records.jsonl").exists()
            assert invoke("show", INPUTS[0]).exit_code == 2
        set_environment(monkeypatch, server.base_url, API_KEY="right")
        assert invoke("run", *INPUTS, "--out", "out").exit_code == 0
        assert "wrong" not in (folder / "out" / "run.json").read_text("utf-8")


def test_a_model_that_the_server_does_not_have_is_named(truths: list[Truth], monkeypatch: pytest.MonkeyPatch) -> None:
    with running_server(SimulatedReader(truths), options=Options(models=("another",))) as server:
        set_environment(monkeypatch, server.base_url)
        result = invoke("run", *INPUTS, "--out", "out")
    assert result.exit_code == 3
    assert MODEL in result.stderr
    assert "EXTRACTOR_MODEL" in result.stderr


def test_credit_that_ends_in_the_middle_keeps_what_was_paid_for(
    truths: list[Truth], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = ScriptedFaults(dict.fromkeys(range(4, 40), "quota_spent"))
    with running_server(SimulatedReader(truths), faults) as server:
        set_environment(monkeypatch, server.base_url, CONCURRENCY="1")
        result = invoke("run", *INPUTS, "--out", "out")
        assert result.exit_code == 3
        assert "credit" in result.output
        done = [seen.http.body for seen in server.chats if seen.status == 200]
    assert len(done) == 3
    with running_server(SimulatedReader(truths)) as server:
        set_environment(monkeypatch, server.base_url)
        assert invoke("run", *INPUTS, "--out", "out").exit_code == 0
        assert {seen.http.body for seen in server.chats}.isdisjoint(done)
    assert len(read_records(folder / "out")) == 5


# ---------------------------------------------------------------- a server that is not there


def assert_template_values_kept(out: Path) -> None:
    for path in FIXTURES:
        record, alone = read_records(out)[path.stem], process_document(load_document(path))
        for name, field in alone.fields.items():
            now = record.fields[name]
            assert (now.state, now.value, now.decision, now.reader) == (
                field.state,
                field.value,
                field.decision,
                "template",
            )


@pytest.mark.parametrize("policy", ["auto", "both"])
def test_without_a_server_the_rules_read_alone_and_documents_are_partial(policy: Policy, tmp_path: Path) -> None:
    settings = settings_for("http://127.0.0.1:9/v1", tmp_path, call_attempts=1)
    summary = run(settings, policy, tmp_path / "out")
    assert summary.failed == 0
    records = read_records(tmp_path / "out")
    assert {record.status.value for record in records.values()} == {"partial"}
    assert all("server-unavailable" in codes(record) for record in records.values())
    assert_template_values_kept(tmp_path / "out")


def test_questions_without_an_answer_are_asked_again_three_times_in_all(server: LoopbackServer, tmp_path: Path) -> None:
    """Nobody answers; once somebody does, only who asks for it has given-up documents asked about again."""
    away = settings_for("http://127.0.0.1:9/v1", tmp_path, call_attempts=1)
    for kept in (0, 0, 0, 5):
        summary = run(away, "both", tmp_path / "out")
        assert (summary.kept, summary.failed, summary.account["incomplete"]) == (kept, 0, 5)
    back = settings_for(server, tmp_path, call_attempts=1)
    assert run(back, "both", tmp_path / "out").kept == 5
    assert server.chats == []
    summary = run(back, "both", tmp_path / "out", resume=Resume(retries=True))
    assert (summary.kept, summary.account["incomplete"]) == (0, 0)
    assert sum(record.status == "succeeded" for record in read_records(tmp_path / "out").values()) == 4


@pytest.mark.parametrize("given", [{"policy": "llm"}, {"model": "another"}, {"temperature": 0.5}], ids=str)
def test_another_way_to_ask_makes_all_anew(server: LoopbackServer, tmp_path: Path, given: dict[str, Any]) -> None:
    policy: Policy = given.pop("policy", "both")
    run(settings_for(server, tmp_path), "both", tmp_path / "out")
    assert run(settings_for(server, tmp_path, concurrency=2), "both", tmp_path / "out").kept == 5
    assert run(settings_for(server, tmp_path, **given), policy, tmp_path / "out").kept == 0


def test_the_operator_is_told_once_that_the_server_does_not_work(tmp_path: Path) -> None:
    settings = settings_for("http://127.0.0.1:9/v1", tmp_path)
    notices: list[str] = []
    session = open_impatient(settings, notices, Circuit(failures=3, span_s=0, cooldown_s=1000))
    run(settings, "both", tmp_path / "out", session=session)
    assert [notice for notice in notices if "does not work" in notice] == notices
    assert len(notices) == 1
    with Journal.open(settings.journal) as journal:
        assert journal.spent().calls < 30  # of 25 questions with six tries each


def test_a_server_that_goes_down_in_the_middle_leaves_documents_partial_until_it_is_back(
    truths: list[Truth], tmp_path: Path
) -> None:
    faults = ScriptedFaults(dict.fromkeys(range(8, 500), "cut_before_headers"))
    notices: list[str] = []
    with running_server(SimulatedReader(truths), faults) as server:
        settings = settings_for(server, tmp_path, concurrency=2)
        session = open_impatient(settings, notices, Circuit(failures=5, span_s=0, cooldown_s=1000))
        summary = run(settings, "both", tmp_path / "out", session=session)
        done = [seen.http.body for seen in server.chats if seen.status == 200]
    assert summary.stopped_by is None
    assert len(done) == 7
    assert len(notices) == 1
    records = read_records(tmp_path / "out")
    assert len(records) == 5
    assert "partial" in {record.status.value for record in records.values()}
    assert_template_values_kept(tmp_path / "out")

    with running_server(SimulatedReader(truths)) as server:
        settings = settings_for(server, tmp_path)
        run(settings, "both", tmp_path / "out")
        assert {seen.http.body for seen in server.chats}.isdisjoint(done)
    records = read_records(tmp_path / "out")
    assert sum(record.status == "succeeded" for record in records.values()) == 4
    assert not any("server-unavailable" in codes(record) for record in records.values())
