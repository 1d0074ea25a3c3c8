"""Whatever a server does wrong, over real HTTP: no document is lost, no value is wrong, nothing is paid for twice.

Two fixtures and three made documents are read by both readers while the server shows one kind of fault to a share of
the requests. Waiting between two tries is left out; all else is as in a run.
"""

from __future__ import annotations

import asyncio
import random
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import flatten
import pytest

from extractor.bulk.flow import ModelPart, process_concurrently
from extractor.bulk.works import Made, Work
from extractor.llm.asker import JournalAsker
from extractor.llm.budget import Budget, Limits
from extractor.llm.calls import ServerRefused, sampling_parameters
from extractor.llm.client import ModelClient
from extractor.llm.session import Session
from extractor.model import CellState, Origin, Record
from extractor.pipeline import process_document
from extractor.readers.policy import Policy
from extractor.settings import Settings
from extractor.sources import load_document
from extractor.store.journal import Journal
from extractor.store.replay import read_replies
from tests.loopback.answerers import CALL_DIGITS, CALL_HEADER
from tests.loopback.faults import KINDS, FaultKind, FaultPlan, NoFaults, SeededFaults
from tests.loopback.generated import generate
from tests.loopback.labelled import load_truths
from tests.loopback.records import Seen
from tests.loopback.server import running_server
from tests.loopback.simulated import SimulatedReader
from tests.loopback.truths import Truth

ROOT = Path(__file__).parents[2]
SEED = 7
RATE = 0.3
#: The fault that ends a run.
STOPPING: FaultKind = "quota_spent"
#: Faults after which there is a reply, and none of use.
SPOILING = {"invalid_json", "wrong_schema", "empty", "refusal", "content_filter", "truncated"}
#: A call that failed for good leaves one of these.
FAILURES = {
    "call-failed",
    "server-unavailable",
    "reply-truncated",
    "reply-refused",
    "reply-filtered",
    "reply-invalid",
}


@dataclass(frozen=True)
class Library:
    """Documents on disk, what they print, and what is read of them while all goes well."""

    works: Sequence[Work]
    truths: Mapping[str, Truth]
    alone: Mapping[str, Record]
    at_peace: Mapping[str, Record]


def make_documents(folder: Path) -> list[Truth]:
    """Three layouts, some cells empty."""
    truths = []
    for seed, layout in enumerate(("tab_rows", "html_page", "pipe_cells_dropped")):
        rng = random.Random(seed)
        values = flatten.as_printed(flatten.make_values("2021", seed))
        made = generate(layout, "2021", {name: "" if rng.random() < 0.05 else text for name, text in values.items()})
        (folder / f"{layout}.txt").write_bytes(made.raw)
        truths.append(made.truth)
    return truths


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("documents")
    labelled = [truth for truth in load_truths([ROOT / "eval" / "gold"]) if truth.name[:3] in ("000", "001")]
    for truth in labelled:
        shutil.copy(ROOT / "fixtures" / f"{truth.name}.txt", folder)
    truths = [*labelled, *make_documents(folder)]
    paths = sorted(str(path) for path in folder.iterdir())
    works = [Work(path, None, (Origin(path=path),), len(paths)) for path in paths]
    alone = {Path(work.path).stem: process_document(load_document(Path(work.path)), work.origins) for work in works}
    known = {truth.name: truth for truth in truths}
    library = Library(works, known, alone, {})
    records, _ = read_all(library, NoFaults(), tmp_path_factory.mktemp("journal"))
    return Library(works, known, alone, records)


def read_all(
    library: Library, faults: FaultPlan, folder: Path, policy: Policy = "both", **given: object
) -> tuple[dict[str, Record], list[Seen]]:
    """Read all documents; also what the server saw."""
    with running_server(SimulatedReader(library.truths.values()), faults) as server:
        usual = {"call_attempts": 3, "call_timeout_s": 20.0, "reply_mode": "json_schema", "concurrency": 8}
        settings = Settings(
            model="m", base_url=server.base_url, journal=str(folder / "journal.sqlite"), **(usual | given)
        )
        part = ModelPart.build(policy, open_session(settings), settings)
        records: dict[str, Record] = {}
        for work, made in process_concurrently(library.works, part, settings):
            assert isinstance(made, Made), made
            records[Path(work.path).stem] = made.record
        return records, server.chats


def open_session(settings: Settings) -> Session:
    """As open_live, without waiting between two tries."""

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)

    budget, journal = Budget(Limits(), Limits(), None), Journal.open(settings.journal)
    asker = JournalAsker("m", sampling_parameters(settings), journal)
    asker.client = ModelClient(settings, budget=budget, on_attempt=asker.book, sleep=sleep)
    return Session(asker, journal, asker.client, budget)


# ---------------------------------------------------------------- what must hold


def accepted_wrong(records: Mapping[str, Record], library: Library) -> Iterator[str]:
    for name, record in records.items():
        cells = library.truths[name].cells
        for field_id, field in record.fields.items():
            if field.decision == "accepted" and field_id in cells:
                said = None if field.state is CellState.BLANK else field.raw
                if said != cells[field_id]:
                    yield f"{name} {field_id}: printed {cells[field_id]!r}, accepted {said!r}"


def codes(record: Record) -> set[str]:
    return {flag.code for flag in record.flags}


def answered(seen: Seen) -> bool:
    """Whether the client had a reply of use from this request."""
    return seen.status == 200 and (seen.fault is None or seen.fault.kind in ("slow", "no_usage"))


def assert_sound(records: Mapping[str, Record], chats: Sequence[Seen], library: Library) -> None:
    assert set(records) == set(library.alone)
    assert list(accepted_wrong(records, library)) == []
    for name, record in records.items():
        if not codes(record) & FAILURES:
            assert record == library.at_peace[name]
        for field_id, field in library.alone[name].fields.items():
            now = record.fields[field_id]
            assert (now.state, now.value) == (field.state, field.value) or now.reader == "llm", field_id
    useful = Counter(seen.http.headers[CALL_HEADER] for seen in chats if answered(seen))
    assert set(useful.values()) == {1}
    last = {seen.http.headers[CALL_HEADER]: seen for seen in chats}
    assert all(answered(last[key]) for key in useful)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in (STOPPING, "hang", "slow")])
def test_one_kind_of_fault(kind: FaultKind, library: Library, tmp_path: Path) -> None:
    faults = SeededFaults(SEED, {kind: RATE})
    records, chats = read_all(library, faults, tmp_path)
    assert {hit.fault.kind for hit in faults.hits} == {kind}
    assert_sound(records, chats, library)
    if kind in ("refusal", "content_filter"):
        assert any(codes(record) & FAILURES for record in records.values())
    elif kind not in SPOILING:  # three tries are enough for most
        assert sum(record == library.at_peace[name] for name, record in records.items()) >= len(records) / 2


@pytest.mark.parametrize(("kind", "seconds"), [("hang", 0.0), ("slow", 0.05)])
def test_a_server_that_takes_its_time(kind: FaultKind, seconds: float, library: Library, tmp_path: Path) -> None:
    faults = SeededFaults(SEED, {kind: 0.1}, limit=1, seconds=seconds)
    records, chats = read_all(library, faults, tmp_path, call_timeout_s=3.0)
    assert {hit.fault.kind for hit in faults.hits} == {kind}
    assert_sound(records, chats, library)


@pytest.mark.parametrize("policy", ["auto", "llm"])
def test_all_kinds_together_and_then_peace(policy: Policy, library: Library, tmp_path: Path) -> None:
    """The same run again, once the server works, makes every document as if nothing had been."""
    rates = dict.fromkeys((kind for kind in KINDS if kind not in (STOPPING, "hang")), 0.04)
    records, chats = read_all(library, SeededFaults(SEED, rates), tmp_path, policy)
    assert set(records) == set(library.alone)
    assert list(accepted_wrong(records, library)) == []
    kept = {seen.http.headers[CALL_HEADER] for seen in chats if answered(seen)}
    again, later = read_all(library, NoFaults(), tmp_path, policy)
    assert kept.isdisjoint(seen.http.headers[CALL_HEADER] for seen in later)
    (tmp_path / "peace").mkdir()
    peace, _ = read_all(library, NoFaults(), tmp_path / "peace", policy)
    assert again == peace


def test_without_any_reply_the_rules_say_what_they_can(library: Library, tmp_path: Path) -> None:
    records, _ = read_all(library, SeededFaults(SEED, {"server_error": 1.0}), tmp_path)
    assert {record.status.value for record in records.values()} == {"partial"}
    for name, record in records.items():
        assert {key: (field.state, field.value, field.decision) for key, field in record.fields.items()} == {
            key: (field.state, field.value, field.decision) for key, field in library.alone[name].fields.items()
        }


def test_an_account_without_credit_ends_the_run_and_keeps_what_was_answered(library: Library, tmp_path: Path) -> None:
    with pytest.raises(ServerRefused, match="credit"):
        read_all(library, SeededFaults(SEED, {STOPPING: 0.2}), tmp_path)
    with Journal.open(str(tmp_path / "journal.sqlite")) as journal:
        journal.export_replies(tmp_path / "kept.jsonl")
    kept = {reply.key[:CALL_DIGITS] for reply in read_replies(tmp_path / "kept.jsonl")}
    assert kept
    records, chats = read_all(library, NoFaults(), tmp_path)
    assert records == library.at_peace
    assert kept.isdisjoint(seen.http.headers[CALL_HEADER] for seen in chats)
