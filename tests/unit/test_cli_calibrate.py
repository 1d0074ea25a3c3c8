"""extractor calibrate through its front door, on generated documents: what is written, said and refused."""

from __future__ import annotations

import json
import random
from pathlib import Path

import flatten
import pytest
import typer
from typer.testing import CliRunner, Result

from extractor.cli import calibrate
from extractor.confidence.certificate import Certificate, load_certificate
from extractor.confidence.standing import open_certificate
from extractor.errors import SettingsError
from extractor.settings import load_settings

_APP = typer.Typer()
_APP.command()(calibrate.calibrate)
EASY = ("--alpha", "0.2", "--delta", "0.2", "--thresholds", "0.01,0.99999")


def _invoke(*arguments: object) -> Result:
    return CliRunner().invoke(_APP, list(map(str, arguments)))


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    load_settings.cache_clear()


def write_labels(folder: Path, seeds: range, kind: str = "generated", misprints: bool = True) -> None:
    """Documents and their labels. With misprints every document prints one number that its label does not have."""
    folder.mkdir(exist_ok=True)
    for seed in seeds:
        rng = random.Random(seed)
        values = flatten.make_values("2021", seed)
        printed = dict(values)
        if misprints:
            printed[rng.choice([name for name in values if name.startswith("applications.")])] += 900
        raw = flatten.LAYOUTS["tab_cells"](flatten.build_tables("2021", flatten.as_printed(printed)))
        (folder / f"{seed}.txt").write_bytes(raw)
        sections = dict.fromkeys(("proactive_disclosure", "applications", "review_litigation"), "2021")
        label: dict[str, object] = {"file": f"{seed}.txt", "kind": kind, "generation": sections, "layout": "tab cells"}
        for section in sections:
            own = {name: value for name, value in values.items() if name.startswith(f"{section}.")}
            label[section] = {name.partition(".")[2]: value for name, value in own.items()}
        (folder / f"{seed}.json").write_text(json.dumps(label), encoding="utf-8")


def test_generated_documents_give_a_certificate_that_no_run_takes() -> None:
    write_labels(Path("gold"), range(24))
    write_labels(Path("more"), range(100, 124))
    result = _invoke("gold", "--train", "more", *EASY, "--out", "certificate.json")
    assert result.exit_code == 0, result.output
    certificate = load_certificate(Path("certificate.json"))
    assert certificate.ranks
    assert (certificate.threshold, certificate.may_govern) == (0.01, False)
    assert [(one.threshold, one.is_certified, one.mean_loss) for one in certificate.tested] == [
        (0.01, True, 0),
        (0.99999, False, 1),
    ]
    assert certificate.documents == certificate.scorer.documents == {"generated": 24}
    assert certificate.layouts == {"tab cells": 24}
    said = " ".join(result.stdout.split())
    assert "Certified for p(wrong) <= 0.01" in said
    assert "Looser thresholds were not tested" in said
    assert "No run will decide by it: it rests on generated documents" in said
    with pytest.raises(SettingsError, match="generated documents"):
        open_certificate(Path("certificate.json"), certificate.stands_for)


def test_the_same_documents_called_real_give_one_that_may_govern() -> None:
    """What is in them is the same: only their kind tells whether they say something about real reports."""
    write_labels(Path("gold"), range(24), "real")
    write_labels(Path("more"), range(100, 124), "real")
    result = _invoke("gold", "--train", "more", *EASY, "--out", "certificate.json")
    certificate = load_certificate(Path("certificate.json"))
    assert certificate.may_govern
    assert open_certificate(Path("certificate.json"), certificate.stands_for).threshold == 0.01
    assert "A run of these versions may use it" in result.stdout


def test_half_of_the_documents_is_kept_for_the_test_and_files_in_another_order_change_nothing() -> None:
    write_labels(Path("gold"), range(44))
    names = [f"gold/{seed}.json" for seed in range(44)]
    certificates: list[Certificate] = []
    for number, order in enumerate((names, random.Random(1).sample(names, 44))):
        assert _invoke(*order, *EASY, "--out", f"{number}.json").exit_code == 0
        certificates.append(load_certificate(Path(f"{number}.json")))
    assert certificates[0] == certificates[1]
    assert certificates[0].documents == certificates[0].scorer.documents == {"generated": 22}
    assert certificates[0].tested


def test_where_nothing_is_wrong_the_hard_rules_alone_are_judged() -> None:
    write_labels(Path("gold"), range(6), "real", misprints=False)
    result = _invoke("gold", "--out", "certificate.json")
    assert result.exit_code == 0, result.output
    certificate = load_certificate(Path("certificate.json"))
    assert (certificate.ranks, certificate.tested, certificate.threshold) == (False, (), None)
    assert "too few wrong fields to fit (0 in 0 documents; 10 in 10 are needed)" in result.stdout
    assert "Not certified for the hard rules: loss 0 of 3 documents" in result.stdout
    assert "598 documents without a loss are needed" in result.stdout
    assert "at most 0.632" in result.stdout  # 1 - 0.05 ** (1 / 3)


def test_a_copy_of_a_document_never_stands_on_both_sides() -> None:
    write_labels(Path("gold"), range(8))
    write_labels(Path("more"), range(4, 12))
    result = _invoke("gold", "--train", "more", "--out", "certificate.json")
    assert result.exit_code == 0, result.output
    assert load_certificate(Path("certificate.json")).scorer.documents == {"generated": 4}
    assert "4 documents of --train print what one of GOLD prints, and were left out" in result.stdout


def test_two_labels_of_the_same_bytes_that_differ_are_refused() -> None:
    write_labels(Path("gold"), range(3))
    label = json.loads(Path("gold/0.json").read_text())
    label["applications"]["granted.total"] = 12345
    Path("gold/other.json").write_text(json.dumps(label))
    result = _invoke("gold", "--out", "certificate.json")
    assert result.exit_code == 2
    assert "label the same bytes and say different things" in result.stderr
    assert not Path("certificate.json").exists()


def test_a_document_that_cannot_be_read_is_one_that_loses_nothing() -> None:
    write_labels(Path("gold"), range(4), misprints=False)
    for seed in range(4):
        Path(f"gold/{seed}.txt").write_bytes(b"%PDF-1.7 " + bytes([seed]))
    result = _invoke("gold", "--out", "certificate.json")
    assert result.exit_code == 0, result.output
    assert "0 of 2 documents" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--thresholds", "0.1,0.2,0.3,0.4"], "one to 3 numbers between 0 and 1"),
        (["--thresholds", "1"], "one to 3 numbers between 0 and 1"),
        (["--thresholds", "few"], "one to 3 numbers between 0 and 1"),
        (["--alpha", "0"], "must lie between 0 and 1"),
        (["--readers", "both"], "needs replies"),
        (["--train", "nowhere"], "nowhere: is not there"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(arguments: list[str], message: str) -> None:
    write_labels(Path("gold"), range(2))
    result = _invoke("gold", *arguments, "--out", "certificate.json")
    assert result.exit_code == 2
    assert message in result.stderr
    assert not Path("certificate.json").exists()


def test_one_document_is_not_enough_to_fit_and_to_certify() -> None:
    write_labels(Path("gold"), range(1))
    result = _invoke("gold", "--out", "certificate.json")
    assert result.exit_code == 2
    assert "0 documents to fit on and 1 others to certify on: both are needed" in result.stderr


def test_a_place_that_cannot_be_written_is_named() -> None:
    write_labels(Path("gold"), range(2))
    result = _invoke("gold", "--out", "no/such/folder/certificate.json")
    assert result.exit_code == 2
    assert "the certificate cannot be written" in result.stderr
