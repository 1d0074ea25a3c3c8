"""extractor panel through its front door: what is printed, exit codes, messages."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result
from yearly import Panel, report_values, write_report

from extractor.cli import app

AGENCY = "平潭综合实验区"
RunPanel = Callable[..., Panel]


def _invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def out(reports: Path, run_panel: RunPanel) -> Path:
    """The outputs of a run over three reports under two names."""
    write_report(reports / "a.txt", AGENCY, 2021, report_values(carried_out=1))
    write_report(reports / "b.txt", AGENCY, 2022, report_values(carried_in=3, carried_out=1))
    write_report(reports / "c.txt", f"{AGENCY}管委会", 2023, report_values(carried_in=1))
    return run_panel().out


def test_the_summary_says_what_was_checked_and_what_to_do(out: Path) -> None:
    result = _invoke("panel", str(out))
    assert result.exit_code == 0, result.output
    assert "3 of 3 documents have an agency and a year: 2 agencies, 3 agency years, 2021-2023" in result.stdout
    assert "Pairs of neighbouring years checked: 1" in result.stdout
    (line,) = [line for line in result.stdout.splitlines() if line.strip().startswith("X1")]
    assert line.split()[-3:] == ["5", "2", "0"]
    assert f"{AGENCY}: carried out of 2021 and carried into 2022 differ" in result.stdout
    assert "carry-differs 1" in result.stdout
    assert f"{out / 'panel.parquet'}" in result.stdout
    assert "--aliases names.csv" in result.stdout


def test_aliases_merge_and_the_summary_says_so(out: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.csv"
    names.write_text(f"variant,agency\n{AGENCY}管委会,{AGENCY}\n甲县,乙县\n", encoding="utf-8")
    result = _invoke("panel", str(out), "--aliases", str(names))
    assert result.exit_code == 0, result.output
    assert "1 agency, 3 agency years" in result.stdout
    assert "agency-merged 1" in result.stdout
    assert "no document has the alias 甲县" in result.stdout


def test_aliases_that_no_document_has_are_told_up_to_five(out: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.csv"
    names.write_text(
        "variant,agency\n" + "".join(f"{place}县,{AGENCY}\n" for place in "甲乙丙丁戊己庚"), encoding="utf-8"
    )
    lines = _invoke("panel", str(out), "--aliases", str(names)).stdout.splitlines()
    assert sum("no document has the alias" in line for line in lines) == 5
    assert "  … and 2 more" in lines


def test_advice_about_findings_that_rest_on_what_is_for_review(reports: Path, run_panel: RunPanel) -> None:
    write_report(reports / "a.txt", AGENCY, 2021, report_values(carried_out=1), layout="glued")
    write_report(reports / "b.txt", AGENCY, 2022, report_values(carried_in=3))
    printed = _invoke("panel", str(run_panel().out)).stdout
    (line,) = [line for line in printed.splitlines() if line.strip().startswith("X1")]
    assert line.split()[-5:] == ["5", "(5*)", "2", "(2*)", "0"]
    assert "* of these, so many rest on a number that was not accepted" in printed
    assert "`carry-differs`, confirmed `no`" in printed
    assert "confirmed `yes`" not in printed


def test_the_files_do_not_depend_on_hashing(reports: Path, run_panel: RunPanel, tmp_path: Path) -> None:
    """The same records give the same bytes under every hash seed; names, sites and cells go through sets and dicts."""
    names = [
        "乌拉特前旗政务服务局",
        "乌拉特前旗政务服局",
        "拉特前旗政务服务局",
        "前旗政务服务局",
        "乌拉特前旗政务服务局办公室",
    ]
    rows = ["path,site"]
    for index, name in enumerate(names):
        for year in (2015 + 2 * index, 2016 + 2 * index):
            write_report(reports / f"{year}.txt", name, year, report_values(carried_in=index, carried_out=index % 2))
            rows += [f"reports/{year}.txt,{site}" for site in ("前旗", "盟", f"{year}")]
    (tmp_path / "sources.csv").write_text("\n".join(rows), encoding="utf-8")
    out = run_panel(manifest=tmp_path / "sources.csv").out
    written = set()
    for seed in ("1", "2", "3"):
        program = [sys.executable, "-c", "from extractor.cli import app; app()", "panel", str(out)]
        subprocess.run(program, check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed})  # noqa: S603
        written.add((out / "panel_flags.csv").read_bytes() + (out / "panel.parquet").read_bytes())
    assert len(written) == 1
    assert b"agency-variants" in written.pop()


def test_what_can_be_put_right_ends_with_2_and_one_line(out: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "records.jsonl").write_bytes((out / "records.jsonl").read_bytes()[:-200])
    for arguments, said in (
        (["panel", str(tmp_path / "empty")], "no records.jsonl"),
        (["panel", str(tmp_path / "gone")], "no records.jsonl"),
        (["panel", str(out / "records.jsonl")], "records.jsonl: a file. Give the folder"),
        (["panel", str(broken)], "records.jsonl, line 3: not a whole record"),
        (["panel", str(out), "--aliases", str(tmp_path / "none.csv")], "none.csv: the aliases cannot be read"),
    ):
        result = _invoke(*arguments)
        assert result.exit_code == 2
        assert said in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_a_panel_is_no_report_to_the_next_run(reports: Path) -> None:
    """Outputs inside the folder of the reports: the next run reads the reports alone."""
    write_report(reports / "a.txt", AGENCY, 2021, report_values())
    out = reports / "out"
    for command in (("run", str(reports), "--out", str(out)), ("panel", str(out))) * 2:
        result = _invoke(*command)
        assert result.exit_code == 0, result.output
    assert len((out / "records.jsonl").read_text("utf-8").splitlines()) == 1
