"""extractor eval through its front door: what is asked of whom, what goes to stdout, exit codes."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from extractor.cli import app
from extractor.evaluation.result import load_evaluation
from extractor.settings import load_settings
from tests.loopback.labelled import load_truth
from tests.loopback.server import running_server
from tests.loopback.simulated import SimulatedReader

ROOT = Path(__file__).parents[2]
REPLIES = str(ROOT / "eval" / "replies" / "fixtures.jsonl")
SEEDS = ("000_c61908031b779533", "001_6bf7699e84e20962")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two reports of the gold with their labels, as the working directory; nothing set in the environment."""
    for place in ("fixtures", "gold"):
        (tmp_path / place).mkdir()
    for seed in SEEDS:
        shutil.copy(ROOT / "fixtures" / f"{seed}.txt", tmp_path / "fixtures")
        shutil.copy(ROOT / "eval" / "gold" / f"{seed}.json", tmp_path / "gold")
    for name in [name for name in os.environ if name.startswith("EXTRACTOR_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    load_settings.cache_clear()
    return tmp_path


def _eval(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["eval", "gold", *arguments])


def change_label(section: str, row: str, printed: object) -> None:
    """Let the label of the first report say something else than the report prints."""
    path = Path("gold") / f"{SEEDS[0]}.json"
    data = json.loads(path.read_text("utf-8"))
    data[section][row] = printed
    path.write_text(json.dumps(data), encoding="utf-8")


def test_summary_says_who_read_and_what_was_accepted() -> None:
    result = _eval()
    assert result.exit_code == 0, result.output
    assert "Read by the rules alone, without a model; accepted by the hard rules alone, no certificate" in result.stdout
    assert "real: 2 documents; accepted wrong 0 of " in result.stdout
    assert "right and accepted 4 of 4 printed numbers other than 0 (100.0%)" in result.stdout
    assert "Gate: green (no baseline: accepted wrong and missing replies only)" in result.stdout
    assert all(seed in result.stdout for seed in SEEDS)
    assert "stage=read done=2 total=2" in result.stderr


def test_live_asks_the_server_and_a_server_that_does_not_answer_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXTRACTOR_CALL_ATTEMPTS", "2")  # a server that has gone is waited for between attempts
    labels = [ROOT / "eval" / "gold" / f"{seed}.json" for seed in SEEDS]
    reader = SimulatedReader(truth for label in labels if (truth := load_truth(label)))
    with running_server(reader) as server:
        asked = ("--live", "--model", "simulated-reader", "--base-url", server.base_url)
        answered = _eval(*asked, "--readers", "both", "--journal", "answered.sqlite")
    assert answered.exit_code == 0, answered.output
    assert "Read by readers both, model simulated-reader, replies: live" in answered.stdout
    silent = _eval(*asked, "--journal", "silent.sqlite")  # the server has gone
    assert silent.exit_code == 1
    assert f"{SEEDS[0]}: a question to the model has no reply" in silent.stdout


def test_json_is_all_that_goes_to_stdout(folder: Path) -> None:
    result = _eval("--json")
    assert result.exit_code == 0, result.output
    (folder / "e.json").write_text(result.stdout, encoding="utf-8")
    evaluation = load_evaluation(folder / "e.json")
    assert [document.name for document in evaluation.documents] == list(SEEDS)
    assert [document.path for document in evaluation.documents] == [f"fixtures/{seed}.txt" for seed in SEEDS]
    assert str(folder) not in result.stdout
    assert "Gate: green" in result.stderr


def test_same_evaluation_is_written_the_same_way_twice() -> None:
    first, second = _eval("--json"), _eval("--json")
    assert (first.exit_code, first.stdout) == (0, second.stdout)


def test_replies_are_named_for_what_they_are() -> None:
    result = _eval("--replay", REPLIES)
    assert result.exit_code == 0, result.output
    told = "Read by readers auto, model written-by-hand, replies: written by hand (no figure here is a model's)"
    assert told in result.stdout


def test_model_that_is_only_configured_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no such server: asking it would show."""
    monkeypatch.setenv("EXTRACTOR_MODEL", "some-model")
    monkeypatch.setenv("EXTRACTOR_BASE_URL", "http://127.0.0.1:9/v1")
    result = _eval()
    assert result.exit_code == 0, result.output
    assert "the rules alone, without a model" in result.stdout
    assert not Path("journal.sqlite").exists()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--replay", REPLIES, "--live"], "exclude each other"),
        (["--live"], "--live needs a model"),
        (["--readers", "both"], "--readers both needs replies"),
        (["--readers", "auto"], "--readers auto needs replies"),
        (["--losses", "losses.toml"], "--baseline"),
        (["--baseline", "gone.json"], "gone.json: cannot be read"),
        (["nowhere"], "nowhere: is not there"),
        (["--certificate", "gone.json"], "gone.json: the certificate cannot be read"),
    ],
)
def test_wrong_usage_ends_with_2_and_one_line(options: list[str], problem: str) -> None:
    Path("losses.toml").write_text('[[loss]]\ndocument = "a"\nfield = "b"\nreason = "c"\n', encoding="utf-8")
    result = _eval(*options)
    assert result.exit_code == 2
    assert problem in result.stderr
    assert "Traceback" not in result.output


def test_wrong_value_that_is_accepted_ends_with_1_and_is_named() -> None:
    change_label("proactive_disclosure", "licences.decisions", 12)
    result = _eval()
    assert result.exit_code == 1
    assert "Gate: RED, 1 failure" in result.stdout
    assert f"{SEEDS[0]}: proactive_disclosure.licences.decisions prints 12, and 11 was accepted" in result.stdout
    assert f"extractor show fixtures/{SEEDS[0]}.txt" in result.stdout


def test_many_failures_are_told_by_document_and_not_one_by_one() -> None:
    change_label("applications", "granted", [1, 2, 3, 4, 5, 6, 21])
    change_label("applications", "partially_granted", [1, 2, 3, 4, 5, 6, 21])
    result = _eval()
    assert "Gate: RED, 14 failures" in result.stdout
    assert "accepted-wrong: … and 6 more of this document" in result.stdout


def test_baseline_passes_and_a_document_that_is_taken_away_does_not(folder: Path) -> None:
    (folder / "before.json").write_text(_eval("--json").stdout, encoding="utf-8")
    result = _eval("--baseline", "before.json")
    assert result.exit_code == 0, result.output
    assert "Gate: green (against the baseline)" in result.stdout
    (folder / "gold" / f"{SEEDS[1]}.json").unlink()
    result = _eval("--baseline", "before.json")
    assert result.exit_code == 1
    assert f"not-evaluated: {SEEDS[1]} is in the baseline" in result.stdout


def test_gains_are_told_with_the_command_that_renews_the_baseline(folder: Path) -> None:
    label = folder / "gold" / f"{SEEDS[1]}.json"
    kept = label.read_text("utf-8")
    label.unlink()
    (folder / "before.json").write_text(_eval("--json").stdout, encoding="utf-8")
    label.write_text(kept, encoding="utf-8")
    result = _eval("--baseline", "before.json")
    assert result.exit_code == 0
    assert f"{SEEDS[1]} is new" in result.stdout
    assert "extractor eval gold --readers template --json > before.json" in result.stdout


def test_declared_loss_is_told_with_its_reason(folder: Path) -> None:
    """A label that now claims to know columns which the report does not show: right before, open now."""
    path = folder / "gold" / f"{SEEDS[1]}.json"
    data = json.loads(path.read_text("utf-8"))
    data["applications"]["new_received"] = [1, 0, 0, 0, 0, 0, 1]
    (folder / "before.json").write_text(_eval("--json").stdout, encoding="utf-8")
    path.write_text(json.dumps(data), encoding="utf-8")
    (folder / "losses.toml").write_text(
        f'[[loss]]\ndocument = "{SEEDS[1]}"\nfield = "applications.new_received.*"\nreason = "columns are lost"\n',
        encoding="utf-8",
    )
    assert _eval("--baseline", "before.json").exit_code == 1
    result = _eval("--baseline", "before.json", "--losses", "losses.toml")
    assert "Declared: columns are lost" in result.stdout
    assert "its label changed since the baseline was made" in result.stdout


def test_document_that_cannot_be_read_is_named_with_its_problem(folder: Path) -> None:
    (folder / "fixtures" / f"{SEEDS[1]}.txt").write_bytes(b"\x1f\x8b\x08" + bytes(200))
    result = _eval()
    assert f"not read, all of it counts as missing: {SEEDS[1]}: this is a gzip archive" in result.stdout


def test_document_that_several_labels_are_of_is_named(folder: Path) -> None:
    shutil.copytree(folder / "gold", folder / "more")
    result = CliRunner().invoke(app, ["eval", "gold", "more"])
    assert result.exit_code == 0, result.output
    assert f"one and the same document, counted 2 times: gold/{SEEDS[0]}, more/{SEEDS[0]}" in result.stdout


def test_folder_of_the_report_is_made(folder: Path) -> None:
    result = _eval("--report", "out/eval/page.html")
    assert result.exit_code == 0, result.output
    assert (folder / "out" / "eval" / "page.html").is_file()


@pytest.mark.parametrize("place", ["gold", "fixtures/000_c61908031b779533.txt/page.html"])
def test_report_that_cannot_be_written_is_told_before_anything_is_read(place: str) -> None:
    result = _eval("--report", place)
    assert result.exit_code == 2, result.output
    assert "--report" in result.stderr
    assert "documents" not in result.stderr


def test_page_is_written(folder: Path) -> None:
    result = _eval("--report", "page.html")
    assert result.exit_code == 0, result.output
    assert SEEDS[0] in (folder / "page.html").read_text("utf-8")
    assert "Written: page.html" in result.stdout
