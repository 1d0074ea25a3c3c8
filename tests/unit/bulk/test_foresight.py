"""What a run would ask is found out without asking, call by call and token by token."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import flatten
import pytest

from extractor.bulk.foresight import Foresight, foresee_calls
from extractor.bulk.plan import open_plan
from extractor.bulk.progress import Progress
from extractor.errors import SettingsError
from extractor.llm.calls import Call, Reply, Usage, call_key, sampling_parameters
from extractor.llm.prompts import load_prompt
from extractor.llm.tokens import count_tokens
from extractor.pipeline import process_with_model
from extractor.readers.llm import LlmReader
from extractor.readers.policy import Policy
from extractor.settings import Settings
from extractor.sources import load_document
from extractor.store.journal import Journal
from extractor.store.rows import StoredReply
from tests.unit.readers.llm.scripted import numbers

ALL_TASKS = {"header", "proactive_disclosure", "applications", "review_litigation", "narrative"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two reports with nothing open in their tables, and one with a row that no rule can read."""
    docs = tmp_path / "docs"
    docs.mkdir()
    for number, changes in enumerate(({}, {"applications__carried_out__total": "1件多"}, {}), start=1):
        text = flatten.tab_rows(flatten.build_tables("2021", numbers(**changes))).decode()
        text = text.replace("有待加强", f"有待第{number}次加强")
        (docs / f"{number}.txt").write_text(text, encoding="utf-8")
    return docs


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(model="m", journal=str(tmp_path / "journal.sqlite"))


def look(
    folder: Path,
    settings: Settings,
    policy: Policy = "auto",
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_call: Callable[[str, Call], None] = lambda key, call: None,
) -> Foresight:
    with open_plan([str(folder)], None, settings=settings, on_progress=lambda progress: None) as plan:
        return foresee_calls(plan, policy, settings, on_progress, on_call)


def foresee(folder: Path, settings: Settings, policy: Policy = "auto") -> tuple[Counter[str], list[Call]]:
    calls: list[Call] = []
    found = look(folder, settings, policy, on_call=lambda key, call: calls.append(call))
    assert found.calls == Counter(call.task for call in calls)
    return found.calls, calls


def test_calls_are_counted_by_task(folder: Path, settings: Settings) -> None:
    counts, _ = foresee(folder, settings)
    assert counts["narrative"] == 3
    assert counts["applications"] == 1
    assert counts["proactive_disclosure"] == counts["review_litigation"] == 0


@pytest.mark.parametrize("policy", ["both", "llm"])
def test_calls_that_documents_share_are_counted_once(folder: Path, settings: Settings, policy: Policy) -> None:
    """Three documents print the same tables, but for one row."""
    counts, _ = foresee(folder, settings, policy)
    assert counts == {
        "header": 3,
        "narrative": 3,
        "applications": 2,
        "proactive_disclosure": 1,
        "review_litigation": 1,
    }
    assert set(counts) == ALL_TASKS


def test_nothing_is_sent_and_nothing_is_kept(folder: Path, settings: Settings) -> None:
    """No server is there to send to."""
    foresee(folder, settings.model_copy(update={"base_url": "http://127.0.0.1:9"}))
    with Journal.open(settings.journal) as journal:
        assert journal.spent().calls == 0


def test_tokens_are_those_of_the_calls(folder: Path, settings: Settings) -> None:
    calls: list[Call] = []
    found = look(folder, settings, on_call=lambda key, call: calls.append(call))
    assert found.input_tokens == sum(count_tokens(call.system) + count_tokens(call.user) for call in calls)
    assert found.most_output_tokens == sum(load_prompt(call.task).max_output_tokens for call in calls)
    assert 0 < found.output_tokens < found.most_output_tokens


def test_what_the_journal_holds_is_counted_apart(folder: Path, settings: Settings) -> None:
    _, calls = foresee(folder, settings)
    known = next(call for call in calls if call.task == "narrative")
    key = call_key(known, "m", sampling_parameters(settings))
    with Journal.open(settings.journal) as journal:
        reply = '{"facts":[],"problems":[],"measures":[]}'
        journal.add(StoredReply(key, "narrative", "m", {}, "1", "h", reply, "live"))
    found = look(folder, settings)
    assert found.on_record == 1
    assert found.calls.total() == len(calls) - 1


def test_keys_are_those_that_a_run_asks_with(folder: Path, settings: Settings) -> None:
    """What a batch answers under these keys, a run finds."""
    foreseen: set[str] = set()
    look(folder, settings, "both", on_call=lambda key, call: foreseen.add(key))
    asked: set[str] = set()

    class Noting:
        async def ask(self, call: Call) -> Reply:
            key = call_key(call, "m", sampling_parameters(settings))
            if call.task != "row":
                asked.add(key)
            value = call.schema.model_construct(rows=[], facts=[], problems=[], measures=[])
            if call.task == "header":
                value = call.schema.model_validate(dict.fromkeys(call.schema.model_fields))
            return Reply(key, value, Usage(), "simulated")

    async def ask() -> None:
        for path in sorted(folder.iterdir()):
            document = load_document(path, settings)
            await process_with_model(document, (), LlmReader(Noting(), "m", settings), "both")

    asyncio.run(ask())
    assert asked == foreseen


def test_documents_that_cannot_be_read_are_counted_apart(folder: Path, settings: Settings) -> None:
    (folder / "4.txt").write_bytes(b"")
    seen: list[Progress] = []
    found = look(folder, settings, on_progress=seen.append)
    assert (found.documents, found.failed) == (3, 1)
    assert {(item.stage, item.total) for item in seen} == {("read", 4)}
    assert [item.done for item in seen] == sorted(item.done for item in seen)
    assert (seen[-1].done, seen[-1].failed) == (4, 1)


def test_equal_files_are_one_document(folder: Path, settings: Settings) -> None:
    (folder / "4.txt").write_bytes((folder / "1.txt").read_bytes())
    assert look(folder, settings).documents == 3


def test_without_a_model_there_is_nothing_to_foresee(folder: Path, settings: Settings) -> None:
    with pytest.raises(SettingsError, match="EXTRACTOR_MODEL"):
        foresee(folder, settings.model_copy(update={"model": None}))
