"""The recorded replies of eval/replies: in step with the prompts, grounded, and worth no less than the rules alone.

They were written by hand or by the simulated reader. What is tested here is the path of a reply, never a model.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from extractor import load_document, process_document
from extractor.cli import app
from extractor.errors import SettingsError
from extractor.evaluation import FieldOutcome, Label, judge_fields, load_label
from extractor.evaluation.labels import find_document
from extractor.forms import fold_label
from extractor.model import Record
from extractor.settings import load_settings
from extractor.store.journal import Journal

ROOT = Path(__file__).parents[2]
REPLIES = ROOT / "eval" / "replies"
GOLD = sorted((ROOT / "eval" / "gold").glob("*.json"))
RESET = ROOT / "eval" / "gold" / "re-set"
RESET_LABELS = sorted((RESET / "labels").glob("*.json"))
DAMAGED = ROOT / "eval" / "gold" / "damaged"
DAMAGED_LABELS = sorted((DAMAGED / "labels").glob("*.json"))
HAND = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((REPLIES / "hand").glob("*.json"))}
FIXTURES = [path.stem for path in GOLD]
CORPUS = [stem for stem, hand in HAND.items() if hand["document"].startswith("corpus/")]
# Rows that a page break tore from their labels: a reader can put them back by order, the source does not show them.
TORN = "031_shanghai_kewei_2024_pdftext"


class Run(NamedTuple):
    """What one `extractor run` left behind."""

    exit_code: int
    output: str
    account: dict[str, Any]
    records: dict[str, Record]


def run(out: Path, paths: Sequence[Path], readers: str, replay: str, **environment: str) -> Run:
    """Run the program on its own, whatever the one who tests it has set."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("EXTRACTOR_")]:
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.chdir(out.parent)
        load_settings.cache_clear()
        options = ["--readers", readers, "--replay", str(REPLIES / replay), "--out", str(out)]
        result = CliRunner().invoke(app, ["run", *map(str, paths), *options])
    load_settings.cache_clear()
    assert (out / "run.json").is_file(), result.output
    lines = (out / "records.jsonl").read_text(encoding="utf-8").splitlines()
    records = [Record.model_validate_json(line) for line in lines]
    account = json.loads((out / "run.json").read_text(encoding="utf-8"))
    return Run(result.exit_code, result.output, account, {Path(one.document.path).stem: one for one in records})


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("by_hand") / "out"
    return run(out, [ROOT / "fixtures"], "auto", "fixtures.jsonl")


@pytest.fixture(scope="module", params=["both", "llm", "auto"])
def simulated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Run]:
    out = tmp_path_factory.mktemp("simulated") / "out"
    return request.param, run(out, [ROOT / "fixtures"], request.param, "simulated.jsonl")


@pytest.fixture(scope="module")
def corpus_by_hand(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("corpus") / "out"
    return run(out, [corpus.parent / HAND[stem]["document"] for stem in CORPUS], "auto", "corpus.jsonl")


@pytest.fixture(scope="module")
def gold(tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("gold") / "out"
    return run(out, [ROOT / "fixtures", RESET / "docs", DAMAGED / "docs"], "auto", "gold.jsonl")


def accepted(record: Record) -> set[str]:
    return {name for name, field in record.fields.items() if field.decision == "accepted"}


def codes(record: Record) -> set[str]:
    return {flag.code for flag in record.flags}


def load_builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("replies_build", REPLIES / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---------------------------------------------------------------- the files


def test_replay_files_are_in_step_with_prompts_and_answers() -> None:
    """`build.py --check` finds nothing to say; where there is no corpus it says that one file was not looked at."""
    command = [sys.executable, "-X", "utf8", str(REPLIES / "build.py"), "--check"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EXTRACTOR_")}
    result = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, encoding="utf-8", env=environment)  # noqa: S603
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("name", "origins", "model"),
    [
        ("fixtures.jsonl", ["written by hand"], "written-by-hand"),
        ("corpus.jsonl", ["written by hand"], "written-by-hand"),
        ("simulated.jsonl", ["simulated"], "simulated-reader"),
        ("gold.jsonl", ["simulated", "written by hand"], "no-model"),
    ],
)
def test_every_line_says_that_no_model_wrote_it(name: str, origins: list[str], model: str) -> None:
    header, *lines = map(json.loads, (REPLIES / name).read_text(encoding="utf-8").splitlines())
    assert header["origins"] == origins
    assert {(line["origin"], line["model"]) for line in lines} == {(origin, model) for origin in origins}
    assert {(line["input_tokens"], line["cost_usd"], "request" in line) for line in lines} == {(0, None, False)}
    assert [line["key"] for line in lines] == sorted(line["key"] for line in lines)


def test_answers_by_hand_keep_to_the_prompts_limits() -> None:
    """At most eight quotes of forty characters each, and every number within its quote."""
    for stem, reply in _narratives(HAND):
        for quotes in (reply["problems"], reply["measures"]):
            assert len(quotes) <= 8, stem
            assert max(map(len, quotes), default=0) <= 40, stem
        for fact in reply["facts"]:
            assert len(fact["quote"]) <= 40, stem
            assert fact["number"] in fact["quote"], stem


def _narratives(stems: Sequence[str] | dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for stem in stems:
        for answer in HAND[stem]["answers"]:
            if answer["task"] == "narrative":
                yield stem, answer["reply"]


# ---------------------------------------------------------------- replies written by hand


def test_run_on_the_sample_reports_finds_every_reply(by_hand: Run) -> None:
    assert by_hand.exit_code == 0, by_hand.output
    model = by_hand.account["model"]
    assert (model["is_live"], model["missing"], model["spent"]["calls"]) == (False, 0, 0)
    assert model["replies"] == [{"origin": "written by hand", "from_journal": True, "count": 5}]
    assert "5 written by hand" in by_hand.output
    assert "no server was asked" in by_hand.output
    assert sorted(by_hand.records) == FIXTURES


@pytest.mark.parametrize("stem", FIXTURES)
def test_every_quote_and_number_stands_in_its_report(by_hand: Run, stem: str) -> None:
    """Whatever was written by hand is in the record, at a place of the source, and nothing is said against it."""
    record = by_hand.records[stem]
    assert record.versions["replies"] == "written by hand"
    assert record.versions["model"] == "written-by-hand"
    assert codes(record) <= {"position-unknown", "positions-enumerated"}
    _assert_taken_over(record, stem, load_document(ROOT / HAND[stem]["document"]).text)


def _assert_taken_over(record: Record, stem: str, text: str) -> None:
    ((_, reply),) = _narratives([stem])
    for name in ("problems", "measures"):
        points = [field for field_id, field in record.fields.items() if field_id.startswith(f"narrative.{name}.")]
        assert sorted(fold_label(str(field.value)) for field in points) == sorted(map(fold_label, reply[name]))
        assert {field.decision for field in points} <= {"accepted"}
        assert all(field.raw == text[field.spans[0].start : field.spans[0].end] for field in points)
    for fact in reply["facts"]:
        field = record.fields[f"narrative.{fact['fact']}"]
        assert field.reader == "llm" or "llm" in field.confirmed_by


@pytest.mark.parametrize("label_path", GOLD, ids=lambda path: path.stem)
def test_replies_by_hand_take_nothing_from_the_rules(by_hand: Run, label_path: Path) -> None:
    _assert_no_worse(by_hand.records[label_path.stem], load_label(label_path), ROOT)


def _assert_no_worse(record: Record, label: Label, folder: Path) -> None:
    alone, outcomes = process_document(load_document(folder / label.file)), list(judge_fields(record, label))
    assert _wrong(outcomes) == []
    assert [field for field in outcomes if field.verdict == "invented"] == []
    assert _settled(judge_fields(alone, label)) <= _settled(outcomes)
    assert accepted(alone) <= accepted(record)


def _wrong(outcomes: Iterable[FieldOutcome]) -> list[FieldOutcome]:
    return [field for field in outcomes if field.is_wrong_and_accepted]


def _settled(outcomes: Iterable[FieldOutcome]) -> set[str]:
    return {field.field_id for field in outcomes if field.verdict == "right" and field.is_accepted}


# ---------------------------------------------------------------- simulated replies


def test_simulated_replies_answer_all_policies(simulated: tuple[str, Run]) -> None:
    _, done = simulated
    assert done.exit_code == 0, done.output
    assert done.account["model"]["missing"] == 0
    assert {item["origin"] for item in done.account["model"]["replies"]} == {"simulated"}
    assert {record.versions["replies"] for record in done.records.values()} == {"simulated"}
    assert "reply-missing" not in {code for record in done.records.values() for code in codes(record)}


@pytest.mark.parametrize("label_path", GOLD, ids=lambda path: path.stem)
def test_simulated_replies_bring_no_wrong_value(simulated: tuple[str, Run], label_path: Path) -> None:
    """With the rules beside it nothing is lost either; alone, what nothing else vouches for goes to review."""
    policy, done = simulated
    record, label = done.records[label_path.stem], load_label(label_path)
    if policy == "llm":
        assert _wrong(judge_fields(record, label)) == []
    else:
        assert not codes(record) & {"not-grounded", "reader-disagreement"}
        _assert_no_worse(record, label, ROOT)


# ---------------------------------------------------------------- all labelled documents


def test_one_file_answers_all_of_the_gold_set(gold: Run) -> None:
    assert gold.exit_code == 0, gold.output
    assert gold.account["model"]["missing"] == 0
    assert sorted(gold.records) == sorted([*FIXTURES, *(path.stem for path in (*RESET_LABELS, *DAMAGED_LABELS))])
    by_hand = json.loads((REPLIES / "fixtures.jsonl").read_text(encoding="utf-8").splitlines()[0])["replies"]
    counts = {item["origin"]: item["count"] for item in gold.account["model"]["replies"]}
    assert counts["written by hand"] == by_hand
    assert counts.keys() == {"written by hand", "simulated"}


def test_every_record_says_who_answered(gold: Run, by_hand: Run) -> None:
    """The fixtures' answers are those of the hand, under another name; the others' are simulated."""
    asked = {stem: record for stem, record in gold.records.items() if "replies" in record.versions}
    assert asked.keys() >= {*FIXTURES, "damaged_page_numbers"}
    for stem, record in asked.items():
        assert record.versions["replies"] == ("written by hand" if stem in FIXTURES else "simulated")
        assert record.versions["model"] == "no-model"
    assert [gold.records[stem].fields for stem in FIXTURES] == [by_hand.records[stem].fields for stem in FIXTURES]


@pytest.mark.parametrize("label_path", [*RESET_LABELS, *DAMAGED_LABELS], ids=lambda path: path.stem)
def test_replies_to_documents_made_here_bring_no_wrong_value(gold: Run, label_path: Path) -> None:
    """Nothing wrong is accepted, and nothing right is lost."""
    label = load_label(label_path)
    document = find_document(label_path, label.file)
    assert document is not None
    outcomes = list(judge_fields(gold.records[label_path.stem], label))
    assert _wrong(outcomes) == []
    assert _settled(judge_fields(process_document(load_document(document)), label)) <= _settled(outcomes)


def test_build_tells_a_labelled_document_that_is_not_there(tmp_path: Path) -> None:
    shutil.copy(RESET_LABELS[0], tmp_path)
    with Journal.open(":memory:") as journal:
        problems = load_builder().build_simulated(journal, tmp_path)
    file = json.loads(RESET_LABELS[0].read_text(encoding="utf-8"))["file"]
    assert problems == [f"{file}: not there, and {RESET_LABELS[0].name} is its label"]


# ---------------------------------------------------------------- the reports beside the checkout


def test_run_on_the_corpus_finds_every_reply(corpus_by_hand: Run) -> None:
    assert corpus_by_hand.exit_code == 0, corpus_by_hand.output
    assert corpus_by_hand.account["model"]["missing"] == 0
    assert {record.versions["replies"] for record in corpus_by_hand.records.values()} == {"written by hand"}


@pytest.mark.parametrize("stem", CORPUS)
def test_replies_by_hand_to_the_corpus(corpus: Path, corpus_by_hand: Run, stem: str) -> None:
    """Only the torn rows do not stand where the reader put them; no cut of digits that run together is accepted."""
    record, label = corpus_by_hand.records[stem], load_label(corpus / "labels" / f"{stem}.json")
    _assert_no_worse(record, label, corpus.parent)
    _assert_taken_over(record, stem, load_document(corpus.parent / HAND[stem]["document"]).text)
    assert ("not-grounded" in codes(record)) == (stem == TORN)
    assert "reader-disagreement" not in codes(record)


# ---------------------------------------------------------------- what is no longer in step


def test_changed_prompt_leaves_every_question_without_its_reply(by_hand: Run, tmp_path: Path) -> None:
    """The run says so, every record is partial and flagged; what the rules read is as before."""
    prompts = tmp_path / "prompts"
    prompts.mkdir()
    shutil.copy(ROOT / "prompts" / "narrative.md", prompts)
    with (prompts / "narrative.md").open("a", encoding="utf-8") as file:
        file.write("\n再核对一遍。\n")
    changed = run(tmp_path / "out", [ROOT / "fixtures"], "auto", "fixtures.jsonl", EXTRACTOR_PROMPTS_DIR=str(prompts))
    assert changed.exit_code == 0, changed.output
    assert (changed.account["model"]["missing"], changed.account["model"]["replies"]) == (5, [])
    assert "5 questions have no recorded reply" in changed.output
    for stem, record in changed.records.items():
        assert "reply-missing" in codes(record)
        assert (record.status, record.ledger["narrative"]) == ("partial", "failed")
        assert "replies" not in record.versions
        points = ("narrative.problems.", "narrative.measures.")
        kept = {name: field for name, field in by_hand.records[stem].fields.items() if not name.startswith(points)}
        assert {name: (field.value, field.decision) for name, field in record.fields.items()} == {
            name: (field.value, field.decision) for name, field in kept.items()
        }


def build(folder: Path, answers: list[dict[str, Any]], **other: str) -> tuple[list[str], int]:
    """Build from one file of answers to the third report; the problems, and how many replies were kept."""
    hand = {"document": HAND[FIXTURES[2]]["document"], "origin": "written by hand", "answers": answers} | other
    (folder / "one.json").write_text(json.dumps(hand, ensure_ascii=False), encoding="utf-8")
    with Journal.open(":memory:") as journal:
        problems = load_builder().build_by_hand(folder, journal, of_corpus=False)
        return problems, journal.export_replies(folder / "one.jsonl")


def test_build_asks_for_the_answer_that_is_missing(tmp_path: Path) -> None:
    problems, kept = build(tmp_path, [])
    assert kept == 0
    (problem,) = problems
    assert problem.startswith("fixtures/002_2aa3b087b6fd8b19.txt: task narrative, section -, part 0: no answer in one")
    assert "我乡政府信息公开工作取得了一定成效" in problem


def test_build_refuses_an_answer_that_nobody_asks_for(tmp_path: Path) -> None:
    right = HAND[FIXTURES[2]]["answers"]
    surplus = {"task": "row", "section": "applications", "part": 0, "reply": {"rows": []}}
    problems, kept = build(tmp_path, [*right, surplus])
    assert kept == 1
    (problem,) = problems
    assert "task row, section applications, part 0" in problem
    assert "no call asks for" in problem


def test_build_refuses_an_answer_of_another_form(tmp_path: Path) -> None:
    problems, kept = build(tmp_path, [{"task": "narrative", "section": None, "part": 0, "reply": {"rows": []}}])
    assert kept == 0
    assert "does not fit the schema" in problems[0]


def test_build_takes_only_what_says_that_it_is_written_by_hand(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="origin is 'live'"):
        build(tmp_path, HAND[FIXTURES[2]]["answers"], origin="live")
