"""The table of peers: one model for all programs, one measure for all programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from eval.bench import peers
from eval.bench.peers_documents import Case, load_cases
from eval.bench.peers_misreading import LEVELS, form_beliefs, read_number
from eval.bench.peers_model import CommonModel, fill_fields
from eval.bench.peers_run import PROGRAMS, Bench, Program
from eval.bench.peers_spans import list_spans
from eval.bench.peers_verdict import Said, judge, judge_reply, judge_zeros
from extractor.llm.prompts import describe_table, load_prompt, row_numbers
from tests.loopback.messages import ChatRequest

SEED = 1
LOST_COLUMNS = "001_6bf7699e84e20962.txt"


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return load_cases(["fixtures", "re-set"])


@pytest.fixture(scope="module")
def fixtures(cases: list[Case]) -> list[Case]:
    return [case for case in cases if case.kind == "fixtures"]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("peers")
    with peers.serve(folder, ["fixtures"], SEED) as (base_url, log):
        yield Bench(base_url, log, Path(sys.executable), folder, 4)


def find_program(name: str) -> Program:
    return next(program for program in PROGRAMS if program.name == name)


# ---------------------------------------------------------------- the model


@pytest.mark.parametrize("level", ["1", "5"])
def test_the_stated_share_of_values_is_misread(cases: list[Case], level: str) -> None:
    beliefs = form_beliefs(cases, LEVELS[level], SEED)
    assert beliefs == form_beliefs(cases, LEVELS[level], SEED)
    values = sum(len(case.truth.cells) for case in cases)
    spoiled = sum(len(belief.spoiled) for belief in beliefs.values())
    assert spoiled == pytest.approx(LEVELS[level].rate * values, abs=8)  # one mistake is up to 14 values
    for case in cases:
        assert set(find_differences(case, beliefs[case.name].rows)) == beliefs[case.name].spoiled


def find_differences(case: Case, rows: Any) -> Iterator[str]:
    for section in case.sections:
        for row in section.rows:
            if f"{section.id}.{row.id}" in case.truth.tokens:
                continue
            for column, cell in zip(row.columns, rows.get((section.id, row.id), ()), strict=False):
                if case.truth.cells[section.field_id(row.id, column.id)] != cell:
                    yield section.field_id(row.id, column.id)


def test_without_mistakes_all_is_believed_as_printed_and_lost_columns_are_not_guessed(fixtures: list[Case]) -> None:
    honest, guessing = (form_beliefs(fixtures, LEVELS[name], SEED)[LOST_COLUMNS] for name in ("0", "guess"))
    assert not honest.spoiled
    assert (honest.guessed, guessing.guessed) == (0, 26)
    assert guessing.rows["applications", "new_received"] == ("0",) * 7
    assert ("applications", "new_received") not in honest.rows


def test_whoever_asks_is_told_the_same(cases: list[Case]) -> None:
    """The same mistakes in the shape of named fields, of spans, and of our own prompt."""
    beliefs = form_beliefs(cases, LEVELS["5"], SEED)
    model = CommonModel(cases, SEED, lambda *_: None)
    case = next(case for case in cases if case.name == "reset_c001_tab_rows.txt")
    belief, shown = beliefs[case.name], case.path.read_text(encoding="utf-8")
    assert belief.spoiled
    fields = fill_fields({field_id.replace(".", "__"): {} for field_id in case.values}, case, belief, shown)
    by_name = {name.replace("__", "."): value for name, value in fields.items()}
    spans: dict[str, Any] = {}
    for span in list_spans(case, belief, shown):
        kind = next(iter(span))
        attributes = dict(span[f"{kind}_attributes"])
        row = attributes.pop("row", None)
        spans |= {f"{kind}.{row}.{name}": read_number(text) for name, text in attributes.items() if row and text}
    assert {name: by_name[name] for name in spans} == spans
    assert len(spans) == len(case.values)
    for section in case.sections:
        ours = ask_as_we_do(model, case, section)
        assert ours == {name: by_name[name] for name in ours}
        assert len(ours) == len(section.fields)


def ask_as_we_do(model: CommonModel, case: Case, section: Any) -> dict[str, Any]:
    import json

    system = load_prompt(section.id).render(**describe_table(section))
    start = case.truth.view.index(
        {"proactive_disclosure": "第二十条", "applications": "三、收到"}.get(section.id, "四、")
    )
    user = f"<text 1>\n{case.truth.view[start:]}\n</text 1>"
    messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    reply = json.loads(model(ChatRequest(1, {"model": "reader-5-0-re-set", "messages": messages})).content or "")
    rows = row_numbers(section)
    return {
        section.field_id(rows[number], column.id): read_number(cell)
        for number, *cells in reply["rows"]
        for column, cell in zip(section.rows_by_id[rows[number]].columns, cells, strict=True)
    }


@pytest.mark.parametrize(
    ("text", "number"), [("11", 11), ("984361元", 984361), ("0.5", 0.5), ("/", None), (None, None)]
)
def test_a_printed_text_as_a_number(text: str | None, number: float | None) -> None:
    assert read_number(text) == number


# ---------------------------------------------------------------- the measure


def test_every_way_to_be_wrong_is_counted(fixtures: list[Case]) -> None:
    case = next(case for case in fixtures if case.name.startswith("000"))
    eleven, zero, other = (
        "proactive_disclosure.licences.decisions",
        "proactive_disclosure.penalties.decisions",
        "proactive_disclosure.coercion.decisions",
    )
    said = {eleven: Said(11, True), zero: Said(7, True), other: Said(Decimal("3"), False)}
    tally = judge(case, {**said, "narrative.website_items": Said(41, True)})
    assert (tally.printed, tally.nonzero, tally.right, tally.nonzero_accepted) == (200, 1, 1, 1)
    assert (tally.wrong, tally.missing, tally.accepted_wrong, tally.silent) == (2, 197, 1, 1)
    assert (tally.facts, tally.facts_right, tally.facts_accepted_wrong) == (2, 0, 1)
    lost = next(case for case in fixtures if case.name == LOST_COLUMNS)
    made_up = judge(lost, {"applications.new_received.total": Said(0, True)})
    assert (made_up.invented, made_up.accepted_wrong, made_up.wrong) == (1, 1, 0)


def test_ungrounded_values_are_not_accepted_and_a_guess_of_zero_is_mostly_right(fixtures: list[Case]) -> None:
    case = next(case for case in fixtures if case.name.startswith("000"))
    eleven = "proactive_disclosure.licences.decisions"
    tallies = [judge_reply(case, {"said": {eleven: "12"}, "grounded": grounded}) for grounded in (None, [eleven], [])]
    assert [tally.accepted_wrong for tally in tallies] == [1, 1, 0]
    zeros = sum(map(judge_zeros, fixtures[1:]), judge_zeros(fixtures[0]))
    assert (zeros.printed, zeros.right, zeros.invented) == (807, 803, 193)


# ---------------------------------------------------------------- real runs over HTTP


def test_a_plain_call_reads_all_that_the_model_knows_and_vouches_for_its_mistakes(
    bench: Bench, fixtures: list[Case]
) -> None:
    run = bench.run(find_program("instructor"), {"fixtures": fixtures}, "guess", 0.0)["fixtures"]
    assert (run.calls, run.tally.right, run.tally.facts_right, run.tally.unread) == (5, 807, 9, 0)
    assert (run.tally.accepted_wrong, run.tally.silent) == (176, 1)
    assert run.schema > run.output > run.input / 5 > 0


def test_without_a_model_no_call_is_counted(bench: Bench, fixtures: list[Case]) -> None:
    run = bench.run(find_program("regular expressions"), {"fixtures": fixtures}, "0", 0.0)["fixtures"]
    assert (run.calls, run.tally.right, run.tally.invented) == (0, 807, 0)


def test_ours_accepts_no_guess(bench: Bench, fixtures: list[Case]) -> None:
    run = bench.run(find_program("ours, both"), {"fixtures": fixtures}, "guess", 0.0)["fixtures"]
    assert run.calls >= len(fixtures)
    assert (run.tally.right, run.tally.accepted_wrong, run.tally.unread) == (807, 0, 0)


def test_a_peer_that_is_not_installed_is_named(bench: Bench) -> None:
    versions = bench._replace(python=None).find_versions()
    assert set(versions) == {"docling-slim", "instructor", "langextract", "markitdown", "pandas"}
    assert set(versions.values()) == {None}
