"""Damaged documents the whole way: nothing wrong is accepted, and what would be wrong is noticed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from eval import corrupted
from eval.corruption import KINDS, SEVERITIES, make_corrupted
from eval.corruption.explained import explain, load_explanations
from eval.corruption.measure import Job, Tally, measure_document, measure_job
from extractor.evaluation.labels import LabelledCell, find_labels
from extractor.model import CellState


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("kind", KINDS)
def test_no_damage_gets_a_wrong_value_accepted(kind: str, severity: int) -> None:
    tally = measure_job(Job(kind, (kind,), severity, range(3)), ())
    assert tally.crashes == []
    explanations = load_explanations()
    assert [one for one in tally.wrong if not explain(explanations, one.damage, one.layout, one.field, one.said)] == []


def test_clean_documents_are_read_whole() -> None:
    tally = measure_job(Job("clean", (), 0, range(12)), ())
    assert (tally.crashes, tally.wrong) == ([], [])
    assert tally.nonzero_accepted > 0.95 * tally.nonzero


def test_a_wrong_value_would_be_noticed() -> None:
    document = next(make_corrupted((), 0, 1, known=()))
    name = next(name for name, cell in document.label.cells.items() if cell.value == 0)
    cells = {**document.label.cells, name: LabelledCell(CellState.VALUE, 7)}
    tally = Tally()
    measure_document(tally, document._replace(label=replace(document.label, cells=cells)))
    assert [(one.field, one.printed, one.said) for one in tally.wrong] == [(name, "7", "0")]


def test_the_command_counts_and_its_result_does_not_depend_on_the_processes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--kinds", "slash,lost_rows+slash", "--severities", "1,3", "--count", "4", "--mixes", "2", "--json"]
    files = [tmp_path / "one.json", tmp_path / "two.json"]
    for file, workers in zip(files, ("1", "2"), strict=True):
        assert corrupted.main([*arguments, str(file), "--workers", workers]) in (0, 1)
    assert files[0].read_text() == files[1].read_text()
    data = json.loads(files[0].read_text())
    assert [(row["damage"], row["severity"], row["documents"]) for row in data] == [
        ("slash", 1, 4),
        ("slash", 3, 4),
        ("lost_rows+slash", 1, 4),
        ("lost_rows+slash", 3, 4),
        ("mix", 1, 2),
        ("mix", 3, 2),
    ]
    assert "accepted wrong:" in capsys.readouterr().out


def test_an_accepted_wrong_value_fails_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A document with a label that says other numbers is as one that the program reads wrongly."""

    def spoil(job: Job) -> Tally:
        tally = measure_job(job, ())
        document = next(make_corrupted(job.kinds, job.severity, 1, known=()))
        cells = dict.fromkeys(document.label.cells, LabelledCell(CellState.VALUE, 123_456))
        measure_document(tally, document._replace(label=replace(document.label, cells=cells)))
        return tally

    options = corrupted.read_options(["--kinds", "traditional_script", "--severities", "1", "--count", "1"])
    rows = {(job.row, job.severity): spoil(job) for job in corrupted.plan_jobs(options)}
    assert corrupted.report(rows, (), load_explanations(), options) == 1
    out = capsys.readouterr().out
    assert "NOT EXPLAINED" in out
    assert "printed 123456" in out


def test_the_command_writes_a_folder(tmp_path: Path) -> None:
    assert corrupted.main(["--write", str(tmp_path), "--kinds", "cut_off", "--severities", "2", "--count", "3"]) == 0
    files = list(find_labels([tmp_path]))
    assert [file.label.damage for file in files] == ["cut_off"] * 3
    assert all(file.document for file in files)
