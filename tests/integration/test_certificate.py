"""Runs with a certificate: who decides, what is told of it, and what the outputs hold."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from extractor.cli import app
from extractor.confidence.standing import collect_versions
from extractor.settings import load_settings
from tests.unit.confidence.certificates import THRESHOLD, other_versions, write_certificate

ROOT = Path(__file__).parents[2]
FIXTURES = sorted(map(str, (ROOT / "fixtures").glob("*.txt")))
REPLIES = ROOT / "eval" / "replies" / "fixtures.jsonl"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    load_settings.cache_clear()
    return tmp_path


def invoke(*words: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, words)))


def run(*words: str | Path, out: str = "out") -> Result:
    return invoke("run", *FIXTURES, "--out", out, *words)


def read_values(out: str = "out") -> list[dict[str, str]]:
    with (Path(out) / "values.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def read_account(out: str = "out") -> dict[str, object]:
    said = json.loads((Path(out) / "run.json").read_text(encoding="utf-8"))["confidence"]
    assert isinstance(said, dict)
    return said


def decisions(out: str = "out") -> list[tuple[str, str, str]]:
    return [(row["document"], row["field"], row["decision"]) for row in read_values(out)]


def test_without_a_certificate_the_run_says_so() -> None:
    result = run()
    assert result.exit_code == 0
    assert "accepted by the hard rules alone, no certificate" in result.stdout
    assert read_account()["certificate"] is None
    assert {row["p_wrong"] for row in read_values()} == {""}
    assert (
        json.loads(Path("out/records.jsonl").read_text(encoding="utf-8").splitlines()[0])["fields"]["header.title"][
            "p_wrong"
        ]
        is None
    )


def test_a_certificate_in_force_decides_and_its_chances_are_exported(folder: Path) -> None:
    run(out="before")
    result = run("--certificate", write_certificate(folder / "c.json", 0.02))
    assert result.exit_code == 0, result.output
    assert f"accepted by certificate c.json: p(wrong) at most {THRESHOLD}" in result.stdout
    account = read_account()
    assert (account["in_force"], account["threshold"], account["why_not"]) == (True, THRESHOLD, [])
    # No finding of these reports is about a number alone, so that a small chance changes no decision.
    assert decisions() == decisions("before")
    certain = {"value", "blank", "na_mark", "row_absent"}
    assert {(row["state"] in certain, row["p_wrong"]) for row in read_values()} == {(True, "0.02"), (False, "")}


def test_a_chance_over_the_threshold_accepts_nothing(folder: Path) -> None:
    run("--certificate", write_certificate(folder / "c.json", 0.2))
    assert {row["decision"] for row in read_values()} == {"review"}


def test_the_setting_does_what_the_option_does(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXTRACTOR_CERTIFICATE", str(write_certificate(folder / "c.json", 0.2)))
    assert "c.json" in run().stdout
    assert read_account()["in_force"] is True


def test_one_for_other_versions_is_void_and_the_run_goes_on(folder: Path) -> None:
    run(out="before")
    versions = other_versions(forms="0000").model_dump()
    result = run("--certificate", write_certificate(folder / "c.json", 0.2, stands_for=versions))
    assert result.exit_code == 0
    assert "c.json is not in force: the certificate stands for forms 0000" in result.stdout
    assert read_account()["in_force"] is False
    assert (Path("out") / "values.csv").read_bytes() == (Path("before") / "values.csv").read_bytes()


@pytest.mark.parametrize("command", ["run", "show"])
def test_one_from_made_up_documents_is_refused_before_anything_is_read(folder: Path, command: str) -> None:
    path = write_certificate(folder / "c.json", documents={"generated": 120})
    result = invoke(command, FIXTURES[0], *(("--out", "out") if command == "run" else ()), "--certificate", path)
    assert result.exit_code == 2
    assert "rests on generated documents" in result.stderr
    assert not Path("out").exists()


def test_a_model_is_matched_for_the_run_not_for_the_document(folder: Path) -> None:
    """Under policy auto a report about which nothing is asked names no model in its record."""
    versions = collect_versions("auto", "written-by-hand", None).model_dump()
    path = write_certificate(folder / "c.json", 0.02, stands_for=versions)
    result = run("--replay", REPLIES, "--certificate", path)
    assert result.exit_code == 0, result.output
    assert read_account()["in_force"] is True
    assert {row["p_wrong"] for row in read_values()} == {"0.02", ""}
    for words in (("--readers", "both"), ("--readers", "template")):
        assert "not in force" in run(*words, "--replay", REPLIES, "--certificate", path).stdout, words


def test_show_tells_the_chances_and_who_decided(folder: Path) -> None:
    path = write_certificate(folder / "c.json", 0.02)
    plain, judged = invoke("show", FIXTURES[0]), invoke("show", FIXTURES[0], "--certificate", path)
    assert "chance of a wrong value" not in plain.stdout
    assert "chance of a wrong value" in judged.stdout
    assert "accepted by certificate c.json" in judged.stderr
    fields = json.loads(invoke("show", FIXTURES[0], "--certificate", path, "--json").stdout)["fields"]
    assert round(fields["applications.granted.total"]["p_wrong"], 9) == 0.02


def test_an_audit_is_asked_for_on_the_command_line() -> None:
    result = run("--audit-share", "1")
    assert "audit sample: 5 of 5 documents" in result.stdout
    assert run("--audit-share", "1.5").exit_code == 2
