"""The certificate: what its file must hold together, whether it may govern, and for which versions it stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from extractor.confidence.certificate import Certificate, dump_certificate, find_mismatch, load_certificate
from extractor.errors import SettingsError
from tests.unit.confidence.certificates import (
    RULES,
    THRESHOLD,
    describe_certificate,
    describe_threshold,
    make_certificate,
    other_versions,
    write_certificate,
)


def test_it_survives_the_file(tmp_path: Path) -> None:
    certificate = make_certificate(weights={"errors": 1.5})
    (tmp_path / "c.json").write_text(dump_certificate(certificate), encoding="utf-8")
    assert load_certificate(tmp_path / "c.json") == certificate


def test_the_accepted_share_stands_on_its_counts() -> None:
    (tested,) = make_certificate().tested
    assert tested.accepted_share == 0.75
    assert tested.model_copy(update={"accepted": 0, "values": 0}).accepted_share is None


# ---------------------------------------------------------------- a file that is wrong


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"surprise": 1}, "surprise"),
        ({"format": "extractor evaluation 1"}, "format"),
        ({"alpha": 0}, "alpha"),
        ({"delta": 1}, "delta"),
        ({"cap": 0}, "cap"),
        ({"threshold": 1.5}, "threshold"),
        ({"tested": [describe_threshold(0.0)]}, "tested.0.threshold"),
        ({"tested": [describe_threshold(1.0)]}, "tested.0.threshold"),
        ({"tested": [describe_threshold(t / 10) for t in range(1, 5)]}, "tested"),
        ({"tested": [describe_threshold(THRESHOLD, mean_loss=1.1)]}, "tested.0.mean_loss"),
        ({"stands_for": {**RULES.model_dump(), "gender": "x"}}, "stands_for.gender"),
        ({"scorer": {**describe_certificate()["scorer"], "weights": [1.0]}}, "scorer"),
        ({"threshold": 0.2}, "threshold 0.2 is none of those"),
        ({"tested": [describe_threshold(THRESHOLD, is_certified=False)]}, "none of those tested and certified"),
        ({"tested": [describe_threshold(THRESHOLD, e_value=9.9)]}, "e_value under 1 / delta, 10"),
        ({"tested": [describe_threshold(THRESHOLD, documents=119)]}, "not equally many"),
        ({"layouts": {"matrix": 119}}, "not equally many"),
    ],
)
def test_a_wrong_file_is_refused_with_file_place_and_remedy(
    tmp_path: Path, changes: dict[str, Any], place: str
) -> None:
    path = write_certificate(tmp_path / "c.json", **changes)
    with pytest.raises(SettingsError) as caught:
        load_certificate(path)
    assert str(path) in str(caught.value)
    assert place in str(caught.value)
    assert "extractor calibrate" in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{", "\x00", json.dumps({"format": "extractor certificate 1"})])
def test_no_certificate_at_all_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.json").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match="no certificate"):
        load_certificate(tmp_path / "c.json")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_certificate(tmp_path / "c.json")


# ---------------------------------------------------------------- may it govern


def test_it_governs_when_all_is_real_certified_and_ranked() -> None:
    assert make_certificate().may_govern
    assert make_certificate(replies=["live", "batch"]).may_govern
    assert make_certificate(documents={"real": 120, "generated": 0}).may_govern


@pytest.mark.parametrize(
    ("changes", "rests_on"),
    [
        ({"documents": {"real": 119, "re-set": 1}}, ("re-set documents",)),
        ({"documents": {"generated": 20, "corrupted": 100}}, ("corrupted documents", "generated documents")),
        ({"replies": ["live", "simulated"]}, ("replies simulated",)),
        ({"replies": ["written by hand"]}, ("replies written by hand",)),
    ],
)
def test_it_does_not_govern_on_what_is_not_real(changes: dict[str, Any], rests_on: tuple[str, ...]) -> None:
    certificate = make_certificate(**changes)
    assert certificate.rests_on_other == rests_on
    assert not certificate.may_govern


def test_the_documents_of_the_scorer_count_like_those_of_the_sample() -> None:
    data = describe_certificate()
    data["scorer"]["documents"] = {"real": 10, "generated": 300}
    certificate = Certificate.model_validate_json(json.dumps(data))
    assert certificate.rests_on_other == ("generated documents",)
    assert not certificate.may_govern


@pytest.mark.parametrize("changes", [{"threshold": None}, {"ranks": False}])
def test_it_does_not_govern_without_a_threshold_or_a_ranking(changes: dict[str, Any]) -> None:
    certificate = make_certificate(**changes)
    assert not certificate.rests_on_other
    assert not certificate.may_govern


# ---------------------------------------------------------------- versions


def test_the_same_versions_match() -> None:
    assert find_mismatch(make_certificate(), RULES) == []


@pytest.mark.parametrize("name", ["extractor", "forms", "features", "readers", "model"])
def test_each_version_that_differs_is_said(name: str) -> None:
    (sentence,) = find_mismatch(make_certificate(), other_versions(**{name: "other"}))
    stands_for = getattr(RULES, name) or "none"
    assert sentence == f"the certificate stands for {name} {stands_for}, this run uses other"


def test_each_prompt_that_differs_is_said() -> None:
    certificate = make_certificate(
        stands_for=other_versions(prompts={"row": "1", "page": "2", "old": "3"}).model_dump()
    )
    assert find_mismatch(certificate, other_versions(prompts={"row": "1", "page": "9", "new": "4"})) == [
        "the certificate stands for prompt new none, this run uses 4",
        "the certificate stands for prompt old 3, this run uses none",
        "the certificate stands for prompt page 2, this run uses 9",
    ]


def test_no_version_is_left_out_of_the_comparison() -> None:
    """A version added to the model and not to the comparison would be ignored."""
    changes: dict[str, Any] = {name: "other" for name in type(RULES).model_fields if name != "prompts"}
    changes["prompts"] = {"row": "1"}
    assert len(find_mismatch(make_certificate(), other_versions(**changes))) == len(type(RULES).model_fields)
