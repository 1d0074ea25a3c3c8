"""extractor compare through its front door: what is printed, and the exit code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from extractor.cli.compare import compare
from extractor.evaluation.result import DocumentResult, Evaluation, FieldResult, dump_evaluation
from extractor.model import CellState

APP = typer.Typer()
APP.command()(compare)


def field(number: int, *, accepted: bool = False, said: int = 8) -> FieldResult:
    return FieldResult(
        field=f"applications.granted.c{number}",
        verdict="wrong",
        accepted=accepted,
        expected=CellState.VALUE,
        printed=4,
        found=CellState.VALUE,
        said=said,
    )


def write(path: Path, documents: Mapping[str, list[FieldResult]]) -> str:
    results = tuple(
        DocumentResult(
            name=name,
            kind="real",
            path=name,
            layout="l",
            generation="2021",
            status="succeeded",
            labelled=40,
            printed_nonzero=10,
            accepted_nonzero=9,
            fields=tuple(fields),
        )
        for name, fields in documents.items()
    )
    path.write_text(dump_evaluation(Evaluation(readers="template", documents=results)), encoding="utf-8")
    return str(path)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """Twelve documents, of which the second version loses nine cells each, but none of the last one."""
    names = [f"报告{number:02d}" for number in range(12)]
    before = write(tmp_path / "a.json", {name: [] for name in names})
    lost = [field(number) for number in range(9)]
    after = write(tmp_path / "b.json", dict.fromkeys(names[:11], lost) | {names[11]: []})
    return before, after


def run(*arguments: str) -> Result:
    return CliRunner().invoke(APP, list(arguments))


def test_worse_is_exit_1_and_every_document_is_named(files: tuple[str, str]) -> None:
    result = run(*files)
    assert result.exit_code == 1, result.output
    assert "real: 12 documents in both" in result.output
    assert "B against A: worse: fewer fields right (real); fewer fields right and accepted (real)" in result.output
    assert result.output.count(": 0 better, 9 worse") == 11
    assert "报告11" not in result.output
    assert "  - applications.granted.c0  prints 4: right, accepted → 8, in review" in result.output
    assert result.output.count("  - … and 4 more") == 11
    assert "…" not in result.output.replace("… and 4 more", ""), "a column was cut"


def test_better_is_exit_0(files: tuple[str, str]) -> None:
    result = run(*reversed(files))
    assert result.exit_code == 0, result.output
    assert "B against A: better" in result.output


def test_fields_shown_are_as_many_as_asked_for(files: tuple[str, str]) -> None:
    assert run(*files, "--fields", "0").output.count("applications.granted") == 0
    assert run(*files, "--fields", "9").output.count("applications.granted") == 99


def test_one_accepted_wrong_value_is_shouted_and_exit_1(tmp_path: Path) -> None:
    before = write(tmp_path / "a.json", {"x": [], "y": []})
    after = write(tmp_path / "b.json", {"x": [], "y": [field(3, accepted=True)]})
    result = run(before, after)
    assert result.exit_code == 1, result.output
    assert "1 WRONG VALUE THAT B ACCEPTS AND A DID NOT" in result.output
    assert "! y (real)  applications.granted.c3  prints 4: right, accepted → accepted as 8" in result.output
    assert "inconclusive" in result.output


def test_nothing_changed(files: tuple[str, str]) -> None:
    result = run(files[0], files[0])
    assert result.exit_code == 0
    assert "B against A: no difference" in result.output
    assert "no question could be tested" in result.output


def test_json_holds_all_of_it(files: tuple[str, str]) -> None:
    result = run(*files, "--json")
    assert result.exit_code == 1
    data = json.loads(result.output)
    assert data["verdict"] == "worse"
    assert [len(change["losses"]) for change in data["kinds"][0]["changes"]] == [9] * 11


@pytest.mark.parametrize("text", [None, "{}", "no json"])
def test_what_is_no_evaluation_is_exit_2(text: str | None, files: tuple[str, str], tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    if text is not None:
        bad.write_text(text, encoding="utf-8")
    result = run(files[0], str(bad))
    assert result.exit_code == 2
    assert str(bad) in result.stderr


def test_names_of_files_cannot_steer_the_terminal(tmp_path: Path) -> None:
    before = write(tmp_path / "a.json", {"x\x1b[31m": []})
    after = write(tmp_path / "b.json", {"x\x1b[31m": [field(1)]})
    assert "\x1b" not in run(before, after).output
