"""What a certificate may do in a run: refused, not in force and saying why, or in force."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from extractor.confidence.features import FEATURES_VERSION
from extractor.confidence.standing import Standing, collect_versions, open_certificate
from extractor.errors import SettingsError
from extractor.forms import load_forms
from extractor.llm.prompts import PROMPT_TASKS, load_prompt
from extractor.pipeline import VERSIONS
from tests.unit.confidence.certificates import RULES, THRESHOLD, other_versions, write_certificate


def test_without_a_certificate_the_hard_rules_decide_alone() -> None:
    standing = open_certificate(None, RULES)
    assert standing == Standing()
    assert standing.describe() == {
        "certificate": None,
        "in_force": False,
        "threshold": None,
        "why_not": ["there is no certificate"],
    }
    assert standing.tell() == "accepted by the hard rules alone, no certificate"


def test_one_that_stands_for_the_run_is_in_force(tmp_path: Path) -> None:
    path = write_certificate(tmp_path / "c.json")
    standing = open_certificate(path, RULES)
    assert standing.certificate is not None
    assert standing.describe() == {
        "certificate": {"name": "c.json", "sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
        "in_force": True,
        "threshold": THRESHOLD,
        "why_not": [],
    }
    assert f"c.json: p(wrong) at most {THRESHOLD}" in standing.tell()


@pytest.mark.parametrize("name", ["extractor", "forms", "features", "readers", "model"])
def test_one_for_another_version_is_void_and_says_so(tmp_path: Path, name: str) -> None:
    standing = open_certificate(write_certificate(tmp_path / "c.json"), other_versions(**{name: "9bc1"}))
    assert standing.certificate is None
    (reason,) = standing.why_not
    assert f"{name} " in reason
    assert "this run uses 9bc1" in reason
    assert reason in standing.tell()
    assert standing.describe()["in_force"] is False


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"threshold": None}, "supports no threshold"), ({"ranks": False}, "does not tell right values from wrong")],
)
def test_one_that_may_decide_nothing_still_gives_its_chances(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    standing = open_certificate(write_certificate(tmp_path / "c.json", **changes), RULES)
    assert standing.certificate is not None
    assert not standing.certificate.may_govern
    assert standing.threshold is None
    assert reason in standing.tell()


@pytest.mark.parametrize(
    "changes",
    [
        {"documents": {"real": 60, "generated": 60}},
        {"documents": {"re-set": 120}},
        {"documents": {"corrupted": 120}, "threshold": None},
        {"replies": ["simulated"]},
    ],
)
@pytest.mark.parametrize("versions", [RULES, other_versions(forms="other")])
def test_one_that_rests_on_made_up_documents_is_refused(tmp_path: Path, changes: dict[str, Any], versions: Any) -> None:
    path = write_certificate(tmp_path / "c.json", **changes)
    with pytest.raises(SettingsError, match=r"rests on .*extractor label.*extractor calibrate") as caught:
        open_certificate(path, versions)
    assert str(path) in str(caught.value)


def test_versions_are_those_of_program_forms_features_and_prompts() -> None:
    versions = collect_versions("auto", "some-model", None)
    assert (versions.extractor, versions.forms) == (VERSIONS["extractor"], VERSIONS["forms"])
    assert versions.forms == load_forms().version
    assert (versions.features, versions.readers, versions.model) == (FEATURES_VERSION, "auto", "some-model")
    assert versions.prompts == {task: load_prompt(task).version for task in PROMPT_TASKS}
    assert collect_versions("template", None, None).prompts == {}


def test_a_prompt_of_ones_own_is_another_version(tmp_path: Path) -> None:
    packaged = Path(__file__).parents[3] / "prompts" / "header.md"
    (tmp_path / "header.md").write_text(packaged.read_text(encoding="utf-8") + "\n- One rule more.\n", encoding="utf-8")
    own, usual = (collect_versions("auto", "m", folder).prompts for folder in (tmp_path, None))
    assert {task for task in own if own[task] != usual[task]} == {"header"}
