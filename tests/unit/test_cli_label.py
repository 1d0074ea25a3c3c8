"""extractor label through its front door: drafts, what they never replace, --check and --compare."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from extractor.cli.label import label
from extractor.settings import load_settings

ROOT = Path(__file__).parents[2]
GOLD = sorted((ROOT / "eval" / "gold").glob("*.json"))
REPORT = ROOT / "fixtures" / "000_c61908031b779533.txt"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_bytes(REPORT.read_bytes())
    monkeypatch.chdir(tmp_path)
    load_settings.cache_clear()
    return tmp_path


def invoke(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(label)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def finish(path: Path) -> None:
    """What a labeller does at the end."""
    data = json.loads(path.read_text(encoding="utf-8"))
    del data["draft"], data["to_check"]
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")


# ---------------------------------------------------------------- drafts


def test_draft_is_refused_and_finished_label_passes(folder: Path) -> None:
    """The whole way: draft, check, finish, check."""
    result = invoke("docs/a.txt", "--out", "labels/real")
    assert result.exit_code == 0, result.output
    assert "a.json: 0 to fill in" in result.output
    path = folder / "labels" / "real" / "a.json"
    assert json.loads(path.read_text(encoding="utf-8"))["file"] == "docs/a.txt"
    checked = invoke("--check", "labels")
    assert checked.exit_code == 1
    assert "a draft still" in checked.output
    finish(path)
    checked = invoke("--check", "labels")
    assert checked.exit_code == 0, checked.output
    assert "1 labels with 200 cells and 30 facts: none with slips" in checked.output


def test_draft_goes_beside_its_document(folder: Path) -> None:
    assert invoke("docs/a.txt").exit_code == 0
    assert json.loads((folder / "docs" / "a.json").read_text(encoding="utf-8"))["file"] == "a.txt"


def test_blank_draft_fills_nothing_in(folder: Path) -> None:
    result = invoke("docs/a.txt", "--blank", "--out", "second")
    assert result.exit_code == 0
    assert "230 to fill in" in result.output
    data = json.loads((folder / "second" / "a.json").read_text(encoding="utf-8"))
    assert data["generation"]["applications"] == "2021"
    assert data["header"]["title"] == "?"


def test_draft_is_replaced_with_force_only(folder: Path) -> None:
    path = folder / "docs" / "a.json"
    assert invoke("docs/a.txt").exit_code == 0
    path.write_text(path.read_text(encoding="utf-8").replace("乌苏市民政局", "某局"), encoding="utf-8")
    before = path.read_text(encoding="utf-8")
    result = invoke("docs/a.txt")
    assert result.exit_code == 2
    assert "--force" in result.output
    assert path.read_text(encoding="utf-8") == before
    assert invoke("docs/a.txt", "--force").exit_code == 0
    assert path.read_text(encoding="utf-8") != before


@pytest.mark.parametrize("text", ['{"file": "a.txt", "generation": {}}', "not JSON", '{"draft": false}'])
def test_a_persons_work_is_never_replaced(text: str, folder: Path) -> None:
    """Not with --force either: a draft can be made again, this cannot."""
    path = folder / "docs" / "a.json"
    path.write_text(text, encoding="utf-8")
    result = invoke("docs/a.txt", "--force")
    assert result.exit_code == 2
    assert "never replaced" in result.output
    assert path.read_text(encoding="utf-8") == text


def test_nothing_is_written_when_one_target_is_taken(folder: Path) -> None:
    (folder / "docs" / "b.txt").write_bytes(REPORT.read_bytes())
    (folder / "docs" / "b.json").write_text("{}", encoding="utf-8")
    assert invoke("docs/a.txt", "docs/b.txt").exit_code == 2
    assert not (folder / "docs" / "a.json").exists()


def test_two_documents_of_one_name_are_refused(folder: Path) -> None:
    (folder / "docs" / "a.html").write_text("<p>x</p>", encoding="utf-8")
    result = invoke("docs/a.txt", "docs/a.html")
    assert result.exit_code == 2
    assert "would replace that of" in result.output


def test_document_that_is_not_there_is_refused() -> None:
    assert invoke("docs/b.txt").exit_code == 2
    assert invoke("docs").exit_code == 2


def test_nearer_document_of_the_same_name_is_refused(folder: Path) -> None:
    """The label would be taken for that of another document."""
    (folder / "labels" / "docs").mkdir(parents=True)
    (folder / "labels" / "docs" / "a.txt").write_text("x", encoding="utf-8")
    result = invoke("docs/a.txt", "--out", "labels")
    assert result.exit_code == 2
    assert "cannot name it" in result.output


def test_label_holds_no_path_of_a_machine(folder: Path) -> None:
    """Where only the root is above both, the label would hold the whole path."""
    if os.path.commonpath((ROOT, folder.resolve())) != ROOT.anchor:
        pytest.skip("the checkout and the temporary folder are below one folder")
    result = invoke(REPORT, "--out", "labels")
    assert result.exit_code == 2
    assert "cannot name it" in result.output


def test_document_that_cannot_be_read_stops_no_other(folder: Path) -> None:
    (folder / "docs" / "b.gz").write_bytes(b"\x1f\x8b\x08 of a report")
    result = invoke("docs/b.gz", "docs/a.txt")
    assert result.exit_code == 1
    assert "--blank --generation" in result.output
    assert (folder / "docs" / "a.json").exists()
    assert not (folder / "docs" / "b.json").exists()


def test_document_that_cannot_be_read_has_a_blank_draft_of_a_form(folder: Path) -> None:
    (folder / "docs" / "b.gz").write_bytes(b"\x1f\x8b\x08 of a report")
    assert invoke("docs/b.gz", "--blank", "--generation", "2019").exit_code == 0
    data = json.loads((folder / "docs" / "b.json").read_text(encoding="utf-8"))
    assert data["applications"]["other_result.merged"] == ["?"] * 7


# ---------------------------------------------------------------- usage


@pytest.mark.parametrize(
    "arguments",
    [
        ("docs/a.txt", "--generation", "2021"),
        ("docs/a.txt", "--blank", "--generation", "2020"),
        ("--check", "docs", "--force"),
        ("--check", "--compare", "docs", "docs"),
        ("--compare", "docs/a.txt"),
        ("--check", "gone"),
    ],
)
def test_wrong_usage_has_exit_code_2(arguments: tuple[str, ...]) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2, result.output
    assert "error:" in result.output


# ---------------------------------------------------------------- check, compare


def test_check_names_file_place_and_remedy() -> None:
    result = invoke("--check", *GOLD)
    assert result.exit_code == 0, result.output
    assert "5 labels with 1000 cells and 150 facts: none with slips" in result.output


def test_labels_that_were_not_compared_with_their_document_are_told(folder: Path) -> None:
    (folder / "docs" / "b.gz").write_bytes(b"\x1f\x8b\x08 of a report")
    label = json.loads(GOLD[0].read_text(encoding="utf-8")) | {"file": "docs/b.gz"}
    (folder / "b.json").write_text(json.dumps(label), encoding="utf-8")
    result = invoke("--check", "b.json")
    assert result.exit_code == 0, result.output
    assert "Not compared with their documents" in result.output


def test_compare_shows_both_readings(folder: Path) -> None:
    other = folder / "a.json"
    other.write_text(
        GOLD[0].read_text(encoding="utf-8").replace('"licences.decisions": 11', '"licences.decisions": 17')
    )
    result = invoke("--compare", GOLD[0], other)
    assert result.exit_code == 1
    assert "proactive_disclosure.licences.decisions: 11 | 17" in result.output
    assert "199 of 200 cells alike" in result.output
    assert invoke("--compare", GOLD[0], GOLD[0]).exit_code == 0
