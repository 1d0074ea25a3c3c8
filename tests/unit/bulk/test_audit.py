"""The audit sample: its share, that others never change it, and that nobody can tell it from the rest of the queue."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from extractor.bulk.audit import has_accepted, is_in_sample
from extractor.bulk.run import RunSummary
from extractor.model import Record
from extractor.review.sampling import select_audit
from extractor.settings import Settings
from tests.bulk_runs import run_bulk
from tests.unit.confidence.records import A, B, field, record

FIXTURES = Path(__file__).parents[3] / "fixtures"
IDS = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(4000)]
SOME_IDS = st.lists(st.sampled_from(IDS), unique=True, max_size=60)
SHARES = st.floats(0, 1)


# ---------------------------------------------------------------- the choice


@given(ids=SOME_IDS, more=SOME_IDS, share=SHARES, salt=st.text(max_size=5))
def test_more_documents_never_change_the_choice(ids: list[str], more: list[str], share: float, salt: str) -> None:
    alone, together = select_audit(ids, share, salt), select_audit([*more, *ids], share, salt)
    assert alone == together & set(ids)


@given(ids=SOME_IDS, shares=st.tuples(SHARES, SHARES))
def test_a_larger_share_keeps_what_a_smaller_one_chose(ids: list[str], shares: tuple[float, float]) -> None:
    assert select_audit(ids, min(shares), "") <= select_audit(ids, max(shares), "")


@given(share=SHARES, salt=st.text(max_size=5))
def test_the_share_is_met_in_expectation(share: float, salt: str) -> None:
    """No exact share is promised, for documents are chosen each by itself; but no other share explains the count."""
    count = len(select_audit(IDS, share, salt))
    assert binomtest(count, len(IDS), share).pvalue > 1e-6


def test_none_and_all() -> None:
    assert select_audit(IDS, 0, "") == frozenset()
    assert select_audit(IDS, 1, "") == frozenset(IDS)


def test_another_salt_is_another_sample_of_its_own() -> None:
    one, other = select_audit(IDS, 0.2, "spring"), select_audit(IDS, 0.2, "autumn")
    both = len(one & other)
    assert binomtest(both, len(one), 0.2).pvalue > 1e-6  # one salt says nothing about another


def test_only_a_document_with_an_accepted_field_is_chosen() -> None:
    doubted, accepted = record({A: field(decision="review")}), record({A: field(decision="review"), B: field()})
    for one in (doubted, record({})):
        assert not has_accepted(one)
        assert not is_in_sample(one, Settings(audit_share=1))
    assert has_accepted(accepted)
    assert is_in_sample(accepted, Settings(audit_share=1))
    assert not is_in_sample(accepted, Settings(audit_share=0))


# ---------------------------------------------------------------- a run


def run(out: Path, **settings: Any) -> RunSummary:
    return run_bulk([FIXTURES], out, Settings(**settings))


def read_queue(out: Path) -> list[dict[str, str]]:
    with (out / "queue.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def read_records(out: Path) -> dict[str, Record]:
    lines = (out / "records.jsonl").read_text(encoding="utf-8").splitlines()
    return {one.document.id or "": one for one in map(Record.model_validate_json, lines)}


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    run(out, audit_share=0.5)
    return out


def test_without_an_audit_the_queue_is_what_is_in_review(tmp_path: Path) -> None:
    run(tmp_path)
    wanted = [
        (document_id, name)
        for document_id, one in read_records(tmp_path).items()
        for name, item in one.fields.items()
        if item.decision == "review"
    ]
    assert [(row["document"], row["field"]) for row in read_queue(tmp_path)] == wanted
    assert len(wanted) == 176


def test_an_audited_document_is_in_the_queue_with_all_its_fields(audited: Path) -> None:
    account = json.loads((audited / "run.json").read_text(encoding="utf-8"))["audit"]
    chosen = select_audit(read_records(audited), 0.5, "")
    assert 0 < len(chosen) < 5  # else this test says nothing
    assert (set(account["ids"]), account["documents"], account["eligible"]) == (chosen, len(chosen), 5)
    assert account["share"] == 0.5
    queued: dict[str, list[str]] = {}
    for row in read_queue(audited):
        queued.setdefault(row["document"], []).append(row["field"])
    for document_id, one in read_records(audited).items():
        doubted = [name for name, item in one.fields.items() if item.decision == "review"]
        assert queued.get(document_id, []) == (list(one.fields) if document_id in chosen else doubted)


def test_the_lines_of_one_document_stand_together(audited: Path) -> None:
    order = [row["document"] for row in read_queue(audited)]
    assert len(set(order)) == sum(one != other for one, other in zip(order, [None, *order], strict=False))


def test_a_line_is_the_same_whether_it_is_doubted_or_audited(audited: Path, tmp_path: Path) -> None:
    """A line says the same whether its document is audited or not, and no column has the reason for it."""
    run(tmp_path)
    doubted = {(row["document"], row["field"]): row for row in read_queue(tmp_path)}
    both = [row for row in read_queue(audited) if (row["document"], row["field"]) in doubted]
    assert both
    assert all(row == doubted[row["document"], row["field"]] for row in both)
    told = {"decision", "p_wrong", "code", "severity", "message", "accepted", "audit", "basis"}
    assert told.isdisjoint(read_queue(audited)[0])


def test_only_the_account_of_the_run_and_the_queue_know_of_the_audit(audited: Path, tmp_path: Path) -> None:
    run(tmp_path)
    for name in ("records.jsonl", "values.csv", "flags.csv", "table.parquet"):
        assert (audited / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_the_salt_stays_with_the_operator(tmp_path: Path) -> None:
    run(tmp_path, audit_share=1, audit_salt="pepper")
    written = [path for path in tmp_path.iterdir() if path.suffix in (".json", ".jsonl", ".csv")]
    assert written
    assert not any("pepper" in path.read_text(encoding="utf-8") for path in written)
