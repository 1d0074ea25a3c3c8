"""Forms of a user's own: the guide's example goes the whole way, and a file that cannot be meant is refused."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from extractor.errors import SettingsError
from extractor.forms import load_forms
from extractor.forms.loading import _add_own
from extractor.forms.own import FormFile, read_own_forms

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "own-forms.md").read_text(encoding="utf-8")
FIXTURE = sorted((ROOT / "fixtures").glob("*.txt"))[0]


def _block(kind: str, beginning: str) -> str:
    return next(text for text in re.findall(rf"```{kind}\n(.*?)```", GUIDE, re.DOTALL) if text.startswith(beginning))


SCHOOL = _block("toml", "generation")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder with the guide's form and its report."""
    (tmp_path / "forms").mkdir()
    (tmp_path / "forms" / "school.toml").write_text(SCHOOL, encoding="utf-8")
    (tmp_path / "school.md").write_text(_block("text", "# "), encoding="utf-8")
    return tmp_path


def _run(folder: Path, *words: str, forms: str = "forms") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"EXTRACTOR_FORMS_DIR": forms}
    command = [sys.executable, "-m", "extractor", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False)  # noqa: S603


def _read_values(folder: Path, name: str) -> dict[str, dict[str, str]]:
    with (folder / "out" / "values.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["field"]: row for row in csv.DictReader(file) if row["path"].endswith(name)}


def _read_all(forms: Path) -> None:
    for name, data in read_own_forms(forms).items():
        _add_own(load_forms(), name, data)


def test_the_guides_form_reads_its_report_beside_a_national_one(folder: Path) -> None:
    done = _run(folder, "run", "school.md", str(FIXTURE), "--out", "out")
    assert done.returncode == 0, done.stderr
    values = _read_values(folder, "school.md")
    cells = {name: row for name, row in values.items() if name.startswith(("proactive", "applications"))}
    assert len(cells) == 15
    assert cells["proactive_disclosure.school_total.on_website"]["value"] == "35"
    assert cells["proactive_disclosure.school_total.on_website"]["decision"] == "accepted"
    wrong = cells["applications.school_refused.all_askers"]
    assert (wrong["value"], wrong["decision"], wrong["suggested"]) == ("3", "review", "2")
    records = [json.loads(line) for line in (folder / "out" / "records.jsonl").read_text(encoding="utf-8").splitlines()]
    codes = {record["origins"][0]["path"]: {flag["code"] for flag in record["flags"]} for record in records}
    assert "equation-failed" in codes["school.md"]
    assert "section-missing" not in codes["school.md"], "the form has no such section"
    assert {record["versions"]["forms"] for record in records} != {load_forms().version}
    national = _read_values(folder, FIXTURE.name)
    assert sum(row["decision"] == "accepted" for row in national.values()) >= 200


def test_the_packages_own_files_keep_to_the_shape() -> None:
    paths = list((ROOT / "extractor" / "forms" / "data").glob("20*.toml"))
    assert paths
    for path in paths:
        FormFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('generation = "school-2024"', 'generation = "2021"', "generation 2021 is there already"),
        ('layout = "labelled_rows"', 'layout = "rows"', "proactive_disclosure.layout"),
        ('left = ["enrolment", "finance"]', 'left = ["enrolment", "sports"]', "equation S1: no row is sports"),
        ('id = "finance"', 'id = "enrolment"', "row enrolment is there twice"),
        ('id = "finance"', 'id = "finance"\ncolumns = ["published"]', "S1[on_website] needs the cell"),
        ('["主动公开校务信息情况"]', '["总体情况"]', "heading 总体情况 is that of another section"),
        ('labels = ["财务信息"]', 'label = "财务信息"', "proactive_disclosure.rows.1.labels"),
        ('id = "school_received"', 'id = "School"', "applications.rows.0.id"),
        ("[headings]", "[headings", "cannot be read"),
    ],
)
def test_a_slip_in_a_form_is_refused_by_its_place(folder: Path, old: str, new: str, told: str) -> None:
    assert old in SCHOOL
    path = folder / "forms" / "school.toml"
    path.write_text(SCHOOL.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SettingsError, match=rf"school\.toml: .*{re.escape(told)}"):
        _read_all(folder / "forms")


def test_a_shared_id_must_mean_the_same_kind_of_number(folder: Path) -> None:
    text = (ROOT / "extractor" / "forms" / "data" / "2021.toml").read_text(encoding="utf-8")
    text = text.replace('generation = "2021"', 'generation = "ours"').replace('type = "decimal"\n', "")
    (folder / "forms" / "school.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"admin_fees\.amount_wan is of another type or unit"):
        _read_all(folder / "forms")


@pytest.mark.parametrize(
    "words", [("run", "school.md", "--out", "out"), ("show", "school.md"), ("forms",)], ids=" ".join
)
def test_a_folder_that_is_not_there_is_one_line(folder: Path, words: tuple[str, ...]) -> None:
    done = _run(folder, *words, forms="nowhere")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "error: forms_dir nowhere: no such folder. Correct EXTRACTOR_FORMS_DIR or unset it."
    ]
