"""The commands through their front door: exit codes, messages, files."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from extractor.cli import app
from extractor.cli.options import load_overridden
from extractor.export import OUTPUTS
from extractor.forms import load_codebook
from extractor.model import Record
from extractor.settings import load_settings

FIXTURES = Path(__file__).parents[2] / "fixtures"
REPORT = """某市民政局2023年政府信息公开工作年度报告
一、总体情况
2023年，我局通过网站公开信息12条。
二、主动公开政府信息情况
三、收到和处理政府信息公开申请情况
四、政府信息公开行政复议、行政诉讼情况
五、存在的主要问题及改进情况
六、其他需要报告的事项
"""


def _invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.txt").write_text(REPORT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    load_settings.cache_clear()
    return tmp_path


def test_run_writes_all_outputs_and_says_what_to_do_next(folder: Path) -> None:
    result = _invoke("run", "docs", "--out", "out")
    assert result.exit_code == 0, result.output
    assert {path.name for path in (folder / "out").iterdir()} == {*OUTPUTS, ".extractor"}
    assert f"Written into out: {', '.join(OUTPUTS)}" in " ".join(result.output.split())
    assert "stage=read done=1 total=1" in result.stderr
    assert "What to do next" in result.stdout


def test_run_on_the_sample_reports(folder: Path) -> None:
    samples = sorted(FIXTURES.rglob("*.txt"))
    if not samples:
        pytest.skip("no sample reports here")
    result = _invoke("run", *map(str, samples), "--out", "out")
    assert result.exit_code == 0, result.output
    lines = (folder / "out/records.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == len(samples)


def test_run_with_a_failed_file_ends_with_1_and_goes_on(folder: Path) -> None:
    (folder / "docs/0.txt").write_bytes(b"")
    result = _invoke("run", "docs", "--out", "out")
    assert result.exit_code == 1
    statuses = [json.loads(line)["status"] for line in (folder / "out/records.jsonl").read_text("utf-8").splitlines()]
    assert statuses[0] == "failed"
    assert len(statuses) == 2
    assert "run.json" in result.stdout


def test_run_again_replaces_its_own_outputs(folder: Path) -> None:
    assert _invoke("run", "docs", "--out", "docs/out").exit_code == 0
    assert _invoke("run", "docs", "--out", "docs/out").exit_code == 0
    assert json.loads((folder / "docs/out/run.json").read_text("utf-8"))["files"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "gone", "--out", "out"], "gone: no such file"),
        (["run", "--out", "out"], "nothing to read"),
        (["run", "docs", "--out", "docs"], "--force"),
        (["run", "docs", "--out", "docs/a.txt"], "is a file"),
        (["run", "docs", "--out", "out", "--manifest", "none.csv"], "none.csv"),
        (["run", "docs"], "--out"),
        (["forms", "1999"], "Known are 2021, 2019"),
        (["show", "docs/a.txt", "--svg", "none/x.svg"], "none/x.svg"),
    ],
)
def test_wrong_usage_ends_with_2_and_one_clean_line(folder: Path, arguments: list[str], said: str) -> None:
    result = _invoke(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert not (folder / "out").exists()


def test_wrong_settings_end_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXTRACTOR_MAX_SOURCE_MB", "many")
    result = _invoke("run", "docs", "--out", "out")
    assert result.exit_code == 2
    assert "max_source_mb" in result.stderr


def test_run_with_a_manifest_keeps_origins_and_tells_unmatched_rows(folder: Path) -> None:
    (folder / "sources.csv").write_text("path,url\ndocs/a.txt,http://a\ndocs/b.txt,http://b\n", encoding="utf-8")
    result = _invoke("run", "docs", "--out", "out", "--manifest", "sources.csv")
    assert result.exit_code == 0, result.output
    assert "1 manifest rows name files that are not among the inputs: docs/b.txt" in result.stdout
    record = Record.model_validate_json((folder / "out/records.jsonl").read_text("utf-8"))
    assert record.origins[0].url == "http://a"


def test_force_writes_beside_other_files(folder: Path) -> None:
    (folder / "busy").mkdir()
    (folder / "busy/notes.md").write_text("mine", encoding="utf-8")
    assert _invoke("run", "docs", "--out", "busy", "--force").exit_code == 0
    assert (folder / "busy/notes.md").read_text("utf-8") == "mine"


def test_an_interrupted_run_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("extractor.bulk.inputs.scan.Scan.add_paths", interrupt)
    result = _invoke("run", "docs", "--out", "out")
    assert result.exit_code == 130
    assert not Path("out").exists()


def test_show_draws_the_report() -> None:
    result = _invoke("show", "docs/a.txt")
    assert result.exit_code == 0, result.output
    assert "某市民政局2023年政府信息公开工作年度报告" in result.stdout


def test_show_json_is_the_record() -> None:
    result = _invoke("show", "docs/a.txt", "--json")
    assert Record.model_validate_json(result.stdout).document.path == "docs/a.txt"


def test_show_saves_a_picture(folder: Path) -> None:
    assert _invoke("show", "docs/a.txt", "--svg", "a.svg").exit_code == 0
    assert (folder / "a.svg").read_text("utf-8").startswith("<svg")


def test_show_of_a_bad_file_ends_with_1_and_the_remedy(folder: Path) -> None:
    (folder / "empty.txt").write_bytes(b"")
    for name in ("empty.txt", "gone.txt"):
        result = _invoke("show", name)
        assert result.exit_code == 1
        assert result.stderr.startswith(f"error: {name}")


def test_forms_lists_generations_with_their_counts() -> None:
    result = _invoke("forms", "--csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    counts = {(row["generation"], row["section"]): (row["cells"], row["equations"]) for row in rows}
    assert counts["2021", "applications"] == ("175", "39")
    assert counts["2019", "proactive_disclosure"] == ("22", "0")
    assert "国办公开办函〔2021〕30号" in _invoke("forms").stdout


def test_the_codebook_lists_every_field() -> None:
    rows = list(csv.DictReader(io.StringIO(_invoke("forms", "--codebook", "--csv").stdout)))
    assert [row["id"] for row in rows] == [entry.id for entry in load_codebook()]
    only = list(csv.DictReader(io.StringIO(_invoke("forms", "2021", "--codebook", "--csv").stdout)))
    assert len(only) == 200
    assert "applications.granted.total" in {row["id"] for row in only}


def test_help_teaches_by_example() -> None:
    for command in ("run", "show", "forms"):
        assert f"extractor {command}" in _invoke(command, "--help").stdout
    assert _invoke("--version").stdout.startswith("extractor ")


# ---------------------------------------------------------------- store and journal


def test_a_named_store_keeps_the_journal_too_unless_one_is_named_or_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chosen(store: str | None = None, journal: str | None = None) -> str:
        load_settings.cache_clear()
        return load_overridden(None, None, journal, store=store).journal

    assert chosen() == "journal.sqlite"
    assert chosen("s.sqlite") == "s.sqlite"
    assert chosen("s.sqlite", "mine.sqlite") == "mine.sqlite"
    (folder / "journal.sqlite").touch()  # replies that are paid for
    assert chosen("s.sqlite") == "journal.sqlite"
    (folder / "journal.sqlite").unlink()
    monkeypatch.setenv("EXTRACTOR_STORE", "ours.sqlite")
    assert chosen() == "ours.sqlite"
    monkeypatch.setenv("EXTRACTOR_JOURNAL", "mine.sqlite")
    assert chosen("s.sqlite") == "mine.sqlite"
