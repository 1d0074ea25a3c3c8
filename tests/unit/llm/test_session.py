"""The model for one run: where its replies come from, and the account of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import SettingsError
from extractor.llm.budget import Limits
from extractor.llm.calls import Call, ReplyMissing, call_key, sampling_parameters
from extractor.llm.session import Session, open_live, open_recorded
from extractor.settings import Price, Settings
from extractor.store.journal import Journal
from extractor.store.rows import Origin, StoredReply
from tests.unit.llm.asking import ROWS, make_call
from tests.unit.llm.scripted_server import Answer, Behaviour, ScriptedServer, completion, error, running

NO_LIMIT = Limits()


def record(path: Path, *models: str, call: Call | None = None, origin: Origin = "simulated", **wrong: Any) -> Path:
    """A replay file with a reply of each model to one call."""
    with Journal.open(":memory:") as journal:
        for model in models:
            parameters = {"temperature": 0.0}
            key = call_key(call or make_call(), model, parameters)
            reply = wrong.get("reply", ROWS)
            journal.add(StoredReply(key, "applications", model, parameters, "1", "h", reply, origin))
        journal.export_replies(path)
    return path


def ask(session: Session, *calls: Call) -> None:
    async def do() -> None:
        try:
            await asyncio.gather(*(session.asker.ask(call) for call in calls))
        finally:
            await session.aclose()

    asyncio.run(do())


def ask_live(tmp_path: Path, script: Answer | Behaviour, *calls: Call, **given: Any) -> tuple[dict[str, Any], int]:
    """What a live session tells of itself after these calls, and how often the server was asked."""

    async def do(server: ScriptedServer) -> dict[str, Any]:
        settings = Settings(
            model="model-a",
            base_url=server.url,
            journal=str(tmp_path / "journal.sqlite"),
            call_attempts=1,
            reply_mode="json_schema",
            **given,
        )
        session = open_live(settings, NO_LIMIT, NO_LIMIT, lambda notice: None)
        try:
            await asyncio.gather(*(session.asker.ask(call) for call in calls), return_exceptions=True)
            return session.describe()
        finally:
            await session.aclose()

    async def run() -> tuple[dict[str, Any], int]:
        async with running(script) as server:
            return await do(server), len(server.requests)

    return asyncio.run(run())


# ---------------------------------------------------------------- live


def test_a_live_session_tells_what_was_asked_and_spent(tmp_path: Path) -> None:
    told, requests = ask_live(tmp_path, completion(ROWS), make_call("a"), make_call("b"))
    assert requests == 2
    assert told["name"] == "model-a"
    assert told["is_live"] is True
    assert told["replies"] == [{"origin": "live", "from_journal": False, "count": 2}]
    assert told["missing"] == 0
    assert told["spent"] == {"calls": 2, "input_tokens": 200, "output_tokens": 40, "cached_tokens": 0, "usd": None}


def test_replies_of_an_earlier_session_are_told_apart_and_cost_nothing(tmp_path: Path) -> None:
    first, _ = ask_live(tmp_path, completion(ROWS), make_call("a"))
    told, requests = ask_live(tmp_path, error(500), make_call("a"))
    assert requests == 0
    assert told["replies"] == [{"origin": "live", "from_journal": True, "count": 1}]
    assert told["spent"]["calls"] == 0
    assert told["run_id"] != first["run_id"]


def test_the_cost_is_told_where_the_price_is_known(tmp_path: Path) -> None:
    prices = {"model-a": Price(input=1.0, output=10.0)}
    told, _ = ask_live(tmp_path, completion(ROWS), make_call("a"), prices=prices)
    assert told["spent"]["usd"] == pytest.approx(300e-6)


def test_failed_requests_count_as_spent(tmp_path: Path) -> None:
    told, requests = ask_live(tmp_path, completion("no JSON"), make_call("a"))
    assert told["spent"]["calls"] == requests == 1
    assert told["replies"] == []


def test_a_session_without_a_model_is_refused() -> None:
    for open_it in (
        lambda: open_live(Settings(model=None), NO_LIMIT, NO_LIMIT, print),
        lambda: open_recorded(Settings(model=None), None),
    ):
        with pytest.raises(SettingsError, match="EXTRACTOR_MODEL"):
            open_it()


@pytest.mark.parametrize(
    ("run", "document"), [(Limits(max_usd=1.0), NO_LIMIT), (NO_LIMIT, Limits(max_usd=1.0))], ids=["run", "document"]
)
def test_a_limit_in_money_needs_the_price(tmp_path: Path, run: Limits, document: Limits) -> None:
    settings = Settings(model="model-a", journal=str(tmp_path / "journal.sqlite"))
    with pytest.raises(SettingsError, match="price"):
        open_live(settings, run, document, print)


# ---------------------------------------------------------------- recorded


def test_a_replay_file_answers_as_its_model_whatever_is_set(tmp_path: Path) -> None:
    path = record(tmp_path / "replies.jsonl", "model-a")
    session = open_recorded(Settings(model=None, temperature=0.7, journal="none/of/these.sqlite"), path)
    ask(session, make_call())
    told = session.describe()
    assert (told["name"], told["is_live"], told["missing"]) == ("model-a", False, 0)
    assert told["replies"] == [{"origin": "simulated", "from_journal": True, "count": 1}]
    assert told["spent"]["calls"] == 0


def test_a_call_that_the_file_does_not_hold_is_missing_and_counted(tmp_path: Path) -> None:
    session = open_recorded(Settings(), record(tmp_path / "replies.jsonl", "model-a"))
    with pytest.raises(ReplyMissing):
        ask(session, make_call("another table"))
    assert session.describe()["missing"] == 1
    assert session.describe()["replies"] == []


def test_a_file_with_replies_of_several_models_needs_a_word(tmp_path: Path) -> None:
    path = record(tmp_path / "replies.jsonl", "model-a", "model-b")
    for wanted in (None, "model-c"):
        with pytest.raises(SettingsError, match=r"model-\w, model-\w.*--model"):
            open_recorded(Settings(model=wanted), path)
    session = open_recorded(Settings(model="model-b"), path)
    ask(session, make_call())
    assert session.model == "model-b"


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="none"):
        open_recorded(Settings(), record(tmp_path / "replies.jsonl"))


def test_a_file_that_is_none_of_replies_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    path.write_text("[]\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"replies\.jsonl:1"):
        open_recorded(Settings(), path)


def test_the_journal_answers_where_there_is_no_file(tmp_path: Path) -> None:
    settings = Settings(model="model-a", journal=str(tmp_path / "journal.sqlite"))
    with Journal.open(settings.journal) as journal:
        key = call_key(make_call(), "model-a", sampling_parameters(settings))
        journal.add(StoredReply(key, "applications", "model-a", {}, "1", "h", ROWS, "live"))
    missing: list[str] = []
    session = open_recorded(settings, None, lambda key, call: missing.append(call.user))
    with pytest.raises(ReplyMissing):
        ask(session, make_call(), make_call("another table"))
    assert missing == ["another table"]
    assert session.describe()["replies"] == [{"origin": "live", "from_journal": True, "count": 1}]
